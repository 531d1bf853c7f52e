package socketio

import (
	"sync"
	"sync/atomic"

	"example.org/rfc6455/socketio/parser"
)

// turns has things done one after the other, without a goroutine of its own: by the
// goroutine that brings something if nobody is at it, and else by the one that is.
type turns struct {
	session *session // whose turns they are
	limit   int      // how many packets may wait

	hold atomic.Uint32 // one of the following

	mu      sync.Mutex
	room    sync.Cond // signaled when waiting has become shorter, and at the end
	busy    bool      // whether a goroutine is at it
	waiting []turn
	octets  int  // of the packets in waiting
	over    bool // whether nobody needs to wait for room any more
}

// Whether turns keep the session from being read, because the goroutine that brings
// packets is at it.
const (
	letGo    uint32 = iota // they do not
	held                   // they do, until somebody waits for a packet
	borrowed               // they do: a packet is in use that is valid as long as its message
	awaited                // likewise, and somebody waits for another one
)

// A turn is something to be done: a packet to be handled, or a function to be called.
type turn struct {
	packet   parser.Packet
	borrowed bool // whether the packet is valid until the session is read again
	args     []Value
	call     func([]Value) // nil for a packet
}

// own makes the packet valid for ever.
func (t *turn) own() {
	if t.borrowed {
		t.packet, t.borrowed = t.packet.Clone(), false
	}
}

// maxWaitingOctets is how much may be in packets that wait for their turn.
const maxWaitingOctets = 1 << 20

// size returns the octets of a packet that waits.
func (t *turn) size() int { return octets(&t.packet) }

// run calls a function in turn. It waits for nothing.
func (q *turns) run(args []Value, call func([]Value)) { q.take(turn{args: args, call: call}) }

// take does t now, and what comes meanwhile; or leaves it to who is at it. A packet
// waits for room then, so that who brings packets is held up.
func (q *turns) take(t turn) {
	q.mu.Lock()
	for q.busy && t.call == nil && !q.over && (len(q.waiting) >= q.limit || q.octets > maxWaitingOctets) {
		q.room.Wait()
	}
	if q.busy {
		t.own()
		q.waiting = append(q.waiting, t)
		q.octets += t.size()
		q.mu.Unlock()
		return
	}
	q.busy = true
	switch {
	case t.borrowed:
		q.hold.Store(borrowed)
	case t.call == nil:
		q.hold.Store(held)
	}
	q.mu.Unlock()
	for {
		q.do(&t)
		q.giveBack()
		q.mu.Lock()
		q.room.Broadcast()
		if len(q.waiting) == 0 {
			q.hold.Store(letGo)
			q.waiting, q.busy = nil, false
			q.mu.Unlock()
			return
		}
		t = q.waiting[0]
		q.waiting[0] = turn{}
		q.waiting = q.waiting[1:]
		q.octets -= t.size()
		q.mu.Unlock()
	}
}

// letOn has packets brought although what is being done is not done: it, or somebody
// else, waits for one.
func (q *turns) letOn() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.hold.CompareAndSwap(held, letGo) {
		q.session.engine.Release()
	} else {
		q.hold.CompareAndSwap(borrowed, awaited)
	}
}

// giveBack ends the use of a packet that is borrowed, if that has not ended. It is for
// who does what is done.
func (q *turns) giveBack() {
	if q.hold.Load() <= held || q.hold.CompareAndSwap(borrowed, held) {
		return
	}
	q.hold.Store(letGo)
	q.session.engine.Release()
}

// do does t. After a panic it goes on with the next.
func (q *turns) do(t *turn) {
	defer func() {
		if v := recover(); v != nil {
			q.session.panicked(newPanicError(v))
		}
	}()
	if t.call != nil {
		t.call(t.args)
		return
	}
	q.session.handle(t)
}

// stop has nobody wait for room any more.
func (q *turns) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.over = true
	q.room.Broadcast()
}
