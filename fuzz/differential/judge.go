package main

import (
	"maps"
	"slices"

	"example.org/rfc6455/fuzz/differential/peers"
	"example.org/rfc6455/fuzz/differential/rules"
	"example.org/rfc6455/fuzz/differential/script"
)

// A verdict says what is to be thought of an outcome.
type verdict struct {
	// explained is whether the outcome is the one predicted, which is want.
	explained bool
	want      *script.Outcome

	// classes are why the outcome is another than that of ours, or for ours than
	// that of the RFC; sorted, and none if it is not.
	classes []class
}

// judge compares the outcome of a script with the one predicted and with ours.
func judge(p *peers.Peer, s *script.Script, o, ours *script.Outcome) verdict {
	if o.Crash != "" {
		return verdict{explained: p != peers.Ours, want: o, classes: []class{crashes}}
	}
	habits := habitsOf(p.Name, s.Role)
	prediction := rules.Predict(s, habits)
	v := verdict{want: prediction.Expect(o)}
	o = foreseeable(p, s, o)
	v.explained = v.want.Diff(o) == 0
	if o.Diff(ours)&^script.At == 0 && p != peers.Ours {
		return v
	}
	for _, id := range slices.Sorted(maps.Keys(prediction.Habits)) {
		// What makes no difference is no reason.
		without := maps.Clone(habits)
		delete(without, id)
		if rules.Predict(s, without).Diff(&prediction.Outcome) != 0 {
			v.classes = append(v.classes, classOf(id, habits[id]))
		}
	}
	return v
}

// foreseeable returns o with an At only where a prediction has one: of ours, when
// octets come one by one.
func foreseeable(p *peers.Peer, s *script.Script, o *script.Outcome) *script.Outcome {
	c := *o
	if p != peers.Ours || s.Early != 0 || !slices.Equal(s.Sizes, []int{1}) {
		c.At = -1
	}
	return &c
}
