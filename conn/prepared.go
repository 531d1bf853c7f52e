package conn

import (
	"context"
	"fmt"
	"slices"

	"example.org/rfc6455/frame"
)

// A Prepared is a message that is encoded once and written to many
// connections. It does not change, and any number of goroutines may use it.
type Prepared struct {
	opcode frame.Opcode
	wire   []byte // the frame that a server sends
}

// Prepare encodes a message. It does not retain p. The error is [ErrOpcode] or
// [frame.ErrInvalidUTF8].
func Prepare(op frame.Opcode, p []byte) (*Prepared, error) {
	if err := checkMessage(op, p); err != nil {
		return nil, err
	}
	h := frame.Header{Flags: frame.FIN, Opcode: op}
	wire := slices.Grow([]byte(nil), frame.MaxHeaderSize+len(p))
	wire, err := frame.AppendFrame(wire, h, p)
	return &Prepared{op, wire}, err
}

// checkMessage returns why a message may not be sent, if so.
func checkMessage(op frame.Opcode, p []byte) error {
	switch op {
	case frame.OpBinary:
		return nil
	case frame.OpText:
		var text frame.UTF8
		if text.Next(p) < len(p) || !text.Complete() {
			return fmt.Errorf("conn: write: %w", frame.ErrInvalidUTF8)
		}
		return nil
	}
	return ErrOpcode
}

// payload returns the message as it was before it was encoded.
func (m *Prepared) payload() []byte {
	h, n, _ := frame.ParseHeader(m.wire)
	return m.wire[n : n+int(h.Length)]
}

// WritePrepared writes a prepared message as [Conn.WriteMessage] would. A
// server's connections share its octets; a client masks a copy of them.
func (c *Conn) WritePrepared(ctx context.Context, m *Prepared) error {
	if err := c.sendPrepared(ctx, m); err != nil {
		return err
	}
	c.wroteMessage(m.opcode, int64(len(m.payload())))
	return nil
}

func (c *Conn) sendPrepared(ctx context.Context, m *Prepared) error {
	c.out.mu.Lock()
	if err := c.admit(ctx, len(m.wire), nil); err != nil {
		c.out.mu.Unlock()
		return err
	}
	return c.deliver(ctx, c.appendPrepared(m))
}

// appendPrepared appends a prepared message in the form that this side sends.
// It needs out.mu.
func (c *Conn) appendPrepared(m *Prepared) uint64 {
	if c.role == frame.Client {
		return c.out.append(c.masked(frame.Header{Flags: frame.FIN, Opcode: m.opcode}), m.payload())
	}
	return c.out.appendPrepared(m)
}

// An outcome says what has become of a message that nobody waits for.
type outcome uint8

const (
	taken  outcome = iota // it is written, or waits to be
	full                  // too much waits already
	closed                // the connection takes no more messages
)

// post sends a prepared message without waiting. If too much waits already and
// dropOldest is set, messages that were posted earlier make room.
func (c *Conn) post(m *Prepared, dropOldest bool) (result outcome, dropped int) {
	o := &c.out
	o.mu.Lock()
	for o.overfull(len(m.wire)) && o.closed() == nil {
		if !dropOldest || !o.dropPosted() {
			o.mu.Unlock()
			return full, dropped
		}
		dropped++
	}
	if o.closed() != nil {
		o.mu.Unlock()
		return closed, dropped
	}
	if o.stream != nil {
		o.posted = append(o.posted, m)
		o.mu.Unlock()
		return taken, dropped
	}
	c.appendPosted(m)
	c.kick()
	return taken, dropped
}

// appendPosted appends a message that nobody waits for. It needs out.mu.
func (c *Conn) appendPosted(m *Prepared) {
	c.appendPrepared(m)
	items := c.out.waiting.items
	items[len(items)-1].posted = true
}

// endStream lets other messages follow that of a MessageWriter.
func (c *Conn) endStream() {
	o := &c.out
	o.mu.Lock()
	o.stream = nil
	if o.closed() == nil { // nothing follows a Close frame
		for _, m := range o.posted {
			c.appendPosted(m)
		}
		o.posted = nil
	}
	o.wake()
	c.kick()
}
