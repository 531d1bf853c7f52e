package conn

import "time"

// gatherTime is how long a message may be held back for others to join it.
const gatherTime = time.Millisecond

// A gathering holds messages back that answer what has come at once, so that one
// write takes them along together: those that are written while more complete
// frames wait in the read buffer. They leave before the reader waits, with the
// first message that is not held back, when they are gatherSize octets, or after
// gatherTime at most, whatever the handler does meanwhile.
//
// It is a part of the outbox, whose mu guards the fields.
type gathering struct {
	timer *time.Timer // ends holding; nil before the first time
	timed bool        // whether it runs
	more  bool        // whether the reader has another complete frame
	holds bool        // whether frames wait for which there is no flusher
}

// lookAhead notes whether the reader, who hands out a message now, has another
// complete frame at hand.
func (c *Conn) lookAhead() {
	more := c.in.r < c.in.w && c.proto.complete(c.in.bytes())
	if more == c.ahead {
		return
	}
	c.ahead = more
	c.mayHold = c.mayHold || more
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	c.out.gathering.more = more
}

// letGo has written what is held back, before the reader waits.
func (c *Conn) letGo() {
	c.ahead, c.mayHold = false, false
	c.out.mu.Lock()
	c.out.gathering.more = false
	c.kickHeld()
}

// letGoHeld has written what is held back.
func (c *Conn) letGoHeld() {
	c.out.mu.Lock()
	c.kickHeld()
}

// kickHeld has written what is held back. It needs out.mu, and releases it.
func (c *Conn) kickHeld() {
	if c.out.gathering.holds {
		c.kick()
		return
	}
	c.out.mu.Unlock()
}

// hold leaves what was appended to be written together with what follows, if it
// may. It needs out.mu.
func (c *Conn) hold() bool {
	o := &c.out
	g := &o.gathering
	if !g.more || o.flushing || o.waiting.size >= gatherSize {
		return false
	}
	g.holds = true
	switch {
	case g.timed:
	case g.timer == nil:
		g.timer = time.AfterFunc(gatherTime, c.endHold)
	default:
		g.timer.Reset(gatherTime)
	}
	g.timed = true
	return true
}

// endHold has written what is held back, after gatherTime at most. The reader is
// busy then, and until it has waited again nothing more is held back.
func (c *Conn) endHold() {
	c.out.mu.Lock()
	g := &c.out.gathering
	g.timed = false
	g.more = g.more && !g.holds
	c.kickHeld()
}
