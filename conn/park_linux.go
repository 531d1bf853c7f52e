package conn

import (
	"sync"
	"sync/atomic"
	"time"
)

// A park is where the reader of a descriptor waits for an event, until the read
// deadline at most.
type park struct {
	late atomic.Bool // whether the deadline has passed

	mu     sync.Mutex // guards what follows
	cond   sync.Cond  // of mu: told when one of the next has changed
	ready  bool       // whether there was an event since the last wait
	closed bool

	until time.Time   // the deadline; zero means none
	timer *time.Timer // nil before the first deadline
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
	p.until = t
	wait := time.Until(t)
	p.late.Store(!t.IsZero() && wait <= 0)
	switch {
	case p.late.Load():
		p.cond.Signal()
	case t.IsZero() || p.closed:
		if p.timer != nil {
			p.timer.Stop()
		}
	case p.timer == nil:
		p.timer = time.AfterFunc(wait, p.expire)
	default:
		p.timer.Reset(wait)
	}
}

// expire ends the wait if the deadline has passed, which may have been moved.
func (p *park) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.until.IsZero() && time.Until(p.until) <= 0 {
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
	if p.timer != nil {
		p.timer.Stop()
	}
}
