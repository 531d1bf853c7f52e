package engineio_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/handshake"
	"example.org/rfc6455/socketio/engineio"
	"github.com/google/go-cmp/cmp"
)

// upgradeHeader are the fields of an opening handshake.
var upgradeHeader = []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", handshake.NewKey()}

// TestRefusals: each request that is refused, with what the client is told and what
// the hook is.
func TestRefusals(t *testing.T) {
	const (
		transportUnknown = `{"code":0,"message":"Transport unknown"}`
		sessionUnknown   = `{"code":1,"message":"Session ID unknown"}`
		badMethod        = `{"code":2,"message":"Bad handshake method"}`
		badRequest       = `{"code":3,"message":"Bad request"}`
		forbidden        = `{"code":4,"message":"Forbidden"}`
		unsupported      = `{"code":5,"message":"Unsupported protocol version"}`
	)
	tests := []struct {
		name    string
		options engineio.Options
		method  string // GET if empty
		query   string // SID stands for that of a session that polls
		header  []string
		status  int
		body    string
		context engineio.ErrorContext
	}{
		{name: "transport missing", query: "EIO=4", status: 400, body: transportUnknown, context: engineio.ContextTransport},
		{name: "transport unknown", query: "EIO=4&transport=tcp", status: 400, body: transportUnknown, context: engineio.ContextTransport},
		{name: "transport in another case", query: "EIO=4&transport=Polling", status: 400, body: transportUnknown, context: engineio.ContextTransport},
		{name: "transport repeated", query: "EIO=4&transport=polling&transport=polling", status: 400, body: transportUnknown, context: engineio.ContextTransport},
		{name: "transport not enabled", options: engineio.Options{Transports: bothTransports[1:]},
			query: "EIO=4&transport=polling", status: 400, body: transportUnknown, context: engineio.ContextTransport},
		{name: "transport that does not exist", options: engineio.Options{Transports: []engineio.Transport{"webtransport"}},
			query: "EIO=4&transport=webtransport", status: 400, body: transportUnknown, context: engineio.ContextTransport},
		{name: "name of a prototype's member", query: "EIO=4&transport=__proto__", status: 400, body: transportUnknown, context: engineio.ContextTransport},

		{name: "session unknown", query: "EIO=4&transport=polling&sid=abc", status: 400, body: sessionUnknown, context: engineio.ContextSession},
		{name: "session unknown, POST", method: "POST", query: "EIO=4&transport=polling&sid=abc", status: 400, body: sessionUnknown, context: engineio.ContextSession},
		{name: "session that is a prototype's member", query: "EIO=4&transport=polling&sid=constructor", status: 400, body: sessionUnknown, context: engineio.ContextSession},
		{name: "session repeated", query: "EIO=4&transport=polling&sid=SID&sid=SID", status: 400, body: sessionUnknown, context: engineio.ContextSession},
		{name: "session unknown, WebSocket", query: "EIO=4&transport=websocket&sid=abc", header: upgradeHeader,
			status: 400, body: "Session ID unknown", context: engineio.ContextSession},

		{name: "handshake by POST", method: "POST", query: "EIO=4&transport=polling", status: 400, body: badMethod, context: engineio.ContextMethod},
		{name: "handshake by OPTIONS", method: "OPTIONS", query: "EIO=4&transport=polling", status: 400, body: badMethod, context: engineio.ContextMethod},
		{name: "session by PUT", method: "PUT", query: "EIO=4&transport=polling&sid=SID", status: 405,
			body: `{"code":3,"message":"Bad method"}`, context: engineio.ContextMethod},
		{name: "session by DELETE", method: "DELETE", query: "EIO=4&transport=polling&sid=SID", status: 405,
			body: `{"code":3,"message":"Bad method"}`, context: engineio.ContextMethod},

		{name: "WebSocket without an upgrade", query: "EIO=4&transport=websocket", status: 400, body: badRequest, context: engineio.ContextTransportHandshake},
		{name: "upgrade to polling", query: "EIO=4&transport=polling", header: upgradeHeader, status: 400, body: "Bad request", context: engineio.ContextTransportHandshake},
		{name: "revision changed", options: engineio.Options{EIO3: true}, query: "EIO=3&transport=polling&sid=SID", status: 400, body: badRequest, context: engineio.ContextProtocolMismatch},
		{name: "revision changed at the upgrade", options: engineio.Options{EIO3: true}, query: "EIO=3&transport=websocket&sid=SID", header: upgradeHeader,
			status: 400, body: "Bad request", context: engineio.ContextProtocolMismatch},
		{name: "upgrade where there is none", options: engineio.Options{NoUpgrade: true}, query: "EIO=4&transport=websocket&sid=SID", header: upgradeHeader,
			status: 400, body: "Bad request", context: engineio.ContextTransportMismatch},
		{name: "query that is none", query: "EIO=4&transport=polling&x=%zz", status: 400, body: badRequest, context: engineio.ContextRequest},
		{name: "head too large", query: "EIO=4&transport=polling", header: []string{"Cookie", strings.Repeat("c", 20000)},
			status: 431, body: badRequest, context: engineio.ContextRequest},

		{name: "malformed Origin", query: "EIO=4&transport=polling", header: []string{"Origin", "https://a\u00e4"}, status: 400, body: badRequest, context: engineio.ContextOrigin},
		{name: "another origin", query: "EIO=4&transport=polling", header: []string{"Origin", "https://evil.example"}, status: 403, body: forbidden, context: engineio.ContextOrigin},
		{name: "origin null", query: "EIO=4&transport=polling", header: []string{"Origin", "null"}, status: 403, body: forbidden, context: engineio.ContextOrigin},
		{name: "another origin, WebSocket", query: "EIO=4&transport=websocket", header: append([]string{"Origin", "https://evil.example"}, upgradeHeader...),
			status: 400, body: "Forbidden", context: engineio.ContextOrigin},
		{name: "another origin with a session", query: "EIO=4&transport=polling&sid=SID", header: []string{"Origin", "https://evil.example"},
			status: 403, body: forbidden, context: engineio.ContextOrigin},
		{name: "pattern of origins that is none", options: engineio.Options{Origins: []string{"*"}}, query: "EIO=4&transport=polling",
			status: 403, body: forbidden, context: engineio.ContextOrigin},

		{name: "not allowed", options: engineio.Options{AllowRequest: func(*http.Request) error { return errors.New("secret") }},
			query: "EIO=4&transport=polling", status: 403, body: forbidden, context: engineio.ContextForbidden},
		{name: "not allowed, with a text", options: engineio.Options{AllowRequest: func(*http.Request) error { return &engineio.RefusedError{Message: "try tomorrow"} }},
			query: "EIO=4&transport=polling", status: 403, body: `{"code":4,"message":"try tomorrow"}`, context: engineio.ContextForbidden},
		{name: "not allowed, WebSocket", options: engineio.Options{AllowRequest: func(*http.Request) error { return &engineio.RefusedError{Message: "try tomorrow"} }},
			query: "EIO=4&transport=websocket", header: upgradeHeader, status: 400, body: "try tomorrow", context: engineio.ContextForbidden},

		{name: "revision 3", query: "EIO=3&transport=polling", status: 400, body: unsupported, context: engineio.ContextProtocolUnsupported},
		{name: "revision 5", options: engineio.Options{EIO3: true}, query: "EIO=5&transport=polling", status: 400, body: unsupported, context: engineio.ContextProtocolUnsupported},
		{name: "revision repeated", options: engineio.Options{EIO3: true}, query: "EIO=4&EIO=4&transport=polling", status: 400, body: unsupported, context: engineio.ContextProtocolUnsupported},
		{name: "revision missing", query: "transport=polling", status: 400, body: unsupported, context: engineio.ContextProtocolUnsupported},
		{name: "revision 3, WebSocket", query: "EIO=3&transport=websocket", header: upgradeHeader, status: 400, body: "Unsupported protocol version",
			context: engineio.ContextProtocolUnsupported},
		{name: "JSONP", options: engineio.Options{EIO3: true}, query: "EIO=3&transport=polling&j=0", status: 400, body: badRequest, context: engineio.ContextRequest},
		{name: "JSONP of no number", options: engineio.Options{EIO3: true, JSONP: true}, query: "EIO=3&transport=polling&j=alert(1)", status: 400, body: badRequest, context: engineio.ContextRequest},

		{name: "no id", options: engineio.Options{NewID: func(*http.Request) (string, error) { return "", errors.New("none") }},
			query: "EIO=4&transport=polling", status: 400, body: badRequest, context: engineio.ContextID},
		{name: "empty id", options: engineio.Options{NewID: func(*http.Request) (string, error) { return "", nil }},
			query: "EIO=4&transport=polling", status: 400, body: badRequest, context: engineio.ContextID},
		{name: "too many sessions", options: engineio.Options{MaxSessions: 1}, query: "EIO=4&transport=polling&x=SID", status: 503,
			body: `{"code":3,"message":"Service unavailable"}`, context: engineio.ContextOverload},
		{name: "too many sessions of a host, WebSocket", options: engineio.Options{MaxSessionsPerHost: 1}, query: "EIO=4&transport=websocket&x=SID",
			header: upgradeHeader, status: 503, body: "Service unavailable", context: engineio.ContextOverload},
	}
	for _, tt := range tests {
		inBubble(t, tt.name, func(t *testing.T) {
			var seen []engineio.ConnectionError
			tt.options.OnConnectionError = func(e *engineio.ConnectionError) {
				if e.Request == nil {
					t.Error("the hook is not told the request")
				}
				seen = append(seen, engineio.ConnectionError{Code: e.Code, Message: e.Message, Context: e.Context})
			}
			w := serve(t, &tt.options, nil)
			query := tt.query
			if strings.Contains(query, "SID") {
				query = strings.ReplaceAll(query, "SID", w.poller("EIO=4").id)
			}
			method := tt.method
			if method == "" {
				method = "GET"
			}
			a := w.request(method, query, "", tt.header...)
			a.want(t, tt.status, tt.body)
			contentType := "application/json"
			if tt.body[0] != '{' {
				contentType = "text/html"
			}
			if got := a.header.Get("Content-Type"); got != contentType {
				t.Errorf("Content-Type %q, want %q", got, contentType)
			}
			message, code := tt.body, 3
			if tt.body[0] == '{' {
				fmt.Sscanf(tt.body, `{"code":%d`, &code)
				_, message, _ = strings.Cut(strings.TrimSuffix(tt.body, `"}`), `"message":"`)
			} else if len(seen) == 1 {
				code = int(seen[0].Code)
			}
			want := []engineio.ConnectionError{{Code: engineio.ErrorCode(code), Message: message, Context: tt.context}}
			if diff := cmp.Diff(want, seen); diff != "" {
				t.Errorf("what the hook saw (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWebSocketRefusedClosesConnection: nothing else comes over it.
func TestWebSocketRefusedClosesConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, nil, nil)
		nc, err := w.listener.Dial(context.Background(), "tcp", "")
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		fmt.Fprintf(nc, "GET /engine.io/?EIO=4&transport=websocket&sid=no HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		b, err := io.ReadAll(bufio.NewReader(nc))
		if err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 400 ") || !strings.HasSuffix(string(b), "\r\n\r\nSession ID unknown") {
			t.Errorf("answer %q, %v", b, err)
		}
	})
}

// TestBrokenWebSocketHandshake is refused by its own rules, and the place of the
// session is free again.
func TestBrokenWebSocketHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var contexts []engineio.ErrorContext
		w := serve(t, &engineio.Options{OnConnectionError: func(e *engineio.ConnectionError) {
			contexts = append(contexts, e.Context)
			if !errors.Is(e.Err, handshake.ErrVersion) {
				t.Errorf("the hook sees %v", e.Err)
			}
		}}, nil)
		c := w.poller("EIO=4")
		header := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "12", "Sec-WebSocket-Key", handshake.NewKey()}
		for _, query := range []string{"EIO=4&transport=websocket", "EIO=4&transport=websocket&sid=" + c.id} {
			if a := w.request("GET", query, "", header...); a.status != http.StatusUpgradeRequired {
				t.Errorf("answer %+v", a)
			}
		}
		if n := w.server.Len(); n != 1 {
			t.Errorf("%d sessions, want the one that polls", n)
		}
		c.upgrade().send("2probe") // an upgrade can still be made
		if diff := cmp.Diff([]engineio.ErrorContext{engineio.ContextTransportHandshake, engineio.ContextTransportHandshake}, contexts); diff != "" {
			t.Errorf("what the hook saw (-want +got):\n%s", diff)
		}
	})
}

// TestPrincipal: who guesses the id of a session of somebody else has nothing.
func TestPrincipal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, &engineio.Options{Principal: func(r *http.Request) string { return r.Header.Get("X-User") }}, nil)
		a := w.request("GET", "EIO=4&transport=polling", "", "X-User", "ann")
		id := strings.Split(a.body, `"`)[3]
		query := "EIO=4&transport=polling&sid=" + id
		const forbidden = `{"code":4,"message":"Forbidden"}`
		w.request("GET", query, "", "X-User", "bob").want(t, 403, forbidden)
		w.request("POST", query, "4a").want(t, 403, forbidden)
		w.request("GET", strings.Replace(query, "polling", "websocket", 1), "", append(upgradeHeader, "X-User", "bob")...).want(t, 400, "Forbidden")
		w.request("POST", query, "4a", "X-User", "ann").want(t, 200, "ok")
		w.request("GET", query, "", "X-User", "ann").want(t, 200, "4a")
	})
}

// TestSessionsAreCounted: places are given back.
func TestSessionsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, &engineio.Options{MaxSessions: 2, MaxSessionsPerHost: 2}, nil)
		for range 3 {
			a := w.poller("EIO=4")
			s, _ := w.open("EIO=4")
			if n := w.server.Len(); n != 2 {
				t.Fatalf("%d sessions, want 2", n)
			}
			if w.server.Session(a.id) != a.session {
				t.Error("Session does not find the one that polls")
			}
			n := 0
			for range w.server.All() {
				n++
			}
			for range w.server.All() {
				break
			}
			if n != 2 {
				t.Errorf("All yields %d sessions", n)
			}
			a.post("1").want(t, 200, "ok")
			s.Close(1000, "")
			time.Sleep(2 * time.Second)
		}
	})
}

// TestAbandonedSessions expire with the heartbeat.
func TestAbandonedSessions(t *testing.T) {
	for _, revision := range []string{"EIO=4", "EIO=3"} {
		inBubble(t, revision, func(t *testing.T) {
			w := serve(t, &engineio.Options{EIO3: true}, nil)
			for range 100 {
				w.poller(revision)
			}
			time.Sleep(45*time.Second - 1)
			if n := w.server.Len(); n != 100 {
				t.Errorf("%d sessions before the time, want 100", n)
			}
			time.Sleep(1)
			synctest.Wait()
			if n := w.server.Len(); n != 0 {
				t.Errorf("%d sessions are left", n)
			}
			if got := strings.Count(w.log.take(), "closed: ping timeout"); got != 100 {
				t.Errorf("%d receivers were told", got)
			}
		})
	}
}

// TestNewID: ids are the application's, and those of two sessions differ.
func TestNewID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, &engineio.Options{NewID: func(r *http.Request) (string, error) { return "id-" + r.URL.Query().Get("n"), nil }}, nil)
		if c := w.poller("EIO=4&n=1"); c.id != "id-1" || c.session.ID() != "id-1" {
			t.Errorf("the session is %s", c.id)
		}
		w.request("GET", "EIO=4&transport=polling&n=1", "").want(t, 400, `{"code":3,"message":"Bad request"}`)
	})
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, nil, nil)
		ids := map[string]bool{}
		for range 50 {
			ids[w.poller("EIO=4").id] = true
		}
		for id := range ids {
			if len(id) != 20 || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
				t.Errorf("id %q", id)
			}
		}
		if len(ids) != 50 {
			t.Errorf("%d different ids, want 50", len(ids))
		}
	})
}
