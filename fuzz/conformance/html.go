package conformance

import (
	_ "embed"
	"html/template"
	"io"
	"strings"
	"time"

	"example.org/rfc6455/frame"
)

//go:embed report.html
var pageText string

var page = template.Must(template.New("report").Parse(pageText))

// WriteHTML writes a page about some agents, for people: a summary of agents and
// groups, and each case with what was expected, what came of it and the wire log.
// It needs nothing but itself. The error is that of w.
func WriteHTML(w io.Writer, reports []*Report) error {
	return page.Execute(w, newPage(reports))
}

// verdicts are in the order in which a reader wants them.
var verdicts = []Verdict{Failed, Tolerable, Unimplemented, Information, OK}

type htmlPage struct {
	Groups []string
	Agents []htmlAgent
}

type htmlAgent struct {
	*Report
	Peer   string
	Took   time.Duration
	Counts []htmlCount // of all groups
	Cells  []htmlCell  // one for each group of the page
	Groups []htmlGroup
}

type htmlGroup struct {
	htmlCell
	Cases []htmlCase
}

// An htmlCell is the results of an agent in a group.
type htmlCell struct {
	Agent, Group string
	Worst        Verdict // of the counts, but information
	Total        int
	Counts       []htmlCount
}

type htmlCount struct {
	Verdict Verdict
	N       int
}

type htmlCase struct {
	*Result
	Anchor string
	Lines  []htmlLine
}

type htmlLine struct {
	Entry
	MS    string
	Shown string
}

func newPage(reports []*Report) *htmlPage {
	p := &htmlPage{Groups: groupsOf(reports)}
	for _, r := range reports {
		a := htmlAgent{Report: r, Peer: r.Role.String(), Took: r.Ended.Sub(r.Began).Round(time.Millisecond), Counts: counts(r, "")}
		for _, group := range p.Groups {
			cell := htmlCell{Agent: r.Agent, Group: group, Worst: OK, Counts: counts(r, group)}
			for _, c := range cell.Counts {
				cell.Total += c.N
				if c.Verdict != Information {
					cell.Worst = min(cell.Worst, c.Verdict)
				}
			}
			a.Cells = append(a.Cells, cell)
			if cell.Total > 0 {
				a.Groups = append(a.Groups, htmlGroup{cell, casesOf(r, group)})
			}
		}
		p.Agents = append(p.Agents, a)
	}
	return p
}

// groupsOf returns the groups that the reports have, in the order of the suite.
func groupsOf(reports []*Report) []string {
	has := map[string]bool{}
	for _, r := range reports {
		for i := range r.Results {
			has[r.Results[i].Case.Group()] = true
		}
	}
	var groups []string
	for _, role := range []frame.Role{frame.Server, frame.Client} {
		for _, c := range Cases(role) {
			if g := c.Group(); has[g] {
				groups = append(groups, g)
				delete(has, g)
			}
		}
	}
	return groups
}

func counts(r *Report, group string) []htmlCount {
	var list []htmlCount
	for _, v := range verdicts {
		if n := r.Count(group, v); n > 0 {
			list = append(list, htmlCount{v, n})
		}
	}
	return list
}

func casesOf(r *Report, group string) []htmlCase {
	var cases []htmlCase
	for i := range r.Results {
		result := &r.Results[i]
		if result.Case.Group() != group {
			continue
		}
		c := htmlCase{Result: result, Anchor: r.Agent + "/" + result.Case.ID}
		for _, e := range result.Log {
			c.Lines = append(c.Lines, htmlLine{e, milliseconds(e.At), e.show(maxShown)})
		}
		cases = append(cases, c)
	}
	return cases
}

// Took is how long the case took, in milliseconds.
func (c htmlCase) Took() string { return milliseconds(c.Duration) }

// Search is what a reader can look for.
func (c htmlCase) Search() string {
	return strings.ToLower(c.Case.ID + " " + c.Case.Known + " " + c.Case.About + " " + c.Worst().String())
}
