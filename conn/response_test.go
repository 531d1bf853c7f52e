package conn_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/handshake"
	"github.com/google/go-cmp/cmp"
)

// TestDialResponse has what K1 to K4 are about: a hostile server's answer.
func TestDialResponse(t *testing.T) {
	offer := &conn.DialOptions{Subprotocols: []string{"chat", "superchat"}}
	without := func(line string) string { return strings.Replace(switching, line, "", 1) + "\r\n" }
	with := func(lines string) string { return switching + lines + "\r\n" }
	interim := func(n int) string {
		return strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", n) + switching + "\r\n"
	}
	tests := []struct {
		name     string
		response string
		o        *conn.DialOptions
		protocol string
		err      error // nil means that the connection opens
	}{
		{name: "K1 accept missing", response: without("Sec-WebSocket-Accept: {accept}\r\n"), err: handshake.ErrAccept},
		{name: "K1 accept wrong", response: strings.Replace(switching, "{accept}", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 1) + "\r\n", err: handshake.ErrAccept},
		{name: "K1 accept twice", response: with("Sec-WebSocket-Accept: {accept}\r\n"), err: handshake.ErrAccept},
		{name: "K1 accept of another", response: with("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), err: handshake.ErrAccept},
		{name: "K1 accept truncated", response: strings.Replace(switching, "{accept}", "", 1) + "\r\n", err: handshake.ErrAccept},
		{name: "K2 100 then 101", response: "HTTP/1.1 100 Continue\r\n\r\n" + switching + "\r\n"},
		{name: "K2 eight interim responses", response: interim(8)},
		{name: "K2 nine interim responses", response: interim(9), err: handshake.ErrStatus},
		{name: "K2 no Upgrade", response: without("Upgrade: websocket\r\n"), err: handshake.ErrUpgrade},
		{name: "K2 no Connection", response: without("Connection: Upgrade\r\n"), err: handshake.ErrUpgrade},
		{name: "K2 HTTP/1.0", response: strings.Replace(switching, "1.1", "1.0", 1) + "\r\n", err: handshake.ErrProto},
		{name: "K2 HTTP/2.0", response: strings.Replace(switching, "1.1", "2.0", 1) + "\r\n", err: handshake.ErrProto},
		{name: "not HTTP", response: "SSH-2.0-OpenSSH_9.2\r\n", err: handshake.ErrHeader},
		{name: "bare LF", response: strings.ReplaceAll(switching, "\r", "") + "\n", err: handshake.ErrHeader},
		{name: "nothing", response: "", err: context.DeadlineExceeded},
		{name: "half a head", response: switching, err: context.DeadlineExceeded},
		{name: "K3 subprotocol", response: with("Sec-WebSocket-Protocol: superchat\r\n"), o: offer, protocol: "superchat"},
		{name: "K3 no subprotocol", response: switching + "\r\n", o: offer},
		{name: "K3 subprotocol not asked for", response: with("Sec-WebSocket-Protocol: chat\r\n"), err: handshake.ErrSubprotocol},
		{name: "K3 another subprotocol", response: with("Sec-WebSocket-Protocol: Chat\r\n"), o: offer, err: handshake.ErrSubprotocol},
		{name: "K3 two subprotocols", response: with("Sec-WebSocket-Protocol: chat, superchat\r\n"), o: offer, err: handshake.ErrSubprotocol},
		{name: "K3 subprotocol twice", response: with("Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n"), o: offer, err: handshake.ErrSubprotocol},
		{name: "K3 extension not offered", response: with("Sec-WebSocket-Extensions: permessage-deflate\r\n"), err: handshake.ErrExtension},
		{name: "K3 deflate parameters", response: with("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99\r\n"), err: handshake.ErrExtension},
		{name: "K4 Content-Length", response: with("Content-Length: 0\r\n"), err: handshake.ErrBody},
		{name: "K4 Transfer-Encoding", response: with("Transfer-Encoding: chunked\r\n"), err: handshake.ErrBody},
		{name: "K5 status line of 16 KiB", response: "HTTP/1.1 101 " + strings.Repeat("a", 16<<10), err: handshake.ErrTooLarge},
		{name: "K5 fields of 16 KiB", response: switching + strings.Repeat("A: "+strings.Repeat("b", 996)+"\r\n", 17), err: handshake.ErrTooLarge},
		{name: "K5 fields of almost 16 KiB", response: switching + strings.Repeat("A: "+strings.Repeat("b", 995)+"\r\n", 16) + "\r\n"},
		{name: "K5 101 fields", response: switching + strings.Repeat("A: b\r\n", 98) + "\r\n", err: handshake.ErrTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _, err := dialScript(t, "ws://h/", tt.o, answer(tt.response))
				if !errors.Is(err, tt.err) {
					t.Fatalf("Dial() = _, %v; want %v", err, tt.err)
				}
				if err == nil {
					defer c.CloseNow()
					if c.Subprotocol() != tt.protocol {
						t.Errorf("Subprotocol() = %q; want %q", c.Subprotocol(), tt.protocol)
					}
				}
			})
		})
	}
}

// TestK2Refused: a status other than 101 is a RefusedError with its beginning.
func TestK2Refused(t *testing.T) {
	long := strings.Repeat("x", 1<<10)
	tests := []struct {
		name, response string
		want           conn.RefusedError
		after          time.Duration // how long the body is waited for
	}{
		{name: "200", response: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1",
			want: conn.RefusedError{Status: 200, Header: http.Header{"Content-Length": {"5"}}, Body: "hello"}},
		{name: "204", response: "HTTP/1.1 204 No Content\r\n\r\njunk",
			want: conn.RefusedError{Status: 204, Header: http.Header{}}},
		{name: "HTTP/1.0 403", response: "HTTP/1.0 403\x20\r\nContent-Length: 2\r\n\r\nno",
			want: conn.RefusedError{Status: 403, Header: http.Header{"Content-Length": {"2"}}, Body: "no"}},
		{name: "chunked", response: "HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\nretry-after: 7\r\nA: 1\r\na: 2\r\n\r\n2\r\nla\r\n3\r\nter\r\n0\r\n\r\n",
			want: conn.RefusedError{Status: 503, Header: http.Header{"Transfer-Encoding": {"chunked"}, "Retry-After": {"7"}, "A": {"1", "2"}}, Body: "later"}},
		{name: "no length", response: "HTTP/1.1 500 \r\n\r\nsorry",
			want: conn.RefusedError{Status: 500, Header: http.Header{}, Body: "sorry"}, after: time.Second},
		{name: "shorter than it says", response: "HTTP/1.1 500 \r\nContent-Length: 9\r\n\r\nsorry",
			want: conn.RefusedError{Status: 500, Header: http.Header{"Content-Length": {"9"}}, Body: "sorry"}, after: time.Second},
		{name: "bad length", response: "HTTP/1.1 500 \r\nContent-Length: -1\r\n\r\nsorry",
			want: conn.RefusedError{Status: 500, Header: http.Header{"Content-Length": {"-1"}}}},
		{name: "K5 long body", response: "HTTP/1.1 500 \r\nContent-Length: 9999999999999999\r\n\r\n" + long + "y",
			want: conn.RefusedError{Status: 500, Header: http.Header{"Content-Length": {"9999999999999999"}}, Body: long}},
		{name: "after interim", response: "HTTP/1.1 103 \r\n\r\nHTTP/1.1 401 \r\nContent-Length: 2\r\n\r\nhi",
			want: conn.RefusedError{Status: 401, Header: http.Header{"Content-Length": {"2"}}, Body: "hi"}},
		{name: "redirect", response: "HTTP/1.1 302 Found\r\nLocation: ws://h/\r\nContent-Length: 0\r\n\r\n",
			want: conn.RefusedError{Status: 302, Header: http.Header{"Location": {"ws://h/"}, "Content-Length": {"0"}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				_, _, err := dialScript(t, "ws://h/", nil, answer(tt.response))
				got, ok := errors.AsType[*conn.RefusedError](err)
				if !ok {
					t.Fatalf("Dial() = _, %v; want a RefusedError", err)
				}
				if diff := cmp.Diff(&tt.want, got); diff != "" {
					t.Errorf("RefusedError mismatch (-want +got):\n%s", diff)
				}
				if d := time.Since(begin); d != tt.after {
					t.Errorf("Dial returned after %v; want %v", d, tt.after)
				}
			})
		})
	}
}

// TestK5Endless: what a server sends for ever is given up in time and size.
func TestK5Endless(t *testing.T) {
	for _, tt := range []struct{ name, begin, more string }{
		{"status line", "HTTP/1.1 101 ", "aaaaaaaaaaaaaaaa"},
		{"fields", "HTTP/1.1 101 \r\n", "A: b\r\n"},
		{"interim responses", "", "HTTP/1.1 100 \r\n\r\n"},
		{"error body", "HTTP/1.1 500 \r\n\r\n", "sorry "},
		{"chunks", "HTTP/1.1 500 \r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, _, err := dialScript(t, "ws://h/", nil, func(t testing.TB, nc net.Conn) {
					sent, err := io.WriteString(nc, tt.begin)
					for err == nil {
						var n int
						n, err = io.WriteString(nc, tt.more)
						sent += n
					}
					if sent > 128<<10 {
						t.Errorf("%d octets went", sent)
					}
				})
				if err == nil {
					t.Error("Dial() = nil")
				}
			})
		})
	}
}

// FuzzDialResponse: a response opens the connection or does not, and is reported
// alike, whether it comes at once or octet by octet.
func FuzzDialResponse(f *testing.F) {
	for _, s := range []string{
		switching + "\r\n",
		switching + "Sec-WebSocket-Protocol: chat\r\n\r\n\x81\x00",
		"HTTP/1.1 100 \r\n\r\nHTTP/1.1 403 \r\nContent-Length: 2\r\n\r\nno",
		"HTTP/1.1 503 \r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
		"HTTP/1.0 302 \r\nLocation: /\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, response []byte) {
		type result struct {
			Opened      bool
			Subprotocol string
			Refused     *conn.RefusedError
			Class       *handshake.Error
		}
		var results [2]result
		for i := range results {
			r := &results[i]
			a, b := conntest.Pipe(1 << 20)
			done := make(chan struct{})
			go func() {
				defer close(done)
				key := field(readHead(t, b), "Sec-WebSocket-Key")
				b.Write(bytes.ReplaceAll(response, []byte("{accept}"), []byte(handshake.Accept(key))))
				b.CloseWrite()
			}()
			cryptotest.SetGlobalRandom(t, 1) // the same key both times
			nc := conntest.Inject(a, conntest.Faults{Read: conntest.Flow{Split: i}})
			c, err := conn.DialConn(t.Context(), nc, "ws://h/", &conn.DialOptions{Subprotocols: []string{"chat"}})
			if c != nil {
				r.Opened, r.Subprotocol = true, c.Subprotocol()
				c.CloseNow()
			}
			r.Refused, _ = errors.AsType[*conn.RefusedError](err)
			if r.Refused != nil && len(r.Refused.Body) > 1<<10 {
				t.Errorf("a body of %d octets", len(r.Refused.Body))
			}
			if e, ok := errors.AsType[*handshake.Error](err); ok {
				r.Class = e
				if class, ok := errors.AsType[*handshake.Error](e.Unwrap()); ok {
					r.Class = class
				}
			}
			if err != nil && r.Refused == nil && r.Class == nil && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("DialConn() = %v", err)
			}
			<-done
			b.Close()
		}
		if diff := cmp.Diff(results[0], results[1], cmp.Comparer(func(a, b *handshake.Error) bool { return a == b })); diff != "" {
			t.Errorf("%q at once and octet by octet (-at once +octets):\n%s", response, diff)
		}
	})
}
