package conn

import (
	"context"
	"sync"
	"time"
)

// past is a deadline that has expired in any clock.
var past = time.Unix(1, 0)

// An interrupt ends what blocks in one direction of a transport when a context
// is done or a deadline has passed. The registration with a context is kept for
// the next operation, which mostly comes with the same one and then costs
// nothing.
type interrupt struct {
	t    *transport
	side Direction // Received for its read deadline, Sent for its write deadline

	// Of whoever operates:
	last  <-chan struct{} // of the context that arm was called with last
	quiet bool            // whether the deadline was zero then, and is unless that context ends

	mu    sync.Mutex      // guards what follows
	done  <-chan struct{} // of the context that is registered; nil for none
	stop  func() bool     // ends the registration
	fired bool            // whether the deadline is in the past because of fire
	armed bool            // whether the transport has a deadline
	asked bool            // whether poke was called and not yet answered
	over  bool            // whether release was called
}

// set sets the deadline.
func (i *interrupt) set(deadline time.Time) {
	if i.side == Sent {
		i.t.SetWriteDeadline(deadline)
	} else {
		i.t.SetReadDeadline(deadline)
	}
}

// ready reports whether arm with a context that has this channel, and without a
// deadline, would change nothing.
func (i *interrupt) ready(done <-chan struct{}) bool { return i.quiet && done == i.last }

// arm prepares for an operation that ends with ctx and at the deadline, if that
// is not zero.
func (i *interrupt) arm(ctx context.Context, deadline time.Time) {
	done := ctx.Done()
	i.last, i.quiet = done, deadline.IsZero()
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.over {
		return // the transport is closed, and ctx may outlive it
	}
	if done != i.done {
		i.forget()
		if i.done = done; done != nil {
			i.stop = context.AfterFunc(ctx, func() { i.fire(done) })
		}
	}
	if i.asked {
		deadline = past
	}
	if !i.fired && (i.armed || !deadline.IsZero()) {
		i.set(deadline)
		i.armed = !deadline.IsZero()
	}
}

// limit gives the operation in progress a deadline.
func (i *interrupt) limit(deadline time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.over || i.fired || i.asked {
		return // it is about to end
	}
	i.armed = true
	i.set(deadline)
}

// poke ends the operation in progress, or else the next, once.
func (i *interrupt) poke() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked, i.armed = true, true
	i.set(past)
}

// poked reports whether poke was called since the last call of poked. Whoever
// operates calls it.
func (i *interrupt) poked() bool {
	i.quiet = false
	i.mu.Lock()
	defer i.mu.Unlock()
	asked := i.asked
	i.asked = false
	return asked
}

// disarm removes the deadline, so that it does not meet a later operation.
func (i *interrupt) disarm() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.armed && !i.fired {
		i.set(time.Time{})
		i.armed = false
	}
}

// fire ends the operation of the context whose Done channel is done.
func (i *interrupt) fire(done <-chan struct{}) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if done == i.done {
		i.fired = true
		i.set(past)
	}
}

// forget ends the registration and undoes fire.
func (i *interrupt) forget() {
	if i.stop != nil {
		i.stop()
	}
	if i.fired {
		i.set(time.Time{})
	}
	i.done, i.stop, i.fired, i.armed = nil, nil, false, i.armed && !i.fired
}

// release ends the registration for good.
func (i *interrupt) release() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.forget()
	i.over = true
}
