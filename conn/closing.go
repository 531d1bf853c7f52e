package conn

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"example.org/rfc6455/frame"
)

// maxDrain is how many octets are thrown away for a peer that goes on sending
// after the last frame.
const maxDrain = 16 << 20

// Close closes the connection: it sends a Close frame with the code and the
// reason, waits for the peer's and ends the transport, all within
// Options.CloseTimeout (RFC 6455, Section 7.1). Messages that were written
// before are delivered; those that still come are discarded. If a goroutine is
// reading, that one sees the end; otherwise Close reads.
//
// The code is 1000 to 1003, 1007 to 1014 or 3000 to 4999, or
// [frame.CloseNoStatusReceived] for an empty Close frame; any other is
// [frame.ErrCloseCode], and the connection goes on. Of the reason at most 123
// octets are sent, cut between two characters.
//
// Close returns nil after a closing handshake, whoever began it, and otherwise
// a [*CloseError]. It may be called more than once.
func (c *Conn) Close(code frame.CloseCode, reason string) error {
	payload, err := frame.AppendClose(nil, code, strings.ToValidUTF8(reason, "\uFFFD"))
	if err != nil {
		return fmt.Errorf("conn: close: %w", err)
	}
	c.mu.Lock()
	first := c.phase == phaseOpen
	if first {
		c.turn(turnSend)
		c.toEnd().result = CloseError{Code: frame.CloseAbnormalClosure, By: Local}
		c.startBudget()
	}
	c.mu.Unlock()
	if first {
		c.sendLast(payload)
	}
	c.awaitEnd()
	if end := c.ended.Load(); end.Err != nil {
		return end
	}
	return nil
}

// CloseNow ends the connection without a closing handshake, if it has not ended
// yet. What was not written is lost. It returns nil.
func (c *Conn) CloseNow() error {
	c.abort(Local, ErrCloseNow)
	return nil
}

// turn moves the connection to another phase and returns the one before. It
// needs mu.
func (c *Conn) turn(t turn) phase {
	from := c.phase
	c.phase = transitions[from][t]
	if !c.seat.closing() && c.phase != phaseOpen {
		c.toEnd()
		c.seat.close()
	}
	return from
}

// An ending is what a connection needs from the first sign of its end on.
type ending struct {
	result   CloseError    // what Conn.ended will hold; guarded by mu
	budget   *time.Timer   // nil before it is started; guarded by mu
	readFree chan struct{} // has room for one; told when a reader leaves; nil before awaitEnd; guarded by mu
}

// toEnd returns the ending, which it makes if there is none yet. It needs mu.
func (c *Conn) toEnd() *ending {
	if c.ending == nil {
		c.ending = new(ending)
	}
	return c.ending
}

// startBudget begins the time in which the connection has to end. It needs mu.
func (c *Conn) startBudget() {
	if e := c.toEnd(); e.budget == nil && c.options.CloseTimeout > 0 {
		e.budget = time.AfterFunc(c.options.CloseTimeout, c.overBudget)
	}
}

func (c *Conn) overBudget() {
	unsent := c.unsent()
	c.mu.Lock()
	switch {
	case c.phase == phaseSent, c.phase == phaseReceived, c.phase == phaseBoth && unsent:
		c.toEnd().result.Err = ErrCloseTimeout
	}
	c.mu.Unlock()
	c.end()
}

// unsent reports whether frames wait to be written, of which our Close frame is
// the last.
func (c *Conn) unsent() bool {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	_, frames := c.out.leaving()
	return frames > 0
}

// sendLast sends a Close frame, behind which nothing may be sent, and waits
// until it has left or the connection has ended.
func (c *Conn) sendLast(payload []byte) {
	c.out.mu.Lock()
	if c.out.closed() != nil {
		c.out.mu.Unlock()
		return
	}
	c.deliver(context.Background(), c.appendLast(payload))
}

// appendLast appends a Close frame, behind which there is no other. It needs
// out.mu.
func (c *Conn) appendLast(payload []byte) uint64 {
	c.out.final = true
	c.out.wake()
	return c.out.append(c.masked(frame.Header{Flags: frame.FIN, Opcode: frame.OpClose}), payload)
}

// awaitEnd waits for the end of the connection, as its reader if there is no
// other.
func (c *Conn) awaitEnd() {
	if c.ended.Load() != nil {
		return
	}
	c.mu.Lock()
	if c.ending.readFree == nil {
		c.ending.readFree = make(chan struct{}, 1)
	}
	free := c.ending.readFree
	c.mu.Unlock()
	for c.ended.Load() == nil {
		if c.sit() {
			c.readToEnd()
			c.seat.leave()
			return
		}
		select {
		case <-c.Done():
			return
		case <-free:
		}
	}
}

// readToEnd reads until the connection ends. Another goroutine may still use
// what it read last, so that is left to it.
func (c *Conn) readToEnd() {
	if c.ended.Load() != nil {
		return
	}
	c.in.detach()
	c.dropMessage()
	c.stream.abandon()
	var ev event
	for c.next(context.Background(), &ev) == nil {
	}
}

// peerClosed answers the peer's Close frame, or takes it as the answer to ours,
// and ends the connection.
func (c *Conn) peerClosed(code frame.CloseCode, reason string) error {
	c.mu.Lock()
	from := c.turn(turnReceive)
	switch from {
	case phaseOpen:
		c.toEnd().result = CloseError{Code: code, Reason: reason, By: Peer}
		c.startBudget()
	case phaseSent:
		c.toEnd().result = CloseError{Code: code, Reason: reason, By: Local}
	}
	c.mu.Unlock()
	if from == phaseOpen {
		// Section 5.5.1: the answer typically echoes the code.
		payload, _ := frame.AppendClose(nil, code, "")
		c.sendLast(payload)
		c.mu.Lock()
		c.turn(turnSend)
		c.mu.Unlock()
	}
	c.hangUp(c.role == frame.Server)
	return c.endReading()
}

// fail fails the connection because the peer broke a rule or a limit (RFC 6455,
// Section 7.1.7). The reader calls it.
func (c *Conn) fail(err error) error {
	code := frame.ClosePolicyViolation
	if e, ok := err.(interface{ CloseCode() frame.CloseCode }); ok {
		code = e.CloseCode()
	}
	c.mu.Lock()
	from := c.turn(turnFail)
	if from == phaseOpen || from == phaseSent {
		c.toEnd().result = CloseError{Code: code, By: Local, Err: err}
		c.startBudget()
	}
	c.mu.Unlock()
	putBuffer(c.dropMessage()) // it is not needed for what may take its time
	if from == phaseOpen {
		payload, _ := frame.AppendClose(nil, code, "")
		c.sendLast(payload)
	}
	c.hangUp(true)
	return c.endReading()
}

// closeSoon closes the connection without waiting for anything: what was posted
// and is not on its way is dropped, and the connection ends when its reader has
// seen the peer's Close frame, or after Options.CloseTimeout.
func (c *Conn) closeSoon(code frame.CloseCode, cause error) {
	c.mu.Lock()
	if c.phase != phaseOpen {
		c.mu.Unlock()
		return
	}
	c.turn(turnFail)
	c.toEnd().result = CloseError{Code: code, By: Local, Err: cause}
	c.startBudget()
	c.mu.Unlock()
	payload, _ := frame.AppendClose(nil, code, "")
	c.out.mu.Lock()
	for c.out.dropPosted() {
	}
	c.appendLast(payload)
	c.kick()
}

// hangUp lets the peer have all that was sent before the transport is closed:
// closing it while octets of the peer are unread could destroy them. Whoever is
// first to close TCP (Section 7.1.1 wants the server to) ends its own octets;
// the other one waits for that.
func (c *Conn) hangUp(first bool) {
	c.publish()
	if c.visits != nil {
		c.visits.lazy = false // the last visit stays until the end
	}
	if first {
		c.awaitLast()
		if !c.t.closeWrite() {
			return
		}
	}
	if !c.readBrake.ready(nil) {
		c.readInterrupt().arm(context.Background(), time.Time{})
	}
	for drained := 0; drained < maxDrain; {
		c.in.r = c.in.w
		n, err := c.readOrWait(nil)
		if err != nil && c.readBrake.poked() {
			c.readBrake.disarm()
			continue
		}
		if err == io.EOF && !first {
			c.awaitLast() // the peer may still read
		}
		if err != nil {
			return
		}
		drained += n
	}
}

// awaitLast waits until our Close frame, which another goroutine may be about to
// send, has left behind all that waits.
func (c *Conn) awaitLast() {
	o := &c.out
	o.mu.Lock()
	defer o.mu.Unlock()
	for (o.flushing || !o.final) && o.err == nil {
		c.awaitChange(context.Background(), nil)
	}
}

// lost ends the connection after the transport has ended or failed with err.
// The reader calls it.
func (c *Conn) lost(err error) error {
	c.publish()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	c.mu.Lock()
	open := c.phase == phaseOpen
	if open && c.toEnd().result.Err == nil {
		c.toEnd().result = CloseError{Code: frame.CloseAbnormalClosure, By: Network, Err: err}
		if err == io.ErrUnexpectedEOF {
			c.startBudget()
		}
	}
	c.mu.Unlock()
	if open && err == io.ErrUnexpectedEOF {
		c.letGoHeld()
		c.awaitWritten()
	}
	c.mu.Lock()
	if c.phase == phaseSent { // perhaps only since
		c.toEnd().result.Err = err
	}
	c.mu.Unlock()
	return c.endReading()
}

// awaitWritten waits until all that waits has left, for a peer that sends no
// more but may still read.
func (c *Conn) awaitWritten() {
	o := &c.out
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.flushing && o.err == nil {
		c.awaitChange(context.Background(), nil)
	}
}

// endReading ends the connection as its reader, who gives back its buffers.
func (c *Conn) endReading() error {
	c.in.release()
	c.proto.inflater.release()
	putBuffer(c.dropMessage())
	return c.end()
}

// abort ends the connection at once. Unless the closing handshake was done that is
// because of err.
func (c *Conn) abort(by Party, err error) error {
	unsent := c.unsent()
	c.mu.Lock()
	switch {
	case c.phase == phaseOpen, c.phase == phaseSent:
		c.toEnd().result = CloseError{Code: frame.CloseAbnormalClosure, By: by, Err: err}
	case c.phase == phaseReceived, c.phase == phaseBoth && unsent:
		c.toEnd().result.Err = err
	}
	c.mu.Unlock()
	return c.end()
}

// end closes the transport and tells everybody. It returns how the connection
// ended, which is what the first call found.
//
// It is called deep in the stack of a reader, so what it does is in functions one
// after the other instead of one below the other: most goroutines end with the 2 KiB
// that they began with.
func (c *Conn) end() error {
	if c.conclude() {
		c.closeTransport()
		c.cleanUp()
	}
	return c.ended.Load()
}

// conclude settles how the connection has ended, unless that was done before.
func (c *Conn) conclude() (first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == phaseSent && c.toEnd().result.Err == nil { // since lost has looked
		c.toEnd().result.Err = io.ErrUnexpectedEOF
	}
	if c.turn(turnEnd) == phaseOver {
		return false
	}
	e := c.toEnd()
	c.ended.Store(&e.result)
	if e.budget != nil {
		e.budget.Stop()
	}
	if p := c.heartbeat.pacemaker; p != nil {
		p.remove(c)
	}
	for _, f := range c.followers.tellOver() {
		go (*f)()
	}
	return true
}

func (c *Conn) closeTransport() {
	if c.ended.Load().Err == nil {
		c.t.Close()
	} else {
		closeNow(c.t.stream)
	}
}

// cleanUp tells everybody of the end, and gives back what belongs to the connection.
func (c *Conn) cleanUp() {
	c.out.end(c.ended.Load())
	c.options.MemoryBudget.release(c)
	if c.seat.take() { // otherwise the reader does it
		if c.intake != nil {
			c.proto.inflater.release()
			c.stow()
		}
		c.seat.leave()
	}
	c.readBrake.release()
	c.writeBrake.release()
	c.mu.Lock()
	places := c.places
	c.places = nil
	c.mu.Unlock()
	for p := places; p != nil; p = p.next {
		p.leave()
	}
	defer c.told() // even if the hook panics
	if c.options.Hooks.OnClose != nil {
		c.options.Hooks.OnClose(c, c.ended.Load())
	}
	c.logEnd()
}

// logEnd is apart because of what a record takes of the stack.
func (c *Conn) logEnd() {
	if l, err := c.options.Logger, c.ended.Load(); l.Enabled(context.Background(), slog.LevelDebug) {
		l.Debug("websocket closed", "conn", c, "code", int(err.Code), "by", err.By.String(), "error", err)
	}
}

// told tells those who wait for Done.
func (c *Conn) told() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done = true
	c.followers.tellDone()
}
