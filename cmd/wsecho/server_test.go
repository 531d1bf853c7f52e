package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
	"github.com/google/go-cmp/cmp"
)

// A record is a line of the log without its time.
type record map[string]any

// A journal is a log that tests read.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

// records returns the records so far whose message begins with prefix.
func (j *journal) records(t *testing.T, prefix string) []record {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	var all []record
	for line := range bytes.Lines(j.b.Bytes()) {
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		delete(r, "time")
		if strings.HasPrefix(r["msg"].(string), prefix) {
			all = append(all, r)
		}
	}
	return all
}

// A site is a server in memory, inside a synctest bubble.
type site struct {
	*server
	listener *conntest.Listener
	journal  *journal
}

// newSite serves with the flags.
func newSite(t *testing.T, flags ...string) *site {
	t.Helper()
	env, _, stderr := newEnvironment()
	var o serveOptions
	if _, ok := newServeFlags(env, &o).parse(env, flags); !ok {
		t.Fatalf("flags %q: %s", flags, stderr)
	}
	j := new(journal)
	s := &site{newServer(&o, newLogger(j, "json", o.verbose)), conntest.Listen(), j}
	go s.serve(s.listener)
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.shutdown(ctx)
		time.Sleep(time.Second) // as long as net/http waits after a refusal
		synctest.Wait()
	})
	return s
}

func (s *site) dial(t *testing.T, path string, o *conn.DialOptions) (*conn.Conn, error) {
	t.Helper()
	var options conn.DialOptions
	if o != nil {
		options = *o
	}
	options.MaxMessageSize = conn.NoLimit
	options.NetDial = s.listener.Dial
	c, err := conn.Dial(t.Context(), "ws://wsecho.example"+path, &options)
	if err == nil {
		t.Cleanup(func() { c.CloseNow() })
	}
	return c, err
}

func (s *site) mustDial(t *testing.T, path string) *conn.Conn {
	t.Helper()
	c, err := s.dial(t, path, nil)
	if err != nil {
		t.Fatalf("Dial(%s): %v", path, err)
	}
	return c
}

// raw connects and does the handshake by hand, for a peer that breaks rules.
func (s *site) raw(t *testing.T, path string) net.Conn {
	t.Helper()
	nc, err := s.listener.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	io.WriteString(nc, "GET "+path+" HTTP/1.1\r\nHost: wsecho.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	head := make([]byte, 4096)
	n, err := nc.Read(head)
	if err != nil || !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) || !bytes.HasSuffix(head[:n], []byte("\r\n\r\n")) {
		t.Fatalf("handshake: %q, %v", head[:n], err)
	}
	return nc
}

// get asks for a path, with the fields.
func (s *site) get(t *testing.T, path string, fields ...string) (response *http.Response, body string) {
	t.Helper()
	transport := &http.Transport{DialContext: s.listener.Dial}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://wsecho.example"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	response, err = transport.RoundTrip(r)
	if err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	return response, string(b)
}

// write sends a message.
func write(t *testing.T, c *conn.Conn, op frame.Opcode, p string) {
	t.Helper()
	if err := c.WriteMessage(t.Context(), op, []byte(p)); err != nil {
		t.Errorf("WriteMessage: %v", err)
	}
}

// exchange sends a message and expects it back, meanwhile already.
func exchange(t *testing.T, c *conn.Conn, op frame.Opcode, p string) {
	t.Helper()
	go write(t, c, op, p)
	expect(t, c, op, p)
}

// expect reads a message and compares it.
func expect(t *testing.T, c *conn.Conn, op frame.Opcode, p string) {
	t.Helper()
	gotOp, got, err := c.ReadMessage(t.Context())
	if err != nil {
		t.Fatalf("ReadMessage: %v", err)
	}
	if gotOp != op || string(got) != p {
		t.Fatalf("ReadMessage = %v, %d octets %.80q; want %v, %d octets %.80q", gotOp, len(got), got, op, len(p), p)
	}
}

// expectEnd reads until the connection ends, and compares how.
func expectEnd(t *testing.T, c *conn.Conn, code frame.CloseCode) {
	t.Helper()
	_, p, err := c.ReadMessage(t.Context())
	e, ok := errors.AsType[*conn.CloseError](err)
	if !ok {
		t.Fatalf("ReadMessage = %d octets, %v; want the end with %v", len(p), err, code)
	}
	if e.Code != code {
		t.Errorf("closed with %v, want %v: %v", e.Code, code, err)
	}
}

func TestEcho(t *testing.T) {
	for _, path := range []string{"/echo", "/ws"} {
		synctest.Test(t, func(t *testing.T) {
			c := newSite(t).mustDial(t, path)
			for _, m := range []conn.Message{
				{Opcode: frame.OpText, Payload: []byte("hello")},
				{Opcode: frame.OpBinary, Payload: []byte{0, 0xff}},
				{Opcode: frame.OpText},
				{Opcode: frame.OpBinary, Payload: make([]byte, 1<<20)},
			} {
				exchange(t, c, m.Opcode, string(m.Payload))
			}
		})
	}
}

// TestEchoIsSilent: the server sends no message of its own, however long the
// connection lasts, and keeps it alive.
func TestEchoIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newSite(t).mustDial(t, "/echo")
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, p, err := c.ReadMessage(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("ReadMessage = %q, %v; want nothing for an hour", p, err)
		}
		exchange(t, c, frame.OpText, "still there")
	})
}

// TestEchoBeforeError: what came before a broken rule is echoed, a fragmented
// message as one frame; then the connection is closed.
func TestEchoBeforeError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nc := newSite(t).raw(t, "/echo")
		nc.Write([]byte("\x01\x81\x00\x00\x00\x00a" + // text, not the last fragment
			"\x89\x81\x00\x00\x00\x00p" + // ping
			"\x80\x81\x00\x00\x00\x00b" + // the last fragment
			"\x82\x81\x00\x00\x00\x00c" + // binary
			"\x83\x80\x00\x00\x00\x00" + // reserved opcode
			"\x81\x81\x00\x00\x00\x00d")) // too late
		got, err := io.ReadAll(nc)
		want := "\x8a\x01p\x81\x02ab\x82\x01c\x88\x02\x03\xea"
		if string(got) != want || err != nil {
			t.Errorf("got %x, %v; want %x", got, err, want)
		}
	})
}

// TestPingFlood: load tools may ping as fast as they can.
func TestPingFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nc := newSite(t).raw(t, "/echo")
		const pings = 20_000
		go nc.Write([]byte(strings.Repeat("\x89\x80\x00\x00\x00\x00", pings) + "\x81\x81\x00\x00\x00\x00z\x88\x80\x00\x00\x00\x00"))
		got, err := io.ReadAll(nc)
		if err != nil || !bytes.HasSuffix(got, []byte("\x81\x01z\x88\x00")) {
			t.Errorf("after %d pings: %x, %v; want the echo of a message", pings, got[max(0, len(got)-16):], err)
		}
	})
}

func TestMaxMessage(t *testing.T) {
	tests := []struct {
		path  string
		flags []string
		limit int
	}{
		{"/echo", nil, 16 << 20},
		{"/echo", []string{"-max-message", "4"}, 4},
		{"/chat", nil, 64 << 10},
		{"/chat", []string{"-max-message", "4"}, 4},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			c := newSite(t, tt.flags...).mustDial(t, tt.path)
			p := strings.Repeat("x", tt.limit)
			exchange(t, c, frame.OpBinary, p)
			go c.WriteMessage(t.Context(), frame.OpBinary, []byte(p+"x"))
			expectEnd(t, c, frame.CloseMessageTooBig)
		})
	}
}

// TestTime: the time comes at once and every second, whatever the client sends,
// until it closes.
func TestTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		c := s.mustDial(t, "/time")
		expect(t, c, frame.OpText, "2000-01-01T00:00:00.000Z")
		write(t, c, frame.OpText, "and mine?")
		expect(t, c, frame.OpText, "2000-01-01T00:00:01.000Z")
		expect(t, c, frame.OpText, "2000-01-01T00:00:02.000Z")
		if err := c.Close(frame.CloseNormalClosure, ""); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if closed := s.journal.records(t, "connection closed"); len(closed) != 1 || closed[0]["received"] != 1.0 || closed[0]["sent"] != 3.0 {
			t.Errorf("log of the end: %v", closed)
		}
	})
}

func TestChat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		a, b, other := s.mustDial(t, "/chat"), s.mustDial(t, "/chat"), s.mustDial(t, "/echo")
		synctest.Wait()
		write(t, a, frame.OpText, "from a")
		write(t, a, frame.OpBinary, "\x00")
		for _, c := range []*conn.Conn{a, b} {
			expect(t, c, frame.OpText, "from a")
			expect(t, c, frame.OpBinary, "\x00")
		}
		a.Close(frame.CloseNormalClosure, "")
		exchange(t, b, frame.OpText, "alone")
		exchange(t, other, frame.OpText, "only mine")
	})
}

// TestSubprotocol: the server agrees to what the client prefers.
func TestSubprotocol(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		for _, offered := range [][]string{nil, {"a"}, {"b", "a"}} {
			c, err := s.dial(t, "/echo", &conn.DialOptions{Subprotocols: offered})
			if err != nil {
				t.Fatal(err)
			}
			if want := append(offered, "")[0]; c.Subprotocol() != want {
				t.Errorf("offered %q, got %q, want %q", offered, c.Subprotocol(), want)
			}
		}
	})
}

func TestOrigin(t *testing.T) {
	tests := []struct {
		origin string
		flags  []string
		status int
	}{
		{"http://wsecho.example", nil, http.StatusSwitchingProtocols},
		{"http://evil.example", nil, http.StatusForbidden},
		{"null", nil, http.StatusForbidden},
		{"https://app.example", []string{"-origin", "http://x.example", "-origin", "https://app.example"}, http.StatusSwitchingProtocols},
		{"http://evil.example", []string{"-origin", "https://app.example"}, http.StatusForbidden},
		{"http://evil.example", []string{"-origin", "*"}, http.StatusSwitchingProtocols},
		{"null", []string{"-origin", "*"}, http.StatusSwitchingProtocols},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, tt.flags...)
			_, err := s.dial(t, "/echo", &conn.DialOptions{Header: http.Header{"Origin": {tt.origin}}})
			status := http.StatusSwitchingProtocols
			if refused, ok := errors.AsType[*conn.RefusedError](err); ok {
				status = refused.Status
			} else if err != nil {
				t.Fatal(err)
			}
			if status != tt.status {
				t.Errorf("origin %s with %q: status %d, want %d", tt.origin, tt.flags, status, tt.status)
			}
			refusals := s.journal.records(t, "handshake refused")
			if status == http.StatusSwitchingProtocols {
				if len(refusals) != 0 {
					t.Errorf("logged %v", refusals)
				}
				return
			}
			if len(refusals) != 1 || refusals[0]["origin"] != tt.origin || refusals[0]["status"] != 403.0 ||
				!strings.Contains(refusals[0]["hint"].(string), "-origin") {
				t.Errorf("origin %s: logged %v", tt.origin, refusals)
			}
		})
	}
}

// TestPlainRequests: what a browser or curl gets.
func TestPlainRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "-v")
		all := []string{"/echo", "/ws", "/time", "/chat"}
		for _, path := range all {
			r, body := s.get(t, path)
			if r.StatusCode != http.StatusUpgradeRequired || r.Header.Get("Upgrade") != "websocket" || !strings.Contains(body, "ws://wsecho.example"+path) {
				t.Errorf("GET %s: %s, %v, %q", path, r.Status, r.Header, body)
			}
		}
		for _, path := range []string{"/nope", "/echo/", "/page.html"} {
			r, body := s.get(t, path)
			if r.StatusCode != http.StatusNotFound {
				t.Errorf("GET %s: %s, want 404", path, r.Status)
			}
			checkParts(t, "the answer", body, all)
		}
		if got := len(s.journal.records(t, "request")); got != 7 {
			t.Errorf("%d requests logged, want 7", got)
		}
	})
}

// TestRefused: handshakes that cannot succeed get a status, a reason in the log
// and the end of the connection.
func TestRefused(t *testing.T) {
	tests := []struct {
		name   string
		path   string
		fields []string
		status int
		body   string
	}{
		{"path", "/nope", nil, http.StatusNotFound, "/echo"},
		{"version", "/echo", []string{"Sec-WebSocket-Version", "8"}, http.StatusUpgradeRequired, ""},
		{"key", "/echo", []string{"Sec-WebSocket-Key", "short"}, http.StatusBadRequest, ""},
		{"protocol", "/echo", []string{"Upgrade", "h2c"}, http.StatusBadRequest, ""},
		{"subprotocol", "/echo", []string{"Sec-WebSocket-Protocol", "a a"}, http.StatusBadRequest, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				r, body := s.get(t, tt.path, slices.Concat([]string{
					"Upgrade", "websocket", "Connection", "Upgrade", "Sec-WebSocket-Version", "13",
					"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==",
				}, tt.fields)...)
				if r.StatusCode != tt.status || !r.Close || !strings.Contains(body, tt.body) {
					t.Errorf("got %s, close %t, %q; want %d, close, %q", r.Status, r.Close, body, tt.status, tt.body)
				}
				logged := s.journal.records(t, "handshake refused")
				if len(logged) != 1 || logged[0]["status"] != float64(tt.status) || logged[0]["path"] != tt.path ||
					logged[0]["remote"] != "192.0.2.1:1" || logged[0]["error"] == "" {
					t.Errorf("logged %v", logged)
				}
			})
		})
	}
}

// TestLog: one line for a connection that opens and one for its end.
func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		c, err := s.dial(t, "/echo?deflate=off", &conn.DialOptions{
			Subprotocols: []string{"chat"},
			Header:       http.Header{"Origin": {"http://wsecho.example"}, "User-Agent": {"a\x80b"}, "X-Forwarded-For": {"203.0.113.9"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		exchange(t, c, frame.OpText, "hello")
		time.Sleep(1500 * time.Millisecond)
		c.Close(4001, "bye\x1b[31m")
		synctest.Wait()
		want := []record{
			{
				"level": "INFO", "msg": "connection opened", "remote": "192.0.2.1:1", "path": "/echo",
				"origin": "http://wsecho.example", "user_agent": "a\ufffdb", "forwarded_for": "203.0.113.9", "subprotocol": "chat",
			},
			{
				"level": "INFO", "msg": "connection closed", "remote": "192.0.2.1:1", "path": "/echo",
				"code": 4001.0, "reason": "bye\x1b[31m", "by": "peer", "seconds": 1.5,
				"received": 1.0, "received_octets": 5.0, "sent": 1.0, "sent_octets": 5.0,
			},
		}
		if diff := cmp.Diff(want, s.journal.records(t, "")); diff != "" {
			t.Errorf("log mismatch (-want +got):\n%s", diff)
		}
	})
}

// TestLogOfFailure: the end says what rule was broken, or that the network
// failed.
func TestLogOfFailure(t *testing.T) {
	tests := []struct {
		name string
		do   func(nc net.Conn)
		code float64
		by   string
	}{
		{"reserved bit", func(nc net.Conn) { nc.Write([]byte("\xc1\x80\x00\x00\x00\x00")); io.ReadAll(nc) }, 1002, "this side"},
		{"lost", func(nc net.Conn) { nc.Close() }, 1006, "network"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				nc := s.raw(t, "/echo")
				tt.do(nc)
				nc.Close()
				synctest.Wait()
				closed := s.journal.records(t, "connection closed")
				if len(closed) != 1 || closed[0]["code"] != tt.code || closed[0]["by"] != tt.by || closed[0]["error"] == nil {
					t.Errorf("logged %v; want code %v by %s and an error", closed, tt.code, tt.by)
				}
			})
		})
	}
}

// TestVerbose: -v logs messages and pongs.
func TestVerbose(t *testing.T) {
	for _, verbose := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var flags []string
			if verbose {
				flags = []string{"-v"}
			}
			s := newSite(t, flags...)
			c := s.mustDial(t, "/echo")
			exchange(t, c, frame.OpText, "hello")
			go c.Discard(t.Context())
			time.Sleep(26 * time.Second) // past a ping of the heartbeat
			var want []record
			if verbose {
				want = []record{
					{"level": "DEBUG", "msg": "message received", "remote": "192.0.2.1:1", "path": "/echo", "opcode": "text", "octets": 5.0},
					{"level": "DEBUG", "msg": "message sent", "remote": "192.0.2.1:1", "path": "/echo", "opcode": "text", "octets": 5.0},
				}
			}
			if diff := cmp.Diff(want, s.journal.records(t, "message")); diff != "" {
				t.Errorf("log of messages mismatch (-want +got):\n%s", diff)
			}
			if got := len(s.journal.records(t, "pong")); got != 1 && verbose || got != 0 && !verbose {
				t.Errorf("%d pongs logged, verbose %t", got, verbose)
			}
			c.CloseNow()
		})
	}
}

// TestTextLogEscapes: what a peer sends cannot act on a terminal.
func TestTextLogEscapes(t *testing.T) {
	var b bytes.Buffer
	newLogger(&b, "text", false).Info("connection closed", "reason", "\x1b[31m\n\u009b\u202e")
	if i := strings.IndexAny(strings.TrimSuffix(b.String(), "\n"), "\x1b\n\u009b\u202e"); i >= 0 {
		t.Errorf("unescaped in %q", b.String())
	}
}

// TestClosing: a handshake that comes while the server drains is refused.
func TestClosing(t *testing.T) {
	var o serveOptions
	s := newServer(&o, slog.New(slog.DiscardHandler))
	if _, err := s.shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/echo", nil)
	r.Header.Set("Upgrade", "websocket")
	s.http.Handler.ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", w.Code)
	}
}
