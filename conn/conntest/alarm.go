package conntest

import (
	"sync"
	"time"
)

// An alarm is a point in time that wakes the goroutines waiting on a condition.
// Whoever calls its methods holds cond.L.
//
// The timer is made where set is called, so inside a synctest bubble it is one
// of the bubble's.
type alarm struct {
	cond  *sync.Cond
	timer *time.Timer // nil when there is nothing to wait for
	at    time.Time   // when timer fires
	rung  bool        // timer has fired, or there was no need for one
}

// set moves the alarm to t; a t that is not in the future rings at once, and
// the zero time turns the alarm off.
func (a *alarm) set(t time.Time) {
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
	a.rung = false
	if t.IsZero() {
		return
	}
	left := time.Until(t)
	if left <= 0 {
		a.ring()
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(left, func() {
		a.cond.L.Lock()
		defer a.cond.L.Unlock()
		// Stop does not catch a function already started: it may have waited
		// for the lock while the alarm was moved.
		if a.timer == timer {
			a.timer = nil
			a.ring()
		}
	})
	a.timer, a.at = timer, t
}

// passed reports whether the time has come. It does not wait for the timer: of
// two alarms set to the same time, both have passed when one has rung.
func (a *alarm) passed() bool {
	return a.rung || a.timer != nil && !time.Now().Before(a.at)
}

func (a *alarm) ring() {
	a.rung = true
	a.cond.Broadcast()
}
