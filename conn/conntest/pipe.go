package conntest

import (
	"bytes"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// DefaultBuffer is the buffer of a [Pipe], in octets per direction, that is
// given none.
const DefaultBuffer = 64 << 10

// Pipe returns the two ends of an in-memory, full-duplex octet stream that
// behaves like a TCP connection over a network without delay.
//
// Each direction holds up to buffer octets that one end has written and the
// other has not read; a buffer of zero or less means [DefaultBuffer]. Memory is
// taken as octets arrive, not in advance.
//
// Goroutines blocked in the pipe are durably blocked in the sense of
// [testing/synctest]. A pipe used in a bubble must be made in it.
func Pipe(buffer int) (a, b *End) {
	if buffer <= 0 {
		buffer = DefaultBuffer
	}
	mu := new(sync.Mutex)
	// The addresses are of a block reserved for documentation (RFC 5737), in
	// the form that code made for TCP expects.
	a = newEnd(mu, buffer, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1})
	b = newEnd(mu, buffer, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 2})
	a.peer, b.peer = b, a
	return a, b
}

// An End is one end of a [Pipe]. It implements [net.Conn] with the semantics of
// [net.TCPConn]; all methods may be called concurrently. It retains no slice
// that is passed to it.
//
// Errors are [*net.OpError] values, except for a plain [io.EOF], and match with
// [errors.Is]:
//
//   - [io.EOF]: the peer has closed its side in an orderly way, and all it sent
//     has been read.
//   - [os.ErrDeadlineExceeded]: the deadline has passed. The error is a
//     [net.Error] with Timeout() true, and the end remains usable.
//   - [net.ErrClosed]: this end was closed by [End.Close] or [End.Reset].
//   - [syscall.ECONNRESET]: the peer has reset the connection.
//   - [syscall.EPIPE], from Write only: this end was closed for writing by
//     [End.CloseWrite], or the peer is closed.
type End struct {
	peer   *End
	limit  int          // of the octets in peer.in
	local  *net.TCPAddr // never nil
	mu     *sync.Mutex  // one for both ends; guards what follows
	in     bytes.Buffer // octets from the peer, 0 <= in.Len() <= peer.limit
	fin    bool         // the peer sends nothing after what is in in
	closed bool

	readErr  error // what Read fails with once in is empty
	writeErr error // what Write fails with

	readable sync.Cond // something changed for Read
	writable sync.Cond // something changed for Write
	writing  bool      // a Write is under way; others wait for their turn

	readDeadline  alarm
	writeDeadline alarm
}

func newEnd(mu *sync.Mutex, limit int, local *net.TCPAddr) *End {
	e := &End{mu: mu, limit: limit, local: local}
	e.readable.L, e.writable.L = mu, mu
	e.readDeadline.cond, e.writeDeadline.cond = &e.readable, &e.writable
	return e
}

// Read reads up to len(p) octets that have arrived, and waits for at least one
// if none has. An empty p reads nothing and does not wait.
//
// A read deadline that has passed wins over octets that have arrived. After
// [io.EOF] every further Read returns it too, unless the peer resets the
// connection.
func (e *End) Read(p []byte) (n int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for {
		switch {
		case e.closed:
			return 0, e.opError("read", net.ErrClosed)
		case len(p) == 0:
			return 0, nil
		case e.readDeadline.passed():
			return 0, e.opError("read", os.ErrDeadlineExceeded)
		case e.in.Len() > 0:
			n, _ = e.in.Read(p)
			e.peer.writable.Broadcast()
			return n, nil
		case e.readErr != nil:
			return 0, e.opError("read", e.readErr)
		case e.fin:
			return 0, io.EOF
		}
		e.readable.Wait()
	}
}

// Write writes p, and waits while the buffer towards the peer is full. The
// octets of one Write stay together when several goroutines write.
//
// With an error, n octets were written and have reached the peer's buffer;
// after a deadline the rest may be written once the deadline was moved. A write
// to a peer that is closed fails with [syscall.EPIPE] and provokes a reset as
// of [End.Reset] in answer (RFC 9293, Section 3.10.7.1): octets not yet read
// here are lost. A real kernel may report that only to the next Write.
func (e *End) Write(p []byte) (n int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.writing {
		if err := e.writeFault(); err != nil {
			return 0, e.opError("write", err)
		}
		e.writable.Wait()
	}
	e.writing = true
	defer func() {
		e.writing = false
		e.writable.Broadcast()
	}()
	for {
		if err := e.writeFault(); err != nil {
			return n, e.opError("write", err)
		}
		free := e.limit - e.peer.in.Len()
		switch {
		case n == len(p):
			return n, nil
		case e.peer.closed:
			e.abort(syscall.ECONNRESET, syscall.EPIPE)
		case free == 0:
			e.writable.Wait()
		default:
			m := min(len(p)-n, free)
			e.peer.in.Write(p[n : n+m])
			e.peer.readable.Broadcast()
			n += m
		}
	}
}

// writeFault returns what keeps e from writing, whatever room there is.
func (e *End) writeFault() error {
	switch {
	case e.closed:
		return net.ErrClosed
	case e.writeDeadline.passed():
		return os.ErrDeadlineExceeded
	}
	return e.writeErr
}

// Close closes both directions, as the kernel does for a socket. Blocked and
// later calls on e fail with [net.ErrClosed], a second Close too.
//
// If everything that arrived here has been read, the peer reads the octets
// still buffered for it and then [io.EOF]; if it writes, it gets what
// [End.Write] says of a closed peer. If octets that arrived have not been read, Close does what
// [End.Reset] does: the peer loses what it has not read yet (RFC 2525,
// Section 2.17; RFC 9293, Section 3.6).
func (e *End) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.in.Len() > 0 {
		return e.reset()
	}
	return e.shut("close")
}

// Reset closes e without regard for what is in flight, like a TCP RST. Blocked
// and later calls on e fail with [net.ErrClosed]. The peer loses all octets it
// has not read (RFC 9293, Section 3.10.7.4), and its blocked and later Read and
// Write calls fail with [syscall.ECONNRESET]. It fails with [net.ErrClosed] if e
// is closed.
func (e *End) Reset() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.reset()
}

func (e *End) reset() error {
	if err := e.shut("reset"); err != nil {
		return err
	}
	e.peer.abort(syscall.ECONNRESET, syscall.ECONNRESET)
	return nil
}

// shut closes e, and tells the peer that nothing more will come.
func (e *End) shut(op string) error {
	if e.closed {
		return e.opError(op, net.ErrClosed)
	}
	e.closed = true
	e.in = bytes.Buffer{}
	e.readDeadline.set(time.Time{})
	e.writeDeadline.set(time.Time{})
	e.wake()
	e.peer.fin = true
	e.peer.wake()
	return nil
}

// abort makes the connection unusable for e, which loses what it has not read.
func (e *End) abort(readErr, writeErr error) {
	e.in = bytes.Buffer{}
	e.readErr, e.writeErr = readErr, writeErr
	e.wake()
}

func (e *End) wake() {
	e.readable.Broadcast()
	e.writable.Broadcast()
}

// CloseWrite closes the direction towards the peer. The peer reads the octets
// still buffered for it and then [io.EOF], and may go on writing. Blocked and
// later Writes on e fail with [syscall.EPIPE]; Read is not affected. A second
// CloseWrite does nothing.
//
// It fails with [net.ErrClosed] if e is closed and with [syscall.ECONNRESET] if
// the peer has reset the connection.
func (e *End) CloseWrite() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed:
		return e.opError("shutdown", net.ErrClosed)
	case e.writeErr == syscall.ECONNRESET:
		return e.opError("shutdown", e.writeErr)
	}
	e.writeErr = syscall.EPIPE
	e.writable.Broadcast()
	e.peer.fin = true
	e.peer.readable.Broadcast()
	return nil
}

// LocalAddr returns the address of e, a [*net.TCPAddr]: 192.0.2.1:1 for the
// first end of a pipe and 192.0.2.2:2 for the second.
func (e *End) LocalAddr() net.Addr { return e.local }

// RemoteAddr returns the address of the peer.
func (e *End) RemoteAddr() net.Addr { return e.peer.local }

// SetDeadline sets the deadlines of Read and Write, those of blocked calls
// included. A time that has passed makes them fail at once, the zero time means
// that they do not time out. It fails with [net.ErrClosed] if e is closed.
func (e *End) SetDeadline(t time.Time) error {
	return e.set(t, &e.readDeadline, &e.writeDeadline)
}

// SetReadDeadline is [End.SetDeadline] for Read alone.
func (e *End) SetReadDeadline(t time.Time) error { return e.set(t, &e.readDeadline) }

// SetWriteDeadline is [End.SetDeadline] for Write alone.
func (e *End) SetWriteDeadline(t time.Time) error { return e.set(t, &e.writeDeadline) }

func (e *End) set(t time.Time, alarms ...*alarm) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return e.opError("set", net.ErrClosed)
	}
	for _, a := range alarms {
		a.set(t)
	}
	return nil
}

func (e *End) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: e.local, Addr: e.peer.local, Err: err}
}
