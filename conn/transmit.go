package conn

import (
	"context"
	"fmt"
	"time"

	"example.org/rfc6455/frame"
)

// transmit writes p to the transport and returns how many octets were taken. Fewer
// than all mean that somebody may have a frame to take back, or that a failure has
// ended the octets of this side. It needs out.mu, which it gives up meanwhile.
func (c *Conn) transmit(ctx context.Context, p []byte) (n int) {
	watched := c.watched()
	if watched {
		c.beginWrite(ctx)
	}
	c.out.mu.Unlock()
	var err error
	if c.t.socket == nil {
		n, err = c.putStream(ctx, p)
	} else if n, err = c.t.socket.write(p); n < len(p) && err == nil {
		n, err = c.putSlowly(ctx, p, n, c.blockedSince())
	}
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

// putStream writes p to what is not a socket. A short n without an error means that
// somebody may have a frame to take back. The error is errCanceled or fatal.
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
		c.writeInterrupt().arm(ctx, pace.deadline(now))
		var err error
		m, err = c.t.Write(p[n:])
		n += m
		if on, err := c.judge(ctx, err); !on {
			return n, err
		}
		if n == len(p) {
			c.writeBrake.disarm()
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
// what putStream returns.
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
	return !c.writeBrake.poked(), nil
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
		c.toEnd().result = *ended
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
	return c.out.closed()
}
