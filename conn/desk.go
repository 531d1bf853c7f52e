package conn

import (
	"context"

	"example.org/rfc6455/frame"
)

// A desk is where a goroutine reads what has come for one connection after the other.
// It keeps an intake with a buffer from one visit to the next, and has a way through
// most visits that is shorter than that of a reader who may have to wait: what came
// is a message and nothing else, whose answer is written before it returns.
type desk struct {
	intake *intake // nil, or one with nothing in it and a buffer of largeInbox octets
}

// begin is descriptor.next for the first message of a visit.
func (w *desk) begin(d *descriptor, changed bool) (frame.Opcode, []byte, error) {
	c := d.conn
	if !c.seat.takeOpen() {
		return d.next(changed)
	}
	if !changed || c.intake != nil || !d.waiting || c.evicted.Load() || c.options.Hooks.OnMessage != nil {
		return d.readOn(changed)
	}
	w.lend(c)
	n, err := d.look(c.in.buf)
	if err == errWouldBlock {
		w.takeBack(c)
		c.stand()
		return 0, nil, errIdle
	}
	if err != nil {
		defer c.endVisit()
		d.waiting = false
		c.waits.Add(1)
		return 0, nil, c.lost(err)
	}
	op, p := c.takeCome(n)
	if p == nil {
		return d.readOn(false)
	}
	c.endRead()
	return op, p, nil
}

// next is descriptor.next for what follows.
func (w *desk) next(d *descriptor) (frame.Opcode, []byte, error) {
	c := d.conn
	if !c.seat.takeOpen() {
		return d.next(false)
	}
	if !d.drained || !c.atDesk() || c.evicted.Load() {
		return d.readOn(false)
	}
	c.publish()
	c.waits.Add(1)
	d.waiting = true
	w.takeBack(c)
	c.stand()
	return 0, nil, errIdle
}

// lend gives an intake to a connection.
func (w *desk) lend(c *Conn) {
	if w.intake == nil {
		w.intake = getDesk()
	}
	c.intake, w.intake = w.intake, nil
	c.prepareIntake()
}

// takeBack takes the intake of a connection, in which there is nothing.
func (w *desk) takeBack(c *Conn) {
	w.clear()
	w.intake, c.intake = c.intake, nil
	w.intake.empty()
}

// clear gives up the intake.
func (w *desk) clear() {
	if w.intake != nil {
		w.intake.putDesk()
		w.intake = nil
	}
}

// getDesk returns an intake as desks have one.
func getDesk() *intake {
	k := intakePool.Get().(*intake)
	k.in.buf = getBuffer(largeInbox)[:largeInbox]
	return k
}

// putDesk gives back an intake as desks have one.
func (k *intake) putDesk() {
	k.in.release()
	intakePool.Put(k)
}

// empty makes an intake with nothing in it as it was before anybody had it, apart from
// its buffer.
func (k *intake) empty() {
	buf := k.in.buf
	*k = intake{}
	k.in.buf = buf
}

// atDesk reports whether there is nothing in the intake, and its buffer is one of a
// desk.
func (c *Conn) atDesk() bool {
	return c.intake != nil && c.in.r == c.in.w && len(c.in.buf) == largeInbox && c.intake.idle()
}

// awaitCome waits for a peer that has sent nothing, as most do most of the time, in a
// goroutine of its connection. It is the shorter way there that visits have at a desk.
// With a nil payload and no error there is none, or the reader has to look at what
// came, or at why the wait has ended.
func (c *Conn) awaitCome(ctx context.Context) (frame.Opcode, []byte, error) {
	d := c.visits
	if d == nil || !d.drained || ctx.Done() != nil || !c.atDesk() || c.evicted.Load() || c.seat.closing() ||
		!c.readBrake.ready(nil) || !d.polled() {
		return 0, nil, nil
	}
	c.publish()
	c.waits.Add(1)
	d.waiting = true
	k := c.intake
	c.intake = nil
	k.empty()
	k.putDesk()
	d.await()
	c.intake = getDesk()
	c.prepareIntake()
	if d.late() != nil {
		return 0, nil, nil
	}
	n, err := d.look(c.in.buf)
	if err == errWouldBlock {
		return 0, nil, nil
	}
	if err != nil {
		d.waiting = false
		c.waits.Add(1)
		return 0, nil, err
	}
	op, p := c.takeCome(n)
	return op, p, nil
}

// takeCome notes that n octets have come into an intake that had nothing in it, for
// which the reader has waited, and takes the message that they are, if they begin
// with a whole one.
func (c *Conn) takeCome(n int) (frame.Opcode, []byte) {
	c.visits.waiting = false
	c.waits.Add(1)
	c.received.octets += uint64(n)
	c.shared.octets.Store(c.received.octets)
	c.in.w = n
	if c.seat.closing() {
		return 0, nil
	}
	op, p, size := c.proto.whole(c.in.bytes())
	if p != nil {
		c.in.r = size
		c.serial++
		c.countMessage(int64(len(p)))
	}
	return op, p
}
