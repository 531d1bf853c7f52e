package conn

import (
	"math"

	"example.org/rfc6455/frame"
)

// Post sends prepared messages without waiting: all of them, in their order and
// with no other message between them, or with an error none. What the peer does
// not take at once is queued, and is sent as the peer takes it. Whether anything
// is, [Conn.Stats] tells.
//
// The error is [ErrQueueFull] when that would exceed Options.MaxQueuedSize or
// Options.MaxQueuedFrames: the connection goes on, and none of ms was queued. What
// finds nothing queued is taken whatever its size. Otherwise the error is that of a
// connection that takes no more messages, as of [Conn.WriteMessage].
//
// Post does not retain ms. The messages of one goroutine are sent in its order,
// those that it writes included.
func (c *Conn) Post(ms ...*Prepared) error {
	_, _, err := c.post(false, false, ms...)
	return err
}

// post is Post. If too much is queued already and dropOldest is set, messages that
// were posted earlier make room. Those of a burst are held back for others, if that can
// be, and holds then says that the caller has to call letGoHeld.
func (c *Conn) post(dropOldest, burst bool, ms ...*Prepared) (dropped int, holds bool, err error) {
	o := &c.out
	o.mu.Lock()
	if !burst && len(ms) == 1 && o.idle() && c.t.socket != nil && c.role == frame.Server && !o.tells() && len(ms[0].wire) <= math.MaxInt32 {
		c.postAlone(ms[0])
		return 0, false, nil
	}
	size := 0
	for _, m := range ms {
		size += len(m.wire)
	}
	for o.overfull(size, len(ms)) && o.closed() == nil {
		if o.gathering.holds {
			c.kick() // which may make room
			o.mu.Lock()
			continue
		}
		if !dropOldest || !o.dropPosted() {
			o.mu.Unlock()
			return dropped, false, ErrQueueFull
		}
		dropped++
	}
	if err := o.closed(); err != nil {
		o.mu.Unlock()
		return dropped, false, err
	}
	if o.stream != nil {
		q := o.own()
		q.posted = append(q.posted, ms...)
		q.postedSize += size
		o.mu.Unlock()
		return dropped, false, nil
	}
	for _, m := range ms {
		c.appendPosted(m)
	}
	if burst && c.t.socket != nil && !o.flushing && o.waiting.size < gatherSize {
		holds = !o.gathering.holds // otherwise somebody has to let go already
		o.gathering.holds = true
		o.mu.Unlock()
		return dropped, holds, nil
	}
	c.launch()
	return dropped, false, nil
}

// postAlone is what appendPosted and launch come to for a message before which there
// is nothing on a socket, if nobody is to be told of it: its octets are written from
// where they are shared. It needs out.mu, and releases it.
func (c *Conn) postAlone(m *Prepared) {
	o := &c.out
	o.flushing = true
	i := o.shares(m)
	o.alone = int32(len(i.shared))
	o.mu.Unlock()
	n, err := c.t.socket.write(i.shared)
	if err != nil {
		c.writeFailed(err)
	}
	o.mu.Lock()
	o.alone = 0
	all := n == len(i.shared) && o.err == nil
	if all && len(o.waiting.items) == 0 {
		o.written, o.flushing = i.id, false
		o.departed.octets += uint64(n)
		o.departed.add(&i)
		o.wake()
		o.mu.Unlock()
		return
	}
	o.own().flying.share(i)
	o.wrote(n)
	if all {
		o.flushing = false
		c.kick()
		return
	}
	o.mu.Unlock()
	go c.flushRest()
}

// PostMessage is [Conn.Post] of one message that was not prepared, as there is no
// other connection to get it. It does not retain p. The error is that of Post,
// [ErrOpcode] or [frame.ErrInvalidUTF8].
func (c *Conn) PostMessage(op frame.Opcode, p []byte) error {
	if err := checkMessage(op, p); err != nil {
		return err
	}
	o := &c.out
	o.mu.Lock()
	switch {
	case len(p) > gatherSize || o.stream != nil || o.overfull(frame.MaxHeaderSize+len(p), 1) || o.closed() != nil:
		o.mu.Unlock()
		m, _ := Prepare(op, p) // what it checks has been checked
		return c.Post(m)
	case c.t.socket != nil && o.idle() && !o.deflater.wants(len(p)):
		c.postCopy(op, p)
		return nil
	}
	c.appendData(frame.Header{Flags: frame.FIN, Opcode: op}, p, compressible)
	o.waiting.last().tell = o.tells()
	c.launch()
	return nil
}

// postCopy is what appendData and launch come to for a message that is compressed by
// nobody, on a socket with nothing before it. It needs out.mu, and releases it.
func (c *Conn) postCopy(op frame.Opcode, p []byte) {
	o := &c.out
	id, buf := c.encodeAlone(op, p)
	o.mu.Unlock()
	n, err := c.t.socket.write(buf)
	if err != nil {
		c.writeFailed(err)
	}
	o.mu.Lock()
	if n == len(buf) && len(o.waiting.items) == 0 && o.err == nil {
		c.leftAlone(id, buf, len(p))
		c.wroteMessage(op, int64(len(p)))
		return
	}
	o.alone = 0
	o.own().flying.adopt(buf, item{id: id, opcode: op, fin: true, payload: len(p), tell: o.tells()})
	o.wrote(n)
	c.tellSent()
	o.mu.Unlock()
	go c.flushRest()
}

// appendPosted appends a message that nobody waits for. It needs out.mu.
func (c *Conn) appendPosted(m *Prepared) {
	c.appendPrepared(m)
	last := c.out.waiting.last()
	last.posted, last.tell = true, c.out.tells()
}

// tellSent tells the hook of the messages that have left without anybody waiting
// for them. The flusher calls it; it needs out.mu, which it gives up meanwhile.
func (c *Conn) tellSent() {
	o := &c.out
	told := o.told
	if len(told) == 0 {
		return
	}
	o.mu.Unlock()
	for _, i := range told {
		c.wroteMessage(i.opcode, int64(i.payload))
	}
	o.mu.Lock()
	clear(told)
	o.own().told = told[:0]
}

// endStream lets other messages follow that of a MessageWriter.
func (c *Conn) endStream() {
	o := &c.out
	o.mu.Lock()
	o.stream = nil
	if o.closed() == nil { // nothing follows a Close frame
		for _, m := range o.posted {
			c.appendPosted(m)
		}
		if len(o.posted) > 0 {
			o.posted, o.postedSize = nil, 0
		}
	}
	o.wake()
	c.kick()
}
