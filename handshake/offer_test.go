package handshake_test

import (
	"errors"
	"iter"
	"net/http"
	"strings"
	"testing"

	"example.org/rfc6455/handshake"
)

// extra yields the names and values given in turn.
func extra(pairs ...string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for i := 0; i < len(pairs); i += 2 {
			if !yield(pairs[i], pairs[i+1]) {
				return
			}
		}
	}
}

func TestAppendRequest(t *testing.T) {
	const start = "GET /chat HTTP/1.1\r\n" +
		"Host: server.example.com\r\n" +
		"Upgrade: websocket\r\n" +
		"Connection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
		"Sec-WebSocket-Version: 13\r\n"
	type offer = handshake.Offer
	tests := []struct {
		name   string
		change func(*offer)
		want   string // after start and before the empty line, if class is nil
		class  error
		field  string
	}{
		{name: "least", change: func(*offer) {}},
		{name: "RFC 6455 1.2", change: func(o *offer) {
			o.Subprotocols = []string{"chat", "superchat"}
			o.Extra = extra("Origin", "http://example.com")
		}, want: "Sec-WebSocket-Protocol: chat, superchat\r\nOrigin: http://example.com\r\n"},
		{name: "everything", change: func(o *offer) {
			o.Subprotocols = []string{"a"}
			o.Extensions = []handshake.Extension{ext("permessage-deflate", "client_max_window_bits", ""), ext("x")}
			o.Extra = handshake.Lines(http.Header{"Cookie": {"a=b", "c=d"}, "Authorization": {"Basic eDp5"}, "X": {""}})
		}, want: "Sec-WebSocket-Protocol: a\r\n" +
			"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x\r\n" +
			"Authorization: Basic eDp5\r\nCookie: a=b\r\nCookie: c=d\r\nX: \r\n"},
		{name: "fields of the same length as ours", change: func(o *offer) {
			o.Extra = extra("Date", "x", "X-Token", "x", "User-Agent", "x", "Accept-Charset", "x", "X-Forwarded-Proto", "x", "Sec-WebSockets", "x")
		}, want: "Date: x\r\nX-Token: x\r\nUser-Agent: x\r\nAccept-Charset: x\r\nX-Forwarded-Proto: x\r\nSec-WebSockets: x\r\n"},

		{name: "empty target", change: func(o *offer) { o.Target = "" }, class: handshake.ErrTarget},
		{name: "line in the target", change: func(o *offer) { o.Target = "/ HTTP/1.1\r\nX: y" }, class: handshake.ErrTarget},
		{name: "fragment", change: func(o *offer) { o.Target = "/#x" }, class: handshake.ErrTarget},
		{name: "no host", change: func(o *offer) { o.Host = "" }, class: handshake.ErrHost, field: "Host"},
		{name: "line in the host", change: func(o *offer) { o.Host = "a\r\nX: y" }, class: handshake.ErrHost, field: "Host"},
		{name: "IPv6 zone", change: func(o *offer) { o.Host = "[fe80::1%25eth0]" }, class: handshake.ErrHost, field: "Host"},
		{name: "no key", change: func(o *offer) { o.Key = "" }, class: handshake.ErrKey, field: "Sec-WebSocket-Key"},
		{name: "line in the key", change: func(o *offer) { o.Key = "\r\nX: aaaaaaaaaaaaaaaQ==" }, class: handshake.ErrKey, field: "Sec-WebSocket-Key"},
		{name: "bad subprotocol", change: func(o *offer) { o.Subprotocols = []string{"a b"} },
			class: handshake.ErrField, field: "Sec-WebSocket-Protocol"},
		{name: "list of subprotocols in one", change: func(o *offer) { o.Subprotocols = []string{"a,b"} },
			class: handshake.ErrField, field: "Sec-WebSocket-Protocol"},
		{name: "subprotocol twice", change: func(o *offer) { o.Subprotocols = []string{"a", "a"} },
			class: handshake.ErrField, field: "Sec-WebSocket-Protocol"},
		{name: "bad extension", change: func(o *offer) { o.Extensions = []handshake.Extension{ext("a\r\nb")} },
			class: handshake.ErrField, field: "Sec-WebSocket-Extensions"},
		{name: "CR in a value", change: func(o *offer) { o.Extra = extra("X", "a\rb") }, class: handshake.ErrField, field: "X"},
		{name: "LF in a value", change: func(o *offer) { o.Extra = extra("X", "a\nb") }, class: handshake.ErrField, field: "X"},
		{name: "NUL in a value", change: func(o *offer) { o.Extra = extra("X", "a\x00b") }, class: handshake.ErrField, field: "X"},
		{name: "empty name", change: func(o *offer) { o.Extra = extra("", "a") }, class: handshake.ErrField, field: ""},
		{name: "name not a token", change: func(o *offer) { o.Extra = extra("X: y\r\nZ", "a") },
			class: handshake.ErrField, field: "X: y\r\nZ"},
	}
	for _, name := range []string{
		"Host", "hOST", "Upgrade", "Connection", "connection", "Content-Length", "Transfer-Encoding",
		"transfer-encoding", "Sec-WebSocket-Key", "Sec-Websocket-Version", "sec-websocket-protocol",
		"Sec-WebSocket-Extensions", "Sec-WebSocket-Accept", "Sec-WebSocket-",
	} {
		tests = append(tests, struct {
			name   string
			change func(*offer)
			want   string
			class  error
			field  string
		}{name: "extra " + name, change: func(o *offer) { o.Extra = extra("X", "y", name, "z") },
			class: handshake.ErrField, field: name})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := &offer{Target: "/chat", Host: "server.example.com", Key: sampleKey}
			tt.change(o)
			got, err := handshake.AppendRequest([]byte("x"), o)
			if tt.class == nil {
				if want := "x" + start + tt.want + "\r\n"; string(got) != want || err != nil {
					t.Fatalf("AppendRequest(x, %+v) = %q, %v; want %q", o, got, err, want)
				}
				r := parseRequest(t, string(got[1:]))
				if err := r.Validate(); err != nil {
					t.Errorf("Validate() of the request = %v", err)
				}
				return
			}
			e, _ := errors.AsType[*handshake.Error](err)
			if string(got) != "x" || !errors.Is(err, tt.class) || e.Field() != tt.field {
				t.Errorf("AppendRequest(x, %+v) = %q, %v; want x, %v for %q", o, got, err, tt.class, tt.field)
			}
			if strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("%q has more than one line", err)
			}
		})
	}
}
