package engineio_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/socketio/engineio"
)

// startHTTP2 starts an echo server over TLS that speaks HTTP/2.
func startHTTP2(t *testing.T, protocols chan<- string) (server *httptest.Server, trust *tls.Config) {
	server = httptest.NewUnstartedServer(&engineio.Server{
		Options: &engineio.Options{Headers: func(_ http.Header, r *http.Request) {
			select {
			case protocols <- r.Proto + " " + r.URL.Query().Get("transport"):
			default:
			}
		}},
		Handler: func(*engineio.Session) engineio.Receiver { return echoReceiver{} },
	})
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return server, &tls.Config{RootCAs: pool}
}

// TestPollingOverHTTP2: requests go over HTTP/2, the WebSocket over HTTP/1.1.
func TestPollingOverHTTP2(t *testing.T) {
	protocols := make(chan string, 2)
	server, trust := startHTTP2(t, protocols)
	answers := make(chan string, 16)
	s, err := engineio.Dial(t.Context(), server.URL, &engineio.DialOptions{
		TLS: trust,
		Handler: func(*engineio.Session) engineio.Receiver {
			return receiver{message: func(_ *engineio.Session, _ bool, data []byte) { answers <- string(data) }}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := <-protocols; got != "HTTP/2.0 polling" {
		t.Errorf("the handshake came by %s", got)
	}
	s.Send(text("a"))
	if got := <-answers; got != "a" {
		t.Errorf("received %q", got)
	}
	waitFor(t, func() bool { return s.Transport() == engineio.WebSocket })
	s.Send(text("b"))
	if got := <-answers; got != "b" {
		t.Errorf("received %q", got)
	}
	s.Close("")
}

// TestExtendedConnect: a WebSocket over HTTP/2 (RFC 8441), in a process whose
// environment lets net/http serve it, which is read before a test can set it.
func TestExtendedConnect(t *testing.T) {
	if !strings.Contains(os.Getenv("GODEBUG"), "http2xconnect=1") {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestExtendedConnect$", "-test.v")
		cmd.Env = append(os.Environ(), "GODEBUG=http2xconnect=1")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: ") {
			t.Fatalf("with http2xconnect=1: %v\n%s", err, out)
		}
		return
	}
	server, trust := startHTTP2(t, nil)
	trust.NextProtos = []string{"h2"}
	nc, err := tls.Dial("tcp", server.Listener.Addr().String(), trust)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	// http.Transport refuses the name :protocol, its HTTP/2 half does not.
	transport := &http.Transport{ForceAttemptHTTP2: true}
	transport.Clone() // fills in TLSNextProto
	body, w := io.Pipe()
	r, _ := http.NewRequestWithContext(t.Context(), "CONNECT", server.URL+"/engine.io/?EIO=4&transport=websocket", body)
	r.Header = http.Header{":protocol": {"websocket"}, "Sec-Websocket-Version": {"13"}}
	response, err := transport.TLSNextProto["h2"](r.URL.Host, nc).RoundTrip(r)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("answer %+v, %v", response, err)
	}
	c := conn.New(struct {
		io.Reader
		io.WriteCloser
	}{response.Body, w}, frame.Client, conn.Handshake{}, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, want := range []string{`0{"sid":`, "4a"} {
		_, p, err := c.ReadMessage(ctx)
		if err != nil || !strings.HasPrefix(string(p), want) {
			t.Fatalf("received %q, %v; want %q", p, err, want)
		}
		c.WriteMessage(ctx, frame.OpText, []byte("4a"))
	}
	c.CloseNow()
}
