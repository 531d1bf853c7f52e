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

// Visits are the times at which the messages of a connection are handed out that
// have come meanwhile. Between two of them the connection has no goroutine.
type visits struct {
	conn       *Conn
	descriptor *descriptor
	poller     *poller
	handle     func(*Conn, Message) // nil if a goroutine reads, without visits
	turn       atomic.Uint32        // one of the following

	// The reader's.
	lazy    bool          // whether it is a visit, which does not wait
	waiting bool          // whether Conn.waits says that the reader waits, between two visits
	since   time.Duration // when after Conn.opened that wait began, in the middle of a message

	// The visit's.
	deadline time.Time   // until when the rest of a message may take; zero for ever
	stall    *time.Timer // has a visit begin then; nil before the first time
}

const (
	between uint32 = iota // two visits
	during                // a visit
	again                 // during a visit that has to look once more
)

// due has the reader who waits look, or a visit begin, or the current one look once
// more.
func (v *visits) due() {
	if v.claim() {
		go v.visit()
	}
}

// claim tells a reader who waits, and reports whether the caller has to visit.
// Otherwise somebody else does, who will look once more, or there are no visits.
func (v *visits) claim() bool {
	v.descriptor.signal()
	if v.handle == nil {
		return false
	}
	for {
		switch v.turn.Load() {
		case between:
			if v.turn.CompareAndSwap(between, during) {
				return true
			}
		case during:
			if v.turn.CompareAndSwap(during, again) {
				return false
			}
		default:
			return false
		}
	}
}

// visit hands out what has come. When the connection has ended it is the last one.
func (v *visits) visit() {
	if v.stall != nil {
		v.stall.Stop()
	}
	for {
		v.deadline = time.Time{}
		if !v.handOut() {
			return
		}
		if !v.deadline.IsZero() {
			v.limitStall()
		}
		if v.turn.CompareAndSwap(during, between) {
			return
		}
		v.turn.Store(during)
		runtime.Gosched() // others have come, too
	}
}

// limitStall has the wait for the rest of a message end in time.
func (v *visits) limitStall() {
	wait := time.Until(v.deadline)
	if v.stall == nil {
		v.stall = time.AfterFunc(wait, v.due)
	} else {
		v.stall.Reset(wait)
	}
}

// handOut hands out messages until more would have to be waited for. It reports
// false when the connection has ended.
func (v *visits) handOut() (goesOn bool) {
	defer v.conn.recoverHandler()
	for begun := false; ; begun = true {
		op, p, err := v.read(!begun)
		if err != nil {
			return err == errIdle
		}
		v.handle(v.conn, Message{op, p})
	}
}

// read is Conn.ReadMessage, but returns errIdle instead of waiting. It looks for
// octets even if the last read has found all there were, if that may have changed.
func (v *visits) read(changed bool) (frame.Opcode, []byte, error) {
	c := v.conn
	if !c.sit() {
		return 0, nil, errIdle // somebody else reads it
	}
	if err := c.ended.Load(); err != nil {
		c.seat.leave()
		return 0, nil, err
	}
	if changed {
		v.descriptor.drained = false
	}
	defer c.endVisit()
	v.lazy = true
	op, p, err := c.readWhole(context.Background())
	v.lazy = false
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

// resume returns since when the reader waits, if that began in a visit.
func (v *visits) resume() (since time.Duration, ok bool) {
	ok, v.waiting = v.waiting, false
	return v.since, ok
}

// leave ends a read that has to wait, which began at that time after opened. The
// wait goes on.
func (c *Conn) leave(begun time.Duration, mid bool) error {
	v := c.visits
	if mid && c.limitsStalls() {
		v.deadline = c.stallDeadline(c.opened.Add(begun))
		if time.Until(v.deadline) <= 0 {
			c.waits.Add(1)
			return c.fail(ErrStalled)
		}
	}
	v.waiting, v.since = true, begun
	return errIdle
}
