package conn

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"example.org/rfc6455/frame"
)

// errIdle says that what has come of a connection is not enough for a message, and
// that nobody waits for more.
var errIdle = errors.New("conn: idle")

// Visits are the times at which the messages of a descriptor's connection are handed
// out that have come meanwhile. Between two of them it has no goroutine. A connection
// that a goroutine reads has none.
type visits struct {
	conn   *Conn
	poller *poller
	turn   atomic.Uint32 // one of the following

	// The reader's.
	lazy    bool   // whether it is a visit, which does not wait
	drained bool   // whether it is known that there is nothing to read
	waiting bool   // whether Conn.waits says that the reader waits, between two visits
	stall   *stall // nil before the first time
}

// A stall is a wait for the rest of a message between two visits.
type stall struct {
	since    time.Duration // when after Conn.opened it began
	deadline time.Duration // when after Conn.opened it ends; zero for never
	timer    *time.Timer   // has a visit begin then; nil before the first time
}

const (
	unpolled uint32 = iota // the poller does not tell of events
	between                // two visits
	during                 // a visit
	again                  // during a visit that has to look once more
)

// begin is the first visit of a descriptor that was polled before it had a Conn, since
// when it is in a visit. It does not look for what the handshake would have taken.
func (d *descriptor) begin() {
	if d.conn.seat.take() { // so nobody waits
		d.leavePark()
		d.conn.stand()
	}
	d.visitAlone(d.turn.Load() != during)
}

// due has the reader who waits look, or a visit begin, or the current one look once
// more.
func (d *descriptor) due() {
	if d.claim() {
		go d.visitAlone(true)
	}
}

// visitAlone is visit at a desk of its own.
func (d *descriptor) visitAlone(changed bool) {
	var w desk
	d.visit(&w, changed)
	w.clear()
}

// claim tells a reader who waits, and reports whether the caller has to visit.
// Otherwise somebody else does, who will look once more, or there are no visits.
func (d *descriptor) claim() bool {
	d.signal()
	if d.poller.handle == nil {
		return false
	}
	for {
		switch d.turn.Load() {
		case between:
			if d.turn.CompareAndSwap(between, during) {
				return true
			}
		case during:
			if d.turn.CompareAndSwap(during, again) {
				return false
			}
		default:
			return false
		}
	}
}

// visit hands out what has come, at the desk w. When the connection has ended it is
// the last one. If changed is not set nothing has come since the last read.
func (d *descriptor) visit(w *desk, changed bool) {
	if d.stall != nil {
		d.stall.end()
	}
	for ; d.handOut(w, changed); changed = true {
		if d.stall != nil && d.stall.deadline > 0 {
			d.limitStall()
		}
		if d.turn.CompareAndSwap(during, between) {
			return
		}
		d.turn.Store(during)
		runtime.Gosched() // others have come, too
		if d.stall != nil {
			d.stall.deadline = 0
		}
	}
}

// end ends the wait.
func (s *stall) end() {
	if s.timer != nil {
		s.timer.Stop()
	}
	s.deadline = 0
}

// limitStall has the wait for the rest of a message end in time.
func (d *descriptor) limitStall() {
	wait := d.stall.deadline - d.conn.now()
	if d.stall.timer == nil {
		d.stall.timer = time.AfterFunc(wait, d.due)
	} else {
		d.stall.timer.Reset(wait)
	}
}

// handOut hands out messages until more would have to be waited for. It reports
// false when the connection has ended.
func (d *descriptor) handOut(w *desk, changed bool) (goesOn bool) {
	defer d.conn.recoverHandler()
	op, p, err := w.begin(d, changed)
	for err == nil {
		d.poller.handle(d.conn, Message{op, p})
		op, p, err = w.next(d)
	}
	return err == errIdle
}

// next is Conn.ReadMessage, but returns errIdle instead of waiting. It looks for
// octets even if the last read has found all there were, if that may have changed.
func (d *descriptor) next(changed bool) (frame.Opcode, []byte, error) {
	c := d.conn
	if !c.seat.take() {
		return 0, nil, errIdle // somebody else reads it
	}
	if err := c.ended.Load(); err != nil {
		c.seat.leave()
		return 0, nil, err
	}
	return d.readOn(changed)
}

// readOn is next for one who is the reader already, of a connection that has not
// ended.
func (d *descriptor) readOn(changed bool) (frame.Opcode, []byte, error) {
	c := d.conn
	if c.intake == nil {
		c.takeIntake()
	}
	if changed {
		d.drained = false
	}
	defer c.endVisit()
	d.lazy = true
	op, p, err := c.readWhole(context.Background())
	d.lazy = false
	return op, p, err
}

// endVisit ends a read of a visit.
func (c *Conn) endVisit() {
	if !c.visits.waiting {
		c.endRead()
		return
	}
	c.stow()
	c.stand()
}

// resume returns since when the reader waits, if that began in a visit. That time is
// known in the middle of a message only.
func (v *visits) resume() (since time.Duration, ok bool) {
	ok, v.waiting = v.waiting, false
	if ok && v.stall != nil {
		since = v.stall.since
	}
	return since, ok
}

// leave ends a read that has to wait, which began at that time after opened. The
// wait goes on.
func (c *Conn) leave(begun time.Duration, mid bool) error {
	v := c.visits
	if mid {
		if v.stall == nil {
			v.stall = new(stall)
		}
		v.stall.since = begun
		if c.limitsStalls() {
			deadline := c.stallDeadline(c.opened.Add(begun))
			if time.Until(deadline) <= 0 {
				c.waits.Add(1)
				return c.fail(ErrStalled)
			}
			v.stall.deadline = deadline.Sub(c.opened)
		}
	}
	v.waiting = true
	return errIdle
}
