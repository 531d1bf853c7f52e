package conformance

import (
	"time"

	"example.org/rfc6455/frame"
)

// A Result is what came of a case.
type Result struct {
	Case *Case

	// Verdict judges what the peer did, Close how the connection ended. Why and
	// CloseWhy are a sentence each.
	Verdict, Close Verdict
	Why, CloseWhy  string

	// Code is that of the peer's Close frame; zero if none came, and
	// [frame.CloseNoStatusReceived] if it had none.
	Code frame.CloseCode

	Duration time.Duration
	Log      []Entry
}

// Failed reports whether one of the two verdicts is Failed.
func (r *Result) Failed() bool { return r.Verdict == Failed || r.Close == Failed }

// Worst returns the verdict that counts for both: Failed if one of them is,
// otherwise Verdict unless Close is less.
func (r *Result) Worst() Verdict {
	if r.Verdict == Information {
		return Information
	}
	return min(r.Verdict, r.Close)
}

// A Report is the results of one peer, which the report calls an agent.
type Report struct {
	Agent   string
	Role    frame.Role // of the agent
	URL     string     // of a server
	Began   time.Time
	Ended   time.Time
	Results []Result // in the order of the cases
}

// Count returns how many cases came out worst with a verdict. Group restricts it
// to a group; empty means all.
func (r *Report) Count(group string, v Verdict) (n int) {
	for i := range r.Results {
		if res := &r.Results[i]; res.Worst() == v && (group == "" || res.Case.Group() == group) {
			n++
		}
	}
	return n
}
