package conn

import "time"

// A heartbeat pings a peer that may be gone, and ends the connection when nothing
// comes back.
type heartbeat struct {
	pacemaker *pacemaker // nil if there is no heartbeat
	beat      *beat      // the last one, as long as it matters; guarded by Conn.mu
	pings     uint32     // the number of the last ping, whosoever it was; guarded by Conn.mu
	slot      int32      // one more than the index in the pacemaker, whose mu guards it; zero if it is not there
}

// A beat is a ping and what is expected after it. The times are after Conn.opened.
type beat struct {
	id   uint64        // of the ping; zero when its pong has come
	sent time.Duration // when it was
	next time.Duration // when the next one is due

	asked time.Duration // since when an answer is awaited; zero if none is
	heard uint64        // octets that had come then
	wait  uint32        // Conn.waits then
}

// startHeartbeat has the connection's peer pinged, by p if that is not nil.
func (c *Conn) startHeartbeat(p *pacemaker) {
	if c.options.PingInterval == 0 {
		return
	}
	if p == nil {
		p = new(pacemaker)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != phaseOpen {
		return // a hook has closed it
	}
	c.heartbeat.pacemaker = p
	p.set(c, c.options.PingInterval)
}

// pulse judges whether the peer has answered, and sends a ping when one is due.
func (c *Conn) pulse() {
	c.mu.Lock()
	h := &c.heartbeat
	if c.phase != phaseOpen {
		c.mu.Unlock()
		return
	}
	now, heard, wait := c.now(), c.shared.octets.Load(), c.waits.Load()
	b := h.beat
	if b == nil {
		b = &beat{next: now}
	}
	if heard != b.heard {
		b.asked = 0
	}
	if b.asked > 0 && now-b.asked >= c.options.PongTimeout {
		if wait == b.wait && wait%2 == 1 {
			// The reader has waited for all of this time.
			c.mu.Unlock()
			c.abort(Network, ErrPongTimeout)
			return
		}
		b.asked, b.wait = now, wait
		c.options.Logger.Warn("websocket not read: the peer's pong cannot be seen", "conn", c)
	}
	// A ping whose pong nobody is there to see is not followed by others.
	due := now >= b.next && (b.asked == 0 || wait%2 == 1)
	if due {
		b.id, b.sent, b.next = c.nextPing(), now, now+c.options.PingInterval
		if b.asked == 0 && c.options.PongTimeout > 0 {
			b.asked, b.heard, b.wait = now, heard, wait
		}
	}
	rest := b.next - now
	if left := c.options.PongTimeout - (now - b.asked); b.asked > 0 && (left < rest || rest <= 0) {
		rest = left
	}
	id := b.id
	h.beat = b
	if id == 0 && b.asked == 0 {
		h.beat = nil // all that is left of it is when the next is due
	}
	h.pacemaker.set(c, rest)
	c.mu.Unlock()
	if !due {
		return
	}

	c.out.mu.Lock()
	if c.out.closed() != nil {
		c.out.mu.Unlock()
		return
	}
	c.appendPing(id)
	c.kick()
}
