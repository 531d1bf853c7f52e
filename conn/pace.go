package conn

import "time"

const (
	// minProgress is how many octets a peer has to take in Options.WriteTimeout.
	minProgress = 1 << 10
	// paceSteps is how often in Options.WriteTimeout a write that blocks is looked
	// at.
	paceSteps = 16
)

// A pace judges whether a peer takes minProgress octets in Options.WriteTimeout.
//
// How much of a write has been taken shows only when a deadline ends it. Where it
// can be continued that is done in steps: so a peer that stops is found out at
// most one of them late.
type pace struct {
	limit   time.Duration // Options.WriteTimeout; zero means none
	resumes bool          // whether a write that its deadline ended can be continued
	since   time.Time     // when the last minProgress octets were taken, or the first asked for
	taken   int           // octets since then, 0 <= taken < minProgress
}

// newPace returns the pace of a write that is in progress at now.
func (c *Conn) newPace(now time.Time) pace {
	return pace{limit: c.options.WriteTimeout, resumes: c.t.resumes, since: now}
}

// deadline returns that of a write which begins at now; zero means none.
func (p *pace) deadline(now time.Time) time.Time {
	if p.limit == 0 {
		return time.Time{}
	}
	end := p.since.Add(p.limit)
	if step := now.Add(max(p.limit/paceSteps, 1)); p.resumes && step.Before(end) {
		return step
	}
	return end
}

// keeps notes that the peer has taken n octets more at now, and reports whether it
// may go on.
func (p *pace) keeps(now time.Time, n int) bool {
	if p.taken += n; p.taken >= minProgress {
		p.since, p.taken = now, 0
	}
	return p.limit == 0 || now.Sub(p.since) < p.limit
}
