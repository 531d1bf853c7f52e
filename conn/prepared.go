package conn

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
)

// A Prepared is a message that is encoded once and written to many
// connections. It does not change, and any number of goroutines may use it.
//
// Connections that compress share what it is compressed to, too, of which there
// is one for each number of window bits and level in use. As it cannot refer to
// messages of one connection, the next message of one with context takeover does
// not either.
type Prepared struct {
	opcode frame.Opcode
	form   form
	wire   []byte // the frame that a server sends, not compressed

	mu       sync.Mutex
	deflated map[deflation]encoding // at most one for each window size and level
}

// An encoding is a message as a server sends it.
type encoding struct {
	wire       []byte
	compressed bool
}

// A deflation is how a message that stands alone is compressed.
type deflation struct {
	windowBits int
	level      deflate.Level
}

// Prepare encodes a message. It does not retain p. The error is [ErrOpcode] or
// [frame.ErrInvalidUTF8].
func Prepare(op frame.Opcode, p []byte) (*Prepared, error) {
	return prepare(op, p, compressible)
}

// PrepareUncompressed is [Prepare] for a message that is not compressed: see
// [Conn.WriteUncompressed].
func PrepareUncompressed(op frame.Opcode, p []byte) (*Prepared, error) {
	return prepare(op, p, uncompressed)
}

func prepare(op frame.Opcode, p []byte, f form) (*Prepared, error) {
	if err := checkMessage(op, p); err != nil {
		return nil, err
	}
	e := encode(frame.Header{Flags: frame.FIN, Opcode: op}, p)
	return &Prepared{opcode: op, form: f, wire: e.wire}, nil
}

// encode returns a message in one frame.
func encode(h frame.Header, payload []byte) encoding {
	wire := slices.Grow([]byte(nil), frame.MaxHeaderSize+len(payload))
	wire, _ = frame.AppendFrame(wire, h, payload) // h is ours, and legal
	return encoding{wire, h.Flags.Has(frame.RSV1)}
}

// payload returns that of the frame.
func (e encoding) payload() []byte {
	h, n, _ := frame.ParseHeader(e.wire)
	return e.wire[n : n+int(h.Length)]
}

// checkMessage returns why a message may not be sent, if so.
func checkMessage(op frame.Opcode, p []byte) error {
	if op == frame.OpBinary {
		return nil // this much can be inlined
	}
	return checkText(op, p)
}

// checkText is checkMessage for what is not binary.
func checkText(op frame.Opcode, p []byte) error {
	if op != frame.OpText {
		return ErrOpcode
	}
	var text frame.UTF8
	if text.Next(p) < len(p) || !text.Complete() {
		return fmt.Errorf("conn: write: %w", frame.ErrInvalidUTF8)
	}
	return nil
}

// payload returns the message as it was before it was encoded.
func (m *Prepared) payload() []byte { return encoding{wire: m.wire}.payload() }

// deflate returns the message compressed, or as it is if that is as good.
func (m *Prepared) deflate(by deflation) encoding {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.deflated[by]
	if ok {
		return e
	}
	e.wire = m.wire
	codec, _ := deflate.NewCompressor(by.windowBits, deflate.NoTakeover, by.level)
	buf := getDeflated(len(m.wire))
	if payload, ok := codec.Append(buf, m.payload()); ok {
		e = encode(frame.Header{Flags: frame.FIN | frame.RSV1, Opcode: m.opcode}, payload)
	}
	putBuffer(buf)
	if m.deflated == nil {
		m.deflated = map[deflation]encoding{}
	}
	m.deflated[by] = e
	return e
}

// WritePrepared writes a prepared message as [Conn.WriteMessage] would. A
// server's connections share its octets; a client masks a copy of them.
func (c *Conn) WritePrepared(ctx context.Context, m *Prepared) error {
	ctx = c.beyond(ctx)
	c.out.mu.Lock()
	if err := c.admit(ctx, len(m.wire), nil); err != nil {
		c.out.mu.Unlock()
		return err
	}
	return c.deliverMessage(ctx, c.appendPrepared(m), m.opcode, len(m.payload()))
}

// appendPrepared appends a prepared message in the form that this side sends.
// It needs out.mu.
func (c *Conn) appendPrepared(m *Prepared) uint64 {
	if c.role == frame.Server {
		return c.out.appendPrepared(m)
	}
	e := c.out.deflater.prepared(m)
	h, payload := frame.Header{Flags: frame.FIN, Opcode: m.opcode}, e.payload()
	if e.compressed {
		h.Flags |= frame.RSV1
	}
	return c.out.add(c.masked(h), payload, item{payload: len(m.payload()), compressed: e.compressed})
}
