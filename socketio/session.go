package socketio

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"example.org/rfc6455/socketio/engineio"
	"example.org/rfc6455/socketio/parser"
)

// A session is a client of a server: a session of Engine.IO, with a socket for each
// namespace that was joined. It is the receiver of the messages.
type session struct {
	server  *Server
	engine  *engineio.Session
	decoder parser.Decoder
	turns   turns

	mu      sync.Mutex
	sockets []*Socket // connected
	left    []string  // namespaces that this side left, perhaps unknown to the client
	over    bool      // whether the session has ended
	reason  Reason
	timer   *time.Timer // for the first namespace; nil once it was joined
	parts   *time.Timer // for the attachments of a packet; nil while none are awaited
}

// open begins a session.
func (s *Server) open(e *engineio.Session) engineio.Receiver {
	c := &session{server: s, engine: e, decoder: s.parser().NewDecoder(&s.limits)}
	c.turns.session = c
	s.count(1)
	if c.revision() < 4 {
		// Revision 4 of Socket.IO joins the main namespace by itself, which may take
		// its time: middleware and handlers run, and may wait for the client.
		go c.turns.run(nil, func([]Value) { c.connect("/", Value{}) })
		return c
	}
	c.timer = time.AfterFunc(s.connectTimeout(), func() {
		if len(c.connected()) == 0 {
			c.fail(ConnectTimeout, "", nil, engineio.ForcedClose)
		}
	})
	return c
}

// revision returns that of Engine.IO.
func (c *session) revision() int { return int(c.engine.Protocol()) }

// socketID returns the id of a new socket.
func (c *session) socketID(namespace string) string {
	switch {
	case c.revision() >= 4:
		return newID()
	case namespace == "/":
		return c.engine.ID()
	}
	return namespace + "#" + c.engine.ID()
}

// principal returns who the client is.
func (c *session) principal() string {
	if o := c.server.Engine; o != nil && o.Principal != nil {
		return o.Principal(c.engine.Request())
	}
	return ""
}

// Message implements [engineio.Receiver].
func (c *session) Message(_ *engineio.Session, binary bool, data []byte) {
	pending := c.decoder.Pending()
	p, ok, err := c.decoder.Decode(binary, data)
	if err != nil {
		fault := Fault("")
		if e, is := errors.AsType[*parser.PacketError](err); is {
			fault = Fault(e.Reason.String())
		}
		c.fail(fault, "", err, engineio.ParseError)
		return
	}
	if pending != c.decoder.Pending() {
		c.awaitParts(!pending)
	}
	if !ok {
		return
	}
	t := turn{packet: p}
	if !binary {
		t.borrowed = true
		if p.Type != parser.Event {
			t.own() // somebody may keep it
		}
	}
	if p.Type == parser.Ack && c.answered(&t.packet) {
		return
	}
	c.turns.take(t)
}

// awaitParts begins or ends the wait for attachments.
func (c *session) awaitParts(begin bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.parts != nil {
		c.parts.Stop()
		c.parts = nil
	}
	if begin && !c.over {
		c.parts = time.AfterFunc(c.server.attachmentTimeout(), func() {
			c.fail(AttachmentTimeout, "", nil, engineio.ParseError)
		})
	}
}

// answered hands an acknowledgement to whom awaits it, out of turn: who is at it may
// be waiting for it.
func (c *session) answered(p *parser.Packet) bool {
	s := c.find(p.Namespace)
	if s == nil {
		return false // it may be connecting
	}
	if p.HasID {
		if done := s.take(p.ID); done != nil {
			done(p.Values(nil), nil)
		}
	}
	return true
}

// panicked ends a session for a panic of the application, such as one of a hook of
// the server. Those of handlers are dealt with before.
func (c *session) panicked(err error) {
	c.server.log().Error("socketio: session ended", "error", err)
	c.engine.Close(engineio.ForcedClose)
}

// handle does what a packet asks for, in its turn.
func (c *session) handle(t *turn) {
	p := &t.packet
	name, query := p.Namespace, ""
	if name == "" {
		name = "/"
	}
	if c.revision() < 4 {
		if i := strings.IndexByte(name, '?'); i >= 0 {
			name, query = name[:i], name[i+1:]
		}
	}
	s := c.find(name)
	switch {
	case p.Type == parser.ConnectError:
		c.fail(UnexpectedPacket, name, nil, engineio.ForcedClose)
	case p.Type == parser.Connect && s != nil:
		// Revision 4 joins the main namespace by itself.
		if c.revision() >= 4 || name != "/" {
			c.fail(AlreadyConnected, name, nil, engineio.ForcedClose)
		}
	case p.Type == parser.Connect:
		var auth Value
		if c.revision() < 4 {
			auth = queryValue(query)
		} else if values := p.Values(nil); len(values) > 0 {
			auth = values[0]
		}
		c.connect(name, auth)
	case s == nil:
		if !c.wasLeft(name) {
			c.fail(NotConnected, name, nil, engineio.ForcedClose)
		}
	case p.Type == parser.Disconnect:
		s.end(ClientNamespaceDisconnect, nil)
	case p.Type == parser.Event:
		s.dispatch(t)
	case p.Type == parser.Ack: // the socket was still connecting when it came
		c.answered(p)
	}
}

// queryValue returns a query as an object, which is how revision 4 sends what a
// client wants to be known by.
func queryValue(query string) Value {
	values, _ := url.ParseQuery(query) // what is malformed is not in it
	auth := map[string]string{}
	for name, all := range values {
		auth[name] = all[0]
	}
	if len(auth) == 0 {
		return Value{}
	}
	return makeValue(auth)
}

// connect lets the client join a namespace, or tells it why not.
func (c *session) connect(name string, auth Value) {
	c.mu.Lock()
	n := len(c.sockets)
	c.left = slices.DeleteFunc(c.left, func(l string) bool { return l == name })
	c.mu.Unlock()
	if n >= c.server.maxNamespaces() {
		c.server.fault(&FaultError{Fault: TooManyNamespaces, Namespace: name, Session: c.engine})
		c.refuse(name, &Error{Message: "Too many namespaces"})
		return
	}
	for {
		ns, err := c.server.find(c.engine, name, auth)
		if err != nil {
			c.refuse(name, err)
			return
		}
		if ns.admit(c, auth) {
			return
		}
	}
}

// refuse tells the client why it cannot join a namespace.
func (c *session) refuse(name string, err error) {
	e := public(err)
	if e == internalError && !c.ended() {
		c.server.log().Error("socketio: connection refused", "namespace", name, "error", err)
	}
	p := &parser.Packet{Type: parser.ConnectError, Namespace: name}
	var payload any = e
	if c.revision() < 4 && e != errInvalidNamespace {
		payload = e.Message
		if e.Data != nil {
			payload = e.Data
		}
	}
	if err := p.SetPayload(payload); err != nil {
		c.server.log().Error("socketio: data of an error", "namespace", name, "error", err)
		p.SetPayload(internalError)
	}
	c.send(p)
}

// find returns the connected socket in a namespace, or nil.
func (c *session) find(name string) *Socket {
	if name == "" {
		name = "/"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sockets {
		if s.ns.name == name {
			return s
		}
	}
	return nil
}

// connected returns the sockets.
func (c *session) connected() []*Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.sockets)
}

func (c *session) ended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.over
}

// add adds a socket, unless the session has ended.
func (c *session) add(s *Socket) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return false
	}
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	c.sockets = append(c.sockets, s)
	return true
}

// remove takes a socket out.
func (c *session) remove(s *Socket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sockets = slices.DeleteFunc(c.sockets, func(o *Socket) bool { return o == s })
}

// leftByUs notes that this side left a namespace: the client may have sent something
// for it that is still to come.
func (c *session) leftByUs(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.left) >= c.server.maxNamespaces() {
		c.left = slices.Delete(c.left, 0, 1)
	}
	c.left = append(c.left, name)
}

func (c *session) wasLeft(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.left, name)
}

// send sends a packet of the protocol itself.
func (c *session) send(p *parser.Packet) error {
	wire, err := c.server.encode(p, false)
	if err != nil {
		return err
	}
	return c.post(wire)
}

// post sends messages. If they find no room in the queue, the client is cut off, or
// they are dropped.
func (c *session) post(wire []*engineio.Packet) error { return c.sent(c.engine.Send(wire...)) }

// sent is what is left to do of post after that error.
func (c *session) sent(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, engineio.ErrQueueFull):
		if c.server.Slow == SlowClose {
			c.endAs(ForcedServerClose)
			c.fail(SlowConsumer, "", nil, engineio.ForcedClose)
		}
		return ErrQueueFull
	case errors.Is(err, net.ErrClosed):
		return ErrDisconnected
	}
	return err
}

// fail cuts the client off.
func (c *session) fail(fault Fault, namespace string, err error, reason engineio.CloseReason) {
	if c.ended() {
		return
	}
	c.server.fault(&FaultError{fault, namespace, c.engine, err})
	c.engine.Close(reason)
}

// endAs has the sockets know another reason than that of the session.
func (c *session) endAs(r Reason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reason == "" {
		c.reason = r
	}
}

// Closed implements [engineio.Receiver].
func (c *session) Closed(_ *engineio.Session, reason engineio.CloseReason, err error) {
	c.mu.Lock()
	c.over = true
	for _, t := range []*time.Timer{c.timer, c.parts} {
		if t != nil {
			t.Stop()
		}
	}
	r := c.reason
	sockets := slices.Clone(c.sockets)
	c.mu.Unlock()
	c.turns.stop()
	if r == "" {
		r = Reason(reason)
	}
	for _, s := range sockets {
		s.end(r, err)
	}
	c.server.count(-1)
}

// recovered calls f and returns its error, or a *PanicError.
func recovered(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = newPanicError(v)
		}
	}()
	return f()
}
