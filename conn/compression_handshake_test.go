package conn_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

var (
	both = deflate.Config{ServerContextTakeover: deflate.Takeover, ClientContextTakeover: deflate.Takeover}
	ten  = deflate.Config{ServerContextTakeover: deflate.Takeover, ClientContextTakeover: deflate.Takeover, ServerMaxWindowBits: 10, ClientMaxWindowBits: 10}
)

// upgrade sends a request with offers to a server, and returns the status, the
// Sec-WebSocket-Extensions of its answer and the connection, if there is one.
func upgrade(t *testing.T, o *conn.AcceptOptions, offers ...string) (status int, answer []string, c *conn.Conn, p *peer) {
	t.Helper()
	end, p := newPeer(t, frame.Server, 0)
	accepted := make(chan *conn.Conn, 1)
	go func() {
		c, _ := conn.AcceptConn(t.Context(), end, o)
		accepted <- c
	}()
	extra := http.Header{"Sec-Websocket-Extensions": offers}
	var request strings.Builder
	request.WriteString("GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n")
	for name, value := range handshake.Lines(extra) {
		request.WriteString(name + ": " + value + "\r\n")
	}
	p.write([]byte(request.String() + "\r\n"))
	var head []byte
	for b := make([]byte, 1); !strings.HasSuffix(string(head), "\r\n\r\n"); head = append(head, b[0]) {
		if _, err := p.Read(b); err != nil {
			t.Fatalf("response %q, then %v", head, err)
		}
	}
	var parser handshake.Parser
	r, _, err := parser.ParseResponse(head)
	if err != nil {
		t.Fatal(err)
	}
	if c = <-accepted; c != nil {
		t.Cleanup(func() { c.CloseNow() })
	}
	return r.Status, r.Header.Values("Sec-Websocket-Extensions"), c, p
}

func TestCompressionAccept(t *testing.T) {
	off := func(*handshake.Request) *conn.Compression { return nil }
	on := func(r *handshake.Request) *conn.Compression {
		if r.Header.Values("Sec-Websocket-Extensions") == nil {
			return nil
		}
		return &conn.Compression{Config: ten}
	}
	with := func(c deflate.Config) *conn.AcceptOptions {
		return &conn.AcceptOptions{Options: conn.Options{Compression: &conn.Compression{Config: c}}}
	}
	decided := func(choose func(*handshake.Request) *conn.Compression, o *conn.AcceptOptions) *conn.AcceptOptions {
		o.CompressionFor = choose
		return o
	}
	tests := []struct {
		name    string
		options *conn.AcceptOptions
		offers  []string
		answer  []string
		status  int
	}{
		{"off", nil, []string{"permessage-deflate"}, nil, 101},
		{"not offered", with(both), nil, nil, 101},
		{"another extension", with(both), []string{"x-webkit-deflate-frame"}, nil, 101},
		{"Chromium", with(both), []string{"permessage-deflate; client_max_window_bits"}, []string{"permessage-deflate"}, 101},
		{"Chromium, small windows", with(ten), []string{"permessage-deflate; client_max_window_bits"},
			[]string{"permessage-deflate; server_max_window_bits=10; client_max_window_bits=10"}, 101},
		{"Firefox, small windows", with(ten), []string{"permessage-deflate"},
			[]string{"permessage-deflate; client_no_context_takeover; server_max_window_bits=10"}, 101},
		{"no takeover", with(deflate.Config{}), []string{"permessage-deflate"},
			[]string{"permessage-deflate; server_no_context_takeover; client_no_context_takeover"}, 101},
		{"window of the server", with(both), []string{"permessage-deflate; server_max_window_bits=8"},
			[]string{"permessage-deflate; server_max_window_bits=8"}, 101},
		{"first offer declined", with(both), []string{"permessage-deflate; foo, permessage-deflate; server_max_window_bits=16, permessage-deflate; server_no_context_takeover=1, permessage-deflate; server_max_window_bits=9"},
			[]string{"permessage-deflate; server_max_window_bits=9"}, 101},
		{"several lines", with(both), []string{"foo, permessage-deflate; server_max_window_bits=7", "permessage-deflate; server_max_window_bits=12"},
			[]string{"permessage-deflate; server_max_window_bits=12"}, 101},
		{"all declined", with(both), []string{"permessage-deflate; server_no_context_takeover; server_no_context_takeover"}, nil, 101},
		{"malformed", with(both), []string{"permessage-deflate; =10"}, nil, 400},
		{"switched off for the request", decided(off, with(both)), []string{"permessage-deflate"}, nil, 101},
		{"switched on for the request", decided(on, &conn.AcceptOptions{}), []string{"permessage-deflate; client_max_window_bits=9"},
			[]string{"permessage-deflate; server_max_window_bits=10; client_max_window_bits=9"}, 101},
		{"window bits out of range", with(deflate.Config{ServerMaxWindowBits: 16}), []string{"permessage-deflate"}, nil, 500},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				status, answer, c, p := upgrade(t, tt.options, tt.offers...)
				if status != tt.status {
					t.Fatalf("status %d, want %d", status, tt.status)
				}
				if diff := cmp.Diff(tt.answer, answer); diff != "" {
					t.Errorf("answer mismatch (-want +got):\n%s", diff)
				}
				if c == nil {
					return
				}
				agreed, err := handshake.ParseExtensions(answer)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(agreed, c.Extensions()); diff != "" {
					t.Errorf("Extensions mismatch (-want +got):\n%s", diff)
				}
				r := receive(c)
				p.send("c107:f248cdc9c90700")
				if len(answer) == 0 {
					p.expectFailure(frame.CloseProtocolError)
				} else {
					p.closes(frame.CloseNormalClosure, "")
				}
				<-r
			})
		})
	}
}

func TestCompressionDial(t *testing.T) {
	tests := []struct {
		name   string
		config *deflate.Config
		answer string
		offer  string
		err    error
	}{
		{"off", nil, "", "", nil},
		{"not answered", &both, "", "permessage-deflate; client_max_window_bits", nil},
		{"answered", &both, "permessage-deflate", "permessage-deflate; client_max_window_bits", nil},
		{"with parameters", &ten, "permessage-deflate; server_max_window_bits=9; client_max_window_bits=8; client_no_context_takeover",
			"permessage-deflate; server_max_window_bits=10; client_max_window_bits=10", nil},
		{"no takeover", &deflate.Config{}, "permessage-deflate; server_no_context_takeover",
			"permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits", nil},
		{"not offered", nil, "permessage-deflate", "", handshake.ErrExtension},
		{"another extension", &both, "foo", "permessage-deflate; client_max_window_bits", handshake.ErrExtension},
		{"twice", &both, "permessage-deflate, permessage-deflate", "permessage-deflate; client_max_window_bits", handshake.ErrExtension},
		{"unknown parameter", &both, "permessage-deflate; foo", "permessage-deflate; client_max_window_bits", deflate.ErrAnswer},
		{"out of range", &both, "permessage-deflate; server_max_window_bits=16", "permessage-deflate; client_max_window_bits", deflate.ErrAnswer},
		{"no value", &both, "permessage-deflate; client_max_window_bits", "permessage-deflate; client_max_window_bits", deflate.ErrAnswer},
		{"larger window", &ten, "permessage-deflate; server_max_window_bits=11", "permessage-deflate; server_max_window_bits=10; client_max_window_bits=10", deflate.ErrAnswer},
		{"takeover not given up", &deflate.Config{}, "permessage-deflate",
			"permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits", deflate.ErrAnswer},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &conn.DialOptions{}
				if tt.config != nil {
					o.Compression = &conn.Compression{Config: *tt.config}
				}
				end, other := conntest.Pipe(0)
				defer other.Reset()
				go func() {
					var parser handshake.Parser
					var head []byte
					for {
						b := make([]byte, 1)
						if _, err := other.Read(b); err != nil {
							t.Error(err)
							return
						}
						head = append(head, b[0])
						r, n, err := parser.ParseRequest(head)
						if err != nil {
							t.Error(err)
							return
						}
						if n == 0 {
							continue
						}
						if got := strings.Join(r.Header.Values("Sec-Websocket-Extensions"), "; "); !sameExtensions(got, tt.offer) {
							t.Errorf("offer %q, want %q", got, tt.offer)
						}
						response := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
							"Sec-WebSocket-Accept: " + handshake.Accept(r.Key()) + "\r\n"
						if tt.answer != "" {
							response += "Sec-WebSocket-Extensions: " + tt.answer + "\r\n"
						}
						other.Write([]byte(response + "\r\n"))
						return
					}
				}()
				c, err := conn.DialConn(t.Context(), end, "ws://example.com/", o)
				if !errors.Is(err, tt.err) {
					t.Fatalf("DialConn: %v, want %v", err, tt.err)
				}
				if err != nil {
					return
				}
				defer c.CloseNow()
				want, err := handshake.ParseExtensions([]string{tt.answer})
				if tt.answer == "" {
					want, err = nil, nil
				}
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, c.Extensions()); diff != "" {
					t.Errorf("Extensions mismatch (-want +got):\n%s", diff)
				}
			})
		})
	}
	o := &conn.DialOptions{Options: conn.Options{Compression: &conn.Compression{Config: deflate.Config{ClientMaxWindowBits: 7}}}}
	if _, err := conn.Dial(t.Context(), "ws://127.0.0.1:1/", o); !errors.Is(err, deflate.ErrWindowBits) {
		t.Errorf("Dial = %v, want ErrWindowBits", err)
	}
}

// sameExtensions compares lists whose parameters may be in any order.
func sameExtensions(a, b string) bool {
	parts := func(s string) map[string]bool {
		m := map[string]bool{}
		for p := range strings.SplitSeq(s, ";") {
			m[strings.TrimSpace(p)] = true
		}
		return m
	}
	return cmp.Equal(parts(a), parts(b))
}

// A peer that keeps its context although it promised not to is understood where
// that is wanted.
func TestCompressionTolerateTakeover(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openDeflate(t, role, alone, &conn.Options{Compression: &conn.Compression{TolerateTakeover: true}})
		p.send("c107:f248cdc9c90700 c105:f200110000")
		checkRead(t, c, frame.OpText, "Hello")
		checkRead(t, c, frame.OpText, "Hello")
	})
}

// Over HTTP/2 the answer is a field of the response, too (RFC 8441, Section 5.1).
func TestCompressionAcceptHTTP2(t *testing.T) {
	for _, offer := range []string{"permessage-deflate; server_max_window_bits=9", "foo"} {
		r := httptest.NewRequest("CONNECT", "/", http.NoBody)
		r.ProtoMajor = 2
		r.Host = "example.com"
		r.ContentLength = -1
		r.Header = http.Header{":protocol": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Extensions": {offer}}
		w := httptest.NewRecorder()
		c, err := conn.Accept(w, r, &conn.AcceptOptions{Options: conn.Options{Compression: &conn.Compression{Config: both}}})
		if err != nil {
			t.Fatal(err)
		}
		c.CloseNow()
		var want []string
		if offer != "foo" {
			want = []string{offer}
		}
		if diff := cmp.Diff(want, w.Result().Header["Sec-Websocket-Extensions"]); diff != "" {
			t.Errorf("answer mismatch (-want +got):\n%s", diff)
		}
	}
}
