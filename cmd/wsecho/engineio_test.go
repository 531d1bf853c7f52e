package main

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// What the tests of the protocol documents ask of a server, request by request: both
// servers are given the heartbeat that these tests are run with.

var fast = []string{"-sio-ping-interval", "300ms", "-sio-ping-timeout", "200ms", "-sio-connect-timeout", "1s"}

// An enginePath is where a server has its sessions.
type enginePath struct {
	*site
	path string
}

// onEngines runs a test in a bubble for each server.
func onEngines(t *testing.T, test func(*testing.T, enginePath), flags ...string) {
	for _, path := range []string{"/engine.io/", "/socket.io/"} {
		t.Run(path[1:len(path)-1], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, enginePath{newSite(t, append(flags, fast...)...), path}) })
		})
	}
}

// An answer is what came of a request.
type answer struct {
	Status int
	Body   string
}

func (s enginePath) ask(t *testing.T, method, query, body string) answer {
	t.Helper()
	transport := &http.Transport{DialContext: s.listener.Dial, DisableKeepAlives: true}
	r, err := http.NewRequestWithContext(t.Context(), method, "http://wsecho.example"+s.path+query, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(r)
	if err != nil {
		t.Errorf("%s %s: %v", method, query, err)
		return answer{}
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		t.Errorf("%s %s: %v", method, query, err)
	}
	return answer{response.StatusCode, string(b)}
}

func (s enginePath) expect(t *testing.T, method, query, body string, want answer) {
	t.Helper()
	if diff := cmp.Diff(want, s.ask(t, method, query, body)); diff != "" {
		t.Fatalf("%s %s %q (-want +got):\n%s", method, query, body, diff)
	}
}

// begin starts a request, whose answer the channel gets.
func (s enginePath) begin(t *testing.T, method, query, body string) <-chan answer {
	c := make(chan answer, 1)
	go func() { c <- s.ask(t, method, query, body) }()
	synctest.Wait()
	return c
}

// opening is what a session begins with.
type opening struct {
	SID          string   `json:"sid"`
	Upgrades     []string `json:"upgrades"`
	PingInterval int      `json:"pingInterval"`
	PingTimeout  int      `json:"pingTimeout"`
	MaxPayload   int      `json:"maxPayload"`
}

func parseOpening(t *testing.T, text string) opening {
	t.Helper()
	var o opening
	d := json.NewDecoder(strings.NewReader(strings.TrimPrefix(text, "0")))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil || text[0] != '0' || !regexp.MustCompile(`^[\w-]{20}$`).MatchString(o.SID) {
		t.Fatalf("the session begins with %q, %v", text, err)
	}
	return o
}

// poll begins a session and returns the query of its requests.
func (s enginePath) poll(t *testing.T) (query string) {
	t.Helper()
	return "?EIO=4&transport=polling&sid=" + parseOpening(t, s.ask(t, "GET", "?EIO=4&transport=polling", "").Body).SID
}

func (s enginePath) socket(t *testing.T) *conn.Conn {
	t.Helper()
	return s.session(t, s.path+"?EIO=4&transport=websocket")
}

// gone is expected of requests of a session that has ended.
var gone = answer{400, `{"code":1,"message":"Session ID unknown"}`}

func TestEngineHandshake(t *testing.T) {
	onEngines(t, func(t *testing.T, s enginePath) {
		a := s.ask(t, "GET", "?EIO=4&transport=polling", "")
		o := parseOpening(t, a.Body)
		o.SID = ""
		want := opening{Upgrades: []string{"websocket"}, PingInterval: 300, PingTimeout: 200, MaxPayload: 1000000}
		if diff := cmp.Diff(want, o); diff != "" || a.Status != 200 {
			t.Errorf("over polling (-want +got):\n%s\nstatus %d", diff, a.Status)
		}
		c := s.mustDial(t, s.path+"?EIO=4&transport=websocket")
		_, p, err := c.ReadMessage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		o = parseOpening(t, string(p))
		o.SID = ""
		want.Upgrades = []string{}
		if diff := cmp.Diff(want, o); diff != "" {
			t.Errorf("over WebSocket (-want +got):\n%s", diff)
		}
	})
}

func TestEngineRefusals(t *testing.T) {
	onEngines(t, func(t *testing.T, s enginePath) {
		const (
			transport = `{"code":0,"message":"Transport unknown"}`
			unknown   = `{"code":1,"message":"Session ID unknown"}`
			method    = `{"code":2,"message":"Bad handshake method"}`
			bad       = `{"code":3,"message":"Bad request"}`
			version   = `{"code":5,"message":"Unsupported protocol version"}`
		)
		for _, tt := range []struct{ method, query, want string }{
			{"GET", "?EIO=4", transport},
			{"GET", "?EIO=4&transport=abc", transport},
			{"GET", "?EIO=4&transport=Polling", transport},
			{"GET", "?transport=polling", version},
			{"GET", "?EIO=abc&transport=polling", version},
			{"GET", "?EIO=3&transport=polling", version},
			{"POST", "?EIO=4&transport=polling", method},
			{"PUT", "?EIO=4&transport=polling", method},
			{"OPTIONS", "?EIO=4&transport=polling", method},
			{"GET", "?EIO=4&transport=polling&sid=abc", unknown},
			{"POST", "?EIO=4&transport=polling&sid=__proto__", unknown},
			{"GET", "?EIO=4&transport=websocket", bad},
		} {
			s.expect(t, tt.method, tt.query, "", answer{400, tt.want})
		}
		for _, query := range []string{"?transport=websocket", "?EIO=abc&transport=websocket", "?EIO=4", "?EIO=4&transport=abc", "?EIO=4&transport=websocket&sid=abc"} {
			if c, err := s.dial(t, s.path+query, nil); err == nil {
				c.CloseNow()
				t.Errorf("a WebSocket for %s is accepted", query)
			}
		}
		query := s.poll(t)
		s.expect(t, "GET", strings.Replace(query, "polling", "abc", 1), "", answer{400, transport})
		s.expect(t, "GET", strings.Replace(query, "EIO=4", "EIO=3", 1), "", answer{400, bad})
		if a := s.ask(t, "PUT", query, ""); a.Status != 405 {
			t.Errorf("PUT for a session: %v", a)
		}
	})
}

func TestEngineMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := enginePath{newSite(t, fast...), "/engine.io/"}
		query := s.poll(t)
		for _, payload := range []string{"4hello", "4test1\x1e4test2\x1e4test3", "4hello\x1ebAQIDBA==", "bAQIDBA==", "4ü€😀"} {
			s.expect(t, "POST", query, payload, answer{200, "ok"})
			s.expect(t, "GET", query, "", answer{200, payload})
		}
		waiting := s.begin(t, "GET", query, "")
		s.expect(t, "POST", query, "4late", answer{200, "ok"})
		if got := <-waiting; got != (answer{200, "4late"}) {
			t.Errorf("a poll that waits: %v", got)
		}
		c := s.socket(t)
		write(t, c, frame.OpText, "4hello")
		write(t, c, frame.OpBinary, "\x01\x02\x03\x04")
		write(t, c, frame.OpText, "bAQIDBA==")
		expectPackets(t, c, "4hello", "b\x01\x02\x03\x04", "b\x01\x02\x03\x04")
	})
}

// TestEngineBadPackets end the session.
func TestEngineBadPackets(t *testing.T) {
	onEngines(t, func(t *testing.T, s enginePath) {
		for _, payload := range []string{"abc", "", "4a\x1e", "4a\x1eabc", "bA", "b!!!!", "7"} {
			query := s.poll(t)
			s.expect(t, "POST", query, payload, answer{400, ""})
			s.expect(t, "GET", query, "", gone)
		}
		for _, payload := range []string{"2", "0{}", "5"} { // can be read, but are out of place
			query := s.poll(t)
			s.expect(t, "POST", query, payload, answer{200, "ok"})
			s.expect(t, "GET", query, "", gone)
		}
		for _, packet := range []string{"abc", "", "2", "0{}", "7"} {
			c := s.socket(t)
			write(t, c, frame.OpText, packet)
			expectEnd(t, c, frame.CloseNoStatusReceived)
		}
	})
}

// TestEngineTwoAtOnce: a session polls once at a time.
func TestEngineTwoAtOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, s enginePath) {
		query := s.poll(t)
		first := s.begin(t, "GET", query, "")
		s.expect(t, "GET", query+"&t=burst", "", answer{400, ""})
		if got := <-first; got != (answer{200, "1"}) {
			t.Errorf("the first poll: %v", got)
		}
		s.expect(t, "GET", query, "", gone)
	})
}

func TestEngineHeartbeat(t *testing.T) {
	onEngines(t, func(t *testing.T, s enginePath) {
		query := s.poll(t)
		for range 3 {
			began := time.Now()
			s.expect(t, "GET", query, "", answer{200, "2"})
			if took := time.Since(began); took != 300*time.Millisecond {
				t.Errorf("the ping came after %v", took)
			}
			s.expect(t, "POST", query, "3", answer{200, "ok"})
		}
		query = s.poll(t)
		time.Sleep(500 * time.Millisecond) // without a poll, as without a pong
		synctest.Wait()
		s.expect(t, "GET", query, "", gone)

		if s.path == "/socket.io/" {
			return // has to join a namespace meanwhile: see TestSocketFlags
		}
		c := s.socket(t)
		for range 10 {
			expectPackets(t, c, "2")
			write(t, c, frame.OpText, "3")
		}
		expectPackets(t, c, "2")
		if _, _, err := c.ReadMessage(t.Context()); err == nil {
			t.Error("a session without a pong goes on")
		}
	})
}

func TestEngineClose(t *testing.T) {
	onEngines(t, func(t *testing.T, s enginePath) {
		query := s.poll(t)
		waiting := s.begin(t, "GET", query, "")
		s.expect(t, "POST", query, "1", answer{200, "ok"})
		if got := <-waiting; got != (answer{200, "6"}) {
			t.Errorf("the poll that waits: %v", got)
		}
		s.expect(t, "GET", query, "", gone)
		c := s.socket(t)
		write(t, c, frame.OpText, "1")
		expectEnd(t, c, frame.CloseNoStatusReceived)
	})
}

func TestEngineUpgrade(t *testing.T) {
	onEngines(t, func(t *testing.T, s enginePath) {
		hello, back := "4hello", "4hello"
		if s.path == "/socket.io/" {
			hello, back = "40", `40{"sid":"`
		}
		query := s.poll(t)
		moved := s.path + strings.Replace(query, "polling", "websocket", 1)
		c := s.mustDial(t, moved)
		waiting := s.begin(t, "GET", query, "")
		write(t, c, frame.OpText, "2probe")
		expectPackets(t, c, "3probe")
		if got := <-waiting; got != (answer{200, "6"}) {
			t.Errorf("the poll that waits: %v", got)
		}
		write(t, c, frame.OpText, "5")
		synctest.Wait()
		bad := answer{400, `{"code":3,"message":"Bad request"}`}
		s.expect(t, "GET", query, "", bad)
		s.expect(t, "POST", query, "4x", bad)
		expectEnd(t, s.mustDial(t, moved), frame.CloseNoStatusReceived)
		write(t, c, frame.OpText, hello)
		expectPackets(t, c, back)
	})
}

// TestEngineMaxPayload: a body that is too long is refused.
func TestEngineMaxPayload(t *testing.T) {
	onEngines(t, func(t *testing.T, s enginePath) {
		query := s.poll(t)
		if a := s.ask(t, "POST", query, "4"+strings.Repeat("x", 100)); a.Status != 413 {
			t.Errorf("a body of 101 octets: %v", a)
		}
	}, "-sio-max-payload", "100")
}
