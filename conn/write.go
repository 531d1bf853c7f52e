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
	o.alone = len(buf)
	return o.newest, buf
}

// wroteAlone notes that n octets of buf have left, which holds the message with the
// number id of size octets, and sees to the rest. It needs out.mu, and releases it.
func (c *Conn) wroteAlone(ctx context.Context, id uint64, buf []byte, n int, op frame.Opcode, size int) error {
	o := &c.out
	i := item{id: id, opcode: op, fin: true, payload: size}
	o.alone = 0
	if n < len(buf) || len(o.waiting.items) > 0 || o.err != nil {
		o.flying.adopt(buf, i)
		o.wrote(n)
		return c.flush(ctx, i.id)
	}
	o.written, o.flushing = i.id, false
	o.departed.Octets += uint64(n)
	o.departed.add(&i)
	o.keep(buf)
	o.wake()
	o.mu.Unlock()
	return nil
}

// deliverMessage is deliver for a whole message of so many octets, which may be
// held back.
func (c *Conn) deliverMessage(ctx context.Context, id uint64, op frame.Opcode, octets int) error {
	if c.hold() {
		c.out.waiting.last().tell = c.out.tells
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
	o := &c.out
	o.mu.Lock()
	if err := c.admit(ctx, len(p), w); err != nil {
		o.mu.Unlock()
		return err
	}
	id := c.appendData(h, p, f)
	o.stream = w
	o.progress++
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
	c.out.waiting.last().tell = c.out.tells
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
	w, progress := o.stream, o.progress
	for o.stream == w && o.progress == progress && o.closed() == nil {
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
		o.changed = make(chan struct{})
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
		c.writeInt.poke()
	}
	return <-w.ready
}

// flush writes what waits, as the flusher, until the frame with the number id
// has left and somebody else takes over; for an id of zero, until nothing is
// left or somebody does. It needs out.mu, and releases it.
func (c *Conn) flush(ctx context.Context, id uint64) (result error) {
	o := &c.out
	var scratch []byte
	defer func() { putBuffer(scratch) }()
	for own := id > 0; ; {
		own = own && o.written < id
		if own && ctx.Err() != nil && o.err == nil {
			switch o.drop(id) {
			case dropped:
				own, result = false, canceled("write", ctx)
			case kept:
				own, result = false, stillSent(ctx)
			case torn:
				c.writeTorn(context.Cause(ctx))
			}
		}
		if o.err != nil {
			defer o.mu.Unlock()
			o.abandon()
			if own {
				result = o.err
			}
			return result
		}
		if !own {
			orphaned := o.handOver()
			if orphaned && id > 0 {
				o.flushing = false
				c.kick() // its caller does not wait for what nobody waits for
				return result
			}
			if !orphaned {
				o.mu.Unlock()
				return result
			}
		}
		p := o.take(&scratch)
		o.wrote(c.transmit(ctx, p))
		c.tellSent()
		if cause := o.dropAsked(); cause != nil {
			c.writeTorn(cause)
		}
	}
}

// flushRest writes what nobody waits for. It ends when that has left, or the
// connection.
func (c *Conn) flushRest() {
	c.out.mu.Lock()
	c.flush(context.Background(), 0)
}

// transmit writes p to the transport as put does and returns how many octets were
// taken. A failure ends the octets of this side. It needs out.mu, which it gives up
// meanwhile.
func (c *Conn) transmit(ctx context.Context, p []byte) (n int) {
	watched := c.watched()
	if watched {
		c.beginWrite(ctx)
	}
	c.out.mu.Unlock()
	n, err := c.put(ctx, p)
	if err != nil && err != errCanceled {
		c.writeFailed(err)
	}
	c.out.mu.Lock()
	if watched {
		c.endWrite()
	}
	c.out.blocks = false
	return n
}

// put writes p to the transport. A short n without an error means that somebody
// may have a frame to take back. The error is errCanceled or fatal.
func (c *Conn) put(ctx context.Context, p []byte) (n int, err error) {
	if c.t.socket != nil {
		if n, err = c.t.socket.write(p); n == len(p) || err != nil {
			return n, err
		}
		return c.putSlowly(ctx, p, n, c.blockedSince())
	}
	return c.putStream(ctx, p)
}

// putStream is put for what is not a socket.
func (c *Conn) putStream(ctx context.Context, p []byte) (n int, err error) {
	if !c.t.resumes {
		p = p[:min(len(p), chunkSize)]
	}
	if !c.watched() {
		return c.putSlowly(ctx, p, 0, c.blockedSince())
	}
	if n, err = c.t.Write(p); n == len(p) && err == nil {
		return n, nil
	}
	if on, err := c.judge(ctx, err); !on || n == len(p) {
		return n, err
	}
	return c.putSlowly(ctx, p, n, c.blockedSince())
}

// putSlowly continues with p, of which n octets were taken since that time, where
// a write has to be given a deadline.
func (c *Conn) putSlowly(ctx context.Context, p []byte, n int, since time.Time) (int, error) {
	pace, now := c.newPace(since), time.Now()
	for m := n; pace.keeps(now, m); now = time.Now() {
		c.writeInt.arm(ctx, pace.deadline(now))
		var err error
		m, err = c.t.Write(p[n:])
		n += m
		if on, err := c.judge(ctx, err); !on {
			return n, err
		}
		if n == len(p) {
			c.writeInt.disarm()
			return n, nil
		}
	}
	return n, ErrWriteTimeout
}

// blockedSince returns since when the write in progress is known to block, which
// is now unless a watch has found that.
func (c *Conn) blockedSince() time.Time {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if !c.out.blocks {
		c.out.blocks, c.out.since = true, c.now()
	}
	return c.opened.Add(c.out.since)
}

// judge reports whether a write that ended with err may be continued, and if not
// what put returns.
func (c *Conn) judge(ctx context.Context, err error) (on bool, _ error) {
	switch {
	case err == nil:
		return true, nil
	case !c.t.resumes && ctx.Err() != nil:
		return false, c.torn(context.Cause(ctx)) // more than is known may have left
	case !isTimeout(err):
		return false, err
	case ctx.Err() != nil:
		return false, errCanceled
	case !c.t.resumes:
		return false, ErrWriteTimeout
	}
	return !c.writeInt.poked(), nil
}

// maxFavours is how many writes a goroutine does for others behind its own frames,
// if nobody waits for theirs either.
const maxFavours = 4

// kick has what waits written without waiting for it: at once as far as a socket
// takes it, the rest by a goroutine that ends with it. It needs out.mu, and
// releases it.
func (c *Conn) kick() {
	o := &c.out
	defer o.mu.Unlock()
	if o.flushing || o.err != nil {
		return
	}
	o.flushing = true
	var scratch []byte
	defer func() { putBuffer(scratch) }()
	for last, favours := o.newest, 0; c.t.socket != nil && favours < maxFavours; {
		if !o.handOver() {
			return
		}
		if o.written >= last {
			favours++
		}
		p := o.take(&scratch)
		o.mu.Unlock()
		n, err := c.t.socket.write(p)
		if err != nil {
			c.writeFailed(err)
		}
		o.mu.Lock()
		o.wrote(n)
		c.tellSent()
		if n < len(p) {
			break
		}
	}
	go c.flushRest()
}

// launch has what was appended written without waiting for it, or holds it back.
// It needs out.mu, and releases it.
func (c *Conn) launch() {
	if c.hold() {
		c.out.mu.Unlock()
		return
	}
	c.kick()
}

// writeOwed has the pongs written that the reader owes.
func (c *Conn) writeOwed() {
	c.owes = false
	c.out.mu.Lock()
	c.kick()
}

// writeFailed ends the octets of this side. Those of the peer can still be
// read, as they may say why, for Options.CloseTimeout.
func (c *Conn) writeFailed(err error) {
	if err == ErrWriteTimeout {
		c.abort(Network, err)
		return
	}
	ended := &CloseError{Code: frame.CloseAbnormalClosure, By: Network, Err: err}
	c.mu.Lock()
	if c.phase == phaseOpen {
		c.result = *ended
		c.startBudget()
	}
	c.mu.Unlock()
	c.out.fail(ended)
}

// writeTorn ends the connection after a part of a frame whose writer's context
// has ended because of cause. It needs out.mu, which it gives up meanwhile.
func (c *Conn) writeTorn(cause error) {
	c.out.mu.Unlock()
	defer c.out.mu.Lock()
	c.torn(cause)
}

// torn is writeTorn without out.mu. It returns how the connection ended.
func (c *Conn) torn(cause error) error {
	return c.abort(Local, fmt.Errorf("conn: write canceled in the middle of a frame: %w", cause))
}

// writeError returns why nothing can be written.
func (c *Conn) writeError() error {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return c.out.err
}
