package engineio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/socketio/engineio"
	"example.org/rfc6455/socketio/engineio/codec"
	"github.com/google/go-cmp/cmp"
)

// A collector notes what comes.
type collector struct {
	log *journal
}

func (c collector) Message(s *engineio.Session, binary bool, data []byte) {
	if binary {
		c.log.add("#%x", data)
		return
	}
	c.log.add("%s", data)
}

func (c collector) Closed(s *engineio.Session, reason engineio.CloseReason, err error) {
	c.log.add("closed: %s", reason)
}

// connect dials the world's server and notes what comes in the journal.
func (w *world) connect(o engineio.DialOptions) (*engineio.Session, *journal) {
	w.t.Helper()
	log := new(journal)
	if o.NetDial == nil {
		o.NetDial = w.listener.Dial
	}
	o.Handler = func(*engineio.Session) engineio.Receiver { return collector{log} }
	s, err := engineio.Dial(context.Background(), "http://example.com", &o)
	if err != nil {
		w.t.Fatal(err)
	}
	return s, log
}

func text(s string) *engineio.Packet { return engineio.NewPacket(false, []byte(s)) }

func octets(s string) *engineio.Packet { return engineio.NewPacket(true, []byte(s)) }

var bothTransports = []engineio.Transport{engineio.Polling, engineio.WebSocket}

// variants are the ways to have a session.
var variants = []struct {
	name  string
	dial  engineio.DialOptions
	ends  engineio.Transport // what it uses in the end
	first engineio.Transport // what it begins with
}{
	{"polling", engineio.DialOptions{Transports: bothTransports[:1]}, engineio.Polling, engineio.Polling},
	{"websocket", engineio.DialOptions{Transports: bothTransports[1:]}, engineio.WebSocket, engineio.WebSocket},
	{"upgrade", engineio.DialOptions{}, engineio.WebSocket, engineio.Polling},
	{"polling 3", engineio.DialOptions{EIO3: true, Transports: bothTransports[:1]}, engineio.Polling, engineio.Polling},
	{"websocket 3", engineio.DialOptions{EIO3: true, Transports: bothTransports[1:]}, engineio.WebSocket, engineio.WebSocket},
	{"upgrade 3", engineio.DialOptions{EIO3: true}, engineio.WebSocket, engineio.Polling},
}

func TestDial(t *testing.T) {
	for _, v := range variants {
		inBubble(t, v.name, func(t *testing.T) {
			w := serve(t, &engineio.Options{EIO3: true}, nil)
			s, log := w.connect(v.dial)
			peer := <-w.sessions
			if s.ID() != peer.ID() || s.Protocol() != peer.Protocol() || s.RemoteAddr() != "example.com" || s.Request() != nil {
				t.Errorf("client %s %v %s %v, server %s %v", s.ID(), s.Protocol(), s.RemoteAddr(), s.Request(), peer.ID(), peer.Protocol())
			}
			if err := s.Send(text("a"), octets("\x01\x02"), text("ü")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			if got, want := log.take(), "a; #0102; ü"; got != want {
				t.Errorf("received %s, want %s", got, want)
			}
			if s.Transport() != v.ends || peer.Transport() != v.ends {
				t.Errorf("the transports are %s and %s, want %s", s.Transport(), peer.Transport(), v.ends)
			}
			time.Sleep(10 * time.Minute) // heartbeats
			s.Send(text("b"))
			time.Sleep(time.Second)
			w.log.take()
			if got := log.take(); got != "b" {
				t.Errorf("received %s, want b", got)
			}
			s.Close("")
			time.Sleep(time.Second)
			if got := log.take() + ", " + w.log.take(); got != "closed: forced close, closed: transport close" {
				t.Errorf("the ends: %s", got)
			}
			if err := s.Send(text("c")); err != engineio.ErrClosed {
				t.Errorf("Send after the end: %v", err)
			}
			time.Sleep(time.Minute)
			if n := w.server.Len(); n != 0 {
				t.Errorf("%d sessions are left", n)
			}
		})
	}
}

// TestServerCloses: the client is told, however it is connected.
func TestServerCloses(t *testing.T) {
	for _, v := range variants {
		inBubble(t, v.name, func(t *testing.T) {
			w := serve(t, &engineio.Options{EIO3: true}, nil)
			_, log := w.connect(v.dial)
			peer := <-w.sessions
			time.Sleep(time.Second)
			peer.Send(text("last"))
			peer.Close("")
			time.Sleep(time.Second)
			if got := log.take() + ", " + w.log.take(); got != "last; closed: transport close, closed: forced close" {
				t.Errorf("the ends: %s", got)
			}
		})
	}
}

// TestFlood: thousands of messages both ways arrive, in order, while the transport
// changes.
func TestFlood(t *testing.T) {
	const n = 1000
	for _, v := range variants {
		inBubble(t, v.name, func(t *testing.T) {
			w := serve(t, &engineio.Options{EIO3: true, MaxQueuedPackets: engineio.NoLimit}, nil)
			v.dial.MaxQueuedPackets = engineio.NoLimit
			s, log := w.connect(v.dial)
			for i := range n {
				if err := s.Send(text(fmt.Sprint(i))); err != nil {
					t.Fatal(err)
				}
				if i%50 == 0 {
					time.Sleep(time.Millisecond)
				}
			}
			time.Sleep(time.Second)
			want := new(journal)
			for i := range n {
				want.add("%d", i)
			}
			if got := log.take(); got != want.take() {
				t.Errorf("received %.200s…", got)
			}
			s.Close("")
			synctest.Wait()
		})
	}
}

// TestDialErrors: each way not to get a session.
func TestDialErrors(t *testing.T) {
	refuse := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	polling, websocket := bothTransports[:1], bothTransports[1:]
	tests := []struct {
		name    string
		url     string
		server  http.Handler // a server of our own if nil
		options engineio.DialOptions
		want    error // matched by errors.Is or, for *RefusedError, compared
	}{
		{name: "no URL", url: "::", want: conn.ErrURL},
		{name: "no host", url: "http:///x", want: conn.ErrURL},
		{name: "another scheme", url: "ftp://example.com", want: conn.ErrURL},
		{name: "another transport", options: engineio.DialOptions{Transports: []engineio.Transport{"tcp"}}, want: errors.ErrUnsupported},
		{name: "no server", server: refuse(404, "not found"), want: &engineio.RefusedError{Status: 404, Code: engineio.BadRequest}},
		{name: "redirect", server: http.RedirectHandler("/elsewhere", 307), want: &engineio.RefusedError{Status: 307, Code: engineio.BadRequest}},
		{name: "refused", server: &engineio.Server{Options: &engineio.Options{
			AllowRequest: func(*http.Request) error { return &engineio.RefusedError{Message: "no"} }}},
			want: &engineio.RefusedError{Status: 403, Code: engineio.Forbidden, Message: "no"}},
		{name: "refused a WebSocket", options: engineio.DialOptions{Transports: websocket}, server: refuse(401, "who is it?"),
			want: &engineio.RefusedError{Status: 401, Code: engineio.BadRequest, Message: "who is it?"}},
		{name: "refused revision 3", options: engineio.DialOptions{EIO3: true},
			want: &engineio.RefusedError{Status: 400, Code: engineio.UnsupportedProtocol, Message: "Unsupported protocol version"}},
		{name: "message first", server: refuse(200, "4hello"), want: &engineio.RefusedError{Status: 200, Code: engineio.BadRequest, Message: "no handshake"}},
		{name: "nothing", options: engineio.DialOptions{EIO3: true}, server: refuse(200, "0:"), want: &engineio.RefusedError{Status: 200, Code: engineio.BadRequest, Message: "no handshake"}},
		{name: "no payload", server: refuse(200, "hello"), want: codec.ErrType},
		{name: "empty handshake", server: refuse(200, "0{}"), want: &engineio.RefusedError{Status: 200, Code: engineio.BadRequest, Message: "incomplete handshake"}},
		{name: "too long", options: engineio.DialOptions{MaxPayload: 10}, server: refuse(200, strings.Repeat("4", 11))},
		{name: "handshake that is none", server: refuse(200, "0["), want: nil},
		{name: "silence", server: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), want: context.DeadlineExceeded},
		{name: "silence of a WebSocket", options: engineio.DialOptions{Transports: websocket},
			server: &conn.Server{Handler: func(c *conn.Conn) { c.Discard(context.Background()) }}, want: context.DeadlineExceeded},
		{name: "message first over a WebSocket", options: engineio.DialOptions{Transports: websocket},
			server: &conn.Server{Handler: func(c *conn.Conn) { c.WriteMessage(context.Background(), frame.OpText, []byte("4")) }},
			want:   &engineio.RefusedError{Status: 200, Code: engineio.BadRequest, Message: "no handshake"}},
		{name: "no packet over a WebSocket", options: engineio.DialOptions{Transports: websocket},
			server: &conn.Server{Handler: func(c *conn.Conn) { c.WriteMessage(context.Background(), frame.OpText, nil) }}, want: codec.ErrType},
		{name: "end of a WebSocket", options: engineio.DialOptions{Transports: websocket},
			server: &conn.Server{Handler: func(c *conn.Conn) {}}, want: net.ErrClosed},
		{name: "neither transport", options: engineio.DialOptions{TryAllTransports: true}, server: refuse(403, "no"),
			want: &engineio.RefusedError{Status: 403, Code: engineio.BadRequest}},
		{name: "polling that is off", options: engineio.DialOptions{Transports: polling}, server: &engineio.Server{Options: &engineio.Options{Transports: websocket}},
			want: &engineio.RefusedError{Status: 400, Code: engineio.UnknownTransport, Message: "Transport unknown"}},
	}
	for _, tt := range tests {
		inBubble(t, tt.name, func(t *testing.T) {
			w := serve(t, nil, nil)
			if tt.server != nil {
				w.reserve(&http.Server{Handler: tt.server})
			}
			url := tt.url
			if url == "" {
				url = "http://example.com"
			}
			tt.options.NetDial = w.listener.Dial
			s, err := engineio.Dial(context.Background(), url, &tt.options)
			if s != nil || err == nil {
				t.Fatalf("Dial = %v, %v", s, err)
			}
			if want, ok := tt.want.(*engineio.RefusedError); ok {
				got, _ := errors.AsType[*engineio.RefusedError](err)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("error %v (-want +got):\n%s", err, diff)
				}
			} else if tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("Dial = %v, want %v", err, tt.want)
			}
			time.Sleep(time.Minute)
		})
	}
}

// TestDialFallsBack: the next transport is tried.
func TestDialFallsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, &engineio.Options{Transports: bothTransports[:1]}, nil)
		s, _ := w.connect(engineio.DialOptions{Transports: []engineio.Transport{engineio.WebSocket, engineio.Polling}, TryAllTransports: true})
		if s.Transport() != engineio.Polling {
			t.Errorf("the session is on %s", s.Transport())
		}
		s.Close("")
		synctest.Wait()
	})
}

// TestDialCanceled: the error is the cause.
func TestDialCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(cause)
		w := serve(t, nil, nil)
		if _, err := engineio.Dial(ctx, "http://example.com", &engineio.DialOptions{NetDial: w.listener.Dial}); !errors.Is(err, cause) {
			t.Errorf("Dial = %v, want %v", err, cause)
		}
	})
}

// TestDialDetails: what requests carry.
func TestDialDetails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var seen []string
		w := serve(t, &engineio.Options{Cookie: &http.Cookie{}, Headers: func(_ http.Header, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			cookie := ""
			if c, err := r.Cookie("io"); err == nil && c.Value != "" {
				cookie = "cookie"
			}
			q := r.URL.Query()
			seen = append(seen, strings.Join([]string{r.Method, r.URL.Path, q.Get("transport"), q.Get("room"), r.Header.Get("X-Token"), cookie}, " "))
		}}, nil)
		s, err := engineio.Dial(context.Background(), "ws://example.com/a/path?room=b&sid=c", &engineio.DialOptions{
			Header: http.Header{"x-token": {"d"}, "X-Token": {"d"}},
			HTTP:   w.http, NetDial: w.listener.late,
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Send(text("a"))
		time.Sleep(time.Second)
		s.Close("")
		time.Sleep(time.Second)
		mu.Lock()
		defer mu.Unlock()
		slices.Sort(seen)
		want := []string{
			"GET /a/path polling b d ",
			"GET /a/path polling b d cookie",
			"GET /a/path websocket b d cookie",
			"POST /a/path polling b d cookie",
		}
		if diff := cmp.Diff(want, slices.Compact(seen)); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	})
}

// TestClientIsCut: the server vanishes, or answers nonsense.
func TestClientIsCut(t *testing.T) {
	for _, v := range variants {
		inBubble(t, v.name, func(t *testing.T) {
			w := serve(t, &engineio.Options{EIO3: true}, nil)
			s, log := w.connect(v.dial)
			time.Sleep(time.Second)
			w.reserve(&http.Server{Handler: http.NotFoundHandler()}) // resets nothing on a WebSocket
			s.Send(text("a"))
			(<-w.sessions).Close("")
			time.Sleep(time.Minute)
			got := log.take()
			if want := map[engineio.Transport]string{engineio.Polling: "closed: transport error", engineio.WebSocket: "a; closed: transport close"}[v.ends]; got != want && "a; "+got != want {
				t.Errorf("the client saw %q, want %q", got, want)
			}
		})
	}
}

// TestErrorsAreSilentAboutIDs: the id of a session is in no error.
func TestErrorsAreSilentAboutIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, nil, nil)
		ended := make(chan error, 1)
		s, err := engineio.Dial(context.Background(), "http://example.com", &engineio.DialOptions{
			NetDial: w.listener.Dial, NoUpgrade: true,
			Handler: func(*engineio.Session) engineio.Receiver {
				return receiver{closed: func(_ *engineio.Session, _ engineio.CloseReason, err error) { ended <- err }}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.front.Close()
		if err := <-ended; err == nil || strings.Contains(err.Error(), s.ID()) || strings.Contains(err.Error(), "sid=") {
			t.Errorf("the session ended with %v", err)
		}
	})
}

// TestClientUpgradeFails: the session goes on polling.
func TestClientUpgradeFails(t *testing.T) {
	tests := []struct {
		name string
		ws   http.Handler // for what asks for a WebSocket
	}{
		{"refused", http.NotFoundHandler()},
		{"no answer to the probe", &conn.Server{Handler: func(c *conn.Conn) { c.Discard(context.Background()) }}},
		{"wrong answer to the probe", &conn.Server{Handler: func(c *conn.Conn) {
			c.WriteMessage(context.Background(), frame.OpText, []byte("3"))
			c.Discard(context.Background())
		}}},
		{"closed at once", &conn.Server{Handler: func(*conn.Conn) {}}},
		{"answer to the probe without an end of the poll", &conn.Server{Handler: func(c *conn.Conn) {
			c.WriteMessage(context.Background(), frame.OpText, []byte("3probe"))
			c.Discard(context.Background())
		}}},
	}
	for _, tt := range tests {
		inBubble(t, tt.name, func(t *testing.T) {
			w := serve(t, nil, nil)
			w.reserve(&http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Upgrade") != "" {
					tt.ws.ServeHTTP(rw, r)
					return
				}
				w.server.ServeHTTP(rw, r)
			})})
			s, log := w.connect(engineio.DialOptions{HTTP: w.http, NetDial: w.listener.late})
			time.Sleep(5 * time.Second)
			s.Send(text("a")) // waits if polling is paused
			time.Sleep(10 * time.Second)
			s.Send(text("b"))
			time.Sleep(time.Second)
			if got := log.take(); got != "a; b" {
				t.Errorf("the client received %q", got)
			}
			if s.Transport() != engineio.Polling {
				t.Errorf("the session is on %s", s.Transport())
			}
			if writable := s.Writable(); !writable {
				t.Error("a client that polls can write at any time")
			}
			s.Close("")
			time.Sleep(time.Second)
			if got := w.log.take(); got != "a; b; closed: transport close" {
				t.Errorf("the server saw %q", got)
			}
		})
	}
}

// onlyClosed reports whether a client that sent a and closed saw its end, and perhaps
// the echo, if that was faster.
func onlyClosed(saw string) bool {
	return saw == "closed: forced close" || saw == "a; closed: forced close" || saw == "closed: forced close; a"
}

// TestClientClosesDuringUpgrade: whatever comes of it, both sides are told.
func TestClientClosesDuringUpgrade(t *testing.T) {
	for delay := range 8 {
		for _, answers := range []bool{true, false} {
			inBubble(t, fmt.Sprint(delay, answers), func(t *testing.T) {
				w := serve(t, nil, nil)
				silent := &conn.Server{Handler: func(c *conn.Conn) { c.Discard(context.Background()) }}
				w.reserve(&http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					time.Sleep(time.Millisecond)
					if r.Header.Get("Upgrade") != "" && !answers {
						silent.ServeHTTP(rw, r)
						return
					}
					w.server.ServeHTTP(rw, r)
				})})
				s, log := w.connect(engineio.DialOptions{})
				time.Sleep(time.Duration(delay) * 500 * time.Microsecond)
				s.Send(text("a"))
				s.Close("")
				time.Sleep(time.Minute)
				if got := log.take(); !onlyClosed(got) {
					t.Errorf("the client saw %q", got)
				}
				if got := w.log.take(); got != "a; closed: transport close" && !strings.HasPrefix(got, "a; Send: ") {
					t.Errorf("the server saw %q", got)
				}
			})
		}
	}
}

// TestClientSplits: a request is no longer than what the server takes.
func TestClientSplits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, &engineio.Options{MaxPayload: 1000}, nil)
		s, log := w.connect(engineio.DialOptions{Transports: bothTransports[:1]})
		var want []string
		var ps []*engineio.Packet
		for i := range 100 {
			m := strings.Repeat(string(rune('a'+i%26)), i*7%300)
			want = append(want, m)
			ps = append(ps, text(m))
		}
		if err := s.Send(ps...); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if got := log.take(); got != strings.Join(want, "; ") {
			t.Errorf("received %q", got)
		}
		if err := s.Send(text(strings.Repeat("x", 2000))); err != nil {
			t.Fatal(err)
		}
		if got := log.take(); got != "closed: transport error" {
			t.Errorf("after a message that the server does not take the client saw %q", got)
		}
	})
}

// TestClientClosesBeforeProbe: an upgrade that hangs holds nothing up.
func TestClientClosesBeforeProbe(t *testing.T) {
	hang := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	silent := &conn.Server{Handler: func(c *conn.Conn) { c.Discard(context.Background()) }}
	for name, ws := range map[string]http.Handler{"connecting": hang, "probing": silent} {
		inBubble(t, name, func(t *testing.T) {
			w := serve(t, nil, nil)
			w.reserve(&http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Upgrade") != "" {
					ws.ServeHTTP(rw, r)
					return
				}
				w.server.ServeHTTP(rw, r)
			})})
			s, log := w.connect(engineio.DialOptions{})
			synctest.Wait()
			s.Send(text("a"))
			s.Close("")
			if got := w.log.take(); got != "a; closed: transport close" {
				t.Errorf("the server saw %q", got)
			}
			if got := log.take(); !onlyClosed(got) {
				t.Errorf("the client saw %q", got)
			}
			time.Sleep(time.Minute)
		})
	}
}

// TestClientReleasesDuringUpgrade: what comes over the WebSocket follows what polls have
// brought, although a call of Message was released meanwhile.
func TestClientReleasesDuringUpgrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, nil, nil)
		log, more := new(journal), make(chan bool)
		w.server.Handler = func(s *engineio.Session) engineio.Receiver {
			s.Send(text("a"), text("b"), text("c"))
			w.sessions <- s
			return receiver{}
		}
		s, err := engineio.Dial(context.Background(), "http://example.com", &engineio.DialOptions{
			HTTP: w.http, NetDial: w.listener.late,
			Handler: func(*engineio.Session) engineio.Receiver {
				return receiver{message: func(s *engineio.Session, _ bool, data []byte) {
					log.add("%s", data)
					if m := string(data); m == "a" || m == "b" {
						if m == "a" {
							s.Release()
						}
						<-more
					}
				}}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		peer := <-w.sessions
		synctest.Wait()
		peer.Send(text("d"))
		time.Sleep(time.Second)
		if got := log.take(); got != "a; b" || s.Transport() != engineio.Polling {
			t.Errorf("before, the client received %q and is on %s", got, s.Transport())
		}
		close(more)
		time.Sleep(time.Second)
		if got := log.take(); got != "c; d" || s.Transport() != engineio.WebSocket {
			t.Errorf("the client received %q and is on %s", got, s.Transport())
		}
		s.Close("")
	})
}

// TestClientClosesAtAnyTime: whenever a client closes the session, in the middle of
// the upgrade too, the server knows at once.
func TestClientClosesAtAnyTime(t *testing.T) {
	var open sync.WaitGroup
	server := &engineio.Server{Handler: func(*engineio.Session) engineio.Receiver {
		open.Add(1)
		return ender{open.Done}
	}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hs := &http.Server{Handler: server}
	go hs.Serve(l)
	defer hs.Close()
	for i := range 60 {
		s, err := engineio.Dial(t.Context(), "http://"+l.Addr().String(), &engineio.DialOptions{
			Handler: func(*engineio.Session) engineio.Receiver { return ender{func() {}} },
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Send(text("hello"))
		time.Sleep(time.Duration(i) * 50 * time.Microsecond)
		s.Send(text("goodbye"))
		s.Close("")
		ended := make(chan struct{})
		go func() {
			open.Wait()
			close(ended)
		}()
		select {
		case <-ended:
		case <-time.After(5 * time.Second): // half of UpgradeTimeout
			t.Fatalf("session %d goes on at the server, over %s", i, s.Transport())
		}
	}
}

// An ender echoes, and tells of the end.
type ender struct{ ended func() }

func (e ender) Message(s *engineio.Session, binary bool, data []byte) {
	s.Send(engineio.NewPacket(binary, data))
}
func (e ender) Closed(*engineio.Session, engineio.CloseReason, error) { e.ended() }
