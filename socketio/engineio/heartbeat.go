package engineio

import (
	"time"

	"example.org/rfc6455/socketio/engineio/codec"
)

// A heartbeat finds out whether the peer is there. One side pings: the server in
// revision 4, the client in revision 3. The other side expects that. A heartbeat
// does not know which transport carries it, so a deadline outlives an upgrade.
type heartbeat struct {
	interval, timeout time.Duration
	pings             bool // whether this side does

	due      time.Time // when something has to be done next
	waiting  bool      // whether that is to find the peer dead
	heard    bool      // whether anything came since the wait began
	extended bool      // whether the wait was made longer because of that
}

// start begins the first interval.
func (h *heartbeat) start(now time.Time) {
	if h.pings {
		h.due = now.Add(h.interval)
		return
	}
	h.await(now.Add(h.interval + h.timeout))
}

// await begins to wait for the peer.
func (h *heartbeat) await(deadline time.Time) {
	h.due, h.waiting, h.heard, h.extended = deadline, true, false, false
}

// received notes a packet of the peer. It reports whether due has changed.
func (h *heartbeat) received(t codec.Type) bool {
	h.heard = true
	switch {
	case h.pings && t == codec.Pong && h.waiting:
		h.waiting = false
		h.due = time.Now().Add(h.interval)
		return true
	case !h.pings && t == codec.Ping:
		h.await(time.Now().Add(h.interval + h.timeout))
		return true
	}
	return false
}

// A duty is what a heartbeat wants done.
type duty uint8

const (
	nothing duty = iota // before due
	ping                // send a ping
	bury                // the peer is gone
)

// expired says what there is to do. The peer is not judged while this side is deaf:
// while it does not read, or did not run in time, what the peer sent may lie
// unread. And it has a second chance if anything else came.
func (h *heartbeat) expired(now time.Time, deaf bool) duty {
	late := now.Sub(h.due)
	switch {
	case late < 0:
		return nothing
	case !h.waiting:
		// A test of the protocol counts from the time a ping was due.
		deadline := h.due.Add(h.timeout)
		if late > h.timeout/4 {
			deadline = now.Add(h.timeout)
		}
		h.await(deadline)
		return ping
	case deaf || late > h.timeout/4:
		h.await(now.Add(h.timeout))
		h.heard = true
		return nothing
	case h.heard && !h.extended:
		h.due, h.extended = now.Add(h.timeout), true
		return nothing
	}
	return bury
}
