package conn

import (
	"context"
	"errors"
	"fmt"
	"io"

	"example.org/rfc6455/frame"
)

// writerSize is how many octets a MessageWriter gathers into one fragment.
const writerSize = 16 << 10

// A MessageWriter writes one message in fragments (RFC 6455, Section 5.4). It
// is made by [Conn.NextWriter], and used by one goroutine at a time.
//
// What is written is gathered into fragments of 16 KiB. From the first that is
// sent until Close returns, other messages wait; control frames do not.
type MessageWriter struct {
	c        *Conn
	opcode   frame.Opcode // of the message
	fragment frame.Opcode // of the next fragment
	size     int64        // octets of the fragments that were sent
	text     *frame.UTF8  // judges a text message; nil for a binary one
	form     form
	buf      []byte // of getBuffer; len(buf) <= writerSize
	done     bool

	progress int // how many fragments were sent; guarded by the outbox's mu
}

// NextWriter begins a message of frame.OpText or frame.OpBinary, of which
// nothing is sent yet. It must be ended with Close. The error is [ErrOpcode] or
// that of a connection that takes no more messages.
func (c *Conn) NextWriter(op frame.Opcode) (*MessageWriter, error) {
	return c.nextWriter(op, compressible)
}

// NextUncompressedWriter is [Conn.NextWriter] for a message that is not
// compressed: see [Conn.WriteUncompressed].
func (c *Conn) NextUncompressedWriter(op frame.Opcode) (*MessageWriter, error) {
	return c.nextWriter(op, uncompressed)
}

func (c *Conn) nextWriter(op frame.Opcode, f form) (*MessageWriter, error) {
	w := &MessageWriter{c: c, opcode: op, fragment: op, form: f}
	switch op {
	case frame.OpBinary:
	case frame.OpText:
		w.text = &frame.UTF8{}
	default:
		return nil, ErrOpcode
	}
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if err := c.out.closed(); err != nil {
		return nil, err
	}
	w.buf = getBuffer(writerSize)
	return w, nil
}

// Write adds p to the message. It returns how many octets of p were taken, and
// does not retain it. The errors are those of [Conn.WriteMessage] and
// [ErrWriterDone]. When ctx ends between two frames nothing that was taken is
// lost, and writing can go on; with [ErrStillSent] what was gathered is sent
// without being waited for.
func (w *MessageWriter) Write(ctx context.Context, p []byte) (n int, err error) {
	if w.done {
		return 0, ErrWriterDone
	}
	for {
		part := p[n:min(len(p), n+writerSize-len(w.buf))]
		if w.text != nil && w.text.Next(part) < len(part) {
			return n, fmt.Errorf("conn: write: %w", frame.ErrInvalidUTF8)
		}
		w.buf = append(w.buf, part...)
		if n += len(part); n == len(p) {
			return n, nil
		}
		if err := w.Flush(ctx); err != nil {
			return n, err
		}
	}
}

// Flush sends what was written so far as a fragment, if there is anything. The
// errors are those of Write.
func (w *MessageWriter) Flush(ctx context.Context) error {
	if w.done {
		return ErrWriterDone
	}
	if len(w.buf) == 0 {
		return nil
	}
	return w.send(ctx, 0)
}

// Close sends the last fragment and ends the message. After an error other than
// that of ctx the message cannot be ended any more; after [ErrStillSent] it has
// ended. The errors are those of Write; a text message that ends within a character is
// [frame.ErrInvalidUTF8].
func (w *MessageWriter) Close(ctx context.Context) error {
	if w.done {
		return ErrWriterDone
	}
	if w.text != nil && !w.text.Complete() {
		return fmt.Errorf("conn: write: %w", frame.ErrInvalidUTF8)
	}
	err := w.send(ctx, frame.FIN)
	if err != nil && !errors.Is(err, ErrStillSent) {
		return err
	}
	if err == nil {
		w.c.wroteMessage(w.opcode, w.size)
	}
	w.done = true
	putBuffer(w.buf)
	w.buf = nil
	return err
}

// send sends what has been gathered as a fragment.
func (w *MessageWriter) send(ctx context.Context, flags frame.Flags) error {
	err := w.c.send(ctx, frame.Header{Flags: flags, Opcode: w.fragment}, w.buf, w.form, w)
	if err == nil || errors.Is(err, ErrStillSent) {
		w.fragment = frame.OpContinuation
		w.size += int64(len(w.buf))
		w.buf = w.buf[:0]
	}
	return err
}

// With returns the writer as an [io.WriteCloser] whose methods wait until ctx
// ends at most.
func (w *MessageWriter) With(ctx context.Context) io.WriteCloser { return contextWriter{w, ctx} }

type contextWriter struct {
	w   *MessageWriter
	ctx context.Context
}

func (w contextWriter) Write(p []byte) (int, error) { return w.w.Write(w.ctx, p) }

func (w contextWriter) Close() error { return w.w.Close(w.ctx) }
