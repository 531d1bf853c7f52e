package conntest

import (
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// A Faulty is a connection that misbehaves as its [Faults] say. It implements
// [net.Conn]; all methods may be called concurrently, and concurrent Reads take
// turns, as do concurrent Writes. It retains no slice that is passed to it.
//
// Errors of the wrapped connection are returned as they are. A Faulty's own are
// [*net.OpError] values, except for a plain [io.EOF]: besides those that
// [Action] lists these are [os.ErrDeadlineExceeded] and [net.ErrClosed].
type Faulty struct {
	nc net.Conn

	mu       sync.Mutex // not held while nc may block
	read     direction
	write    direction
	closed   bool // by Close or Reset
	reset    bool // by the action Reset
	finished bool // by CloseWrite
}

// A direction is the state of a [Flow]. The mutex of its Faulty guards it.
type direction struct {
	Flow
	op       string    // for errors
	cond     sync.Cond // something changed for this direction
	busy     bool      // a call is under way; others wait for their turn
	passed   int64     // octets returned by Read, or taken by nc.Write
	held     []byte    // octets that Gather keeps back
	ready    []byte    // octets that Read may return at once
	next     time.Time // when the next octet has taken its time; zero when none is on its way
	pace     alarm
	deadline alarm
}

// Inject returns a connection that is nc with faults. Close nc through it, and
// leave nc's deadlines to it. A copy of f is kept.
func Inject(nc net.Conn, f Faults) *Faulty {
	c := &Faulty{nc: nc}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read.init(&c.mu, "read", f.Read)
	c.write.init(&c.mu, "write", f.Write)
	c.pass(&c.read, 0)
	c.pass(&c.write, 0)
	return c
}

func (d *direction) init(mu *sync.Mutex, op string, f Flow) {
	d.Flow, d.op = f, op
	d.After = max(f.After, 0)
	d.SplitAt = slices.Clone(f.SplitAt)
	d.cond.L = mu
	d.pace.cond, d.deadline.cond = &d.cond, &d.cond
}

// Passed returns how many octets have passed in each direction: read were
// returned by Read, written were taken by the wrapped connection. Octets held
// back or dropped are not counted.
func (c *Faulty) Passed() (read, written int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.read.passed, c.write.passed
}

// Read reads octets that the faults of the flow let pass.
func (c *Faulty) Read(p []byte) (n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := &c.read
	if err := c.enter(d); err != nil {
		return 0, err
	}
	defer d.leave()
	switch {
	case len(p) == 0:
		return 0, nil
	case d.due(d.passed):
		return 0, c.act(d)
	}
	p = p[:d.piece(len(p), d.passed)]
	if d.Gather > 1 {
		if err := c.gather(d); err != nil {
			return 0, err
		}
		n = copy(p, d.ready)
		d.ready = d.ready[n:]
	} else {
		n, err = c.receive(d, p)
	}
	c.pass(d, n)
	return n, err
}

// gather waits until there are octets to return.
func (c *Faulty) gather(d *direction) error {
	if len(d.ready) > 0 {
		return nil
	}
	want := int(d.untilThen(int64(d.Gather), d.passed))
	d.held = slices.Grow(d.held, want-len(d.held))
	for len(d.held) < want {
		n, err := c.receive(d, d.held[len(d.held):want])
		d.held = d.held[:len(d.held)+n]
		if err == io.EOF && len(d.held) > 0 {
			break // nc will say so again
		}
		if err != nil {
			return err
		}
	}
	d.ready, d.held = d.held, nil
	return nil
}

// receive reads from nc at the pace of the flow.
func (c *Faulty) receive(d *direction, p []byte) (n int, err error) {
	if d.PerOctet > 0 {
		p = p[:1]
	}
	return c.move(d, c.nc.Read, p)
}

// Write writes p through the faults of the flow.
func (c *Faulty) Write(p []byte) (n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := &c.write
	if err := c.enter(d); err != nil {
		return 0, err
	}
	defer d.leave()
	if d.Gather <= 1 {
		return c.send(d, p)
	}
	held := len(d.held)
	data := append(d.held, p...)
	if len(data) < d.Gather && !d.due(d.passed) {
		d.held = data
		return len(p), nil
	}
	n, err = c.send(d, data)
	d.held = data[min(n, held):held]
	return max(n-held, 0), err
}

// send writes data to nc in the pieces and at the pace of the flow.
func (c *Faulty) send(d *direction, data []byte) (n int, err error) {
	for n < len(data) {
		if err := c.fault(d); err != nil {
			return n, err
		}
		if d.due(d.passed) {
			if d.Then == Drop {
				return len(data), nil
			}
			return n, c.act(d)
		}
		m := d.piece(len(data)-n, d.passed)
		k, err := c.move(d, c.nc.Write, data[n:n+m])
		n += k
		c.pass(d, k)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// move calls rw, a method of nc, when the octet it is about has taken its time.
func (c *Faulty) move(d *direction, rw func([]byte) (int, error), p []byte) (n int, err error) {
	if d.PerOctet > 0 {
		if d.next.IsZero() {
			d.next = time.Now().Add(d.PerOctet)
		}
		d.pace.set(d.next)
		for !d.pace.passed() {
			if err := c.fault(d); err != nil {
				d.pace.set(time.Time{})
				return 0, err
			}
			d.cond.Wait()
		}
	}
	c.mu.Unlock()
	n, err = rw(p)
	c.mu.Lock()
	if n > 0 {
		d.next = time.Time{}
	}
	if err != nil && (c.closed || c.reset) {
		err = c.fault(d) // nc was closed to end the call
	}
	return n, err
}

// pass counts n octets that have passed, and does what Then says must happen
// after them without waiting for a call.
func (c *Faulty) pass(d *direction, n int) {
	d.passed += int64(n)
	if c.closed || c.reset || !d.due(d.passed) {
		return
	}
	switch {
	case d.Then == Reset:
		c.reset = true
		c.wake()
		c.unlocked(c.resetWrapped)
	case d.Then == Truncate && d == &c.write:
		c.unlocked(func() error {
			err := c.closeWriteWrapped()
			if errors.Is(err, errors.ErrUnsupported) {
				return c.nc.Close()
			}
			return err
		})
	}
}

// act does what Then says must happen to a call that goes beyond After.
func (c *Faulty) act(d *direction) error {
	switch d.Then {
	case Truncate:
		if d == &c.read {
			return io.EOF
		}
		return c.opError(d.op, syscall.EPIPE)
	case Fail:
		return c.opError(d.op, syscall.EIO)
	case Interrupt:
		d.Then = Nothing
		return c.opError(d.op, syscall.EINTR)
	case Drop:
		c.unlocked(func() error {
			_, err := io.Copy(io.Discard, struct{ io.Reader }{c.nc})
			return err
		})
	}
	for {
		if err := c.fault(d); err != nil {
			return err
		}
		d.cond.Wait()
	}
}

// enter waits until no other call is under way in d.
func (c *Faulty) enter(d *direction) error {
	for {
		if err := c.fault(d); err != nil {
			return err
		}
		if !d.busy {
			d.busy = true
			return nil
		}
		d.cond.Wait()
	}
}

func (d *direction) leave() {
	d.busy = false
	d.cond.Broadcast()
}

// fault returns what keeps d from moving octets, whatever Then says.
func (c *Faulty) fault(d *direction) error {
	switch {
	case c.closed:
		return c.opError(d.op, net.ErrClosed)
	case d.deadline.passed():
		return c.opError(d.op, os.ErrDeadlineExceeded)
	case c.reset:
		return c.opError(d.op, syscall.ECONNRESET)
	case c.finished && d == &c.write:
		return c.opError(d.op, syscall.EPIPE)
	}
	return nil
}

func (c *Faulty) wake() {
	c.read.cond.Broadcast()
	c.write.cond.Broadcast()
}

// unlocked calls f, which may block, without the mutex.
func (c *Faulty) unlocked(f func() error) error {
	c.mu.Unlock()
	defer c.mu.Lock()
	return f()
}

// LocalAddr returns the local address of the wrapped connection.
func (c *Faulty) LocalAddr() net.Addr { return c.nc.LocalAddr() }

// RemoteAddr returns the remote address of the wrapped connection.
func (c *Faulty) RemoteAddr() net.Addr { return c.nc.RemoteAddr() }

// SetDeadline sets the deadlines of Read and Write, here and of the wrapped
// connection: they end the waits of faults like any other.
func (c *Faulty) SetDeadline(t time.Time) error {
	return c.set(t, c.nc.SetDeadline, &c.read, &c.write)
}

// SetReadDeadline is [Faulty.SetDeadline] for Read alone.
func (c *Faulty) SetReadDeadline(t time.Time) error {
	return c.set(t, c.nc.SetReadDeadline, &c.read)
}

// SetWriteDeadline is [Faulty.SetDeadline] for Write alone.
func (c *Faulty) SetWriteDeadline(t time.Time) error {
	return c.set(t, c.nc.SetWriteDeadline, &c.write)
}

func (c *Faulty) set(t time.Time, wrapped func(time.Time) error, ds ...*direction) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.opError("set", net.ErrClosed)
	}
	for _, d := range ds {
		d.deadline.set(t)
	}
	if c.reset {
		return nil // the wrapped connection is closed
	}
	return wrapped(t) // with the lock, so that both see the same order of calls
}

func (c *Faulty) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: c.nc.LocalAddr().Network(), Source: c.nc.LocalAddr(), Addr: c.nc.RemoteAddr(), Err: err}
}
