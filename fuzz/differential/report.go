package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// report writes what the run has found for who started it.
func (r *run) report(w io.Writer) {
	for _, f := range r.findings {
		fmt.Fprintf(w, "%s: not explained\n\tscript %v\n\tgot    %v\n\twant   %v\n", f.peer.Name, f.script, f.got, f.want)
	}
	if r.err != nil {
		fmt.Fprintln(w, "stopped:", r.err)
	}
	n := r.played.Load()
	fmt.Fprintf(w, "%d scripts of seed %d in %.0f s, %.0f a second\n", n, r.seed, r.took.Seconds(), float64(n)/r.took.Seconds())
	for _, p := range r.peers {
		t := r.tallies[p]
		fmt.Fprintf(w, "%-11s %-16s %8d played, %8d otherwise, %2d classes", p.Name, p.Version, t.played, t.differs, len(t.classes))
		for _, how := range slices.Sorted(maps.Keys(t.crashes)) {
			fmt.Fprintf(w, "; panics %d times: %s", t.crashes[how], how)
		}
		fmt.Fprintln(w)
	}
}

// The tables of the README are between these lines.
const (
	tablesBegin = "<!-- tables: begin -->"
	tablesEnd   = "<!-- tables: end -->"
)

// writeREADME replaces the tables in a file.
func (r *run) writeREADME(name string) error {
	old, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(old), tablesBegin)
	_, after, ok2 := strings.Cut(rest, tablesEnd)
	if !ok || !ok2 {
		return fmt.Errorf("%s: no lines %q and %q", name, tablesBegin, tablesEnd)
	}
	return os.WriteFile(name, []byte(before+tablesBegin+"\n"+r.tables()+tablesEnd+after), 0o666)
}

// tables returns the tables of a README, in Markdown.
func (r *run) tables() string {
	var b strings.Builder
	n := r.played.Load()
	fmt.Fprintf(&b, "\n%d scripts of seed %d in %.0f s (%.0f a second), one in %d to other processes, too.\n\n", n, r.seed, r.took.Seconds(), float64(n)/r.took.Seconds(), r.share)
	b.WriteString("| implementation | version | scripts | otherwise than ours | in classes | crashes |\n|---|---|---:|---:|---:|---|\n")
	total := map[class]uint64{}
	for _, p := range r.peers {
		t := r.tallies[p]
		var crashes []string
		for _, how := range slices.Sorted(maps.Keys(t.crashes)) {
			crashes = append(crashes, fmt.Sprintf("%d: %s", t.crashes[how], how))
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d | %s |\n", p.Name, p.Version, t.played, t.differs, len(t.classes), strings.Join(crashes, "; "))
		for c, n := range t.classes {
			total[c] += n
		}
	}
	b.WriteString("\n| class | section | what the others do | ours | right |")
	for _, p := range r.peers {
		fmt.Fprintf(&b, " %s |", p.Name)
	}
	b.WriteString("\n|---|---|---|---|---|" + strings.Repeat("---:|", len(r.peers)) + "\n")
	for _, c := range slices.SortedFunc(maps.Keys(total), func(c, d class) int { return strings.Compare(c.String(), d.String()) }) {
		d := c.decision()
		if r.tallies[r.peers[0]].classes[c] > 0 {
			d.ours, d.right = "does so, too, which is a mistake", "the others"
		}
		fmt.Fprintf(&b, "| %v | %s | %s | %s | %s |", c, d.section, d.what, d.ours, d.right)
		for _, p := range r.peers {
			if n := r.tallies[p].classes[c]; n > 0 {
				fmt.Fprintf(&b, " %d |", n)
			} else {
				b.WriteString(" |")
			}
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	return b.String()
}

// kindOfCrash is what may be told of a panic: its kind without its values.
func kindOfCrash(how string) string {
	how, _, _ = strings.Cut(how, "[")
	return strings.TrimSpace(how)
}
