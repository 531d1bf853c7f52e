package socketio_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/socketio"
	"example.org/rfc6455/socketio/engineio"
	"example.org/rfc6455/socketio/parser"
)

// misuse sends messages to a server and expects its session to end for a fault.
func misuse(t *testing.T, fault string, messages ...string) {
	t.Helper()
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		w.io.Of("/other")
		w.io.OnConnect(func(s *socketio.Socket) {
			s.OnDisconnect(func(r socketio.Reason, _ error) { w.log.add("%s", r) })
			s.OnAny(func(e *socketio.Event) { t.Errorf("event %s of a packet that is broken", e.Name) })
		})
		c := w.dial()
		joined := len(messages) > 0 && messages[0] == "40"
		c.send(messages...)
		if joined {
			c.expect(`40{"sid":"*"}`)
		}
		c.expect("closed")
		got := w.log.take()
		if joined {
			first, reason, _ := strings.Cut(got, "; ")
			if got = first; reason != "parse error" && reason != "forced close" {
				t.Errorf("%.80q: the socket ends with %q", messages, reason)
			}
		}
		if got != "fault "+fault {
			t.Errorf("%.80q: %s; want fault %s", messages, got, fault)
		}
		if n := w.io.Of("/").Len(); n != 0 {
			t.Errorf("%d sockets are left", n)
		}
	})
}

// TestS12 is about packets out of order: an event before the client has joined,
// joining twice, packets for servers; and about many namespaces.
func TestS12(t *testing.T) {
	misuse(t, "not-connected", `42["e"]`)
	misuse(t, "not-connected", `40`, `42/other,["e"]`)
	misuse(t, "not-connected", `40`, `42/unknown,["e"]`)
	misuse(t, "not-connected", `40`, `43/other,1[]`)
	misuse(t, "already-connected", `40`, `40`)
	misuse(t, "unexpected-packet", `40`, `44{"message":"x"}`)
	misuse(t, "namespace", `40/`+strings.Repeat("n", 300)+`,`)

	t.Run("many", func(t *testing.T) {
		bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
			w.io.OfFunc(func(context.Context, string, socketio.Value) bool { return true })
			c := w.dial()
			for i := range 32 {
				c.send(fmt.Sprintf("40/n%d,", i))
				c.expect(fmt.Sprintf(`40/n%d,{"sid":"*"}`, i))
			}
			c.send("40/more,")
			c.expect(`44/more,{"message":"Too many namespaces"}`)
			w.check("fault too-many-namespaces")
			c.send("41/n0,", "40/more,")
			c.expect(`40/more,{"sid":"*"}`)
		})
	})
	t.Run("unknown", func(t *testing.T) {
		bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
			c, _ := w.join()
			for i := range 1000 {
				c.send(fmt.Sprintf("40/n%d,", i))
				c.expect(fmt.Sprintf(`44/n%d,{"message":"Invalid namespace"}`, i))
			}
			n := 0
			for range w.io.Namespaces() {
				n++
			}
			if n != 1 {
				t.Errorf("%d namespaces were created", n-1)
			}
		})
	})
}

// TestS13 is about the auth of a client: too long, too deep, with odd members.
func TestS13(t *testing.T) {
	misuse(t, "depth", `40{"a":`+strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)+`}`)
	misuse(t, "json", `40{"a":"\ud8"}`)
	misuse(t, "payload", `40[1]`)
	misuse(t, "payload", `40"x"`)
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		w.io.Use(func(_ context.Context, s *socketio.Socket) error {
			var auth map[string]any
			err := s.Handshake().Auth.Decode(&auth)
			w.log.add("%v %v", auth, err)
			var narrow struct{ Big int8 }
			if s.Handshake().Auth.Decode(&narrow) == nil {
				t.Error("a big number fits into an int8")
			}
			return nil
		})
		c := w.dial()
		c.send(`40{"__proto__":{"admin":true},"a":1,"a":2,"big":12345678901234567890,"s":"\ud800"}`)
		c.expect(`40{"sid":"*"}`)
		w.check("map[__proto__:map[admin:true] a:2 big:1.2345678901234567e+19 s:\ufffd] <nil>")
	})
}

// TestS14 is about attachments: counts that lie, octets that nobody awaits, text in
// between, and those that never come.
func TestS14(t *testing.T) {
	const one = `["e",{"_placeholder":true,"num":0}]`
	misuse(t, "attachment-count", `40`, `450-["e"]`)
	misuse(t, "attachment-count", `40`, `45["e"]`)
	misuse(t, "placeholder", `40`, `452-`+one)
	misuse(t, "placeholder", `40`, `451-["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
	misuse(t, "too-many-attachments", `40`, `4511-["e"]`)
	misuse(t, "too-many-attachments", `40`, `459999999999-["e"]`)
	misuse(t, "unexpected-attachment", `40`, `#01`)
	misuse(t, "unexpected-attachment", `#01`)
	misuse(t, "expected-attachment", `40`, `451-`+one, `42["e"]`)
	misuse(t, "too-big", `40`, `451-`+one, `#`+strings.Repeat("00", 1_000_000))
	misuse(t, "attachment-timeout", `40`, `451-`+one)

	t.Run("in time", func(t *testing.T) {
		bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
			w.io.OnConnect(func(s *socketio.Socket) { s.On("e", func(b []byte) { w.log.add("%x", b) }) })
			c, _ := w.join()
			for range 3 {
				c.send(`451-` + one)
				time.Sleep(20 * time.Second)
				c.send(`#0102`)
			}
			w.check("0102; 0102; 0102")
		})
	})
	t.Run("limits", func(t *testing.T) {
		io := &socketio.Server{Limits: &parser.Limits{MaxAttachments: 1, MaxDepth: 2}, AttachmentTimeout: time.Second}
		bubble(t, io, func(t *testing.T, w *world) {
			c, _ := w.join()
			c.send(`452-["e"]`)
			c.expect("closed")
			w.check("fault too-many-attachments")
		})
	})
}

// TestS15 is about placeholders that stand for nothing.
func TestS15(t *testing.T) {
	for _, p := range []string{
		`{"_placeholder":true,"num":1}`, `{"_placeholder":true,"num":-1}`, `{"_placeholder":true,"num":"0"}`, `{"_placeholder":true}`,
		`{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}`,
	} {
		misuse(t, "placeholder", `40`, `451-["e",`+p+`]`, `#01`)
		misuse(t, "placeholder", `40`, `461-0[`+p+`]`, `#01`)
	}
	misuse(t, "depth", `40`, `451-["e",`+strings.Repeat(`{"a":`, 10_000)+`{"_placeholder":true,"num":0}`+strings.Repeat(`}`, 10_000)+`]`)
}

// TestS16 is about acknowledgements: ids that are no numbers, and those nobody waits
// for.
func TestS16(t *testing.T) {
	for _, id := range []string{"9007199254740992", "18446744073709551616", strings.Repeat("9", 40)} {
		misuse(t, "ack-id", `40`, `43`+id+`[]`)
		misuse(t, "ack-id", `40`, `42`+id+`["e"]`)
	}
	misuse(t, "json", `40`, `43-1[]`)
	misuse(t, "payload", `40`, `431{}`)
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		w.io.Of("/other")
		var s *socketio.Socket
		w.io.OnConnect(func(c *socketio.Socket) { s = c })
		c, _ := w.join()
		c.send("40/other,")
		c.expect(`40/other,{"sid":"*"}`)
		c.send(`439007199254740991[]`, `430[]`, `43[]`, `43`, `430`)
		synctest.Wait()
		s.EmitAck("e", func(n int) { w.log.add("%d", n) })
		c.expect(`420["e"]`)
		c.send(`43/other,0[1]`, `430[2]`, `430[3]`)
		w.check("2")
		for range 1024 {
			if err := s.EmitAck("e", func() {}); err != nil {
				t.Fatal(err)
			}
			c.receive()
		}
		if err := s.EmitAck("e", func() {}); err != socketio.ErrTooManyAcks {
			t.Errorf("the acknowledgement after 1,024 others: %v", err)
		}
	})
}

// TestS17 is about the names of events.
func TestS17(t *testing.T) {
	for _, name := range []string{``, `{}`, `null`, `[]`, `true`, `""`, `"` + strings.Repeat("n", 900_000) + `"`} {
		misuse(t, "event-name", `40`, `42[`+name+`]`)
	}
	for _, name := range []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"} {
		misuse(t, "reserved-event", `40`, `42["`+name+`"]`)
	}
	misuse(t, "payload", `40`, `42`)
	misuse(t, "payload", `40`, `42{"a":1}`)
	misuse(t, "packet-type", `40`, `47`)
	misuse(t, "packet-type", `40`, `4`)
}

// TestS18 is about a client that has the application join any number of rooms.
func TestS18(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		w.io.OnConnect(func(s *socketio.Socket) {
			s.On("join", func(room string) error {
				if err := s.Join(room); err != nil {
					return &socketio.Error{Message: "too many rooms"}
				}
				return nil
			})
		})
		c, id := w.join()
		for i := range 1000 {
			c.send(fmt.Sprintf(`420["join","room %d"]`, i))
			c.expect(`430[]`)
		}
		c.send(`420["join","another"]`, `420["join","room 0"]`)
		c.expect(`430[{"error":"too many rooms"}]`, `430[]`)
		if n := len(w.io.Socket(id).Rooms()); n != 1001 {
			t.Errorf("the socket is in %d rooms", n)
		}
	})
}

// TestS20 is about clients that go away in the middle of something: nothing is left.
func TestS20(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		w.io.OnConnect(func(s *socketio.Socket) {
			s.On("ask", func() {
				_, err := s.Call(context.Background(), "question")
				w.log.add("%t", err == socketio.ErrDisconnected)
			})
		})
		for _, messages := range [][]string{
			{`451-["e",{"_placeholder":true,"num":0}]`},
			{`42["ask"]`},
			{`42["ask"]`, `451-["e",{"_placeholder":true,"num":0}]`, `#01`},
		} {
			c, _ := w.join()
			c.send(messages...)
			synctest.Wait()
			c.conn.CloseNow()
			synctest.Wait()
			if n := w.io.Of("/").Len() + w.io.Sessions().Len(); n != 0 {
				t.Errorf("%q: %d sockets and sessions are left", messages, n)
			}
		}
		w.check("true; true")
		time.Sleep(time.Minute)
		w.check("") // no timer was left
	})
}

// TestS21 is about clients that never join, and middleware that never ends.
func TestS21(t *testing.T) {
	misuse(t, "connect-timeout")
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		w.io.Use(func(ctx context.Context, _ *socketio.Socket) error {
			<-ctx.Done()
			return ctx.Err()
		})
		start := time.Now()
		c := w.dial()
		c.send("40")
		for c.receive() != "closed" {
		}
		if d := time.Since(start); d != 45*time.Second {
			t.Errorf("the session ended after %v", d)
		}
		w.check("fault connect-timeout")
		if n := w.io.Of("/").Len() + w.io.Sessions().Len(); n != 0 {
			t.Errorf("%d sockets and sessions are left", n)
		}
	})
	bubble(t, &socketio.Server{ConnectTimeout: time.Second}, func(t *testing.T, w *world) {
		c := w.dial()
		time.Sleep(999 * time.Millisecond)
		c.send("40")
		c.expect(`40{"sid":"*"}`)
		c.send("41")
		time.Sleep(time.Hour / 100)
		c.send("40") // a session without a namespace may stay
		c.expect(`40{"sid":"*"}`)
		w.check("")
	})
}

// TestPollingMisuse: over polling a broken packet ends the session just so.
func TestPollingMisuse(t *testing.T) {
	bubble(t, &socketio.Server{Engine: &engineio.Options{}}, func(t *testing.T, w *world) {
		sid := w.poll("")
		if status, body := w.post(sid, "40\x1e42[]"); status != 200 && status != 400 {
			t.Errorf("POST is answered with %d %s", status, body)
		}
		w.check("fault event-name")
		if body := w.poll(sid); !strings.HasSuffix(body, "\x1e1") {
			if next := w.poll(sid); next != "1" {
				t.Errorf("the session goes on: %q, then %q", body, next)
			}
		}
	})
}
