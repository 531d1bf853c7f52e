package conn_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

// A door is one of the ways in which a server accepts connections.
type door struct {
	name  string
	serve func(l net.Listener, s *conn.Server)
}

var (
	overHTTP = door{"net/http", func(l net.Listener, s *conn.Server) { http.Serve(l, s) }}
	bare     = door{"AcceptConn", func(l net.Listener, s *conn.Server) { s.Serve(l) }}
)

// A caller is what a client meets that calls at a door.
type caller struct {
	t       *testing.T
	nc      *conntest.End
	r       *bufio.Reader
	served  chan *conn.Conn   // the connections that were accepted
	refused chan conn.Refusal // those that were not
}

// call opens a door with the options in a bubble, and a connection to it.
func call(t *testing.T, d door, o conn.AcceptOptions, test func(t *testing.T, c *caller)) {
	t.Helper()
	t.Run(d.name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := &caller{t: t, served: make(chan *conn.Conn, 10), refused: make(chan conn.Refusal, 10)}
			o.Hooks = &conn.Hooks{OnRefuse: func(r conn.Refusal) { c.refused <- r }}
			l := conntest.Listen()
			defer l.Close()
			s := &conn.Server{Options: &o, Handler: func(sc *conn.Conn) {
				c.served <- sc
				sc.Discard(context.Background())
			}}
			go d.serve(l, s)
			nc, err := l.Dial(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			c.nc = nc.(*conntest.End)
			c.nc.SetDeadline(time.Now().Add(time.Hour))
			c.r = bufio.NewReader(nc)
			test(t, c)
			s.Shutdown(t.Context())
		})
	})
}

// response reads the answer.
func (c *caller) response() *http.Response {
	c.t.Helper()
	r, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatalf("no response: %v", err)
	}
	return r
}

// expectRefusal reads an answer with the status and a text, behind which the
// server closes the connection within a second. Whether a hook was told depends
// on who refused.
func (c *caller) expectRefusal(status int, told bool) *http.Response {
	c.t.Helper()
	start := time.Now()
	r := c.response()
	if r.StatusCode != status || !r.Close {
		c.t.Errorf("answer %s, close = %v; want %d, and that it closes", r.Status, r.Close, status)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || len(body) == 0 {
		c.t.Errorf("body %q, %v; want a text", body, err)
	}
	if rest, err := io.ReadAll(c.r); len(rest) > 0 || err != nil {
		c.t.Errorf("behind the answer came %q, %v", rest, err)
	}
	c.expectClosed(start, time.Second)
	if len(c.served) > 0 {
		c.t.Error("the handler was called")
	}
	if told != (len(c.refused) == 1) {
		c.t.Errorf("OnRefuse was called %d times", len(c.refused))
	} else if told {
		if got := <-c.refused; got.Status != status || got.Err == nil {
			c.t.Errorf("OnRefuse got %d, %v; want %d and an error", got.Status, got.Err, status)
		}
	}
	return r
}

// expectClosed waits until the server has closed the connection, and not only
// its own side.
func (c *caller) expectClosed(start time.Time, within time.Duration) {
	c.t.Helper()
	for {
		if _, err := c.nc.Write([]byte("?")); err != nil && !isTimeout(err) {
			break
		}
		if time.Since(start) > 10*within {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if d := time.Since(start); d > within {
		c.t.Errorf("the connection was closed after %v, want %v", d, within)
	}
}

// expectAccepted reads the answer that opens the connection.
func (c *caller) expectAccepted() (*http.Response, *conn.Conn) {
	c.t.Helper()
	r := c.response()
	if r.StatusCode != http.StatusSwitchingProtocols {
		body, _ := io.ReadAll(r.Body)
		c.t.Fatalf("answer %s: %s", r.Status, body)
	}
	if got := r.Header.Get("Sec-WebSocket-Accept"); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		c.t.Errorf("Sec-WebSocket-Accept: %q", got)
	}
	return r, <-c.served
}

// change returns upgradeRequest with lines replaced: "Name: value" for the line
// of that name, "-Name" for none, "+Name: value" for one more, and "GET …" for
// the request line.
func change(lines ...string) string {
	all := strings.Split(strings.TrimSuffix(upgradeRequest, "\r\n\r\n"), "\r\n")
	for _, l := range lines {
		name, _, isField := strings.Cut(strings.TrimLeft(l, "+-"), ":")
		switch at := slices.IndexFunc(all, func(s string) bool { return strings.HasPrefix(s, name+":") }); {
		case l[0] == '+':
			all = append(all, l[1:])
		case l[0] == '-':
			all = slices.Delete(all, at, at+1)
		case isField && at > 0:
			all[at] = l
		default:
			all[0] = l
		}
	}
	return strings.Join(all, "\r\n") + "\r\n\r\n"
}

// TestAcceptRefuses: what is not a handshake is answered with the status that
// says why, and the connection is closed.
func TestAcceptRefuses(t *testing.T) {
	const lenient = -1 // net/http accepts it before we see it
	tests := []struct {
		name    string
		request string
		status  int
		http    int               // by net/http itself, if it is not zero
		fields  map[string]string // of the answer
	}{
		{name: "H3 line of 8 KiB", request: change("GET /" + strings.Repeat("a", 8192) + " HTTP/1.1"), status: 414, http: lenient},
		{name: "H3 field of 16 KiB", request: change("+A: " + strings.Repeat("a", 16<<10)), status: 431, http: lenient},
		{name: "H3 head of 17 KiB", request: change("+A: "+strings.Repeat("a", 6<<10), "+B: "+strings.Repeat("a", 6<<10), "+C: "+strings.Repeat("a", 6<<10)), status: 431, http: lenient},
		{name: "H3 100 fields", request: change("+A: a" + strings.Repeat("\r\nA: a", 94)), status: 101, http: 101},
		{name: "H3 101 fields", request: change("+A: a" + strings.Repeat("\r\nA: a", 95)), status: 431, http: lenient},
		{name: "H4 folded line", request: change("+A: a\r\n b"), status: 400, http: lenient},
		{name: "H4 bare LF", request: strings.ReplaceAll(upgradeRequest, "\r\n", "\n"), status: 400, http: lenient},
		{name: "H4 bare CR", request: change("+A: a\rb"), status: 400, http: 400},
		{name: "H4 CR CR LF", request: change("+A: a\r"), status: 400, http: lenient},
		{name: "H5 space before colon", request: change("+A : a"), status: 400, http: 400},
		{name: "H5 empty name", request: change("+: a"), status: 400, http: 400},
		{name: "H5 name that is no token", request: change("+A/B: a"), status: 400, http: 400},
		{name: "H5 NUL", request: change("+A: a\x00b"), status: 400, http: 400},
		{name: "H6 no Host", request: change("-Host"), status: 400, http: 400},
		{name: "H6 empty Host", request: change("Host:"), status: 400},
		{name: "H6 two Hosts", request: change("+Host: server.example.com"), status: 400, http: 400},
		{name: "H6 another Host", request: change("GET http://other.example.com/ HTTP/1.1"), status: 400, http: lenient},
		{name: "H7 POST", request: change("POST /chat HTTP/1.1"), status: 405, fields: map[string]string{"Allow": "GET"}},
		{name: "H7 PUT", request: change("PUT /chat HTTP/1.1"), status: 405, fields: map[string]string{"Allow": "GET"}},
		{name: "H7 get", request: change("get /chat HTTP/1.1"), status: 405, fields: map[string]string{"Allow": "GET"}},
		{name: "H7 CONNECT", request: change("CONNECT server.example.com:80 HTTP/1.1"), status: 405, fields: map[string]string{"Allow": "GET"}},
		{name: "H8 HTTP/1.0", request: change("GET /chat HTTP/1.0"), status: 426, fields: map[string]string{"Upgrade": "websocket"}},
		{name: "H8 HTTP/1.2", request: change("GET /chat HTTP/1.2"), status: 505},
		{name: "H8 HTTP/2.0", request: change("GET /chat HTTP/2.0"), status: 505, http: 505},
		{name: "H8 HTTP/0.9", request: "GET /chat\r\n\r\n", status: 505, http: 400},
		{name: "H9 authority-form", request: change("GET server.example.com:80 HTTP/1.1"), status: 400},
		{name: "H9 asterisk-form", request: change("GET * HTTP/1.1"), status: 400},
		{name: "H9 fragment", request: change("GET /chat#top HTTP/1.1"), status: 400, http: lenient},
		{name: "H9 percent escape", request: change("GET /%zz HTTP/1.1"), status: 400, http: 400},
		{name: "H9 dot segments", request: change("GET //evil/../chat HTTP/1.1"), status: 400, http: lenient},
		{name: "H10 no Upgrade", request: change("-Upgrade"), status: 426, fields: map[string]string{"Upgrade": "websocket", "Connection": "close, upgrade"}},
		{name: "H10 no Connection", request: change("-Connection"), status: 400},
		{name: "H10 Connection without Upgrade", request: change("Connection: keep-alive, notupgrade"), status: 400},
		{name: "H11 version of websocket", request: change("Upgrade: websocket/13"), status: 400},
		{name: "H11 another protocol", request: change("Upgrade: h2c"), status: 400},
		{name: "H12 no version", request: change("-Sec-WebSocket-Version"), status: 426},
		{name: "H12 version 8", request: change("Sec-WebSocket-Version: 8"), status: 426, fields: map[string]string{"Sec-WebSocket-Version": "13"}},
		{name: "H12 version 013", request: change("Sec-WebSocket-Version: 013"), status: 426, fields: map[string]string{"Sec-WebSocket-Version": "13"}},
		{name: "H12 version list", request: change("Sec-WebSocket-Version: 13, 13"), status: 426, fields: map[string]string{"Sec-WebSocket-Version": "13"}},
		{name: "H12 two versions", request: change("+Sec-WebSocket-Version: 13"), status: 426, fields: map[string]string{"Sec-WebSocket-Version": "13"}},
		{name: "H13 no key", request: change("-Sec-WebSocket-Key"), status: 400},
		{name: "H13 empty key", request: change("Sec-WebSocket-Key:"), status: 400},
		{name: "H13 two keys", request: change("+Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), status: 400},
		{name: "H13 15 octets", request: change("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j"), status: 400},
		{name: "H13 17 octets", request: change("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWQ="), status: 400},
		{name: "H13 URL alphabet", request: change("Sec-WebSocket-Key: _-hlIHNhbXBsZSBub25jZQ=="), status: 400},
		{name: "H13 no padding", request: change("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ"), status: 400},
		{name: "H13 trailing bits", request: change("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR=="), status: 400},
		{name: "H14 bad subprotocol", request: change("+Sec-WebSocket-Protocol: chat, a b"), status: 400},
		{name: "H14 twice", request: change("+Sec-WebSocket-Protocol: chat", "+Sec-WebSocket-Protocol: chat"), status: 400},
		{name: "H16 unterminated quote", request: change(`+Sec-WebSocket-Extensions: a; b="c`), status: 400},
		{name: "H19 foreign Origin", request: change("+Origin: https://evil.example"), status: 403},
		{name: "H19 null Origin", request: change("+Origin: null"), status: 403},
		{name: "H19 empty Origin", request: change("+Origin:"), status: 403},
		{name: "H19 two Origins", request: change("+Origin: http://server.example.com", "+Origin: http://server.example.com"), status: 403},
		{name: "H19 user information", request: change("+Origin: http://a@server.example.com"), status: 403},
		{name: "H19 another port", request: change("+Origin: http://server.example.com:81"), status: 403},
		{name: "H19 trailing dot", request: change("+Origin: http://server.example.com."), status: 403},
		{name: "H20 Content-Length", request: change("+Content-Length: 5") + "hello", status: 400},
		{name: "H20 chunked", request: change("+Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n\r\n", status: 400},
		{name: "H20 both", request: change("+Content-Length: 5", "+Transfer-Encoding: chunked") + "0\r\n\r\n", status: 400},
		{name: "H20 negative length", request: change("+Content-Length: -5"), status: 400, http: 400},
		{name: "H20 length with a sign", request: change("+Content-Length: +5"), status: 400, http: 400},
		{name: "H20 different lengths", request: change("+Content-Length: 5", "+Content-Length: 6"), status: 400, http: 400},
		{name: "H22 second request", request: change("-Upgrade") + upgradeRequest, status: 426},
		{name: "H23 Expect", request: change("+Expect: 100-continue", "-Upgrade"), status: 426},
		{name: "M18 HTTP/2 preface", request: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status: 400, http: lenient},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			test := func(status int, told bool) func(*testing.T, *caller) {
				return func(t *testing.T, c *caller) {
					io.WriteString(c.nc, tt.request)
					if status == http.StatusSwitchingProtocols {
						c.expectAccepted()
						return
					}
					r := c.expectRefusal(status, told)
					for name, want := range tt.fields {
						if got := strings.Join(r.Header.Values(name), ", "); got != want && name != "Connection" {
							t.Errorf("%s: %q, want %q", name, got, want)
						}
					}
				}
			}
			call(t, bare, conn.AcceptOptions{}, test(tt.status, true))
			switch tt.http {
			case lenient:
			case 0:
				call(t, overHTTP, conn.AcceptOptions{}, test(tt.status, true))
			default:
				call(t, overHTTP, conn.AcceptOptions{}, test(tt.http, false))
			}
		})
	}
}

// TestAccept: requests that are unusual and legal.
func TestAccept(t *testing.T) {
	tests := []struct {
		name    string
		request string
		options conn.AcceptOptions
		proto   string
	}{
		{name: "plain", request: upgradeRequest},
		{name: "H9 absolute-form", request: change("GET http://server.example.com/chat HTTP/1.1")},
		{name: "H10 mixed case", request: change("Connection: UpGrAdE", "Upgrade: WebSocket")},
		{name: "H10 list", request: change("Connection: keep-alive, Upgrade")},
		{name: "H10 two lines", request: change("Connection: keep-alive", "+Connection: upgrade")},
		{name: "H11 list", request: change("Upgrade: websocket, h2c")},
		{name: "H11 two lines", request: change("Upgrade: h2c", "+Upgrade: websocket")},
		{name: "H14 subprotocol", request: change("+Sec-WebSocket-Protocol: a, b", "+Sec-WebSocket-Protocol: c"),
			options: conn.AcceptOptions{Subprotocols: []string{"c", "a"}}, proto: "c"},
		{name: "H14 none in common", request: change("+Sec-WebSocket-Protocol: A, b"),
			options: conn.AcceptOptions{Subprotocols: []string{"c", "a"}}},
		{name: "H16 unknown extensions", request: change(`+Sec-WebSocket-Extensions: foo; bar="baz", x` + strings.Repeat(", y", 1000))},
		{name: "H16 many octets", request: change(`+Sec-WebSocket-Extensions: foo; bar="` + strings.Repeat(`\c`, 3000) + `"`)},
		{name: "H19 own Origin", request: change("+Origin: http://server.example.com")},
		{name: "H19 own Origin over TLS", request: change("+Origin: https://SERVER.example.com:443", "Host: server.example.com:443")},
		{name: "H19 default port", request: change("+Origin: http://server.example.com:80")},
		{name: "H19 pattern", request: change("+Origin: https://app.example.org"),
			options: conn.AcceptOptions{Origins: []string{"*.example.org"}}},
		{name: "H19 any", request: change("+Origin: https://evil.example"),
			options: conn.AcceptOptions{InsecureAnyOrigin: true}},
		{name: "H20 no content", request: change("+Content-Length: 0")},
		{name: "H23 Expect", request: change("+Expect: 100-continue")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, d := range []door{overHTTP, bare} {
				call(t, d, tt.options, func(t *testing.T, c *caller) {
					io.WriteString(c.nc, tt.request)
					r, sc := c.expectAccepted()
					if sc.Target() != "/chat" || sc.Subprotocol() != tt.proto || sc.Role() != frame.Server {
						t.Errorf("Target %q, Subprotocol %q, Role %v", sc.Target(), sc.Subprotocol(), sc.Role())
					}
					lines := r.Header["Sec-Websocket-Protocol"]
					if tt.proto == "" && len(lines) > 0 || tt.proto != "" && !slices.Equal(lines, []string{tt.proto}) {
						t.Errorf("Sec-WebSocket-Protocol: %q, want %q", lines, tt.proto)
					}
				})
			}
		})
	}
}

// TestAcceptEarly: octets that come together with the request are not lost,
// wherever they are cut.
func TestAcceptEarly(t *testing.T) {
	early := encode(t, frame.Client, frame.FIN, frame.OpText, []byte("first"))
	early = append(early, encode(t, frame.Client, frame.FIN, frame.OpText, bytes.Repeat([]byte("2"), 5000))...)
	stream := append([]byte(upgradeRequest), early...)
	cuts := []int{0, len(upgradeRequest) - 1}
	for i := range 30 {
		cuts = append(cuts, len(upgradeRequest)+i)
	}
	for _, d := range []door{overHTTP, bare} {
		for _, cut := range append(cuts, len(stream)-1, len(stream)) {
			synctest.Test(t, func(t *testing.T) {
				l := conntest.Listen()
				messages := make(chan string, 2)
				s := &conn.Server{Handler: func(c *conn.Conn) {
					for range 2 {
						_, p, err := c.ReadMessage(t.Context())
						if err != nil {
							t.Error(err)
						}
						messages <- string(p)
					}
					if n := c.Stats().EarlyOctets; d.name == bare.name && cut >= len(upgradeRequest) && cut < len(upgradeRequest)+30 && n != uint64(cut-len(upgradeRequest)) {
						t.Errorf("cut at %d: %d early octets", cut-len(upgradeRequest), n)
					}
				}}
				go d.serve(l, s)
				nc, err := l.Dial(t.Context(), "", "")
				if err != nil {
					t.Fatal(err)
				}
				go io.Copy(io.Discard, nc)
				nc.Write(stream[:cut])
				synctest.Wait()
				nc.Write(stream[cut:])
				if a, b := <-messages, <-messages; a != "first" || b != strings.Repeat("2", 5000) {
					t.Errorf("%s: cut at %d: received %q, %q", d.name, cut-len(upgradeRequest), a, short([]byte(b)))
				}
				synctest.Wait()
				nc.Close()
				l.Close()
			})
		}
	}
}

// TestOnRequest: the hook chooses the answer.
func TestOnRequest(t *testing.T) {
	tests := []struct {
		name   string
		answer conn.Answer
		err    error
		status int
		fields map[string]string
		body   string
	}{
		{name: "subprotocol, fields and data", answer: conn.Answer{
			Subprotocol: "b", Header: http.Header{"Set-Cookie": {"a=1", "b=2"}, "X-Y": {"z"}}, Data: "user",
		}, status: 101, fields: map[string]string{"Sec-Websocket-Protocol": "b", "Set-Cookie": "a=1|b=2", "X-Y": "z"}},
		{name: "a subprotocol that was not offered", answer: conn.Answer{Subprotocol: "c"}, status: 500},
		{name: "RefusedError", err: &conn.RefusedError{Status: 401, Header: http.Header{"Www-Authenticate": {"Basic"}}, Body: "who are you?"},
			status: 401, fields: map[string]string{"Www-Authenticate": "Basic"}, body: "who are you?"},
		{name: "wrapped RefusedError", err: fmt.Errorf("hook: %w", &conn.RefusedError{Status: 429}), status: 429, body: "Too Many Requests"},
		{name: "zero RefusedError", err: &conn.RefusedError{}, status: 403, body: "Forbidden"},
		{name: "another error", err: errWhy, status: 500, body: "Internal Server Error"},
		{name: "status that refuses nothing", err: &conn.RefusedError{Status: 200}, status: 500},
		{name: "status that is none", err: &conn.RefusedError{Status: 42}, status: 500},
		{name: "status of four digits", err: &conn.RefusedError{Status: 1000}, status: 500},
		{name: "H15 CR LF in a field", answer: conn.Answer{Header: http.Header{"X-Y": {"a\r\nSet-Cookie: b=c"}}}, status: 500},
		{name: "H15 CR LF in a subprotocol", answer: conn.Answer{Subprotocol: "b\r\nA: b"}, status: 500},
		{name: "H15 field of the handshake", answer: conn.Answer{Header: http.Header{"Sec-Websocket-Accept": {"a"}}}, status: 500},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, d := range []door{overHTTP, bare} {
				o := conn.AcceptOptions{OnRequest: func(r *handshake.Request) (conn.Answer, error) {
					if r.Target != "/chat" || r.Host != "server.example.com" {
						t.Errorf("the hook got %+v", r)
					}
					return tt.answer, tt.err
				}}
				call(t, d, o, func(t *testing.T, c *caller) {
					io.WriteString(c.nc, change("+Sec-WebSocket-Protocol: a, b"))
					var r *http.Response
					if tt.status == http.StatusSwitchingProtocols {
						var sc *conn.Conn
						r, sc = c.expectAccepted()
						if sc.Data() != tt.answer.Data || sc.Subprotocol() != "b" {
							t.Errorf("Data %v, Subprotocol %q", sc.Data(), sc.Subprotocol())
						}
					} else {
						r = c.expectRefusal(tt.status, true)
					}
					for name, want := range tt.fields {
						if got := strings.Join(r.Header[name], "|"); got != want {
							t.Errorf("%s: %q, want %q", name, got, want)
						}
					}
					if r.Header.Get("Set-Cookie") == "b=c" {
						t.Error("the response was split")
					}
				})
			}
		})
	}
}

// TestRequireSubprotocol: without one in common the answer is 400.
func TestRequireSubprotocol(t *testing.T) {
	o := conn.AcceptOptions{Subprotocols: []string{"chat"}, RequireSubprotocol: true}
	for _, d := range []door{overHTTP, bare} {
		call(t, d, o, func(t *testing.T, c *caller) {
			io.WriteString(c.nc, change("+Sec-WebSocket-Protocol: news"))
			c.expectRefusal(400, true)
		})
	}
}

// TestBadOriginPattern: a mistake in the options is an error of the server.
func TestBadOriginPattern(t *testing.T) {
	for _, d := range []door{overHTTP, bare} {
		call(t, d, conn.AcceptOptions{Origins: []string{"*"}}, func(t *testing.T, c *caller) {
			io.WriteString(c.nc, upgradeRequest)
			c.expectRefusal(500, true)
		})
	}
}

// An opaque writer hides everything behind it.
type opaque struct{ http.ResponseWriter }

// A wrapped writer can be looked behind.
type wrapped struct{ http.ResponseWriter }

func (w wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// TestAcceptBehindMiddleware: what stands between net/http and Accept, and what
// becomes of it.
func TestAcceptBehindMiddleware(t *testing.T) {
	mux := func(pattern string) func(http.Handler) http.Handler {
		return func(h http.Handler) http.Handler {
			m := http.NewServeMux()
			m.Handle(pattern, h)
			return m
		}
	}
	tests := []struct {
		name   string
		wrap   func(http.Handler) http.Handler
		status int
		text   string // in the error
	}{
		{name: "ServeMux", wrap: mux("GET /chat"), status: 101},
		{name: "ServeMux with host", wrap: mux("GET server.example.com/{room}"), status: 101},
		{name: "StripPrefix", wrap: func(h http.Handler) http.Handler { return http.StripPrefix("/chat", h) }, status: 101},
		{name: "MaxBytesHandler", wrap: func(h http.Handler) http.Handler { return http.MaxBytesHandler(h, 1) }, status: 101},
		{name: "AllowQuerySemicolons", wrap: http.AllowQuerySemicolons, status: 101},
		{name: "CrossOriginProtection", wrap: http.NewCrossOriginProtection().Handler, status: 101},
		{name: "Unwrap", wrap: func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(wrapped{wrapped{w}}, r) })
		}, status: 101},
		{name: "H25 opaque", wrap: func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(wrapped{opaque{w}}, r) })
		}, status: 501, text: "conn_test.opaque"},
		{name: "H25 TimeoutHandler", wrap: func(h http.Handler) http.Handler { return http.TimeoutHandler(h, time.Hour, "") },
			status: 501, text: "http.timeoutWriter"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := conntest.Listen()
				defer l.Close()
				hub := &conn.Hub{MaxConns: 1}
				accept := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("X-Kept", "yes")
					w.Header().Set("Content-Type", "text/html")
					c, err := conn.Accept(w, r, &conn.AcceptOptions{Hub: hub})
					if err == nil {
						c.CloseNow()
					}
					if (err == nil) != (tt.status == 101) {
						t.Errorf("Accept = %v", err)
					}
					if tt.text != "" && (!errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), tt.text)) {
						t.Errorf("Accept = %v, want ErrUnsupported that names %s", err, tt.text)
					}
				})
				go http.Serve(l, tt.wrap(accept))
				nc, err := l.Dial(t.Context(), "", "")
				if err != nil {
					t.Fatal(err)
				}
				defer nc.Close()
				io.WriteString(nc, upgradeRequest)
				r, err := http.ReadResponse(bufio.NewReader(nc), nil)
				if err != nil {
					t.Fatal(err)
				}
				if r.StatusCode != tt.status || r.Header.Get("X-Kept") != "yes" {
					t.Errorf("answer %s, X-Kept: %q", r.Status, r.Header.Get("X-Kept"))
				}
				if tt.status == 101 && r.Header.Get("Content-Type") != "" {
					t.Errorf("a 101 has Content-Type: %s", r.Header.Get("Content-Type"))
				}
				synctest.Wait()
				checkMembers(t, hub) // and the place was given back
			})
		})
	}
}

// TestAcceptHeaderOfMiddleware: a field that cannot be sent is refused, by whoever it was set.
func TestAcceptHeaderOfMiddleware(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := conntest.Listen()
		defer l.Close()
		go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Y", "a\r\nSet-Cookie: b=c")
			if _, err := conn.Accept(w, r, nil); !errors.Is(err, handshake.ErrField) {
				t.Errorf("Accept = %v, want handshake.ErrField", err)
			}
		}))
		nc, err := l.Dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		io.WriteString(nc, upgradeRequest)
		r, err := http.ReadResponse(bufio.NewReader(nc), nil)
		if err != nil || r.StatusCode != 500 || r.Header.Get("Set-Cookie") != "" {
			t.Errorf("answer %v, %v", r, err)
		}
	})
}

// TestAcceptContentFieldsOfMiddleware: fields about a content that is not sent do
// not spoil a refusal.
func TestAcceptContentFieldsOfMiddleware(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := conntest.Listen()
		defer l.Close()
		go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "3")
			w.Header().Set("Content-Encoding", "gzip")
			conn.Accept(w, r, nil)
		}))
		nc, err := l.Dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		io.WriteString(nc, change("-Sec-WebSocket-Key"))
		r, err := http.ReadResponse(bufio.NewReader(nc), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || len(body) < 10 || r.Header.Get("Content-Encoding") != "" {
			t.Errorf("refusal with %v: %q, %v", r.Header, body, err)
		}
	})
}

// TestAcceptContext: the connection has the values of the request's context, and
// not its end; the timeouts of the http.Server are off.
func TestAcceptContext(t *testing.T) {
	type key struct{}
	synctest.Test(t, func(t *testing.T) {
		l := conntest.Listen()
		defer l.Close()
		accepted := make(chan *conn.Conn, 1)
		s := &http.Server{
			ReadTimeout: time.Second, WriteTimeout: time.Second, IdleTimeout: time.Second,
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r = r.WithContext(context.WithValue(r.Context(), key{}, "value"))
				c, err := conn.Accept(w, r, &conn.AcceptOptions{Options: conn.Options{PingInterval: conn.NoLimit}})
				if err != nil {
					t.Error(err)
				}
				accepted <- c
			}),
		}
		go s.Serve(l)
		nc, err := l.Dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		io.WriteString(nc, upgradeRequest)
		c := <-accepted
		ctx := c.Context()
		if v := ctx.Value(key{}); v != "value" {
			t.Errorf("Context has %v", v)
		}
		time.Sleep(time.Hour)
		nc.Write(encode(t, frame.Client, frame.FIN, frame.OpText, []byte("late")))
		checkRead(t, c, frame.OpText, "late")
		if ctx.Err() != nil {
			t.Error("the context of the connection ended with the handler")
		}
		c.CloseNow()
		checkEnd(t, context.Cause(ctx), conn.Local, frame.CloseAbnormalClosure, "", conn.ErrCloseNow)
	})
}

// TestAcceptDeadClient: the response is not waited for longer than
// Options.HandshakeTimeout.
func TestAcceptDeadClient(t *testing.T) {
	for _, d := range []door{overHTTP, bare} {
		t.Run(d.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := conntest.Pipe(0)
				stalled := conntest.Inject(a, conntest.Faults{Write: conntest.Flow{After: 50, Then: conntest.Stall}})
				l := newOneListener(stalled)
				s := &conn.Server{Handler: func(*conn.Conn) { t.Error("the handler was called") }}
				go d.serve(l, s)
				io.WriteString(b, upgradeRequest)
				start := time.Now()
				n, err := io.Copy(io.Discard, b)
				if n != 50 || time.Since(start) != 10*time.Second {
					t.Errorf("client got %d octets, %v after %v; want 50 and the end after 10s", n, err, time.Since(start))
				}
				l.Close()
			})
		})
	}
}

// A oneListener accepts one connection.
type oneListener struct {
	*conntest.Listener
	conns chan net.Conn
}

func newOneListener(nc net.Conn) *oneListener {
	l := &oneListener{conntest.Listen(), make(chan net.Conn, 1)}
	l.conns <- nc
	return l
}

func (l *oneListener) Accept() (net.Conn, error) {
	select {
	case nc := <-l.conns:
		return nc, nil
	default:
		return l.Listener.Accept()
	}
}
