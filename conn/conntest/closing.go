package conntest

import (
	"errors"
	"net"
	"syscall"
	"time"
)

// CloseWrite writes the octets held back by Gather and calls CloseWrite of the
// wrapped connection. It fails with [errors.ErrUnsupported] if that has none.
// Later Writes fail with [syscall.EPIPE].
func (c *Faulty) CloseWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.flush(); err != nil {
		return err
	}
	d := &c.write
	switch {
	case c.closed:
		return c.opError("shutdown", net.ErrClosed)
	case c.reset:
		return c.opError("shutdown", syscall.ECONNRESET)
	case d.cut():
	default:
		if err := c.unlocked(c.closeWriteWrapped); err != nil {
			return err
		}
	}
	c.finished = true
	c.wake()
	return nil
}

// Close writes the octets held back by Gather and closes the wrapped
// connection. Blocked and later calls fail with [net.ErrClosed], a second Close
// too; one that comes while the first still writes ends it.
func (c *Faulty) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.flush()
	if c.closed {
		return c.opError("close", net.ErrClosed)
	}
	c.shut()
	if c.reset {
		return nil
	}
	return errors.Join(err, c.unlocked(c.nc.Close))
}

// Reset closes the connection as the action [Reset] does, except that calls on
// c fail with [net.ErrClosed]. Octets held back are lost.
func (c *Faulty) Reset() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.opError("reset", net.ErrClosed)
	}
	c.shut()
	if c.reset {
		return nil
	}
	return c.unlocked(c.resetWrapped)
}

// flush writes the octets held back, unless they have nowhere to go or a call
// under way has charge of them.
func (c *Faulty) flush() error {
	d := &c.write
	if len(d.held) == 0 || d.busy || c.closed || c.reset || c.finished || d.cut() {
		return nil
	}
	d.busy = true
	defer d.leave()
	n, err := c.send(d, d.held)
	d.held = d.held[n:]
	return err
}

// cut reports whether nothing reaches the peer any more, or the end of the
// stream has reached it already.
func (d *direction) cut() bool {
	return d.due(d.passed) && (d.Then == Stall || d.Then == Drop || d.Then == Truncate)
}

// shut makes c closed.
func (c *Faulty) shut() {
	c.closed = true
	for _, d := range []*direction{&c.read, &c.write} {
		d.deadline.set(time.Time{})
		d.cond.Broadcast()
	}
}

func (c *Faulty) closeWriteWrapped() error {
	if cw, ok := c.nc.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return c.opError("shutdown", errors.ErrUnsupported)
}

func (c *Faulty) resetWrapped() error {
	switch nc := c.nc.(type) {
	case interface{ Reset() error }:
		return nc.Reset()
	case interface{ SetLinger(sec int) error }:
		if err := nc.SetLinger(0); err != nil {
			return errors.Join(err, c.nc.Close())
		}
	}
	return c.nc.Close()
}
