package interop_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

// A server is our server, which hands its connections to the test.
type server struct {
	addr  string
	conns chan *conn.Conn
	http1 *atomic.Int32 // how many requests came over HTTP/1.1
}

// newAccept returns a conn.Server that passes its connections on. It refuses
// /refuse with 401.
func newAccept(o conn.AcceptOptions) (*conn.Server, *server) {
	s := &server{conns: make(chan *conn.Conn), http1: new(atomic.Int32)}
	if o.Subprotocols == nil {
		o.Subprotocols = []string{"a", "b"}
	}
	o.OnRequest = func(r *handshake.Request) (conn.Answer, error) {
		if r.Method == http.MethodGet {
			s.http1.Add(1)
		}
		if r.Target == "/refuse" {
			return conn.Answer{}, &conn.RefusedError{Status: http.StatusUnauthorized, Body: "who is it"}
		}
		return conn.Answer{}, nil
	}
	return &conn.Server{Options: &o, Handler: func(c *conn.Conn) {
		select {
		case s.conns <- c:
			<-c.Done()
		case <-time.After(patience):
		}
	}}, s
}

// serve starts our server on a listener of its own, without net/http.
func serve(t *testing.T, o conn.AcceptOptions) *server {
	accept, s := newAccept(o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go accept.Serve(l)
	t.Cleanup(func() { shutdown(accept) })
	s.addr = l.Addr().String()
	return s
}

// serveHTTP starts our server as a handler of net/http, together with the page for
// browsers.
func serveHTTP(t *testing.T, o conn.AcceptOptions) *server {
	return startHTTP(t, o, (*httptest.Server).Start)
}

// serveTLS is serveHTTP over TLS, with a certificate that nobody trusts.
func serveTLS(t *testing.T, o conn.AcceptOptions) *server {
	return startHTTP(t, o, (*httptest.Server).StartTLS)
}

// serveHTTP2 is serveTLS over HTTP/2.
func serveHTTP2(t *testing.T, o conn.AcceptOptions) *server {
	return startHTTP(t, o, func(h *httptest.Server) {
		h.EnableHTTP2 = true
		h.StartTLS()
	})
}

func startHTTP(t *testing.T, o conn.AcceptOptions, start func(*httptest.Server)) *server {
	accept, s := newAccept(o)
	mux := http.NewServeMux()
	mux.Handle("/", accept)
	for path, file := range map[string]string{"/page": "page.html", "/actor.mjs": "actor.mjs"} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFile(w, r, filepath.Join("testdata", file))
		})
	}
	h := httptest.NewUnstartedServer(mux)
	h.Config.ErrorLog = log.New(t.Output(), "", 0)
	start(h)
	t.Cleanup(func() {
		shutdown(accept)
		h.Close()
	})
	s.addr = h.Listener.Addr().String()
	return s
}

// url is of a resource of the server.
func (s *server) url(scheme, path string) string { return scheme + "://" + s.addr + path }

// shutdown ends the connections that a failed test left open.
func shutdown(s *conn.Server) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s.Shutdown(ctx)
}

// next returns the connection that the peer opened.
func (s *server) next(t *testing.T) *conn.Conn {
	t.Helper()
	select {
	case c := <-s.conns:
		t.Cleanup(func() { c.CloseNow() })
		return c
	case <-time.After(patience):
		t.Fatal("no connection came")
	}
	panic("unreachable")
}

// dial connects our client.
func dial(t *testing.T, url string, o *conn.DialOptions) *conn.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := conn.Dial(ctx, url, o)
	if err != nil {
		t.Fatalf("Dial(%s): %v", url, err)
	}
	t.Cleanup(func() { c.CloseNow() })
	return c
}

// A pair is a connection with a peer: our end and theirs.
type pair struct {
	ours   *conn.Conn
	theirs *actor
}

// An opener opens connections with a peer, for which the one or the other side is
// the client.
type opener struct {
	role   frame.Role // ours
	theirs *actor
	server *server // our server, or nil
	scheme string  // of its URLs
	port   int     // of their server
}

// open opens a connection. The client asks for the subprotocols.
func (o *opener) open(t *testing.T, protocols ...string) pair {
	t.Helper()
	o.theirs.begin()
	if o.role == frame.Server {
		o.theirs.do(t, command{Do: "connect", URL: o.server.url(o.scheme, "/ws?x=1"), Protocols: protocols})
		c := o.server.next(t)
		o.theirs.want(t, event{Event: "open", Protocol: c.Subprotocol()})
		return pair{c, o.theirs}
	}
	c := dial(t, o.url("/ws?x=1"), &conn.DialOptions{Subprotocols: protocols})
	o.theirs.want(t, event{Event: "open", Protocol: c.Subprotocol()})
	return pair{c, o.theirs}
}

// url is of their server.
func (o *opener) url(path string) string { return fmt.Sprintf("ws://127.0.0.1:%d%s", o.port, path) }

// read reads a message on our end.
func read(t *testing.T, c *conn.Conn) (frame.Opcode, string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	op, p, err := c.ReadMessage(ctx)
	return op, string(p), err
}

// wantMessage reads a message on our end and compares it.
func wantMessage(t *testing.T, c *conn.Conn, op frame.Opcode, payload string) {
	t.Helper()
	gotOp, got, err := read(t, c)
	if gotOp != op || got != payload || err != nil {
		t.Fatalf("ReadMessage = %v, %.100q (%d octets), %v\nwant %v, %.100q (%d octets)", gotOp, got, len(got), err, op, payload, len(payload))
	}
}

// wantClosed reads to the end of our end and compares how that was.
func wantClosed(t *testing.T, c *conn.Conn, want conn.CloseError) *conn.CloseError {
	t.Helper()
	_, p, err := read(t, c)
	got, ok := errors.AsType[*conn.CloseError](err)
	if !ok {
		t.Fatalf("ReadMessage = %.100q, %v; want the end of the connection", p, err)
	}
	if got.Code != want.Code || got.Reason != want.Reason || got.By != want.By {
		t.Errorf("our end was closed with %v %q by %v (%v); want %v %q by %v",
			got.Code, got.Reason, got.By, got, want.Code, want.Reason, want.By)
	}
	return got
}

// write writes a message on our end.
func write(t *testing.T, c *conn.Conn, op frame.Opcode, payload string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := c.WriteMessage(ctx, op, []byte(payload)); err != nil {
		t.Fatalf("WriteMessage(%v, %d octets): %v", op, len(payload), err)
	}
}
