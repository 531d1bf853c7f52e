package conn

import (
	"fmt"
	"testing"
)

// Every turn in every phase of Section 7. A connection never opens again, and a
// failed one stays so until its end.
func TestTransitions(t *testing.T) {
	want := map[phase]map[turn]phase{
		phaseOpen:     {turnSend: phaseSent, turnReceive: phaseReceived, turnFail: phaseFailed, turnEnd: phaseOver},
		phaseSent:     {turnSend: phaseSent, turnReceive: phaseBoth, turnFail: phaseFailed, turnEnd: phaseOver},
		phaseReceived: {turnSend: phaseBoth, turnReceive: phaseReceived, turnFail: phaseReceived, turnEnd: phaseOver},
		phaseBoth:     {turnSend: phaseBoth, turnReceive: phaseBoth, turnFail: phaseBoth, turnEnd: phaseOver},
		phaseFailed:   {turnSend: phaseFailed, turnReceive: phaseFailed, turnFail: phaseFailed, turnEnd: phaseOver},
		phaseOver:     {turnSend: phaseOver, turnReceive: phaseOver, turnFail: phaseOver, turnEnd: phaseOver},
	}
	for from := range phases {
		for by := range turns {
			t.Run(fmt.Sprintf("%d/%d", from, by), func(t *testing.T) {
				c := &Conn{phase: from}
				if was := c.turn(by); was != from || c.phase != want[from][by] || c.seat.closing() != (c.phase != phaseOpen) {
					t.Errorf("turn from %d gives %d and closing %v, want %d", was, c.phase, c.seat.closing(), want[from][by])
				}
				if c.phase.state() < from.state() {
					t.Errorf("state goes back from %v to %v", from.state(), c.phase.state())
				}
			})
		}
	}
	states := map[phase]State{phaseOpen: StateOpen, phaseSent: StateClosing, phaseReceived: StateClosing,
		phaseBoth: StateClosing, phaseFailed: StateClosing, phaseOver: StateClosed}
	for p := range phases {
		if s := p.state(); s != states[p] {
			t.Errorf("state of phase %d = %v, want %v", p, s, states[p])
		}
	}
}
