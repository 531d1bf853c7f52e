package conn

import (
	"context"
	"time"
)

// A watch sees to it that a write to a stream which is not a socket has a deadline,
// if it takes its time: setting one before each write, and asking for the time,
// would cost several times what writing a short message does. A timer looks from
// time to time, and stops when there was nothing to see. It also gives back the
// buffer that is kept from one message to the next.
//
// It is a part of the outbox, whose mu guards the fields.
type watch struct {
	timer *time.Timer // nil before the first write
	runs  bool        // whether timer does
	busy  bool        // whether a write is in progress that has no deadline yet
	armed bool        // whether one was given a deadline
	turn  uint32      // how many writes have begun
	seen  uint32      // turn when the timer fired last
	spare []byte      // of getBuffer, for the next message; nil if there is none
}

// watched reports whether writes get their deadline by a watch.
func (c *Conn) watched() bool { return c.out.watch != nil }

// beginWrite prepares for a write of the flusher, which ends with ctx, to a stream
// that is watched. It needs out.mu.
func (c *Conn) beginWrite(ctx context.Context) {
	w := c.out.watch
	if !c.writeBrake.ready(ctx.Done()) {
		c.writeInterrupt().arm(ctx, time.Time{})
	}
	w.busy = true
	w.turn++
	if w.runs {
		return
	}
	w.runs, w.seen = true, w.turn
	if w.timer == nil {
		w.timer = time.AfterFunc(c.watchStep(), c.lookAfterWrite)
	} else {
		w.timer.Reset(c.watchStep())
	}
}

// watchStep returns how often the timer fires.
func (c *Conn) watchStep() time.Duration { return max(c.options.WriteTimeout/paceSteps, 1) }

// endWrite notes that a write has ended. It needs out.mu.
func (c *Conn) endWrite() {
	w := c.out.watch
	w.busy = false
	if w.armed {
		w.armed = false
		c.writeBrake.disarm()
	}
}

// lookAfterWrite gives a write that is in progress its deadline.
func (c *Conn) lookAfterWrite() {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	w := c.out.watch
	switch {
	case c.out.err != nil:
		return
	case w.busy:
		w.busy, w.armed = false, true
		c.out.blocks, c.out.since = true, c.now()
		if w.turn == w.seen { // it began together with the timer
			c.out.since -= c.watchStep()
		}
		if c.t.resumes {
			c.writeInterrupt().limit(past) // from here on it is looked at in steps
		} else {
			c.writeInterrupt().limit(c.opened.Add(c.out.since + c.options.WriteTimeout))
		}
	case w.turn == w.seen:
		putBuffer(w.spare)
		w.runs, w.spare = false, nil
		return
	}
	w.seen = w.turn
	w.timer.Reset(c.watchStep())
}

// keep keeps a buffer for the next message if it is small and there is a watch to
// give it back, and reports whether it does. It needs the outbox's mu.
func (w *watch) keep(buf []byte) bool {
	if w == nil || !w.runs || cap(buf) != smallInbox {
		return false
	}
	w.spare = buf[:0]
	return true
}

// kept returns the buffer that was kept, or nil.
func (o *outbox) kept() (buf []byte) {
	if o.watch != nil {
		buf, o.watch.spare = o.watch.spare, nil
	}
	return buf
}

// stop ends the timer. It needs the outbox's mu.
func (w *watch) stop() {
	if w == nil {
		return
	}
	if w.timer != nil {
		w.timer.Stop()
	}
	putBuffer(w.spare)
	w.spare = nil
}
