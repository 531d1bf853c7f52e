package handshake_test

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"example.org/rfc6455/handshake"
	"github.com/google/go-cmp/cmp"
)

// validRequest returns the least a server over net/http can be given.
func validRequest() *handshake.Request {
	return &handshake.Request{
		Method: "GET",
		Target: "/chat",
		Proto:  "HTTP/1.1",
		Host:   "server.example.com",
		Header: http.Header{
			"Connection":            {"Upgrade"},
			"Upgrade":               {"websocket"},
			"Sec-Websocket-Key":     {sampleKey},
			"Sec-Websocket-Version": {"13"},
		},
	}
}

// validConnect returns the least a server over HTTP/2 can be given.
func validConnect() *handshake.Request {
	return &handshake.Request{
		Method:   "CONNECT",
		Target:   "/chat",
		Proto:    "HTTP/2.0",
		Host:     "server.example.com",
		Header:   http.Header{"Sec-Websocket-Version": {"13"}},
		HasBody:  true,
		Protocol: "websocket",
	}
}

// wantError checks the class and status of an error, and that status 0 has no
// fields to answer with.
func wantError(t *testing.T, call string, err, class error, status int) {
	t.Helper()
	if class == nil {
		if err != nil {
			t.Errorf("%s = %v, want nil", call, err)
		}
		return
	}
	e, ok := errors.AsType[*handshake.Error](err)
	if !ok || !errors.Is(err, class) || e.Status() != status {
		t.Errorf("%s = %v; want %v with status %d", call, err, class, status)
	}
	if ok && status == 0 && len(maps.Collect(e.Fields())) != 0 {
		t.Errorf("%s = %v, which has fields to answer with", call, err)
	}
}

func TestRequestValidate(t *testing.T) {
	type req = handshake.Request
	set := func(name string, lines ...string) func(*req) {
		return func(r *req) { r.Header.(http.Header)[name] = lines }
	}
	const (
		connection = "Connection"
		upgrade    = "Upgrade"
		key        = "Sec-Websocket-Key"
		version    = "Sec-Websocket-Version"
		extensions = "Sec-Websocket-Extensions"
	)
	tests := []struct {
		name   string
		change func(*req)
		class  error
		status int
	}{
		{name: "valid", change: func(*req) {}},

		{name: "Connection: list", change: set(connection, "keep-alive, Upgrade")},
		{name: "Connection: lines", change: set(connection, "keep-alive", "UPGRADE")},
		{name: "Connection: no spaces, empty elements", change: set(connection, ",keep-alive,,upgrade,")},
		{name: "Connection: missing", change: set(connection), class: handshake.ErrUpgrade, status: 400},
		{name: "Connection: empty", change: set(connection, ""), class: handshake.ErrUpgrade, status: 400},
		{name: "Connection: without upgrade", change: set(connection, "keep-alive"), class: handshake.ErrUpgrade, status: 400},
		{name: "Connection: notupgraded", change: set(connection, "notupgraded"), class: handshake.ErrUpgrade, status: 400},
		{name: "Connection: no comma", change: set(connection, "keep-alive upgrade"), class: handshake.ErrUpgrade, status: 400},
		{name: "Connection: malformed beside upgrade", change: set(connection, "upgrade, a b"), class: handshake.ErrUpgrade, status: 400},
		{name: "Connection: versions are for Upgrade", change: set(connection, "upgrade, a/b"), class: handshake.ErrUpgrade, status: 400},

		{name: "Upgrade: case", change: set(upgrade, "WebSocket")},
		{name: "Upgrade: list", change: set(upgrade, "websocket, h2c")},
		{name: "Upgrade: lines", change: set(upgrade, "h2c", "websocket")},
		{name: "Upgrade: beside a version", change: set(upgrade, "foo/2, websocket")},
		{name: "Upgrade: missing", change: set(upgrade), class: handshake.ErrUpgrade, status: 426},
		{name: "Upgrade and Connection missing", change: func(r *req) { set(upgrade)(r); set(connection)(r) },
			class: handshake.ErrUpgrade, status: 426},
		{name: "Upgrade: empty", change: set(upgrade, ""), class: handshake.ErrUpgrade, status: 400},
		{name: "Upgrade: h2c", change: set(upgrade, "h2c"), class: handshake.ErrUpgrade, status: 400},
		{name: "Upgrade: websocket/13", change: set(upgrade, "websocket/13"), class: handshake.ErrUpgrade, status: 400},
		{name: "Upgrade: websockets", change: set(upgrade, "websockets"), class: handshake.ErrUpgrade, status: 400},
		{name: "Upgrade: Kelvin sign", change: set(upgrade, "webSoc\u212aet"), class: handshake.ErrUpgrade, status: 400},
		{name: "Upgrade: malformed beside websocket", change: set(upgrade, "websocket, a/"), class: handshake.ErrUpgrade, status: 400},
		{name: "Upgrade: quoted", change: set(upgrade, `"websocket"`), class: handshake.ErrUpgrade, status: 400},

		{name: "HTTP/1.0", change: func(r *req) { r.Proto = "HTTP/1.0" }, class: handshake.ErrProto, status: 426},
		{name: "HTTP/1.2", change: func(r *req) { r.Proto = "HTTP/1.2" }, class: handshake.ErrProto, status: 505},
		{name: "HTTP/2.0", change: func(r *req) { r.Proto = "HTTP/2.0" }, class: handshake.ErrProto, status: 505},
		{name: "no version of HTTP", change: func(r *req) { r.Proto = "" }, class: handshake.ErrProto, status: 505},

		{name: "POST", change: func(r *req) { r.Method = "POST" }, class: handshake.ErrMethod, status: 405},
		{name: "PUT", change: func(r *req) { r.Method = "PUT" }, class: handshake.ErrMethod, status: 405},
		{name: "CONNECT", change: func(r *req) { r.Method = "CONNECT" }, class: handshake.ErrMethod, status: 405},
		{name: "HEAD", change: func(r *req) { r.Method = "HEAD" }, class: handshake.ErrMethod, status: 405},
		{name: "lower-case get", change: func(r *req) { r.Method = "get" }, class: handshake.ErrMethod, status: 405},

		{name: "Host: in the header", change: func(r *req) { r.Host = ""; set("Host", "a.example:8080")(r) }},
		{name: "Host: in both", change: set("Host", "server.example.com")},
		{name: "Host: IPv6", change: func(r *req) { r.Host = "[::1]:8080" }},
		{name: "Host: missing", change: func(r *req) { r.Host = "" }, class: handshake.ErrHost, status: 400},
		{name: "Host: empty", change: func(r *req) { r.Host = ""; set("Host", "")(r) }, class: handshake.ErrHost, status: 400},
		{name: "Host: twice", change: func(r *req) { r.Host = ""; set("Host", "a", "a")(r) }, class: handshake.ErrHost, status: 400},
		{name: "Host: different", change: set("Host", "a"), class: handshake.ErrHost, status: 400},
		{name: "Host: list", change: func(r *req) { r.Host = "a,b" }, class: handshake.ErrHost, status: 400},
		{name: "Host: user information", change: func(r *req) { r.Host = "a@b" }, class: handshake.ErrHost, status: 400},
		{name: "Host: path", change: func(r *req) { r.Host = "a/b" }, class: handshake.ErrHost, status: 400},
		{name: "Host: no name", change: func(r *req) { r.Host = ":80" }, class: handshake.ErrHost, status: 400},

		{name: "body: said by the caller", change: func(r *req) { r.HasBody = true }, class: handshake.ErrBody, status: 400},
		{name: "body: Content-Length: 0", change: set("Content-Length", "0")},
		{name: "body: Content-Length: 5", change: set("Content-Length", "5"), class: handshake.ErrBody, status: 400},
		{name: "body: Content-Length: -1", change: set("Content-Length", "-1"), class: handshake.ErrBody, status: 400},
		{name: "body: Content-Length: +5", change: set("Content-Length", "+5"), class: handshake.ErrBody, status: 400},
		{name: "body: Content-Length: +0", change: set("Content-Length", "+0"), class: handshake.ErrBody, status: 400},
		{name: "body: Content-Length empty", change: set("Content-Length", ""), class: handshake.ErrBody, status: 400},
		{name: "body: Content-Length twice", change: set("Content-Length", "0", "5"), class: handshake.ErrBody, status: 400},
		{name: "body: Content-Length twice alike", change: set("Content-Length", "0", "0"), class: handshake.ErrBody, status: 400},
		{name: "body: chunked", change: set("Transfer-Encoding", "chunked"), class: handshake.ErrBody, status: 400},
		{name: "body: both", change: func(r *req) { set("Transfer-Encoding", "chunked")(r); set("Content-Length", "0")(r) },
			class: handshake.ErrBody, status: 400},
		{name: "Expect is ignored", change: set("Expect", "100-continue")},

		{name: "version: missing", change: set(version), class: handshake.ErrVersion, status: 426},
		{name: "version: empty", change: set(version, ""), class: handshake.ErrVersion, status: 426},
		{name: "version: 8", change: set(version, "8"), class: handshake.ErrVersion, status: 426},
		{name: "version: 12", change: set(version, "12"), class: handshake.ErrVersion, status: 426},
		{name: "version: 14", change: set(version, "14"), class: handshake.ErrVersion, status: 426},
		{name: "version: 013", change: set(version, "013"), class: handshake.ErrVersion, status: 426},
		{name: "version: list", change: set(version, "13, 13"), class: handshake.ErrVersion, status: 426},
		{name: "version: twice", change: set(version, "13", "13"), class: handshake.ErrVersion, status: 426},
		{name: "version: before the key", change: func(r *req) { set(version, "8")(r); set(key)(r) },
			class: handshake.ErrVersion, status: 426},

		{name: "key: missing", change: set(key), class: handshake.ErrKey, status: 400},
		{name: "key: empty", change: set(key, ""), class: handshake.ErrKey, status: 400},
		{name: "key: twice", change: set(key, sampleKey, sampleKey), class: handshake.ErrKey, status: 400},
		{name: "key: 15 octets", change: set(key, "AAAAAAAAAAAAAAAAAAAA"), class: handshake.ErrKey, status: 400},
		{name: "key: 17 octets", change: set(key, "AAAAAAAAAAAAAAAAAAAAAAA="), class: handshake.ErrKey, status: 400},
		{name: "key: trailing bits", change: set(key, "dGhlIHNhbXBsZSBub25jZR=="), class: handshake.ErrKey, status: 400},

		{name: "subprotocols", change: set("Sec-Websocket-Protocol", "chat, superchat")},
		{name: "subprotocols: bad token", change: set("Sec-Websocket-Protocol", "a b"), class: handshake.ErrSubprotocol, status: 400},
		{name: "extensions", change: set(extensions, "permessage-deflate; client_max_window_bits")},
		{name: "extensions: unknown", change: set(extensions, "x-unknown;y=z")},
		{name: "extensions: malformed", change: set(extensions, `a; b="c`), class: handshake.ErrExtension, status: 400},
		{name: "extensions: empty", change: set(extensions, ""), class: handshake.ErrExtension, status: 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := validRequest()
			tt.change(r)
			wantError(t, "Validate()", r.Validate(), tt.class, tt.status)
		})
	}
	t.Run("no header", func(t *testing.T) {
		r := validRequest()
		r.Header = nil
		wantError(t, "Validate()", r.Validate(), handshake.ErrUpgrade, 426)
		if key := r.Key(); key != "" {
			t.Errorf("Key() = %q, want none", key)
		}
	})
}

func TestRequestValidateConnect(t *testing.T) {
	type req = handshake.Request
	set := func(name string, lines ...string) func(*req) {
		return func(r *req) { r.Header.(http.Header)[name] = lines }
	}
	tests := []struct {
		name   string
		change func(*req)
		class  error
		status int
	}{
		{name: "valid", change: func(*req) {}},
		{name: "HTTP/3", change: func(r *req) { r.Proto = "HTTP/3.0" }},
		{name: "GET", change: func(r *req) { r.Method = "GET" }, class: handshake.ErrMethod, status: 405},
		{name: "no host", change: func(r *req) { r.Host = "" }, class: handshake.ErrHost, status: 400},
		{name: "no protocol", change: func(r *req) { r.Protocol = "" }, class: handshake.ErrUpgrade, status: 501},
		{name: "other protocol", change: func(r *req) { r.Protocol = "connect-udp" }, class: handshake.ErrUpgrade, status: 501},
		{name: "no version", change: set("Sec-Websocket-Version"), class: handshake.ErrVersion, status: 400},
		{name: "other version", change: set("Sec-Websocket-Version", "8"), class: handshake.ErrVersion, status: 400},
		{name: "subprotocols", change: set("Sec-Websocket-Protocol", "chat")},
		{name: "malformed subprotocols", change: set("Sec-Websocket-Protocol", ","), class: handshake.ErrSubprotocol, status: 400},
		{name: "malformed extensions", change: set("Sec-Websocket-Extensions", ";"), class: handshake.ErrExtension, status: 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := validConnect()
			tt.change(r)
			wantError(t, "ValidateConnect()", r.ValidateConnect(), tt.class, tt.status)
		})
	}
}

func TestRequestAccessors(t *testing.T) {
	r := validRequest()
	h := r.Header.(http.Header)
	h["Sec-Websocket-Extensions"] = []string{"a; b=c", "d"}
	if got := r.Key(); got != sampleKey {
		t.Errorf("Key() = %q, want %q", got, sampleKey)
	}
	list, err := r.Extensions()
	if diff := cmp.Diff([]handshake.Extension{ext("a", "b", "c"), ext("d")}, list); diff != "" || err != nil {
		t.Errorf("Extensions() = _, %v; mismatch (-want +got):\n%s", err, diff)
	}
	if got, err := r.Origin(); got != (handshake.Origin{}) || err != nil {
		t.Errorf("Origin() = %+v, %v; want nothing", got, err)
	}
	h["Origin"] = []string{"https://example.com"}
	if got, err := r.Origin(); got != (handshake.Origin{Scheme: "https", Host: "example.com"}) || err != nil {
		t.Errorf("Origin() = %+v, %v", got, err)
	}
	h["Origin"] = []string{"https://example.com", "https://example.com"}
	if got, err := r.Origin(); !errors.Is(err, handshake.ErrOrigin) {
		t.Errorf("Origin() of two = %+v, %v; want ErrOrigin", got, err)
	}
}

// TestHostileLists gives what would show quadratic time as minutes.
func TestHostileLists(t *testing.T) {
	const size = 1 << 20
	tests := []struct {
		name, field, line string
		ok                bool
	}{
		{name: "Connection: commas", field: "Connection", line: strings.Repeat(",", size) + "upgrade", ok: true},
		{name: "Connection: spaces", field: "Connection", line: strings.Repeat(" ", size) + "upgrade" + strings.Repeat("\t", size), ok: true},
		{name: "Connection: tokens", field: "Connection", line: strings.Repeat("x,", size) + "upgrade", ok: true},
		{name: "Upgrade: versions", field: "Upgrade", line: strings.Repeat("x/1,", size) + "websocket", ok: true},
		{name: "Upgrade: slashes", field: "Upgrade", line: strings.Repeat("/", size)},
		{name: "subprotocols", field: "Sec-Websocket-Protocol", line: numbered(size / 8), ok: true},
		{name: "subprotocol of a megabyte", field: "Sec-Websocket-Protocol", line: strings.Repeat("x", size), ok: true},
		{name: "key", field: "Sec-Websocket-Key", line: strings.Repeat("A", size)},
		{name: "version", field: "Sec-Websocket-Version", line: strings.Repeat("1", size)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := validRequest()
			r.Header.(http.Header)[tt.field] = []string{tt.line}
			if err := r.Validate(); (err == nil) != tt.ok {
				t.Errorf("Validate() = %v; want ok = %v", err, tt.ok)
			}
		})
	}
}

func TestRequestValidateAllocs(t *testing.T) {
	policy, err := handshake.NewOrigins("https://*.example.org", "http://localhost:*")
	if err != nil {
		t.Fatal(err)
	}
	for name, head := range clients {
		parsed := parseRequest(t, head)
		overHTTP := &handshake.Request{Method: parsed.Method, Target: parsed.Target, Proto: parsed.Proto,
			Host: parsed.Host, Header: httpHeader(parsed)}
		for kind, r := range map[string]*handshake.Request{"Fields": parsed, "http.Header": overHTTP} {
			allocs := testing.AllocsPerRun(100, func() {
				if err := errors.Join(r.Validate(), policy.Check(r)); err != nil {
					t.Fatal(err)
				}
			})
			if allocs != 0 {
				t.Errorf("%s in %s: Validate and Check allocate %v times, want 0", name, kind, allocs)
			}
		}
	}
}

// httpHeader returns the fields of r as net/http stores them.
func httpHeader(r *handshake.Request) http.Header {
	h := make(http.Header)
	for name, value := range r.Header.(*handshake.Fields).All() {
		h.Add(name, value)
	}
	h.Del("Host")
	return h
}

func BenchmarkRequestValidate(b *testing.B) {
	for _, name := range slices.Sorted(maps.Keys(clients)) {
		parsed := parseRequest(b, clients[name])
		overHTTP := *parsed
		overHTTP.Header = httpHeader(parsed)
		for kind, r := range map[string]*handshake.Request{"Fields": parsed, "http.Header": &overHTTP} {
			b.Run("client="+name+"/header="+kind, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := r.Validate(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
