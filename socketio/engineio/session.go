package engineio

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/socketio/engineio/codec"
)

// A Session is a session of either side. Its methods may be called from any
// goroutine at any time.
type Session struct {
	*settings
	id       string
	head     head
	receiver Receiver // set when state becomes open

	// ws is where Send goes while the session is open on a WebSocket; nil otherwise.
	ws atomic.Pointer[conn.Conn]

	revision codec.Revision
	base64   bool  // whether octets go over conn as text; guarded by mu
	state    state // guarded by mu
	alarm    int32 // place and 1 in alarms.queue, whose it is, of beat or in state closing of the wait for a poll; 0 for none

	mu    sync.Mutex
	end   *ending    // from closing on
	queue *queue     // what waits for polling, or for the state to be open; nil once there is a WebSocket
	link  link       // polling; nil on a WebSocket
	conn  *conn.Conn // the WebSocket in use; nil while polling
	up    *upgrade   // nil while there is none
	life  *life      // nil until Context is called

	beat  heartbeat
	heard uint64 // octets that had come over conn when beat was last looked at; unheard before

	caller source // whose call of Message is in progress and not released; or nil
	calls  uint64 // counts the calls of Message
}

// An ending says how a session ended.
type ending struct {
	reason CloseReason
	err    error // may be nil
}

// A life is the context of a session.
type life struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// unheard is Session.heard before beat was looked at with a WebSocket.
const unheard = math.MaxUint64

// settings are what the sessions of a server, or of a dial, have in common.
type settings struct {
	role                         frame.Role
	maxQueuedPackets, maxQueued  int
	maxPayload, maxPackets       int
	writeTimeout, upgradeTimeout time.Duration // 0 is no limit
	closeTimeout                 time.Duration // likewise
	handler                      func(*Session) Receiver
	upgraded                     func(*Session) // or nil
	forget                       func(*Session) // called when nobody has to find the session any more
	logger                       *slog.Logger

	began  time.Time // before the first session
	alarms alarms
	busy   atomic.Int64 // when the process was last seen to be busy, in nanoseconds since began; 0 is never
}

// A state is where a session stands.
type state uint8

const (
	opening state = iota // until the handler has returned
	open
	closing // the application was told of the end, the peer is still to be told
	closed
)

// A link is the polling of either side, which carries the session until there is a
// WebSocket. Its methods are called with Session.mu held, and do not wait.
type link interface {
	flush()         // something was queued
	writable() bool // whether what is queued would leave at once
	reading() bool  // whether packets are being received: the heartbeat must not judge
	close()         // the session is closing: tell the peer, then call Session.finish
	stop()          // the session is closed, or has left for a WebSocket
}

// ID returns the id that the server gave the session. Who knows it can use the
// session: it must not be shown to anybody, nor be logged.
func (s *Session) ID() string { return s.id }

// Protocol returns the revision of Engine.IO that the session speaks.
func (s *Session) Protocol() codec.Revision { return s.revision }

// Transport returns the transport in use.
func (s *Session) Transport() Transport {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link != nil {
		return Polling
	}
	return WebSocket
}

// Request returns the request that began the session on a server, and nil on a client.
// It is made anew by each call from what a session keeps of it: without its body and
// forms, and with the values of its context, which does not end with it.
func (s *Session) Request() *http.Request {
	if s.role == frame.Client {
		return nil
	}
	return s.head.request()
}

// RemoteAddr returns the address of the peer as [http.Request] has it; on a client
// it is the host of the URL.
func (s *Session) RemoteAddr() string { return s.head.remote() }

// Context returns a context that is canceled when the session has ended or is
// closing, with an error that matches [net.ErrClosed] as its cause. On a server it
// has the values of the request's context.
func (s *Session) Context() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life == nil {
		parent := context.Background()
		if s.head.ctx != nil {
			parent = context.WithoutCancel(s.head.ctx)
		}
		ctx, cancel := context.WithCancelCause(parent)
		s.life = &life{ctx, cancel}
		if s.state >= closing {
			cancel(s.cause())
		}
	}
	return s.life.ctx
}

// cause says in an error how the session ended.
func (s *Session) cause() error {
	return fmt.Errorf("engineio: session ended by %s: %w", s.end.reason, net.ErrClosed)
}

// Send sends messages without waiting: all of them, in their order and with no
// other message between them, or with an error none. What the peer does not take
// at once is queued. The messages of one goroutine arrive in its order. Send does not
// retain ps.
//
// The error is [ErrQueueFull], [ErrSeparator], [ErrClosed] or
// [frame.ErrInvalidUTF8].
func (s *Session) Send(ps ...*Packet) error {
	if len(ps) == 0 {
		return nil
	}
	for _, p := range ps {
		if p.invalid {
			return frame.ErrInvalidUTF8
		}
	}
	if c := s.ws.Load(); c != nil {
		return s.post(c, ps)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state >= closing {
		return ErrClosed
	}
	if c := s.ws.Load(); c != nil {
		return s.post(c, ps)
	}
	if s.link != nil && s.revision == codec.V4 {
		for _, p := range ps {
			if p.separated {
				return ErrSeparator
			}
		}
	}
	if !s.queue.push(ps, s.maxQueuedPackets, s.maxQueued) {
		return ErrQueueFull
	}
	if s.link != nil {
		s.link.flush()
	}
	return nil
}

// SendText is [Session.Send] of one text that nobody else gets, of which no [Packet]
// need be made: what f appends to its argument. If f returns an error nothing is sent,
// and that is the error. F must not retain its argument.
func (s *Session) SendText(f func(dst []byte) ([]byte, error)) error {
	buf := wires.Get().(*[]byte)
	wire, err := f(append((*buf)[:0], '0'+byte(codec.Message)))
	if err == nil {
		err = s.sendWire(wire)
	}
	if cap(wire) <= maxWire {
		*buf = wire
		wires.Put(buf)
	}
	return err
}

// sendWire sends a text with its type, which it does not retain.
func (s *Session) sendWire(wire []byte) error {
	c := s.ws.Load()
	if c == nil {
		return s.Send(NewPacket(false, wire[1:]))
	}
	err := c.PostMessage(frame.OpText, wire)
	if errors.Is(err, frame.ErrInvalidUTF8) {
		return frame.ErrInvalidUTF8
	}
	return sent(err)
}

// wires are buffers for messages with their type.
var wires = sync.Pool{New: func() any { return new([]byte) }}

// maxWire is up to how many octets a buffer in wires has.
const maxWire = 64 << 10

// form is how the session's WebSocket takes packets. It does not change once there
// is one.
func (s *Session) form() form { return form{s.revision, s.base64} }

// post sends packets over a WebSocket.
func (s *Session) post(c *conn.Conn, ps []*Packet) error {
	if len(ps) == 1 {
		return sent(c.Post(ps[0].message(s.form())))
	}
	return sent(c.Post(messages(s.form(), ps)...))
}

// sent returns the error of Send for that of a WebSocket.
func sent(err error) error {
	switch err {
	case nil:
		return nil
	case conn.ErrQueueFull:
		return ErrQueueFull
	}
	return ErrClosed
}

// control sends a packet of the protocol itself. It needs mu.
func (s *Session) control(p *Packet) {
	switch {
	case s.conn != nil:
		s.conn.Post(p.message(s.form())) // if that fails there is a reader to notice
	case s.link != nil:
		s.queue.add(p)
		s.link.flush()
	}
}

// Writable reports whether a message that is sent now leaves at once: whether
// nothing is queued, and a WebSocket is open or a poll is waiting. Messages that are
// worth nothing later need not be sent otherwise.
func (s *Session) Writable() bool {
	if c := s.ws.Load(); c != nil {
		return c.Stats().QueuedFrames == 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == open && s.link != nil && len(s.queue.packets) == 0 && s.link.writable()
}

// Stats counts what is queued in a session.
type Stats struct {
	QueuedPackets int
	QueuedOctets  int // with what is sent around the data
}

// Stats returns how much waits for the peer, and after the end what was not sent. It
// waits for nothing and may be called for each message.
func (s *Session) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		c := s.conn.Stats()
		return Stats{c.QueuedFrames, c.QueuedOctets}
	}
	return Stats{len(s.queue.packets), s.queue.octets}
}

// attach moves the session to a WebSocket, with what is queued. It needs mu.
func (s *Session) attach(c *conn.Conn, base64 bool) {
	s.conn, s.base64, s.heard = c, base64, unheard
	s.link = nil
	if ps := s.queue.take(); len(ps) > 0 {
		c.Post(messages(s.form(), ps)...) // nothing is queued in c, so there is room
	}
	s.queue = nil
	if s.state < closing {
		s.ws.Store(c)
	}
}
