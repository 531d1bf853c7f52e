package socketio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/socketio"
	"example.org/rfc6455/socketio/engineio"
)

// A world is a server and what reaches it, in memory.
type world struct {
	t        testing.TB
	io       *socketio.Server
	listener *conntest.Listener
	log      *journal
}

// serve serves a server until the test ends. It must be called in a bubble of
// synctest.
func serve(t testing.TB, server *socketio.Server) *world {
	t.Helper()
	w := &world{t: t, io: server, listener: conntest.Listen(), log: new(journal)}
	if server.Logger == nil {
		server.Logger = slog.New(slog.DiscardHandler)
	}
	if server.OnFault == nil {
		server.OnFault = func(e *socketio.FaultError) { w.log.add("fault %s", e.Fault) }
	}
	front := &http.Server{Handler: server}
	go front.Serve(w.listener)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		server.Shutdown(ctx)
		front.Close()
		synctest.Wait()
	})
	return w
}

// A client is one that sends and expects literal messages over a WebSocket.
type client struct {
	t    testing.TB
	conn *conn.Conn
	open struct{ SID string }
}

// dial opens a session of revision 4 of Engine.IO, with more of a query.
func (w *world) dial(query ...string) *client { return w.dialRevision(4, query...) }

func (w *world) dialRevision(revision int, query ...string) *client {
	w.t.Helper()
	c := w.engine(revision, query...)
	if c == nil {
		w.t.Fatal("no session")
	}
	return c
}

func (w *world) engine(revision int, query ...string) *client {
	w.t.Helper()
	o := &conn.DialOptions{NetDial: w.listener.Dial}
	o.PingInterval = conn.NoLimit
	fields := []string{fmt.Sprintf("EIO=%d", revision), "transport=websocket"}
	for _, q := range query {
		if k, v, ok := strings.Cut(q, ": "); ok {
			o.Header = http.Header{k: {v}}
			continue
		}
		fields = append(fields, q)
	}
	ws, err := conn.Dial(context.Background(), "ws://server/socket.io/?"+strings.Join(fields, "&"), o)
	if err != nil {
		w.t.Fatal(err)
	}
	c := &client{t: w.t, conn: ws}
	w.t.Cleanup(func() { ws.CloseNow() })
	first := c.receive()
	if err := json.Unmarshal([]byte(strings.TrimPrefix(first, "0")), &c.open); err != nil || first[0] != '0' {
		w.t.Fatalf("the session begins with %q, %v", first, err)
	}
	return c
}

// join opens a session and joins the main namespace; it returns the socket's id.
func (w *world) join(query ...string) (*client, string) {
	w.t.Helper()
	c := w.dial(query...)
	c.send("40")
	return c, c.expect(`40{"sid":"*"}`)
}

// receive returns the next message, octets with a # and in hex, "closed" at the end,
// or "nothing" after a long time. Pings of Engine.IO are answered.
func (c *client) receive() string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	for {
		op, p, err := c.conn.ReadMessage(ctx)
		switch {
		case ctx.Err() != nil:
			return "nothing"
		case err != nil:
			return "closed"
		case op == frame.OpBinary:
			return fmt.Sprintf("#%x", p)
		case string(p) == "2":
			c.send("3")
		default:
			return string(p)
		}
	}
}

// send sends text messages, octets if they begin with a #.
func (c *client) send(messages ...string) {
	c.t.Helper()
	for _, m := range messages {
		op, p := frame.OpText, []byte(m)
		if h, ok := strings.CutPrefix(m, "#"); ok {
			op, p = frame.OpBinary, unhex(c.t, h)
		}
		if err := c.conn.WriteMessage(context.Background(), op, p); err != nil {
			c.t.Logf("sending %.100q: %v", m, err)
		}
	}
}

func unhex(t testing.TB, h string) []byte {
	t.Helper()
	var p []byte
	if _, err := fmt.Sscanf(h, "%x", &p); err != nil && h != "" {
		t.Fatalf("%q: %v", h, err)
	}
	return p
}

// expect receives messages, in which * stands for any text, and returns what the
// first * stood for.
func (c *client) expect(wants ...string) (wild string) {
	c.t.Helper()
	for i, want := range wants {
		got := c.receive()
		re := regexp.MustCompile("(?s)^" + strings.ReplaceAll(regexp.QuoteMeta(want), `\*`, "(.*?)") + "$")
		m := re.FindStringSubmatch(got)
		if m == nil {
			c.t.Fatalf("message %d is %.300s; want %s", i, got, want)
		}
		if len(m) > 1 && wild == "" {
			wild = m[1]
		}
	}
	return wild
}

// quiet checks that nothing comes for a while.
func (c *client) quiet() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if op, p, err := c.conn.ReadMessage(ctx); err == nil {
		c.t.Fatalf("%v %q came; want nothing", op, p)
	} else if ctx.Err() == nil {
		c.t.Fatalf("the connection ended: %v", err)
	}
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

// take returns the lines since the last call, separated by "; ", once nothing
// moves any more.
func (j *journal) take() string {
	synctest.Wait()
	j.mu.Lock()
	defer j.mu.Unlock()
	all := strings.Join(j.lines, "; ")
	j.lines = nil
	return all
}

// check compares the journal with what is wanted.
func (w *world) check(want string) {
	w.t.Helper()
	if got := w.log.take(); got != want {
		w.t.Errorf("what happened:\n     %s\nwant %s", got, want)
	}
}

// bubble runs a test in a bubble of synctest with a server.
func bubble(t *testing.T, server *socketio.Server, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, serve(t, server)) })
}

// eio3 accepts clients of version 2, too.
func eio3() *engineio.Options { return &engineio.Options{EIO3: true} }

// poll asks for what there is by polling: the id of a new session for an empty sid.
func (w *world) poll(sid string) string {
	w.t.Helper()
	status, body := w.request(http.MethodGet, sid, "")
	if sid != "" {
		return body
	}
	var open struct{ SID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(body, "0")), &open); err != nil || status != 200 {
		w.t.Fatalf("the session begins with %d %q, %v", status, body, err)
	}
	return open.SID
}

// post sends a payload by polling.
func (w *world) post(sid, payload string) (status int, body string) {
	w.t.Helper()
	return w.request(http.MethodPost, sid, payload)
}

func (w *world) request(method, sid, payload string) (status int, body string) {
	w.t.Helper()
	url := "http://server/socket.io/?EIO=4&transport=polling"
	if sid != "" {
		url += "&sid=" + sid
	}
	r, err := http.NewRequest(method, url, strings.NewReader(payload))
	if err != nil {
		w.t.Fatal(err)
	}
	a := w.do(r)
	return a.StatusCode, a.body
}

// A response is one of HTTP that was read.
type response struct {
	*http.Response
	body string
}

func (w *world) do(r *http.Request) response {
	w.t.Helper()
	transport := &http.Transport{DialContext: w.listener.Dial, DisableCompression: true, DisableKeepAlives: true}
	a, err := transport.RoundTrip(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return response{a, string(b)}
}
