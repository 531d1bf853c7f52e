package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"
)

// A campaign runs targets.
type campaign struct {
	time  time.Duration // for each, or
	execs int64
	procs int // how many at a time

	mutate  bool   // whether inputs are mutated in process; else go test -fuzz runs them
	seed    uint64 // for mutate; 0 means the one behind those recorded
	program string // that build has made
	idle    profile

	records string // the file for what was run, or ""
}

// limit returns how long or how often a target runs.
func (c *campaign) limit() string {
	if c.execs > 0 {
		return strconv.FormatInt(c.execs, 10) + "x"
	}
	return c.time.String()
}

// A result is what running a target came to.
type result struct {
	target
	report
	took time.Duration
	err  error

	// Of mutated inputs.
	seed    uint64
	profile profile // what was reached
	idle    profile // what is reached without a target
}

func (r *result) coverage() coverage { return r.profile.coverage(r.idle) }

// A report is what go test says about fuzzing.
type report struct {
	execs int64
	fresh int // inputs that reached new code
	total int // inputs that the target is fuzzed from
}

// run runs the targets, and tells about each when it is done.
func (c *campaign) run(ctx context.Context, targets []target) (results []result, err error) {
	run, status := c.fuzz, (*result).guided
	if c.mutate {
		dir, err := os.MkdirTemp("", "fuzz")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		if err := c.build(ctx, dir); err != nil {
			return nil, err
		}
		run, status = c.mutated, (*result).mutated
		targets = slices.DeleteFunc(targets, func(t target) bool { return path.Base(t.pkg) != "fuzz" })
	}
	next := make(chan target)
	var running sync.WaitGroup
	var mu sync.Mutex
	for range max(c.procs, 1) {
		running.Go(func() {
			for t := range next {
				r := run(ctx, t)
				mu.Lock()
				results = append(results, r)
				fmt.Printf("%-28s %12d execs  %s  %8s  %s\n", r.name, r.execs, status(&r), r.took.Round(time.Second), verdict(r.err))
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

// guided and mutated say what is special about the two ways to run a target.
func (r *result) guided() string  { return fmt.Sprintf("%5d new  %6d inputs", r.fresh, r.total) }
func (r *result) mutated() string { return fmt.Sprintf("seed %d  %v", r.seed, r.coverage()) }

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
	begin := time.Now()
	// What minimizing brings does not repay the time where goroutines are
	// scheduled differently each time.
	out, err := command(ctx, t.dir, "go", "test", "-run=^$", "-fuzz=^"+t.name+"$", "-fuzztime="+c.limit(), "-fuzzminimizetime=20x",
		"-timeout=0", "-parallel="+strconv.Itoa(max(1, workers/max(c.procs, 1))), ".")
	return result{target: t, report: parseReport(out), took: time.Since(begin), err: err}
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
	if all := union(results); len(all) > 0 {
		fmt.Fprintf(w, "together they reached %v\n", all.coverage(results[0].idle))
	}
	return errors.Join(failures...)
}

// union returns what any of the results has reached.
func union(results []result) profile {
	all := profile{}
	for i := range results {
		for place, b := range results[i].profile {
			all[place] = block{b.statements, b.covered || all[place].covered}
		}
	}
	return all
}
