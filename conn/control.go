package conn

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"example.org/rfc6455/frame"
)

// A pinging is a ping that waits for its pong.
type pinging struct {
	id   uint64
	sent time.Duration      // after Conn.opened
	rtt  chan time.Duration // has room for one
}

// Ping sends a ping and waits for its pong (RFC 6455, Sections 5.5.2 and
// 5.5.3). It returns the round-trip time. Any number of goroutines may ping.
//
// The pong is seen only while a goroutine reads: when ctx ends and there is
// none, the error matches [ErrNoReader], too. The other errors are those of
// [Conn.WriteMessage].
func (c *Conn) Ping(ctx context.Context) (time.Duration, error) {
	ctx = c.beyond(ctx)
	p := &pinging{sent: c.now(), rtt: make(chan time.Duration, 1)}
	c.mu.Lock()
	p.id = c.nextPing()
	f := c.follow()
	f.pings = append(f.pings, p)
	c.mu.Unlock()
	defer c.forgetPing(p)

	c.out.mu.Lock()
	err := c.out.closed()
	if err == nil {
		err = c.deliver(ctx, c.appendPing(p.id))
	} else {
		c.out.mu.Unlock()
	}
	if err != nil {
		return 0, err
	}
	select {
	case rtt := <-p.rtt:
		return rtt, nil
	case <-c.Done():
		return 0, c.Err()
	case <-ctx.Done():
	}
	if !c.seat.taken() {
		return 0, fmt.Errorf("%w: %w", ErrNoReader, context.Cause(ctx))
	}
	return 0, canceled("ping", ctx)
}

// nextPing returns the number of a ping, which is never zero. It needs mu.
func (c *Conn) nextPing() uint64 {
	c.heartbeat.pings++
	return uint64(c.heartbeat.pings)
}

// appendPing appends a ping that carries id. It needs out.mu.
func (c *Conn) appendPing(id uint64) uint64 {
	payload := binary.BigEndian.AppendUint64(nil, id)
	return c.out.append(c.masked(frame.Header{Flags: frame.FIN, Opcode: frame.OpPing}), payload)
}

func (c *Conn) forgetPing(p *pinging) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.followers.pings = slices.DeleteFunc(c.followers.pings, func(q *pinging) bool { return p == q })
}

// control handles a control frame. The error is final.
func (c *Conn) control(ev *event) error {
	c.received.control++
	if ev.kind == eventClose {
		return c.peerClosed(ev.code, string(ev.payload))
	}
	now := c.now()
	if err := c.rate.count(now, c.options.MaxControlRate); err != nil {
		return c.fail(err)
	}
	if ev.kind == eventPong {
		c.pong(ev.payload, now)
		return nil
	}
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if c.out.closed() == nil {
		c.out.appendPong(c.masked(frame.Header{Flags: frame.FIN, Opcode: frame.OpPong}), ev.payload, now)
		c.owes = true
	}
	return nil
}

// pong notes the answer to a ping, which came at now; one that nobody asked for is ignored
// (Section 5.5.3).
func (c *Conn) pong(payload []byte, now time.Duration) {
	if len(payload) != 8 {
		return
	}
	id := binary.BigEndian.Uint64(payload)
	c.mu.Lock()
	sent, ok := c.followers.answered(id, now)
	if b := c.heartbeat.beat; !ok && b != nil && b.id == id {
		sent, ok = b.sent, true
		b.id = 0
	}
	c.mu.Unlock()
	if ok && c.options.Hooks.OnPong != nil {
		c.options.Hooks.OnPong(c, now-sent)
	}
}

// answered tells the one who sent the ping with that id of a pong that came at now.
// It returns when the ping was sent, if somebody has.
func (f *followers) answered(id uint64, now time.Duration) (sent time.Duration, ok bool) {
	if f == nil {
		return 0, false
	}
	i := slices.IndexFunc(f.pings, func(p *pinging) bool { return p.id == id })
	if i < 0 {
		return 0, false
	}
	p := f.pings[i]
	select {
	case p.rtt <- now - p.sent:
	default: // the peer answered twice
	}
	return p.sent, true
}
