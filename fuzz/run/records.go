package main

import (
	"errors"
	"flag"
	"io/fs"
	"os"
)

// addRecord adds a result to the table in a file, which it makes if there is none,
// with the command that has brought it.
func addRecord(name string, r *result) error {
	table, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	command := "go run ./fuzz/run"
	flag.Visit(func(f *flag.Flag) {
		if f.Name != "records" && f.Name != "run" {
			command += " -" + f.Name + " " + f.Value.String()
		}
	})
	return os.WriteFile(name, addLine(table, r, command), 0o666)
}
