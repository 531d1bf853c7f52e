// Package rules says what should come of a script: a second statement of RFC 6455,
// written plainly and for whole octet strings, which shares nothing with the packages
// it is compared with but the names of opcodes and codes.
//
// Other implementations have habits of their own. [Predict] takes them into
// account, so that what such an implementation does is described exactly: a habit
// explains an outcome when the prediction with it is that outcome.
//
// Functions may be called concurrently.
package rules

import (
	"maps"
	"slices"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/differential/script"
)

// An ID names a rule or something else that implementations do in different ways:
// see [Topics].
type ID string

// A Stage is how much of a frame is there when a rule is looked at.
type Stage uint8

// The stages. An implementation looks at the rules of a frame stage by stage.
const (
	AsOurs    Stage = iota
	AtOctet         // whatever octet shows it
	AtFlags         // the first two octets
	AtLength        // the length
	AtHeader        // the header
	AtPayload       // the frame
	AtMessage       // the message
)

// A Habit is what an implementation does in a matter in which it is not as [Topics]
// says. Which fields matter depends on that; those of a rule for frames are Stage,
// Code and Accept.
type Habit struct {
	// Stage is when a rule is looked at.
	Stage Stage
	// Code is that of the Close frame sent; zero is none.
	Code frame.CloseCode
	// Accept is whether the rule is not applied at all.
	Accept bool

	// Status is that of the response to an opening handshake, 101 to accept it.
	// A client accepts it or does not.
	Status int

	// Read is how many octets are read at a time.
	Read int
	// Match says which codes of a Close frame are meant, Answer how they are
	// answered.
	Match  func(frame.CloseCode) bool
	Answer func(frame.CloseCode) frame.CloseCode
	// Rules are those of which it is a habit.
	Rules []ID
}

// Habits are those of an implementation in a role. Nil means none, as ours has.
type Habits map[ID]Habit

// Join returns the habits of all; of two with the same ID the later one counts.
func Join(all ...Habits) Habits {
	joined := Habits{}
	for _, h := range all {
		maps.Copy(joined, h)
	}
	return joined
}

// A Prediction is what should come of a script.
type Prediction struct {
	// Outcome has the number of octets that show the end, whatever the pieces in
	// which they come, as its At.
	script.Outcome

	// Statuses are those that an opening handshake may be answered with. There
	// are several where it has several mistakes.
	Statuses []int

	// Unclear is whether only the status can be foretold.
	Unclear bool

	newest bool // whether some pongs may be missing

	// Habits are those that were looked at, which need not mean that they matter.
	Habits map[ID]bool
}

// Predict says what an implementation with the habits makes of a script.
func Predict(s *script.Script, habits Habits) *Prediction {
	p := &Prediction{Statuses: []int{101}, Habits: make(map[ID]bool)}
	p.At = -1
	r := &reader{Prediction: p, script: s, habits: habits}
	if s.Head != "" {
		r.head()
	}
	p.newest = r.has(NewestPong)
	b := s.Stream
	if s.Early > 0 && s.Role == frame.Server {
		if r.has(EarlyRefused) && p.Statuses[0] == 101 {
			p.Statuses = []int{0}
		}
		if r.has(EarlyDropped) {
			r.dropped = s.Early
			b = b[s.Early:]
		}
	}
	if p.Status = p.Statuses[0]; p.Status == 101 {
		r.stream(b)
	}
	return p
}

// Expect returns the outcome that was predicted, where there are several the one
// that o is.
func (p *Prediction) Expect(o *script.Outcome) *script.Outcome {
	want := p.Outcome
	if p.newest && holds(want.Pongs, o.Pongs) {
		want.Pongs = o.Pongs
	}
	if slices.Contains(p.Statuses, o.Status) {
		want.Status = o.Status
		if p.Unclear {
			want = *o
		}
	}
	return &want
}

// holds reports whether some of all pings were answered in their order, the last one
// among them.
func holds(all, some []string) bool {
	if len(all) == 0 || len(some) == 0 || all[len(all)-1] != some[len(some)-1] {
		return false
	}
	for _, p := range all {
		if len(some) > 0 && p == some[0] {
			some = some[1:]
		}
	}
	return len(some) == 0
}

// habit returns a habit, and notes that it was looked at.
func (r *reader) habit(id ID) (Habit, bool) {
	h, ok := r.habits[id]
	if ok {
		r.Habits[id] = true
	}
	return h, ok
}

func (r *reader) has(id ID) bool {
	_, ok := r.habit(id)
	return ok
}

// matches reports whether a habit is about a code.
func (r *reader) matches(id ID, code frame.CloseCode) bool {
	h, ok := r.habits[id]
	return ok && h.Match(code) && r.has(id)
}
