// Command table reads the output of benchmarks that compare libraries, and
// prints for each what ours takes and what the best of the others do.
//
// Package results says how a benchmark names the library. Of several runs
// the fastest counts. Two of the others are shown: the best, which is the fastest
// of those whose metric ratio, if there is one, is at most 2 % above ours; and
// the fastest of all, whatever its ratio. The two columns x are our time divided
// by theirs, so that less than 1 is faster.
package main

import (
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"strconv"
	"text/tabwriter"

	"example.org/rfc6455/bench/rivals/internal/results"
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
	groups, err := results.Parse(in)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "benchmark\tours\ttime\tratio\tallocs\tbest\ttime\tratio\tx\tfastest\ttime\tratio\tx")
	for _, g := range groups {
		for _, us := range g.Results {
			if !us.Ours() {
				continue
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%g", g.Name, us.Lib, columns(us), us.Values["allocs/op"])
			for _, most := range []float64{1.02 * us.Values["ratio"], math.Inf(1)} {
				if rival, ok := g.Best("ns/op", "ratio", most); ok {
					fmt.Fprintf(w, "\t%s\t%s\t%.2f", rival.Lib, columns(rival), us.Values["ns/op"]/rival.Values["ns/op"])
				} else {
					fmt.Fprint(w, "\t-\t\t\t")
				}
			}
			fmt.Fprintln(w)
		}
	}
	return w.Flush()
}

// columns returns the time with its unit and the ratio.
func columns(r *results.Result) string {
	time, unit := r.Values["ns/op"], "ns"
	if time >= 1000 {
		time, unit = time/1000, "µs"
	}
	ratio := "-"
	if v := r.Values["ratio"]; v > 0 {
		ratio = strconv.FormatFloat(v, 'f', 3, 64)
	}
	return fmt.Sprintf("%.4g %s\t%s", time, unit, ratio)
}
