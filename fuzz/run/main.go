// Run runs fuzz targets, all of the repository unless told otherwise.
//
//	go run ./fuzz/run -time 30s            fuzz each target for 30 seconds
//	go run ./fuzz/run -execs 1000000       ... with a million inputs
//	go run ./fuzz/run -mutate -time 3m     run those of ./fuzz without a guide, and faster
//	go run ./fuzz/run -list                list the targets, with their packages
//	go run ./fuzz/run -seeds out           write seed corpora as zip files
//	go run ./fuzz/run -keep 10             add cached inputs to testdata
//	go run ./fuzz/run -cover 98            measure what the seeds cover
//
// Two targets run at a time, with one worker each, or one with two. Inputs that
// reach new code are kept in Go's cache, from which the next run goes on. One that
// fails is kept in testdata of its package, where it is a test from then on, and the
// exit code is 1.
//
// With -mutate it is not go test -fuzz that makes the inputs, which it hands to another
// process one by one, but a mutator beside the target, which changes the seeds and the
// inputs in testdata at random: up to a thousand times as many in a second. It does not
// look at what they reach, so it is no substitute for the guide, which finds the inputs
// to start from. The inputs follow from a seed: the same one brings the same inputs as
// long as the code and the corpus stay as they are.
//
// The flags:
//
//	-run regexp      only the targets whose names match
//	-time d          fuzz each target for so long
//	-execs n         fuzz each target with so many inputs
//	-procs n         how many targets run at a time (default 2)
//	-records file    add a line for each target to a table in Markdown; those of
//	                 -mutate add up
//	-mutate          run the targets of ./fuzz on inputs that are mutated in process
//	-seed n          the seed of -mutate (default 1, or the one behind those recorded)
//	-list            print package and name of each target
//	-seeds dir       write dir/<target>_seed_corpus.zip: what testdata and the cache
//	                 hold, in Go's corpus format
//	-keep n          copy up to n of the shortest cached inputs of each target to testdata
//	-cover percent   fail if seeds, of ./fuzz and of the package itself, cover less of mask or frame
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	var c campaign
	only := flag.String("run", "", "only the targets whose names match this `regexp`")
	flag.DurationVar(&c.time, "time", 0, "fuzz each target for so `long`")
	flag.Int64Var(&c.execs, "execs", 0, "fuzz each target with so `many` inputs")
	flag.IntVar(&c.procs, "procs", 2, "how `many` targets run at a time")
	flag.BoolVar(&c.mutate, "mutate", false, "mutate inputs in process")
	flag.Uint64Var(&c.seed, "seed", 0, "the `seed` of -mutate")
	records := flag.String("records", "", "add a line for each target to the table in this `file`")
	list := flag.Bool("list", false, "list the targets")
	seeds := flag.String("seeds", "", "write seed corpora to this `directory`")
	keep := flag.Int("keep", 0, "add so `many` cached inputs of each target to testdata")
	cover := flag.Float64("cover", 0, "the least that seeds cover, in `percent`")
	flag.Parse()
	name, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	targets, err := findTargets(ctx, name)
	if err != nil {
		return err
	}
	switch {
	case *list:
		for _, t := range targets {
			fmt.Println(t.pkg, t.name)
		}
		return nil
	case *seeds != "":
		return writeSeeds(targets, *seeds)
	case *keep > 0:
		return keepInputs(targets, *keep)
	case *cover > 0:
		return checkCover(ctx, *cover)
	case c.time == 0 && c.execs == 0:
		flag.Usage()
		return fmt.Errorf("one of -time, -execs, -list, -seeds, -keep and -cover is needed")
	}
	c.records = *records
	results, err := c.run(ctx, targets)
	return errors.Join(err, summarize(os.Stdout, results))
}
