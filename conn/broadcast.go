package conn

import (
	"time"

	"example.org/rfc6455/frame"
)

// burstPause is how soon a broadcast has to follow another one for both to be of a
// burst.
const burstPause = 100 * time.Microsecond

// A Delivery counts what became of a broadcast.
type Delivery struct {
	// Taken is how many connections the message was written to or waits for.
	Taken int
	// Closed is how many were closed because too much waits for them.
	Closed int
	// Dropped is how many messages, this one or earlier ones, were dropped
	// because too much waits for their connections.
	Dropped int
	// Ended is how many take no more messages because they are closing.
	Ended int
}

// Broadcast sends a message to all connections for which to is nil or returns
// true. It does not wait for any of them: what a peer does not take at once is
// queued, as by [Conn.Post], and where the queue is full Hub.Slow decides. Broadcasts of one
// goroutine arrive in order.
//
// Messages of a burst leave together: what is broadcast at the same time as something
// else, or within a tenth of a millisecond after it, is written by a goroutine that
// begins then, and ends with it.
func (h *Hub) Broadcast(m *Prepared, to func(*Conn) bool) Delivery {
	var d Delivery
	conns, burst := h.beginBroadcast()
	held := conns[:0] // of those that were visited
	defer func() { h.endBroadcast(held) }()
	for _, c := range conns {
		if to != nil && !to(c) {
			continue
		}
		dropped, holds, err := c.post(h.Slow == SlowDropOldest, burst, m)
		if holds {
			held = append(held, c)
		}
		d.Dropped += dropped
		switch {
		case err == nil:
			d.Taken++
		case err != ErrQueueFull:
			d.Ended++
		case h.Slow == SlowClose:
			c.closeSoon(frame.ClosePolicyViolation, ErrSlowConsumer)
			d.Closed++
		default:
			d.Dropped++
		}
	}
	return d
}

// A bursting hub is one whose broadcasts may follow each other closely. Hub.mu guards
// the fields.
type bursting struct {
	running int       // broadcasts in progress
	ended   time.Time // when one did last
	held    []*Conn   // of which messages are held back for others of a burst
	letting bool      // whether a goroutine is about to let them go, or does
}

// beginBroadcast returns the connections, and whether it is one of a burst.
func (h *Hub) beginBroadcast() (conns []*Conn, burst bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b := &h.bursting
	burst = b.running > 0 || !b.ended.IsZero() && time.Since(b.ended) < burstPause
	b.running++
	return h.conns(), burst
}

// endBroadcast has those let go that hold messages back.
func (h *Hub) endBroadcast(held []*Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b := &h.bursting
	b.running--
	b.ended = time.Now()
	b.held = append(b.held, held...)
	if len(b.held) > 0 && !b.letting {
		b.letting = true
		go h.letGo()
	}
}

// letGo has written what is held back, until nothing is.
func (h *Hub) letGo() {
	for {
		h.mu.Lock()
		held := h.bursting.held
		h.bursting.held = nil
		if len(held) == 0 {
			h.bursting.letting = false
			h.mu.Unlock()
			return
		}
		h.mu.Unlock()
		for _, c := range held {
			c.letGoHeld()
		}
	}
}
