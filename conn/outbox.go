package conn

import (
	"slices"
	"sync"
	"time"

	"example.org/rfc6455/frame"
)

const (
	// blockedAfter is how long a write, or a pong that waits for one, may take before
	// the write side counts as blocked, and of the pongs only the newest is kept.
	blockedAfter = 100 * time.Millisecond
	// maxPongs is how many pongs may wait in any case.
	maxPongs = 64
	// maxSpare is how many waiters are kept for others to come.
	maxSpare = 16
)

// An outbox holds the frames of one connection that wait to be written, in
// their order. One goroutine at a time, the flusher, writes them; meanwhile
// others append theirs, and when the flusher's own frame has left whoever waits
// longest takes over. The outbox does no I/O.
type outbox struct {
	mu      sync.Mutex
	options *Options // with defaults

	*queue                 // what there is of that; noQueue if nothing is
	flushing bool          // whether there is a flusher
	blocks   bool          // whether a write of the flusher is known to block
	chunks   bool          // whether no more than chunkSize is copied together for one write
	final    bool          // whether no frame may follow
	alone    int32         // octets of a message that the flusher writes although it is in no batch
	since    time.Duration // since when after Conn.opened, if blocks is set

	newest  uint64 // the number of the frame appended last; the first is 1
	written uint64 // the number of the last frame that left as a whole

	deflater  *deflater // nil unless permessage-deflate is in use
	watch     *watch    // nil where a write that blocks is found otherwise
	gathering gathering
	departed  counters // what has left

	stream *MessageWriter // between its first and its last frame; nil if none is
	err    *CloseError    // why nothing can be written any more
}

// A queue is what waits in an outbox. An outbox has one only while something does:
// most connections have nothing to send.
type queue struct {
	waiting  batch         // frames appended since the flusher last took some
	flying   batch         // frames the flusher is writing
	waiters  []*waiter     // in the order of their frames
	dropping []*waiter     // those whose context ended while their frame was flying
	spare    []*waiter     // to be used again; they stay with their connection, as synctest wants of channels
	line     []uint64      // the places of those who wait to append, in their order
	places   uint64        // how many places in the line were given
	changed  chan struct{} // closed when there may be room again; nil if nobody waits

	pongs  int           // of waiting
	ponged time.Duration // when after Conn.opened the first of them was appended

	posted     []*Prepared // messages that wait for the end of stream
	postedSize int         // octets of them

	told []item // frames that have left, of which somebody is to be told
}

// noQueue is that of outboxes in which nothing waits. It is never written to.
var noQueue queue

var queuePool = sync.Pool{New: func() any { return new(queue) }}

// own returns a queue to write to.
func (o *outbox) own() *queue {
	if o.queue == &noQueue {
		o.queue = queuePool.Get().(*queue)
	}
	return o.queue
}

// rest gives back a queue in which nothing waits.
func (o *outbox) rest() {
	q := o.queue
	if q == &noQueue || o.flushing || len(q.waiting.items) > 0 || len(q.flying.items) > 0 || len(q.waiters) > 0 ||
		len(q.dropping) > 0 || len(q.spare) > 0 || len(q.line) > 0 || len(q.posted) > 0 || len(q.told) > 0 || q.changed != nil {
		return
	}
	putBuffer(q.waiting.buf)
	putBuffer(q.flying.buf)
	*q = queue{
		waiting: batch{items: q.waiting.items[:0]}, flying: batch{items: q.flying.items[:0]},
		waiters: q.waiters[:0], dropping: q.dropping[:0], line: q.line[:0], posted: q.posted[:0],
		told: q.told[:0],
	}
	queuePool.Put(q)
	o.queue = &noQueue
}

// A waiter waits for its frame to leave.
type waiter struct {
	id    uint64
	ready chan verdict // has room for one
	cause error        // why it wants its frame back
}

// A verdict says what has become of a waiter's frame.
type verdict uint8

const (
	left    verdict = iota // it has left
	dropped                // it was taken back before its first octet left
	torn                   // a part of it has left
	kept                   // it will leave, because frames that follow refer to it
	lead                   // it waits still, and the waiter is the flusher now
	failed                 // nothing can be written any more
)

// wait enters a waiter for the frame with the number id, which was appended
// last.
func (o *outbox) wait(id uint64) *waiter {
	q := o.own()
	var w *waiter
	if last := len(q.spare) - 1; last >= 0 {
		w, q.spare = q.spare[last], q.spare[:last]
	} else {
		w = &waiter{ready: make(chan verdict, 1)}
	}
	w.id = id
	q.waiters = append(q.waiters, w)
	return w
}

// recycle keeps a waiter that has its verdict for others to come.
func (o *outbox) recycle(w *waiter) {
	if q := o.own(); len(q.spare) < maxSpare {
		q.spare = append(q.spare, w)
	}
}

// leaving returns how many octets and frames are to be written.
func (o *outbox) leaving() (octets, frames int) {
	octets, frames = o.waiting.size+o.flying.size, o.waiting.frames+o.flying.frames
	if o.alone > 0 {
		octets, frames = octets+int(o.alone), frames+1
	}
	return octets, frames
}

// queued returns how many octets and frames wait, also for the end of stream.
func (o *outbox) queued() (octets, frames int) {
	octets, frames = o.leaving()
	return octets + o.postedSize, frames + len(o.posted)
}

// full reports whether a frame of size octets has to wait for others to leave.
// Those that wait for the end of stream cannot hold up its own frames.
func (o *outbox) full(size int) bool {
	octets, frames := o.leaving()
	return o.exceeds(octets, frames, size, 1)
}

// overfull reports whether too much waits for more frames of size octets to be
// posted.
func (o *outbox) overfull(size, more int) bool {
	octets, frames := o.queued()
	return o.exceeds(octets, frames, size, more)
}

func (o *outbox) exceeds(octets, frames, size, more int) bool {
	return frames > 0 && (octets > o.options.MaxQueuedSize-size || frames > o.options.MaxQueuedFrames-more)
}

// admits reports whether a data frame of size octets may be appended by w, or as a
// whole message if that is nil: whether no other message is in progress, there is
// room, and nobody is before its place in the line; zero is no place.
func (o *outbox) admits(size int, w *MessageWriter, place uint64) bool {
	if o.stream != nil && o.stream != w || o.full(size) {
		return false
	}
	return o.stream != nil || len(o.line) == 0 || o.line[0] == place
}

// enter returns a place at the end of the line of those who wait, in which a long
// message is not passed by short ones for ever.
func (o *outbox) enter() uint64 {
	q := o.own()
	q.places++
	q.line = append(q.line, q.places)
	return q.places
}

// leave gives up a place.
func (o *outbox) leave(place uint64) {
	i := slices.Index(o.line, place)
	o.line = slices.Delete(o.line, i, i+1)
	o.wake()
}

// idle reports whether a data frame may be written at once, with nothing before it
// and nothing to wait for.
func (o *outbox) idle() bool {
	return !o.flushing && len(o.waiting.items) == 0 && o.stream == nil && len(o.line) == 0 &&
		!o.gathering.more && !o.final && o.err == nil
}

// closed returns the error for a frame that cannot follow the others, if so.
func (o *outbox) closed() error {
	switch {
	case o.err != nil:
		return o.err
	case o.final:
		return errClosing
	}
	return nil
}

// append encodes a frame behind those that wait and returns its number.
func (o *outbox) append(h frame.Header, payload []byte) uint64 {
	return o.add(h, payload, item{payload: len(payload)})
}

// add is append with an item that says what there is to know about the payload.
func (o *outbox) add(h frame.Header, payload []byte, i item) uint64 {
	o.newest++
	i.id = o.newest
	o.own().waiting.add(h, payload, i)
	return o.newest
}

// appendPrepared adds a message as it was encoded for servers.
func (o *outbox) appendPrepared(m *Prepared) uint64 {
	i := o.shares(m)
	o.own().waiting.share(i)
	return i.id
}

// shares returns a message, as it was encoded for servers, as the next frame.
func (o *outbox) shares(m *Prepared) item {
	e := o.deflater.prepared(m)
	o.newest++
	return item{id: o.newest, shared: e.wire, opcode: m.opcode, fin: true,
		payload: len(m.payload()), compressed: e.compressed, deflated: len(e.payload())}
}

// appendPong adds a pong for a ping that came at now. While the write side is
// blocked it takes the place of those that wait, and of the newest when too many
// do: a pong answers all pings before its own (RFC 6455, Section 5.5.3).
func (o *outbox) appendPong(h frame.Header, payload []byte, now time.Duration) {
	q := o.own()
	if q.pongs == 0 {
		q.ponged = now
	}
	blocked := now-q.ponged >= blockedAfter || o.blocks && now-o.since >= blockedAfter
	if blocked || q.pongs == maxPongs {
		for n := len(q.waiting.items) - 1; n >= 0 && q.pongs > 0; n-- {
			if i := &q.waiting.items[n]; i.opcode == frame.OpPong {
				q.waiting.drop(i.id)
				q.pongs--
				if !blocked {
					break
				}
			}
		}
	}
	o.append(h, payload)
	q.pongs++
}

// take returns the next octets for the flusher to write, or nil.
func (o *outbox) take(scratch *[]byte) []byte {
	q := o.own()
	if len(q.flying.items) == 0 {
		putBuffer(q.flying.buf)
		q.flying, q.waiting = q.waiting, batch{items: q.flying.items}
		q.pongs = 0
		o.gathering.holds = false
	}
	size := gatherSize
	if o.chunks {
		size = chunkSize
	}
	return q.flying.chunk(scratch, size)
}

// wrote notes that n octets of what take returned have left.
func (o *outbox) wrote(n int) {
	o.departed.octets += uint64(n)
	if id := o.flying.advance(n, o.departs); id > 0 {
		o.written = id
		for len(o.waiters) > 0 && o.waiters[0].id <= id {
			o.waiters[0].ready <- left
			o.waiters = slices.Delete(o.waiters, 0, 1)
		}
		o.wake()
	}
}

// departs notes that the frame has left of which i is the last item.
func (o *outbox) departs(i *item) {
	o.departed.add(i)
	if i.compressed {
		o.deflater.sent.add(i.payload, i.deflated, i.fin)
	}
	if i.tell {
		q := o.own()
		q.told = append(q.told, *i)
	}
}

// tells reports whether somebody is to be told of messages that nobody waits for.
func (o *outbox) tells() bool { return o.options.Hooks.OnMessage != nil }

// drop takes back a frame, which makes room. The verdict is dropped, torn, kept or
// left.
func (o *outbox) drop(id uint64) verdict {
	i := o.find(id)
	switch {
	case i == nil:
		return left
	case id == o.flying.begun:
		return torn
	case i.bound || o.referred(i):
		return kept
	case o.deflater != nil && i.context == o.deflater.context:
		o.deflater.restart()
	}
	if o.waiting.drop(id) != dropped {
		o.flying.drop(id)
	}
	o.wake()
	return dropped
}

// find returns the last item of a frame that has not left, or nil.
func (o *outbox) find(id uint64) *item {
	for _, b := range []*batch{&o.waiting, &o.flying} {
		for n := len(b.items) - 1; n >= 0; n-- {
			if b.items[n].id == id {
				return &b.items[n]
			}
		}
	}
	return nil
}

// referred reports whether a frame that follows refers to that of i.
func (o *outbox) referred(i *item) bool {
	if i.context == 0 {
		return false
	}
	refers := func(j item) bool { return j.context == i.context && j.id > i.id }
	return slices.ContainsFunc(o.waiting.items, refers) || slices.ContainsFunc(o.flying.items, refers)
}

// dropPosted drops the oldest message that nobody waits for and that has not
// begun to leave. It reports whether there was one.
func (o *outbox) dropPosted() bool {
	if i := slices.IndexFunc(o.waiting.items, func(i item) bool { return i.posted }); i >= 0 {
		return o.waiting.drop(o.waiting.items[i].id) == dropped
	}
	if len(o.posted) > 0 {
		o.postedSize -= len(o.posted[0].wire)
		o.posted = slices.Delete(o.posted, 0, 1)
		return true
	}
	return false
}

// dropAsked answers those whose context ended while their frame was flying. If
// a part of one has left the connection has to end for the cause that is
// returned, and its waiter waits for that: until then its payload is needed.
func (o *outbox) dropAsked() (cause error) {
	o.dropping = slices.DeleteFunc(o.dropping, func(w *waiter) bool {
		v := o.drop(w.id)
		if v == torn {
			cause = w.cause
			return false
		}
		w.ready <- v
		return true
	})
	return cause
}

// handOver ends the work of the flusher. It reports whether somebody has to
// become one, because frames wait for which nobody waits.
func (o *outbox) handOver() (orphaned bool) {
	if _, frames := o.leaving(); frames == 0 {
		o.flushing = false
		o.rest()
		return false
	}
	if len(o.waiters) == 0 {
		return true
	}
	o.waiters[0].ready <- lead
	o.waiters = slices.Delete(o.waiters, 0, 1)
	return false
}

// fail ends the outbox: nothing can be written any more, because of err.
func (o *outbox) fail(err *CloseError) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.err = err
	}
	o.deflater.restart()
	if !o.flushing {
		o.abandon()
	}
	o.wake()
}

// end is fail with the error that every later call returns, whatever the reason
// was until then.
func (o *outbox) end(err *CloseError) {
	o.fail(err)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = err
}

// abandon gives up the frames that wait and those who wait for them.
func (o *outbox) abandon() {
	o.flushing = false
	o.watch.stop()
	if o.queue != &noQueue {
		o.queue.abandon()
	}
}

// abandon is apart because a reader's stack has no room for it where it ends.
func (q *queue) abandon() {
	for _, w := range slices.Concat(q.waiters, q.dropping) {
		w.ready <- failed
	}
	q.waiters, q.dropping = nil, nil
	putBuffer(q.flying.buf)
	q.flying.buf = nil
}

// wake lets those who wait for room look again.
func (o *outbox) wake() {
	if o.changed != nil {
		close(o.changed)
		o.changed = nil
	}
}
