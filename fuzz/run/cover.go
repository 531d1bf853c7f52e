package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// covered are the packages that the seeds have to cover.
var covered = []string{"./mask", "./frame"}

// checkCover measures how much of a package the seeds and corpora of its own targets and
// of ./fuzz cover, in percent of statements, with assembly and without taken together:
// each leaves out what is there for the other. It fails if that is less than least.
func checkCover(ctx context.Context, least float64) error {
	dir, err := os.MkdirTemp("", "cover")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	short := false
	for _, pkg := range covered {
		p := profile{}
		for _, tags := range []string{"", "purego"} {
			name := filepath.Join(dir, "profile")
			if _, err := command(ctx, "", "go", "test", "-run=^Fuzz", "-tags="+tags, "-coverpkg="+pkg, "-coverprofile="+name, "./fuzz", pkg); err != nil {
				return err
			}
			b, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			if err := p.add(string(b)); err != nil {
				return err
			}
		}
		percent := p.percent()
		fmt.Printf("%-8s %5.1f %%\n", pkg, percent)
		for block, b := range p {
			if !b.covered {
				fmt.Println("\tnot covered:", block)
			}
		}
		short = short || percent < least
	}
	if short {
		return fmt.Errorf("less than %v %% is covered", least)
	}
	return nil
}

// A profile holds the blocks of statements of a package, by their place.
type profile map[string]block

type block struct {
	statements int
	covered    bool
}

// add adds what go test has written: after a line with the mode one line a block, its
// place, its statements and how often it was run.
func (p profile) add(file string) error {
	lines := strings.Split(strings.TrimSpace(file), "\n")
	for _, line := range lines[1:] {
		f := strings.Fields(line)
		if len(f) != 3 {
			return fmt.Errorf("no line of a profile: %q", line)
		}
		n, err := strconv.Atoi(f[1])
		if err != nil {
			return err
		}
		p[f[0]] = block{n, p[f[0]].covered || f[2] != "0"}
	}
	return nil
}

// percent returns how many of the statements are covered.
func (p profile) percent() float64 {
	all, covered := 0, 0
	for _, b := range p {
		all += b.statements
		if b.covered {
			covered += b.statements
		}
	}
	return 100 * float64(covered) / float64(max(all, 1))
}
