//go:build linux

package conn

import (
	"context"
	"log/slog"
	"net"
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
