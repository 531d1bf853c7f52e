package handshake_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"example.org/rfc6455/handshake"
	"github.com/google/go-cmp/cmp"
)

// A line of a head is a name and its value.
type line struct{ Name, Value string }

// fieldLines returns the field lines of h, which a Parser made.
func fieldLines(h handshake.Header) (list []line) {
	for name, value := range h.(*handshake.Fields).All() {
		list = append(list, line{name, value})
	}
	return list
}

func TestParseRequest(t *testing.T) {
	const host = "Host: example.com\r\n"
	long := strings.Repeat("x", 8192)
	field8K := "X: " + long[:8000] + "\r\n"
	tests := []struct {
		name   string
		head   string
		target string // if it is acceptable
		class  error
		status int
		at     int // octets after which it is refused, if not the whole head
	}{
		{name: "origin-form", head: "GET / HTTP/1.1\r\n" + host + "\r\n", target: "/"},
		{name: "query", head: "GET /a/b;c?d=/../%20&e=[f|g]{h}^`\\ HTTP/1.1\r\n" + host + "\r\n", target: "/a/b;c?d=/../%20&e=[f|g]{h}^`\\"},
		{name: "dots within segments", head: "GET /.a/b../...?.. HTTP/1.1\r\n" + host + "\r\n", target: "/.a/b../...?.."},
		{name: "HTTP/1.0", head: "GET / HTTP/1.0\r\n\r\n", target: "/"},
		{name: "other method", head: "PUT / HTTP/1.1\r\n" + host + "\r\n", target: "/"},
		{name: "absolute-form", head: "GET http://example.com/a?b HTTP/1.1\r\n" + host + "\r\n", target: "/a?b"},
		{name: "absolute-form, default port and case", head: "GET WSS://EXAMPLE.com:443/ HTTP/1.1\r\n" + host + "\r\n", target: "/"},
		{name: "absolute-form without a path", head: "GET https://example.com HTTP/1.1\r\n" + host + "\r\n", target: "/"},
		{name: "absolute-form, only a query", head: "GET ws://example.com?x HTTP/1.1\r\n" + host + "\r\n", target: "/?x"},
		{name: "line of 8 KiB", head: "GET / HTTP/1.1\r\n" + host + "X: " + long[:8192-5] + "\r\n\r\n", target: "/"},
		{name: "request line of 8 KiB", head: "GET /" + long[:8192-16] + " HTTP/1.1\r\n" + host + "\r\n", target: "/" + long[:8192-16]},
		{name: "head of 16 KiB", head: "GET / HTTP/1.1\r\n" + field8K + field8K + "X: " + long[:351] + "\r\n\r\n", target: "/"},
		{name: "100 fields", head: "GET / HTTP/1.1\r\n" + strings.Repeat("X:\r\n", 100) + "\r\n", target: "/"},

		// Lengths.
		{name: "request line beyond 8 KiB", head: "GET /" + long, class: handshake.ErrTooLarge, status: 414, at: 8192},
		{name: "request line beyond 8 KiB by its LF", head: "GET /" + long[:8192-15] + " HTTP/1.1\r\n\r\n",
			class: handshake.ErrTooLarge, status: 414, at: 8192},
		{name: "method without an end", head: long + "x", class: handshake.ErrTooLarge, status: 414, at: 8192},
		{name: "field line beyond 8 KiB", head: "GET / HTTP/1.1\r\nX: " + long, class: handshake.ErrTooLarge, status: 431, at: 16 + 8192},
		{name: "field name beyond 8 KiB", head: "GET / HTTP/1.1\r\n" + long + "x:", class: handshake.ErrTooLarge, status: 431, at: 16 + 8192},
		{name: "field of 16 KiB", head: "GET / HTTP/1.1\r\nX: " + long + long, class: handshake.ErrTooLarge, status: 431, at: 16 + 8192},
		{name: "head beyond 16 KiB", head: "GET / HTTP/1.1\r\n" + field8K + field8K + "X: " + long,
			class: handshake.ErrTooLarge, status: 431, at: 16384},
		{name: "head beyond 16 KiB by its LF", head: "GET / HTTP/1.1\r\n" + field8K + field8K + "X: " + long[:352] + "\r\n\r\n",
			class: handshake.ErrTooLarge, status: 431, at: 16384},
		{name: "101 fields", head: "GET / HTTP/1.1\r\n" + strings.Repeat("X:\r\n", 101) + "\r\n",
			class: handshake.ErrTooLarge, status: 431, at: 16 + 400 + 1},
		{name: "Upgrade hidden after 100 others", head: "GET / HTTP/1.1\r\n" + strings.Repeat("X:\r\n", 100) + "Upgrade: websocket\r\n\r\n",
			class: handshake.ErrTooLarge, status: 431, at: 16 + 400 + 1},

		// Line ends.
		{name: "folded line", head: "GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n", class: handshake.ErrHeader, status: 400, at: 23},
		{name: "folded line with HTAB", head: "GET / HTTP/1.1\r\nX: a\r\n\tb\r\n\r\n", class: handshake.ErrHeader, status: 400, at: 23},
		{name: "space before the first field", head: "GET / HTTP/1.1\r\n X: a\r\n\r\n", class: handshake.ErrHeader, status: 400, at: 17},
		{name: "bare LF after the request line", head: "GET / HTTP/1.1\n\n", class: handshake.ErrHeader, status: 400, at: 15},
		{name: "bare LF after a field", head: "GET / HTTP/1.1\r\nX: a\n\r\n", class: handshake.ErrHeader, status: 400, at: 21},
		{name: "bare LF as the empty line", head: "GET / HTTP/1.1\r\nX: a\r\n\n", class: handshake.ErrHeader, status: 400, at: 23},
		{name: "bare CR after the request line", head: "GET / HTTP/1.1\rX: a\r\n\r\n", class: handshake.ErrHeader, status: 400, at: 16},
		{name: "bare CR in a field", head: "GET / HTTP/1.1\r\nX: a\rb\r\n\r\n", class: handshake.ErrHeader, status: 400, at: 22},
		{name: "bare CR as the empty line", head: "GET / HTTP/1.1\r\n\rX", class: handshake.ErrHeader, status: 400, at: 18},
		{name: "CR CR LF", head: "GET / HTTP/1.1\r\r\n\r\n", class: handshake.ErrHeader, status: 400, at: 16},
		{name: "CR CR LF after a field", head: "GET / HTTP/1.1\r\nX: a\r\r\n\r\n", class: handshake.ErrHeader, status: 400, at: 22},
		{name: "empty line first", head: "\r\nGET / HTTP/1.1\r\n\r\n", class: handshake.ErrHeader, status: 400, at: 1},

		// Fields.
		{name: "space before the colon", head: "GET / HTTP/1.1\r\nHost : a\r\n\r\n", class: handshake.ErrHeader, status: 400, at: 21},
		{name: "empty name", head: "GET / HTTP/1.1\r\n: a\r\n\r\n", class: handshake.ErrHeader, status: 400, at: 17},
		{name: "name not a token", head: "GET / HTTP/1.1\r\nX(): a\r\n\r\n", class: handshake.ErrHeader, status: 400, at: 18},
		{name: "name beyond ASCII", head: "GET / HTTP/1.1\r\n\u00e9: a\r\n\r\n", class: handshake.ErrHeader, status: 400, at: 17},
		{name: "no colon", head: "GET / HTTP/1.1\r\nHost\r\n\r\n", class: handshake.ErrHeader, status: 400, at: 21},

		// Versions.
		{name: "HTTP/0.9 without a version", head: "GET /\r\n", class: handshake.ErrProto, status: 505, at: 6},
		{name: "HTTP/0.9", head: "GET / HTTP/0.9\r\n\r\n", class: handshake.ErrProto, status: 505, at: 14},
		{name: "HTTP/1.2", head: "GET / HTTP/1.2\r\n\r\n", class: handshake.ErrProto, status: 505, at: 14},
		{name: "HTTP/2.0 in text", head: "GET / HTTP/2.0\r\n\r\n", class: handshake.ErrProto, status: 505, at: 14},
		{name: "HTTP/1.10", head: "GET / HTTP/1.10\r\n\r\n", class: handshake.ErrHeader, status: 400, at: 15},
		{name: "version in lower case", head: "GET / http/1.1\r\n\r\n", class: handshake.ErrHeader, status: 400, at: 7},
		{name: "version of another protocol", head: "GET / RTSP/1.0\r\n\r\n", class: handshake.ErrHeader, status: 400, at: 7},
		{name: "version not a number", head: "GET / HTTP/1.x\r\n\r\n", class: handshake.ErrHeader, status: 400, at: 14},
		{name: "space after the version", head: "GET / HTTP/1.1 \r\n\r\n", class: handshake.ErrHeader, status: 400, at: 15},
		{name: "two spaces before the version", head: "GET /  HTTP/1.1\r\n\r\n", class: handshake.ErrHeader, status: 400, at: 7},

		// Targets.
		{name: "no method", head: " / HTTP/1.1\r\n\r\n", class: handshake.ErrHeader, status: 400, at: 1},
		{name: "method not a token", head: "G@T / HTTP/1.1\r\n\r\n", class: handshake.ErrHeader, status: 400, at: 2},
		{name: "two spaces before the target", head: "GET  / HTTP/1.1\r\n\r\n", class: handshake.ErrTarget, status: 400, at: 5},
		{name: "asterisk-form", head: "OPTIONS * HTTP/1.1\r\n\r\n", class: handshake.ErrTarget, status: 400, at: 9},
		{name: "CONNECT", head: "CONNECT example.com:443 HTTP/1.1\r\n\r\n", class: handshake.ErrMethod, status: 405, at: 8},
		{name: "authority-form", head: "GET example.com:443 HTTP/1.1\r\n" + host + "\r\n", class: handshake.ErrTarget, status: 400, at: 5},
		{name: "authority-form like a scheme", head: "GET host:443 HTTP/1.1\r\n" + host + "\r\n", class: handshake.ErrTarget, status: 400},
		{name: "fragment", head: "GET /#x HTTP/1.1\r\n" + host + "\r\n", class: handshake.ErrTarget, status: 400, at: 6},
		{name: "quote", head: "GET /\" HTTP/1.1\r\n" + host + "\r\n", class: handshake.ErrTarget, status: 400, at: 6},
		{name: "NUL in the target", head: "GET /\x00 HTTP/1.1\r\n", class: handshake.ErrTarget, status: 400, at: 6},
		{name: "HTAB in the target", head: "GET /\t HTTP/1.1\r\n", class: handshake.ErrTarget, status: 400, at: 6},
		{name: "LF in the target", head: "GET /\n", class: handshake.ErrTarget, status: 400, at: 6},
		{name: "beyond ASCII", head: "GET /\u00e9 HTTP/1.1\r\n", class: handshake.ErrTarget, status: 400, at: 6},
		{name: "percent and nothing", head: "GET /% HTTP/1.1\r\n" + host + "\r\n", class: handshake.ErrTarget, status: 400},
		{name: "percent and one digit", head: "GET /%4 HTTP/1.1\r\n" + host + "\r\n", class: handshake.ErrTarget, status: 400},
		{name: "percent and no digits", head: "GET /a%41b%zz HTTP/1.1\r\n" + host + "\r\n", class: handshake.ErrTarget, status: 400},
		{name: "two slashes", head: "GET //evil.example/.. HTTP/1.1\r\n" + host + "\r\n", class: handshake.ErrTarget, status: 400},
		{name: "dot segment", head: "GET /a/./b HTTP/1.1\r\n" + host + "\r\n", class: handshake.ErrTarget, status: 400},
		{name: "two dots", head: "GET /a/../b HTTP/1.1\r\n" + host + "\r\n", class: handshake.ErrTarget, status: 400},
		{name: "two dots last", head: "GET /a/..?b HTTP/1.1\r\n" + host + "\r\n", class: handshake.ErrTarget, status: 400},
		{name: "two dots escaped", head: "GET /a/.%2E/b HTTP/1.1\r\n" + host + "\r\n", class: handshake.ErrTarget, status: 400},
		{name: "absolute-form, other host", head: "GET http://evil.example/ HTTP/1.1\r\n" + host + "\r\n", class: handshake.ErrHost, status: 400},
		{name: "absolute-form, other port", head: "GET http://example.com:8080/ HTTP/1.1\r\n" + host + "\r\n", class: handshake.ErrHost, status: 400},
		{name: "absolute-form, no Host", head: "GET http://example.com/ HTTP/1.1\r\n\r\n", class: handshake.ErrHost, status: 400},
		{name: "absolute-form, two Hosts", head: "GET http://example.com/ HTTP/1.1\r\n" + host + host + "\r\n", class: handshake.ErrHost, status: 400},
		{name: "absolute-form, no host", head: "GET http:///x HTTP/1.1\r\n" + host + "\r\n", class: handshake.ErrTarget, status: 400},
		{name: "absolute-form, user information", head: "GET http://a@example.com/ HTTP/1.1\r\n" + host + "\r\n", class: handshake.ErrTarget, status: 400},
		{name: "absolute-form, unknown scheme", head: "GET httpx://example.com/ HTTP/1.1\r\n" + host + "\r\n", class: handshake.ErrTarget, status: 400},
		{name: "absolute-form, dot segment", head: "GET http://example.com/.. HTTP/1.1\r\n" + host + "\r\n", class: handshake.ErrTarget, status: 400},
		{name: "absolute-form, two slashes", head: "GET http://example.com//x HTTP/1.1\r\n" + host + "\r\n", class: handshake.ErrTarget, status: 400},

		// Not HTTP at all.
		{name: "TLS hello", head: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc", class: handshake.ErrHeader, status: 400, at: 1},
		{name: "HTTP/2 preface", head: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", class: handshake.ErrTarget, status: 400, at: 5},
		{name: "SSH", head: "SSH-2.0-OpenSSH_9.2\r\n", class: handshake.ErrHeader, status: 400, at: 20},
		{name: "SOCKS", head: "\x05\x01\x00", class: handshake.ErrHeader, status: 400, at: 1},
		{name: "noise", head: "\xde\xad\xbe\xef", class: handshake.ErrHeader, status: 400, at: 1},
		{name: "websocket frame", head: "\x81\x85\x37\xfa\x21\x3d", class: handshake.ErrHeader, status: 400, at: 1},
	}
	for c := range 256 {
		tt := tests[0]
		tt.name = fmt.Sprintf("octet %#02x in a value", c)
		tt.head = "GET / HTTP/1.1\r\nX: 01234567890\t" + string([]byte{byte(c)}) + "0123456789\r\n\r\n"
		if c != '\t' && c < ' ' || c == 0x7f {
			tt.class, tt.status, tt.at = handshake.ErrHeader, 400, 32
			if c == '\r' {
				tt.at = 33
			}
		}
		tests = append(tests, tt)
		tt.name += " of long words"
		tt.head = strings.Replace(tt.head, "\t", "0", 1)
		tests = append(tests, tt)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p handshake.Parser
			const after = "\x81\x00"
			if tt.class != nil {
				if tt.at == 0 {
					tt.at = len(tt.head)
				}
				if r, n, err := p.ParseRequest([]byte(tt.head[:tt.at-1])); r != nil || n != 0 || err != nil {
					t.Errorf("ParseRequest without the octet at fault = %v, %d, %v; want more asked for", r, n, err)
				}
				for _, head := range []string{tt.head[:tt.at], tt.head, tt.head + after} {
					r, n, err := new(handshake.Parser).ParseRequest([]byte(head))
					if r != nil || n != 0 {
						t.Errorf("ParseRequest = %v, %d; want nothing", r, n)
					}
					wantError(t, "ParseRequest", err, tt.class, tt.status)
				}
				return
			}
			r, n, err := p.ParseRequest([]byte(tt.head + after))
			if n != len(tt.head) || err != nil {
				t.Fatalf("ParseRequest(%q) = _, %d, %v; want %d", tt.head, n, err, len(tt.head))
			}
			if r.Target != tt.target {
				t.Errorf("Target = %q, want %q", r.Target, tt.target)
			}
		})
	}
}

func TestParseRequestFields(t *testing.T) {
	r := parseRequest(t, "POST /x HTTP/1.0\r\nb: 1\r\nHOST:\t h \t\r\nB:  2 3 \r\na:\r\nB:4\r\n\r\n")
	if r.Method != "POST" || r.Target != "/x" || r.Proto != "HTTP/1.0" || r.Host != "h" {
		t.Errorf("got %+v", r)
	}
	want := []line{{"b", "1"}, {"HOST", "h"}, {"B", "2 3"}, {"a", ""}, {"B", "4"}}
	if diff := cmp.Diff(want, fieldLines(r.Header)); diff != "" {
		t.Errorf("fields mismatch (-want +got):\n%s", diff)
	}
	for name, want := range map[string][]string{"B": {"1", "2 3", "4"}, "A": {""}, "Host": {"h"}, "c": nil} {
		if diff := cmp.Diff(want, r.Header.Values(name)); diff != "" {
			t.Errorf("Values(%q) mismatch (-want +got):\n%s", name, diff)
		}
	}
	for range r.Header.(*handshake.Fields).All() {
		break // an iterator that is stopped
	}
}

func TestParseResponse(t *testing.T) {
	long := strings.Repeat("x", 8192)
	tests := []struct {
		name   string
		head   string
		status int // if it is acceptable
		reason string
		class  error
		at     int
	}{
		{name: "101", head: "HTTP/1.1 101 Switching Protocols\r\n\r\n", status: 101, reason: "Switching Protocols"},
		{name: "no reason", head: "HTTP/1.1 101 \r\n\r\n", status: 101},
		{name: "reason of any text", head: "HTTP/1.1 999 a\t b \u00e9\r\n\r\n", status: 999, reason: "a\t b \u00e9"},
		{name: "HTTP/1.0", head: "HTTP/1.0 200 OK\r\nX: y\r\n\r\n", status: 200, reason: "OK"},

		{name: "HTTP/2.0", head: "HTTP/2.0 101 x\r\n\r\n", class: handshake.ErrProto, at: 8},
		{name: "ICY", head: "ICY 200 OK\r\n\r\n", class: handshake.ErrHeader, at: 1},
		{name: "no space after the version", head: "HTTP/1.1\r\n\r\n", class: handshake.ErrHeader, at: 9},
		{name: "no status", head: "HTTP/1.1 \r\n\r\n", class: handshake.ErrHeader, at: 10},
		{name: "no space after the status", head: "HTTP/1.1 101\r\n\r\n", class: handshake.ErrHeader, at: 13},
		{name: "status of two digits", head: "HTTP/1.1 10 x\r\n\r\n", class: handshake.ErrHeader, at: 12},
		{name: "status of four digits", head: "HTTP/1.1 1010 x\r\n\r\n", class: handshake.ErrHeader, at: 13},
		{name: "status below 100", head: "HTTP/1.1 099 x\r\n\r\n", class: handshake.ErrHeader, at: 10},
		{name: "control octet in the reason", head: "HTTP/1.1 101 a\x00\r\n\r\n", class: handshake.ErrHeader, at: 15},
		{name: "bare LF", head: "HTTP/1.1 101 a\n\r\n", class: handshake.ErrHeader, at: 15},
		{name: "bare CR", head: "HTTP/1.1 101 a\rb\r\n", class: handshake.ErrHeader, at: 16},
		{name: "folded line", head: "HTTP/1.1 101 a\r\nX: a\r\n b\r\n\r\n", class: handshake.ErrHeader, at: 23},
		{name: "endless status line", head: "HTTP/1.1 101 " + long, class: handshake.ErrTooLarge, at: 8192},
		{name: "endless field", head: "HTTP/1.1 101 a\r\nX: " + long, class: handshake.ErrTooLarge, at: 16 + 8192},
		{name: "endless fields", head: "HTTP/1.1 101 a\r\n" + strings.Repeat("X:\r\n", 5000), class: handshake.ErrTooLarge, at: 16 + 401},
		{name: "endless head", head: "HTTP/1.1 101 a\r\n" + strings.Repeat("X: "+long[:4000]+"\r\n", 5), class: handshake.ErrTooLarge, at: 16384},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p handshake.Parser
			if tt.class != nil {
				if r, n, err := p.ParseResponse([]byte(tt.head[:tt.at-1])); r != nil || n != 0 || err != nil {
					t.Errorf("ParseResponse without the octet at fault = %v, %d, %v; want more asked for", r, n, err)
				}
				for _, head := range []string{tt.head[:tt.at], tt.head} {
					r, n, err := new(handshake.Parser).ParseResponse([]byte(head))
					if r != nil || n != 0 {
						t.Errorf("ParseResponse = %v, %d; want nothing", r, n)
					}
					wantError(t, "ParseResponse", err, tt.class, 0)
				}
				return
			}
			r, n, err := p.ParseResponse([]byte(tt.head + "\x81\x00"))
			if n != len(tt.head) || err != nil {
				t.Fatalf("ParseResponse(%q) = _, %d, %v; want %d", tt.head, n, err, len(tt.head))
			}
			if r.Status != tt.status || r.Reason != tt.reason || r.Proto != tt.head[:8] {
				t.Errorf("ParseResponse(%q) = %+v; want status %d, reason %q", tt.head, r, tt.status, tt.reason)
			}
		})
	}
}

// TestParserReuse checks that a Parser begins anew after a head, after an error,
// and when it is given something else than it asked for.
func TestParserReuse(t *testing.T) {
	var p handshake.Parser
	request := []byte(clients["chromium"])
	response := []byte("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 101 x\r\n\r\n")
	for _, before := range []string{"", "GET / HTTP/1.1\r\nX: y", "\x00", "GET / HTTP/1.1\r\nX y", clients["minimal"], strings.Repeat("x", 9000)} {
		p.ParseRequest([]byte(before))
		r1, n1, err := p.ParseResponse(response)
		if err != nil || r1.Status != 103 || !r1.Interim() {
			t.Fatalf("after %q: ParseResponse = %+v, _, %v; want 103", before, r1, err)
		}
		r2, n2, err := p.ParseResponse(response[n1:])
		if err != nil || r2.Status != 101 || r2.Interim() || n1+n2 != len(response) {
			t.Fatalf("after %q: ParseResponse = %+v, %d, %v; want 101", before, r2, n2, err)
		}
		p.ParseRequest(request[:len(request)/2])
		if _, n, err := p.ParseRequest(request[:1]); n != 0 || err != nil {
			t.Fatalf("ParseRequest of less than before = _, %d, %v", n, err)
		}
		if r, n, err := p.ParseRequest(request); n != len(request) || err != nil || r.Validate() != nil {
			t.Fatalf("after %q: ParseRequest = _, %d, %v", before, n, err)
		}
		p.ParseResponse(response[:20])
		if r, n, err := p.ParseRequest(request); n != len(request) || err != nil || r.Validate() != nil {
			t.Fatalf("after half a response: ParseRequest = _, %d, %v", n, err)
		}
	}
}

// TestParserKeepsNothing checks who owns what: the octets given are not retained,
// and strings outlive the next call.
func TestParserKeepsNothing(t *testing.T) {
	var p handshake.Parser
	b := []byte(clients["rfc6455"])
	r, _, err := p.ParseRequest(b)
	if err != nil {
		t.Fatal(err)
	}
	clear(b)
	key, target := r.Key(), r.Target
	if err := r.Validate(); err != nil {
		t.Errorf("Validate() after the octets were overwritten = %v", err)
	}
	p.ParseRequest([]byte(strings.ReplaceAll(clients["rfc6455"], "dGhl", "AAAA")))
	if key != sampleKey || target != "/chat" {
		t.Errorf("strings changed to %q and %q", key, target)
	}
}

func TestParserLimits(t *testing.T) {
	head := "GET / HTTP/1.1\r\nA: b\r\nC: d\r\n\r\n" // 16 + 6 + 6 + 2 = 30 octets
	tests := []struct {
		name   string
		limits handshake.Limits
		head   string
		status int // 0 if accepted
	}{
		{name: "exact", limits: handshake.Limits{MaxSize: 30, MaxLine: 16, MaxFields: 2}, head: head},
		{name: "size", limits: handshake.Limits{MaxSize: 29}, head: head, status: 431},
		{name: "size in the request line", limits: handshake.Limits{MaxSize: 15}, head: head, status: 414},
		{name: "request line", limits: handshake.Limits{MaxLine: 15}, head: head, status: 414},
		{name: "line", limits: handshake.Limits{MaxLine: 16}, head: head[:16] + "A: 01234567890123\r\n", status: 431},
		{name: "fields", limits: handshake.Limits{MaxFields: 1}, head: head, status: 431},
		{name: "off", limits: handshake.Limits{MaxSize: -1, MaxLine: -1, MaxFields: -1},
			head: head[:16] + strings.Repeat("X:\r\n", 1000) + "Y: " + strings.Repeat("y", 1<<17) + "\r\n\r\n"},
		{name: "size alone off", limits: handshake.Limits{MaxSize: -1, MaxFields: -1},
			head: head[:16] + strings.Repeat("X:\r\n", 10000) + "\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := handshake.Parser{Limits: tt.limits}
			_, n, err := p.ParseRequest([]byte(tt.head))
			if tt.status == 0 {
				if n != len(tt.head) || err != nil {
					t.Errorf("ParseRequest = _, %d, %v; want %d", n, err, len(tt.head))
				}
				return
			}
			wantError(t, "ParseRequest", err, handshake.ErrTooLarge, tt.status)
		})
	}
}

// TestParserPipelined checks that what follows a head that is refused is not read as
// anything: the answer closes the connection.
func TestParserPipelined(t *testing.T) {
	first := "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
	r, n, err := new(handshake.Parser).ParseRequest([]byte(first + clients["minimal"]))
	if n != len(first) || err != nil || r.Target != "/1" {
		t.Fatalf("ParseRequest = %+v, %d, %v; want the first of two", r, n, err)
	}
	e, _ := errors.AsType[*handshake.Error](r.Validate())
	b, err := handshake.AppendRefusal(nil, e.Status(), e.Fields(), "")
	if err != nil {
		t.Fatal(err)
	}
	answer, _, err := new(handshake.Parser).ParseResponse(b)
	if err != nil || answer.Status != 426 {
		t.Fatalf("ParseResponse(%q) = %+v, _, %v; want 426", b, answer, err)
	}
	if diff := cmp.Diff([]string{"close, Upgrade"}, answer.Header.Values("Connection")); diff != "" {
		t.Errorf("Connection mismatch (-want +got):\n%s", diff)
	}
}

// TestParserLinear gives a head octet by octet, which would take minutes if what
// was seen was looked at again.
func TestParserLinear(t *testing.T) {
	head := []byte("GET / HTTP/1.1\r\n" + strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 4000) + "\r\n")
	p := handshake.Parser{Limits: handshake.Limits{MaxSize: -1, MaxFields: -1}}
	for i := range head {
		if _, n, err := p.ParseRequest(head[:i]); n != 0 || err != nil {
			t.Fatalf("ParseRequest of %d octets = _, %d, %v", i, n, err)
		}
	}
	if _, n, err := p.ParseRequest(head); n != len(head) || err != nil {
		t.Fatalf("ParseRequest = _, %d, %v; want %d", n, err, len(head))
	}
}

// FuzzParseRequest: a part of a head asks for more or fails as the whole does,
// octet by octet gives the same as all at once, and the head written anew from what
// was parsed parses to the same.
func FuzzParseRequest(f *testing.F) {
	for _, head := range clients {
		f.Add([]byte(head + "\x81\x85"))
	}
	for _, head := range []string{
		"GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n", "GET /\r\n", "PRI * HTTP/2.0\r\n\r\n", "\x16\x03\x01", "CONNECT a:1 HTTP/1.1\r\n\r\n",
		"GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", "GET /%zz HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\n" + strings.Repeat("X:\r\n", 40) + "\r\n",
	} {
		f.Add([]byte(head))
	}
	limits := handshake.Limits{MaxSize: 1024, MaxLine: 256, MaxFields: 32}
	f.Fuzz(func(t *testing.T, b []byte) {
		whole := handshake.Parser{Limits: limits}
		r, n, err := whole.ParseRequest(b)
		if err != nil {
			if e, ok := errors.AsType[*handshake.Error](err); !ok || e.Status() < 400 || r != nil || n != 0 {
				t.Fatalf("ParseRequest = %v, %d, %v", r, n, err)
			}
		}
		parts := handshake.Parser{Limits: limits}
		for i := range b {
			r2, n2, err2 := parts.ParseRequest(b[:i+1])
			switch {
			case err2 != nil:
				if err2 != err {
					t.Fatalf("%d octets: %v; all: %v", i+1, err2, err)
				}
				return
			case n2 != 0:
				if n2 != n || n2 != i+1 || r2.Target != r.Target {
					t.Fatalf("%d octets: n = %d; all: %d, %v", i+1, n2, n, err)
				}
				if diff := cmp.Diff(fieldLines(r.Header), fieldLines(r2.Header)); diff != "" {
					t.Fatalf("fields differ (-all +parts):\n%s", diff)
				}
				head := fmt.Appendf(nil, "%s %s %s\r\n", r.Method, r.Target, r.Proto)
				for name, value := range r.Header.(*handshake.Fields).All() {
					head = fmt.Appendf(head, "%s:%s\r\n", name, value)
				}
				again, n3, err := parts.ParseRequest(append(head, "\r\n"...))
				if err != nil || n3 > n+1 || again.Host != r.Host || again.Target != r.Target ||
					cmp.Diff(fieldLines(r.Header), fieldLines(again.Header)) != "" {
					t.Fatalf("%q became %q: %+v, %v", b[:n], head, again, err)
				}
				return
			}
		}
		if n != 0 || err != nil {
			t.Fatalf("all at once = _, %d, %v; in parts more is asked for", n, err)
		}
	})
}

// FuzzParseResponse: as [FuzzParseRequest].
func FuzzParseResponse(f *testing.F) {
	for _, head := range []string{
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + sampleAccept + "\r\n\r\n\x81",
		"HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 101\r\n\r\n", "HTTP/2 101 \r\n", "ICY 200 OK\r\n",
		"HTTP/1.1 101 \r\nX : y\r\n\r\n",
	} {
		f.Add([]byte(head))
	}
	limits := handshake.Limits{MaxSize: 1024, MaxLine: 256, MaxFields: 32}
	f.Fuzz(func(t *testing.T, b []byte) {
		whole := handshake.Parser{Limits: limits}
		r, n, err := whole.ParseResponse(b)
		if err != nil {
			if e, ok := errors.AsType[*handshake.Error](err); !ok || e.Status() != 0 || r != nil || n != 0 {
				t.Fatalf("ParseResponse = %v, %d, %v", r, n, err)
			}
		}
		parts := handshake.Parser{Limits: limits}
		for i := range b {
			r2, n2, err2 := parts.ParseResponse(b[:i+1])
			switch {
			case err2 != nil:
				if err2 != err {
					t.Fatalf("%d octets: %v; all: %v", i+1, err2, err)
				}
				return
			case n2 != 0:
				if n2 != n || r2.Status != r.Status || r2.Reason != r.Reason || cmp.Diff(fieldLines(r.Header), fieldLines(r2.Header)) != "" {
					t.Fatalf("%d octets: %d, %+v; all: %d, %+v, %v", i+1, n2, r2, n, r, err)
				}
				head := fmt.Sprintf("%s %d %s\r\n", r.Proto, r.Status, r.Reason)
				if r.Status < 100 || r.Status > 999 || !strings.HasPrefix(string(b), head) {
					t.Fatalf("%q parsed to %+v", b, r)
				}
				return
			}
		}
		if n != 0 || err != nil {
			t.Fatalf("all at once = _, %d, %v; in parts more is asked for", n, err)
		}
	})
}

func TestParserAllocs(t *testing.T) {
	var p handshake.Parser
	for name, head := range clients {
		b := []byte(head)
		if allocs := testing.AllocsPerRun(100, func() {
			if _, n, err := p.ParseRequest(b); n == 0 || err != nil {
				t.Fatal(n, err)
			}
		}); allocs > 1 && name != "through-a-proxy" || allocs > 2 { // lower case of its scheme
			t.Errorf("%s: ParseRequest allocates %v times, want 1", name, allocs)
		}
		if allocs := testing.AllocsPerRun(100, func() {
			r, n, err := new(handshake.Parser).ParseRequest(b)
			if n == 0 || err != nil || r.Validate() != nil {
				t.Fatal(n, err)
			}
		}); allocs > 2 {
			t.Errorf("%s: ParseRequest of a new Parser allocates %v times, want 2", name, allocs)
		}
	}
	hello := []byte("\x16\x03\x01")
	if allocs := testing.AllocsPerRun(100, func() { p.ParseRequest(hello) }); allocs != 0 {
		t.Errorf("refusal: ParseRequest allocates %v times, want 0", allocs)
	}
}

func BenchmarkParseRequest(b *testing.B) {
	for _, name := range []string{"minimal", "chromium"} {
		b.Run("client="+name, func(b *testing.B) {
			head := []byte(clients[name])
			b.SetBytes(int64(len(head)))
			b.ReportAllocs()
			var p handshake.Parser
			for b.Loop() {
				if _, n, err := p.ParseRequest(head); n != len(head) || err != nil {
					b.Fatal(n, err)
				}
			}
		})
	}
}

// BenchmarkHandshake is all of a server's work, from the octets of the request to
// those of the response.
func BenchmarkHandshake(b *testing.B) {
	for _, name := range []string{"minimal", "chromium"} {
		b.Run("client="+name, func(b *testing.B) {
			head := []byte(clients[name])
			out := make([]byte, 0, 256)
			b.ReportAllocs()
			var p handshake.Parser
			var policy handshake.Origins
			for b.Loop() {
				r, _, err := p.ParseRequest(head)
				if err != nil {
					b.Fatal(err)
				}
				if err := r.Validate(); err != nil {
					b.Fatal(err)
				}
				if err := policy.Check(r); err != nil {
					b.Fatal(err)
				}
				if _, err := handshake.AppendResponse(out, r.Key(), "", nil, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
