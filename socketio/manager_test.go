package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/socketio"
	"example.org/rfc6455/socketio/engineio"
)

// A script is a server that does what a test says, packet by packet.
type script struct {
	listener *conntest.Listener
	log      journal
	sessions chan *engineio.Session
	onOpen   func(*engineio.Session)
	on       map[string]func(*engineio.Session) // by the packet that came
}

// newScript serves a script in a bubble of synctest, until the test ends.
func newScript(t *testing.T, on map[string]func(*engineio.Session)) *script {
	s := &script{listener: conntest.Listen(), sessions: make(chan *engineio.Session, 100), on: on}
	server := &engineio.Server{Options: &engineio.Options{EIO3: true}, Handler: func(e *engineio.Session) engineio.Receiver {
		s.sessions <- e
		if s.onOpen != nil {
			s.onOpen(e)
		}
		return s
	}}
	front := &http.Server{Handler: server}
	go front.Serve(s.listener)
	t.Cleanup(func() {
		server.Shutdown(context.Background())
		front.Close()
		synctest.Wait()
	})
	return s
}

func (s *script) Message(e *engineio.Session, _ bool, data []byte) {
	s.log.add("%s", data)
	if f := s.on[string(data)]; f != nil {
		f(e)
	}
}

func (s *script) Closed(*engineio.Session, engineio.CloseReason, error) { s.log.add("end") }

// says returns what sends packets.
func says(packets ...string) func(*engineio.Session) {
	return func(e *engineio.Session) {
		for _, p := range packets {
			e.Send(engineio.NewPacket(false, []byte(p)))
		}
	}
}

// via returns options for a client that dials l by WebSocket.
func via(l *conntest.Listener) *socketio.ClientOptions {
	return &socketio.ClientOptions{
		Engine:              &engineio.DialOptions{Transports: []engineio.Transport{engineio.WebSocket}, NetDial: l.Dial},
		ReconnectionDelay:   time.Second,
		RandomizationFactor: -1,
	}
}

// newBubbleClient returns a client that is closed with the test, before its server.
func newBubbleClient(t *testing.T, path string, o *socketio.ClientOptions) *socketio.Client {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	c, err := socketio.NewClient("http://server.example"+path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Manager().Close()
		synctest.Wait()
	})
	return c
}

// TestBackoff: attempts wait twice as long each time, up to a limit, and apart from
// chance not longer or shorter.
func TestBackoff(t *testing.T) {
	dials := func(t *testing.T, o socketio.ClientOptions) (waits []time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			last := time.Now()
			o.ReconnectionAttempts = 6
			o.Engine = &engineio.DialOptions{NetDial: func(context.Context, string, string) (net.Conn, error) {
				waits = append(waits, time.Since(last))
				last = time.Now()
				return nil, errors.New("no server")
			}}
			c := newBubbleClient(t, "", &o)
			if err := c.Connect(t.Context()); err == nil || c.Active() {
				t.Errorf("Connect: %v; active %t", err, c.Active())
			}
		})
		return waits
	}
	const s = time.Second
	if diff := cmp.Diff([]time.Duration{0, s, 2 * s, 4 * s, 5 * s, 5 * s, 5 * s}, dials(t, socketio.ClientOptions{RandomizationFactor: -1})); diff != "" {
		t.Errorf("without chance (-want +got):\n%s", diff)
	}
	o := socketio.ClientOptions{RandomizationFactor: -1, ReconnectionDelay: 3 * s, ReconnectionDelayMax: 10 * s}
	if diff := cmp.Diff([]time.Duration{0, 3 * s, 6 * s, 10 * s, 10 * s, 10 * s, 10 * s}, dials(t, o)); diff != "" {
		t.Errorf("with other delays (-want +got):\n%s", diff)
	}
	different := false
	for range 20 {
		waits := dials(t, socketio.ClientOptions{})
		for i, base := range []time.Duration{0, s, 2 * s, 4 * s, 8 * s} {
			if got := waits[i]; got < min(base/2, 5*s) || got > min(base*3/2, 5*s) {
				t.Errorf("wait %d is %v", i, got)
			}
		}
		different = different || waits[1] != s
	}
	if !different {
		t.Error("nothing is up to chance")
	}
}

// TestWaitsBeforeItComesBack: a lost connection is not tried again at once, although
// namespaces were joined one after the other.
func TestWaitsBeforeItComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, echoes())
		c := newBubbleClient(t, "", via(w.listener))
		var events journal
		c.Manager().OnOpen(func() { events.add("open") })
		c.Manager().OnClose(func(reason socketio.Reason, _ error) { events.add("close: %s", reason) })
		c.Manager().OnReconnect(func(n int) { events.add("back at %d", n) })
		mustConnect(t, c)
		chat, _ := c.Of("/chat")
		mustConnect(t, chat)
		synctest.Wait() // its handlers have been told
		back := make(chan time.Time, 1)
		chat.OnConnect(func() { back <- time.Now() })
		lost := time.Now()
		c.Emit("cut me off")
		if waited := (<-back).Sub(lost); waited != time.Second {
			t.Errorf("the client is back after %v", waited)
		}
		if n := ask[int](t, c, "twice", 2); n != 4 {
			t.Errorf("twice 2 is %d", n)
		}
		if got, want := events.take(), "open; close: transport close; open; back at 1"; got != want {
			t.Errorf("the manager told %q, want %q", got, want)
		}
	})
}

// TestConnectDoesNotWait: a client that is connected again by hand does not wait as
// one that comes back, and is not one.
func TestConnectDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, echoes())
		c := newBubbleClient(t, "", via(w.listener))
		c.Manager().OnReconnectAttempt(func(int) { t.Error("a reconnection") })
		mustConnect(t, c)
		began := time.Now()
		for range 3 {
			c.Disconnect()
			mustConnect(t, c)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %v", took)
		}
	})
}

// TestDisconnectWhileAway: nothing is dialed for a client that has given up, and one
// that has not is not held up.
func TestDisconnectWhileAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		c := newBubbleClient(t, "", &socketio.ClientOptions{Engine: &engineio.DialOptions{
			NetDial: func(context.Context, string, string) (net.Conn, error) { dials++; return nil, errors.New("no server") },
		}})
		failed := make(chan error)
		go func() { failed <- c.Connect(t.Context()) }()
		synctest.Wait()
		c.Disconnect()
		if err := <-failed; !errors.Is(err, socketio.ErrDisconnected) {
			t.Errorf("Connect: %v", err)
		}
		time.Sleep(time.Hour)
		if dials != 1 {
			t.Errorf("%d dials", dials)
		}
	})
}

// TestLostWithoutReconnection: whoever waits for the connection is told.
func TestLostWithoutReconnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t, map[string]func(*engineio.Session){"0": func(e *engineio.Session) { e.Close("") }})
		o := via(s.listener)
		o.NoReconnection = true
		c := newBubbleClient(t, "", o)
		if err := c.Connect(t.Context()); !errors.Is(err, socketio.ErrDisconnected) || c.Active() {
			t.Errorf("Connect: %v; active %t", err, c.Active())
		}
		s.on["0"] = says(`0{"sid":"x"}`)
		mustConnect(t, c)
	})
}

// TestEarlyEvents: events before the server's consent wait for it, and their handlers
// can do what others can.
func TestEarlyEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t, map[string]func(*engineio.Session){
			"0":              says(`2["early",1]`, `20["early",2]`, `0{"sid":"x"}`, `2["early",3]`),
			`20["question"]`: says(`30[1]`), `21["question"]`: says(`31[1]`), `22["question"]`: says(`32[1]`),
		})
		c := newBubbleClient(t, "", via(s.listener))
		var events journal
		c.On("early", func(ctx context.Context, n int) error {
			v, err := c.Call(ctx, "question")
			events.add("%d: %t %v %v", n, c.Connected(), v, err)
			return err
		})
		c.OnConnect(func() { events.add("connect") })
		c.Emit("kept")
		mustConnect(t, c)
		synctest.Wait()
		if got, want := events.take(), "1: true 1 <nil>; 2: true 1 <nil>; connect; 3: true 1 <nil>"; got != want {
			t.Errorf("the client saw %q, want %q", got, want)
		}
		if got, want := s.log.take(), `0; 2["kept"]; 20["question"]; 21["question"]; 30[]; 22["question"]`; got != want {
			t.Errorf("the server saw %q, want %q", got, want)
		}
	})
}

// TestForeignAcks: answers to nothing are passed over, and so are second ones.
func TestForeignAcks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t, map[string]func(*engineio.Session){
			"0": says(`0{"sid":"x"}`), `20["a"]`: says(`3[1]`, `37[2]`, `3/other,0[1]`, `30[3]`, `30[4]`), `21["a"]`: says(`31[5]`),
		})
		c := newBubbleClient(t, "", via(s.listener))
		mustConnect(t, c)
		for _, want := range []int{3, 5} {
			if got := ask[int](t, c, "a"); got != want {
				t.Errorf("the answer is %d, want %d", got, want)
			}
		}
	})
}

// TestLeavesBeforeTheAnswer: the server is told, and is not asked twice.
func TestLeavesBeforeTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		s := newScript(t, map[string]func(*engineio.Session){
			"0": says(`0{"sid":"x"}`),
			"0/chat,": func(e *engineio.Session) {
				e.Release()
				<-answer
				says(`0/chat,{"sid":"y"}`)(e)
			},
		})
		c := newBubbleClient(t, "", via(s.listener))
		mustConnect(t, c)
		chat, _ := c.Of("/chat")
		go chat.Connect(t.Context())
		synctest.Wait()
		chat.Disconnect()
		go chat.Connect(t.Context())
		synctest.Wait()
		answer <- struct{}{}
		mustConnect(t, chat)
		if got, want := s.log.take(), "0; 0/chat,"; got != want {
			t.Errorf("the server saw %q, want %q", got, want)
		}
		chat.Disconnect()
		go chat.Connect(t.Context())
		synctest.Wait()
		chat.Disconnect()
		answer <- struct{}{}
		synctest.Wait()
		if got, want := s.log.take(), "1/chat,; 0/chat,; 1/chat,"; got != want || chat.Connected() {
			t.Errorf("the server saw %q, want %q; connected %t", got, want, chat.Connected())
		}
	})
}

// TestMainNamespaceOfRevision4 is joined by the server; a client can do without it,
// come to it later, and leave it.
func TestMainNamespaceOfRevision4(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, echoes())
		o := via(w.listener)
		o.Engine.EIO3 = true
		chat := newBubbleClient(t, "/chat", o)
		c, _ := chat.Of("/")
		mustConnect(t, chat)
		if c.Connected() {
			t.Error("the main namespace is connected without having been asked for")
		}
		for range 3 {
			mustConnect(t, c)
			if where := ask[string](t, c, "where"); where != "/" {
				t.Errorf("the namespace is %q", where)
			}
			c.Disconnect()
		}
		if where := ask[string](t, chat, "where"); where != "/chat" {
			t.Errorf("the other namespace is %q", where)
		}
	})
}

// TestErrorsOfRevision4: a server may tell of one at any time.
func TestErrorsOfRevision4(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t, nil)
		s.onOpen = says("0")
		o := via(s.listener)
		o.Engine.EIO3 = true
		c := newBubbleClient(t, "", o)
		var events journal
		c.OnError(func(err error) { events.add("%v", err) })
		c.OnConnectError(func(err error) { events.add("not connected: %v", err) })
		mustConnect(t, c)
		says(`4"no such thing"`)(<-s.sessions)
		synctest.Wait()
		if got, want := events.take(), "socketio: no such thing"; got != want || !c.Connected() {
			t.Errorf("the client saw %q, want %q; connected %t", got, want, c.Connected())
		}
	})
}

// TestCloseEndsWaits: after Close nothing is waited for that cannot come, and nothing
// goes on, which synctest checks.
func TestCloseEndsWaits(t *testing.T) {
	for _, retries := range []int{0, 3} {
		for _, connected := range []bool{false, true} {
			t.Run(fmt.Sprintf("retries %d, connected %t", retries, connected), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := serve(t, echoes())
					o := via(w.listener)
					o.Retries = retries
					o.AckTimeout = time.Hour
					c := newBubbleClient(t, "", o)
					if connected {
						mustConnect(t, c)
					}
					results := make(chan error, 10)
					var waiting sync.WaitGroup
					for range 3 {
						waiting.Go(func() {
							_, err := c.Call(context.Background(), "silence")
							results <- err
						})
					}
					c.EmitAck("silence", func(err error) { results <- err })
					synctest.Wait()
					c.Manager().Close()
					waiting.Wait()
					for range 4 {
						if err := <-results; !errors.Is(err, socketio.ErrDisconnected) {
							t.Errorf("the wait ended with %v", err)
						}
					}
					if _, err := c.Call(t.Context(), "silence"); !errors.Is(err, socketio.ErrDisconnected) {
						t.Errorf("Call afterwards: %v", err)
					}
				})
			})
		}
	}
}

// TestAckTimeoutOption is the limit for acknowledgements without one of their own.
func TestAckTimeoutOption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, echoes())
		o := via(w.listener)
		o.AckTimeout = 3 * time.Second
		c := newBubbleClient(t, "", o)
		mustConnect(t, c)
		for _, tt := range []struct {
			sender interface {
				Call(context.Context, string, ...any) (socketio.Value, error)
			}
			want time.Duration
		}{{c, 3 * time.Second}, {c.Volatile(), 3 * time.Second}, {c.Timeout(time.Second), time.Second}} {
			began := time.Now()
			if _, err := tt.sender.Call(t.Context(), "silence"); !errors.Is(err, socketio.ErrAckTimeout) || time.Since(began) != tt.want {
				t.Errorf("Call: %v after %v, want %v", err, time.Since(began), tt.want)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := c.Timeout(0).Call(ctx, "silence"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Call without a limit: %v", err)
		}
	})
}

// TestRetriesKeepOrder: events that wait for their acknowledgement are sent again
// after the connection was lost, in order, and none twice that was answered.
func TestRetriesKeepOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t, map[string]func(*engineio.Session){
			"0": says(`0{"sid":"x"}`), `20["n",0]`: says(`30[]`), `21["n",1]`: func(e *engineio.Session) { e.Close("") },
			`22["n",1]`: says(`32[]`), `23["n",2]`: says(`33[]`),
		})
		o := via(s.listener)
		o.Retries = 1
		c := newBubbleClient(t, "", o)
		for n := range 3 {
			if err := c.Emit("n", n); err != nil {
				t.Fatal(err)
			}
		}
		mustConnect(t, c)
		time.Sleep(time.Minute)
		got := strings.ReplaceAll(s.log.take(), "; end", "")
		if want := `0; 20["n",0]; 21["n",1]; 0; 22["n",1]; 23["n",2]`; got != want {
			t.Errorf("the server saw %q, want %q", got, want)
		}
	})
}

// TestAuthFuncPanics is an error of the connection.
func TestAuthFuncPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, echoes())
		o := via(w.listener)
		o.AuthFunc = func(context.Context) (any, error) { panic("oh") }
		c := newBubbleClient(t, "", o)
		err := c.Connect(t.Context())
		if e, ok := errors.AsType[*socketio.PanicError](err); !ok || e.Value != "oh" {
			t.Errorf("Connect: %v", err)
		}
	})
}

// TestClientListeners: what may be registered, in the order in which it is called.
func TestClientListeners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t, map[string]func(*engineio.Session){
			"0": says(`0{"sid":"x"}`), `2["message","go"]`: says(`2["a",1]`, `2["b",2]`, `2["a",3]`),
		})
		c := newBubbleClient(t, "", via(s.listener))
		if ctx := c.Context(); ctx.Err() == nil || c.Namespace() != "/" || c.Manager().Session() != nil {
			t.Error("before it is connected the client has a context or a session")
		}
		var events, out journal // the sender may be told of its event later than the client of the answer
		c.OnAny(func(e *socketio.Event) { events.add("any %s", e.Name) })
		c.PrependAny(func(e *socketio.Event) { events.add("first any %s", e.Name); panic("oh") })
		c.OnAnyOutgoing(func(e *socketio.Event) { out.add("%s%v", e.Name, e.Args) })
		c.PrependAnyOutgoing(func(e *socketio.Event) { out.add("first") })
		c.OnError(func(err error) { panic("oh") })
		c.Once("a", func(n int) { events.add("once %d", n) })
		c.On("a", func(n int) { events.add("on %d", n) })
		c.On("b", func(n int) { events.add("never %d", n) })
		c.Off("b")
		mustConnect(t, c)
		if c.Manager().Session() == nil || c.Context().Err() != nil {
			t.Error("the client is connected without a session or a context")
		}
		if err := c.Send("go"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if got, want := out.take(), `first; message["go"]`; got != want {
			t.Errorf("the client saw itself send %q, want %q", got, want)
		}
		const want = "first any a; any a; once 1; on 1; first any b; any b; first any a; any a; on 3"
		if got := events.take(); got != want {
			t.Errorf("the client saw %q, want %q", got, want)
		}
		if err := errors.Join(c.Compress(true).Emit("x"), c.Compress(false).Emit("x")); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if err := c.Volatile().Emit("x"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if got, want := s.log.take(), `0; 2["message","go"]; 2["x"]; 2["x"]; 2["x"]`; got != want {
			t.Errorf("the server saw %q, want %q", got, want)
		}
	})
}

// TestBrokenServers: what a server says wrong ends the attempt, or the session.
func TestBrokenServers(t *testing.T) {
	tests := []struct {
		name, says string
		want       string // of the error
	}{
		{"no id", "0{}", "older revision"},
		{"revision 4", "0", "older revision"},
		{"another payload", `0{"sid":1}`, "not connected"},
		{"no packet", "9", "not connected"},
		{"an error without a text", "4{}", "connection refused"},
		{"an error that is a text", `4"no"`, "no"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScript(t, map[string]func(*engineio.Session){"0": says(tt.says)})
				o := via(s.listener)
				o.NoReconnection = true
				c := newBubbleClient(t, "", o)
				c.OnConnectError(func(error) { panic("oh") })
				if err := c.Connect(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) || c.Active() {
					t.Errorf("Connect: %v, want %q; active %t", err, tt.want, c.Active())
				}
			})
		})
	}
}

// TestClientMisuse is an error, and nothing is sent.
func TestClientMisuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t, map[string]func(*engineio.Session){"0": says(`0{"sid":"x"}`)})
		for _, retries := range []int{0, 1} {
			o := via(s.listener)
			o.Retries, o.MaxBuffered, o.MaxPendingAcks = retries, 2, 2
			c := newBubbleClient(t, "", o)
			for name, err := range map[string]error{
				"reserved event":     c.Emit("connect"),
				"no argument":        c.Emit("a", func() {}),
				"reserved, awaited":  c.EmitAck("disconnect", func() {}),
				"no handler":         c.EmitAck("a", 1),
				"argument, volatile": c.Volatile().Emit("a", make(chan int)),
			} {
				if err == nil {
					t.Errorf("%s: no error", name)
				}
			}
			if _, err := c.Of("a?b"); !errors.Is(err, socketio.ErrNamespace) {
				t.Errorf("a namespace with a query: %v", err)
			}
			chat, err := c.Of("chat")
			if err != nil || chat.Namespace() != "/chat" {
				t.Errorf("a namespace without a slash: %v", err)
			}
			want := []error{nil, nil, socketio.ErrTooManyAcks}
			if retries > 0 {
				want[2] = socketio.ErrQueueFull
			}
			for i, want := range want {
				if err := c.EmitAck("a", func(error) {}); !errors.Is(err, want) {
					t.Errorf("event %d with %d retries: %v, want %v", i, retries, err, want)
				}
			}
			c.Manager().Close()
			if err := c.Emit("a"); !errors.Is(err, socketio.ErrDisconnected) {
				t.Errorf("Emit after Close: %v", err)
			}
		}
		if got := s.log.take(); got != "" {
			t.Errorf("the server saw %q", got)
		}
	})
}

// TestSlowHandlers: while a handler runs the session is left alone, and nothing is lost.
func TestSlowHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t, map[string]func(*engineio.Session){"0": says(`0{"sid":"x"}`)})
		o := via(s.listener)
		o.MaxWaiting = 2
		c := newBubbleClient(t, "", o)
		var events journal
		next := make(chan struct{})
		c.On("n", func(n int) {
			<-next
			events.add("%d", n)
		})
		mustConnect(t, c)
		peer, session := <-s.sessions, c.Manager().Session()
		for n := range 1001 {
			says(fmt.Sprintf(`2["n",%d]`, n))(peer)
		}
		synctest.Wait()
		if session.Context().Err() != nil {
			t.Fatal("the session has ended")
		}
		for range 1001 {
			next <- struct{}{}
		}
		synctest.Wait()
		if got := events.take(); !strings.HasPrefix(got, "0; 1; 2; ") || !strings.HasSuffix(got, "; 999; 1000") {
			t.Errorf("the client saw %.20q… %d", got, len(got))
		}
	})
}

// TestQueryOfRevision4 is that of each namespace.
func TestQueryOfRevision4(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t, map[string]func(*engineio.Session){"0/chat?token=1,": says("0/chat,")})
		s.onOpen = says("0")
		o := via(s.listener)
		o.Engine.EIO3 = true
		c := newBubbleClient(t, "/chat?token=1", o)
		mustConnect(t, c)
		if !strings.HasPrefix(c.ID(), "/chat#") {
			t.Errorf("the id is %q", c.ID())
		}
	})
}

// TestReconnectErrors are told, each one.
func TestReconnectErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newBubbleClient(t, "", &socketio.ClientOptions{ReconnectionAttempts: 3, Engine: &engineio.DialOptions{
			NetDial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no server") },
		}})
		n := 0
		c.Manager().OnReconnectError(func(err error) { n++ })
		if err := c.Connect(t.Context()); err == nil {
			t.Error("Connect succeeds")
		}
		synctest.Wait()
		if n != 3 {
			t.Errorf("%d errors", n)
		}
	})
}

// TestRememberUpgrade: a client that comes back begins with what it had got, if it is
// to.
func TestRememberUpgrade(t *testing.T) {
	for remember, want := range map[bool]string{false: "polling; polling", true: "polling; websocket"} {
		synctest.Test(t, func(t *testing.T) {
			w := serve(t, echoes())
			w.io.OnConnect(func(s *socketio.Socket) { w.log.add("%s", s.Request().URL.Query().Get("transport")) })
			c := newBubbleClient(t, "", &socketio.ClientOptions{
				Engine:          &engineio.DialOptions{NetDial: w.listener.Dial},
				RememberUpgrade: remember,
			})
			mustConnect(t, c)
			time.Sleep(time.Second)
			c.Emit("cut me off")
			time.Sleep(10 * time.Second)
			w.check(want)
			if got := c.Manager().Session().Transport(); got != engineio.WebSocket {
				t.Errorf("the session is on %s", got)
			}
		})
	}
}
