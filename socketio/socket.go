package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"example.org/rfc6455/socketio/engineio"
	"example.org/rfc6455/socketio/parser"
)

// A socketState is where a socket stands.
type socketState uint32

const (
	// connecting is the state in which what is sent is held back: the client has
	// not been told yet that it is connected.
	connecting socketState = iota
	connected
	disconnected
)

// A Socket is a client in a namespace. It has an id, rooms and events of its own;
// several sockets may share a session, one for each namespace.
//
// Its handlers run one after the other, in the order in which the events came,
// together with those of the client's other namespaces. While one runs the
// session is not read: a slow handler slows its client down. [Socket.Call] may be
// used in a handler all the same.
//
// Its methods may be called from any goroutine.
type Socket struct {
	// What a broadcast looks at is together, as little of many sockets is in the caches.
	id        string
	state     atomic.Uint32
	recovered bool
	engine    *engineio.Session // of session
	outgoing  hooks[func(*Event)]
	session   *session
	ns        *Namespace

	pid    string // brings the state of the socket back; empty without Recovery
	auth   *Value // nil if there is none
	issued int64  // when it was connected, in nanoseconds since 1970

	listeners     listeners
	any           hooks[func(*Event)]
	use           hooks[func(*Event) error]
	disconnecting hooks[func(Reason, error)]
	disconnect    hooks[func(Reason, error)]
	onError       hooks[func(error)]

	mu   sync.Mutex
	data any
	held *[]*engineio.Packet    // while connecting, if there are any
	acks map[uint64]*pendingAck // nil while there are none
	life *life                  // nil until Context is called
}

// A life is the context of a socket.
type life struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// ID returns the id of the socket. It is the name of a room that only the socket
// is in, and may be shown to others.
func (s *Socket) ID() string { return s.id }

// Namespace returns the namespace that the socket is in.
func (s *Socket) Namespace() *Namespace { return s.ns }

// Connected reports whether the socket is connected: from the time on at which its
// client can know of it.
func (s *Socket) Connected() bool {
	if s.status() == connecting { // its client may be about to be told
		s.mu.Lock()
		defer s.mu.Unlock()
	}
	return s.status() == connected
}

func (s *Socket) status() socketState { return socketState(s.state.Load()) }

// gone reports whether the socket is no longer connected, nor will be.
func (s *Socket) gone() bool { return s.status() == disconnected }

// Recovered reports whether the client came back to the state of a socket that it
// lost: see [Server.Recovery].
func (s *Socket) Recovered() bool { return s.recovered }

// Session returns the session that the socket shares with the client's sockets in
// other namespaces.
func (s *Socket) Session() *engineio.Session { return s.engine }

// Request returns the request that began the session.
func (s *Socket) Request() *http.Request { return s.engine.Request() }

// Sockets returns the client's sockets, this one among them.
func (s *Socket) Sockets() []*Socket { return s.session.connected() }

// Context returns a context that ends when the socket is disconnected, with an
// error that matches [ErrDisconnected] as its cause. It has the values of the
// context of [Socket.Request].
func (s *Socket) Context() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life == nil {
		ctx, cancel := context.WithCancelCause(context.WithoutCancel(s.Request().Context()))
		s.life = &life{ctx, cancel}
		if s.gone() {
			cancel(ErrDisconnected)
		}
	}
	return s.life.ctx
}

// Data returns what was kept with [Socket.SetData], or nil.
func (s *Socket) Data() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.data
}

// SetData keeps something with the socket. [Namespace.FetchSockets] describes it
// as JSON. A client that comes back by [Server.Recovery] finds it again.
func (s *Socket) SetData(v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = v
}

// Rooms returns the rooms of the socket, its own first.
func (s *Socket) Rooms() []string { return s.ns.adapter.Rooms(s.id) }

// Join puts the socket into rooms, until it leaves them or is disconnected. The
// error is [ErrTooManyRooms], [ErrDisconnected] or that of the adapter.
func (s *Socket) Join(rooms ...string) error { return s.ns.adapter.Join(s.id, rooms...) }

// Leave takes the socket out of rooms. The error is that of the adapter.
func (s *Socket) Leave(rooms ...string) error { return s.ns.adapter.Leave(s.id, rooms...) }

// On has fn called for each event of that name. It is an ordinary function whose
// parameters are the arguments of the event, decoded as [parser.Value.Decode] does:
//
//	s.On("chat message", func(text string) { … })
//	s.On("upload", func(file File, data []byte, ack socketio.Ack) { … })
//	s.On("search", func(ctx context.Context, q Query) (Answer, error) { … })
//
// The first parameter may be a [context.Context], which is that of the socket, and
// the last one, or the one before a variadic parameter, an [Ack]. Instead of an Ack
// the function may have results, which answer the event when it returns; the last
// one may be an error. An [*Error] is told to the client in the answer, and any
// other error is not.
//
// Arguments that did not come are zero, and those that are too many are passed
// over; a variadic parameter takes all that are left, and a [Value] takes anything
// undecoded. An argument of another type than the parameter's is an error: the
// function is not called, and the client is told in the answer. The function may keep
// what it gets.
//
// A panic ends the function, not the socket. Errors and panics go to
// [Socket.OnError], and all but an [*Error] are logged.
//
// A function that cannot be a handler, and an event that is the library's own, are
// logged, and Listener.Err has the reason. Several listeners of an event are called
// in the order in which they were registered.
func (s *Socket) On(event string, fn any) *Listener { return s.listen(event, fn, false) }

// Once is [Socket.On] for the next event alone.
func (s *Socket) Once(event string, fn any) *Listener { return s.listen(event, fn, true) }

func (s *Socket) listen(event string, fn any, once bool) *Listener {
	l := s.listeners.add(event, fn, once)
	if err := l.Err(); err != nil {
		s.ns.server.log().Error("socketio: bad listener", "namespace", s.ns.name, "event", event, "error", err)
	}
	return l
}

// Off removes all listeners of an event. [Listener.Off] removes one.
func (s *Socket) Off(event string) { s.listeners.off(event) }

// OnAny has f called for each event that comes, before its listeners, and returns
// what ends that. It is also called for events without listeners.
func (s *Socket) OnAny(f func(*Event)) (off func()) { return s.any.add(f, false) }

// PrependAny is [Socket.OnAny] before the functions that are there already.
func (s *Socket) PrependAny(f func(*Event)) (off func()) { return s.any.add(f, true) }

// OnAnyOutgoing has f called for each event that is sent to the client, broadcasts
// among them, and returns what ends that. It runs on the goroutine that sends, and
// must not wait.
func (s *Socket) OnAnyOutgoing(f func(*Event)) (off func()) { return s.outgoing.add(f, false) }

// PrependAnyOutgoing is [Socket.OnAnyOutgoing] before the functions that are there
// already.
func (s *Socket) PrependAnyOutgoing(f func(*Event)) (off func()) { return s.outgoing.add(f, true) }

// Use has f called for each event that comes, after the functions of OnAny and
// before its listeners, and returns what ends that. It may change the event. An
// error ends the event there: it goes to [Socket.OnError], and an [*Error] is told
// to the client if it asked for an answer.
func (s *Socket) Use(f func(*Event) error) (off func()) { return s.use.add(f, false) }

// OnError has f called for each event that was not handled as it should be, with a
// [*HandlerError].
func (s *Socket) OnError(f func(error)) { s.onError.add(f, false) }

// OnDisconnecting has f called when the socket is disconnected, while it still is
// in its rooms. The error says more, or is nil.
func (s *Socket) OnDisconnecting(f func(reason Reason, err error)) { s.disconnecting.add(f, false) }

// OnDisconnect has f called when the socket has been disconnected and has left its
// rooms. The error says more, or is nil.
func (s *Socket) OnDisconnect(f func(reason Reason, err error)) { s.disconnect.add(f, false) }

// Disconnect disconnects the socket. The client is told, and does not come back by
// itself. With closeSession its other sockets are disconnected, too, and the
// session is closed.
func (s *Socket) Disconnect(closeSession bool) {
	if closeSession {
		for _, o := range s.session.connected() {
			o.Disconnect(false)
		}
		defer s.engine.Close(engineio.ForcedClose)
	}
	if s.Connected() {
		s.session.leftByUs(s.ns.name)
		s.session.send(&parser.Packet{Type: parser.Disconnect, Namespace: s.ns.name})
	}
	s.end(ServerNamespaceDisconnect, nil)
}

// Emit sends an event to the client. The arguments are encoded as
// [parser.Packet.SetArgs] does, and not retained. It does not wait: what the
// client does not take at once is queued.
//
// The error is ErrDisconnected; ErrQueueFull, when [Server.Slow] has been obeyed;
// or that of SetArgs.
func (s *Socket) Emit(event string, args ...any) error { return s.sender().Emit(event, args...) }

// Send is Emit of the event message.
func (s *Socket) Send(args ...any) error { return s.Emit("message", args...) }

// Call sends an event that asks for an acknowledgement, waits for it and returns
// its first argument, which the caller may keep. It may be called in a handler:
// from then on the session is read again, and up to [Server.MaxWaiting] events wait
// for their turn.
//
// The error is the cause of ctx when that ends, ErrDisconnected when the socket is
// disconnected before, [ErrTooManyAcks], or that of Emit.
func (s *Socket) Call(ctx context.Context, event string, args ...any) (Value, error) {
	return s.sender().Call(ctx, event, args...)
}

// EmitAck sends an event that asks for an acknowledgement, and has fn called with
// its arguments, as a handler is: see [Socket.On]. If its first parameter is an
// error, that is nil then; and fn is also called with ErrDisconnected when the
// socket is disconnected first, and with [ErrAckTimeout] after [Sender.Timeout]. Any
// other fn is not called then.
//
// The error is [ErrHandler], [ErrTooManyAcks], or that of Emit.
func (s *Socket) EmitAck(event string, fn any, args ...any) error {
	return s.sender().EmitAck(event, fn, args...)
}

func (s *Socket) sender() Sender { return Sender{socket: s} }

// Volatile returns a sender whose events are dropped when they cannot be sent at
// once.
func (s *Socket) Volatile() Sender { return s.sender().Volatile() }

// Compress returns a sender whose events are compressed, where the session is, or
// are not.
func (s *Socket) Compress(on bool) Sender { return s.sender().Compress(on) }

// Timeout returns a sender that waits for acknowledgements for as long.
func (s *Socket) Timeout(d time.Duration) Sender { return s.sender().Timeout(d) }

// Broadcast returns the other sockets of the namespace.
func (s *Socket) Broadcast() Broadcast { return s.ns.Except(s.id) }

// To returns the other sockets in any of the rooms.
func (s *Socket) To(rooms ...string) Broadcast { return s.Broadcast().To(rooms...) }

// In is [Socket.To].
func (s *Socket) In(rooms ...string) Broadcast { return s.To(rooms...) }

// Except returns the other sockets that are in none of the rooms.
func (s *Socket) Except(rooms ...string) Broadcast { return s.Broadcast().Except(rooms...) }

// Local returns the other sockets of this server.
func (s *Socket) Local() Broadcast { return s.Broadcast().Local() }

// A Sender sends events to a socket. It is a value, which its methods do not
// change.
type Sender struct {
	socket       *Socket
	volatile     bool
	uncompressed bool
	timeout      time.Duration
}

// Volatile returns a sender whose events are dropped when they cannot be sent at
// once.
func (e Sender) Volatile() Sender { e.volatile = true; return e }

// Compress returns a sender whose events are compressed, where the session is, or
// are not.
func (e Sender) Compress(on bool) Sender { e.uncompressed = !on; return e }

// Timeout returns a sender that waits for acknowledgements for as long. Zero is no
// limit.
func (e Sender) Timeout(d time.Duration) Sender { e.timeout = d; return e }

// Emit is [Socket.Emit].
func (e Sender) Emit(event string, args ...any) error {
	s := e.socket
	p, err := newEvent(s.ns.name, event, args)
	if err != nil {
		return err
	}
	if s.ns.server.Recovery != nil && !e.volatile && s.Connected() {
		return s.ns.adapter.Broadcast(p, Target{Rooms: []string{s.id}, Uncompressed: e.uncompressed})
	}
	return e.deliver(p)
}

func (e Sender) deliver(p *parser.Packet) error {
	s := e.socket
	var err error
	if s.ns.server.isText(p) && !e.uncompressed && s.status() == connected {
		err = s.write(p, e.volatile)
	} else {
		var wire []*engineio.Packet
		if wire, err = s.ns.server.encode(p, e.uncompressed); err == nil {
			err = s.transmit(wire, e.volatile)
		}
	}
	if err != nil {
		return err
	}
	s.notify(p)
	return nil
}

// write sends a packet that is one text to a socket that is connected.
func (s *Socket) write(p *parser.Packet, volatile bool) error {
	if volatile && !s.engine.Writable() {
		return p.Check()
	}
	return s.session.sent(s.engine.SendText(p.AppendText))
}

// newEvent returns the packet of an event.
func newEvent(namespace, event string, args []any) (*parser.Packet, error) {
	p := &parser.Packet{Type: parser.Event, Namespace: namespace}
	all := make([]any, 0, 8)
	if err := p.SetArgs(append(append(all, event), args...)...); err != nil {
		return nil, err
	}
	return p, nil
}

// Call is [Socket.Call]. The error is [ErrAckTimeout] after the sender's timeout.
func (e Sender) Call(ctx context.Context, event string, args ...any) (Value, error) {
	type result struct {
		value Value
		err   error
	}
	done := make(chan result, 1)
	id, err := e.ask(event, args, func(args []Value, err error) {
		done <- result{first(args), err}
	})
	if err != nil {
		return Value{}, err
	}
	defer e.socket.forget(id)
	e.socket.session.turns.letOn()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return Value{}, context.Cause(ctx)
	}
}

// EmitAck is [Socket.EmitAck].
func (e Sender) EmitAck(event string, fn any, args ...any) error {
	h, err := newHandler(fn)
	if err != nil {
		return err
	}
	s := e.socket
	_, err = e.ask(event, args, func(args []Value, failed error) {
		if failed != nil && !h.sig.err {
			return
		}
		s.session.turns.run(args, func(args []Value) {
			if err := h.call(s.Context, failed, args, nil, nil); err != nil {
				s.failed(event, err)
			}
		})
	})
	return err
}

// ask sends an event and has done called with what answers it.
func (e Sender) ask(event string, args []any, done func(args []Value, err error)) (id uint64, err error) {
	s := e.socket
	p, err := newEvent(s.ns.name, event, args)
	if err != nil {
		return 0, err
	}
	p.HasID, p.ID = true, s.ns.nextID()
	if err := s.await(p.ID, done, e.timeout); err != nil {
		return 0, err
	}
	if err := e.deliver(p); err != nil {
		s.forget(p.ID)
		return 0, err
	}
	return p.ID, nil
}

// A pendingAck is an acknowledgement that is awaited.
type pendingAck struct {
	done  func(args []Value, err error) // called once, unless it is forgotten
	timer *time.Timer                   // or nil
}

// await has done called with the acknowledgement of an event.
func (s *Socket) await(id uint64, done func(args []Value, err error), timeout time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.gone():
		return ErrDisconnected
	case len(s.acks) >= s.ns.server.maxPendingAcks():
		return ErrTooManyAcks
	}
	if s.acks == nil {
		s.acks = map[uint64]*pendingAck{}
	}
	a := &pendingAck{done: done}
	s.acks[id] = a
	if timeout > 0 {
		a.timer = time.AfterFunc(timeout, func() {
			if s.forget(id) {
				done(nil, ErrAckTimeout)
			}
		})
	}
	return nil
}

// forget does not await an acknowledgement any more, and reports whether it was.
func (s *Socket) forget(id uint64) bool { return s.take(id) != nil }

// take returns the function that awaits an acknowledgement, once.
func (s *Socket) take(id uint64) func([]Value, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.acks[id]
	if a == nil {
		return nil
	}
	delete(s.acks, id)
	if len(s.acks) == 0 {
		s.acks = nil
	}
	if a.timer != nil {
		a.timer.Stop()
	}
	return a.done
}

// transmit sends messages, or holds them back until the client is told that it is
// connected.
func (s *Socket) transmit(wire []*engineio.Packet, volatile bool) error {
	switch s.status() {
	case disconnected:
		return ErrDisconnected
	case connecting:
		s.mu.Lock()
		if s.status() == connecting {
			defer s.mu.Unlock()
			if volatile {
				return nil
			}
			if s.held == nil {
				s.held = new([]*engineio.Packet)
			}
			if len(*s.held) >= maxHeld {
				return ErrQueueFull
			}
			*s.held = append(*s.held, wire...)
			return nil
		}
		s.mu.Unlock()
	}
	if volatile && !s.engine.Writable() {
		return nil
	}
	if err := s.engine.Send(wire...); err != nil {
		return s.session.sent(err)
	}
	return nil
}

// notify tells who wants to know what is sent.
func (s *Socket) notify(p *parser.Packet) {
	all := s.outgoing.load()
	if all == nil || p.Type != parser.Event || s.gone() {
		return
	}
	e := &Event{p.EventName(), p.Values(nil)}
	for _, f := range all {
		s.protect(e.Name, func() error { (*f)(e); return nil })
	}
}

// maxHeld is how many messages may be held back while a socket is connecting.
const maxHeld = 1024

// dispatch hands an event to its handlers.
func (s *Socket) dispatch(t *turn) {
	p := &t.packet
	wireName := p.AppendEventName(make([]byte, 0, 64))
	listeners := s.listeners.of(make([]*Listener, 0, 4), wireName)
	catchAll, use := s.any.load(), s.use.load()
	if len(listeners) == 0 && catchAll == nil && use == nil {
		return
	}
	turns := &s.session.turns
	if len(listeners) > 1 || catchAll != nil || use != nil || listeners[0].h.sig.keeps {
		t.own()
		turns.giveBack()
	}
	a := answer{asked: p.HasID, asker: asker{socket: s, id: p.ID}}
	values := p.Values(make([]Value, 0, 4))
	var name string
	if len(listeners) > 0 {
		name = listeners[0].event // which is the same
	} else {
		name = string(wireName)
	}
	if catchAll != nil || use != nil {
		e := &Event{name, slices.Clone(values)}
		for _, f := range catchAll {
			s.protect(name, func() error { (*f)(e); return nil })
		}
		for _, f := range use {
			if err := s.protect(name, func() error { return (*f)(e) }); err != nil {
				a.fail(err)
				return
			}
		}
		if e.Name != name {
			listeners = s.listeners.of(nil, []byte(e.Name))
		}
		name, values = e.Name, e.Args
	}
	for _, l := range listeners {
		if s.gone() {
			return
		}
		if err := l.call(s.Context, values, &a, turns.giveBack); err != nil {
			s.failed(name, err)
			a.fail(err)
		}
	}
}

// protect calls f and reports its error, or its panic, as one of the event.
func (s *Socket) protect(event string, f func() error) error {
	err := recovered(f)
	if err != nil {
		s.failed(event, err)
	}
	return err
}

// failed reports an error of a handler. One that is told to the client is not logged.
func (s *Socket) failed(event string, err error) {
	e := &HandlerError{event, err}
	if _, told := errors.AsType[*Error](err); !told {
		level := slog.LevelError
		if _, wrong := errors.AsType[*ArgumentError](err); wrong {
			level = slog.LevelWarn // that was the client
		}
		s.ns.server.log().Log(context.Background(), level, "socketio: event not handled", "namespace", s.ns.name, "event", event, "error", err)
	}
	for _, f := range s.onError.load() {
		if err := recovered(func() error { (*f)(e); return nil }); err != nil {
			s.ns.server.log().Error("socketio: error handler", "namespace", s.ns.name, "error", err)
		}
	}
}

// acknowledge answers an event.
func (s *Socket) acknowledge(id uint64, args []any) error {
	p := &parser.Packet{Type: parser.Ack, Namespace: s.ns.name, HasID: true, ID: id}
	if s.status() == connected && s.ns.server.parser() == parser.JSON {
		err := s.engine.SendText(func(dst []byte) ([]byte, error) {
			text, attachments, err := p.AppendArgs(dst, args...)
			if err == nil && len(attachments) > 0 {
				err = errAttachments
			}
			return text, err
		})
		if err != errAttachments {
			return s.session.sent(err)
		}
	}
	if err := p.SetArgs(args...); err != nil {
		return err
	}
	return s.sender().deliver(p)
}

// errAttachments is an acknowledgement that is not a text alone.
var errAttachments = errors.New("socketio: attachments")

// end is the end of the socket. It does nothing the second time.
func (s *Socket) end(reason Reason, err error) {
	s.mu.Lock()
	before := socketState(s.state.Swap(uint32(disconnected)))
	if s.life != nil {
		s.life.cancel(ErrDisconnected)
	}
	acks := s.acks
	s.acks, s.held = nil, nil
	s.mu.Unlock()
	for _, a := range acks {
		if a.timer != nil {
			a.timer.Stop()
		}
		a.done(nil, ErrDisconnected)
	}
	s.session.remove(s)
	switch before {
	case connected:
		s.session.turns.run(nil, func([]Value) { s.leave(reason, err) })
	case connecting:
		s.ns.forget(s)
	}
}

// leave tells the application of the end, and takes the socket out of its rooms and
// its namespace.
func (s *Socket) leave(reason Reason, err error) {
	for _, f := range s.disconnecting.load() {
		s.protect("disconnecting", func() error { (*f)(reason, err); return nil })
	}
	if s.pid != "" && reason.recoverable() {
		rooms := slices.DeleteFunc(s.Rooms(), func(room string) bool { return room == s.id })
		stored := &StoredSocket{ID: s.id, PID: s.pid, Rooms: rooms, Data: s.Data(), Principal: s.session.principal()}
		if err := s.ns.adapter.Persist(stored); err != nil {
			s.ns.server.log().Error("socketio: socket not kept", "namespace", s.ns.name, "error", err)
		}
	}
	s.ns.forget(s)
	for _, f := range s.disconnect.load() {
		s.protect("disconnect", func() error { (*f)(reason, err); return nil })
	}
}

// info describes the socket.
func (s *Socket) info() (SocketInfo, error) {
	data, err := json.Marshal(s.Data())
	if err != nil {
		return SocketInfo{}, err
	}
	return SocketInfo{ID: s.id, Handshake: s.Handshake(), Rooms: s.Rooms(), Data: data}, nil
}
