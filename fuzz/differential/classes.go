package main

import (
	"strings"

	"example.org/rfc6455/fuzz/differential/rules"
)

// A class is a way in which an implementation differs from ours: a topic, and for
// most topics how it is met.
type class struct {
	topic rules.ID
	way   string
}

// The ways in which a topic is met otherwise. A habit that is no rule has none.
const (
	accepted = "accepted"
	refused  = "refused"
	quiet    = "without a Close frame"
	recoded  = "another code"
	timed    = "another time"
	answered = "another status"
)

// crashes is the class of panics. What provokes them is not told.
var crashes = class{topic: "crash"}

// classOf returns the class of a habit.
func classOf(id rules.ID, h rules.Habit) class {
	t := rules.Topics[id]
	switch {
	case t.Rule && h.Accept, t.Status != 0 && h.Status == 101:
		return class{id, accepted}
	case t.Rule && h.Code == 0:
		return class{id, quiet}
	case t.Rule && h.Code != rules.Code(id):
		return class{id, recoded}
	case t.Rule:
		return class{id, timed}
	case t.Status == 101:
		return class{id, refused}
	case t.Status != 0:
		return class{id, answered}
	}
	return class{topic: id}
}

func (c class) String() string {
	if c.way == "" {
		return string(c.topic)
	}
	return string(c.topic) + "/" + strings.ReplaceAll(c.way, " ", "-")
}

// A decision says what a class is, which section decides and who is right.
type decision struct{ section, what, right, ours string }

func (c class) decision() decision {
	t := rules.Topics[c.topic]
	d := decision{section: t.Section, what: t.Subject, right: "ours"}
	if t.Allowed {
		d.right = "both"
	}
	switch c.way {
	case accepted:
		d.what = "accept " + d.what
		d.ours = "fails the connection"
		if t.Status != 0 {
			d.ours = "refuses it"
		}
	case refused:
		d.what = "refuse " + d.what
		d.ours = "accepts it"
	case quiet:
		d.what = "send no Close frame, as one SHOULD, for " + d.what
		d.section, d.right = "7.1.7", "both"
		d.ours = "sends one"
	case recoded:
		d.what = "fail the connection with another code for " + d.what
		d.section, d.right = "7.4.1", "ours"
		d.ours = "sends the code that is meant for it"
	case timed:
		d.what = "notice sooner or later " + d.what
		d.right = "both"
		d.ours = "notices it with the header, lengths and UTF-8 with the octet that shows it"
	case answered:
		d.what = "refuse with another status " + d.what
		d.right = "both"
		d.ours = "sends the status that says why"
		if strings.HasPrefix(string(c.topic), "version-") {
			d.section, d.right = "4.2.2", "ours"
			d.ours = "sends 426 and the version it speaks"
		}
	default:
		d.ours = "does not"
	}
	if c == crashes {
		return decision{"", "panic; what with is not told here", "ours", "does not"}
	}
	return d
}
