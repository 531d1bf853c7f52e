package conn

import (
	"sync"
	"time"
)

// An intake is what the reader of a connection works with.
type intake struct {
	proto    protocol
	in       inbox
	message  []byte        // of getBuffer: a message longer than the inbox, or a part of one
	partial  bool          // whether message is a part that the next read continues
	charged  int64         // octets of message for which Options.MemoryBudget was asked
	stream   streamed      // the message being read with a MessageReader
	size     int64         // of the message that was begun last, in octets that have come
	waited   time.Duration // for octets of the current message
	owes     bool          // whether pongs wait that nobody was asked to write
	ahead    bool          // whether another complete frame was found behind the last message
	mayHold  bool          // whether that was so since the reader waited last
	received counters      // published by fill
}

var intakePool = sync.Pool{New: func() any { return new(intake) }}

// takeIntake gives the reader an intake, which continues what was published.
func (c *Conn) takeIntake() {
	c.intake = intakePool.Get().(*intake)
	c.prepareIntake()
}

// prepareIntake prepares an intake with nothing in it for its connection.
func (c *Conn) prepareIntake() {
	c.proto.frames.Role = c.role
	c.proto.frames.TolerateNonMinimal = c.options.TolerateNonMinimalLength
	c.proto.limits.maxSize = c.options.MaxMessageSize
	c.in.least = smallInbox
	if c.t.socket != nil {
		c.in.least = largeInbox
	}
	c.in.want = c.in.least
	c.received = c.shared.load()
}

// stow gives the intake back when the reader leaves, if there is nothing in it.
func (c *Conn) stow() {
	if k := c.intake; k.in.buf == nil && k.idle() {
		*k = intake{}
		intakePool.Put(k)
		c.intake = nil
	}
}

// idle reports whether there is nothing in it, apart from what its inbox holds.
func (k *intake) idle() bool {
	return k.message == nil && !k.stream.open && !k.stream.unread && !k.owes && !k.mayHold &&
		!k.proto.midMessage() && k.proto.inflater.codec == nil
}

// await waits until there may be something to read, without an intake if there is
// nothing in it.
func (c *Conn) await() {
	c.stow()
	c.visits.await()
	if c.intake == nil {
		c.takeIntake()
	}
}

// sit makes the caller the reader, unless another one is.
func (c *Conn) sit() bool {
	if !c.seat.take() {
		return false
	}
	if c.intake == nil {
		c.takeIntake()
	}
	return true
}
