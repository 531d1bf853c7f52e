package handshake_test

import (
	"errors"
	"net/http"
	"testing"

	"example.org/rfc6455/handshake"
	"github.com/google/go-cmp/cmp"
)

// sampleOffer returns what the responses of these tests answer.
func sampleOffer() *handshake.Offer {
	return &handshake.Offer{
		Target:       "/chat",
		Host:         "server.example.com",
		Key:          sampleKey,
		Subprotocols: []string{"chat", "superchat"},
		Extensions:   []handshake.Extension{ext("permessage-deflate", "client_max_window_bits", ""), ext("x")},
	}
}

func TestResponseValidate(t *testing.T) {
	type resp = handshake.Response
	set := func(name string, lines ...string) func(*resp) {
		return func(r *resp) { r.Header.(http.Header)[name] = lines }
	}
	const (
		accept     = "Sec-Websocket-Accept"
		protocol   = "Sec-Websocket-Protocol"
		extensions = "Sec-Websocket-Extensions"
	)
	tests := []struct {
		name   string
		change func(*resp)
		class  error
	}{
		{name: "valid", change: func(*resp) {}},
		{name: "status 200", change: func(r *resp) { r.Status = 200 }, class: handshake.ErrStatus},
		{name: "status 204", change: func(r *resp) { r.Status = 204 }, class: handshake.ErrStatus},
		{name: "status 100", change: func(r *resp) { r.Status = 100 }, class: handshake.ErrStatus},
		{name: "status 301", change: func(r *resp) { r.Status = 301 }, class: handshake.ErrStatus},
		{name: "status 426", change: func(r *resp) { r.Status = 426 }, class: handshake.ErrStatus},
		{name: "HTTP/1.0", change: func(r *resp) { r.Proto = "HTTP/1.0" }, class: handshake.ErrProto},
		{name: "HTTP/2.0", change: func(r *resp) { r.Proto = "HTTP/2.0" }, class: handshake.ErrProto},

		{name: "Upgrade in another case", change: set("Upgrade", "WebSocket")},
		{name: "no Upgrade", change: set("Upgrade"), class: handshake.ErrUpgrade},
		{name: "other Upgrade", change: set("Upgrade", "h2c"), class: handshake.ErrUpgrade},
		{name: "Upgrade with a version", change: set("Upgrade", "websocket/13"), class: handshake.ErrUpgrade},
		{name: "Connection is a list", change: set("Connection", "keep-alive", "upgrade")},
		{name: "no Connection", change: set("Connection"), class: handshake.ErrUpgrade},
		{name: "other Connection", change: set("Connection", "close"), class: handshake.ErrUpgrade},

		{name: "no accept", change: set(accept), class: handshake.ErrAccept},
		{name: "empty accept", change: set(accept, ""), class: handshake.ErrAccept},
		{name: "wrong accept", change: set(accept, "AAAAAAAAAAAAAAAAAAAAAAAAAAA="), class: handshake.ErrAccept},
		{name: "accept twice", change: set(accept, sampleAccept, sampleAccept), class: handshake.ErrAccept},
		{name: "truncated accept", change: set(accept, sampleAccept[:27]), class: handshake.ErrAccept},
		{name: "accept in another case", change: set(accept, "S3pPLMBiTxaQ9kYGzzhZRbK+xOo="), class: handshake.ErrAccept},
		{name: "key echoed", change: set(accept, sampleKey), class: handshake.ErrAccept},

		{name: "Content-Length", change: set("Content-Length", "5"), class: handshake.ErrBody},
		{name: "Content-Length: 0", change: set("Content-Length", "0"), class: handshake.ErrBody},
		{name: "Transfer-Encoding", change: set("Transfer-Encoding", "chunked"), class: handshake.ErrBody},

		{name: "subprotocol", change: set(protocol, "superchat")},
		{name: "subprotocol not asked for", change: set(protocol, "other"), class: handshake.ErrSubprotocol},
		{name: "subprotocol in another case", change: set(protocol, "Chat"), class: handshake.ErrSubprotocol},
		{name: "empty subprotocol", change: set(protocol, ""), class: handshake.ErrSubprotocol},
		{name: "two subprotocols", change: set(protocol, "chat, superchat"), class: handshake.ErrSubprotocol},
		{name: "two lines of subprotocols", change: set(protocol, "chat", "chat"), class: handshake.ErrSubprotocol},

		{name: "extension", change: set(extensions, "permessage-deflate; client_max_window_bits=10")},
		{name: "both extensions", change: set(extensions, "x", "permessage-deflate")},
		{name: "extension not offered", change: set(extensions, "permessage-deflate, y"), class: handshake.ErrExtension},
		{name: "extension in another case", change: set(extensions, "X"), class: handshake.ErrExtension},
		{name: "extension twice", change: set(extensions, "x, permessage-deflate, x"), class: handshake.ErrExtension},
		{name: "malformed extensions", change: set(extensions, "x;"), class: handshake.ErrExtension},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &resp{
				Proto:  "HTTP/1.1",
				Status: 101,
				Header: http.Header{
					"Upgrade":              {"websocket"},
					"Connection":           {"Upgrade"},
					"Sec-Websocket-Accept": {sampleAccept},
				},
			}
			tt.change(r)
			wantError(t, "Validate", r.Validate(sampleOffer()), tt.class, 0)

			// Over HTTP/2 what concerns connections is not there.
			r.Status, r.Proto = 200, "HTTP/2.0"
			for _, name := range []string{"Upgrade", "Connection", "Sec-Websocket-Accept", "Content-Length", "Transfer-Encoding"} {
				delete(r.Header.(http.Header), name)
			}
			class := tt.class
			if class != handshake.ErrSubprotocol && class != handshake.ErrExtension {
				class = nil
			}
			wantError(t, "ValidateConnect", r.ValidateConnect(sampleOffer()), class, 0)
		})
	}
	t.Run("nothing asked for", func(t *testing.T) {
		o := &handshake.Offer{Key: sampleKey}
		for _, field := range []string{"Sec-Websocket-Protocol", "Sec-Websocket-Extensions"} {
			r := resp{Status: 200, Header: http.Header{field: {"x"}}}
			if err := r.ValidateConnect(o); err == nil {
				t.Errorf("ValidateConnect with %s = nil", field)
			}
		}
	})
	t.Run("CONNECT refused", func(t *testing.T) {
		for _, status := range []int{101, 199, 300, 403, 501} {
			wantError(t, "ValidateConnect", (&resp{Status: status}).ValidateConnect(sampleOffer()), handshake.ErrStatus, 0)
		}
		wantError(t, "ValidateConnect", (&resp{Status: 204}).ValidateConnect(sampleOffer()), nil, 0)
	})
}

func TestResponseAccessors(t *testing.T) {
	r := handshake.Response{Header: http.Header{
		"Sec-Websocket-Protocol":   {"chat"},
		"Sec-Websocket-Extensions": {"a; b=c", "d"},
	}}
	if got := r.Subprotocol(); got != "chat" {
		t.Errorf("Subprotocol() = %q, want chat", got)
	}
	list, err := r.Extensions()
	if diff := cmp.Diff([]handshake.Extension{ext("a", "b", "c"), ext("d")}, list); diff != "" || err != nil {
		t.Errorf("Extensions() = _, %v; mismatch (-want +got):\n%s", err, diff)
	}
	var none handshake.Response
	if got := none.Subprotocol(); got != "" {
		t.Errorf("Subprotocol() = %q, want none", got)
	}
	if got, err := none.Extensions(); got != nil || err != nil {
		t.Errorf("Extensions() = %v, %v; want none", got, err)
	}
	for status, want := range map[int]bool{99: false, 100: true, 101: false, 102: true, 103: true, 199: true, 200: false} {
		if got := (&handshake.Response{Status: status}).Interim(); got != want {
			t.Errorf("Interim() of %d = %v, want %v", status, got, want)
		}
	}
}

func TestAppendResponse(t *testing.T) {
	const start = "HTTP/1.1 101 Switching Protocols\r\n" +
		"Upgrade: websocket\r\n" +
		"Connection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
	tests := []struct {
		name        string
		key         string // sampleKey if empty
		subprotocol string
		extensions  []handshake.Extension
		extra       []string
		want        string // after start and before the empty line, if class is nil
		class       error
		field       string
	}{
		{name: "least"},
		{name: "RFC 6455 1.3", subprotocol: "chat", want: "Sec-WebSocket-Protocol: chat\r\n"},
		{name: "everything", subprotocol: "chat",
			extensions: []handshake.Extension{ext("permessage-deflate", "client_max_window_bits", "10")},
			extra:      []string{"Server", "x", "Set-Cookie", "a=b; Path=/", "Set-Cookie", "c=\xe9\t"},
			want: "Sec-WebSocket-Protocol: chat\r\n" +
				"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=10\r\n" +
				"Server: x\r\nSet-Cookie: a=b; Path=/\r\nSet-Cookie: c=\xe9\t\r\n"},

		{name: "bad key", key: "x", class: handshake.ErrKey, field: "Sec-WebSocket-Key"},
		{name: "line in the subprotocol", subprotocol: "chat\r\nSet-Cookie: x", class: handshake.ErrField, field: "Sec-WebSocket-Protocol"},
		{name: "list as the subprotocol", subprotocol: "a, b", class: handshake.ErrField, field: "Sec-WebSocket-Protocol"},
		{name: "line in an extension", extensions: []handshake.Extension{ext("x", "y", "\r\n")}, class: handshake.ErrField, field: "Sec-WebSocket-Extensions"},
		{name: "line in a value", extra: []string{"Server", "x\r\nSet-Cookie: y"}, class: handshake.ErrField, field: "Server"},
		{name: "second field bad", extra: []string{"Server", "x", "Cookie", "\n"}, class: handshake.ErrField, field: "Cookie"},
		{name: "line in a name", extra: []string{"Server\r\nX", "x"}, class: handshake.ErrField, field: "Server\r\nX"},
		{name: "Upgrade", extra: []string{"Upgrade", "x"}, class: handshake.ErrField, field: "Upgrade"},
		{name: "connection", extra: []string{"connection", "x"}, class: handshake.ErrField, field: "connection"},
		{name: "accept", extra: []string{"Sec-Websocket-Accept", "x"}, class: handshake.ErrField, field: "Sec-Websocket-Accept"},
		{name: "Content-Length", extra: []string{"Content-Length", "0"}, class: handshake.ErrField, field: "Content-Length"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			key := tt.key
			if key == "" {
				key = sampleKey
			}
			got, err := handshake.AppendResponse([]byte("x"), key, tt.subprotocol, tt.extensions, extra(tt.extra...))
			if tt.class == nil {
				if want := "x" + start + tt.want + "\r\n"; string(got) != want || err != nil {
					t.Fatalf("AppendResponse = %q, %v; want %q", got, err, want)
				}
				r, n, err := new(handshake.Parser).ParseResponse(got[1:])
				if n != len(got)-1 || err != nil {
					t.Fatalf("ParseResponse = _, %d, %v; want %d", n, err, len(got)-1)
				}
				if err := r.Validate(sampleOffer()); err != nil {
					t.Errorf("Validate() of the response = %v", err)
				}
				return
			}
			e, _ := errors.AsType[*handshake.Error](err)
			if string(got) != "x" || !errors.Is(err, tt.class) || e.Field() != tt.field {
				t.Errorf("AppendResponse = %q, %v; want x, %v for %q", got, err, tt.class, tt.field)
			}
			if tt.class == handshake.ErrField && e.Status() != 500 {
				t.Errorf("status %d, want 500", e.Status())
			}
		})
	}
}

func TestAppendRefusal(t *testing.T) {
	tests := []struct {
		name   string
		status int
		extra  []string
		body   string
		want   string
		class  error
	}{
		{name: "400", status: 400, want: "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n" +
			"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 12\r\n\r\nBad Request\n"},
		{name: "405", status: 405, extra: []string{"Allow", "GET"}, want: "HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\n" +
			"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 19\r\nAllow: GET\r\n\r\nMethod Not Allowed\n"},
		{name: "426", status: 426, extra: []string{"X", "y", "upgrade", "websocket"}, body: "no",
			want: "HTTP/1.1 426 Upgrade Required\r\nConnection: close, Upgrade\r\n" +
				"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\nX: y\r\nupgrade: websocket\r\n\r\nno"},
		{name: "302", status: 302, extra: []string{"Location", "/x"}, body: "x", want: "HTTP/1.1 302 Redirect\r\nConnection: close\r\n" +
			"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 1\r\nLocation: /x\r\n\r\nx"},

		{name: "101", status: 101, class: handshake.ErrStatus},
		{name: "200", status: 200, class: handshake.ErrStatus},
		{name: "304", status: 304, class: handshake.ErrStatus},
		{name: "600", status: 600, class: handshake.ErrStatus},
		{name: "0", status: 0, class: handshake.ErrStatus},
		{name: "line in a value", status: 400, extra: []string{"X", "\r\n"}, class: handshake.ErrField},
		{name: "connection", status: 400, extra: []string{"connection", "keep-alive"}, class: handshake.ErrField},
		{name: "content-length", status: 400, extra: []string{"content-length", "0"}, class: handshake.ErrField},
		{name: "content-type", status: 400, extra: []string{"content-type", "text/html"}, class: handshake.ErrField},
		{name: "transfer-encoding", status: 400, extra: []string{"transfer-encoding", "chunked"}, class: handshake.ErrField},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := handshake.AppendRefusal([]byte("x"), tt.status, extra(tt.extra...), tt.body)
			if want := "x" + tt.want; string(got) != want || !errors.Is(err, tt.class) {
				t.Errorf("AppendRefusal(x, %d, ...) = %q, %v; want %q, %v", tt.status, got, err, want, tt.class)
			}
		})
	}
	t.Run("words", func(t *testing.T) {
		for status, want := range map[int]string{
			303: "Redirect", 307: "Redirect", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
			408: "Request Timeout", 414: "URI Too Long", 418: "Bad Request", 426: "Upgrade Required", 429: "Too Many Requests",
			431: "Request Header Fields Too Large", 500: "Internal Server Error", 501: "Not Implemented",
			503: "Service Unavailable", 505: "HTTP Version Not Supported", 599: "Internal Server Error",
		} {
			got, err := handshake.AppendRefusal(nil, status, nil, "")
			if err != nil {
				t.Errorf("AppendRefusal(nil, %d, nil, \"\") = _, %v", status, err)
				continue
			}
			r, n, err := new(handshake.Parser).ParseResponse(got)
			if err != nil || r.Status != status || r.Reason != want || string(got[n:]) != want+"\n" {
				t.Errorf("AppendRefusal(nil, %d, nil, \"\") = %q, want %s", status, got, want)
			}
		}
	})
}

func TestResponseAllocs(t *testing.T) {
	out := make([]byte, 0, 512)
	agreed := []handshake.Extension{ext("permessage-deflate", "client_max_window_bits", "10")}
	if allocs := testing.AllocsPerRun(100, func() {
		if _, err := handshake.AppendResponse(out, sampleKey, "chat", agreed, nil); err != nil {
			t.Fatal(err)
		}
	}); allocs != 0 {
		t.Errorf("AppendResponse allocates %v times, want 0", allocs)
	}
	offer := sampleOffer()
	if allocs := testing.AllocsPerRun(100, func() {
		if _, err := handshake.AppendRequest(out, offer); err != nil {
			t.Fatal(err)
		}
	}); allocs != 0 {
		t.Errorf("AppendRequest allocates %v times, want 0", allocs)
	}
	head, err := handshake.AppendResponse(nil, sampleKey, "chat", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var p handshake.Parser
	r, _, err := p.ParseResponse(head)
	if err != nil {
		t.Fatal(err)
	}
	if allocs := testing.AllocsPerRun(100, func() {
		if err := r.Validate(offer); err != nil {
			t.Fatal(err)
		}
	}); allocs != 0 {
		t.Errorf("Validate allocates %v times, want 0", allocs)
	}
}

func BenchmarkAppendResponse(b *testing.B) {
	out := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := handshake.AppendResponse(out, sampleKey, "", nil, nil); err != nil {
			b.Fatal(err)
		}
	}
}
