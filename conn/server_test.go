package conn_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

// A lockedBuffer is a log.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// dial connects to a server in the same bubble.
func dial(t *testing.T, l *conntest.Listener, path string) *conn.Conn {
	t.Helper()
	c, err := conn.Dial(t.Context(), "ws://server.example.com"+path, &conn.DialOptions{
		NetDial: l.Dial, Proxy: http.ProxyURL(nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	return c
}

// TestServerHandler: how the handler ends is how the connection ends, and no
// other connection is concerned.
func TestServerHandler(t *testing.T) {
	tests := []struct {
		path string
		code frame.CloseCode
		log  string
	}{
		{"/returns", frame.CloseNormalClosure, ""},
		{"/panics", frame.CloseInternalError, "panicked"},
		{"/closes", 4000, ""},
	}
	for _, d := range []door{overHTTP, bare} {
		for _, tt := range tests {
			t.Run(d.name+tt.path, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var log lockedBuffer
					s := &conn.Server{
						Options: &conn.AcceptOptions{Options: conn.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}},
						Handler: func(c *conn.Conn) {
							switch c.Target() {
							case "/panics":
								panic("secret")
							case "/closes":
								c.Close(4000, "")
							case "/stays":
								for m := range c.Messages(t.Context()) {
									c.WriteMessage(t.Context(), m.Opcode, m.Payload)
								}
							}
						},
					}
					l := conntest.Listen()
					defer l.Close()
					go d.serve(l, s)
					other := dial(t, l, "/stays")
					_, _, err := dial(t, l, tt.path).ReadMessage(t.Context())
					checkEnd(t, err, conn.Peer, tt.code, "", nil)
					if tt.log != "" && !strings.Contains(log.String(), tt.log) || tt.log == "" && log.String() != "" {
						t.Errorf("log %q, want %q in it", log.String(), tt.log)
					}
					other.WriteMessage(t.Context(), frame.OpText, []byte("still here"))
					checkRead(t, other, frame.OpText, "still here")
					synctest.Wait()
					checkMembers(t, s.Hub(), onlyMember(s.Hub()))
					other.Close(frame.CloseNormalClosure, "")
					synctest.Wait()
					checkMembers(t, s.Hub())
				})
			})
		}
	}
}

func onlyMember(h *conn.Hub) *conn.Conn {
	for c := range h.All() {
		return c
	}
	return nil
}

// TestServerHookPanics: a panic in a hook of the handshake ends that connection
// alone.
func TestServerHookPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lockedBuffer
		s := &conn.Server{
			Options: &conn.AcceptOptions{
				Options: conn.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))},
				OnRequest: func(r *handshake.Request) (conn.Answer, error) {
					if r.Target == "/request" {
						panic("in /request")
					}
					return conn.Answer{}, nil
				},
			},
			Handler: func(c *conn.Conn) {},
		}
		s.Options.Hooks = &conn.Hooks{OnOpen: func(c *conn.Conn) {
			if c.Target() == "/open" {
				panic("in /open")
			}
		}}
		l := conntest.Listen()
		go s.Serve(l)
		for target, want := range map[string]string{"/request": "", "/open": "HTTP/1.1 101 "} {
			nc, err := l.Dial(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(nc, change("GET "+target+" HTTP/1.1"))
			if got, err := io.ReadAll(nc); !strings.HasPrefix(string(got), want) || want == "" && len(got) > 0 {
				t.Errorf("client got %q, %v", got, err)
			}
			if !strings.Contains(log.String(), "in "+target) {
				t.Errorf("log %q", log.String())
			}
		}
		_, _, err := dial(t, l, "/").ReadMessage(t.Context())
		checkEnd(t, err, conn.Peer, frame.CloseNormalClosure, "", nil)
		s.Shutdown(t.Context()) // which waits for handshakes in progress
	})
}

// TestServerShutdown: Serve returns, handshakes in progress end, connections are
// closed with 1001, and nothing begins any more.
func TestServerShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &conn.Server{Handler: func(c *conn.Conn) { c.Discard(context.Background()) }}
		l, l2 := conntest.Listen(), conntest.Listen()
		served := make(chan error, 2)
		go func() { served <- s.Serve(l) }()
		go func() { served <- s.Serve(l2) }()
		client := receive(dial(t, l, "/"))
		client2 := receive(dial(t, l2, "/"))
		slow, err := l.Dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(slow, "GET / HT")
		synctest.Wait()

		got, err := s.Shutdown(t.Context())
		if diff := cmp.Diff(conn.Shutdown{Clean: 2}, got); diff != "" || err != nil {
			t.Errorf("Shutdown = %v (-want +got):\n%s", err, diff)
		}
		for range 2 {
			if err := <-served; err != http.ErrServerClosed {
				t.Errorf("Serve = %v, want http.ErrServerClosed", err)
			}
		}
		checkEnd(t, (<-client).err, conn.Peer, frame.CloseGoingAway, "", nil)
		checkEnd(t, (<-client2).err, conn.Peer, frame.CloseGoingAway, "", nil)
		if n, _ := io.Copy(io.Discard, slow); n > 0 {
			t.Errorf("the unfinished request was answered with %d octets", n)
		}
		if _, err := l.Dial(t.Context(), "", ""); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("Dial after Shutdown = %v", err)
		}
		l3 := &closings{Listener: conntest.Listen()}
		if err := s.Serve(l3); err != http.ErrServerClosed {
			t.Errorf("Serve after Shutdown = %v, want http.ErrServerClosed", err)
		}
		if _, err := l3.Dial(t.Context(), "", ""); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("Serve after Shutdown left its listener open: %v", err)
		}
		s.Shutdown(t.Context())
		if l3.closed != 1 {
			t.Errorf("the listener of Serve after Shutdown was closed %d times, want once", l3.closed)
		}
	})
}

// closings counts how often a listener is closed.
type closings struct {
	*conntest.Listener
	closed int
}

func (c *closings) Close() error {
	c.closed++
	return c.Listener.Close()
}

// TestServerShutdownHTTP: by way of net/http, requests are refused with 503.
func TestServerShutdownHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &conn.Server{Handler: func(c *conn.Conn) { c.Discard(context.Background()) }}
		l := conntest.Listen()
		defer l.Close()
		go http.Serve(l, s)
		client := receive(dial(t, l, "/"))
		synctest.Wait()
		if got, err := s.Shutdown(t.Context()); err != nil || got.Clean != 1 {
			t.Errorf("Shutdown = %+v, %v", got, err)
		}
		checkEnd(t, (<-client).err, conn.Peer, frame.CloseGoingAway, "", nil)
		_, err := conn.Dial(t.Context(), "ws://server.example.com/", &conn.DialOptions{NetDial: l.Dial, Proxy: http.ProxyURL(nil)})
		if refused, ok := errors.AsType[*conn.RefusedError](err); !ok || refused.Status != 503 || refused.Header.Get("Retry-After") == "" {
			t.Errorf("Dial after Shutdown = %v, want 503 with Retry-After", err)
		}
	})
}

// TestRegisterOnShutdown: net/http tells the server, which closes with 1001.
func TestRegisterOnShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &conn.Server{Handler: func(c *conn.Conn) { c.Discard(context.Background()) }}
		hs := &http.Server{Handler: s}
		hs.RegisterOnShutdown(func() { s.Shutdown(context.Background()) })
		l := conntest.Listen()
		go hs.Serve(l)
		client := receive(dial(t, l, "/"))
		synctest.Wait()
		if err := hs.Shutdown(t.Context()); err != nil {
			t.Errorf("http.Server.Shutdown = %v", err)
		}
		checkEnd(t, (<-client).err, conn.Peer, frame.CloseGoingAway, "", nil)
		synctest.Wait()
	})
}

// A failingListener fails as often as it has errors.
type failingListener struct {
	net.Listener
	errs []error
}

func (l *failingListener) Accept() (net.Conn, error) {
	if len(l.errs) > 0 {
		err := l.errs[0]
		l.errs = l.errs[1:]
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: err}
	}
	return l.Listener.Accept()
}

// TestServerAcceptErrors: a want of descriptors is waited out, longer each time;
// connections go on meanwhile.
func TestServerAcceptErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &conn.Server{Handler: func(c *conn.Conn) { c.Discard(context.Background()) }}
		l := conntest.Listen()
		errs := []error{syscall.ENFILE, syscall.ECONNABORTED}
		for range 10 {
			errs = append(errs, syscall.EMFILE)
		}
		go s.Serve(&failingListener{l, errs})
		start := time.Now()
		dial(t, l, "/")
		// 5 ms doubled 7 times, and four times the most: 5+10+…+640, 4×1000.
		if d, want := time.Since(start), 1275*time.Millisecond+4*time.Second; d != want {
			t.Errorf("accepted after %v, want %v", d, want)
		}
		s.Shutdown(t.Context())
	})
	synctest.Test(t, func(t *testing.T) {
		s := &conn.Server{}
		l := conntest.Listen()
		if err := s.Serve(&failingListener{l, []error{syscall.EINVAL}}); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("Serve = %v, want EINVAL", err)
		}
		if _, err := l.Dial(t.Context(), "", ""); err == nil {
			t.Error("Serve left its listener open")
		}
	})
	synctest.Test(t, func(t *testing.T) { // Shutdown does not wait for the next try
		s := &conn.Server{}
		var errs []error
		for range 100 {
			errs = append(errs, syscall.EMFILE)
		}
		served := make(chan error, 1)
		go func() { served <- s.Serve(&failingListener{conntest.Listen(), errs}) }()
		time.Sleep(10 * time.Second)
		start := time.Now()
		s.Shutdown(t.Context())
		if err := <-served; err != http.ErrServerClosed || time.Since(start) != 0 {
			t.Errorf("Serve = %v after %v, want http.ErrServerClosed at once", err, time.Since(start))
		}
	})
}

// TestServerHub: the hub of the options is used, and otherwise one of its own.
func TestServerHub(t *testing.T) {
	var h conn.Hub
	if s := (&conn.Server{Options: &conn.AcceptOptions{Hub: &h}}); s.Hub() != &h {
		t.Error("Hub is not that of the options")
	}
	a, b := &conn.Server{}, &conn.Server{}
	if a.Hub() == nil || a.Hub() == b.Hub() || a.Hub() != a.Hub() {
		t.Error("Hub is not one for each server")
	}
}
