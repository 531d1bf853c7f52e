package conn

import "context"

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
