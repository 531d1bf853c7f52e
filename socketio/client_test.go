package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/socketio"
	"example.org/rfc6455/socketio/engineio"
	"example.org/rfc6455/socketio/parser"
)

// A house is a server on loopback that can be restarted.
type house struct {
	t    *testing.T
	make func() *socketio.Server
	addr string
	mu   sync.Mutex
	io   *socketio.Server
	http *http.Server
}

func newHouse(t *testing.T, make func() *socketio.Server) *house {
	h := &house{t: t, make: make, addr: "127.0.0.1:0"}
	h.start()
	t.Cleanup(h.stop)
	return h
}

func (h *house) start() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.io = h.make()
	l, err := net.Listen("tcp", h.addr)
	if err != nil {
		h.t.Error(err)
		return
	}
	h.addr = l.Addr().String()
	h.http = &http.Server{Handler: h.io}
	go h.http.Serve(l)
}

func (h *house) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	h.io.Shutdown(ctx)
	h.http.Close()
}

func (h *house) url() string { return "http://" + h.addr }

// echoes is a server that answers what the tests ask.
func echoes() *socketio.Server {
	io := &socketio.Server{Logger: slog.New(slog.DiscardHandler), Engine: &engineio.Options{EIO3: true}}
	handle := func(s *socketio.Socket) {
		s.On("echo", func(args ...socketio.Value) {
			all := make([]any, len(args))
			for i, v := range args {
				all[i] = v
			}
			s.Emit("back", all...)
		})
		s.On("twice", func(n int) int { return 2 * n })
		s.On("where", func() string { return s.Namespace().Name() })
		s.On("auth", func() socketio.Value { return s.Handshake().Auth })
		s.On("silence", func() {})
		s.On("ask me", func(ctx context.Context) (socketio.Value, error) { return s.Call(ctx, "question", 20, 22) })
		s.On("throw me out", func() { s.Disconnect(false) })
		s.On("cut me off", func() { s.Session().Close(engineio.TransportError) })
	}
	io.OnConnect(handle)
	io.Of("/chat").OnConnect(handle)
	io.Of("/secret").Use(func(context.Context, *socketio.Socket) error {
		return &socketio.Error{Message: "not authorized", Data: "retry"}
	})
	return io
}

// newClient returns a client that is closed with the test.
func newClient(t *testing.T, url string, o *socketio.ClientOptions) *socketio.Client {
	t.Helper()
	var options socketio.ClientOptions
	if o != nil {
		options = *o
	}
	options.Logger = slog.New(slog.DiscardHandler)
	if options.ReconnectionDelay == 0 {
		options.ReconnectionDelay = 10 * time.Millisecond
	}
	c, err := socketio.NewClient(url, &options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Manager().Close)
	return c
}

func mustConnect(t *testing.T, c *socketio.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := c.Connect(ctx); err != nil {
		t.Fatalf("Connect: %v", err)
	}
}

func ask[T any](t *testing.T, c *socketio.Client, event string, args ...any) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	v, err := c.Call(ctx, event, args...)
	if err != nil {
		t.Fatalf("Call(%q): %v", event, err)
	}
	var result T
	if err := v.Decode(&result); err != nil {
		t.Fatalf("Call(%q): %v", event, err)
	}
	return result
}

// within receives from c.
func within[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(10 * time.Second):
		t.Fatalf("timeout: no %s", what)
		panic("unreachable")
	}
}

// transports are the ways to a server.
var transports = map[string]*engineio.DialOptions{
	"polling":            {Transports: []engineio.Transport{engineio.Polling}},
	"websocket":          {Transports: []engineio.Transport{engineio.WebSocket}},
	"upgrade":            nil,
	"upgrade revision 3": {EIO3: true},
}

func TestClient(t *testing.T) {
	h := newHouse(t, echoes)
	for name, engine := range transports {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, h.url(), &socketio.ClientOptions{Engine: engine})
			type back struct {
				text string
				n    float64
				blob []byte
			}
			got := make(chan back, 100)
			c.On("back", func(text string, n float64, blob []byte) { got <- back{text, n, blob} })
			c.On("question", func(a, b int) int { return a + b })
			mustConnect(t, c)
			if !c.Connected() || c.ID() == "" {
				t.Errorf("connected: %t, id %q", c.Connected(), c.ID())
			}
			for i := range 20 {
				if err := c.Emit("echo", fmt.Sprint("ü", i), float64(i), []byte{byte(i)}); err != nil {
					t.Fatal(err)
				}
			}
			for i := range 20 {
				want := back{fmt.Sprint("ü", i), float64(i), []byte{byte(i)}}
				if diff := cmp.Diff(want, within(t, got, "event"), cmp.AllowUnexported(back{})); diff != "" {
					t.Fatalf("event %d (-want +got):\n%s", i, diff)
				}
			}
			if n := ask[int](t, c, "twice", 21); n != 42 {
				t.Errorf("twice 21 is %d", n)
			}
			if n := ask[int](t, c, "ask me"); n != 42 {
				t.Errorf("the server got %d", n)
			}
			if _, err := c.Timeout(20*time.Millisecond).Call(t.Context(), "silence"); !errors.Is(err, socketio.ErrAckTimeout) {
				t.Errorf("without an answer: %v", err)
			}
			chat, err := c.Of("/chat")
			if err != nil {
				t.Fatal(err)
			}
			mustConnect(t, chat)
			if a, b := ask[string](t, c, "where"), ask[string](t, chat, "where"); a != "/" || b != "/chat" {
				t.Errorf("the namespaces are %q and %q", a, b)
			}
			if h.io.Sessions().Len() == 0 || chat.Manager() != c.Manager() {
				t.Error("the namespaces do not share a connection")
			}
		})
	}
}

func TestClientAuth(t *testing.T) {
	h := newHouse(t, echoes)
	c := newClient(t, h.url(), &socketio.ClientOptions{Auth: struct {
		Token string `json:"token"`
	}{"abc"}})
	mustConnect(t, c)
	want := map[string]string{"token": "abc"}
	if diff := cmp.Diff(want, ask[map[string]string](t, c, "auth")); diff != "" {
		t.Errorf("auth (-want +got):\n%s", diff)
	}
	n := 0
	c = newClient(t, h.url(), &socketio.ClientOptions{AuthFunc: func(context.Context) (any, error) {
		n++
		return map[string]int{"n": n}, nil
	}})
	mustConnect(t, c)
	c.Disconnect()
	mustConnect(t, c)
	if diff := cmp.Diff(map[string]int{"n": 2}, ask[map[string]int](t, c, "auth")); diff != "" {
		t.Errorf("auth of a function (-want +got):\n%s", diff)
	}
	for name, o := range map[string]*socketio.ClientOptions{
		"no object": {Auth: 1},
		"function":  {AuthFunc: func(context.Context) (any, error) { return nil, errors.New("no token") }},
	} {
		if err := newClient(t, h.url(), o).Connect(t.Context()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestClientRefused: a namespace that refuses the client, or does not exist, is not
// tried again.
func TestClientRefused(t *testing.T) {
	h := newHouse(t, echoes)
	for name, engine := range transports {
		if engine != nil && engine.EIO3 {
			continue // its errors are texts
		}
		t.Run(name, func(t *testing.T) {
			c := newClient(t, h.url()+"/secret", &socketio.ClientOptions{Engine: engine})
			told := make(chan error, 10)
			c.OnConnectError(func(err error) { told <- err })
			err := c.Connect(t.Context())
			if diff := cmp.Diff(&socketio.Error{Message: "not authorized", Data: "retry"}, err); diff != "" {
				t.Errorf("Connect (-want +got):\n%s", diff)
			}
			if got := within(t, told, "connect error"); got != err || c.Active() {
				t.Errorf("the hook got %v; active %t", got, c.Active())
			}
			none := newClient(t, h.url()+"/nowhere", &socketio.ClientOptions{Engine: engine})
			if err, ok := errors.AsType[*socketio.Error](none.Connect(t.Context())); !ok || err.Message != "Invalid namespace" {
				t.Errorf("another namespace: %v", err)
			}
		})
	}
}

func TestClientDisconnect(t *testing.T) {
	h := newHouse(t, echoes)
	for name, tt := range map[string]struct {
		how  func(*socketio.Client)
		want socketio.Reason
		back bool
	}{
		"by the client":  {(*socketio.Client).Disconnect, socketio.ClientDisconnect, false},
		"by the server":  {func(c *socketio.Client) { c.Emit("throw me out") }, socketio.ServerDisconnect, false},
		"by the network": {func(c *socketio.Client) { c.Emit("cut me off") }, socketio.TransportClose, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, h.url(), &socketio.ClientOptions{Engine: transports["websocket"]})
			reasons, connected := make(chan socketio.Reason, 1), make(chan struct{}, 10)
			c.OnDisconnect(func(reason socketio.Reason, _ error) { reasons <- reason })
			c.OnConnect(func() { connected <- struct{}{} })
			mustConnect(t, c)
			within(t, connected, "connection")
			ctx := c.Context()
			tt.how(c)
			if got := within(t, reasons, "disconnection"); got != tt.want {
				t.Errorf("the reason is %q, want %q", got, tt.want)
			}
			within(t, ctx.Done(), "end of the context")
			if tt.back {
				within(t, connected, "second connection")
			} else if c.Active() {
				t.Error("the client comes back by itself")
			}
			mustConnect(t, c)
			if n := ask[int](t, c, "twice", 1); n != 2 {
				t.Error("the client cannot be connected again")
			}
		})
	}
}

// TestClientBuffers: what is sent before there is a connection arrives with it, in
// order, before what is sent by OnConnect; and volatile events do not.
func TestClientBuffers(t *testing.T) {
	got := make(chan int, 100)
	h := newHouse(t, func() *socketio.Server {
		io := &socketio.Server{}
		io.OnConnect(func(s *socketio.Socket) {
			s.On("n", func(n int) { got <- n })
			s.On("ask", func() string { return "answer" })
		})
		return io
	})
	c := newClient(t, h.url(), &socketio.ClientOptions{MaxBuffered: 4})
	c.OnConnect(func() { c.Emit("n", 3) })
	c.Volatile().Emit("n", 100)
	for i := range 3 {
		if err := c.Emit("n", i); err != nil {
			t.Fatal(err)
		}
	}
	answers := make(chan string, 1)
	if err := c.EmitAck("ask", func(s string) { answers <- s }); err != nil {
		t.Fatal(err)
	}
	if err := c.Emit("n", 200); !errors.Is(err, socketio.ErrQueueFull) {
		t.Errorf("a fifth event: %v", err)
	}
	if _, err := c.Timeout(time.Millisecond).Call(t.Context(), "ask"); !errors.Is(err, socketio.ErrQueueFull) {
		t.Errorf("a sixth one: %v", err)
	}
	mustConnect(t, c)
	for want := range 4 {
		if n := within(t, got, "event"); n != want {
			t.Errorf("event %d came, want %d", n, want)
		}
	}
	if s := within(t, answers, "answer"); s != "answer" {
		t.Errorf("the answer is %q", s)
	}
}

// TestClientTimeoutTakesBack: an event whose time was over before it left is not sent.
func TestClientTimeoutTakesBack(t *testing.T) {
	h := newHouse(t, echoes)
	c := newClient(t, h.url(), nil)
	events := make(chan string, 10)
	c.OnAnyOutgoing(func(e *socketio.Event) { events <- e.Name })
	if _, err := c.Timeout(time.Millisecond).Call(t.Context(), "twice", 1); !errors.Is(err, socketio.ErrAckTimeout) {
		t.Errorf("Call without a connection: %v", err)
	}
	c.Emit("silence")
	mustConnect(t, c)
	if got := within(t, events, "event"); got != "silence" {
		t.Errorf("%q was sent", got)
	}
}

// TestClientReconnects: a client comes back when the server does, and tells.
func TestClientReconnects(t *testing.T) {
	h := newHouse(t, echoes)
	for _, name := range []string{"websocket", "upgrade"} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, h.url(), &socketio.ClientOptions{Engine: transports[name], ReconnectionDelayMax: 50 * time.Millisecond})
			attempts, back := make(chan int, 1000), make(chan int, 10)
			c.Manager().OnReconnectAttempt(func(n int) { attempts <- n })
			c.Manager().OnReconnect(func(n int) { back <- n })
			lost := make(chan socketio.Reason, 10)
			c.OnDisconnect(func(r socketio.Reason, _ error) { lost <- r })
			mustConnect(t, c)
			id := c.ID()
			h.stop()
			if r := within(t, lost, "disconnection"); r != socketio.ServerDisconnect && r != socketio.TransportClose {
				t.Errorf("the reason is %q", r)
			}
			go c.Connect(t.Context()) // a server that shuts down says that it does not want the client
			if n := within(t, attempts, "attempt"); n != 1 {
				t.Errorf("the first attempt is %d", n)
			}
			h.start()
			if n := within(t, back, "return"); n < 1 {
				t.Errorf("back at attempt %d", n)
			}
			mustConnect(t, c)
			if n := ask[int](t, c, "twice", 4); n != 8 || c.ID() == id {
				t.Errorf("twice 4 is %d; the id %q was %q", n, c.ID(), id)
			}
		})
	}
}

func TestClientGivesUp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // nobody listens there
	c := newClient(t, "http://"+l.Addr().String(), &socketio.ClientOptions{ReconnectionAttempts: 3, ReconnectionDelay: time.Millisecond})
	var mu sync.Mutex
	var attempts []int
	failed, told := make(chan struct{}), 0
	m := c.Manager()
	m.OnReconnectAttempt(func(n int) { mu.Lock(); attempts = append(attempts, n); mu.Unlock() })
	m.OnReconnectFailed(func() { close(failed) })
	c.OnConnectError(func(error) { mu.Lock(); told++; mu.Unlock() })
	if err := c.Connect(t.Context()); err == nil {
		t.Error("Connect succeeded")
	}
	within(t, failed, "failure")
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff([]int{1, 2, 3}, attempts); diff != "" || told != 4 {
		t.Errorf("attempts (-want +got):\n%s\n%d errors", diff, told)
	}
	if c := newClient(t, "http://"+l.Addr().String(), &socketio.ClientOptions{NoReconnection: true}); c.Connect(t.Context()) == nil || c.Active() {
		t.Error("without reconnection the client still tries")
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	patient := newClient(t, "http://"+l.Addr().String(), nil)
	enough := errors.New("enough")
	time.AfterFunc(20*time.Millisecond, func() { cancel(enough) })
	if err := patient.Connect(ctx); !errors.Is(err, enough) || !patient.Active() {
		t.Errorf("Connect: %v; active %t", err, patient.Active())
	}
}

// TestClientRetries: with Retries events wait for one another, and one that is lost
// is sent again.
func TestClientRetries(t *testing.T) {
	var mu sync.Mutex
	var got []int
	h := newHouse(t, func() *socketio.Server {
		io := &socketio.Server{}
		io.OnConnect(func(s *socketio.Socket) {
			s.On("n", func(n int, ack socketio.Ack) {
				mu.Lock()
				got = append(got, n)
				first := n == 1 && slices.Index(got, 1) == len(got)-1
				mu.Unlock()
				if !first && n != 3 {
					ack(10 * n)
				}
			})
		})
		return io
	})
	c := newClient(t, h.url(), &socketio.ClientOptions{Retries: 2, AckTimeout: 500 * time.Millisecond})
	mustConnect(t, c)
	results := make(chan string, 10)
	for i := range 5 {
		if err := c.EmitAck("n", func(err error, n int) { results <- fmt.Sprint(err, " ", n) }, i); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"<nil> 0", "<nil> 10", "<nil> 20", socketio.ErrAckTimeout.Error() + " 0", "<nil> 40"}
	for _, want := range want {
		if r := within(t, results, "result"); r != want {
			t.Errorf("result %q, want %q", r, want)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff([]int{0, 1, 1, 2, 3, 3, 3, 4}, got); diff != "" {
		t.Errorf("the server got (-want +got):\n%s", diff)
	}
}

// TestClientRecovers: with Server.Recovery nothing that was sent is missed.
func TestClientRecovers(t *testing.T) {
	h := newHouse(t, func() *socketio.Server {
		io := &socketio.Server{Recovery: &socketio.Recovery{}}
		io.OnConnect(func(s *socketio.Socket) {
			s.On("cut me off", func() { s.Session().Close(engineio.TransportError) })
		})
		return io
	})
	c := newClient(t, h.url(), &socketio.ClientOptions{Engine: transports["websocket"], ReconnectionDelay: 200 * time.Millisecond})
	got := make(chan int, 100)
	c.On("n", func(n int) { got <- n })
	lost, connected := make(chan struct{}, 10), make(chan struct{}, 10)
	c.OnDisconnect(func(socketio.Reason, error) { lost <- struct{}{} })
	c.OnConnect(func() { connected <- struct{}{} })
	mustConnect(t, c)
	within(t, connected, "connection")
	id := c.ID()
	h.io.Emit("n", 0)
	within(t, got, "event")
	c.Emit("cut me off")
	within(t, lost, "disconnection")
	h.io.Emit("n", 1)
	h.io.Emit("n", 2)
	within(t, connected, "second connection")
	h.io.Emit("n", 3)
	for want := 1; want <= 3; want++ {
		if n := within(t, got, "event"); n != want {
			t.Errorf("event %d came, want %d", n, want)
		}
	}
	if !c.Recovered() || c.ID() != id {
		t.Errorf("recovered: %t; the id %q was %q", c.Recovered(), c.ID(), id)
	}
}

func TestClientMsgpack(t *testing.T) {
	h := newHouse(t, func() *socketio.Server {
		io := echoes()
		io.Parser = parser.Msgpack
		return io
	})
	c := newClient(t, h.url(), &socketio.ClientOptions{Parser: parser.Msgpack})
	got := make(chan []byte, 1)
	c.On("back", func(b []byte) { got <- b })
	mustConnect(t, c)
	c.Emit("echo", []byte{1, 2})
	if diff := cmp.Diff([]byte{1, 2}, within(t, got, "event")); diff != "" {
		t.Errorf("octets (-want +got):\n%s", diff)
	}
}

// TestClientHandlers: a wrong argument and a panic are answers, and errors here.
func TestClientHandlers(t *testing.T) {
	answers := make(chan string, 10)
	h := newHouse(t, func() *socketio.Server {
		io := &socketio.Server{}
		io.OnConnect(func(s *socketio.Socket) {
			for _, args := range [][]any{{"wrong", "x"}, {"panic"}, {"refuse"}} {
				s.EmitAck(args[0].(string), func(v socketio.Value) { answers <- fmt.Sprint(v) }, args[1:]...)
			}
		})
		return io
	})
	c := newClient(t, h.url(), nil)
	failed := make(chan string, 10)
	c.OnError(func(err error) { failed <- err.(*socketio.HandlerError).Event })
	c.On("wrong", func(int) {})
	c.On("panic", func() { panic("oh") })
	c.On("refuse", func() error { return &socketio.Error{Message: "no"} })
	if c.On("disconnect", func() {}).Err() == nil || c.On("x", 1).Err() == nil {
		t.Error("what cannot be a listener is one")
	}
	mustConnect(t, c)
	for _, want := range []struct{ event, answer string }{
		{"wrong", `{"error":"invalid arguments"}`}, {"panic", `{"error":"internal error"}`}, {"refuse", `{"error":"no"}`},
	} {
		if got := within(t, failed, "error"); got != want.event {
			t.Errorf("%q failed, want %q", got, want.event)
		}
		if got := within(t, answers, "answer"); got != want.answer {
			t.Errorf("%s is answered %s, want %s", want.event, got, want.answer)
		}
	}
}

func TestNewClientErrors(t *testing.T) {
	for _, url := range []string{"", "localhost:3000", "ftp://localhost", "http://", ":"} {
		if _, err := socketio.NewClient(url, nil); err == nil {
			t.Errorf("NewClient(%q): no error", url)
		}
	}
	if _, err := socketio.NewClient("http://localhost/a,b", nil); !errors.Is(err, socketio.ErrNamespace) {
		t.Errorf("a namespace with a comma: %v", err)
	}
}

func TestClientClosed(t *testing.T) {
	h := newHouse(t, echoes)
	c := newClient(t, h.url(), nil)
	mustConnect(t, c)
	c.Manager().Close()
	if err := c.Emit("echo"); !errors.Is(err, socketio.ErrDisconnected) {
		t.Errorf("Emit after Close: %v", err)
	}
	if err := c.Connect(t.Context()); !errors.Is(err, socketio.ErrDisconnected) {
		t.Errorf("Connect after Close: %v", err)
	}
	for deadline := time.Now().Add(5 * time.Second); h.io.Sessions().Len() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the session goes on")
		}
	}
}
