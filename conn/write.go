package conn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"example.org/rfc6455/frame"
)

// WriteMessage writes a message in one frame (RFC 6455, Section 6.1) and
// returns when the transport has taken it. It does not retain p.
//
// On a socket a message is held back while the reader has another complete frame
// of the peer at hand, so that what answers many messages leaves at once: until
// the reader waits, 64 KiB have come together or a millisecond has passed.
// WriteMessage then returns before it has left.
//
// When ctx ends before the first octet of the frame has left, the error is its
// cause, nothing is sent and the connection goes on. In the middle of a frame
// the connection has failed. The error is [ErrOpcode] or
// [frame.ErrInvalidUTF8] for a message that may not be sent, [ErrWriterOpen],
// or a [*CloseError]; after a Close frame was sent it matches [net.ErrClosed].
//
// With context takeover a compressed message cannot be taken back once others
// refer to it: when ctx ends then, the error matches [ErrStillSent], too.
//
// The messages of one goroutine are sent in its order. Those that are written at
// once share system calls.
func (c *Conn) WriteMessage(ctx context.Context, op frame.Opcode, p []byte) error {
	return c.writeMessage(ctx, op, p, compressible)
}

// WriteUncompressed is [Conn.WriteMessage] for a message that is not compressed
// although others are, as a mixture of secrets and of what others chose should
// not be.
func (c *Conn) WriteUncompressed(ctx context.Context, op frame.Opcode, p []byte) error {
	return c.writeMessage(ctx, op, p, uncompressed)
}

func (c *Conn) writeMessage(ctx context.Context, op frame.Opcode, p []byte, f form) error {
	if err := checkMessage(op, p); err != nil {
		return err
	}
	ctx = c.beyond(ctx)
	o := &c.out
	o.mu.Lock()
	if o.idle() && len(p) <= gatherSize && ctx.Err() == nil && !(f == compressible && o.deflater.wants(len(p))) {
		return c.writeAlone(ctx, op, p)
	}
	if err := c.admit(ctx, len(p), nil); err != nil {
		o.mu.Unlock()
		return err
	}
	id := c.appendData(frame.Header{Flags: frame.FIN, Opcode: op}, p, f)
	return c.deliverMessage(ctx, id, op, len(p))
}

// writeAlone is what admit, appendData and deliver come to for a message that is
// gathered with nothing and compressed by nobody, when there is nothing before it.
// It needs out.mu, and releases it.
//
// What it does is in functions of their own where that keeps its stack small: below
// it are those of the system, and a connection's goroutine has 2 KiB for all.
func (c *Conn) writeAlone(ctx context.Context, op frame.Opcode, p []byte) error {
	id, buf := c.encodeAlone(op, p)
	n := c.transmit(ctx, buf)
	if err := c.wroteAlone(ctx, id, buf, n, op, len(p)); err != nil {
		return err
	}
	c.wroteMessage(op, int64(len(p)))
	return nil
}

// encodeAlone returns a message as it is sent, and its number.
func (c *Conn) encodeAlone(op frame.Opcode, p []byte) (id uint64, buf []byte) {
	o := &c.out
	o.flushing = true
	o.newest++
	buf = growBuffer(o.kept(), frame.MaxHeaderSize+len(p), math.MaxInt)
	buf, _ = frame.AppendFrame(buf, c.masked(frame.Header{Flags: frame.FIN, Opcode: op}), p) // it is ours, and legal
	o.alone = int32(len(buf))                                                                // gatherSize and a header at most
	return o.newest, buf
}

// wroteAlone notes that n octets of buf have left, which holds the message with the
// number id of size octets, and sees to the rest. It needs out.mu, and releases it.
func (c *Conn) wroteAlone(ctx context.Context, id uint64, buf []byte, n int, op frame.Opcode, size int) error {
	o := &c.out
	if n < len(buf) || len(o.waiting.items) > 0 || o.err != nil {
		o.alone = 0
		return c.adoptAlone(ctx, item{id: id, opcode: op, fin: true, payload: size}, buf, n)
	}
	c.leftAlone(id, buf, size)
	return nil
}

// leftAlone notes that a message has left, behind which nothing waits. It needs
// out.mu, and releases it.
func (c *Conn) leftAlone(id uint64, buf []byte, size int) {
	o := &c.out
	o.alone, o.written, o.flushing = 0, id, false
	o.departed.octets += uint64(len(buf))
	o.departed.addFrame(size, true)
	if !o.watch.keep(buf) {
		putBuffer(buf)
	}
	o.wake()
	o.mu.Unlock()
}

// adoptAlone is wroteAlone where there is more to write, or nothing can be.
func (c *Conn) adoptAlone(ctx context.Context, i item, buf []byte, n int) error {
	c.out.own().flying.adopt(buf, i)
	c.out.wrote(n)
	return c.flush(ctx, i.id)
}

// deliverMessage is deliver for a whole message of so many octets, which may be
// held back.
func (c *Conn) deliverMessage(ctx context.Context, id uint64, op frame.Opcode, octets int) error {
	if c.hold() {
		c.out.waiting.last().tell = c.out.tells()
		c.out.mu.Unlock()
		return nil
	}
	if err := c.deliver(ctx, id); err != nil {
		return err
	}
	c.wroteMessage(op, int64(octets))
	return nil
}

// wroteMessage tells the hook of a message that has left.
func (c *Conn) wroteMessage(op frame.Opcode, octets int64) {
	if c.options.Hooks.OnMessage != nil {
		c.options.Hooks.OnMessage(c, Sent, op, octets)
	}
}

// send writes a fragment of w's message and waits until it has left.
func (c *Conn) send(ctx context.Context, h frame.Header, p []byte, f form, w *MessageWriter) error {
	ctx = c.beyond(ctx)
	o := &c.out
	o.mu.Lock()
	if err := c.admit(ctx, len(p), w); err != nil {
		o.mu.Unlock()
		return err
	}
	id := c.appendData(h, p, f)
	o.stream = w
	w.progress++
	err := c.deliver(ctx, id)
	sent := err == nil || errors.Is(err, ErrStillSent)
	// Without a first frame there is no message that others wait for.
	if sent && h.Flags.Has(frame.FIN) || !sent && h.Opcode != frame.OpContinuation {
		c.endStream()
	}
	return err
}

// appendData appends a data frame, for which there is room behind those that wait.
// It needs out.mu.
func (c *Conn) appendData(h frame.Header, p []byte, f form) uint64 {
	i := item{payload: len(p)}
	if f == compressible {
		// From here on it is certain behind which frames this one goes.
		c.out.deflater.deflate(&h, &p, &i)
	}
	return c.out.add(c.masked(h), p, i)
}

// enqueue has a message written that is short enough to be copied, and returns
// when there is room for it.
func (c *Conn) enqueue(ctx context.Context, op frame.Opcode, p []byte) error {
	if err := checkMessage(op, p); err != nil {
		return err
	}
	c.out.mu.Lock()
	if err := c.admit(ctx, len(p), nil); err != nil {
		c.out.mu.Unlock()
		return err
	}
	c.appendData(frame.Header{Flags: frame.FIN, Opcode: op}, p, compressible)
	c.out.waiting.last().tell = c.out.tells()
	c.launch()
	return nil
}

// masked returns h as the frames of this side are: a client's with a fresh key
// (RFC 6455, Section 5.3). It needs out.mu.
func (c *Conn) masked(h frame.Header) frame.Header {
	if c.role == frame.Client {
		h.Flags |= frame.MASK
		h.Key = c.keys.Next()
	}
	return h
}

// admit waits until a data frame with a payload of size octets may be
// appended: until no other message is in progress and there is room. It needs
// out.mu, which it gives up while it waits.
func (c *Conn) admit(ctx context.Context, size int, w *MessageWriter) error {
	ctx = c.beyond(ctx)
	o := &c.out
	if o.closed() == nil && ctx.Err() == nil && o.admits(size, w, 0) {
		return nil
	}
	if o.gathering.holds {
		c.kick() // which may make room
		o.mu.Lock()
	}
	place := o.enter()
	defer o.leave(place)
	for {
		switch {
		case o.closed() != nil:
			return o.closed()
		case ctx.Err() != nil:
			return canceled("write", ctx)
		case o.admits(size, w, place):
			return nil
		case o.stream != nil && o.stream != w:
			if err := c.awaitStream(ctx); err != nil {
				return err
			}
		default:
			if !c.awaitChange(ctx, nil) {
				return canceled("write", ctx)
			}
		}
	}
}

// awaitStream waits for a change of the message in progress. Without one for
// Options.WriteTimeout its writer was left open.
func (c *Conn) awaitStream(ctx context.Context) error {
	var expired <-chan time.Time
	if c.options.WriteTimeout > 0 {
		t := time.NewTimer(c.options.WriteTimeout)
		defer t.Stop()
		expired = t.C
	}
	o := &c.out
	w, progress := o.stream, o.stream.progress
	for o.stream == w && w.progress == progress && o.closed() == nil {
		if !c.awaitChange(ctx, expired) {
			if ctx.Err() != nil {
				return canceled("write", ctx)
			}
			return ErrWriterOpen
		}
	}
	return nil
}

// awaitChange gives up out.mu until something has changed. It reports false
// when ctx ends or expired fires.
func (c *Conn) awaitChange(ctx context.Context, expired <-chan time.Time) bool {
	o := &c.out
	if o.changed == nil {
		o.own().changed = make(chan struct{})
	}
	changed := o.changed
	o.mu.Unlock()
	defer o.mu.Lock()
	select {
	case <-changed:
		return true
	case <-ctx.Done():
	case <-expired:
	}
	return false
}

// deliver waits until a frame that was appended has left, or ctx ends. It
// needs out.mu, and releases it.
func (c *Conn) deliver(ctx context.Context, id uint64) error {
	o := &c.out
	if !o.flushing {
		o.flushing = true
		return c.flush(ctx, id)
	}
	w := o.wait(id)
	o.mu.Unlock()

	var v verdict
	select {
	case v = <-w.ready:
	case <-ctx.Done():
		v = c.withdraw(w, context.Cause(ctx))
	}
	o.mu.Lock()
	o.recycle(w)
	if v == lead {
		return c.flush(ctx, id)
	}
	o.mu.Unlock()
	switch v {
	case left:
		return nil
	case dropped:
		return canceled("write", ctx)
	case kept:
		return stillSent(ctx)
	}
	return c.writeError()
}

// stillSent is the error of a writer whose context has ended, but whose frame
// cannot be taken back.
func stillSent(ctx context.Context) error {
	return fmt.Errorf("%w: %w", ErrStillSent, context.Cause(ctx))
}

// withdraw takes back the frame of a waiter whose context has ended because of
// cause, if that can be done.
func (c *Conn) withdraw(w *waiter, cause error) verdict {
	o := &c.out
	o.mu.Lock()
	i := slices.Index(o.waiters, w)
	if i < 0 { // the verdict is on its way
		o.mu.Unlock()
		return <-w.ready
	}
	o.waiters = slices.Delete(o.waiters, i, i+1)
	if !o.flying.has(w.id) {
		defer o.mu.Unlock()
		return o.drop(w.id)
	}
	w.cause = cause
	o.dropping = append(o.dropping, w)
	o.mu.Unlock()
	if c.t.resumes {
		c.writeInterrupt().poke()
	}
	return <-w.ready
}
