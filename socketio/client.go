package socketio

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"

	"example.org/rfc6455/socketio/engineio"
	"example.org/rfc6455/socketio/parser"
)

// Why a client was disconnected, besides what happens to the session. After these two
// it does not come back by itself.
const (
	// ServerDisconnect is the server's doing, and ClientDisconnect that of
	// [Client.Disconnect].
	ServerDisconnect = Reason("io server disconnect")
	ClientDisconnect = Reason("io client disconnect")
)

// A Client is a client's side of a namespace. Register what it is to do with
// [Client.On] and [Client.OnConnect], and then [Client.Connect] it.
//
// Its handlers run one after the other in the order in which the events came,
// together with those of the other namespaces of its [Manager]. What is sent while
// there is no connection is kept until there is one.
//
// Its methods may be called from any goroutine.
type Client struct {
	m  *Manager
	ns string

	listeners     listeners
	any, outgoing hooks[func(*Event)]
	connect       hooks[func()]
	connectError  hooks[func(error)]
	disconnect    hooks[func(Reason, error)]
	onError       hooks[func(error)]

	// What follows is guarded by m.mu.

	active    bool              // whether it wants to be connected
	joined    bool              // whether it is
	asking    *engineio.Session // which the server has been asked on, and has not answered
	main      *engineio.Session // with EIO3, which has let the main namespace in unasked
	gone      bool              // whether main has been left again
	id        string
	pid       string // brings the state back; empty without recovery
	offset    string // of the last event
	recovered bool
	buffer    []*outgoingPacket // for the next connection
	held      []parser.Packet   // events that came before the connection
	queue     []*attempt        // with Retries, those that have not been acknowledged
	acks      map[uint64]*clientAck
	lastID    uint64
	waiters   []chan error
	ctx       context.Context // nil until it is asked for
	cancel    context.CancelCauseFunc
}

// An outgoingPacket is a packet with the messages that it is sent as.
type outgoingPacket struct {
	p    *parser.Packet
	wire []*engineio.Packet
}

// A clientAck is an acknowledgement that is awaited.
type clientAck struct {
	pendingAck
	sent bool // whether the event has left
}

// Of returns the client of another namespace that shares the connection. There is
// one for each namespace. The error is ErrNamespace.
func (c *Client) Of(namespace string) (*Client, error) { return c.m.client(namespace) }

// Manager returns the connection.
func (c *Client) Manager() *Manager { return c.m }

// Namespace returns the name of the namespace.
func (c *Client) Namespace() string { return c.ns }

// ID returns the id that the server has given the client, or nothing while it is not
// connected. It changes with each connection that is not recovered.
func (c *Client) ID() string {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	return c.id
}

// Connected reports whether the client is connected.
func (c *Client) Connected() bool {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	return c.joined
}

// Active reports whether the client is connected or will be by itself.
func (c *Client) Active() bool {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	return c.active
}

// Recovered reports whether the server has brought back the state of the connection
// before: see [Server.Recovery].
func (c *Client) Recovered() bool {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	return c.recovered
}

// Context returns a context that ends when the connection to the namespace does,
// with ErrDisconnected as its cause.
func (c *Client) Context() context.Context {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	if c.ctx == nil {
		c.ctx, c.cancel = context.WithCancelCause(context.Background())
		if !c.joined {
			c.cancel(ErrDisconnected)
		}
	}
	return c.ctx
}

// Connect has the client connected until [Client.Disconnect], and returns when it is
// for the first time. When the server refuses it the error is an [*Error], and it is
// not tried again. When no server can be reached it is, as [ClientOptions] say, and
// the error is the last one, or the cause of ctx when that ends before; then the
// client goes on trying. The error is ErrDisconnected after [Manager.Close], after
// [Client.Disconnect], and when the connection was lost meanwhile and is not to come
// back. A handler must not wait for it, as the server's consent waits for the handler: call
// it on a goroutine there.
func (c *Client) Connect(ctx context.Context) error {
	done := make(chan error, 1)
	m := c.m
	m.mu.Lock()
	switch {
	case m.ctx.Err() != nil:
		m.mu.Unlock()
		return ErrDisconnected
	case c.joined:
		m.mu.Unlock()
		return nil
	}
	c.waiters = append(c.waiters, done)
	engine := m.engine
	if c.active {
		engine = nil // it has been asked for
	} else if engine == nil {
		m.hurry = true
	}
	c.active = true
	m.start()
	m.mu.Unlock()
	m.stir()
	if engine != nil {
		c.join(engine)
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		m.mu.Lock()
		c.waiters = slices.DeleteFunc(c.waiters, func(w chan error) bool { return w == done })
		m.mu.Unlock()
		return context.Cause(ctx)
	}
}

// Disconnect leaves the namespace, and closes the connection if no other client needs
// it. The client can be connected again.
func (c *Client) Disconnect() {
	m := c.m
	m.mu.Lock()
	c.active = false
	c.resolve(ErrDisconnected)
	if c.joined && m.engine != nil {
		c.depart(m.engine)
	}
	m.mu.Unlock()
	if tell := c.part(ClientDisconnect, nil); tell != nil {
		m.work.do(tell)
	}
	m.leave()
}

// depart tells the server that the client leaves.
func (c *Client) depart(s *engineio.Session) {
	wire, err := encode(c.m.parser(), &parser.Packet{Type: parser.Disconnect, Namespace: c.ns}, false)
	if err == nil {
		s.Send(wire...)
	}
}

// end is the end of everything that waits, once the manager is closed.
func (c *Client) end() {
	c.m.mu.Lock()
	acks, queue := c.acks, c.queue
	c.acks, c.queue, c.buffer = nil, nil, nil
	c.m.mu.Unlock()
	for _, a := range acks {
		if a.timer != nil {
			a.timer.Stop()
		}
		a.done(nil, ErrDisconnected)
	}
	for _, a := range queue {
		if a.done != nil {
			a.done(nil, ErrDisconnected)
		}
	}
}

// On has fn called for each event of that name, as [Socket.On] says; its context is
// that of the client.
func (c *Client) On(event string, fn any) *Listener { return c.listen(event, fn, false) }

// Once is [Client.On] for the next event alone.
func (c *Client) Once(event string, fn any) *Listener { return c.listen(event, fn, true) }

func (c *Client) listen(event string, fn any, once bool) *Listener {
	l := c.listeners.add(event, fn, once)
	if err := l.Err(); err != nil {
		c.m.log().Error("socketio: bad listener", "namespace", c.ns, "event", event, "error", err)
	}
	return l
}

// Off removes all listeners of an event. [Listener.Off] removes one.
func (c *Client) Off(event string) { c.listeners.off(event) }

// OnAny has f called for each event that comes, before its listeners, and returns
// what ends that. It is also called for events without listeners.
func (c *Client) OnAny(f func(*Event)) (off func()) { return c.any.add(f, false) }

// PrependAny is [Client.OnAny] before the functions that are there already.
func (c *Client) PrependAny(f func(*Event)) (off func()) { return c.any.add(f, true) }

// OnAnyOutgoing has f called for each event that is sent, and returns what ends that.
// It must not wait.
func (c *Client) OnAnyOutgoing(f func(*Event)) (off func()) { return c.outgoing.add(f, false) }

// PrependAnyOutgoing is [Client.OnAnyOutgoing] before the functions that are there
// already.
func (c *Client) PrependAnyOutgoing(f func(*Event)) (off func()) { return c.outgoing.add(f, true) }

// OnConnect has f called each time the client is connected, after what was sent
// meanwhile has left.
func (c *Client) OnConnect(f func()) { c.connect.add(f, false) }

// OnConnectError has f called each time the client could not be connected: with an
// [*Error] if the server refuses it, after which it is not tried again; and with
// what happened otherwise.
func (c *Client) OnConnectError(f func(error)) { c.connectError.add(f, false) }

// OnDisconnect has f called each time the connection has ended. The error says more,
// or is nil.
func (c *Client) OnDisconnect(f func(reason Reason, err error)) { c.disconnect.add(f, false) }

// OnError has f called for each event that was not handled as it should be, with a
// [*HandlerError]; and for what a server of version 2 tells of its errors after the
// client was connected, with an [*Error].
func (c *Client) OnError(f func(error)) { c.onError.add(f, false) }

// join asks the server for the namespace, unless it is about to answer.
func (c *Client) join(s *engineio.Session) {
	p := &parser.Packet{Type: parser.Connect, Namespace: c.ns}
	c.m.mu.Lock()
	asked, admitted, gone := c.asking == s, c.main == s, c.gone
	c.asking = s
	c.m.mu.Unlock()
	switch {
	case asked:
	case c.m.eio3() && c.ns == "/" && admitted && gone:
		c.request(s, p)
	case c.m.eio3() && c.ns == "/":
		if admitted { // revision 4 joins it by itself
			c.m.work.do(func() { c.admitted(s, p) })
		}
	case c.m.eio3():
		if c.m.query != "" {
			p.Namespace += "?" + c.m.query
		}
		c.request(s, p)
	case c.m.options.AuthFunc == nil:
		c.requestAs(s, p, c.m.options.Auth)
	default:
		go func() {
			var auth any
			err := recovered(func() (err error) {
				auth, err = c.m.options.AuthFunc(s.Context())
				return err
			})
			if err != nil {
				c.m.work.do(func() { c.refused(s, err) })
				return
			}
			c.requestAs(s, p, auth)
		}()
	}
}

// requestAs sends the request with what the client says of itself.
func (c *Client) requestAs(s *engineio.Session, p *parser.Packet, auth any) {
	c.m.mu.Lock()
	pid, offset := c.pid, c.offset
	c.m.mu.Unlock()
	if err := setAuth(p, auth, pid, offset); err != nil {
		c.m.work.do(func() { c.refused(s, err) })
		return
	}
	c.request(s, p)
}

// setAuth sets the payload of a request: auth, and what brings back the state.
func setAuth(p *parser.Packet, auth any, pid, offset string) error {
	fields := map[string]json.RawMessage{}
	if auth != nil {
		b, err := json.Marshal(auth)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(b, &fields); err != nil {
			return fmt.Errorf("socketio: auth is no object: %w", err)
		}
	}
	if pid != "" {
		fields["pid"], _ = json.Marshal(pid)
		fields["offset"], _ = json.Marshal(offset)
	}
	if len(fields) == 0 {
		return nil
	}
	return p.SetPayload(fields)
}

func (c *Client) request(s *engineio.Session, p *parser.Packet) {
	wire, err := encode(c.m.parser(), p, false)
	if err == nil {
		err = s.Send(wire...)
	}
	if err != nil && !errors.Is(err, engineio.ErrClosed) { // else it is asked for on the next one
		c.m.work.do(func() { c.refused(s, err) })
	}
}

// handle handles a packet.
func (c *Client) handle(s *engineio.Session, p *parser.Packet) {
	switch p.Type {
	case parser.Connect:
		c.admitted(s, p)
	case parser.ConnectError:
		if c.Connected() { // revision 4 tells of any error so
			call(c.m, &c.onError, func(f func(error)) { f(refusal(p)) })
			return
		}
		c.refused(s, refusal(p))
	case parser.Disconnect:
		c.m.mu.Lock()
		c.active = false
		c.m.mu.Unlock()
		c.lost(ServerDisconnect, nil)
		c.m.leave()
	case parser.Event:
		c.m.mu.Lock()
		joined := c.joined
		if !joined && c.active && len(c.held) < limit(c.m.options.MaxBuffered, 1024, math.MaxInt) {
			c.held = append(c.held, *p)
		}
		c.m.mu.Unlock()
		if joined {
			c.dispatch(p)
		}
	}
}

// refusal returns why the server refuses the client.
func refusal(p *parser.Packet) *Error {
	e := &Error{Message: "connection refused"}
	values := p.Values(nil)
	if len(values) == 0 {
		return e
	}
	var object struct {
		Message string `json:"message"`
		Data    any    `json:"data"`
	}
	var text string
	switch {
	case values[0].Decode(&object) == nil:
		e.Message, e.Data = cmp.Or(object.Message, e.Message), object.Data
	case values[0].Decode(&text) == nil: // of revision 4
		e.Message = text
	default:
		values[0].Decode(&e.Data)
	}
	return e
}

// admitted is the server's consent.
func (c *Client) admitted(s *engineio.Session, p *parser.Packet) {
	var given struct{ SID, PID string }
	if values := p.Values(nil); len(values) > 0 {
		if err := values[0].Decode(&given); err != nil {
			s.Close(engineio.ParseError)
			return
		}
	}
	switch {
	case c.m.eio3() && c.ns == "/":
		given.SID = s.ID()
	case c.m.eio3():
		given.SID = c.ns + "#" + s.ID()
	case given.SID == "":
		c.refused(s, errVersion)
		return
	}
	m := c.m
	m.mu.Lock()
	if c.asking == s {
		c.asking = nil
	}
	if m.engine != s || c.joined {
		m.mu.Unlock()
		return
	}
	unasked := m.eio3() && c.ns == "/" && c.main != s
	if unasked {
		c.main, c.gone = s, false
	}
	if !c.active {
		if !unasked { // it has left before the server answered
			c.depart(s)
		}
		m.mu.Unlock()
		return
	}
	c.recovered = given.PID != "" && given.PID == c.pid
	if !c.recovered {
		c.offset = ""
	}
	c.id, c.pid = given.SID, given.PID
	c.ctx, c.cancel = nil, nil
	c.joined = true
	held := c.held
	c.held = nil
	buffer := c.buffer
	c.buffer = nil
	for i, o := range buffer {
		if s.Send(o.wire...) != nil {
			c.buffer = buffer[i:]
			buffer = buffer[:i]
			break
		}
		c.sent(o.p)
	}
	c.resolve(nil)
	m.mu.Unlock()
	for _, o := range buffer {
		c.leaving(o.p)
	}
	c.drain()
	for i := range held {
		c.dispatch(&held[i])
	}
	call(m, &c.connect, func(f func()) { f() })
}

// sent notes that an event has left. It needs mu.
func (c *Client) sent(p *parser.Packet) {
	if a := c.acks[p.ID]; p.HasID && a != nil {
		a.sent = true
	}
}

// resolve ends the wait of Connect. It needs mu.
func (c *Client) resolve(err error) {
	for _, w := range c.waiters {
		w <- err
	}
	c.waiters = nil
}

// refused is the end of an attempt to join, which is not repeated.
func (c *Client) refused(s *engineio.Session, err error) {
	c.m.mu.Lock()
	if c.asking != s { // it has ended already
		c.m.mu.Unlock()
		return
	}
	c.asking = nil
	active := c.active
	c.active = false
	c.held = nil
	c.resolve(err)
	c.m.mu.Unlock()
	if !active {
		return
	}
	c.notConnected(err)
	c.m.leave()
}

func (c *Client) notConnected(err error) {
	call(c.m, &c.connectError, func(f func(error)) { f(err) })
}

// lost is the end of the connection to the namespace.
func (c *Client) lost(reason Reason, err error) {
	if tell := c.part(reason, err); tell != nil {
		tell()
	}
}

// part is the end of the connection to the namespace, and returns what tells the
// application, or nil if there was none.
func (c *Client) part(reason Reason, err error) (tell func()) {
	m := c.m
	m.mu.Lock()
	defer m.mu.Unlock()
	c.held = nil
	if reason != ClientDisconnect && reason != ServerDisconnect { // the session has ended
		c.asking, c.main = nil, nil
	}
	if !c.joined {
		return nil
	}
	c.gone = true
	c.joined = false
	c.id = ""
	if c.cancel != nil {
		c.cancel(ErrDisconnected)
	}
	if reason == ServerDisconnect || reason == ClientDisconnect {
		c.pid, c.offset = "", ""
	}
	var given []*clientAck
	for id, a := range c.acks {
		if a.sent {
			delete(c.acks, id)
			given = append(given, a)
		}
	}
	return func() {
		for _, a := range given {
			if a.timer != nil {
				a.timer.Stop()
			}
			a.done(nil, ErrDisconnected)
		}
		call(m, &c.disconnect, func(f func(Reason, error)) { f(reason, err) })
	}
}

// dispatch hands an event to its handlers.
func (c *Client) dispatch(p *parser.Packet) {
	name := p.EventName()
	values := p.Values(nil)
	if !p.HasID && len(values) > 0 {
		c.note(values[len(values)-1])
	}
	var a answer
	if p.HasID {
		id := p.ID
		a = answerBy(func(args []any) error { return c.acknowledge(id, args) })
	}
	if all := c.any.load(); all != nil {
		e := &Event{name, values}
		for _, f := range all {
			c.protect(name, func() error { (*f)(e); return nil })
		}
	}
	for _, l := range c.listeners.of(nil, []byte(name)) {
		if err := c.protect(name, func() error { return l.call(c.Context, values, &a, nil) }); err != nil {
			a.fail(err)
		}
	}
}

// note keeps the last argument of an event, which is its offset if the server keeps
// events for recovery.
func (c *Client) note(last Value) {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	var offset string
	if c.pid != "" && last.Decode(&offset) == nil {
		c.offset = offset
	}
}

// acknowledge answers an event.
func (c *Client) acknowledge(id uint64, args []any) error {
	p := &parser.Packet{Type: parser.Ack, Namespace: c.ns, HasID: true, ID: id}
	if err := p.SetArgs(args...); err != nil {
		return err
	}
	return c.deliver(p, false, true)
}

// protect calls f and reports its error, or its panic, as one of the event.
func (c *Client) protect(event string, f func() error) error {
	err := recovered(f)
	if err == nil {
		return nil
	}
	if _, told := errors.AsType[*Error](err); !told {
		c.m.log().Log(context.Background(), slog.LevelError, "socketio: event not handled", "namespace", c.ns, "event", event, "error", err)
	}
	call(c.m, &c.onError, func(f func(error)) { f(&HandlerError{event, err}) })
	return err
}

// Emit sends an event. The arguments are encoded as [parser.Packet.SetArgs] does, and
// not retained. It does not wait: what the server does not take at once is queued,
// and while there is no connection it is kept for the next one.
//
// The error is ErrQueueFull, ErrDisconnected after [Manager.Close], or that of
// SetArgs.
func (c *Client) Emit(event string, args ...any) error { return c.sender().Emit(event, args...) }

// Send is Emit of the event message.
func (c *Client) Send(args ...any) error { return c.Emit("message", args...) }

// Call sends an event that asks for an acknowledgement, waits for it and returns its
// first argument, which the caller may keep. It may be called in a handler. When the
// wait ends before the event has left it is not sent, except with
// [ClientOptions.Retries]. In a handler ctx should have a limit: an answer that comes
// after [ClientOptions.MaxWaiting] other packets is not read before the handler returns.
//
// The error is the cause of ctx when that ends, ErrDisconnected when the connection
// is lost after the event has left or the manager is closed, [ErrAckTimeout], [ErrTooManyAcks], or that of
// Emit.
func (c *Client) Call(ctx context.Context, event string, args ...any) (Value, error) {
	return c.sender().Call(ctx, event, args...)
}

// EmitAck sends an event that asks for an acknowledgement, and has fn called with its
// arguments, as a handler is: see [Socket.EmitAck].
func (c *Client) EmitAck(event string, fn any, args ...any) error {
	return c.sender().EmitAck(event, fn, args...)
}

func (c *Client) sender() ClientSender { return ClientSender{c: c, timeout: c.m.options.AckTimeout} }

// Volatile returns a sender whose events are dropped when they cannot be sent at
// once.
func (c *Client) Volatile() ClientSender { return c.sender().Volatile() }

// Compress returns a sender whose events are compressed, where the session is, or are
// not.
func (c *Client) Compress(on bool) ClientSender { return c.sender().Compress(on) }

// Timeout returns a sender that waits for acknowledgements for as long.
func (c *Client) Timeout(d time.Duration) ClientSender { return c.sender().Timeout(d) }

// A ClientSender sends events to a server. It is a value, which its methods do not
// change.
type ClientSender struct {
	c            *Client
	volatile     bool
	uncompressed bool
	timeout      time.Duration
}

// Volatile returns a sender whose events are dropped when they cannot be sent at
// once.
func (e ClientSender) Volatile() ClientSender { e.volatile = true; return e }

// Compress returns a sender whose events are compressed, where the session is, or are
// not.
func (e ClientSender) Compress(on bool) ClientSender { e.uncompressed = !on; return e }

// Timeout returns a sender that waits for acknowledgements for as long. Zero is no
// limit.
func (e ClientSender) Timeout(d time.Duration) ClientSender { e.timeout = d; return e }

// Emit is [Client.Emit].
func (e ClientSender) Emit(event string, args ...any) error {
	p, err := newEvent(e.c.ns, event, args)
	if err != nil {
		return err
	}
	if e.c.m.options.Retries > 0 && !e.volatile {
		return e.c.enqueue(e, p, nil)
	}
	return e.c.deliver(p, e.volatile, !e.uncompressed)
}

// Call is [Client.Call].
func (e ClientSender) Call(ctx context.Context, event string, args ...any) (Value, error) {
	type result struct {
		value Value
		err   error
	}
	done := make(chan result, 1)
	cancel, err := e.ask(event, args, func(args []Value, err error) {
		select {
		case done <- result{first(args), err}:
		default:
		}
	})
	if err != nil {
		return Value{}, err
	}
	defer cancel()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return Value{}, context.Cause(ctx)
	}
}

// EmitAck is [Client.EmitAck].
func (e ClientSender) EmitAck(event string, fn any, args ...any) error {
	h, err := newHandler(fn)
	if err != nil {
		return err
	}
	c := e.c
	_, err = e.ask(event, args, func(args []Value, failed error) {
		if failed != nil && !h.sig.err {
			return
		}
		c.m.work.do(func() {
			c.protect(event, func() error { return h.call(c.Context, failed, args, nil, nil) })
		})
	})
	return err
}

// ask sends an event and has done called with what answers it. What it returns ends
// the wait.
func (e ClientSender) ask(event string, args []any, done func([]Value, error)) (cancel func(), err error) {
	c := e.c
	p, err := newEvent(c.ns, event, args)
	if err != nil {
		return nil, err
	}
	if c.m.options.Retries > 0 && !e.volatile {
		return func() {}, c.enqueue(e, p, done)
	}
	if err := c.await(p, e.timeout, done); err != nil {
		return nil, err
	}
	if err := c.deliver(p, e.volatile, !e.uncompressed); err != nil {
		c.take(p.ID)
		return nil, err
	}
	return func() { c.drop(p.ID) }, nil
}

// await gives an event an id and has done called with its acknowledgement.
func (c *Client) await(p *parser.Packet, timeout time.Duration, done func([]Value, error)) error {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	if c.m.ctx.Err() != nil {
		return ErrDisconnected
	}
	if len(c.acks) >= limit(c.m.options.MaxPendingAcks, 1024, math.MaxInt) {
		return ErrTooManyAcks
	}
	if c.acks == nil {
		c.acks = map[uint64]*clientAck{}
	}
	id := c.lastID
	c.lastID++
	p.HasID, p.ID = true, id
	a := &clientAck{pendingAck: pendingAck{done: done}}
	c.acks[id] = a
	if timeout > 0 {
		a.timer = time.AfterFunc(timeout, func() {
			if done := c.drop(id); done != nil {
				done(nil, ErrAckTimeout)
			}
		})
	}
	return nil
}

// take returns the function that awaits an acknowledgement, once.
func (c *Client) take(id uint64) func([]Value, error) {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	a := c.acks[id]
	if a == nil {
		return nil
	}
	delete(c.acks, id)
	if a.timer != nil {
		a.timer.Stop()
	}
	return a.done
}

// drop is take that also takes back the event, if it has not left.
func (c *Client) drop(id uint64) func([]Value, error) {
	done := c.take(id)
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	c.buffer = slices.DeleteFunc(c.buffer, func(o *outgoingPacket) bool { return o.p.HasID && o.p.ID == id && o.p.Type == parser.Event })
	return done
}

// deliver sends a packet, or keeps it for the next connection.
func (c *Client) deliver(p *parser.Packet, volatile, compressed bool) error {
	m := c.m
	wire, err := encode(m.parser(), p, !compressed)
	if err != nil {
		return err
	}
	m.mu.Lock()
	switch {
	case m.ctx.Err() != nil:
		m.mu.Unlock()
		return ErrDisconnected
	case c.joined && m.engine != nil:
		if volatile && !m.engine.Writable() {
			m.mu.Unlock()
			return nil
		}
		err := m.engine.Send(wire...)
		if err == nil {
			c.sent(p)
			m.mu.Unlock()
			c.leaving(p)
			return nil
		}
		if !errors.Is(err, engineio.ErrClosed) {
			m.mu.Unlock()
			return err
		}
	}
	defer m.mu.Unlock()
	switch {
	case volatile || p.Type == parser.Ack:
		return nil
	case len(c.buffer) >= limit(m.options.MaxBuffered, 1024, math.MaxInt):
		return ErrQueueFull
	}
	c.buffer = append(c.buffer, &outgoingPacket{p, wire})
	return nil
}

// leaving tells the application of an event that was sent.
func (c *Client) leaving(p *parser.Packet) {
	if p.Type != parser.Event {
		return
	}
	if all := c.outgoing.load(); all != nil {
		e := &Event{p.EventName(), p.Values(nil)}
		for _, f := range all {
			c.protect(e.Name, func() error { (*f)(e); return nil })
		}
	}
}

// An attempt is an event that is sent until it is acknowledged.
type attempt struct {
	sender  ClientSender
	p       *parser.Packet
	done    func([]Value, error) // or nil
	tries   int
	pending bool // whether it is under way
}

// enqueue has an event sent in its turn, until it is acknowledged.
func (c *Client) enqueue(e ClientSender, p *parser.Packet, done func([]Value, error)) error {
	e.timeout = cmp.Or(e.timeout, 5*time.Second)
	c.m.mu.Lock()
	switch {
	case c.m.ctx.Err() != nil:
		c.m.mu.Unlock()
		return ErrDisconnected
	case len(c.queue) >= limit(c.m.options.MaxBuffered, 1024, math.MaxInt):
		c.m.mu.Unlock()
		return ErrQueueFull
	}
	c.queue = append(c.queue, &attempt{sender: e, p: p, done: done})
	c.m.mu.Unlock()
	c.drain()
	return nil
}

// drain sends the first event of the queue, unless it is under way.
func (c *Client) drain() {
	c.m.mu.Lock()
	if !c.joined || len(c.queue) == 0 || c.queue[0].pending {
		c.m.mu.Unlock()
		return
	}
	a := c.queue[0]
	a.pending = true
	a.tries++
	tries := a.tries
	c.m.mu.Unlock()
	p := a.p.Clone()
	err := c.await(&p, a.sender.timeout, func(args []Value, err error) { c.tried(a, tries, args, err) })
	if err == nil {
		err = c.deliver(&p, false, !a.sender.uncompressed)
	}
	if err != nil {
		c.take(p.ID)
		c.tried(a, tries, nil, err)
	}
}

// tried is the outcome of an attempt.
func (c *Client) tried(a *attempt, tries int, args []Value, err error) {
	c.m.mu.Lock()
	if len(c.queue) == 0 || c.queue[0] != a || a.tries != tries {
		c.m.mu.Unlock()
		return
	}
	a.pending = false
	if err != nil && a.tries <= c.m.options.Retries {
		c.m.mu.Unlock()
		if !errors.Is(err, ErrDisconnected) { // then it is sent with the next connection
			c.drain()
		}
		return
	}
	c.queue = c.queue[1:]
	c.m.mu.Unlock()
	if a.done != nil {
		a.done(args, err)
	}
	c.drain()
}
