package interop_test

import (
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/net/websocket"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// TestXNet: golang.org/x/net/websocket, the one peer that needs no installation.
func TestXNet(t *testing.T) {
	t.Parallel()
	t.Run("client", func(t *testing.T) {
		s := serve(t, conn.AcceptOptions{})
		// It sends the Origin as it is given here; one with a path is none.
		config, err := websocket.NewConfig(s.url("ws", "/"), s.url("http", ""))
		if err != nil {
			t.Fatal(err)
		}
		config.Protocol = []string{"b"}
		testXNet(t, func(t *testing.T) (*conn.Conn, *websocket.Conn) {
			theirs, err := config.DialContext(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return s.next(t), theirs
		})
	})
	t.Run("server", func(t *testing.T) {
		conns := make(chan *websocket.Conn)
		s := httptest.NewServer(websocket.Handler(func(c *websocket.Conn) {
			select {
			case conns <- c:
				<-t.Context().Done()
			case <-t.Context().Done():
			}
		}))
		t.Cleanup(s.CloseClientConnections)
		testXNet(t, func(t *testing.T) (*conn.Conn, *websocket.Conn) {
			ours := dial(t, s.URL, &conn.DialOptions{
				Header:       map[string][]string{"Origin": {s.URL}}, // it insists
				Subprotocols: []string{"b"},
			})
			return ours, <-conns
		})
	})
	t.Run("foreign origin", func(t *testing.T) {
		s := serve(t, conn.AcceptOptions{})
		if c, err := websocket.Dial(s.url("ws", "/"), "", "http://evil.test"); err == nil {
			c.Close()
			t.Error("Dial succeeded")
		}
	})
}

// testXNet tries what the package offers.
func testXNet(t *testing.T, open func(*testing.T) (*conn.Conn, *websocket.Conn)) {
	t.Run("messages", func(t *testing.T) {
		ours, theirs := open(t)
		if got := ours.Subprotocol(); got != "b" {
			t.Errorf("Subprotocol() = %q", got)
		}
		for _, size := range []int{1, 125, 126, 65535, 65536, 1 << 20} {
			sent := make(chan error, 1)
			go func() {
				sent <- errors.Join(
					websocket.Message.Send(theirs, text(size)),
					websocket.Message.Send(theirs, []byte(binary(size))),
				)
			}()
			wantMessage(t, ours, frame.OpText, text(size))
			wantMessage(t, ours, frame.OpBinary, binary(size))
			if err := <-sent; err != nil {
				t.Fatal(err)
			}
			go func() {
				sent <- errors.Join(
					ours.WriteMessage(t.Context(), frame.OpText, []byte(text(size))),
					ours.WriteMessage(t.Context(), frame.OpBinary, []byte(binary(size))),
				)
			}()
			for _, want := range []string{text(size), binary(size)} {
				var got string
				if err := websocket.Message.Receive(theirs, &got); err != nil || got != want {
					t.Fatalf("Receive = %.100q (%d octets), %v; want %.100q", got, len(got), err, want)
				}
			}
			if err := <-sent; err != nil {
				t.Fatal(err)
			}
		}
	})
	t.Run("pings", func(t *testing.T) {
		ours, theirs := open(t)
		received := make(chan string, 1)
		go func() {
			var s string
			websocket.Message.Receive(theirs, &s) // and answers pings meanwhile
			received <- s
		}()
		pingAndRead(t, ours, func() { websocket.Message.Send(theirs, "wake") })
		write(t, ours, frame.OpText, strings.Repeat("x", 200))
		if got := <-received; len(got) != 200 {
			t.Errorf("Receive = %q", got)
		}
	})
	t.Run("they close", func(t *testing.T) {
		ours, theirs := open(t)
		closed := make(chan error, 1)
		go func() { closed <- theirs.Close() }()
		wantClosed(t, ours, conn.CloseError{Code: frame.CloseNormalClosure, By: conn.Peer})
		if err := <-closed; err != nil {
			t.Errorf("their Close: %v", err)
		}
	})
	t.Run("we close", func(t *testing.T) {
		ours, theirs := open(t)
		closed := make(chan error, 1)
		go func() { closed <- ours.Close(frame.CloseGoingAway, "bye") }()
		var s string
		if err := websocket.Message.Receive(theirs, &s); err != io.EOF {
			t.Errorf("their Receive = %q, %v; want EOF", s, err)
		}
		theirs.Close()
		if err := <-closed; err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}
