package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// attacked are the packages whose coverage is measured.
var attacked = []string{
	"./mask", "./frame", "./handshake", "./conn", "./conn/deflate", "./conn/conntest", "./socketio/engineio", "./socketio/engineio/codec", "./socketio/parser",
}

// build builds the targets of ./fuzz for mutated, in dir.
func (c *campaign) build(ctx context.Context, dir string) error {
	c.program = filepath.Join(dir, "fuzz.test")
	if _, err := command(ctx, "", "go", "test", "-c", "-covermode=set", "-coverpkg="+strings.Join(attacked, ","), "-o", c.program, "./fuzz"); err != nil {
		return err
	}
	name := c.program + ".idle"
	if _, err := command(ctx, "", c.program, "-test.run=^$", "-test.coverprofile="+name); err != nil {
		return err
	}
	var err error
	c.idle, err = readProfile(name)
	return err
}

func readProfile(name string) (profile, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	p := profile{}
	return p, p.add(string(b))
}

// executions is what a target of ./fuzz logs with -mutate.
var executions = regexp.MustCompile(`(\d+) executions in (\S+) with seed (\d+)`)

// mutated runs a target of ./fuzz on mutated inputs.
func (c *campaign) mutated(ctx context.Context, t target) (r result) {
	r.target, r.seed = t, c.seed
	if r.seed == 0 {
		r.seed = nextSeed(c.records, t.name)
	}
	name := c.program + "." + t.name
	out, err := command(ctx, t.dir, c.program, "-test.run=^"+t.name+"$", "-test.timeout=0", "-test.coverprofile="+name,
		"-mutate="+c.limit(), "-seed="+strconv.FormatUint(r.seed, 10))
	if m := executions.FindSubmatch(out); m != nil {
		r.execs, _ = strconv.ParseInt(string(m[1]), 10, 64)
		r.took, _ = time.ParseDuration(string(m[2]))
	} else if err == nil {
		err = fmt.Errorf("%s does not say what it did:\n%s", t.name, out)
	}
	if r.err = err; err == nil {
		r.profile, r.err = readProfile(name)
		r.idle = c.idle
	}
	return r
}

// A coverage is how much of each package was reached, in percent of statements.
type coverage map[string]float64

// coverage returns that of the packages of a profile in which more was reached than by an
// idle program, which initializes them.
func (p profile) coverage(idle profile) coverage {
	byPackage, reached := map[string]profile{}, map[string]bool{}
	for place, b := range p {
		pkg := place[:strings.LastIndexByte(place, '/')]
		if byPackage[pkg] == nil {
			byPackage[pkg] = profile{}
		}
		byPackage[pkg][place] = b
		reached[pkg] = reached[pkg] || b.covered && !idle[place].covered
	}
	c := coverage{}
	for pkg, p := range byPackage {
		if reached[pkg] {
			c[pkg[strings.LastIndexByte(pkg, '/')+1:]] = p.percent()
		}
	}
	return c
}

func (c coverage) String() string {
	var list []string
	for pkg, percent := range c {
		list = append(list, fmt.Sprintf("%s %.1f %%", pkg, percent))
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// parseCoverage parses what String returns.
func parseCoverage(s string) coverage {
	c := coverage{}
	for part := range strings.SplitSeq(s, ", ") {
		var pkg string
		var percent float64
		if n, _ := fmt.Sscanf(part, "%s %f", &pkg, &percent); n == 2 {
			c[pkg] = percent
		}
	}
	return c
}
