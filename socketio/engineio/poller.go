package engineio

import (
	"context"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/socketio/engineio/codec"
)

// A poller is a client's side of polling: one request at a time that waits for
// packets, and one that sends what is queued.
type poller struct {
	d      *dialer
	s      *Session
	url    string
	most   int // octets that the server takes at once; 0 if it does not say
	ctx    context.Context
	cancel context.CancelFunc

	packets []codec.Packet // that came and were not handed over; of the goroutine that runs

	// Session.mu guards what follows.

	polling bool          // whether a goroutine polls, and hands over what came
	posting bool          // whether one sends
	paused  bool          // whether no request may begin
	idle    chan struct{} // closed when paused and there are no requests
}

// dialPolling begins a session by polling.
func (d *dialer) dialPolling(ctx context.Context) (*Session, error) {
	ps, err := d.get(ctx, d.target(Polling, ""))
	if err != nil {
		return nil, err
	}
	first := codec.Packet{Type: codec.Noop}
	if len(ps) > 0 {
		first = ps[0]
	}
	s, w, err := d.session(first)
	if err != nil {
		return nil, err
	}
	p := &poller{d: d, s: s, url: d.target(Polling, s.id), most: int(min(max(w.MaxPayload, 0), int64(d.settings.maxPayload)))}
	p.packets = ps[1:]
	p.ctx, p.cancel = context.WithCancel(context.Background())
	s.link = p
	s.begin(time.Now())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == closing {
		s.sayGoodbye()
		return s, nil
	}
	p.polling = true
	go p.run()
	if d.upgrades(w) {
		s.up = &upgrade{phase: connecting}
		go p.upgrade()
	}
	return s, nil
}

// run polls, and hands over what comes.
func (p *poller) run() {
	for {
		for len(p.packets) > 0 {
			next := p.packets[0]
			p.packets = p.packets[1:]
			if !p.s.receive(p, next) {
				p.stopIfOver() // otherwise it was released
				return
			}
		}
		if !p.mayPoll() {
			return
		}
		ps, err := p.d.get(p.ctx, p.url)
		if err != nil {
			p.s.fail(TransportError, err)
		}
		p.packets = ps
	}
}

// mayPoll reports whether the goroutine is to go on polling.
func (p *poller) mayPoll() bool {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if p.s.state == open && !p.paused {
		return true
	}
	p.stopPolling()
	return false
}

// stopIfOver is stopPolling if the session has ended: an upgrade that goes on waits for
// it.
func (p *poller) stopIfOver() {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if p.s.state >= closing {
		p.stopPolling()
	}
}

// stopPolling notes that nobody polls any more. It needs mu.
func (p *poller) stopPolling() {
	p.polling = false
	p.rest()
}

// rest tells who waits for it that there are no requests. It needs mu.
func (p *poller) rest() {
	if p.idle != nil && !p.polling && !p.posting {
		close(p.idle)
		p.idle = nil
	}
}

func (p *poller) flush() {
	if p.posting || p.paused {
		return
	}
	p.posting = true
	go p.post()
}

func (p *poller) writable() bool { return !p.posting && !p.paused }

func (p *poller) reading() bool { return false }

func (p *poller) close() { p.flush() }

func (p *poller) stop() { p.cancel() }

// post sends what is queued, and the end if the session is closing.
func (p *poller) post() {
	for {
		ps, more := p.next()
		if !more {
			return
		}
		err := p.send(ps)
		p.sent(ps, err)
	}
}

// next returns the packets of the next request, as many as the server takes at once.
func (p *poller) next() (ps []*Packet, more bool) {
	s := p.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != closed && !p.paused {
		ps = s.queue.takeSome(p.most)
		if s.state == closing && !s.up.running() && len(s.queue.packets) == 0 {
			ps = append(ps, closePacket)
		}
	}
	if len(ps) == 0 {
		p.posting = false
		p.rest()
		return nil, false
	}
	return ps, true
}

// send sends packets in a request.
func (p *poller) send(ps []*Packet) error {
	ctx := p.ctx
	if d := p.d.options.RequestTimeout; d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	binary := false
	for _, packet := range ps {
		binary = binary || packet.binary
	}
	raw := packets(ps)
	if p.s.revision == codec.V3 && binary {
		return p.d.post(ctx, p.url, "application/octet-stream", codec.AppendBinaryPayload(nil, raw...))
	}
	return p.d.post(ctx, p.url, "text/plain;charset=UTF-8", codec.AppendPayload(nil, p.s.revision, raw...))
}

// sent notes what became of a request.
func (p *poller) sent(ps []*Packet, err error) {
	s := p.s
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(ps) - 1
	goodbye := ps[last] == closePacket
	if goodbye {
		ps = ps[:last]
	}
	if err != nil {
		s.queue.putBack(ps)
		s.failLocked(TransportError, err)
	}
	if goodbye && s.state == closing {
		s.finish()
	}
}

// upgrade moves the session to a WebSocket, and then reads it. If that cannot be done
// the session goes on polling.
func (p *poller) upgrade() {
	s := p.s
	ctx := p.ctx
	if s.upgradeTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.upgradeTimeout)
		defer cancel()
	}
	c, err := p.d.connect(ctx, s.id)
	if err != nil {
		s.stay(nil)
		return
	}
	if s.upgrading(c) && p.probe(c) && s.expect(c, codec.Pong, probe) && p.pause(c) && p.move(c) {
		p.d.forget(s)
		go (&reader{s: s, c: c}).run()
		return
	}
	p.resume()
	s.stay(c)
	c.Close(frame.CloseNoStatusReceived, "")
}

// probe asks whether a WebSocket works.
func (p *poller) probe(c *conn.Conn) bool {
	return c.Post(probePing.message(form{revision: p.s.revision})) == nil
}

// pause stops polling. It reports false if the upgrade to c has ended meanwhile.
func (p *poller) pause(c *conn.Conn) bool {
	s := p.s
	s.mu.Lock()
	if !s.up.to(c) {
		s.mu.Unlock()
		return false
	}
	s.up.phase = probed
	p.paused = true
	idle := make(chan struct{})
	p.idle = idle
	p.rest()
	s.mu.Unlock()
	select {
	case <-idle:
		return true
	case <-p.ctx.Done():
	case <-c.Done():
	}
	return false
}

// move says that the session uses c from now on, and sends over it what is queued.
func (p *poller) move(c *conn.Conn) bool {
	s := p.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.up.to(c) {
		return false
	}
	s.endUpgrade()
	c.Post(upgradePacket.message(form{revision: s.revision}))
	s.attach(c, false)
	p.cancel()
	if s.state == closing {
		s.finish()
		return false
	}
	return true
}

// resume goes on polling.
func (p *poller) resume() {
	s := p.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link != p || s.state == closed {
		return
	}
	p.paused = false
	p.idle = nil
	if !p.polling && s.state == open {
		p.polling = true
		go p.run()
	}
	p.flush()
}
