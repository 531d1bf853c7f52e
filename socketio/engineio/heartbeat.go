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

	due      time.Time // when something has to be done next
	pings    bool      // whether this side does
	waiting  bool      // whether that is to find the peer dead
	heard    bool      // whether anything came since the wait began
	extended bool      // whether the wait was made longer because of that
	glanced  bool      // whether it was made longer to read what has come
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
	h.due, h.waiting, h.heard, h.extended, h.glanced = deadline, true, false, false, false
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

// late reports whether now is so long after due that this side did not run in time,
// as it does in a process that has little to do.
func (h *heartbeat) late(now time.Time) bool { return now.Sub(h.due) > h.timeout/16 }

// glance is how long a peer may be given at most to have read what it has sent.
const glance = 100 * time.Millisecond

// expired says what there is to do. The peer is not judged while this side is deaf:
// while it does not read, or did not run in time, what the peer sent may lie unread.
// It has a second chance if anything else came. And if it is read by a goroutine that
// waits, which is woken later than a timer, that one is given a moment.
func (h *heartbeat) expired(now time.Time, deaf, woken bool) duty {
	busy := h.late(now)
	switch {
	case now.Before(h.due):
		return nothing
	case !h.waiting:
		// Tests of the protocol count from the time a ping was due.
		deadline := h.due.Add(h.timeout)
		if busy {
			deadline = now.Add(h.timeout)
		}
		h.await(deadline)
		return ping
	case deaf || busy:
		h.await(now.Add(h.timeout))
		h.heard = true
		return nothing
	case h.heard && !h.extended:
		h.due, h.extended = now.Add(h.timeout), true
		return nothing
	case woken && !h.glanced:
		h.due, h.glanced = now.Add(min(h.timeout/16, glance)), true
		return nothing
	}
	return bury
}
