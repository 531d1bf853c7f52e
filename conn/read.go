package conn

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"time"

	"example.org/rfc6455/frame"
)

const (
	// directSize is from how many octets still to come of a frame they are read
	// straight into the message instead of through the inbox, if not from fewer
	// than fit in that.
	directSize = 16 << 10
	// ahead is how many times what has come a buffer for a message is, if it is
	// going to be that long.
	ahead = 4
)

// A Message is a text or binary message.
type Message struct {
	// Opcode is frame.OpText or frame.OpBinary.
	Opcode frame.Opcode
	// Payload is valid UTF-8 if Opcode is frame.OpText.
	Payload []byte
}

// ReadMessage reads the next message (RFC 6455, Section 6.2). Meanwhile it
// answers pings and handles what else the peer sends.
//
// The result is valid until the next read of the connection; use
// [Conn.AppendMessage] to keep it.
//
// When ctx ends while a frame is awaited, the error is its cause and the
// connection goes on, with whatever fragments have come. In the middle of a
// frame the connection has failed. Once the connection has ended the error is a
// [*CloseError]; [ErrConcurrentRead] is the only other one.
func (c *Conn) ReadMessage(ctx context.Context) (op frame.Opcode, p []byte, err error) {
	ctx = c.beyond(ctx)
	if err := c.beginRead(ctx); err != nil {
		return 0, nil, err
	}
	if c.options.Hooks.OnMessage == nil { // so that nothing may panic
		if op, p = c.takeWhole(); p == nil {
			op, p, err = c.awaitCome(ctx)
		}
		if p != nil {
			if c.t.socket != nil || !c.seat.leaveOpen() {
				c.endRead()
			}
			return op, p, nil
		}
	}
	defer c.endRead()
	if err != nil {
		return 0, nil, c.readFailed(ctx, err, false)
	}
	return c.readWhole(ctx)
}

// AppendMessage is [Conn.ReadMessage] into a slice of the caller's: the payload
// is appended to dst; dst may be nil. With an error dst is returned as it was.
func (c *Conn) AppendMessage(ctx context.Context, dst []byte) (op frame.Opcode, p []byte, err error) {
	ctx = c.beyond(ctx)
	if err := c.beginRead(ctx); err != nil {
		return 0, dst, err
	}
	defer c.endRead()
	op, p, err = c.readWhole(ctx)
	if err != nil {
		return 0, dst, err
	}
	return op, append(dst, p...), nil
}

// Messages returns an iterator over the messages that come, each valid until
// the next, until the connection ends or ctx does. After a normal end, which is
// one that [CloseError.Normal] holds for, the sequence just ends; any other
// error is its last pair. Leaving the loop leaves the connection as it is.
func (c *Conn) Messages(ctx context.Context) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for {
			op, p, err := c.ReadMessage(ctx)
			if ended, ok := errors.AsType[*CloseError](err); ok && ended.Normal() {
				return
			}
			if !yield(Message{op, p}, err) || err != nil {
				return
			}
		}
	}
}

// Discard reads until the connection ends or ctx does and throws the messages
// away. It is for connections that are only written to: run it on a goroutine
// of its own, so that pings are answered and the end is noticed. The error is
// that of [Conn.ReadMessage], but nil after a normal end.
func (c *Conn) Discard(ctx context.Context) error {
	for _, err := range c.Messages(ctx) {
		if err != nil {
			return err
		}
	}
	return nil
}

// beginRead makes the caller the reader, and what was handed out before
// invalid.
func (c *Conn) beginRead(ctx context.Context) error {
	if !c.sit() {
		return c.notReader(ctx)
	}
	if err := c.ended.Load(); err != nil {
		c.stow()
		c.seat.leave()
		return err
	}
	if ctx.Err() != nil {
		c.endRead()
		return canceled("read", ctx)
	}
	return nil
}

// beginMessage gives up what the reads before have left.
func (c *Conn) beginMessage() {
	c.stream.abandon()
	c.releaseMessage()
}

// releaseMessage gives back the buffer of a message that was handed out and is
// no longer valid.
func (c *Conn) releaseMessage() {
	if c.message != nil && !c.partial {
		putBuffer(c.dropMessage())
	}
}

// notReader is the error of a second reader. While the connection is closed by
// a method that reads it, a reader waits for its end instead.
func (c *Conn) notReader(ctx context.Context) error {
	if !c.seat.closing() {
		return ErrConcurrentRead
	}
	select {
	case <-c.Done():
		return c.ended.Load()
	case <-ctx.Done():
		return canceled("read", ctx)
	}
}

// endRead ends a read, and lets others read.
func (c *Conn) endRead() {
	if c.owes {
		c.writeOwed()
	}
	if c.t.socket != nil {
		c.lookAhead()
	}
	if c.ended.Load() != nil {
		c.stow()
	}
	c.stand()
}

// stand lets others read.
func (c *Conn) stand() {
	c.seat.leave()
	if c.seat.closing() {
		c.tellReadFree()
	}
}

// tellReadFree tells those who wait for a reader to leave.
func (c *Conn) tellReadFree() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case c.ending.readFree <- struct{}{}:
	default:
	}
}

// readWhole reads a message. The result is a part of the inbox, or c.message.
func (c *Conn) readWhole(ctx context.Context) (frame.Opcode, []byte, error) {
	for {
		if op, p := c.takeWhole(); p != nil {
			return op, p, nil
		}
		if c.in.r < c.in.w || c.partial || c.stream.unread || c.seat.closing() {
			break
		}
		if err := c.fill(ctx); err == errCanceled {
			return 0, nil, c.readCanceled(ctx)
		} else if err != nil {
			return 0, nil, err
		}
	}
	return c.readPieces(ctx)
}

// takeWhole takes a message that lies whole in the inbox, or nil if none does that
// may be handed out now.
func (c *Conn) takeWhole() (frame.Opcode, []byte) {
	if c.stream.open || c.message != nil {
		c.beginMessage() // which mostly finds nothing
	}
	if c.partial || c.stream.unread || c.seat.closing() {
		return 0, nil
	}
	op, p, n := c.proto.whole(c.in.bytes())
	if p != nil {
		c.in.r += n
		c.serial++
		c.countMessage(int64(len(p)))
		c.tellReceived(op, int64(len(p)))
	}
	return op, p
}

// readPieces reads a message that does not lie whole in the inbox, or comes behind
// something else.
func (c *Conn) readPieces(ctx context.Context) (frame.Opcode, []byte, error) {
	var ev event
	for {
		err := c.next(ctx, &ev)
		if err == nil && ev.begin && ev.end {
			return ev.opcode, ev.payload, nil
		}
		if err == nil && !c.proto.compressed() {
			err = c.keepPiece(ev.payload)
		}
		for err == nil {
			c.partial = !ev.end
			if ev.end {
				return ev.opcode, c.message, nil
			}
			if rest := c.proto.frames.Remaining(); rest < c.direct() || c.in.r < c.in.w || c.proto.compressed() {
				break
			}
			err = c.nextDirect(ctx, &ev)
		}
		if err == errCanceled {
			return 0, nil, c.readCanceled(ctx)
		}
		if err != nil {
			return 0, nil, err
		}
	}
}

// keepPiece appends a piece of a message to c.message.
func (c *Conn) keepPiece(p []byte) error {
	if come := len(c.message) + len(p); come > cap(c.message) {
		if err := c.grow(come); err != nil {
			return err
		}
	}
	c.message = append(c.message, p...)
	return nil
}

// direct returns from how many octets still to come of a frame they are read
// straight into the message.
func (c *Conn) direct() int64 { return int64(min(directSize, c.in.least)) }

// grow makes room in c.message for come octets, which have come, and in proportion
// to that for others that were announced.
func (c *Conn) grow(come int) error {
	most := int64(come) + c.proto.frames.Remaining()
	if c.proto.frames.Open() {
		most = max(most, c.proto.limits.maxSize) // more fragments follow
	}
	size := min(int64(max(come, 1))*ahead, most, math.MaxInt)
	c.message = growBuffer(c.message, int(size)-len(c.message), 0)
	return c.charge()
}

// nextDirect reads more of the current frame straight into c.message, behind what is
// there.
func (c *Conn) nextDirect(ctx context.Context, ev *event) error {
	if len(c.message) == cap(c.message) {
		if err := c.grow(len(c.message)); err != nil {
			return err
		}
	}
	space := c.message[len(c.message):cap(c.message)]
	space = space[:min(int64(len(space)), c.proto.frames.Remaining())]
	n, err := c.receive(ctx, space)
	if err != nil {
		return err
	}
	if _, err := c.proto.next(space[:n], ev); err != nil {
		return c.fail(err)
	}
	c.message = c.message[:len(c.message)+n]
	c.count(ev)
	return nil
}

// readCanceled is the error of a whole message's reader when ctx has ended. In
// the middle of a frame that ends the connection.
func (c *Conn) readCanceled(ctx context.Context) error {
	if !c.proto.midFrame() && c.in.r == c.in.w {
		return canceled("read", ctx)
	}
	return c.abort(Local, fmt.Errorf("conn: read canceled in the middle of a frame: %w", context.Cause(ctx)))
}

// errCanceled says that the context of an operation has ended.
var errCanceled = errors.New("conn: canceled")

// canceled is the error of an operation whose context has ended.
func canceled(operation string, ctx context.Context) error {
	return fmt.Errorf("conn: %s: %w", operation, context.Cause(ctx))
}

// next waits for the next piece of a message; that of a compressed one is at the
// end of c.message. It handles control frames on the way, and passes over
// messages that nobody wants. The error is errCanceled or final.
func (c *Conn) next(ctx context.Context, ev *event) error {
	for {
		if !c.partial {
			c.message = c.message[:0]
		}
		ev.inflated = c.message
		n, err := c.proto.next(c.in.bytes(), ev)
		c.in.r += n
		c.message = ev.inflated
		if err != nil {
			return c.fail(err)
		}
		if err := c.charge(); err != nil { // what was inflated
			return err
		}
		switch ev.kind {
		case eventNone:
			if err := c.fill(ctx); err != nil {
				return err
			}
		case eventData:
			c.count(ev)
			if !c.stream.passOver(ev) && !c.seat.closing() {
				return nil
			}
			c.partial = false
		default:
			if err := c.control(ev); err != nil {
				return err
			}
			if !c.proto.midMessage() {
				c.waited = 0
			}
		}
	}
}

// count notes a piece of a message.
func (c *Conn) count(ev *event) {
	if ev.begin {
		c.serial++
		c.size = 0
	}
	c.size += int64(len(ev.payload))
	if ev.end {
		if c.proto.compressed() {
			c.out.deflater.received.add(int(c.size), int(c.proto.limits.size), true)
		}
		c.countMessage(c.size)
		c.tellReceived(ev.opcode, c.size)
	}
}

// countMessage notes the end of a message of size octets.
func (c *Conn) countMessage(size int64) {
	c.waited = 0
	c.received.messages++
	c.received.payload += uint64(size)
}

// tellReceived tells the hook of a message that was read.
func (c *Conn) tellReceived(op frame.Opcode, size int64) {
	if c.options.Hooks.OnMessage != nil {
		c.options.Hooks.OnMessage(c, Received, op, size)
	}
}

// fill reads more octets into the inbox.
func (c *Conn) fill(ctx context.Context) error {
	_, err := c.receive(ctx, nil)
	return err
}

// receive reads at least one octet into direct or, if that is nil, into the
// inbox. The error is errCanceled or final.
//
// A goroutine with an idle connection waits here, with the stack that it has: what
// is not needed for that is in functions of its own.
func (c *Conn) receive(ctx context.Context, direct []byte) (int, error) {
	c.beforeWait(direct)
	for {
		switch {
		case ctx.Err() != nil:
			return 0, errCanceled
		case c.evicted.Load():
			return 0, c.fail(ErrMemoryBudget)
		}
		c.publish()
		mid := c.proto.midMessage() || c.in.r < c.in.w
		begun := c.beginWait(ctx, mid)
		n, err := c.readOrWait(direct)
		if err == errWouldBlock && c.visits != nil {
			return 0, c.leave(begun, mid)
		}
		c.waits.Add(1)
		if mid {
			c.endStall(begun)
		}
		if n > 0 {
			c.received.octets += uint64(n)
			c.shared.octets.Store(c.received.octets)
			if direct == nil {
				c.in.filled(n)
			}
			return n, nil
		}
		if err != nil && !c.evicted.Load() {
			return 0, c.readFailed(ctx, err, mid)
		}
	}
}

// beforeWait gives up, before more is read into direct or the inbox, what others
// wait for or nobody needs.
func (c *Conn) beforeWait(direct []byte) {
	if c.mayHold {
		c.letGo()
	}
	if c.owes {
		c.writeOwed()
	}
	if direct == nil {
		c.releaseMessage()
	}
}

// beginWait prepares for a wait that ends with ctx, and in the middle of a message
// in time. It returns when after opened that one began.
func (c *Conn) beginWait(ctx context.Context, mid bool) (begun time.Duration) {
	var deadline time.Time
	resumed := false
	if c.visits != nil {
		begun, resumed = c.visits.resume()
	}
	if mid {
		now := time.Now()
		if resumed {
			now = c.opened.Add(begun)
		}
		begun, deadline = now.Sub(c.opened), c.stallDeadline(now)
		c.stallsAt(now)
	}
	if !resumed {
		c.waits.Add(1)
	}
	if c.visits != nil && c.visits.lazy || deadline.IsZero() && c.readBrake.ready(ctx.Done()) {
		return begun
	}
	c.readInterrupt().arm(ctx, deadline)
	return begun
}

// endStall notes the end of a wait in the middle of a message, which began at that
// time after opened.
func (c *Conn) endStall(begun time.Duration) {
	c.waited += c.now() - begun
	c.stallsAt(time.Time{})
}

// readFailed returns the error of a wait that ended with err.
func (c *Conn) readFailed(ctx context.Context, err error, mid bool) error {
	switch {
	case !isTimeout(err):
		return c.lost(err)
	case ctx.Err() != nil:
		return errCanceled
	case mid && c.limitsStalls():
		return c.fail(ErrStalled)
	}
	return c.lost(err) // the deadline is not ours
}

// limitsStalls reports whether there is a limit for waits in the middle of a
// message.
func (c *Conn) limitsStalls() bool { return c.options.StallTimeout > 0 || c.options.MessageTimeout > 0 }

// readOrWait reads once from the transport. In a visit the error is errWouldBlock if
// that would have to wait.
func (c *Conn) readOrWait(direct []byte) (int, error) {
	for {
		n, err := c.readTransport(direct)
		if err != errWouldBlock || c.visits == nil || c.visits.lazy {
			return n, err
		}
		c.await()
	}
}

// readTransport is readOrWait, but a descriptor that is polled is not waited for.
func (c *Conn) readTransport(direct []byte) (int, error) {
	switch {
	case direct != nil:
		return c.t.Read(direct)
	case c.t.socket != nil:
		return c.t.socket.read(&c.in)
	}
	if len(c.in.buf) > c.in.want {
		c.in.rest()
	}
	return c.t.Read(c.in.room())
}

// stallDeadline returns until when the next octet of a message may take, or
// zero for ever.
func (c *Conn) stallDeadline(now time.Time) time.Time {
	wait := c.options.StallTimeout
	if total := c.options.MessageTimeout; total > 0 {
		if left := max(total-c.waited, 1); wait == 0 || left < wait {
			wait = left
		}
	}
	if wait == 0 {
		return time.Time{}
	}
	return now.Add(wait)
}
