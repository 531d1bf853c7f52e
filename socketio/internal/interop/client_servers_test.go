package interop_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/socketio"
	"example.org/rfc6455/socketio/engineio"
	"example.org/rfc6455/socketio/parser"
)

// startServer starts an official server, which ends with the test, and returns its
// port.
func startServer(t *testing.T, version string, args ...string) (port string) {
	t.Helper()
	cmd := exec.Command("node", append([]string{"server.mjs", version}, args...)...)
	cmd.Dir = "testdata/servers"
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() && stderr.Len() > 0 {
			t.Logf("the server says:\n%s", &stderr)
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the server does not start: %v\n%s", err, &stderr)
	}
	return strings.TrimSpace(line)
}

// newClient returns a client that is closed with the test.
func newClient(t *testing.T, url string, o socketio.ClientOptions) *socketio.Client {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	o.ReconnectionDelay, o.ReconnectionDelayMax = 50*time.Millisecond, 200*time.Millisecond
	c, err := socketio.NewClient(url, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Manager().Close)
	return c
}

func connect(t *testing.T, c *socketio.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := c.Connect(ctx); err != nil {
		t.Fatalf("Connect: %v", err)
	}
}

// ask returns the answer to an event.
func ask[T any](t *testing.T, c *socketio.Client, event string, args ...any) (result T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	v, err := c.Call(ctx, event, args...)
	if err == nil {
		err = v.Decode(&result)
	}
	if err != nil {
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
	case <-time.After(patience):
		t.Fatalf("timeout: no %s", what)
		panic("unreachable")
	}
}

// TestOfficialServers runs scenarios with our client and servers of Node.
func TestOfficialServers(t *testing.T) {
	wanted(t, "testdata/servers/node_modules/server4")
	for _, version := range []string{"4", "2"} {
		t.Run("server "+version, func(t *testing.T) {
			t.Parallel()
			url := "http://127.0.0.1:" + startServer(t, version)
			for _, transports := range [][]engineio.Transport{
				{engineio.Polling}, {engineio.WebSocket}, {engineio.Polling, engineio.WebSocket},
			} {
				engine := &engineio.DialOptions{Transports: transports, EIO3: version == "2"}
				t.Run(fmt.Sprint(transports), func(t *testing.T) { testServer(t, url, version, engine) })
			}
		})
	}
}

type args struct {
	Text string
	N    float64
	Deep struct {
		List []any  `json:"list"`
		Blob []byte `json:"blob"`
	}
	Blob []byte
}

func testServer(t *testing.T, url, version string, engine *engineio.DialOptions) {
	o := socketio.ClientOptions{Engine: engine, Auth: map[string]string{"token": "abc"}}
	c := newClient(t, url+"/?q=1", o)
	backs, news, tweets := make(chan args, 1000), make(chan string, 10), make(chan int, 200)
	c.On("back", func(a args) { backs <- a })
	c.On("news", func(text string) { news <- text })
	c.On("tweet", func(n int) { tweets <- n })
	c.On("question", func(a, b int) int { return a + b })
	connect(t, c)

	t.Run("events and blobs in order", func(t *testing.T) {
		want := args{Text: "ü€😀\u2028", Blob: []byte{0, 255}}
		want.Deep.List, want.Deep.Blob = []any{"x", nil, true}, []byte{1}
		for i := range 100 {
			want.N = float64(i)
			if err := c.Emit("echo", want); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 100 {
			want.N = float64(i)
			if diff := cmp.Diff(want, within(t, backs, "event")); diff != "" {
				t.Fatalf("event %d (-want +got):\n%s", i, diff)
			}
		}
	})
	t.Run("acknowledgements", func(t *testing.T) {
		if diff := cmp.Diff([]byte{7}, ask[[]byte](t, c, "echo ack", []byte{7})); diff != "" {
			t.Errorf("blob (-want +got):\n%s", diff)
		}
		if sum := ask[int](t, c, "ask me", 20, 22); sum != 42 {
			t.Errorf("the server got %d", sum)
		}
		if _, err := c.Timeout(50*time.Millisecond).Call(t.Context(), "silence"); !errors.Is(err, socketio.ErrAckTimeout) {
			t.Errorf("without an answer: %v", err)
		}
	})
	t.Run("namespaces at once", func(t *testing.T) {
		chat, err := c.Of("/chat")
		if err != nil {
			t.Fatal(err)
		}
		connect(t, chat)
		if a, b := ask[string](t, c, "where"), ask[string](t, chat, "where"); a != "/" || b != "/chat" {
			t.Errorf("the namespaces are %q and %q", a, b)
		}
		chat.Disconnect()
		if where := ask[string](t, c, "where"); where != "/" {
			t.Errorf("after the other was left the namespace is %q", where)
		}
	})
	t.Run("handshake", func(t *testing.T) {
		type handshake struct{ Auth, Query map[string]string }
		got := ask[handshake](t, c, "handshake")
		if got.Query["q"] != "1" || version == "4" && got.Auth["token"] != "abc" {
			t.Errorf("the server knows %v", got)
		}
	})
	t.Run("rooms", func(t *testing.T) {
		room := fmt.Sprint("room ", time.Now().UnixNano())
		other := newClient(t, url, o)
		connect(t, other)
		ask[any](t, c, "join", room)
		ask[any](t, other, "to room", room, "hello")
		if text := within(t, news, "news"); text != "hello" {
			t.Errorf("news: %q", text)
		}
	})
	t.Run("volatile", func(t *testing.T) {
		c.Emit("tweets")
		within(t, tweets, "tweet")
		if err := c.Volatile().Emit("silence"); err != nil {
			t.Error(err)
		}
	})
	t.Run("refused", func(t *testing.T) {
		if version == "2" {
			return // revision 4 joins the main namespace first, and tells a text
		}
		secret := newClient(t, url+"/secret", o)
		want := &socketio.Error{Message: "not authorized", Data: map[string]any{"retry": 5.0}}
		if diff := cmp.Diff(want, secret.Connect(t.Context())); diff != "" {
			t.Errorf("Connect (-want +got):\n%s", diff)
		}
		nowhere := newClient(t, url+"/nowhere", o)
		if err, ok := errors.AsType[*socketio.Error](nowhere.Connect(t.Context())); !ok || err.Message != "Invalid namespace" {
			t.Errorf("Connect to another namespace: %v", err)
		}
	})
	t.Run("disconnected", func(t *testing.T) {
		d := newClient(t, url, o)
		reasons := make(chan socketio.Reason, 1)
		d.OnDisconnect(func(reason socketio.Reason, _ error) { reasons <- reason })
		connect(t, d)
		d.Emit("throw me out")
		if reason := within(t, reasons, "disconnection"); reason != socketio.ServerDisconnect || d.Active() {
			t.Errorf("the reason is %q; active %t", reason, d.Active())
		}
	})
	t.Run("cut off and back", func(t *testing.T) {
		d := newClient(t, url, o)
		connected := make(chan bool, 10)
		d.OnConnect(func() { connected <- d.Recovered() })
		got := make(chan string, 10)
		d.On("news", func(text string) { got <- text })
		connect(t, d)
		within(t, connected, "connection")
		room := fmt.Sprint("room ", time.Now().UnixNano())
		ask[any](t, d, "join", room)
		ask[any](t, c, "to room", room, "one")
		within(t, got, "news")
		d.Emit("cut me off")
		recovered := within(t, connected, "second connection")
		if want := version == "4"; recovered != want {
			t.Errorf("recovered: %t, want %t", recovered, want)
		}
		if version == "4" {
			ask[any](t, c, "to room", room, "two")
			if text := within(t, got, "news"); text != "two" {
				t.Errorf("news: %q", text)
			}
		}
	})
}

// TestOfficialServerRestarts: our client comes back.
func TestOfficialServerRestarts(t *testing.T) {
	wanted(t, "testdata/servers/node_modules/server4")
	port := startServer(t, "4")
	c := newClient(t, "http://127.0.0.1:"+port, socketio.ClientOptions{})
	lost := make(chan socketio.Reason, 1)
	c.OnDisconnect(func(reason socketio.Reason, _ error) { lost <- reason })
	connect(t, c)
	back := make(chan struct{}, 10)
	c.OnConnect(func() { back <- struct{}{} })
	c.Emit("stop")
	within(t, lost, "disconnection")
	c.Emit("echo", "kept")
	got := make(chan string, 1)
	c.On("back", func(text string) { got <- text })
	startServer(t, "4", "json", port)
	within(t, back, "second connection")
	if text := within(t, got, "event"); text != "kept" {
		t.Errorf("the event is %q", text)
	}
}

// TestOfficialServerMsgpack: the other parser.
func TestOfficialServerMsgpack(t *testing.T) {
	wanted(t, "testdata/servers/node_modules/server4")
	c := newClient(t, "http://127.0.0.1:"+startServer(t, "4", "msgpack"), socketio.ClientOptions{Parser: parser.Msgpack})
	connect(t, c)
	want := map[string]any{"blob": []byte{1, 2}, "n": -1.5, "big": float64(1 << 40), "list": []any{nil, true, "ü"}}
	if diff := cmp.Diff(want, ask[map[string]any](t, c, "echo ack", want)); diff != "" {
		t.Errorf("value (-want +got):\n%s", diff)
	}
}
