package conn

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// past is a deadline that has expired in any clock.
var past = time.Unix(1, 0)

// A brake ends what blocks in one direction of a transport when a context is done or
// a deadline has passed. It is an interrupt from the first time on that one of these
// can happen, which for most connections never comes. The zero value is ready.
type brake struct{ made atomic.Pointer[interrupt] }

// ready reports whether arm with a context that has this channel, and without a
// deadline, would change nothing. Whoever operates calls it.
func (b *brake) ready(done <-chan struct{}) bool {
	i := b.made.Load()
	if i == nil {
		return done == nil
	}
	return i.quiet && done == i.last
}

// poked reports whether poke was called since the last call of poked. Whoever
// operates calls it.
func (b *brake) poked() bool {
	i := b.made.Load()
	return i != nil && i.poked()
}

// disarm removes the deadline, so that it does not meet a later operation.
func (b *brake) disarm() {
	if i := b.made.Load(); i != nil {
		i.disarm()
	}
}

// release ends the registration for good.
func (b *brake) release() {
	if !b.made.CompareAndSwap(nil, &released) {
		b.made.Load().release()
	}
}

// released is the interrupt of those that were released before they were made.
var released = interrupt{over: true}

// readInterrupt returns what interrupts the reader.
func (c *Conn) readInterrupt() *interrupt { return c.readBrake.make(&c.t, Received) }

// writeInterrupt returns what interrupts the flusher.
func (c *Conn) writeInterrupt() *interrupt { return c.writeBrake.make(&c.t, Sent) }

// make returns the interrupt, which is for the deadline of that side of t.
func (b *brake) make(t *transport, side Direction) *interrupt {
	i := b.made.Load()
	if i != nil {
		return i
	}
	i = &interrupt{t: t, side: side, quiet: true}
	if b.made.CompareAndSwap(nil, i) {
		return i
	}
	return b.made.Load()
}

// An interrupt keeps the registration with a context for the next operation, which
// mostly comes with the same one and then costs nothing.
type interrupt struct {
	t    *transport
	side Direction // Received for the read deadline, Sent for the write deadline

	// Of whoever operates:
	quiet bool            // whether the deadline of arm was zero last, and is unless the context ends
	last  <-chan struct{} // of the context that arm was called with last

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

// arm prepares for an operation that ends with ctx and at the deadline, if that
// is not zero.
func (i *interrupt) arm(ctx context.Context, deadline time.Time) {
	done := ctx.Done()
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.over {
		return // the transport is closed, and ctx may outlive it
	}
	i.last, i.quiet = done, deadline.IsZero()
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
	if i.over {
		return
	}
	i.asked, i.armed = true, true
	i.set(past)
}

func (i *interrupt) poked() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	asked := i.asked
	if asked {
		i.asked, i.quiet = false, false
	}
	return asked
}

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

func (i *interrupt) release() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.forget()
	i.over = true
}
