package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// A campaign runs targets.
type campaign struct {
	time  time.Duration // for each, or
	execs int64
	procs int // how many at a time

	records string // the file for what was run, or ""
}

// A result is what running a target came to.
type result struct {
	target
	report
	took time.Duration
	err  error
}

// A report is what go test says about fuzzing.
type report struct {
	execs int64
	fresh int // inputs that reached new code
	total int // inputs that the target is fuzzed from
}

// run runs the targets, and tells about each when it is done.
func (c *campaign) run(ctx context.Context, targets []target) (results []result, err error) {
	next := make(chan target)
	var running sync.WaitGroup
	var mu sync.Mutex
	for range max(c.procs, 1) {
		running.Go(func() {
			for t := range next {
				r := c.fuzz(ctx, t)
				mu.Lock()
				results = append(results, r)
				fmt.Printf("%-28s %12d execs  %5d new  %6d inputs  %8s  %s\n", r.name, r.execs, r.fresh, r.total, r.took.Round(time.Second), verdict(r.err))
				if c.records != "" && r.err == nil {
					err = errors.Join(err, addRecord(c.records, &r))
				}
				mu.Unlock()
			}
		})
	}
	for _, t := range targets {
		select {
		case next <- t:
		case <-ctx.Done():
		}
	}
	close(next)
	running.Wait()
	return results, errors.Join(err, ctx.Err())
}

func verdict(err error) string {
	if err != nil {
		return "FAILED"
	}
	return "ok"
}

// workers is how many processors a run takes.
const workers = 2

// fuzz runs a target.
func (c *campaign) fuzz(ctx context.Context, t target) result {
	limit := c.time.String()
	if c.execs > 0 {
		limit = strconv.FormatInt(c.execs, 10) + "x"
	}
	begin := time.Now()
	// What minimizing brings does not repay the time where goroutines are
	// scheduled differently each time.
	out, err := command(ctx, t.dir, "go", "test", "-run=^$", "-fuzz=^"+t.name+"$", "-fuzztime="+limit, "-fuzzminimizetime=20x",
		"-timeout=0", "-parallel="+strconv.Itoa(max(1, workers/max(c.procs, 1))), ".")
	return result{t, parseReport(out), time.Since(begin), err}
}

var progress = regexp.MustCompile(`execs: (\d+) .*new interesting: (\d+) \(total: (\d+)\)`)

// parseReport reads the last line of progress in the output of go test.
func parseReport(out []byte) (r report) {
	all := progress.FindAllSubmatch(out, -1)
	if len(all) == 0 {
		return report{}
	}
	last := all[len(all)-1]
	r.execs, _ = strconv.ParseInt(string(last[1]), 10, 64)
	r.fresh, _ = strconv.Atoi(string(last[2]))
	r.total, _ = strconv.Atoi(string(last[3]))
	return r
}

// summarize prints the sums of the results and what has failed.
func summarize(w io.Writer, results []result) error {
	var sum report
	var failures []error
	for i := range results {
		r := &results[i]
		sum.execs += r.execs
		sum.fresh += r.fresh
		if r.err != nil {
			failures = append(failures, fmt.Errorf("%s %s: %w", r.pkg, r.name, r.err))
		}
	}
	fmt.Fprintf(w, "%d targets, %d executions, %d inputs reached new code, %d failed\n", len(results), sum.execs, sum.fresh, len(failures))
	return errors.Join(failures...)
}

// header begins the table of records.
var header = []byte("| target | executions | time | inputs | command |\n|---|---|---|---|---|\n")

// line returns the line about r in the table of records.
func (r *result) line(command string) []byte {
	return fmt.Appendf(nil, "| %s | %d | %s | %d | `%s` |\n", r.name, r.execs, r.took.Round(time.Second), r.total, command)
}

// addLine adds a line to a table: in place of the one about the same target if that
// has fewer executions, otherwise it stays as it is.
func addLine(table []byte, r *result, command string) []byte {
	if !bytes.Contains(table, header) {
		table = append(table, header...)
	}
	lines := bytes.SplitAfter(table, []byte("\n"))
	for i, l := range lines {
		cells := bytes.Split(l, []byte(" | "))
		if len(cells) < 2 || string(cells[0]) != "| "+r.name {
			continue
		}
		if before, err := strconv.ParseInt(string(cells[1]), 10, 64); err != nil || before < r.execs {
			lines[i] = r.line(command)
		}
		return bytes.Join(lines, nil)
	}
	return append(table, r.line(command)...)
}
