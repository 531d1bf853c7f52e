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

// counters count one direction, without what there is to say of compression.
type counters struct{ messages, payload, control, octets uint64 }

// add counts the frame of which i is the last item.
func (t *counters) add(i *item) {
	if i.opcode.IsControl() {
		t.control++
		return
	}
	t.addFrame(i.payload, i.fin)
}

// addFrame counts a data frame with a payload of size octets.
func (t *counters) addFrame(size int, fin bool) {
	t.payload += uint64(size)
	if fin {
		t.messages++
	}
}

// sharedCounters are the reader's counters as others see them.
type sharedCounters struct{ messages, payload, control, octets counter }

// publish lets others see what was received. The reader does so before it waits,
// and with the octets after that, too.
func (c *Conn) publish() {
	c.shared.messages.set(c.received.messages)
	c.shared.payload.set(c.received.payload)
	c.shared.control.set(c.received.control)
	c.shared.octets.set(c.received.octets)
	if d := c.out.deflater; d != nil {
		d.shared.set(&d.received)
	}
}

// load returns what was published.
func (s *sharedCounters) load() counters {
	return counters{s.messages.Load(), s.payload.Load(), s.control.Load(), s.octets.Load()}
}

// compressedCounters count the compressed messages of one direction.
type compressedCounters struct{ messages, payload, octets uint64 }

// add counts a part of a message, the last of it if that is set, and the octets to
// which it was compressed.
func (t *compressedCounters) add(payload, octets int, last bool) {
	t.payload += uint64(payload)
	t.octets += uint64(octets)
	if last {
		t.messages++
	}
}

func (t *compressedCounters) read(to *Traffic) {
	to.Compressed, to.CompressedPayload, to.CompressedOctets = t.messages, t.payload, t.octets
}

// sharedCompressed are the reader's compressedCounters as others see them.
type sharedCompressed struct{ messages, payload, octets counter }

func (s *sharedCompressed) set(t *compressedCounters) {
	s.messages.set(t.messages)
	s.payload.set(t.payload)
	s.octets.set(t.octets)
}

func (s *sharedCompressed) load() compressedCounters {
	return compressedCounters{s.messages.Load(), s.payload.Load(), s.octets.Load()}
}

// A counter is one of the shared ones, which the reader alone sets.
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
		},
		EarlyOctets:    c.agreed.orNone().early,
		MaxMessageSize: c.options.MaxMessageSize,
	}
	if s.MaxMessageSize == math.MaxInt64 {
		s.MaxMessageSize = NoLimit
	}
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	sent := &c.out.departed
	s.Sent = Traffic{Messages: sent.messages, Payload: sent.payload, Control: sent.control, Octets: sent.octets}
	if d := c.out.deflater; d != nil {
		received := d.shared.load()
		received.read(&s.Received)
		d.sent.read(&s.Sent)
	}
	if !c.out.gathering.holds || c.out.err != nil {
		s.QueuedOctets, s.QueuedFrames = c.out.queued()
	}
	return s
}
