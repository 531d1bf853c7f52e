package engineio

import (
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
	"example.org/rfc6455/socketio/engineio/codec"
)

// A Server runs a handler for each session. It is an [http.Handler] for every
// request of a session, whatever the path, which clients expect to be /engine.io/
// with its slash; a pattern of [http.ServeMux] must not name a method. Middleware goes around it; the ResponseWriter that it hands on
// must have an Unwrap method, or no WebSocket can be opened.
//
// The fields must be set before it is used. Its methods may be called concurrently.
// A Server must not be copied.
type Server struct {
	// Handler is called when a session begins, and returns the receiver of its
	// messages. It may send already. The client waits for it. What it returns must
	// not be nil; otherwise, and when it panics, the session is closed.
	Handler func(s *Session) Receiver

	// Options configures the server and its sessions. Nil means the defaults.
	Options *Options

	once       sync.Once
	options    Options // with defaults, and all that follows, of once
	settings   settings
	origins    *handshake.Origins
	originsErr error
	accept     conn.AcceptOptions

	mu       sync.Mutex
	sessions map[string]*Session
	hosts    map[string]int // how many sessions each has, if that is limited
	closed   bool           // whether there are no new sessions
	drained  chan struct{}  // closed when closed and there are no sessions
}

// init fills in what is made of the options.
func (s *Server) init() {
	s.once.Do(func() {
		s.options = s.Options.withDefaults()
		o := &s.options
		s.settings = settings{
			role:             frame.Server,
			maxQueuedPackets: o.MaxQueuedPackets,
			maxQueued:        o.MaxQueuedSize,
			maxPayload:       o.MaxPayload,
			maxPackets:       o.MaxPackets,
			writeTimeout:     o.WriteTimeout,
			upgradeTimeout:   o.UpgradeTimeout,
			closeTimeout:     o.CloseTimeout,
			handler:          s.Handler,
			upgraded:         o.OnUpgrade,
			forget:           s.forget,
			logger:           o.Logger,
			began:            time.Now(),
		}
		s.origins, s.originsErr = handshake.NewOrigins(o.Origins...)
		s.accept = conn.AcceptOptions{
			Options:           connOptions(&s.settings, o.Compression),
			InsecureAnyOrigin: true, // the origin has been checked
		}
		s.sessions = map[string]*Session{}
		s.hosts = map[string]int{}
		s.drained = make(chan struct{})
	})
}

// connOptions returns the options of the WebSockets of sessions.
func connOptions(s *settings, c *conn.Compression) conn.Options {
	const slack = 16 // packets of the protocol itself
	noLimit := func(d time.Duration) time.Duration {
		if d == 0 {
			return conn.NoLimit
		}
		return d
	}
	return conn.Options{
		MaxMessageSize:  int64(s.maxPayload),
		MaxQueuedSize:   addLimit(s.maxQueued, slack*overhead),
		MaxQueuedFrames: addLimit(s.maxQueuedPackets, slack),
		WriteTimeout:    noLimit(s.writeTimeout),
		PingInterval:    conn.NoLimit, // the heartbeat is ours
		Compression:     c,
	}
}

// ServeHTTP answers a request. A session on a WebSocket goes on when it returns,
// except over HTTP/2, where it returns when the connection has ended.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.init()
	e := &exchange{server: s, w: w, r: r}
	if e.cors() {
		return
	}
	no, err := e.check()
	if no == nil && e.query.id != "" {
		s.serveSession(e)
		return
	}
	if no == nil {
		no, err = e.checkHandshake()
	}
	if no != nil {
		e.refuse(no, err)
		return
	}
	s.serveHandshake(e)
}

// serveSession answers a request of a session.
func (s *Server) serveSession(e *exchange) {
	session := s.Session(e.query.id)
	if no := e.checkSession(session); no != nil {
		e.refuse(no, nil)
		return
	}
	if e.query.transport == WebSocket {
		s.serveUpgrade(e, session)
		return
	}
	session.mu.Lock()
	p, ok := session.link.(*polling)
	session.mu.Unlock()
	switch {
	case !ok:
		e.refuse(refuseTransportMismatch, nil)
	case e.query.jsonp && !s.options.JSONP:
		e.refuse(refuseRequest, nil)
	case e.r.Method == http.MethodGet:
		p.servePoll(e)
	case e.r.Method == http.MethodPost:
		p.servePost(e)
	default:
		e.refuse(refuseSessionMethod, nil)
	}
}

// serveHandshake begins a session.
func (s *Server) serveHandshake(e *exchange) {
	principal := ""
	if s.options.Principal != nil {
		principal = s.options.Principal(e.r)
	}
	session := &Session{
		settings: &s.settings,
		revision: e.query.revision,
		head:     keep(e.r, principal),
		queue:    new(queue),
	}
	session.beat = heartbeat{
		interval: s.options.PingInterval,
		timeout:  s.options.PingTimeout,
		pings:    session.revision == codec.V4,
	}
	p := newPolling(session)
	p.base64 = e.query.base64
	if e.query.transport == Polling {
		session.link = p
	}
	if no, err := s.register(session, e.r); no != nil {
		e.refuse(no, err)
		return
	}
	e.first = true
	if e.query.transport == WebSocket {
		s.beginWebSocket(e, session)
		return
	}
	e.setCookie(session.id)
	session.begin(time.Now())
	if e.respond(p.encode(e, []*Packet{s.openPacket(session)})) != nil {
		session.fail(TransportError, nil)
		return
	}
	session.farewell()
}

// beginWebSocket begins a session on a WebSocket.
func (s *Server) beginWebSocket(e *exchange, session *Session) {
	c, ok := s.acceptWebSocket(e)
	if !ok {
		s.forget(session)
		return
	}
	session.begin(time.Now())
	session.mu.Lock()
	c.Post(s.openPacket(session).message(form{revision: session.revision}))
	session.attach(c, e.query.base64)
	session.mu.Unlock()
	session.farewell()
	s.run(e, c, &reader{s: session, c: c})
}

// serveUpgrade takes a WebSocket for a session that polls.
func (s *Server) serveUpgrade(e *exchange, session *Session) {
	if s.options.NoUpgrade {
		e.refuse(refuseTransportMismatch, nil)
		return
	}
	if !session.beginUpgrade() { // it has a WebSocket, or gets one
		if c, ok := s.acceptWebSocket(e); ok {
			c.Close(frame.CloseNoStatusReceived, "")
		}
		return
	}
	c, ok := s.acceptWebSocket(e)
	if !ok {
		session.stay(nil)
		return
	}
	s.run(e, c, &upgrader{session, c, e.query.base64})
}

// An upgrader reads a WebSocket to which a session may move.
type upgrader struct {
	s      *Session
	c      *conn.Conn
	base64 bool
}

func (u *upgrader) run() { u.s.upgradeTo(u.c, u.base64) }

// run reads a WebSocket on a goroutine of its own, whose stack is small. Over HTTP/2
// the connection ends with the request.
func (s *Server) run(e *exchange, c *conn.Conn, src source) {
	go src.run()
	if e.r.ProtoMajor >= 2 {
		<-c.Done()
	}
}

// acceptWebSocket does the opening handshake. If it cannot be done the request has
// been answered.
func (s *Server) acceptWebSocket(e *exchange) (*conn.Conn, bool) {
	e.addHeaders()
	c, err := conn.Accept(e.w, e.r, &s.accept)
	if err != nil {
		s.refused(&ConnectionError{e.r, BadRequest, BadRequest.String(), ContextTransportHandshake, err})
		return nil, false
	}
	return c, true
}

// openPacket returns the handshake of a session, its first packet.
func (s *Server) openPacket(session *Session) *Packet {
	upgrades := []Transport{}
	if session.link != nil && !s.options.NoUpgrade && slices.Contains(s.options.Transports, WebSocket) {
		upgrades = append(upgrades, WebSocket)
	}
	b, _ := json.Marshal(welcome{ // strings and numbers have no errors
		ID:           session.id,
		Upgrades:     upgrades,
		PingInterval: s.options.PingInterval.Milliseconds(),
		PingTimeout:  s.options.PingTimeout.Milliseconds(),
		MaxPayload:   int64(s.options.MaxPayload),
	})
	return newPacket(codec.Open, string(b))
}

// A welcome is the data of the first packet.
type welcome struct {
	ID           string      `json:"sid"`
	Upgrades     []Transport `json:"upgrades"`
	PingInterval int64       `json:"pingInterval"` // in milliseconds
	PingTimeout  int64       `json:"pingTimeout"`  // likewise
	MaxPayload   int64       `json:"maxPayload"`   // in octets
}

// setCookie sets the cookie with the id of the session.
func (e *exchange) setCookie(id string) {
	o := e.server.options.Cookie
	if o == nil {
		return
	}
	c := *o
	if c.Name == "" {
		c.Name, c.Path, c.HttpOnly, c.SameSite = "io", "/", true, http.SameSiteLaxMode
	}
	c.Value = id
	http.SetCookie(e.w, &c)
}
