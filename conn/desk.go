package conn

import "example.org/rfc6455/frame"

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
	d.waiting = false
	c.waits.Add(1)
	if err != nil {
		defer c.endVisit()
		return 0, nil, c.lost(err)
	}
	c.received.octets += uint64(n)
	c.shared.octets.Store(c.received.octets)
	c.in.w = n
	op, p, size := c.proto.whole(c.in.bytes())
	if p == nil {
		return d.readOn(false)
	}
	c.in.r = size
	c.serial++
	c.countMessage(int64(len(p)))
	c.endRead()
	return op, p, nil
}

// next is descriptor.next for what follows.
func (w *desk) next(d *descriptor) (frame.Opcode, []byte, error) {
	c := d.conn
	if !c.seat.takeOpen() {
		return d.next(false)
	}
	if !d.drained || c.intake == nil || c.in.r < c.in.w || len(c.in.buf) != largeInbox || !c.intake.idle() || c.evicted.Load() {
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
		w.intake = intakePool.Get().(*intake)
		w.intake.in.buf = getBuffer(largeInbox)[:largeInbox]
	}
	c.intake, w.intake = w.intake, nil
	c.prepareIntake()
}

// takeBack takes the intake of a connection, in which there is nothing.
func (w *desk) takeBack(c *Conn) {
	w.clear()
	w.intake, c.intake = c.intake, nil
	*w.intake = intake{in: inbox{buf: w.intake.in.buf}}
}

// clear gives up the intake.
func (w *desk) clear() {
	if w.intake != nil {
		w.intake.in.release()
		intakePool.Put(w.intake)
		w.intake = nil
	}
}
