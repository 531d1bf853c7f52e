package engineio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/socketio/engineio"
)

// A world is a server and the clients that reach it, in memory.
type world struct {
	t        *testing.T
	server   *engineio.Server
	http     *http.Client
	dial     conn.DialOptions
	listener front // what clients dial
	front    *http.Server
	sessions chan *engineio.Session // that have begun
	log      *journal
}

// serve starts a server whose sessions are served by a new receiver each, or echo if
// that is nil. It ends with the test.
func serve(t *testing.T, o *engineio.Options, receiver func(*engineio.Session) engineio.Receiver) *world {
	t.Helper()
	w := &world{t: t, sessions: make(chan *engineio.Session, 1024), log: new(journal)}
	if receiver == nil {
		receiver = func(*engineio.Session) engineio.Receiver { return &echo{log: w.log} }
	}
	w.server = &engineio.Server{Options: o, Handler: func(s *engineio.Session) engineio.Receiver {
		w.sessions <- s
		return receiver(s)
	}}
	w.dial.NetDial = w.listener.Dial
	w.dial.PingInterval = conn.NoLimit
	transport := &http.Transport{DialContext: w.listener.Dial, DisableCompression: true}
	w.http = &http.Client{Transport: transport}
	w.reserve(&http.Server{Handler: w.server})
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		w.server.Shutdown(ctx)
		transport.CloseIdleConnections()
		w.front.Close()
		synctest.Wait()
	})
	return w
}

// reserve has another http.Server in front of the sessions' server.
func (w *world) reserve(server *http.Server) {
	if w.front != nil {
		w.front.Close()
	}
	l := conntest.Listen()
	w.listener.Store(l)
	w.front = server
	go server.Serve(l)
}

// A receiver calls functions, if they are not nil.
type receiver struct {
	message func(s *engineio.Session, binary bool, data []byte)
	closed  func(s *engineio.Session, reason engineio.CloseReason, err error)
}

func (r receiver) Message(s *engineio.Session, binary bool, data []byte) {
	if r.message != nil {
		r.message(s, binary, data)
	}
}

func (r receiver) Closed(s *engineio.Session, reason engineio.CloseReason, err error) {
	if r.closed != nil {
		r.closed(s, reason, err)
	}
}

// A front is the listener of a server that can be replaced.
type front struct {
	atomic.Pointer[conntest.Listener]
}

func (f *front) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return f.Load().Dial(ctx, network, address)
}

// slow is Dial to a server that is some time away.
func (f *front) slow(ctx context.Context, network, address string) (net.Conn, error) {
	time.Sleep(rand.N(3 * time.Millisecond))
	return f.Dial(ctx, network, address)
}

// late is Dial to a server that is reached when nothing else moves any more: a session
// polls before it has a WebSocket.
func (f *front) late(ctx context.Context, network, address string) (net.Conn, error) {
	time.Sleep(time.Millisecond)
	return f.Dial(ctx, network, address)
}

// A journal notes what happens.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

// take returns the lines since the last call, separated by "; ".
func (j *journal) take() string {
	synctest.Wait()
	j.mu.Lock()
	defer j.mu.Unlock()
	all := strings.Join(j.lines, "; ")
	j.lines = nil
	return all
}

// An echo sends messages back, and notes them and the end of the session.
type echo struct{ log *journal }

func (e *echo) Message(s *engineio.Session, binary bool, data []byte) {
	e.log.add("%s", data)
	if err := s.Send(engineio.NewPacket(binary, data)); err != nil {
		e.log.add("Send: %v", err)
	}
}

func (e *echo) Closed(s *engineio.Session, reason engineio.CloseReason, err error) {
	e.log.add("closed: %s", reason)
}

// An answer is that of HTTP.
type answer struct {
	status int
	header http.Header
	body   string
	err    error
}

// request sends a request and returns the answer to it.
func (w *world) request(method, query, body string, header ...string) answer {
	return w.requestContext(context.Background(), method, query, body, header...)
}

func (w *world) requestContext(ctx context.Context, method, query, body string, header ...string) answer {
	w.t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, "http://example.com/engine.io/?"+query, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	response, err := w.http.Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(b), err}
}

// begin sends a request in the background.
func (w *world) begin(method, query, body string, header ...string) <-chan answer {
	done := make(chan answer, 1)
	go func() { done <- w.request(method, query, body, header...) }()
	synctest.Wait()
	return done
}

// A client is one that polls by hand.
type client struct {
	*world
	session *engineio.Session // of the server
	base    string            // of the query
	id      string
}

// poller begins a session that polls.
func (w *world) poller(base string) *client {
	w.t.Helper()
	c := &client{world: w, base: base + "&transport=polling"}
	a := w.request("GET", c.base, "")
	if a.status != 200 || a.err != nil {
		w.t.Fatalf("handshake: %+v", a)
	}
	_, packet, _ := strings.Cut(a.body, "0{")
	var welcome struct{ SID string }
	if err := json.Unmarshal([]byte("{"+packet), &welcome); err != nil {
		w.t.Fatalf("handshake %q: %v", a.body, err)
	}
	c.id = welcome.SID
	c.base += "&sid=" + c.id
	c.session = <-w.sessions
	return c
}

func (c *client) get() answer { c.t.Helper(); return c.request("GET", c.base, "") }

func (c *client) post(body string) answer { c.t.Helper(); return c.request("POST", c.base, body) }

// want compares an answer.
func (a answer) want(t *testing.T, status int, body string) {
	t.Helper()
	if a.err != nil || a.status != status || a.body != body {
		t.Errorf("answer %d %q, %v; want %d %q", a.status, a.body, a.err, status, body)
	}
}

// webSocket connects with a query.
func (w *world) webSocket(query string) *socket {
	w.t.Helper()
	c, err := conn.Dial(context.Background(), "ws://example.com/engine.io/?"+query, &w.dial)
	if err != nil {
		w.t.Fatal(err)
	}
	s := &socket{w.t, c}
	w.t.Cleanup(func() { c.CloseNow() })
	return s
}

// upgrade connects a WebSocket for the session.
func (c *client) upgrade() *socket {
	return c.webSocket(strings.Replace(c.base, "polling", "websocket", 1))
}

// webSocketOrNot is upgrade, and nil if the server refuses.
func (c *client) webSocketOrNot() *socket {
	query := strings.Replace(c.base, "polling", "websocket", 1)
	ws, err := conn.Dial(context.Background(), "ws://example.com/engine.io/?"+query, &c.dial)
	if err != nil {
		return nil
	}
	c.t.Cleanup(func() { ws.CloseNow() })
	return &socket{c.t, ws}
}

// A socket is a client's WebSocket that is used by hand.
type socket struct {
	t *testing.T
	*conn.Conn
}

func (s *socket) send(text string) {
	s.t.Helper()
	if err := s.WriteMessage(context.Background(), frame.OpText, []byte(text)); err != nil {
		s.t.Errorf("sending %q: %v", text, err)
	}
}

// next returns the next message, octets with a # before them, or the end.
func (s *socket) next() string {
	op, p, err := s.ReadMessage(context.Background())
	if e, ok := err.(*conn.CloseError); ok {
		return fmt.Sprintf("end %d", e.Code)
	}
	if op == frame.OpBinary {
		return fmt.Sprintf("#%x", p)
	}
	return string(p)
}

func (s *socket) want(texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		if got := s.next(); got != text {
			s.t.Fatalf("received %q, want %q", got, text)
		}
	}
}

// open begins a session on a WebSocket.
func (w *world) open(base string) (*socket, *engineio.Session) {
	w.t.Helper()
	s := w.webSocket(base + "&transport=websocket")
	if m := s.next(); !strings.HasPrefix(m, `0{"sid":"`) {
		w.t.Fatalf("received %q, want a handshake", m)
	}
	return s, <-w.sessions
}

// inBubble runs a test in a synctest bubble.
func inBubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// waitFor waits in real time for what is not far away.
func waitFor(t *testing.T, ready func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ready(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not come")
		}
	}
}

// contextWithTimeout returns a context that ends soon.
func contextWithTimeout(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), 100*time.Millisecond)
}
