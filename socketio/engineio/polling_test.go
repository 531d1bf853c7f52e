package engineio_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/socketio/engineio"
	"github.com/google/go-cmp/cmp"
)

// TestHandshake: the first answer, octet for octet but for the id.
func TestHandshake(t *testing.T) {
	const rest = `"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`
	tests := []struct {
		name, query string
		options     engineio.Options
		want        string
	}{
		{"revision 4", "EIO=4", engineio.Options{}, `0{"sid":"ID","upgrades":["websocket"],` + rest},
		{"revision 3", "EIO=3", engineio.Options{EIO3: true}, `97:0{"sid":"ID","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`},
		{"revision 3 by default", "t=1", engineio.Options{EIO3: true}, `97:0{"sid":"ID","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`},
		{"no upgrade", "EIO=4", engineio.Options{NoUpgrade: true}, `0{"sid":"ID","upgrades":[],` + rest},
		{"polling alone", "EIO=4", engineio.Options{Transports: bothTransports[:1]}, `0{"sid":"ID","upgrades":[],` + rest},
		{"own limits", "EIO=4", engineio.Options{PingInterval: time.Second, PingTimeout: time.Millisecond, MaxPayload: 10},
			`0{"sid":"ID","upgrades":["websocket"],"pingInterval":1000,"pingTimeout":1,"maxPayload":10}`},
	}
	id := regexp.MustCompile(`"sid":"[^"]*"`)
	for _, tt := range tests {
		inBubble(t, tt.name, func(t *testing.T) {
			w := serve(t, &tt.options, nil)
			a := w.request("GET", tt.query+"&transport=polling", "")
			got := id.ReplaceAllString(a.body, `"sid":"ID"`)
			if tt.query != "EIO=4" {
				tt.want = strings.Replace(tt.want, "97:", fmt.Sprintf("%d:", len(a.body)-len("111:")), 1)
			}
			if a.status != 200 || got != tt.want {
				t.Errorf("answer %d %s, want %s", a.status, got, tt.want)
			}
			if got := a.header.Get("Content-Type"); got != "text/plain; charset=UTF-8" {
				t.Errorf("Content-Type %q", got)
			}
			if got := a.header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control %q", got)
			}
		})
	}
	inBubble(t, "websocket", func(t *testing.T) {
		w := serve(t, nil, nil)
		s := w.webSocket("EIO=4&transport=websocket")
		if got := id.ReplaceAllString(s.next(), `"sid":"ID"`); got != `0{"sid":"ID","upgrades":[],`+rest {
			t.Errorf("received %s", got)
		}
	})
}

func TestPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, nil, nil)
		c := w.poller("EIO=4")
		get := c.begin("GET", c.base, "")
		a := c.post("4hello\x1ebAQID\x1e4\x1e4ü")
		a.want(t, 200, "ok")
		if got := a.header.Get("Content-Type"); got != "text/html" {
			t.Errorf("Content-Type %q", got)
		}
		if got, want := (<-get).body+"\x1e"+c.rest(), "4hello\x1ebAQID\x1e4\x1e4ü"; strings.TrimSuffix(got, "\x1e") != want {
			t.Errorf("received %q, want %q", got, want)
		}
		if got, want := w.log.take(), "hello; \x01\x02\x03; ; ü"; got != want {
			t.Errorf("the receiver saw %q, want %q", got, want)
		}
		if r := c.session.Request(); r.URL.Query().Get("EIO") != "4" || r.Body != http.NoBody || r.Context().Err() != nil {
			t.Errorf("the session keeps the request %+v", r)
		}
		if c.session.Transport() != engineio.Polling || c.session.Protocol() != 4 || c.session.RemoteAddr() == "" {
			t.Errorf("session %v %v %v", c.session.Transport(), c.session.Protocol(), c.session.RemoteAddr())
		}
	})
}

// rest polls what is queued, if anything is.
func (c *client) rest() string {
	if c.session.Stats().QueuedPackets == 0 {
		return ""
	}
	return c.get().body
}

// TestRevision3: the payloads of revision 3, in each form.
func TestRevision3(t *testing.T) {
	options := &engineio.Options{EIO3: true, JSONP: true}
	inBubble(t, "text", func(t *testing.T) {
		c := serve(t, options, nil).poller("EIO=3")
		c.post("6:4hello3:4😀1:210:b4AQIDBA==").want(t, 200, "ok")
		a := c.get()
		a.want(t, 200, "\x00\x06\xff4hello\x00\x05\xff4😀\x00\x01\xff3\x01\x05\xff\x04\x01\x02\x03\x04")
		if got := a.header.Get("Content-Type"); got != "application/octet-stream" {
			t.Errorf("Content-Type %q", got)
		}
		c.post("2:4a").want(t, 200, "ok")
		c.get().want(t, 200, "2:4a")
	})
	inBubble(t, "octets", func(t *testing.T) {
		w := serve(t, options, nil)
		c := w.poller("EIO=3")
		c.request("POST", c.base, "\x00\x04\xff4€\x01\x05\xff\x04\x01\x02\x03\x04", "Content-Type", "application/octet-stream").want(t, 200, "ok")
		c.request("GET", c.base+"&b64=1", "").want(t, 200, "2:4€10:b4AQIDBA==")
		once := w.request("GET", "EIO=3&transport=polling&b64=1", "") // to be remembered
		(<-w.sessions).Send(text("€"), octets("\x01\x02\x03\x04"))
		id, _, _ := strings.Cut(strings.SplitAfter(once.body, `"sid":"`)[1], `"`)
		w.request("GET", "EIO=3&transport=polling&sid="+id, "").want(t, 200, "2:4€10:b4AQIDBA==")
	})
	inBubble(t, "JSONP", func(t *testing.T) {
		w := serve(t, options, nil)
		a := w.request("GET", "EIO=3&transport=polling&j=2", "")
		if !strings.HasPrefix(a.body, `___eio[2]("`) || !strings.HasSuffix(a.body, `");`) {
			t.Fatalf("handshake %s", a.body)
		}
		query := "EIO=3&transport=polling&j=2&sid=" + strings.Split(a.body, `\"`)[3]
		w.request("POST", query, `d=4%3A4a%5Cnb10%3Ab4AQIDBA%3D%3D`, "Content-Type", "application/x-www-form-urlencoded").want(t, 200, "ok")
		a = w.request("GET", query, "")
		a.want(t, 200, `___eio[2]("4:4a\nb10:b4AQIDBA==");`)
		if a.header.Get("Content-Type") != "text/javascript; charset=UTF-8" || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("header %v", a.header)
		}
		w.request("POST", query, `e=4`).want(t, 400, "")
		if got := w.log.take(); got != "a\nb; \x01\x02\x03\x04; closed: parse error" {
			t.Errorf("the receiver saw %q", got)
		}
	})
	inBubble(t, "JSONP of a session where it is off", func(t *testing.T) {
		c := serve(t, &engineio.Options{EIO3: true}, nil).poller("EIO=3")
		c.request("GET", c.base+"&j=1", "").want(t, 400, `{"code":3,"message":"Bad request"}`)
	})
	inBubble(t, "pings are answered once", func(t *testing.T) {
		c := serve(t, options, nil).poller("EIO=3")
		for range 100 {
			c.post("1:21:21:2").want(t, 200, "ok")
		}
		c.get().want(t, 200, "1:3")
	})
}

// TestBadRequests: what must not be sent ends the session, and the peer is told at
// least by the status.
func TestBadRequests(t *testing.T) {
	tests := []struct {
		name, base, body string
		header           []string
		status           int
		reason           string // empty if the session goes on
	}{
		{"too long", "EIO=4", "4" + strings.Repeat("a", 1000), nil, 413, ""},
		{"too long, length not told", "EIO=4", "chunked", nil, 413, ""},
		{"empty", "EIO=4", "", nil, 400, "parse error"},
		{"too many packets", "EIO=4", strings.Repeat("4\x1e", 100) + "4", nil, 400, "parse error"},
		{"empty packet", "EIO=4", "4a\x1e\x1e4b", nil, 400, "parse error"},
		{"separator missing", "EIO=4", "4a\x1e4b\x1e", nil, 400, "parse error"},
		{"no digit", "EIO=4", "x", nil, 400, "parse error"},
		{"bad base64", "EIO=4", "b!!!", nil, 400, "parse error"},
		{"not UTF-8", "EIO=4", "4\xff", nil, 400, "parse error"},
		{"handshake", "EIO=4", "0{}", nil, 200, "parse error"},
		{"upgrade", "EIO=4", "5", nil, 200, "parse error"},
		{"ping", "EIO=4", "2", nil, 200, "transport error"},
		{"pong of the wrong side", "EIO=3", "1:3", nil, 200, "transport error"},
		{"noop", "EIO=4", "6", nil, 200, ""},
		{"early pong", "EIO=4", "3", nil, 200, ""},
		{"octets", "EIO=4", "4a", []string{"Content-Type", "application/octet-stream"}, 400, "parse error"},
		{"compressed", "EIO=4", "4a", []string{"Content-Encoding", "gzip"}, 400, "parse error"},
		{"bad length", "EIO=3", "7:4a", nil, 400, "parse error"},
		{"octets that are none", "EIO=3", "1:2", []string{"Content-Type", "application/octet-stream"}, 400, "parse error"},
		{"close", "EIO=4", "4a\x1e1\x1e4b", nil, 200, "transport close"},
	}
	for _, tt := range tests {
		inBubble(t, tt.name, func(t *testing.T) {
			w := serve(t, &engineio.Options{EIO3: true, MaxPayload: 500, MaxPackets: 100}, nil)
			c := w.poller(tt.base)
			var a answer
			if tt.body == "chunked" {
				r, _ := http.NewRequest("POST", "http://example.com/?"+c.base, io.MultiReader(strings.NewReader("4"), strings.NewReader(strings.Repeat("a", 1000))))
				response, err := w.http.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				response.Body.Close()
				a = answer{status: response.StatusCode, header: response.Header}
			} else {
				a = c.request("POST", c.base, tt.body, tt.header...)
			}
			if a.status != tt.status {
				t.Errorf("answer %+v, want %d", a, tt.status)
			}
			want := ""
			if tt.reason != "" {
				want = "closed: " + tt.reason
			}
			if tt.name == "close" {
				want = "a; " + want
			}
			if got := w.log.take(); got != want {
				t.Errorf("the receiver saw %q, want %q", got, want)
			}
			time.Sleep(2 * time.Second)
			if alive := w.server.Session(c.id) != nil; alive != (tt.reason == "") {
				t.Errorf("the session is alive: %t", alive)
			}
		})
	}
}

// TestSlowBody: octets that come one by one are not waited for.
func TestSlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, nil, nil)
		c := w.poller("EIO=4")
		nc, _ := w.listener.Dial(context.Background(), "tcp", "")
		defer nc.Close()
		start := time.Now()
		fmt.Fprintf(nc, "POST /engine.io/?%s HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n", c.base)
		dripped := make(chan bool)
		defer func() { nc.Close(); <-dripped }()
		go func() {
			defer close(dripped)
			for {
				if _, err := nc.Write([]byte("4")); err != nil {
					return
				}
				time.Sleep(1500 * time.Millisecond)
			}
		}()
		b := make([]byte, 1000)
		n, err := nc.Read(b)
		if took := time.Since(start); err != nil || !strings.HasPrefix(string(b[:n]), "HTTP/1.1 408 ") || took != 10*time.Second {
			t.Errorf("answer %q, %v after %v; want 408 after 10s", b[:n], err, took)
		}
		if got := w.log.take(); got != "closed: transport error" {
			t.Errorf("the receiver saw %q", got)
		}
	})
}

// TestDropped: requests that are given up end the session.
func TestDropped(t *testing.T) {
	inBubble(t, "poll", func(t *testing.T) {
		w := serve(t, nil, nil)
		c := w.poller("EIO=4")
		ctx, cancel := context.WithCancel(context.Background())
		go c.requestContext(ctx, "GET", c.base, "")
		synctest.Wait()
		if got := w.log.take(); got != "" {
			t.Errorf("before, the receiver saw %q", got)
		}
		cancel()
		if got := w.log.take(); got != "closed: transport error" {
			t.Errorf("the receiver saw %q", got)
		}
		c.get().want(t, 400, `{"code":1,"message":"Session ID unknown"}`)
	})
	inBubble(t, "body", func(t *testing.T) {
		w := serve(t, nil, nil)
		c := w.poller("EIO=4")
		nc, _ := w.listener.Dial(context.Background(), "tcp", "")
		fmt.Fprintf(nc, "POST /engine.io/?%s HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n4half", c.base)
		nc.Close()
		if got := w.log.take(); got != "closed: transport error" {
			t.Errorf("the receiver saw %q", got)
		}
	})
	inBubble(t, "poll that is held for longer than the server's timeouts", func(t *testing.T) {
		w := serve(t, nil, nil)
		server := &http.Server{Handler: w.server, ReadTimeout: time.Second, WriteTimeout: time.Second}
		w.reserve(server)
		c := w.poller("EIO=4")
		get := c.begin("GET", c.base, "")
		time.Sleep(20 * time.Second)
		c.session.Send(text("late"))
		(<-get).want(t, 200, "4late")
	})
}

// TestTwoAtOnce: a client polls with one request and sends with one.
func TestTwoAtOnce(t *testing.T) {
	inBubble(t, "polls", func(t *testing.T) {
		w := serve(t, nil, nil)
		c := w.poller("EIO=4")
		first := c.begin("GET", c.base, "")
		c.get().want(t, 400, "")
		(<-first).want(t, 200, "1")
		if got := w.log.take(); got != "closed: transport error" {
			t.Errorf("the receiver saw %q", got)
		}
		c.get().want(t, 400, `{"code":1,"message":"Session ID unknown"}`)
	})
	inBubble(t, "posts", func(t *testing.T) {
		held := make(chan bool)
		w := serve(t, nil, nil)
		w.server.Handler = func(s *engineio.Session) engineio.Receiver {
			w.sessions <- s
			return receiver{message: func(*engineio.Session, bool, []byte) { <-held }}
		}
		c := w.poller("EIO=4")
		get := c.begin("GET", c.base, "")
		first := c.begin("POST", c.base, "4a")
		c.post("4b").want(t, 400, "")
		(<-get).want(t, 200, "1")
		close(held)
		(<-first).want(t, 200, "ok")
		c.post("4c").want(t, 400, `{"code":1,"message":"Session ID unknown"}`)
	})
}

// TestCloseRace: a client that closes may have sent a poll at the same time, on
// another connection.
func TestCloseRace(t *testing.T) {
	const unknown = `{"code":1,"message":"Session ID unknown"}`
	inBubble(t, "poll first", func(t *testing.T) {
		c := serve(t, nil, nil).poller("EIO=4")
		get := c.begin("GET", c.base, "")
		c.post("1").want(t, 200, "ok")
		(<-get).want(t, 200, "6")
		c.get().want(t, 400, unknown)
	})
	inBubble(t, "close first", func(t *testing.T) {
		w := serve(t, nil, nil)
		c := w.poller("EIO=4")
		c.post("1").want(t, 200, "ok")
		if got := w.log.take(); got != "closed: transport close" {
			t.Errorf("the receiver saw %q", got)
		}
		c.get().want(t, 200, "6")
		c.get().want(t, 400, unknown)
		c.post("4a").want(t, 400, unknown)
	})
	inBubble(t, "too late", func(t *testing.T) {
		c := serve(t, nil, nil).poller("EIO=4")
		c.post("1").want(t, 200, "ok")
		time.Sleep(time.Second)
		synctest.Wait()
		c.get().want(t, 400, unknown)
	})
}

// TestClosePolling: the end is told by a poll, that which waits or the next.
func TestClosePolling(t *testing.T) {
	inBubble(t, "poll waits", func(t *testing.T) {
		w := serve(t, nil, nil)
		c := w.poller("EIO=4")
		get := c.begin("GET", c.base, "")
		c.session.Close("because")
		(<-get).want(t, 200, "1")
		if got := w.log.take(); got != "closed: because" {
			t.Errorf("the receiver saw %q", got)
		}
		if n := w.server.Len(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
	inBubble(t, "poll comes", func(t *testing.T) {
		w := serve(t, nil, nil)
		c := w.poller("EIO=4")
		c.session.Send(text("last"))
		c.session.Close("")
		c.session.Close("again")
		if got := w.log.take(); got != "closed: forced close" {
			t.Errorf("the receiver saw %q", got)
		}
		c.post("4ignored").want(t, 200, "ok")
		time.Sleep(29 * time.Second)
		c.get().want(t, 200, "4last")
		c.get().want(t, 200, "1")
		if got := w.log.take(); got != "" {
			t.Errorf("the receiver saw %q", got)
		}
		synctest.Wait()
		if n := w.server.Len(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
	inBubble(t, "the client closes, too", func(t *testing.T) {
		w := serve(t, nil, nil)
		c := w.poller("EIO=4")
		c.session.Close("")
		c.post("1").want(t, 200, "ok")
		synctest.Wait()
		if n := w.server.Len(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
		c.get().want(t, 400, `{"code":1,"message":"Session ID unknown"}`)
	})
	inBubble(t, "no poll comes", func(t *testing.T) {
		w := serve(t, nil, nil)
		c := w.poller("EIO=4")
		c.session.Close("")
		time.Sleep(30*time.Second - 1)
		if n := w.server.Len(); n != 1 {
			t.Errorf("%d sessions before the time, want 1", n)
		}
		time.Sleep(1)
		synctest.Wait()
		if n := w.server.Len(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
	inBubble(t, "no time limit", func(t *testing.T) {
		w := serve(t, &engineio.Options{CloseTimeout: engineio.NoLimit}, nil)
		c := w.poller("EIO=4")
		c.session.Close("")
		time.Sleep(time.Hour)
		c.get().want(t, 200, "1")
	})
}

// TestAbortedAnswer: what a poll that is given up cannot have brought is not lost if
// the session lives on, and counted otherwise.
func TestAbortedAnswer(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	abort := func(t *testing.T, w *world, c *client) {
		nc, _ := w.listener.Dial(context.Background(), "tcp", "")
		fmt.Fprintf(nc, "GET /engine.io/?%s HTTP/1.1\r\nHost: a\r\n\r\n", c.base)
		synctest.Wait()
		// The answer does not fit in what a connection holds.
		c.session.Send(text("a"+long), text("b"+long), text("c"+long))
		synctest.Wait()
		c.session.Send(text("d"))
		nc.Close()
		synctest.Wait()
	}
	inBubble(t, "upgrading", func(t *testing.T) {
		w := serve(t, nil, nil)
		c := w.poller("EIO=4")
		s := c.upgrade()
		s.send("2probe")
		s.want("3probe")
		abort(t, w, c)
		s.send("5")
		s.want("4a"+long, "4b"+long, "4c"+long, "4d")
		if got := w.log.take(); got != "" {
			t.Errorf("the receiver saw %q", got)
		}
	})
	inBubble(t, "moving before the answer is given up", func(t *testing.T) {
		w := serve(t, nil, nil)
		c := w.poller("EIO=4")
		s := c.upgrade()
		s.send("2probe")
		s.want("3probe")
		nc, _ := w.listener.Dial(context.Background(), "tcp", "")
		fmt.Fprintf(nc, "GET /engine.io/?%s HTTP/1.1\r\nHost: a\r\n\r\n", c.base)
		synctest.Wait()
		c.session.Send(text("a"+long), text("b"+long), text("c"+long))
		synctest.Wait()
		s.send("5")
		synctest.Wait()
		nc.Close()
		s.want("4a"+long, "4b"+long, "4c"+long)
	})
	inBubble(t, "polling", func(t *testing.T) {
		w := serve(t, nil, nil)
		c := w.poller("EIO=4")
		abort(t, w, c)
		if got := w.log.take(); got != "closed: transport error" {
			t.Errorf("the receiver saw %q", got)
		}
		if n := c.session.Stats().QueuedPackets; n != 4 {
			t.Errorf("%d packets count as not sent, want 4", n)
		}
	})
	inBubble(t, "never read", func(t *testing.T) {
		w := serve(t, nil, nil)
		c := w.poller("EIO=4")
		nc, _ := w.listener.Dial(context.Background(), "tcp", "")
		defer nc.Close()
		fmt.Fprintf(nc, "GET /engine.io/?%s HTTP/1.1\r\nHost: a\r\n\r\n", c.base)
		synctest.Wait()
		c.session.Send(text("a"+long), text("b"+long), text("c"+long))
		time.Sleep(10*time.Second + 1)
		if got := w.log.take(); got != "closed: transport error" {
			t.Errorf("after WriteTimeout the receiver saw %q", got)
		}
	})
}

// TestQueue: what a client does not take is bounded.
func TestQueue(t *testing.T) {
	inBubble(t, "octets", func(t *testing.T) {
		c := serve(t, &engineio.Options{MaxQueuedSize: 1000}, nil).poller("EIO=4")
		if err := c.session.Send(octets(strings.Repeat("x", 2000))); err != nil {
			t.Errorf("Send to an empty queue: %v", err)
		}
		if err := c.session.Send(text("a")); err != engineio.ErrQueueFull {
			t.Errorf("Send to a full queue: %v", err)
		}
		if got, want := c.session.Stats(), (engineio.Stats{QueuedPackets: 1, QueuedOctets: 2016}); got != want {
			t.Errorf("Stats = %+v, want %+v", got, want)
		}
		c.get()
		if err := c.session.Send(text("a")); err != nil {
			t.Errorf("Send to a queue that was emptied: %v", err)
		}
	})
	inBubble(t, "packets, all or none", func(t *testing.T) {
		c := serve(t, &engineio.Options{MaxQueuedPackets: 3}, nil).poller("EIO=4")
		c.session.Send(text("a"), text("b"))
		if err := c.session.Send(text("c"), text("d")); err != engineio.ErrQueueFull {
			t.Errorf("Send of too many: %v", err)
		}
		if err := c.session.Send(text("e")); err != nil {
			t.Errorf("Send of one: %v", err)
		}
		c.get().want(t, 200, "4a\x1e4b\x1e4e")
	})
	inBubble(t, "heartbeat", func(t *testing.T) {
		c := serve(t, &engineio.Options{MaxQueuedPackets: 1}, nil).poller("EIO=4")
		c.session.Send(text("a"))
		time.Sleep(25 * time.Second)
		synctest.Wait()
		c.get().want(t, 200, "4a\x1e2")
	})
	inBubble(t, "websocket", func(t *testing.T) {
		w := serve(t, &engineio.Options{MaxQueuedPackets: 3}, nil)
		_, session := w.open("EIO=4")
		p := text(strings.Repeat("x", 1<<20))
		for i := 0; ; i++ {
			err := session.Send(p)
			synctest.Wait()
			if err == engineio.ErrQueueFull {
				break
			}
			if err != nil || i > 100 {
				t.Fatalf("Send %d: %v", i, err)
			}
			if i > 1 && session.Writable() {
				t.Fatalf("Writable after Send %d, with %+v", i, session.Stats())
			}
		}
	})
}

// TestSend: what cannot be sent is refused.
func TestSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, nil, nil)
		c := w.poller("EIO=4")
		if err := c.session.Send(text("a\x1eb")); err != engineio.ErrSeparator {
			t.Errorf("Send of a separator: %v", err)
		}
		if err := c.session.Send(text("a"), text("\xff")); err == nil || c.session.Stats().QueuedPackets != 0 {
			t.Errorf("Send of what is not UTF-8: %v, %+v", err, c.session.Stats())
		}
		if err := c.session.Send(); err != nil {
			t.Errorf("Send of nothing: %v", err)
		}
		s, session := w.open("EIO=4")
		if err := session.Send(text("a\x1eb"), octets("\x1e")); err != nil {
			t.Errorf("Send of a separator over a WebSocket: %v", err)
		}
		s.want("4a\x1eb", "#1e")
		if err := session.Send(text("\xff")); err == nil {
			t.Error("Send takes what is not UTF-8")
		}
		session.Close("")
		if err := session.Send(text("a")); err != engineio.ErrClosed {
			t.Errorf("Send after Close: %v", err)
		}
		s.want("end 1005")
	})
}

// TestWritable: what is worth nothing later is sent only if it leaves at once.
func TestWritable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, nil, nil)
		c := w.poller("EIO=4")
		check := func(want bool, when string) {
			t.Helper()
			if got := c.session.Writable(); got != want {
				t.Errorf("Writable %s = %t, want %t", when, got, want)
			}
		}
		check(false, "without a poll")
		get := c.begin("GET", c.base, "")
		check(true, "with a poll")
		c.session.Send(text("a"))
		check(false, "after Send")
		<-get
		c.session.Send(text("b"))
		check(false, "with something queued")
		s := c.upgrade()
		s.send("2probe")
		s.want("3probe")
		check(false, "during an upgrade")
		s.send("5")
		s.want("4b")
		synctest.Wait() // the message counts as queued until it has left
		check(true, "over a WebSocket")
		c.session.Close("")
		check(false, "after Close")
	})
}

// TestCompression of polling responses.
func TestCompression(t *testing.T) {
	long := strings.Repeat("compress me ", 100)
	tests := []struct {
		name    string
		options engineio.Options
		accept  string
		packet  *engineio.Packet
		want    bool
	}{
		{"long", engineio.Options{}, "gzip, deflate", text(long), true},
		{"any", engineio.Options{}, "*", text(long), true},
		{"with a weight", engineio.Options{}, "br;q=1, GZIP; q=0.5", text(long), true},
		{"refused", engineio.Options{}, "*, gzip;q=0.0", text(long), false},
		{"all refused", engineio.Options{}, "*;q=0", text(long), false},
		{"not accepted", engineio.Options{}, "br", text(long), false},
		{"nothing accepted", engineio.Options{}, "", text(long), false},
		{"short", engineio.Options{}, "gzip", text("a"), false},
		{"just long enough", engineio.Options{CompressionMinSize: 3}, "gzip", text("ab"), true},
		{"just too short", engineio.Options{CompressionMinSize: 4}, "gzip", text("ab"), false},
		{"off", engineio.Options{CompressionMinSize: engineio.NoLimit}, "gzip", text(long), false},
		{"opted out", engineio.Options{}, "gzip", engineio.NewUncompressedPacket(false, []byte(long)), false},
	}
	for _, tt := range tests {
		inBubble(t, tt.name, func(t *testing.T) {
			c := serve(t, &tt.options, nil).poller("EIO=4")
			c.session.Send(tt.packet)
			a := c.request("GET", c.base, "", "Accept-Encoding", tt.accept)
			if got := a.header.Get("Content-Encoding"); (got == "gzip") != tt.want {
				t.Errorf("Content-Encoding %q, want gzip: %t", got, tt.want)
			}
			body := a.body
			if tt.want {
				r, err := gzip.NewReader(bytes.NewReader([]byte(body)))
				if err != nil {
					t.Fatal(err)
				}
				b, _ := io.ReadAll(r)
				body = string(b)
				if a.header.Get("Vary") != "Accept-Encoding" {
					t.Errorf("Vary %q", a.header.Get("Vary"))
				}
			}
			if body[:2] != "4c" && body != "4a" && body != "4ab" {
				t.Errorf("body %q", body)
			}
		})
	}
}

// TestHeaders: hooks, cookie and what old browsers need.
func TestHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, &engineio.Options{
			Cookie:         &http.Cookie{},
			InitialHeaders: func(h http.Header, r *http.Request) { h.Add("X-Initial", r.URL.Query().Get("EIO")) },
			Headers:        func(h http.Header, r *http.Request) { h.Add("X-All", r.Method) },
		}, nil)
		a := w.request("GET", "EIO=4&transport=polling", "", "User-Agent", "Mozilla/5.0 (Windows NT 10.0; Trident/7.0)")
		id := (<-w.sessions).ID()
		query := "EIO=4&transport=polling&sid=" + id
		fields := func(a answer) []string {
			return []string{a.header.Get("Set-Cookie"), a.header.Get("X-Initial"), a.header.Get("X-All"), a.header.Get("X-XSS-Protection")}
		}
		if diff := cmp.Diff([]string{"io=" + id + "; Path=/; HttpOnly; SameSite=Lax", "4", "GET", "0"}, fields(a)); diff != "" {
			t.Errorf("first answer (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"", "", "POST", ""}, fields(w.request("POST", query, "4a"))); diff != "" {
			t.Errorf("second answer (-want +got):\n%s", diff)
		}
		a = w.request("GET", strings.Replace(query, "polling", "websocket", 1), "", upgradeHeader...)
		if diff := cmp.Diff([]string{"", "", "GET", ""}, fields(a)); diff != "" || a.status != 101 {
			t.Errorf("upgrade, status %d (-want +got):\n%s", a.status, diff)
		}
		a = w.request("GET", "EIO=4&transport=websocket", "", upgradeHeader...)
		if diff := cmp.Diff([]string{"", "4", "GET", ""}, fields(a)); diff != "" || a.status != 101 {
			t.Errorf("first answer over a WebSocket, status %d (-want +got):\n%s", a.status, diff)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, &engineio.Options{Cookie: &http.Cookie{Name: "where", Domain: "example.com", Secure: true}}, nil)
		got := w.request("GET", "EIO=4&transport=polling", "").header.Get("Set-Cookie")
		if want := "where=" + (<-w.sessions).ID() + "; Domain=example.com; Secure"; got != want {
			t.Errorf("Set-Cookie %q, want %q", got, want)
		}
	})
}

// TestRecorder: a ResponseWriter without deadlines will do.
func TestRecorder(t *testing.T) {
	s := &engineio.Server{Handler: func(*engineio.Session) engineio.Receiver { return receiver{} }}
	r := httptest.NewRequest("GET", "/engine.io/?EIO=4&transport=polling", nil)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != 200 || !strings.HasPrefix(w.Body.String(), "0{") {
		t.Errorf("answer %d %s", w.Code, w.Body)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.Shutdown(ctx)
}
