package interop_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/rfc6455/socketio"
	"example.org/rfc6455/socketio/engineio"
	"example.org/rfc6455/socketio/parser"
)

// A profile is an argument with octets in it.
type profile struct {
	Name   string `json:"name"`
	Age    int    `json:"age"`
	Avatar []byte `json:"avatar"`
}

type greeting struct {
	Greeting string `json:"greeting"`
	Size     int    `json:"size"`
	First    []byte `json:"first"`
}

// list returns arguments to be sent on as they came.
func list(values []socketio.Value) []any {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	return args
}

// handle answers the events of the scenarios.
func handle(s *socketio.Socket) {
	io := s.Namespace()
	s.On("echo", func(args ...socketio.Value) { s.Emit("back", list(args)...) })
	s.On("echo ack", func(ack socketio.Ack, args ...socketio.Value) { ack(list(args)...) })
	s.On("profile", func(p profile, blob []byte) greeting {
		return greeting{p.Name + " is " + string('0'+rune(p.Age/10)) + string('0'+rune(p.Age%10)), len(p.Avatar), blob}
	})
	s.On("silence", func() {})
	s.On("ask me", func(ctx context.Context, a, b int) (socketio.Value, error) { return s.Call(ctx, "question", a, b) })
	s.On("ask me briefly", func(ctx context.Context) string {
		_, err := s.Timeout(50*time.Millisecond).Call(ctx, "question", 1, 1)
		if errors.Is(err, socketio.ErrAckTimeout) {
			return "timeout"
		}
		return fmt.Sprint(err)
	})
	s.On("where", func() string { return io.Name() })
	s.On("id", func() string { return s.ID() })
	s.On("handshake", func() socketio.Handshake { return s.Handshake() })
	s.On("join", func(room string) error { return s.Join(room) })
	s.On("leave", func(room string) error { return s.Leave(room) })
	s.On("to room", func(room, text string) error { return io.To(room).Emit("news", text) })
	s.On("to others", func(room, text string) error { return s.To(room).Emit("news", text) })
	s.On("ask room", func(ctx context.Context, room string) ([]socketio.Value, error) {
		return io.To(room).Timeout(patience).Call(ctx, "question")
	})
	s.On("tweets", func(ack socketio.Ack) {
		for i := range 100 {
			s.Volatile().Emit("tweet", i)
			time.Sleep(time.Millisecond)
		}
		ack()
	})
	s.On("publish", func(n int) error { return io.To("readers").Emit("news", n) })
	s.On("throw me out", func() { s.Disconnect(false) })
	s.On("cut me off", func() { s.Disconnect(true) })
	s.OnDisconnecting(func(reason socketio.Reason, _ error) {
		rooms := s.Rooms()
		slices.Sort(rooms)
		s.Broadcast().Emit("left", s.ID(), reason, rooms)
	})
}

// newServer returns a server for the scenarios; restart is called when a client
// asks for it.
func newServer(p parser.Parser, restart func()) *socketio.Server {
	io := &socketio.Server{
		Parser: p, Engine: &engineio.Options{EIO3: true},
		Logger: slog.New(slog.DiscardHandler), // there are errors to be answered
	}
	io.OnConnect(handle)
	io.OnConnect(func(s *socketio.Socket) { s.On("restart", func() { go restart() }) })
	io.Of("/chat").OnConnect(handle)
	io.OfRegexp(regexp.MustCompile(`^/dynamic-\d+$`)).OnConnect(handle)
	secret := io.Of("/secret")
	secret.Use(func(context.Context, *socketio.Socket) error {
		return &socketio.Error{Message: "not authorized", Data: map[string]int{"retry": 5}}
	})
	return io
}

// A site is the servers of the scenarios on a listener of their own, which can be
// restarted.
type site struct {
	t    *testing.T
	addr string
	mu   sync.Mutex
	http *http.Server
	all  []*socketio.Server
}

func newSite(t *testing.T) *site {
	s := &site{t: t, addr: "127.0.0.1:0"}
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *site) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	main, packed := newServer(nil, s.restart), newServer(parser.Msgpack, s.restart)
	recovering := newServer(nil, s.restart)
	recovering.Recovery = &socketio.Recovery{}
	recovering.Of("/recover").OnConnect(handle)
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", main)
	mux.Handle("/recovering/", recovering)
	mux.Handle("/msgpack/", packed)
	s.all = []*socketio.Server{main, packed, recovering}
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		s.t.Error(err)
		return
	}
	s.addr = l.Addr().String()
	s.http = &http.Server{Handler: mux}
	go s.http.Serve(l)
}

func (s *site) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var closing sync.WaitGroup
	for _, io := range s.all {
		closing.Go(func() {
			if err := io.Shutdown(ctx); err != nil {
				s.t.Errorf("Shutdown: %v", err)
			}
		})
	}
	closing.Wait()
	s.http.Close()
}

func (s *site) restart() {
	s.stop()
	time.Sleep(100 * time.Millisecond)
	s.start()
}

// wanted reports whether the peers are there, and skips the test if they are not
// wanted.
func wanted(t *testing.T, files ...string) {
	t.Helper()
	mode := os.Getenv("RFC6455_PEERS")
	if mode == "off" {
		t.Skip("RFC6455_PEERS=off")
	}
	for _, file := range files {
		if _, err := os.Stat(file); err != nil {
			if mode == "required" {
				t.Fatal(err)
			}
			t.Skipf("no peers: %v", err)
		}
	}
	if _, err := exec.LookPath("node"); err != nil {
		if mode == "required" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// TestOfficialClients runs the scenarios with the clients from npm, unmodified, as
// they choose between transports.
func TestOfficialClients(t *testing.T) {
	wanted(t, "testdata/clients/node_modules/client4")
	for _, version := range []string{"4", "3", "2"} {
		for _, transports := range []string{"polling", "websocket", "polling,websocket"} {
			t.Run("client "+version+" over "+transports, func(t *testing.T) {
				t.Parallel()
				s := newSite(t)
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
				defer cancel()
				cmd := exec.CommandContext(ctx, "node", "scenarios.mjs", version, transports, "http://"+s.addr)
				cmd.Dir = "testdata/clients"
				var stderr strings.Builder
				cmd.Stderr = &stderr
				stdout, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				n := 0
				for lines := bufio.NewScanner(stdout); lines.Scan(); n++ {
					verdict, rest, _ := strings.Cut(lines.Text(), " ")
					if verdict == "not" {
						_, rest, _ = strings.Cut(rest, " ")
					}
					name, why, _ := strings.Cut(rest, ": ")
					t.Run(name, func(t *testing.T) {
						switch verdict {
						case "ok":
						case "skip":
							t.Skip(why)
						default:
							t.Error(strings.ReplaceAll(why, `\n`, "\n"))
						}
					})
				}
				if err := cmd.Wait(); err != nil || n < 20 {
					t.Errorf("the client ended after %d scenarios: %v\n%s", n, err, &stderr)
				}
			})
		}
	}
}
