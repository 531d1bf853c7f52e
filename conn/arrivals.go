package conn

import (
	"net"
	"sync"
	"time"
)

// Arrivals are the connections of one Serve whose handshake is in progress. Each is
// sent away when that takes too long or Serve ends. As all of them have the same time,
// they share a timer.
type arrivals struct {
	timeout time.Duration // zero for none

	mu          sync.Mutex
	closed      bool
	first, last *arrival    // in the order in which they came
	timer       *time.Timer // nil before the first time
	timed       bool        // whether it runs
}

// An arrival is one of them. The zero value is none.
type arrival struct {
	among      *arrivals
	nc         net.Conn // nil when it is none any more
	until      time.Time
	prev, next *arrival
}

// enter makes a one of the arrivals.
func (all *arrivals) enter(a *arrival, nc net.Conn) {
	all.mu.Lock()
	defer all.mu.Unlock()
	*a = arrival{among: all, nc: nc, prev: all.last}
	if all.last = a; a.prev == nil {
		all.first = a
	} else {
		a.prev.next = a
	}
	switch {
	case all.closed:
		a.sendAway()
		return
	case all.timeout == 0:
		return
	}
	a.until = time.Now().Add(all.timeout)
	switch {
	case all.timed:
	case all.timer == nil:
		all.timer = time.AfterFunc(all.timeout, all.expire)
	default:
		all.timer.Reset(all.timeout)
	}
	all.timed = true
}

// expire sends those away that have taken too long.
func (all *arrivals) expire() {
	all.mu.Lock()
	defer all.mu.Unlock()
	now := time.Now()
	for all.first != nil && !all.first.until.After(now) {
		all.first.sendAway()
	}
	if all.timed = all.first != nil; all.timed {
		all.timer.Reset(all.first.until.Sub(now))
	}
}

// close sends all away, and those who still come.
func (all *arrivals) close() {
	all.mu.Lock()
	defer all.mu.Unlock()
	all.closed = true
	for all.first != nil {
		all.first.sendAway()
	}
	if all.timer != nil {
		all.timer.Stop()
	}
}

// leave ends the time of a, and reports false if it was sent away before.
func (a *arrival) leave() bool {
	a.among.mu.Lock()
	defer a.among.mu.Unlock()
	if a.nc == nil {
		return false
	}
	a.unlink()
	return true
}

// sendAway has the handshake fail. It needs mu.
func (a *arrival) sendAway() {
	a.nc.SetDeadline(past)
	a.unlink()
}

// unlink takes a out of the list. It needs mu.
func (a *arrival) unlink() {
	if a.prev == nil {
		a.among.first = a.next
	} else {
		a.prev.next = a.next
	}
	if a.next == nil {
		a.among.last = a.prev
	} else {
		a.next.prev = a.prev
	}
	a.prev, a.next, a.nc = nil, nil, nil
}
