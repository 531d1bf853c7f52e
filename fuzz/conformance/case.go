package conformance

import (
	"slices"
	"strings"
	"sync"
	"time"

	"example.org/rfc6455/frame"
)

// Peers is a set of the roles that a case can test a peer in.
type Peers uint8

const (
	Servers Peers = 1 << iota
	Clients
	Both = Servers | Clients
)

// Has reports whether role is in p.
func (p Peers) Has(role frame.Role) bool { return p&peersOf(role) != 0 }

func peersOf(role frame.Role) Peers {
	if role == frame.Client {
		return Clients
	}
	return Servers
}

// A Case is one thing that is done to a peer, and what has to come of it.
type Case struct {
	// ID is group/section/name. The section says which rule is tested: it is of
	// RFC 6455 unless it begins with the number of another, as 7692.7.1 does. An
	// ID does not change once it was published.
	ID string

	// Known is the number that the case has in the Autobahn test suite, or
	// empty if that has no such case.
	Known string

	// About says what the tester does, Expect what the peer has to do and why.
	About, Expect string

	// Peers says in which roles a peer can be tested. Zero means both.
	Peers Peers

	limit time.Duration // for an answer, when Options.Timeout is a second; zero means a second
	long  bool          // begins early, because it waits for longer than others
	heavy bool          // runs after the others, which it would slow down
	alone bool          // no other case runs beside it
	info  bool          // whatever happens is for information

	// deflate is what the tester asks of permessage-deflate, the first choice
	// first; nil does without. Where the peer does not agree to it the case is
	// not implemented, and steps are not done.
	deflate []terms

	// open does the opening handshake; nil is one that has to succeed.
	open  step
	steps []step
}

// Group returns the first part of the ID, such as framing.
func (c *Case) Group() string {
	group, _, _ := strings.Cut(c.ID, "/")
	return group
}

// Section returns the second part of the ID, such as 5.2.
func (c *Case) Section() string {
	_, rest, _ := strings.Cut(c.ID, "/")
	section, _, _ := strings.Cut(rest, "/")
	return section
}

func (c *Case) peers() Peers {
	if c.Peers == 0 {
		return Both
	}
	return c.Peers
}

// all returns all cases. They do not change.
var all = sync.OnceValue(func() []*Case {
	return slices.Concat(
		framingCases(),
		maskingCases(),
		controlCases(),
		reservedCases(),
		fragmentationCases(),
		utf8Cases(),
		closeCases(),
		limitCases(),
		performanceCases(),
		requestCases(),
		responseCases(),
		earlyCases(),
		deliveryCases(),
		faultCases(),
		negotiationCases(),
		inflationCases(),
		compressionCases(),
	)
})

// Cases returns the cases that test a peer in the given role, in their order.
// The caller owns the slice, and must not modify the cases.
func Cases(peer frame.Role) []*Case {
	return slices.DeleteFunc(slices.Clone(all()), func(c *Case) bool { return !c.peers().Has(peer) })
}

// Select returns the cases that one of the patterns matches, in their order; all
// of them if there is no pattern. A pattern is compared with the ID, the group
// and the known number of a case. A * stands for any octets, a pattern that ends
// with a slash or a dot for whatever begins with it: framing, utf8/8.1/*, 6.4.*,
// 6., *ping*.
func Select(cases []*Case, patterns []string) []*Case {
	if len(patterns) == 0 {
		return cases
	}
	return slices.DeleteFunc(slices.Clone(cases), func(c *Case) bool {
		return !slices.ContainsFunc(patterns, c.matches)
	})
}

func (c *Case) matches(pattern string) bool {
	if strings.HasSuffix(pattern, "/") || strings.HasSuffix(pattern, ".") {
		pattern += "*"
	}
	return match(pattern, c.ID) || match(pattern, c.Group()) || c.Known != "" && match(pattern, c.Known)
}

// match reports whether s is pattern, in which a * stands for any octets.
func match(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	rest, ok := strings.CutPrefix(s, parts[0])
	if !ok || len(parts) == 1 {
		return ok && rest == ""
	}
	for _, part := range parts[1 : len(parts)-1] {
		if _, rest, ok = strings.Cut(rest, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}
