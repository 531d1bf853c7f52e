package conn_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// An http2Pipe is a client's end of an extended CONNECT.
type http2Pipe struct {
	io.Reader
	io.WriteCloser
	body io.Closer
}

func (p http2Pipe) Close() error { return errors.Join(p.WriteCloser.Close(), p.body.Close()) }

// dialHTTP2 sends an extended CONNECT (RFC 8441, Section 5) and returns the
// response with its stream.
func dialHTTP2(ctx context.Context, t *testing.T, url string, header http.Header) (*http.Response, io.ReadWriteCloser) {
	t.Helper()
	// http.Transport itself refuses the name :protocol, its HTTP/2 half does not.
	transport := &http.Transport{ForceAttemptHTTP2: true}
	transport.Clone() // fills in TLSNextProto
	host := strings.TrimPrefix(url, "https://")
	host, _, _ = strings.Cut(host, "/")
	nc, err := tls.Dial("tcp", host, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	roundTripper := transport.TLSNextProto["h2"](host, nc)
	body, w := io.Pipe()
	r, err := http.NewRequestWithContext(ctx, "CONNECT", url, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header.Clone()
	r.Header[":protocol"] = []string{"websocket"}
	r.Header.Set("Sec-WebSocket-Version", "13")
	response, err := roundTripper.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	return response, http2Pipe{response.Body, w, response.Body}
}

// TestHTTP2 runs testHTTP2 in a process whose environment lets net/http serve
// extended CONNECT, which is read before any test can set it.
func TestHTTP2(t *testing.T) {
	if strings.Contains(os.Getenv("GODEBUG"), "http2xconnect=1") {
		testHTTP2(t)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHTTP2$", "-test.v")
	cmd.Env = append(os.Environ(), "GODEBUG=http2xconnect=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestHTTP2/") {
		t.Fatalf("with http2xconnect=1: %v\n%s", err, out)
	}
}

func testHTTP2(t *testing.T) {
	ended := make(chan error, 1)
	server := &conn.Server{
		Handler: func(c *conn.Conn) {
			for m, err := range c.Messages(c.Context()) {
				if err != nil || c.WriteMessage(c.Context(), m.Opcode, m.Payload) != nil {
					break
				}
			}
			ended <- c.Err()
		},
		Options: &conn.AcceptOptions{Subprotocols: []string{"chat"}},
	}
	web := httptest.NewUnstartedServer(server)
	web.EnableHTTP2 = true
	web.StartTLS()
	t.Cleanup(web.Close)

	t.Run("echo and close", func(t *testing.T) {
		response, stream := dialHTTP2(t.Context(), t, web.URL+"/echo", http.Header{"Sec-Websocket-Protocol": {"chat"}})
		if got := response.Header.Get("Sec-Websocket-Protocol"); response.StatusCode != 200 || got != "chat" {
			t.Fatalf("answer %s with subprotocol %q; want 200 with chat", response.Status, got)
		}
		c := conn.New(stream, frame.Client, conn.Handshake{}, nil)
		for _, size := range []int{0, 5, 126, 1 << 16, 1 << 20} {
			sent := strings.Repeat("*", size)
			go c.WriteMessage(t.Context(), frame.OpText, []byte(sent))
			if _, p, err := c.ReadMessage(t.Context()); err != nil || string(p) != sent {
				t.Fatalf("echo of %d octets: %d octets, %v", size, len(p), err)
			}
		}
		if err := c.Close(frame.CloseNormalClosure, "bye"); err != nil {
			t.Errorf("Close = %v", err)
		}
		if end, ok := errors.AsType[*conn.CloseError](<-ended); !ok || end.Reason != "bye" || end.By != conn.Peer {
			t.Errorf("the server saw %v; want the peer's close with its reason", end)
		}
	})
	t.Run("foreign origin", func(t *testing.T) {
		response, stream := dialHTTP2(t.Context(), t, web.URL+"/echo", http.Header{"Origin": {"https://elsewhere.example"}})
		defer stream.Close()
		if response.StatusCode != http.StatusForbidden {
			t.Errorf("answer %s; want 403", response.Status)
		}
	})
	t.Run("client gone", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		_, stream := dialHTTP2(ctx, t, web.URL+"/echo", http.Header{})
		cancel()
		stream.Close()
		if end, ok := errors.AsType[*conn.CloseError](<-ended); !ok || end.By != conn.Network {
			t.Errorf("the server saw %v; want the end of the transport", end)
		}
	})
}

// A handlerStream is what a handler is given for a stream of HTTP/2. Its deadline
// may only be set before the answer and while something is written.
type handlerStream struct {
	*httptest.ResponseRecorder
	answered, writing, misused atomic.Bool
}

func (s *handlerStream) Write(p []byte) (int, error) {
	s.writing.Store(true)
	defer s.writing.Store(false)
	return len(p), nil
}

func (s *handlerStream) WriteHeader(int) { s.answered.Store(true) }

func (s *handlerStream) SetReadDeadline(time.Time) error { return nil }

func (s *handlerStream) SetWriteDeadline(time.Time) error {
	if s.answered.Load() && !s.writing.Load() {
		s.misused.Store(true)
	}
	return nil
}

// TestHTTP2Close: a connection that ends while net/http cancels its request does
// not touch the response, which may be gone by then.
func TestHTTP2Close(t *testing.T) {
	for range 200 {
		body, w := io.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, "CONNECT", "/", body)
		r.Proto, r.ProtoMajor, r.ProtoMinor, r.RequestURI = "HTTP/2.0", 2, 0, ""
		r.Header = http.Header{":protocol": {"websocket"}, "Sec-Websocket-Version": {"13"}}
		r.ContentLength = -1
		s := &handlerStream{ResponseRecorder: httptest.NewRecorder()}
		c, err := conn.Accept(s, r, nil)
		if err != nil {
			t.Fatal(err)
		}
		var closing sync.WaitGroup
		closing.Go(cancel)
		closing.Go(func() { c.CloseNow() })
		closing.Wait()
		<-c.Done()
		w.Close()
		if s.misused.Load() {
			t.Fatal("the write deadline was set while nothing was written")
		}
	}
}
