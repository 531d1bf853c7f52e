package conn

import (
	"math"
	"slices"
	"sync"
	"time"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/mask"
)

const (
	// gatherSize is up to how many octets frames are copied together for one
	// write; a longer payload is written from where it lies.
	gatherSize = 64 << 10
	// blockedAfter is how long a write may take before the write side counts
	// as blocked, and of the pongs that wait only the newest is kept.
	blockedAfter = 10 * time.Millisecond
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
	mu sync.Mutex

	waiting  batch     // frames appended since the flusher last took some
	flying   batch     // frames the flusher is writing
	flushing bool      // whether there is a flusher
	since    time.Time // since when a write of the flusher blocks; zero while none does

	newest   uint64    // the number of the frame appended last; the first is 1
	written  uint64    // the number of the last frame that left as a whole
	waiters  []*waiter // in the order of their frames
	dropping []*waiter // those whose context ended while their frame was flying
	spare    []*waiter // to be used again; they stay with their connection, as synctest wants of channels

	deflater deflater

	maxSize   int // Options.MaxQueuedSize
	maxFrames int // Options.MaxQueuedFrames
	pongs     int // of waiting

	stream     *MessageWriter // between its first and its last frame; nil if none is
	progress   int            // counts the frames of stream
	posted     []*Prepared    // messages that wait for the end of stream
	postedSize int            // octets of them
	final      bool           // whether no frame may follow
	err        error          // why nothing can be written any more
	line       []uint64       // the places of those who wait to append, in their order
	places     uint64         // how many places were given
	changed    chan struct{}  // closed when there may be room again; nil if nobody waits
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
	var w *waiter
	if last := len(o.spare) - 1; last >= 0 {
		w, o.spare = o.spare[last], o.spare[:last]
	} else {
		w = &waiter{ready: make(chan verdict, 1)}
	}
	w.id = id
	o.waiters = append(o.waiters, w)
	return w
}

// recycle keeps a waiter that has its verdict for others to come.
func (o *outbox) recycle(w *waiter) {
	if len(o.spare) < maxSpare {
		o.spare = append(o.spare, w)
	}
}

// leaving returns how many octets and frames are to be written.
func (o *outbox) leaving() (octets, frames int) {
	return o.waiting.size + o.flying.size, o.waiting.frames + o.flying.frames
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
	return frames > 0 && (octets > o.maxSize-size || frames > o.maxFrames-more)
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
	o.places++
	o.line = append(o.line, o.places)
	return o.places
}

// leave gives up a place.
func (o *outbox) leave(place uint64) {
	i := slices.Index(o.line, place)
	o.line = slices.Delete(o.line, i, i+1)
	o.wake()
}

// closed returns the error for a frame that cannot follow the others, if so.
func (o *outbox) closed() error {
	if o.err == nil && o.final {
		return errClosing
	}
	return o.err
}

// append encodes a frame behind those that wait and returns its number.
func (o *outbox) append(h frame.Header, payload []byte) uint64 {
	return o.add(h, payload, item{payload: len(payload)})
}

// add is append with an item that says what there is to know about the payload.
func (o *outbox) add(h frame.Header, payload []byte, i item) uint64 {
	o.newest++
	i.id = o.newest
	o.waiting.add(h, payload, i)
	return o.newest
}

// appendPrepared adds a message as it was encoded for servers.
func (o *outbox) appendPrepared(m *Prepared) uint64 {
	e := o.deflater.prepared(m)
	o.newest++
	o.waiting.frames++
	o.waiting.push(item{id: o.newest, shared: e.wire, opcode: m.opcode, fin: true,
		payload: len(m.payload()), compressed: e.compressed, deflated: len(e.payload())})
	return o.newest
}

// appendPong adds a pong. While the write side is blocked, or too many pongs
// wait, it takes the place of the newest that waits: a pong answers all pings
// before its own (RFC 6455, Section 5.5.3).
func (o *outbox) appendPong(h frame.Header, payload []byte) {
	blocked := !o.since.IsZero() && time.Since(o.since) >= blockedAfter
	if last := len(o.waiting.items) - 1; o.pongs > 0 && (blocked || o.pongs == maxPongs) {
		for ; last >= 0; last-- {
			if o.waiting.items[last].opcode == frame.OpPong {
				o.waiting.drop(o.waiting.items[last].id)
				o.pongs--
				break
			}
		}
	}
	o.append(h, payload)
	o.pongs++
}

// take returns the next octets for the flusher to write, or nil.
func (o *outbox) take(scratch *[]byte) []byte {
	if len(o.flying.items) == 0 {
		putBuffer(o.flying.buf)
		o.waiting.sent = o.flying.sent
		o.flying, o.waiting = o.waiting, batch{items: o.flying.items}
		o.pongs = 0
	}
	return o.flying.chunk(scratch)
}

// wrote notes that n octets of what take returned have left.
func (o *outbox) wrote(n int) {
	if id := o.flying.advance(n); id > 0 {
		o.written = id
		for len(o.waiters) > 0 && o.waiters[0].id <= id {
			o.waiters[0].ready <- left
			o.waiters = slices.Delete(o.waiters, 0, 1)
		}
		o.wake()
	}
}

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
	case i.context == o.deflater.context:
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
		putBuffer(o.flying.buf)
		o.flying.buf = nil
		o.flushing = false
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
func (o *outbox) fail(err error) {
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
func (o *outbox) end(err error) {
	o.fail(err)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = err
}

// abandon gives up the frames that wait and those who wait for them.
func (o *outbox) abandon() {
	for _, w := range slices.Concat(o.waiters, o.dropping) {
		w.ready <- failed
	}
	o.waiters, o.dropping = nil, nil
	putBuffer(o.flying.buf)
	o.flying.buf = nil
	o.flushing = false
}

// wake lets those who wait for room look again.
func (o *outbox) wake() {
	if o.changed != nil {
		close(o.changed)
		o.changed = nil
	}
}

// A batch is a sequence of frames. Those that were encoded for it lie in buf,
// one after the other; those that are shared lie where they are.
type batch struct {
	buf    []byte // of getBuffer, or nil
	gaps   int    // octets of buf that belonged to frames that were dropped
	items  []item
	off    int     // octets of items[0] that have left, 0 <= off < items[0].len()
	size   int     // octets of all items that have not left
	frames int     // of which the items are
	sent   Traffic // what has left; a batch that takes off after another goes on counting
	begun  uint64  // the number of the frame of which a part has left; 0 for none
}

// An item is a frame or a part of one.
type item struct {
	id         uint64
	start, end int    // in batch.buf, if shared is nil
	shared     []byte // not modified by anybody until it has left
	pooled     bool   // whether shared is of getBuffer, to be put back

	// Of the last item of a frame:

	opcode  frame.Opcode // of the frame's message
	fin     bool
	payload int  // octets of the frame's payload
	posted  bool // whether it is a message that nobody waits for

	compressed bool   // whether the frame's message is
	deflated   int    // octets to which the payload was compressed
	context    uint64 // deflater.context, if that was used; 0 otherwise
	bound      bool   // whether it continues a compressed message, and cannot be taken back
}

func (i *item) len() int {
	if i.shared != nil {
		return len(i.shared)
	}
	return i.end - i.start
}

func (b *batch) octets(i *item) []byte {
	if i.shared != nil {
		return i.shared
	}
	return b.buf[i.start:i.end]
}

func (b *batch) push(i item) {
	b.items = append(b.items, i)
	b.size += i.len()
}

// add encodes a frame, of which i becomes the last item. A payload too long to be
// gathered is masked into a buffer of its own, or stays where it is if it is not
// to be masked. One that is pooled is the batch's from now on.
func (b *batch) add(h frame.Header, payload []byte, i item) {
	b.frames++
	i.opcode, i.fin = h.Opcode, h.Flags.Has(frame.FIN)
	if i.compressed {
		i.deflated = len(payload)
	}
	start := len(b.buf)
	if len(payload) <= gatherSize {
		b.buf = growBuffer(b.buf, frame.MaxHeaderSize+len(payload), math.MaxInt)
		b.buf, _ = frame.AppendFrame(b.buf, h, payload) // h is ours, and legal
		if i.pooled {
			putBuffer(payload)
			i.pooled = false
		}
		i.start, i.end = start, len(b.buf)
		b.push(i)
		return
	}
	h.Length = int64(len(payload))
	b.buf = growBuffer(b.buf, frame.MaxHeaderSize, math.MaxInt)
	b.buf, _ = h.AppendBinary(b.buf)
	b.push(item{id: i.id, start: start, end: len(b.buf)})
	i.shared = payload
	switch {
	case !h.Flags.Has(frame.MASK):
	case i.pooled:
		mask.Apply(payload, h.Key)
	default:
		i.shared, i.pooled = getBuffer(len(payload))[:len(payload)], true
		mask.Copy(i.shared, payload, h.Key)
	}
	b.push(i)
}

// chunk returns what to write next: as many frames as lie side by side, or
// copies of as many as fit in scratch, or a long one as it lies. The scratch
// buffer is taken when first needed.
func (b *batch) chunk(scratch *[]byte) []byte {
	if len(b.items) == 0 {
		return nil
	}
	run, n := b.octets(&b.items[0])[b.off:], 1
	if first := b.items[0]; first.shared == nil {
		end := first.end
		for ; n < len(b.items) && b.items[n].shared == nil && b.items[n].start == end; n++ {
			end = b.items[n].end
		}
		run = b.buf[first.start+b.off : end]
	}
	if n == len(b.items) || len(run) >= gatherSize/4 {
		return run
	}
	if *scratch == nil {
		*scratch = getBuffer(gatherSize)
	}
	gathered := append((*scratch)[:0], run...)
	for i := range b.items[n:] {
		p := b.octets(&b.items[n+i])
		gathered = append(gathered, p[:min(gatherSize-len(gathered), len(p))]...)
		if len(gathered) == gatherSize {
			break
		}
	}
	return gathered
}

// advance notes that n octets have left and returns the number of the last
// frame that is thereby complete, or zero.
func (b *batch) advance(n int) (id uint64) {
	b.sent.Octets += uint64(n)
	b.size -= n
	b.off += n
	done := 0
	for ; done < len(b.items) && b.off >= b.items[done].len(); done++ {
		i := &b.items[done]
		b.off -= i.len()
		if b.begun = i.id; done+1 == len(b.items) || b.items[done+1].id != i.id {
			id, b.begun = i.id, 0
			b.frames--
			b.sent.add(i)
		}
		if i.pooled {
			putBuffer(i.shared)
		}
	}
	b.items = slices.Delete(b.items, 0, done)
	if b.off > 0 {
		b.begun = b.items[0].id
	}
	return id
}

// drop takes a frame back. The verdict is dropped, torn or left.
func (b *batch) drop(id uint64) verdict {
	if id == b.begun {
		return torn
	}
	before := len(b.items)
	b.items = slices.DeleteFunc(b.items, func(i item) bool {
		if i.id != id {
			return false
		}
		b.size -= i.len()
		if i.pooled {
			putBuffer(i.shared)
		}
		b.gaps += i.end - i.start
		return true
	})
	if len(b.items) == before {
		return left
	}
	b.frames--
	if b.gaps > len(b.buf)/2 {
		b.compact()
	}
	return dropped
}

// compact closes the gaps in buf. Otherwise frames that take the place of others
// would make it grow for as long as the peer is slow.
func (b *batch) compact() {
	n := 0
	for j := range b.items {
		i := &b.items[j]
		if i.shared != nil {
			continue
		}
		start := n
		n += copy(b.buf[n:], b.buf[i.start:i.end])
		i.start, i.end = start, n
	}
	b.buf, b.gaps = b.buf[:n], 0
}

// has reports whether b holds a frame, or a part of it.
func (b *batch) has(id uint64) bool {
	return slices.ContainsFunc(b.items, func(i item) bool { return i.id == id })
}
