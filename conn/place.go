package conn

import "example.org/rfc6455/frame"

// A place is a connection's membership of a hub or, before it is accepted, the
// reservation for it.
type place struct {
	hub  *Hub
	conn *Conn  // nil if it is a reservation
	at   int    // index in Hub.members
	host string // of the client, if the hub counts hosts
	next *place // of the same connection in another hub; guarded by Conn.mu
}

// giveUp ends a reservation.
func (p *place) giveUp() {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	p.hub.unreserve()
	p.uncount()
}

// unreserve ends a reservation. It needs mu.
func (h *Hub) unreserve() {
	h.reserved--
	if h.changed != nil {
		close(h.changed)
		h.changed = nil
	}
}

// uncount frees p for others of its host. It needs the hub's mu.
func (p *place) uncount() {
	h := p.hub
	if p.host == "" {
		return
	}
	if h.hosts[p.host]--; h.hosts[p.host] == 0 {
		delete(h.hosts, p.host)
	}
}

// join makes c a member of the hub, unless it has ended. One that comes too late is
// closed.
func (p *place) join(c *Conn, reserved bool) {
	if !p.fill(c, reserved) {
		c.closeSoon(frame.CloseGoingAway, nil)
	}
}

// fill is join, but reports false for a connection that comes too late.
func (p *place) fill(c *Conn, reserved bool) bool {
	h := p.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	late := h.closed
	if reserved {
		h.unreserve()
		late = h.closed && h.draining == 0 // otherwise Shutdown closes it
	}
	if late || !c.link(p) {
		p.uncount()
		return !late
	}
	p.conn, p.at = c, len(h.members)
	h.members = append(h.members, p)
	return true
}

// leave ends the membership, for which the connection has no place any more.
func (p *place) leave() {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	p.drop()
}

// drop is leave with the hub's mu held.
func (p *place) drop() {
	h := p.hub
	p.uncount()
	last := len(h.members) - 1
	h.members[p.at] = h.members[last]
	h.members[p.at].at = p.at
	h.members[last] = nil
	h.members = h.members[:last]
}

// link adds p to the places of c, unless c has ended or has one in the same hub:
// that one takes the host of p then, if it has none. It needs the hub's mu.
func (c *Conn) link(p *place) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == phaseOver {
		return false
	}
	for in := c.places; in != nil; in = in.next {
		if in.hub == p.hub {
			if in.host == "" {
				in.host, p.host = p.host, ""
			}
			return false
		}
	}
	p.next, c.places = c.places, p
	return true
}

// unlink takes the place in h from those of c, and returns it, or nil if there is
// none. It needs the hub's mu.
func (c *Conn) unlink(h *Hub) *place {
	c.mu.Lock()
	defer c.mu.Unlock()
	for at := &c.places; *at != nil; at = &(*at).next {
		if p := *at; p.hub == h {
			*at = p.next
			return p
		}
	}
	return nil
}
