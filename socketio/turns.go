package socketio

import (
	"sync"
	"sync/atomic"

	"example.org/rfc6455/socketio/parser"
)

// turns has things done one after the other, without a goroutine of its own: by the
// goroutine that brings something if nobody is at it, and else by the one that is.
type turns struct {
	session *session      // whose turns they are
	hold    atomic.Uint32 // one of the following

	mu   sync.Mutex
	busy bool  // whether a goroutine is at it
	over bool  // whether nobody needs to wait for room any more
	line *line // nil while nothing waits, and nobody for room
}

// A line is what waits for its turn.
type line struct {
	turns  []turn
	octets int           // of their packets
	room   chan struct{} // closed when the line has become shorter, and at the end; nil if nobody waits for that
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
	for t.call == nil && q.full() {
		q.await()
	}
	if q.busy {
		t.own()
		if q.line == nil {
			q.line = new(line)
		}
		q.line.turns = append(q.line.turns, t)
		q.line.octets += t.size()
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
		l := q.line
		if l == nil || len(l.turns) == 0 {
			q.hold.Store(letGo)
			q.line, q.busy = nil, false
			q.makeRoom(l)
			q.mu.Unlock()
			return
		}
		t = l.turns[0]
		l.turns[0] = turn{}
		l.turns = l.turns[1:]
		l.octets -= t.size()
		q.makeRoom(l)
		q.mu.Unlock()
	}
}

// full reports whether a packet has to wait before it may wait for its turn. It needs
// mu.
func (q *turns) full() bool {
	l := q.line
	return q.busy && l != nil && !q.over && (len(l.turns) >= q.session.server.maxWaiting() || l.octets > maxWaitingOctets)
}

// await gives up mu until the line may have become shorter.
func (q *turns) await() {
	if q.line.room == nil {
		q.line.room = make(chan struct{})
	}
	room := q.line.room
	q.mu.Unlock()
	<-room
	q.mu.Lock()
}

// makeRoom tells who awaits that l has become shorter, or that nobody needs to wait. It
// needs mu.
func (q *turns) makeRoom(l *line) {
	if l != nil && l.room != nil {
		close(l.room)
		l.room = nil
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
	q.makeRoom(q.line)
}
