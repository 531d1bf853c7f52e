package conn

import (
	"sync"
	"sync/atomic"
	"time"
)

// A park is where the reader of a descriptor waits for an event, until the read
// deadline at most.
type park struct {
	mu     sync.Mutex
	cond   sync.Cond   // of mu: told when one of the next three has changed
	late   atomic.Bool // whether the deadline has passed; set with mu
	ready  bool        // whether there was an event since the last wait; guarded by mu
	closed bool        // guarded by mu
	expiry *expiry     // nil before the first deadline; guarded by mu
}

// An expiry is a deadline.
type expiry struct {
	at    time.Time   // zero means none
	timer *time.Timer // calls park.expire then, or before
}

// wait waits for an event.
func (p *park) wait() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.ready && !p.closed && !p.late.Load() {
		p.cond.Wait()
	}
	p.ready = false
}

// signal tells of an event.
func (p *park) signal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready = true
	p.cond.Signal()
}

// limit sets the deadline.
func (p *park) limit(t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.expiry == nil {
		p.expiry = &expiry{timer: time.AfterFunc(time.Hour, p.expire)}
	}
	e := p.expiry
	e.at = t
	wait := time.Until(t)
	p.late.Store(!t.IsZero() && wait <= 0)
	switch {
	case p.late.Load():
		e.timer.Stop()
		p.cond.Signal()
	case t.IsZero() || p.closed:
		e.timer.Stop()
	default:
		e.timer.Reset(wait)
	}
}

// expire ends the wait if the deadline has passed, which may have been moved.
func (p *park) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at := p.expiry.at; !at.IsZero() && time.Until(at) <= 0 {
		p.late.Store(true)
		p.cond.Signal()
	}
}

// close ends all waits.
func (p *park) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.cond.Signal()
	if p.expiry != nil {
		p.expiry.timer.Stop()
	}
}
