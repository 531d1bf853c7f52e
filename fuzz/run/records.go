package main

import (
	"errors"
	"io/fs"
	"os"
	"strings"
)

// addRecords adds the results to the table in a file, which it makes if there is
// none.
func addRecords(name string, results []result) error {
	table, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	command := "go run ./fuzz/run " + strings.Join(os.Args[1:], " ")
	for i := range results {
		if r := &results[i]; r.execs > 0 && r.err == nil {
			table = addLine(table, r, command)
		}
	}
	return os.WriteFile(name, table, 0o666)
}
