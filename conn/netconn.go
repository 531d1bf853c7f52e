package conn

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
	"unicode/utf8"

	"example.org/rfc6455/frame"
)

// streamSize is how many octets of a stream make a message at most.
const streamSize = 32 << 10

// NetConn returns c as a stream of octets: Read returns the payloads of the
// messages that come, whatever their type and one after the other, and Write
// sends messages of the type op, of 32 KiB at most. Read answers [io.EOF] after
// a normal end. Other methods of c should not be used meanwhile.
//
// Write returns when Options.MaxQueuedSize leaves room for its octets, as that of
// a socket does with its buffer. Deadlines are those of a [net.Conn]. Close
// delivers what was written and closes with 1000, as [Conn.Close] does.
func (c *Conn) NetConn(op frame.Opcode) net.Conn {
	return &netConn{
		c:       c,
		op:      op,
		reading: make(chan struct{}, 1),
	}
}

type netConn struct {
	c  *Conn
	op frame.Opcode

	reading chan struct{} // holds one while a goroutine reads
	message MessageReader // being read; the zero value between messages

	readAlarm, writeAlarm alarm
}

func (n *netConn) Read(p []byte) (int, error) {
	ctx := n.readAlarm.context()
	select {
	case n.reading <- struct{}{}:
		defer func() { <-n.reading }()
	case <-ctx.Done():
		return 0, n.failed("read", ctx, context.Cause(ctx))
	}
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if n.message.c == nil {
			var err error
			if n.message, err = n.c.NextReader(ctx); err != nil {
				return 0, n.failed("read", ctx, err)
			}
		}
		switch k, err := n.message.Read(ctx, p); err {
		case nil:
			return k, nil
		case io.EOF:
			n.message = MessageReader{}
		default:
			return 0, n.failed("read", ctx, err)
		}
	}
}

// Write waits for room among the octets that wait for the peer, and not until
// they have left: so a deadline never falls into the middle of a frame.
func (n *netConn) Write(p []byte) (written int, err error) {
	ctx := n.writeAlarm.context()
	for written < len(p) {
		part := p[written:]
		if len(part) > streamSize {
			part = part[:streamSize]
			for n.op == frame.OpText && !utf8.RuneStart(p[written+len(part)]) && len(part) > 1 {
				part = part[:len(part)-1]
			}
		}
		if err := n.c.enqueue(ctx, n.op, part); err != nil {
			return written, n.failed("write", ctx, err)
		}
		written += len(part)
	}
	return written, nil
}

// failed returns err as the error of a net.Conn's method.
func (n *netConn) failed(op string, ctx context.Context, err error) error {
	if ended, ok := errors.AsType[*CloseError](err); ok && ended.Normal() && op == "read" {
		return io.EOF
	}
	if ctx.Err() != nil && n.c.Err() == nil {
		err = os.ErrDeadlineExceeded
	}
	return &net.OpError{Op: op, Net: "websocket", Source: n.c.LocalAddr(), Addr: n.c.RemoteAddr(), Err: err}
}

func (n *netConn) Close() error         { return n.c.Close(frame.CloseNormalClosure, "") }
func (n *netConn) LocalAddr() net.Addr  { return n.c.LocalAddr() }
func (n *netConn) RemoteAddr() net.Addr { return n.c.RemoteAddr() }

func (n *netConn) SetDeadline(t time.Time) error {
	n.readAlarm.set(t)
	n.writeAlarm.set(t)
	return nil
}

func (n *netConn) SetReadDeadline(t time.Time) error {
	n.readAlarm.set(t)
	return nil
}

func (n *netConn) SetWriteDeadline(t time.Time) error {
	n.writeAlarm.set(t)
	return nil
}

// An alarm is a deadline that can be moved, as a context.
type alarm struct {
	mu     sync.Mutex
	ctx    context.Context // nil before the first use
	cancel context.CancelFunc
	timer  *time.Timer
	serial int // of the deadline set last
}

// context returns the context that ends at the deadline.
func (a *alarm) context() context.Context {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ctx == nil {
		a.ctx, a.cancel = context.WithCancel(context.Background())
	}
	return a.ctx
}

// set moves the deadline, also for those who wait already.
func (a *alarm) set(t time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ctx == nil || a.ctx.Err() != nil {
		a.ctx, a.cancel = context.WithCancel(context.Background())
	}
	a.serial++
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
	if t.IsZero() {
		return
	}
	if wait := time.Until(t); wait > 0 {
		serial := a.serial
		a.timer = time.AfterFunc(wait, func() { a.ring(serial) })
		return
	}
	a.cancel()
}

// ring ends the context, unless the deadline was moved.
func (a *alarm) ring(serial int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if serial == a.serial {
		a.cancel()
	}
}
