package engineio

import (
	"context"
	"errors"
	"net/http"
	"time"

	"example.org/rfc6455/socketio/engineio/codec"
)

const (
	// noopInterval is how long a poll is held while the client should stop polling.
	// It gives the answer to the probe, which travels by another connection, time
	// to be there first.
	noopInterval = 100 * time.Millisecond
	// lateness is how long a session that the client has closed can be found, for
	// a poll that the client sent before, on another connection.
	lateness = time.Second
)

// Why a session ended by the way it was polled.
var (
	errTwoPolls = errors.New("engineio: two polls at once")
	errTwoPosts = errors.New("engineio: two requests with packets at once")
)

// A polling is a server's side of polling. Session.mu guards its fields.
type polling struct {
	s       *Session
	base64  bool          // whether the client takes no octets, as it said in the handshake
	get     *held         // the poll that waits; nil if none
	posting bool          // whether packets are being received
	turn    chan struct{} // full while the packets of a request are handed over
	late    bool          // whether a poll may still come although the session is closed
	writing int           // polls that are being answered
	written chan struct{} // closed when none is; nil if nobody waits for that
}

func newPolling(s *Session) *polling { return &polling{s: s, turn: make(chan struct{}, 1)} }

// A held is a poll that waits for something to send.
type held struct {
	woken chan struct{} // closed when there is
	alone *Packet       // what to send if nothing is queued; nil refuses the poll
}

// wake ends the wait of the poll. It needs mu, and a poll that waits.
func (p *polling) wake(alone *Packet) {
	p.get.alone = alone
	close(p.get.woken)
	p.get = nil
}

func (p *polling) flush() {
	if p.get != nil {
		p.wake(noopPacket)
	}
}

func (p *polling) writable() bool { return p.get != nil }

func (p *polling) reading() bool { return p.posting }

func (p *polling) close() { p.flush() } // the poll, or else the next one, is told

func (p *polling) stop() {
	switch {
	case p.s.end.reason != TransportClose && p.get != nil:
		p.wake(closePacket)
	case p.get != nil: // the client knows
		p.wake(noopPacket)
	case p.s.end.reason == TransportClose:
		p.late = true
	}
}

// acquire waits until the packets of earlier requests have been handed over. It
// reports false if the session or ctx ends before.
func (p *polling) acquire(ctx context.Context) bool {
	select {
	case p.turn <- struct{}{}:
		return true
	default:
	}
	select {
	case p.turn <- struct{}{}:
		return true
	case <-p.s.Context().Done():
	case <-ctx.Done():
	}
	return false
}

// settle waits until it is known what became of the answers to polls. It needs mu,
// which it gives up meanwhile.
func (p *polling) settle() {
	for p.writing > 0 {
		if p.written == nil {
			p.written = make(chan struct{})
		}
		written := p.written
		p.s.mu.Unlock()
		<-written
		p.s.mu.Lock()
	}
}

// usable reports whether the session can be polled, and otherwise why not. It needs
// mu.
func (p *polling) usable() *refusal {
	switch {
	case p.s.state == closed || p.s.state == opening:
		return refuseSession
	case p.s.link != p:
		return refuseTransportMismatch
	}
	return nil
}

// servePoll answers a poll.
func (p *polling) servePoll(e *exchange) {
	s := p.s
	s.mu.Lock()
	if p.late {
		p.late = false
		s.mu.Unlock()
		e.respond(p.encode(e, []*Packet{noopPacket}))
		return
	}
	if no := p.usable(); no != nil {
		s.mu.Unlock()
		e.refuse(no, nil)
		return
	}
	if p.get != nil {
		s.failLocked(TransportError, errTwoPolls)
		s.mu.Unlock()
		e.w.WriteHeader(http.StatusBadRequest)
		return
	}
	h := &held{woken: make(chan struct{}), alone: noopPacket}
	if (s.state == open || s.up.running()) && len(s.queue.packets) == 0 {
		p.get = h
		upgrading := s.up.is(probed)
		s.mu.Unlock()
		gone := p.hold(e, h, upgrading)
		s.mu.Lock()
		if gone && p.get == h {
			p.get = nil
			if !s.up.is(probed) { // otherwise it need not be polled again
				s.failLocked(TransportError, context.Cause(e.r.Context()))
			}
			s.mu.Unlock()
			return
		}
		if p.get == h {
			p.get = nil
		}
		if h.alone == nil {
			s.mu.Unlock()
			e.refuse(refuseTransportMismatch, nil)
			return
		}
	}
	ps := p.take(h)
	p.writing++
	s.mu.Unlock()
	err := e.respond(p.encode(e, ps))
	s.mu.Lock()
	defer s.mu.Unlock()
	p.answered(ps, err)
}

// hold waits until something has to be sent. It reports whether the client has gone.
func (p *polling) hold(e *exchange, h *held, upgrading bool) (gone bool) {
	e.patient()
	var limit <-chan time.Time
	if upgrading {
		limit = time.After(noopInterval)
	}
	select {
	case <-h.woken:
	case <-limit:
	case <-e.r.Context().Done():
		return true
	}
	return false
}

// take returns what to answer a poll with: what is queued, or the end if the session is
// closing. The end comes alone, as it does from Node: a client that gets it behind a
// message hears of the end first. It needs mu.
func (p *polling) take(h *held) []*Packet {
	s := p.s
	if s.link != p || s.state == closed {
		return []*Packet{h.alone}
	}
	ps := s.queue.take()
	switch {
	case len(ps) > 0:
	case s.state == closing && !s.up.running():
		ps = append(ps, closePacket)
	default:
		ps = append(ps, h.alone)
	}
	return ps
}

// answered notes what became of the answer to a poll. What cannot have arrived is
// queued again; it is sent if an upgrade still saves the session, and counted
// otherwise. It needs mu.
func (p *polling) answered(ps []*Packet, err error) {
	s := p.s
	if p.writing--; p.writing == 0 && p.written != nil {
		close(p.written) // who waits goes on when mu is free
		p.written = nil
	}
	if s.link != p || s.state == closed {
		return
	}
	last := len(ps) - 1
	goodbye := ps[last] == closePacket
	if goodbye {
		ps = ps[:last]
	}
	if err != nil {
		s.queue.putBack(ps)
		if !s.up.is(probed) {
			s.failLocked(TransportError, err)
			return
		}
	}
	if goodbye {
		s.finish()
	}
}

// encode encodes packets for an answer to a poll.
func (p *polling) encode(e *exchange, ps []*Packet) body {
	b := body{compress: true}
	binary := false
	for _, packet := range ps {
		binary = binary || packet.binary
		b.compress = b.compress && !packet.uncompressed
	}
	raw := packets(ps)
	switch {
	case p.s.revision == codec.V3 && binary && !p.base64 && !e.query.base64 && !e.query.jsonp:
		b.contentType = "application/octet-stream"
		b.octets = codec.AppendBinaryPayload(nil, raw...)
	case e.query.jsonp:
		b.contentType = "text/javascript; charset=UTF-8"
		b.octets = codec.AppendJSONP(nil, e.query.index, codec.AppendPayload(nil, p.s.revision, raw...))
	default:
		b.contentType = "text/plain; charset=UTF-8"
		b.octets = codec.AppendPayload(nil, p.s.revision, raw...)
	}
	return b
}
