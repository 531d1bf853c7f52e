package engineio

import (
	"container/heap"
	"slices"
	"sync"
	"time"
)

// Alarms have Session.tick called when it is time to. All sessions with the same
// settings share a timer: one for each would be 150 octets of a session that is idle.
// The zero value is ready.
type alarms struct {
	mu    sync.Mutex
	queue alarmQueue
	timer *time.Timer   // nil before the first alarm
	armed bool          // whether it runs
	at    time.Duration // until when, if it does; not after the first alarm
}

// An alarm is when something is due at a session.
type alarm struct {
	at      time.Duration // after settings.began
	session *Session
}

// set has s.tick called at that time, instead of when it was to be called before.
func (a *alarms) set(s *Session, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	next := alarm{at.Sub(s.began), s}
	if s.alarm == 0 {
		heap.Push(&a.queue, next)
	} else {
		a.queue[s.alarm-1] = next
		heap.Fix(&a.queue, int(s.alarm-1))
	}
	a.arm(s.settings)
}

// stop has s.tick not called, unless it just is.
func (a *alarms) stop(s *Session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s.alarm > 0 {
		heap.Remove(&a.queue, int(s.alarm-1))
		a.arm(s.settings)
	}
}

// ring calls what is due, and sets the timer for what comes next.
func (a *alarms) ring(s *settings) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.armed = false
	for now := time.Since(s.began); len(a.queue) > 0 && a.queue[0].at <= now; {
		due := heap.Pop(&a.queue).(alarm)
		go due.session.tick()
	}
	a.arm(s)
}

// arm sets the timer, if it would be late or nothing is due any more. It needs mu.
func (a *alarms) arm(s *settings) {
	switch {
	case len(a.queue) == 0:
		if a.armed {
			a.timer.Stop()
			a.armed = false
		}
		return
	case a.armed && a.at <= a.queue[0].at:
		return
	}
	a.armed, a.at = true, a.queue[0].at
	wait := time.Until(s.began.Add(a.at))
	if a.timer == nil {
		a.timer = time.AfterFunc(wait, func() { a.ring(s) })
	} else {
		a.timer.Reset(wait)
	}
}

// An alarmQueue is a heap of alarms, the first of which is at its beginning. Sessions
// know where theirs are.
type alarmQueue []alarm

func (q alarmQueue) Len() int           { return len(q) }
func (q alarmQueue) Less(i, j int) bool { return q[i].at < q[j].at }

func (q alarmQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].session.alarm, q[j].session.alarm = int32(i)+1, int32(j)+1
}

func (q *alarmQueue) Push(x any) {
	*q = append(*q, x.(alarm))
	x.(alarm).session.alarm = int32(len(*q))
}

func (q *alarmQueue) Pop() any {
	last := (*q)[len(*q)-1]
	last.session.alarm = 0
	(*q)[len(*q)-1] = alarm{}
	*q = (*q)[:len(*q)-1]
	if cap(*q) > 64 && len(*q) < cap(*q)/4 { // most sessions are gone
		*q = slices.Clone(*q)
	}
	return last
}
