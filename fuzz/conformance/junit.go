package conformance

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// The elements of a JUnit report. Times are in seconds.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      string      `xml:"name,attr"`
		Timestamp string      `xml:"timestamp,attr"`
		Tests     int         `xml:"tests,attr"`
		Failures  int         `xml:"failures,attr"`
		Skipped   int         `xml:"skipped,attr"`
		Time      string      `xml:"time,attr"`
		Cases     []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure"`
		Skipped *junitSkipped `xml:"skipped"`
		Output  string        `xml:"system-out,omitempty"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes the reports as the JUnit XML that build servers read: a suite
// for each agent and group. A case has failed if either of its verdicts has; the
// others pass, and say in their output what came of them, but for those that the
// peer does not implement, which were skipped. The error is that of w.
func WriteJUnit(w io.Writer, reports []*Report) error {
	all := junitSuites{Name: "WebSocket conformance"}
	for _, r := range reports {
		for _, group := range groupsOf([]*Report{r}) {
			s := junitSuiteOf(r, group)
			all.Tests += s.Tests
			all.Failures += s.Failures
			all.Skipped += s.Skipped
			all.Suites = append(all.Suites, s)
		}
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", " ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func junitSuiteOf(r *Report, group string) junitSuite {
	s := junitSuite{Name: r.Agent + " " + group, Timestamp: r.Began.UTC().Format("2006-01-02T15:04:05")}
	seconds := 0.0
	for i := range r.Results {
		result := &r.Results[i]
		if result.Case.Group() != group {
			continue
		}
		seconds += result.Duration.Seconds()
		c := junitCase{
			Class: r.Agent + "." + group,
			Name:  strings.TrimSpace(result.Case.ID + " " + result.Case.Known),
			Time:  fmt.Sprintf("%.3f", result.Duration.Seconds()),
		}
		s.Tests++
		switch result.Worst() {
		case OK:
		case Failed:
			s.Failures++
			c.Failure = &junitFailure{Message: result.failure(), Text: details(result)}
		case Unimplemented:
			s.Skipped++
			c.Skipped = &junitSkipped{result.Why}
		default:
			c.Output = fmt.Sprintf("%v: %s\nclose %v: %s", result.Verdict, result.Why, result.Close, result.CloseWhy)
		}
		s.Cases = append(s.Cases, c)
	}
	s.Time = fmt.Sprintf("%.3f", seconds)
	return s
}

// failure says why a case has failed, in a sentence.
func (r *Result) failure() string {
	if r.Verdict == Failed {
		return r.Why
	}
	return "close: " + r.CloseWhy
}

// details writes all there is to know of a result.
func details(r *Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n%v: %s\nclose %v: %s\n", r.Case.About, r.Case.Expect, r.Verdict, r.Why, r.Close, r.CloseWhy)
	for _, e := range r.Log {
		e.Octets = e.Octets[:min(len(e.Octets), maxShown)]
		fmt.Fprintln(&b, e)
	}
	return b.String()
}
