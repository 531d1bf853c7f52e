// Mutants puts one fault after the other into the packages and has the tests find
// it.
//
//	go run ./fuzz/mutants [flags]
//
// A fault is a piece of source text and another one in its place: see [mutant]. The
// tests see it by way of -overlay; no file changes. Each fault goes
//
//  1. through the seeds of the fuzz targets,
//  2. unless -fuzztime is zero, through fuzzing itself, with inputs made of the seeds:
//     the targets that have to do with its package, one after the other,
//  3. unless a seed has found it, through the exhaustive scopes and the tests beside
//     the code, of which the conformance suite is one; with -suite through the latter
//     in any case.
//
// The report is a line for each fault, with who has found it first: of the tests, and
// of the fuzz targets. The exit code is 1 if a fault was not found by a test, or fewer
// than 90 % by fuzzing.
//
// The flags:
//
//	-run regexp     only the faults whose names match
//	-fuzztime d     how long all targets may fuzz for one fault (default 10m)
//	-suite          run the tests beside the code for each fault
//	-quick          look at the seeds and scopes alone
//	-list           list the faults and their sections
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"time"
)

func main() {
	only := flag.String("run", "", "only the faults whose names match this `regexp`")
	fuzzTime := flag.Duration("fuzztime", 10*time.Minute, "how `long` all targets may fuzz for one fault")
	suite := flag.Bool("suite", false, "run the tests beside the code for each fault")
	quick := flag.Bool("quick", false, "look at the seeds and scopes alone")
	list := flag.Bool("list", false, "list the faults")
	flag.Parse()
	name, err := regexp.Compile(*only)
	if err != nil || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	var chosen []mutant
	for _, m := range mutants {
		if name.MatchString(m.name) {
			chosen = append(chosen, m)
		}
	}
	if *list {
		for _, m := range chosen {
			fmt.Printf("%-34s %-28s %s\n", m.name, m.section, m.fault)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	h := hunt{fuzzTime: *fuzzTime, suite: *suite, quick: *quick}
	if err := h.run(ctx, chosen); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}
