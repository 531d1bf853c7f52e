// Command table reads the output of benchmarks that compare libraries, and
// prints for each what ours takes and what the best of the others do.
//
// A benchmark says whose it is by a part of its name, lib=ours or lib=other,
// and after a colon what variant of the library: lib=ours:fast. Of several runs
// the fastest counts. Two of the others are shown: the best, which is the fastest
// of those whose metric ratio, if there is one, is at most 2 % above ours; and
// the fastest of all, whatever its ratio. The two columns x are our time divided
// by theirs, so that less than 1 is faster.
package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"log"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("table: ")
	if err := run(os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// run reads benchmarks from in and writes the table to out.
func run(in io.Reader, out io.Writer) error {
	groups, err := parse(in)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "benchmark\tours\ttime\tratio\tallocs\tbest\ttime\tratio\tx\tfastest\ttime\tratio\tx")
	for _, g := range groups {
		for _, us := range g.results {
			if !us.ours() {
				continue
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%g", g.name, us.lib, us, us.allocs)
			for _, most := range []float64{1.02 * us.ratio, us.ratio + 1e9} {
				if rival, ok := g.best(most); ok {
					fmt.Fprintf(w, "\t%s\t%s\t%.2f", rival.lib, rival, us.ns/rival.ns)
				} else {
					fmt.Fprint(w, "\t-\t\t\t")
				}
			}
			fmt.Fprintln(w)
		}
	}
	return w.Flush()
}

// A group is a benchmark with the results of all libraries, in the order in which
// they came.
type group struct {
	name    string
	results []*result
}

// best returns the fastest of the rivals whose ratio is not above most.
func (g *group) best(most float64) (*result, bool) {
	var rivals []*result
	for _, r := range g.results {
		if !r.ours() && r.ratio <= most {
			rivals = append(rivals, r)
		}
	}
	if len(rivals) == 0 {
		return nil, false
	}
	return slices.MinFunc(rivals, func(a, b *result) int { return cmp.Compare(a.ns, b.ns) }), true
}

// A result is the fastest run of a benchmark with a library.
type result struct {
	lib    string
	ns     float64
	ratio  float64 // 0 if there is none
	allocs float64
}

func (r *result) ours() bool { return r.lib == "ours" || strings.HasPrefix(r.lib, "ours:") }

// String returns the time with its unit and the ratio, as two columns.
func (r *result) String() string {
	time, unit := r.ns, "ns"
	if time >= 1000 {
		time, unit = time/1000, "µs"
	}
	ratio := "-"
	if r.ratio > 0 {
		ratio = strconv.FormatFloat(r.ratio, 'f', 3, 64)
	}
	return fmt.Sprintf("%.4g %s\t%s", time, unit, ratio)
}

// line is one of a benchmark's: its name up to lib, the library, the rest of the
// name less GOMAXPROCS, and the measured values with their units.
var line = regexp.MustCompile(`^Benchmark(\S+)/lib=([^/\s]+?)(/\S+?)?(?:-\d+)?\s+\d+\s+(.*)$`)

// parse reads benchmarks and groups them by what they measure.
func parse(in io.Reader) (groups []*group, err error) {
	for lines := bufio.NewScanner(in); ; {
		if !lines.Scan() {
			return groups, lines.Err()
		}
		m := line.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		r := result{lib: m[2]}
		values := strings.Fields(m[4])
		for i := 0; i+1 < len(values); i += 2 {
			v, err := strconv.ParseFloat(values[i], 64)
			if err != nil {
				return nil, fmt.Errorf("in %q: %w", lines.Text(), err)
			}
			switch values[i+1] {
			case "ns/op":
				r.ns = v
			case "ratio":
				r.ratio = v
			case "allocs/op":
				r.allocs = v
			}
		}
		g := find(&groups, func(g *group) bool { return g.name == m[1]+m[3] })
		g.name = m[1] + m[3]
		if best := find(&g.results, func(other *result) bool { return other.lib == r.lib }); best.lib == "" || r.ns < best.ns {
			*best = r
		}
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
