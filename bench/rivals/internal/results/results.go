// Package results reads the output of benchmarks that compare libraries.
//
// A benchmark says whose it is by a part of its name, lib=ours or lib=other, and
// after a colon what variant of the library: lib=ours:fast. The library called
// limit is none: it is what the work costs without WebSocket.
package results

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Group is one benchmark with the results of all libraries, in the order in
// which they came.
type Group struct {
	Name    string // without lib
	Results []*Result
}

// A Result is what a library needed. Of several runs, it has the least of each
// value, and the most of those for each second.
type Result struct {
	Lib    string
	Values map[string]float64 // by unit, such as ns/op
}

// Ours reports whether it is this module's.
func (r *Result) Ours() bool { return name(r.Lib) == "ours" }

// Limit reports whether it is what the work costs without WebSocket.
func (r *Result) Limit() bool { return r.Lib == "limit" }

func name(lib string) string {
	name, _, _ := strings.Cut(lib, ":")
	return name
}

// Best returns the result of another library that has least of the unit, of those
// whose value of bound is at most most, if they have one.
func (g *Group) Best(unit, bound string, most float64) (*Result, bool) {
	return g.least(unit, func(r *Result) bool { return !r.Ours() && !r.Limit() && r.Values[bound] <= most })
}

// OursBest returns the variant of ours that has least of the unit.
func (g *Group) OursBest(unit string) (*Result, bool) { return g.least(unit, (*Result).Ours) }

// Limit returns the result of the limit.
func (g *Group) Limit(unit string) (*Result, bool) { return g.least(unit, (*Result).Limit) }

func (g *Group) least(unit string, is func(*Result) bool) (least *Result, ok bool) {
	for _, r := range g.Results {
		if v, has := r.Values[unit]; has && is(r) && (least == nil || v < least.Values[unit]) {
			least = r
		}
	}
	return least, least != nil
}

// Param returns the value of a part name=value of the group's name, or nothing.
func (g *Group) Param(name string) string {
	for part := range strings.SplitSeq(g.Name, "/") {
		if value, ok := strings.CutPrefix(part, name+"="); ok {
			return value
		}
	}
	return ""
}

// Family returns the first part of the name.
func (g *Group) Family() string {
	family, _, _ := strings.Cut(g.Name, "/")
	return family
}

// Libs returns the libraries of the groups, ours first and the limit last.
func Libs(groups []*Group) (libs []string) {
	for _, g := range groups {
		for _, r := range g.Results {
			if !slices.Contains(libs, r.Lib) {
				libs = append(libs, r.Lib)
			}
		}
	}
	rank := func(lib string) int {
		switch name(lib) {
		case "ours":
			return 0
		case "limit":
			return 2
		}
		return 1
	}
	slices.SortStableFunc(libs, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	return libs
}

// Of returns the result of a library.
func (g *Group) Of(lib string) (*Result, bool) {
	i := slices.IndexFunc(g.Results, func(r *Result) bool { return r.Lib == lib })
	if i < 0 {
		return nil, false
	}
	return g.Results[i], true
}

// line is one of a benchmark's: its name up to lib, the library, the rest of the
// name less GOMAXPROCS, and the measured values with their units.
var line = regexp.MustCompile(`^Benchmark(\S+)/lib=([^/\s]+?)(/\S+?)?(?:-\d+)?\s+\d+\s+(.*)$`)

// Parse reads benchmarks and groups them by what they measure.
func Parse(in io.Reader) (groups []*Group, err error) {
	for lines := bufio.NewScanner(in); ; {
		if !lines.Scan() {
			return groups, lines.Err()
		}
		m := line.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		g := find(&groups, func(g *Group) bool { return g.Name == m[1]+m[3] })
		g.Name = m[1] + m[3]
		r := find(&g.Results, func(r *Result) bool { return r.Lib == m[2] })
		if r.Lib == "" {
			r.Lib, r.Values = m[2], map[string]float64{}
		}
		values := strings.Fields(m[4])
		for i := 0; i+1 < len(values); i += 2 {
			v, err := strconv.ParseFloat(values[i], 64)
			if err != nil {
				return nil, fmt.Errorf("in %q: %w", lines.Text(), err)
			}
			r.add(values[i+1], v)
		}
	}
}

// add counts a value of a run.
func (r *Result) add(unit string, v float64) {
	old, ok := r.Values[unit]
	switch {
	case !ok:
		r.Values[unit] = v
	case strings.HasSuffix(unit, "/s"):
		r.Values[unit] = max(old, v)
	default:
		r.Values[unit] = min(old, v)
	}
}

// find returns the element of all that is the one, or a new one.
func find[T any](all *[]*T, is func(*T) bool) *T {
	if i := slices.IndexFunc(*all, is); i >= 0 {
		return (*all)[i]
	}
	*all = append(*all, new(T))
	return (*all)[len(*all)-1]
}
