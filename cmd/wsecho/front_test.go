package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/conformance"
	"example.org/rfc6455/handshake"
)

// TestConformance: the server passes every case that depends on how it takes a
// connection, whether it compresses or not.
func TestConformance(t *testing.T) {
	for _, query := range []string{"", "?deflate=on"} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t)
			report, err := conformance.Server(t.Context(), "ws://wsecho.example/echo"+query, &conformance.Options{
				Run:  []string{"framing", "control", "close", "handshake", "early", "delivery", "faults", "negotiation", "inflation", "12.*.1"},
				Dial: s.listener.Dial, Volume: 1,
			})
			if err != nil {
				t.Fatal(err)
			}
			for i := range report.Results {
				r := &report.Results[i]
				switch r.Worst() {
				case conformance.OK, conformance.Information:
				case conformance.Unimplemented:
					if query == "" {
						continue
					}
					fallthrough
				default:
					t.Errorf("%s: %v, %s; close %v, %s", r.Case.ID, r.Verdict, r.Why, r.Close, r.CloseWhy)
				}
			}
		})
	}
}

// upgrade is a handshake after which the client sends the text x.
const upgrade = "GET /echo HTTP/1.1\r\nHost: wsecho.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x81\x00\x00\x00\x00x"

// TestFront: what connections begin with, and what comes of it.
func TestFront(t *testing.T) {
	const page = "GET / HTTP/1.1\r\nHost: wsecho.example\r\n\r\n"
	tests := []struct {
		name string
		send string
		want []string // parts of what comes, in their order
	}{
		{"page", page, []string{"HTTP/1.1 200 OK", "<!doctype html>"}},
		{"page, then upgrade", page + upgrade, []string{"HTTP/1.1 200 OK", "HTTP/1.1 101 Switching Protocols", "\x81\x01x"}},
		{"upgrade", upgrade, []string{"HTTP/1.1 101 Switching Protocols", "\x81\x01x"}},
		{"upgrade of the page", strings.Replace(upgrade, "/echo", "/", 1), []string{"HTTP/1.1 200 OK", "Connection: close", "<!doctype html>"}},
		{"upgrade to HTTP/2", "GET / HTTP/1.1\r\nHost: wsecho.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n", []string{"HTTP/1.1 200 OK"}},
		{"HEAD", "HEAD / HTTP/1.1\r\nHost: wsecho.example\r\nUpgrade: websocket\r\n\r\n", []string{"HTTP/1.1 200 OK"}},
		{"lines that end with LF", strings.ReplaceAll(upgrade, "\r\n", "\n"), []string{"HTTP/1.1 400 Bad Request"}},
		{"lines that end with LF, plain", strings.ReplaceAll(page, "\r\n", "\n"), []string{"HTTP/1.1 200 OK"}},
		{"target that is no URI", strings.Replace(upgrade, "/echo", "/%zz", 1), []string{"HTTP/1.1 400 Bad Request", "request-target"}},
		{"HTTP/1.0", strings.Replace(upgrade, "HTTP/1.1", "HTTP/1.0", 1), []string{"HTTP/1.1 426 Upgrade Required", "Upgrade: websocket"}},
		{"large head", "GET / HTTP/1.1\r\nHost: wsecho.example\r\nX: " + strings.Repeat("x", 64<<10), []string{"HTTP/1.1 431 "}},
		{"half a head", page[:30], []string{"HTTP/1.1 400 Bad Request"}},
		{"noise", "\x16\x03\x01\x02\x00\r\n\r\n", []string{"HTTP/1.1 400 Bad Request"}},
	}
	for _, tt := range tests {
		for _, step := range []int{1 << 20, 1} {
			synctest.Test(t, func(t *testing.T) {
				nc, err := newSite(t).listener.Dial(t.Context(), "", "")
				if err != nil {
					t.Fatal(err)
				}
				var writing sync.WaitGroup
				writing.Go(func() {
					for b := []byte(tt.send); len(b) > 0; b = b[min(step, len(b)):] {
						if _, err := nc.Write(b[:min(step, len(b))]); err != nil {
							return
						}
					}
					time.Sleep(time.Second) // for the answer
					nc.(interface{ CloseWrite() error }).CloseWrite()
				})
				got, err := io.ReadAll(nc)
				nc.Close()
				writing.Wait()
				rest := string(got)
				for _, part := range tt.want {
					_, after, ok := strings.Cut(rest, part)
					if !ok {
						t.Errorf("%s, %d at a time: no %q in %q, %v", tt.name, step, part, rest, err)
					}
					rest = after
				}
			})
		}
	}
}

// TestFrontTimeout: who does not send a whole head is given up, however busy it
// looks.
func TestFrontTimeout(t *testing.T) {
	for _, every := range []time.Duration{0, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			nc, err := newSite(t).listener.Dial(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			var writing sync.WaitGroup
			writing.Go(func() {
				for every > 0 {
					if _, err := io.WriteString(nc, "X: x\r\n"); err != nil {
						return
					}
					time.Sleep(every)
				}
			})
			if got, err := io.ReadAll(nc); len(got) > 0 || err != nil && !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "reset") {
				t.Errorf("got %q, %v", got, err)
			}
			if took := time.Since(began); took != headTimeout {
				t.Errorf("given up after %v, want %v", took, headTimeout)
			}
			nc.Close()
			writing.Wait()
		})
	}
}

// TestFrontShutdown: connections without a request do not hold up the end.
func TestFrontShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		var silent []net.Conn
		for _, octets := range []string{"", "GET /"} {
			nc, err := s.listener.Dial(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(nc, octets)
			silent = append(silent, nc)
		}
		synctest.Wait()
		began := time.Now()
		if _, err := s.shutdown(t.Context()); err != nil || time.Since(began) != 0 {
			t.Errorf("shutdown: %v after %v", err, time.Since(began))
		}
		for _, nc := range silent {
			if got, _ := io.ReadAll(nc); len(got) > 0 {
				t.Errorf("got %q", got)
			}
		}
	})
}

// TestFrontPanic: a handler that panics ends its connection, and nothing else.
func TestFrontPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, j := conntest.Listen(), new(journal)
		f := newFront(l, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("out of order") }), newLogger(j, "json", false))
		defer f.Close()
		for range 2 {
			nc, err := l.Dial(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(nc, upgrade)
			if got, _ := io.ReadAll(nc); len(got) > 0 {
				t.Errorf("got %q", got)
			}
		}
		if got := j.records(t, "handshake panicked"); len(got) != 2 || got[0]["panic"] != "out of order" {
			t.Errorf("logged %v", got)
		}
	})
}

// failing is a listener that fails.
type failing struct {
	net.Listener
	errs []error
}

func (l *failing) Accept() (net.Conn, error) {
	if len(l.errs) == 0 {
		return l.Listener.Accept()
	}
	err := l.errs[0]
	l.errs = l.errs[1:]
	return nil, err
}

// TestFrontErrors: what the listener reports is the server's business.
func TestFrontErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		l := conntest.Listen()
		f := newFront(&failing{l, []error{broken, broken}}, nil, slog.New(slog.DiscardHandler))
		for range 2 {
			if _, err := f.Accept(); err != broken {
				t.Errorf("Accept: %v, want %v", err, broken)
			}
		}
		client, err := l.Dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		go io.WriteString(client, "GET / HTTP/1.1\r\n\r\nrest")
		nc, err := f.Accept()
		if err != nil {
			t.Fatal(err)
		}
		r := bufio.NewReader(nc)
		if line, err := r.ReadString('t'); line != "GET / HTTP/1.1\r\n\r\nrest" || err != nil {
			t.Errorf("the connection begins with %q, %v", line, err)
		}
		f.Close()
		if _, err := f.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept after Close: %v, want net.ErrClosed", err)
		}
	})
}

// TestFrontTLS: handshakes and pages over TLS, and those who do not speak it.
func TestFrontTLS(t *testing.T) {
	r := serveTCP(t, t.TempDir(), "-tls")
	defer r.stop(t)
	url := r.announced["echo"].(string)
	client := &tls.Config{InsecureSkipVerify: true} // the certificate is not what is tested
	c, err := conn.Dial(t.Context(), url, &conn.DialOptions{TLS: client})
	if err != nil {
		t.Fatal(err)
	}
	exchange(t, c, frame.OpText, "hello")
	c.Close(frame.CloseNormalClosure, "")
	for _, tt := range []struct {
		url    string
		status int
		body   string
	}{
		{"https" + strings.TrimPrefix(url, "wss"), http.StatusUpgradeRequired, "wss://"},
		{"http" + strings.TrimPrefix(url, "wss"), http.StatusBadRequest, "HTTPS"},
	} {
		transport := &http.Transport{TLSClientConfig: client}
		response, err := (&http.Client{Transport: transport}).Get(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		transport.CloseIdleConnections()
		if response.StatusCode != tt.status || !strings.Contains(string(body), tt.body) {
			t.Errorf("%s: %s, %q; want %d, %q", tt.url, response.Status, body, tt.status, tt.body)
		}
	}
}

// TestFrontHTTP2: over TLS the page and WebSocket connections are there in HTTP/2,
// too, where the environment allows it.
func TestFrontHTTP2(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("has no SIGTERM")
	}
	server := program(t, "-addr", "127.0.0.1:0", "-log", "json", "-tls")
	server.Env = append(server.Env, "GODEBUG=http2xconnect=1", "HOME="+t.TempDir(), "XDG_CONFIG_HOME=")
	stderr, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 100)
	go scan(stderr, lines)
	var announced record
	if err := json.Unmarshal([]byte(<-lines), &announced); err != nil {
		t.Fatal(err)
	}
	// http.Transport itself refuses the name :protocol, its HTTP/2 half does not.
	transport := &http.Transport{ForceAttemptHTTP2: true}
	transport.Clone() // fills in TLSNextProto
	nc, err := tls.Dial("tcp", announced["addr"].(string), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if got := nc.ConnectionState().NegotiatedProtocol; got != "h2" {
		t.Fatalf("the protocol is %q, want h2", got)
	}
	client := transport.TLSNextProto["h2"](announced["addr"].(string), nc)

	get, err := http.NewRequestWithContext(t.Context(), "GET", announced["page"].(string), nil)
	if err != nil {
		t.Fatal(err)
	}
	page, err := client.RoundTrip(get)
	if err != nil || page.StatusCode != http.StatusOK || page.ProtoMajor != 2 {
		t.Fatalf("the page: %+v, %v", page, err)
	}
	page.Body.Close()

	body, w := io.Pipe()
	connect, err := http.NewRequestWithContext(t.Context(), "CONNECT", announced["page"].(string)+"echo?deflate=off", body)
	if err != nil {
		t.Fatal(err)
	}
	connect.Header = http.Header{":protocol": {"websocket"}, "Sec-Websocket-Version": {"13"}}
	response, err := client.RoundTrip(connect)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("extended CONNECT: %+v, %v", response, err)
	}
	stream := struct {
		io.Reader
		io.WriteCloser
	}{response.Body, w}
	c := conn.New(stream, frame.Client, conn.Handshake{}, nil)
	exchange(t, c, frame.OpText, "over HTTP/2")
	if err := c.Close(frame.CloseNormalClosure, ""); err != nil {
		t.Error(err)
	}
	if line := <-lines; !strings.Contains(line, "connection opened") {
		t.Errorf("the log has %s", line)
	}
	server.Process.Signal(syscall.SIGTERM)
	for range lines {
	}
	if err := server.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

// pieces is a connection that yields octets n at a time, and then its end.
type pieces struct {
	net.Conn
	octets []byte
	n      int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.octets) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.octets[:min(p.n, len(p.octets))])
	p.octets = p.octets[n:]
	return n, nil
}

// FuzzReadHead: the head does not depend on how the octets come, nothing of them is
// lost, and it ends where the first empty line does.
func FuzzReadHead(f *testing.F) {
	f.Add([]byte(upgrade), 7)
	f.Add([]byte("GET / HTTP/1.1\n\r\nrest"), 1)
	f.Add([]byte("GET / HTTP/1.1\r\nX: \n\nrest"), 2)
	f.Add([]byte(strings.Repeat("x", 17<<10)+"\r\n\r\n"), 4096)
	f.Fuzz(func(t *testing.T, octets []byte, n int) {
		whole, head, err := readHead(&pieces{octets: octets, n: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		b, again, err := readHead(&pieces{octets: octets, n: max(n, 1)})
		if err != nil || !bytes.HasPrefix(octets, whole) || !bytes.HasPrefix(octets, b) || !bytes.HasPrefix(b, again) {
			t.Fatalf("%d at a time: %q begins with %q, %v", n, b, again, err)
		}
		if !bytes.Equal(head, again) && len(head) <= handshake.DefaultMaxSize {
			t.Errorf("the head is %q, %d at a time %q", head, n, again)
		}
		if lines := bytes.ReplaceAll(head, []byte("\r\n"), []byte("\n")); len(head) > 0 && bytes.Index(lines, []byte("\n\n")) != len(lines)-2 {
			t.Errorf("the head %q does not end with its first empty line", head)
		}
	})
}
