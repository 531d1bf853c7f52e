//go:build linux

package conn

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.org/rfc6455/frame"
)

// Where an epoll takes no more descriptors a goroutine serves the connection: it
// alone, whatever gives a visit reason to begin.
func TestNoEpoll(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder // written to before opened is told
	opened := make(chan *Conn, 1)
	s := &Server{
		EventDriven: true,
		OnMessage: func(c *Conn, m Message) {
			c.visits.due() // as those do who want the memory of a message
			c.WriteMessage(context.Background(), m.Opcode, m.Payload)
		},
		Options: &AcceptOptions{Options: Options{
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
			Hooks:  &Hooks{OnOpen: func(c *Conn) { opened <- c }},
		}},
	}
	s.poller.epoll, s.poller.used = &epoll{fd: -1}, 1
	go s.Serve(l)
	defer s.Shutdown(t.Context())

	c, err := Dial(t.Context(), "ws://"+l.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	server := <-opened
	for range 100 {
		want := time.Now().String()
		if err := c.WriteMessage(t.Context(), frame.OpText, []byte(want)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.ReadMessage(t.Context()); string(got) != want || err != nil {
			t.Fatalf("ReadMessage = %q, %v; want %q", got, err, want)
		}
	}
	if err := c.Close(frame.CloseNormalClosure, ""); err != nil {
		t.Errorf("Close = %v", err)
	}
	<-server.Done()
	if server.visits.turn.Load() != unpolled {
		t.Error("a visit has begun")
	}
	if !strings.Contains(log.String(), "without an epoll") {
		t.Errorf("log = %q", &log)
	}
}

// The connections that a server of net/http accepts have a poller of their own, of
// which nothing is left behind them.
func TestPollerOfServer(t *testing.T) {
	accepted := make(chan *Conn, 1)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := Accept(w, r, nil); err == nil {
			accepted <- c
		}
	})
	known := func(s *http.Server) *poller {
		pollers.mu.Lock()
		defer pollers.mu.Unlock()
		return pollers.of[s]
	}
	a, b := httptest.NewServer(handler), httptest.NewServer(handler)
	defer a.Close()
	defer b.Close()
	for _, round := range []string{"first", "second"} {
		t.Run(round, func(t *testing.T) {
			var used [2]*poller
			for i, s := range []*httptest.Server{a, b} {
				client, err := Dial(t.Context(), "ws"+strings.TrimPrefix(s.URL, "http"), nil)
				if err != nil {
					t.Fatal(err)
				}
				defer client.CloseNow()
				c := <-accepted
				defer c.CloseNow()
				if used[i] = known(s.Config); used[i] == nil || c.visits == nil || c.visits.poller != used[i] {
					t.Fatalf("the connection is not of the server's poller %p", used[i])
				}
				go client.Discard(t.Context())
				if err := client.WriteMessage(t.Context(), frame.OpText, []byte("hello")); err != nil {
					t.Fatal(err)
				}
				if _, p, err := c.ReadMessage(t.Context()); string(p) != "hello" || err != nil {
					t.Fatalf("ReadMessage = %q, %v", p, err)
				}
				if i == 1 && used[0] == used[1] {
					t.Error("two servers have the same poller")
				}
				defer func() {
					if err := c.Close(frame.CloseNormalClosure, ""); err != nil {
						t.Errorf("Close = %v", err)
					}
					for deadline := time.Now().Add(time.Minute); known(s.Config) != nil; time.Sleep(lull / 10) {
						if time.Now().After(deadline) {
							t.Fatal("the poller is kept without connections")
						}
					}
				}()
			}
		})
	}
}

// A peer that does not read, and then does, costs its connection no descriptor: there
// may be none left.
func TestBlockedWriteDescriptors(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	opened := make(chan *Conn, 1)
	s := &Server{Handler: func(c *Conn) { opened <- c; c.Discard(context.Background()) }}
	go s.Serve(l)
	defer s.Shutdown(t.Context())
	client, err := Dial(t.Context(), "ws://"+l.Addr().String(), &DialOptions{Options: Options{MaxMessageSize: NoLimit}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseNow()
	c := <-opened
	want := make([]byte, 16<<20)
	for range 3 {
		written := make(chan error, 1)
		go func() { written <- c.WriteMessage(t.Context(), frame.OpBinary, want) }()
		for blocked := false; !blocked; time.Sleep(time.Millisecond) {
			c.out.mu.Lock()
			blocked = c.out.blocks
			c.out.mu.Unlock()
		}
		if _, p, err := client.ReadMessage(t.Context()); len(p) != len(want) || err != nil {
			t.Fatalf("ReadMessage = %d octets, %v", len(p), err)
		}
		if err := <-written; err != nil {
			t.Fatal(err)
		}
	}
	if c.visits.slow.Load() == nil {
		t.Fatal("no write had to wait")
	}
	if c.visits.slow.Load().patient != nil {
		t.Error("it has a net.Conn")
	}
}
