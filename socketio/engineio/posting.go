package engineio

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"time"

	"example.org/rfc6455/socketio/engineio/codec"
)

// servePost receives the packets in a request. It is answered when they have been
// handed over.
func (p *polling) servePost(e *exchange) {
	s := p.s
	s.mu.Lock()
	if no := p.usable(); no != nil {
		s.mu.Unlock()
		e.refuse(no, nil)
		return
	}
	if p.posting {
		s.failLocked(TransportError, errTwoPosts)
		s.mu.Unlock()
		e.w.WriteHeader(http.StatusBadRequest)
		return
	}
	p.posting = true
	s.mu.Unlock()

	ps, bad := p.receive(e)
	if bad != nil {
		p.posted()
		if bad.reason != "" {
			s.fail(bad.reason, bad.err)
		}
		if bad.status != http.StatusBadRequest && e.r.ProtoMajor < 2 {
			e.w.Header().Set("Connection", "close") // the rest of the body is not waited for
		}
		e.w.WriteHeader(bad.status)
		return
	}
	s.mu.Lock()
	no := p.usable() // it may have moved to a WebSocket meanwhile
	s.mu.Unlock()
	if no == nil && !p.acquire(e.r.Context()) {
		no = refuseSession
	}
	if no != nil {
		p.posted()
		e.refuse(no, nil)
		return
	}
	d := &delivery{p: p, packets: ps, answer: make(chan struct{})}
	go d.run()
	<-d.answer
	e.respond(body{contentType: "text/html", octets: []byte("ok")})
}

// posted lets the next request with packets begin.
func (p *polling) posted() {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.posting = false
}

// A badBody is a request whose packets are not received.
type badBody struct {
	status int
	reason CloseReason // of the end of the session; empty if it goes on
	err    error
}

// receive reads and decodes the packets in a request.
func (p *polling) receive(e *exchange) ([]codec.Packet, *badBody) {
	s := p.s
	binary := false
	if t, _, err := mime.ParseMediaType(e.r.Header.Get("Content-Type")); err == nil {
		binary = t == "application/octet-stream"
	}
	if binary && s.revision == codec.V4 || e.r.Header.Get("Content-Encoding") != "" {
		return nil, &badBody{http.StatusBadRequest, ParseError, errContentType}
	}
	b, bad := readBody(e, s.maxPayload)
	if bad != nil {
		return nil, bad
	}
	var ps []codec.Packet
	var err error
	if e.query.jsonp {
		b, err = codec.ParseJSONP(b)
	}
	switch {
	case err != nil:
	case binary:
		ps, err = codec.ParseBinaryPayload(b, s.maxPackets)
	default:
		ps, err = codec.ParsePayload(s.revision, b, s.maxPackets)
	}
	if err != nil {
		return nil, &badBody{http.StatusBadRequest, ParseError, err}
	}
	return ps, nil
}

// errContentType is a body that is encoded in a way the protocol does not know.
var errContentType = errors.New("engineio: type or encoding of a request's body not supported")

// readBody reads the body of a request, of which no more is held than has come.
func readBody(e *exchange, most int) ([]byte, *badBody) {
	if e.r.ContentLength > int64(most) {
		return nil, &badBody{status: http.StatusRequestEntityTooLarge}
	}
	control := http.NewResponseController(e.w)
	if d := e.server.options.BodyTimeout; d > 0 {
		control.SetReadDeadline(time.Now().Add(d))
	}
	b, err := io.ReadAll(http.MaxBytesReader(e.w, e.r.Body, int64(most)))
	switch {
	case err == nil:
		e.patient()
		return b, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &badBody{http.StatusRequestTimeout, TransportError, err}
	}
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return nil, &badBody{status: http.StatusRequestEntityTooLarge}
	}
	return nil, &badBody{http.StatusBadRequest, TransportError, err}
}

// A delivery hands the packets of a request over. It has the turn of its polling.
type delivery struct {
	p       *polling
	packets []codec.Packet
	answer  chan struct{} // closed when the request can be answered
	begun   bool          // whether run was called before; then the rest of a request is left
	ended   bool
}

func (d *delivery) run() {
	if d.begun {
		d.release(false)
	}
	d.begun = true
	for len(d.packets) > 0 {
		next := d.packets[0]
		d.packets = d.packets[1:]
		if !d.p.s.receive(d, next) {
			if d.p.s.over() {
				d.release(true)
			}
			return
		}
	}
	d.release(true)
}

// release has the request answered, if it is not, and at the end gives the turn to
// the next one.
func (d *delivery) release(end bool) {
	s := d.p.s
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-d.answer:
	default:
		d.p.posting = false
		close(d.answer)
	}
	if end && !d.ended {
		d.ended = true
		<-d.p.turn
	}
}
