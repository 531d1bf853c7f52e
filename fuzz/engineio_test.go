package fuzz_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/socketio/engineio"
	"example.org/rfc6455/socketio/engineio/codec"
)

// The steps of a session of Engine.IO.
const (
	engineSend   = iota // the application sends a message
	engineClose         // ... closes the session
	enginePoll          // the client polls
	enginePost          // ... posts messages
	engineOctets        // ... posts any octets
	enginePong          // ... answers the heartbeat
	engineAny           // ... makes a request that is wrong in some way
	engineSleep         // time passes
	engineSteps
)

// FuzzEngineSession: whatever a client of Engine.IO and the application do, in any
// order, the application receives the messages that the client was told were taken,
// the client's polls get those that the application was told were sent, each once and
// in order, requests are answered as the protocol says, and every session ends with
// one call of Closed.
func FuzzEngineSession(f *testing.F) {
	legal := []byte{engineSend, 2, enginePoll, enginePost, 3, engineSend, 1, enginePoll, enginePost, 1, engineSleep, 99, enginePong, enginePoll}
	for revision := range uint8(2) {
		f.Add(append(bytes.Clone(legal), engineClose, enginePoll), revision)
		f.Add(append(bytes.Clone(legal), engineSleep, 255, engineSleep, 255, enginePoll), revision)
		f.Add(append(bytes.Clone(legal), enginePoll, enginePoll, engineSend, 1), revision)
		f.Add(append(bytes.Clone(legal), engineOctets, 2, '4', 'a', enginePost, 1), revision)
		f.Add(append(bytes.Clone(legal), engineOctets, 3, '3', ':', '4', enginePoll), revision)
		f.Add(append(bytes.Clone(legal), engineOctets, 1, '1', enginePoll, enginePost, 1), revision)
		for i := range byte(8) {
			f.Add(append(bytes.Clone(legal), engineAny, i, enginePost, 2, enginePoll), revision)
		}
	}
	fuzz(f, func(t *testing.T, script []byte, revision uint8) {
		if len(script) > 1<<8 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			s := newEngine(t, codec.V3+codec.Revision(revision&1))
			s.run(script)
		})
	})
}

// An engine is a server with one session and its client.
type engine struct {
	t        *testing.T
	server   engineio.Server
	revision codec.Revision
	sid      string
	session  *engineio.Session
	requests sync.WaitGroup

	mu       sync.Mutex
	received []string // by the application
	taken    []string // that the client was told of
	sent     []string // that the application was told of
	polled   []string // by the client
	broken   bool     // whether a request was answered with an error
	closed   int      // how often Closed was called
	serial   int
}

func (e *engine) Message(_ *engineio.Session, binary bool, data []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.received = append(e.received, string(data))
}

func (e *engine) Closed(*engineio.Session, engineio.CloseReason, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed++
}

func newEngine(t *testing.T, r codec.Revision) *engine {
	e := &engine{t: t, revision: r}
	e.server.Options = &engineio.Options{EIO3: true, MaxPackets: mostPackets, MaxPayload: 1 << 10}
	e.server.Handler = func(s *engineio.Session) engineio.Receiver {
		e.session = s
		return e
	}
	status, body := e.request("GET", "transport=polling", nil)
	packets, err := codec.ParsePayload(r, body, mostPackets)
	if status != http.StatusOK || err != nil || len(packets) == 0 || packets[0].Type != codec.Open {
		t.Fatalf("the handshake is answered %d with %q: %v", status, body, err)
	}
	var open struct{ Sid string }
	if err := json.Unmarshal(packets[0].Data, &open); err != nil || open.Sid == "" || e.server.Session(open.Sid) != e.session {
		t.Fatalf("the handshake is answered with %q: %v", body, err)
	}
	e.sid = open.Sid
	return e
}

// request makes a request and waits for its answer.
func (e *engine) request(method, query string, body []byte) (status int, answer []byte) {
	query = "/engine.io/?EIO=" + string('0'+rune(e.revision)) + "&" + query
	r := httptest.NewRequestWithContext(e.t.Context(), method, query, bytes.NewReader(body))
	if method == "POST" {
		r.Header.Set("Content-Type", "text/plain;charset=UTF-8")
	}
	w := httptest.NewRecorder()
	e.server.ServeHTTP(w, r)
	answer, _ = io.ReadAll(w.Result().Body)
	return w.Code, answer
}

func (e *engine) ofSession() string { return "transport=polling&sid=" + e.sid }

func (e *engine) run(script []byte) {
	from := source(script)
	for len(from) > 0 {
		e.step(from.next(engineSteps), &from)
		synctest.Wait()
	}
	// A client that is gone.
	time.Sleep(5 * time.Minute)
	e.requests.Wait()
	synctest.Wait()
	e.check()
}

func (e *engine) step(step int, from *source) {
	switch step {
	case engineSend:
		for range 1 + from.next(3) {
			e.serial++
			message := strings.Repeat("é", e.serial%5) + string(rune(0x4e00+e.serial))
			if e.session.Send(engineio.NewPacket(false, []byte(message))) == nil {
				e.sent = append(e.sent, message)
			}
		}
	case engineClose:
		e.session.Close("")
	case enginePoll:
		e.requests.Go(func() {
			status, body := e.request("GET", e.ofSession(), nil)
			e.polledWith(status, body)
		})
	case enginePost:
		var packets []codec.Packet
		var messages []string
		for range 1 + from.next(3) {
			e.serial++
			messages = append(messages, strings.Repeat("ж", e.serial%4)+string(rune(0x4e00+e.serial)))
			packets = append(packets, codec.Packet{Type: codec.Message, Data: []byte(messages[len(messages)-1])})
		}
		e.post(codec.AppendPayload(nil, e.revision, packets...), messages)
	case engineOctets:
		body := bytes.Clone(from.take(from.next(40)))
		packets, err := codec.ParsePayload(e.revision, bytes.Clone(body), mostPackets)
		var messages []string
		for _, p := range packets {
			if err == nil && p.Type == codec.Message {
				messages = append(messages, string(p.Data))
			}
		}
		e.post(body, messages)
	case enginePong:
		p := codec.Packet{Type: codec.Pong}
		if e.revision == codec.V3 {
			p.Type = codec.Ping
		}
		e.post(codec.AppendPayload(nil, e.revision, p), nil)
	case engineAny:
		wrong := [...][2]string{
			{"GET", "transport=polling&sid=x"}, {"GET", "transport=x&sid=" + e.sid}, {"POST", "transport=polling"}, {"PUT", e.ofSession()},
			{"GET", "sid=" + e.sid}, {"GET", "transport=websocket&sid=" + e.sid}, {"DELETE", "transport=polling"}, {"GET", "transport=polling&EIO=9&sid=" + e.sid},
		}[from.next(8)]
		if status, body := e.request(wrong[0], wrong[1], nil); status < 400 || status > 599 {
			e.t.Errorf("%q is answered %d with %q", wrong, status, body)
		}
		// Some of them end the session.
		e.mu.Lock()
		e.broken = true
		e.mu.Unlock()
	case engineSleep:
		time.Sleep(time.Duration(1+from.next(256)) * 100 * time.Millisecond)
	}
}

// post posts a payload with messages.
func (e *engine) post(body []byte, messages []string) {
	// What comes when the application has closed is nobody's.
	open := e.session.Context().Err() == nil
	e.requests.Go(func() {
		status, answer := e.request("POST", e.ofSession(), body)
		e.mu.Lock()
		defer e.mu.Unlock()
		switch {
		case status == http.StatusOK && string(answer) == "ok":
			if open {
				e.taken = append(e.taken, messages...)
			}
		case status >= 400 && status < 600:
			e.broken = true
		default:
			e.t.Errorf("a post of %q is answered %d with %q", body, status, answer)
		}
	})
}

// polledWith notes the answer to a poll.
func (e *engine) polledWith(status int, body []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if status >= 400 && status < 600 {
		e.broken = true
		return
	}
	packets, err := codec.ParsePayload(e.revision, bytes.Clone(body), 1<<10)
	if status != http.StatusOK || err != nil {
		e.t.Errorf("a poll is answered %d with %q: %v", status, body, err)
	}
	for _, p := range packets {
		if p.Type == codec.Message {
			e.polled = append(e.polled, string(p.Data))
		}
	}
}

// check looks at what has come of the session.
func (e *engine) check() {
	if e.closed != 1 || e.server.Len() != 0 || e.session.Context().Err() == nil {
		e.t.Errorf("Closed was called %d times, %d sessions are left", e.closed, e.server.Len())
	}
	if n := len(e.polled); n > len(e.sent) || !slices.Equal(e.polled, e.sent[:n]) {
		e.t.Errorf("polled %q; %q was sent", e.polled, e.sent)
	}
	// Of a payload that is wrong in the middle what comes before may be taken.
	if n := len(e.received); !slices.Equal(e.received[:min(n, len(e.taken))], e.taken[:min(n, len(e.taken))]) || n < len(e.taken) || n > len(e.taken) && !e.broken {
		e.t.Errorf("received %q; %q was taken", e.received, e.taken)
	}
}
