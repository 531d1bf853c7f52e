package main

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The first lines of the tables of records: of go test -fuzz, and of -mutate.
const (
	guidedHeader  = "| target | executions | time | inputs | command |\n|---|---:|---|---:|---|\n"
	mutatedHeader = "| target | executions | time | seeds | coverage |\n|---|---:|---|---|---|\n"
)

// addRecord adds a result to the table in a file, which it makes if there is none.
func addRecord(name string, r *result) error {
	file, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	header, merge := mutatedHeader, r.sum
	if r.profile == nil {
		line := "go run ./fuzz/run"
		flag.Visit(func(f *flag.Flag) {
			if f.Name != "records" && f.Name != "run" {
				line += " -" + f.Name + " " + f.Value.String()
			}
		})
		header, merge = guidedHeader, func(row []string) []string { return r.longer(row, line) }
	}
	return os.WriteFile(name, addRow(file, header, r.name, merge), 0o666)
}

// addRow adds a row about a target to the table below a header, sorted by their names:
// what merge makes of the cells behind the name that are there, or of nil.
func addRow(file []byte, header, name string, merge func(row []string) []string) []byte {
	before, table, found := bytes.Cut(file, []byte(header))
	if !found {
		before, table = slices.Concat(file, []byte("\n")), nil
	}
	rows := map[string][]string{name: nil}
	for len(table) > 0 && table[0] == '|' {
		line, rest, _ := bytes.Cut(table, []byte("\n"))
		cells := strings.Split(string(line[1:bytes.LastIndexByte(line, '|')]), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows[cells[0]], table = cells[1:], rest
	}
	rows[name] = merge(rows[name])
	out := slices.Concat(before, []byte(header))
	for _, n := range slices.Sorted(maps.Keys(rows)) {
		out = fmt.Appendf(out, "| %s | %s |\n", n, strings.Join(rows[n], " | "))
	}
	return append(out, table...)
}

// longer returns the row of r, or the one that there is if it has more executions.
func (r *result) longer(row []string, command string) []string {
	if len(row) > 0 {
		if before, err := strconv.ParseInt(row[0], 10, 64); err == nil && before >= r.execs {
			return row
		}
	}
	return []string{strconv.FormatInt(r.execs, 10), r.took.Round(time.Second).String(), strconv.Itoa(r.total), "`" + command + "`"}
}

// sum returns the row of r and of the runs before it.
func (r *result) sum(row []string) []string {
	execs, took, seeds, reached := r.execs, r.took, "", r.coverage()
	if len(row) == 4 {
		n, _ := strconv.ParseInt(row[0], 10, 64)
		d, _ := time.ParseDuration(row[1])
		execs, took, seeds = execs+n, took+d, row[2]+" "
		for pkg, percent := range parseCoverage(row[3]) {
			reached[pkg] = max(reached[pkg], percent)
		}
	}
	return []string{strconv.FormatInt(execs, 10), took.Round(time.Second).String(), seeds + strconv.FormatUint(r.seed, 10), reached.String()}
}

// nextSeed returns the seed behind the last one of a target in a file, and 1 if there
// is none.
func nextSeed(name, target string) uint64 {
	file, err := os.ReadFile(name)
	if err != nil {
		return 1
	}
	last := uint64(0)
	addRow(file, mutatedHeader, target, func(row []string) []string {
		if len(row) == 4 {
			seeds := strings.Fields(row[2])
			last, _ = strconv.ParseUint(cmp.Or(seeds[len(seeds)-1], "0"), 10, 64)
		}
		return row
	})
	return last + 1
}
