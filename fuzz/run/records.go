package main

import (
	"errors"
	"flag"
	"io/fs"
	"os"
)

// addRecords adds the results to the table in a file, which it makes if there is
// none, with the command that has brought them.
func addRecords(name string, results []result) error {
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
	for i := range results {
		if r := &results[i]; r.execs > 0 && r.err == nil {
			table = addLine(table, r, command)
		}
	}
	return os.WriteFile(name, table, 0o666)
}
