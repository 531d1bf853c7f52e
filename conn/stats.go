package conn

import (
	"math"
	"sync/atomic"
)

// Stats counts what went over a connection.
type Stats struct {
	// Received and Sent count the two directions.
	Received, Sent Traffic
	// EarlyOctets is how many of the received octets came together with the
	// opening handshake.
	EarlyOctets uint64
	// QueuedOctets and QueuedFrames are what waits for the peer to take it; after
	// the end, what could not be written. What is only held back for a moment, as
	// [Conn.WriteMessage] says, does not count.
	QueuedOctets, QueuedFrames int
	// MaxMessageSize is the limit in force, in octets; NoLimit if it is off.
	MaxMessageSize int64
}

// Traffic counts one direction of a connection.
type Traffic struct {
	Messages uint64 // whole messages
	Payload  uint64 // octets of their payloads
	Control  uint64 // pings, pongs and Close frames
	Octets   uint64 // octets of frames on the wire

	Compressed        uint64 // those of Messages that were compressed (RFC 7692)
	CompressedPayload uint64 // octets of their payloads
	CompressedOctets  uint64 // octets to which these were compressed
}

// add counts the frame of which i is the last item.
func (t *Traffic) add(i *item) {
	if i.opcode.IsControl() {
		t.Control++
		return
	}
	t.addFrame(i.payload, i.fin)
	if !i.compressed {
		return
	}
	t.CompressedPayload += uint64(i.payload)
	t.CompressedOctets += uint64(i.deflated)
	if i.fin {
		t.Compressed++
	}
}

// addFrame counts a data frame with a payload of size octets.
func (t *Traffic) addFrame(size int, fin bool) {
	t.Payload += uint64(size)
	if fin {
		t.Messages++
	}
}

// counters are the reader's own, which it publishes before it waits, and octets
// after that, too.
type counters struct {
	messages, payload, control, octets, early       uint64
	compressed, compressedPayload, compressedOctets uint64
}

// sharedCounters are counters as others see them.
type sharedCounters struct {
	messages, payload, control, octets, early       counter
	compressed, compressedPayload, compressedOctets counter
}

// publish lets others see what was received.
func (c *Conn) publish() {
	c.shared.messages.set(c.received.messages)
	c.shared.payload.set(c.received.payload)
	c.shared.control.set(c.received.control)
	c.shared.octets.set(c.received.octets)
	c.shared.early.set(c.received.early)
	if c.received.compressed > 0 {
		c.shared.compressed.set(c.received.compressed)
		c.shared.compressedPayload.set(c.received.compressedPayload)
		c.shared.compressedOctets.set(c.received.compressedOctets)
	}
}

// load returns what was published.
func (s *sharedCounters) load() counters {
	return counters{
		s.messages.Load(), s.payload.Load(), s.control.Load(), s.octets.Load(), s.early.Load(),
		s.compressed.Load(), s.compressedPayload.Load(), s.compressedOctets.Load(),
	}
}

// A counter is one of sharedCounters, which the reader alone sets.
type counter struct{ atomic.Uint64 }

// set is Store for a value that is often the same, which costs less to look at.
func (c *counter) set(n uint64) {
	if c.Load() != n {
		c.Store(n)
	}
}

// Stats returns the counters. What was received is counted up to the last time
// the reader waited for the peer, its octets with those that ended the wait. Stats
// waits for no I/O, allocates nothing and takes some tens of nanoseconds, so it may
// be called for each message.
func (c *Conn) Stats() Stats {
	s := Stats{
		Received: Traffic{
			Messages: c.shared.messages.Load(),
			Payload:  c.shared.payload.Load(),
			Control:  c.shared.control.Load(),
			Octets:   c.shared.octets.Load(),

			Compressed:        c.shared.compressed.Load(),
			CompressedPayload: c.shared.compressedPayload.Load(),
			CompressedOctets:  c.shared.compressedOctets.Load(),
		},
		EarlyOctets:    c.shared.early.Load(),
		MaxMessageSize: c.options.MaxMessageSize,
	}
	if s.MaxMessageSize == math.MaxInt64 {
		s.MaxMessageSize = NoLimit
	}
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	s.Sent = c.out.departed.Traffic
	if !c.out.gathering.holds || c.out.err != nil {
		s.QueuedOctets, s.QueuedFrames = c.out.queued()
	}
	return s
}
