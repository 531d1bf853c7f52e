package socketio

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/socketio/engineio"
	"example.org/rfc6455/socketio/parser"
)

// ClientOptions configures a [Manager] and its clients. Nil and the zero value both
// mean the defaults, which are those of the official client where it has them.
type ClientOptions struct {
	// Path is where the server has its sessions. Empty means /socket.io/.
	Path string

	// Auth is sent with each request to join a namespace: anything that is an
	// object in JSON. AuthFunc, if there is one, is asked for it each time instead,
	// on a goroutine of its own; its context ends with the session. Its error is
	// that of the connection, as if the server had refused it, and is not sent.
	// With EIO3 there is neither: the query of the URL takes their place.
	Auth     any
	AuthFunc func(ctx context.Context) (any, error)

	// Engine configures the sessions underneath: transports, header fields, TLS and
	// limits, and with EIO3 the revision of servers of version 2. Its Handler is not
	// used. Nil means the defaults.
	Engine *engineio.DialOptions

	// Parser is how packets are written; the server must use the same. Nil means
	// [parser.JSON].
	Parser parser.Parser

	// Limits bounds what a packet of the server may hold. Nil means the defaults.
	Limits *parser.Limits

	// NoReconnection leaves a lost connection lost, until [Client.Connect].
	NoReconnection bool

	// RememberUpgrade has a client whose connection had moved to a WebSocket come
	// back with one, and by polling only if that fails.
	RememberUpgrade bool

	// ReconnectionAttempts limits how often a connection is tried again in a row.
	// Zero means no limit.
	ReconnectionAttempts int

	// ReconnectionDelay is the wait before the first attempt, which doubles with
	// each one up to ReconnectionDelayMax. Zero means 1 and 5 seconds.
	// [Client.Connect] does not wait.
	ReconnectionDelay, ReconnectionDelayMax time.Duration

	// RandomizationFactor is by which part of itself a wait may be longer or shorter,
	// so that many clients do not come back at once: 0 to 1. Zero means 0.5, negative
	// none.
	RandomizationFactor float64

	// AckTimeout limits the wait for acknowledgements for which [ClientSender] has
	// no other limit. Zero means no limit.
	AckTimeout time.Duration

	// Retries has each event that is not volatile wait for its acknowledgement, and
	// sent up to so many times again, one event after the other. The server may get
	// one twice. Zero means that events are sent once. AckTimeout, or else 5
	// seconds, is how long each time takes.
	Retries int

	// MaxBuffered limits the events that wait for a connection, for each namespace;
	// with Retries those that wait for their acknowledgement; and those of the server
	// that come before its consent. Zero means 1,024, negative no limit.
	MaxBuffered int

	// MaxPendingAcks limits the acknowledgements that a client awaits. Zero means
	// 1,024, negative no limit.
	MaxPendingAcks int

	// MaxWaiting limits the packets of the server that wait for a handler; beyond it
	// the session is not read. Zero means 1,024, negative no limit. They are about 1
	// MiB in any case.
	MaxWaiting int

	// Logger gets a record for each error of a handler. Nil means [slog.Default].
	Logger *slog.Logger
}

// A Manager is a connection to a server that its clients share, one for each
// namespace. It connects while a client wants it, and comes back when the
// connection is lost. Its methods may be called from any goroutine.
type Manager struct {
	url     string // of the sessions
	query   string // of the URL, for namespaces of revision 4
	options ClientOptions
	work    worker
	ctx     context.Context // ends with Close
	cancel  context.CancelCauseFunc
	// upgraded says that the next session begins with a WebSocket; it is run's.
	upgraded bool
	wake     chan struct{} // has room for one; told when pause is to look again

	open                  hooks[func()]
	closed                hooks[func(Reason, error)]
	attempts, reconnected hooks[func(int)]
	reconnectError        hooks[func(error)]
	reconnectFailed       hooks[func()]

	mu      sync.Mutex // guards what follows, and what the clients say is
	clients map[string]*Client
	engine  *engineio.Session // nil while there is none
	running bool              // whether run is
	hurry   bool              // whether a client does not want to wait for a session
}

// NewClient returns a client for the namespace that is the path of a URL, such as
// http://localhost:3000/chat. The scheme is http, https, ws or wss, and the query is
// part of each request. Nothing is connected before [Client.Connect].
//
// The error is [conn.ErrURL] or ErrNamespace.
func NewClient(rawURL string, o *ClientOptions) (*Client, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "ws", "wss"}, u.Scheme) {
		return nil, conn.ErrURL
	}
	m := &Manager{clients: map[string]*Client{}, query: u.RawQuery, wake: make(chan struct{}, 1)}
	if o != nil {
		m.options = *o
	}
	m.work.limit = limit(m.options.MaxWaiting, 1024, math.MaxInt)
	m.work.room.L = &m.work.mu
	m.ctx, m.cancel = context.WithCancelCause(context.Background())
	name := cmp.Or(u.Path, "/")
	u.Path, u.RawPath, u.Fragment = cmp.Or(m.options.Path, "/socket.io/"), "", ""
	m.url = u.String()
	return m.client(name)
}

// client returns the client of a namespace.
func (m *Manager) client(name string) (*Client, error) {
	if !strings.HasPrefix(name, "/") {
		name = "/" + name
	}
	if strings.ContainsAny(name, ",?") {
		return nil, ErrNamespace
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.clients[name]
	if c == nil {
		c = &Client{m: m, ns: name}
		m.clients[name] = c
	}
	return c, nil
}

// Session returns the session in use, or nil while there is none.
func (m *Manager) Session() *engineio.Session {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.engine
}

// OnOpen has f called when a session has begun, before its namespaces are joined.
func (m *Manager) OnOpen(f func()) { m.open.add(f, false) }

// OnClose has f called when a session has ended, after [Client.OnDisconnect] of its
// namespaces. The error says more, or is nil.
func (m *Manager) OnClose(f func(reason Reason, err error)) { m.closed.add(f, false) }

// OnReconnectAttempt has f called before each attempt to come back, with its number.
func (m *Manager) OnReconnectAttempt(f func(attempt int)) { m.attempts.add(f, false) }

// OnReconnect has f called when a connection that was lost is there again, with the
// number of the attempt.
func (m *Manager) OnReconnect(f func(attempt int)) { m.reconnected.add(f, false) }

// OnReconnectError has f called when an attempt has failed.
func (m *Manager) OnReconnectError(f func(error)) { m.reconnectError.add(f, false) }

// OnReconnectFailed has f called when the last of
// [ClientOptions.ReconnectionAttempts] has failed.
func (m *Manager) OnReconnectFailed(f func()) { m.reconnectFailed.add(f, false) }

// Close disconnects all clients for ever, and closes the session after what was sent
// before. It does not wait for that. Acknowledgements that are awaited end with
// ErrDisconnected, and what waits for a connection is dropped.
func (m *Manager) Close() {
	m.mu.Lock()
	m.cancel(ErrDisconnected)
	clients := slices.Collect(maps.Values(m.clients))
	m.mu.Unlock()
	for _, c := range clients {
		c.Disconnect()
		c.end()
	}
}

func (m *Manager) parser() parser.Parser { return cmp.Or(m.options.Parser, parser.JSON) }

func (m *Manager) log() *slog.Logger { return cmp.Or(m.options.Logger, slog.Default()) }

func (m *Manager) eio3() bool { return m.options.Engine != nil && m.options.Engine.EIO3 }

// start has the manager connected. It needs mu.
func (m *Manager) start() {
	if !m.running {
		m.running = true
		go m.run()
	}
}

// wanted reports whether a client wants to be connected. It needs mu.
func (m *Manager) wanted() bool {
	for _, c := range m.clients {
		if c.active {
			return true
		}
	}
	return false
}

// run connects until no client wants that any more, or nothing helps.
func (m *Manager) run() {
	for attempt := 0; ; {
		left, err := m.session(attempt)
		if err == nil {
			attempt = 0
		}
		if !m.again(attempt, err) {
			return
		}
		if left { // a client has come since the last one went
			continue
		}
		m.pause(m.delay(attempt))
		if !m.again(attempt, err) {
			return
		}
		attempt++
		n := attempt
		m.work.do(func() { call(m, &m.attempts, func(f func(int)) { f(n) }) })
	}
}

// again reports whether there is to be an attempt after so many, of which err is what
// the last one ended with. If not it ends the wait of clients for a connection.
func (m *Manager) again(attempts int, err error) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	wanted := m.wanted() && m.ctx.Err() == nil
	most := m.options.ReconnectionAttempts
	failed := most > 0 && attempts >= most
	if wanted && !failed && (!m.options.NoReconnection || m.hurry) {
		return true
	}
	m.running = false
	for _, c := range m.clients {
		if c.active {
			c.active = false
			c.resolve(cmp.Or(err, ErrDisconnected))
		}
	}
	if wanted && failed && !m.options.NoReconnection {
		m.work.do(func() { call(m, &m.reconnectFailed, func(f func()) { f() }) })
	}
	return false
}

// pause waits before an attempt, but not when a client has asked for one, nor when the
// last one has given up.
func (m *Manager) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		m.mu.Lock()
		wait := m.wanted() && !m.hurry
		m.mu.Unlock()
		if !wait {
			return
		}
		select {
		case <-timer.C:
			return
		case <-m.ctx.Done():
			return
		case <-m.wake:
		}
	}
}

// stir has pause look again.
func (m *Manager) stir() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// delay returns the wait after so many attempts in a row.
func (m *Manager) delay(attempts int) time.Duration {
	least := cmp.Or(m.options.ReconnectionDelay, time.Second)
	most := cmp.Or(m.options.ReconnectionDelayMax, 5*time.Second)
	d := float64(least) * math.Pow(2, float64(min(attempts, 60)))
	if factor := cmp.Or(m.options.RandomizationFactor, 0.5); factor > 0 {
		d *= 1 + factor*(2*rand.Float64()-1)
	}
	return time.Duration(min(d, float64(most)))
}

// session opens a session and returns when it has ended, and whether because the
// clients had left; or the error of opening it.
func (m *Manager) session(attempt int) (left bool, err error) {
	m.mu.Lock()
	m.hurry = false
	m.mu.Unlock()
	ended := make(chan bool, 1)
	var options engineio.DialOptions
	if m.options.Engine != nil {
		options = *m.options.Engine
	}
	options.Logger = cmp.Or(options.Logger, m.options.Logger)
	options.Handler = func(s *engineio.Session) engineio.Receiver {
		m.opened(s, attempt)
		return &inlet{m: m, decoder: m.parser().NewDecoder(m.options.Limits), ended: ended}
	}
	if m.upgraded && len(options.Transports) != 1 {
		options.Transports = []engineio.Transport{engineio.WebSocket, engineio.Polling}
		options.TryAllTransports = true
	}
	m.upgraded = false
	s, err := engineio.Dial(m.ctx, m.url, &options)
	if err != nil {
		if attempt > 0 {
			m.work.do(func() { call(m, &m.reconnectError, func(f func(error)) { f(err) }) })
		}
		m.tell(err)
		return false, err
	}
	left = <-ended
	m.upgraded = m.options.RememberUpgrade && s.Transport() == engineio.WebSocket
	return left, nil
}

// opened asks for the namespaces.
func (m *Manager) opened(s *engineio.Session, attempt int) {
	m.mu.Lock()
	m.hurry = false
	var clients []*Client
	for _, c := range m.clients {
		if c.active {
			clients = append(clients, c)
		}
	}
	if len(clients) > 0 {
		m.engine = s
	}
	m.mu.Unlock()
	if len(clients) == 0 { // they have left meanwhile
		s.Close("")
		return
	}
	m.work.do(func() {
		call(m, &m.open, func(f func()) { f() })
		if attempt > 0 {
			call(m, &m.reconnected, func(f func(int)) { f(attempt) })
		}
	})
	for _, c := range clients {
		c.join(s)
	}
}

// tell has the clients know that they could not be connected this time.
func (m *Manager) tell(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.clients {
		if c.active {
			m.work.do(func() { c.notConnected(err) })
		}
	}
}

// ended is the end of a session, and reports whether the clients had left it.
func (m *Manager) ended(s *engineio.Session, reason Reason, err error) (left bool) {
	m.mu.Lock()
	left = m.engine != s
	if !left {
		m.engine = nil
	}
	clients := slices.Collect(maps.Values(m.clients))
	m.mu.Unlock()
	for _, c := range clients {
		c.lost(reason, err)
	}
	call(m, &m.closed, func(f func(Reason, error)) { f(reason, err) })
	return left
}

// leave closes the session when no client is left.
func (m *Manager) leave() {
	m.mu.Lock()
	var engine *engineio.Session
	if !m.wanted() {
		engine, m.engine = m.engine, nil
	}
	m.mu.Unlock()
	if engine != nil {
		engine.Close("")
	}
	m.stir()
}

// An inlet is the receiver of a session.
type inlet struct {
	m       *Manager
	decoder parser.Decoder
	ended   chan<- bool // gets what Manager.ended reports
}

// Message implements [engineio.Receiver].
func (i *inlet) Message(s *engineio.Session, binary bool, data []byte) {
	p, ok, err := i.decoder.Decode(binary, slices.Clone(data))
	if err != nil {
		s.Close(engineio.ParseError)
		return
	}
	if !ok {
		return
	}
	i.m.mu.Lock()
	c := i.m.clients[cmp.Or(strings.SplitN(p.Namespace, "?", 2)[0], "/")]
	i.m.mu.Unlock()
	switch {
	case c == nil:
	case p.Type == parser.Ack:
		// Out of turn: a handler may be waiting for it.
		if p.HasID {
			if done := c.take(p.ID); done != nil {
				done(p.Values(nil), nil)
			}
		}
	default:
		i.m.work.doPacket(octets(&p), func() { c.handle(s, &p) })
	}
}

// Closed implements [engineio.Receiver].
func (i *inlet) Closed(s *engineio.Session, reason engineio.CloseReason, err error) {
	i.m.work.do(func() {
		i.ended <- i.m.ended(s, Reason(reason), err)
	})
}

// call calls the functions of a hook.
func call[F any](m *Manager, h *hooks[F], with func(F)) {
	for _, f := range h.load() {
		if err := recovered(func() error { with(*f); return nil }); err != nil {
			m.log().Error("socketio: hook", "error", err)
		}
	}
}

// A worker does one thing after the other, on a goroutine that is there while there is
// something to do.
type worker struct {
	limit int // how many packets may wait

	mu      sync.Mutex
	room    sync.Cond // signaled when waiting has become shorter
	waiting []task
	octets  int
	busy    bool
}

// A task is something to be done, for a packet of so many octets.
type task struct {
	octets int
	f      func()
}

// do has f called in its turn, and waits for nothing.
func (w *worker) do(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.add(task{f: f})
}

// doPacket is do that first waits for room.
func (w *worker) doPacket(octets int, f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.busy && (len(w.waiting) >= w.limit || w.octets > maxWaitingOctets) {
		w.room.Wait()
	}
	w.add(task{octets, f})
}

// add needs mu.
func (w *worker) add(t task) {
	w.waiting = append(w.waiting, t)
	w.octets += t.octets
	if !w.busy {
		w.busy = true
		go w.run()
	}
}

func (w *worker) run() {
	for {
		w.mu.Lock()
		if len(w.waiting) == 0 {
			w.waiting, w.busy = nil, false
			w.mu.Unlock()
			return
		}
		t := w.waiting[0]
		w.waiting[0] = task{}
		w.waiting = w.waiting[1:]
		w.octets -= t.octets
		w.room.Broadcast()
		w.mu.Unlock()
		t.f()
	}
}

// errVersion is a server that says nothing of the socket's id.
var errVersion = errors.New("socketio: the server speaks an older revision: see DialOptions.EIO3 of package engineio")
