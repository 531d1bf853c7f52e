package socketio_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/socketio"
	"example.org/rfc6455/socketio/engineio"
)

// A lost socket is what a client knows of a socket that it lost.
type lost struct{ id, pid, offset string }

// recoverable joins a client, in a room, and has it get a first event.
func (w *world) recoverable() (*client, lost) {
	w.t.Helper()
	c := w.dial()
	c.send("40")
	var l lost
	both := c.expect(`40{"sid":*}`)
	l.id, l.pid, _ = strings.Cut(strings.Trim(both, `"`), `","pid":"`)
	if len(l.pid) != 20 {
		w.t.Fatalf("the client is told %s", both)
	}
	synctest.Wait()
	s := w.io.Socket(l.id)
	s.Join("room")
	s.SetData("data")
	s.Emit("first", []byte{1})
	l.offset = c.expect(`451-["first",{"_placeholder":true,"num":0},"*"]`)
	c.expect("#01")
	return c, l
}

// back comes back with what a client knows, which is also the handshake's auth.
func (w *world) back(l lost, query ...string) *client {
	w.t.Helper()
	c := w.dial(query...)
	c.send(fmt.Sprintf(`40{"pid":"%s","offset":"%s","user":"x"}`, l.pid, l.offset))
	return c
}

func recovery() *socketio.Server { return &socketio.Server{Recovery: &socketio.Recovery{}} }

// TestRecovery: a client that lost its connection comes back to its socket, and gets
// what it missed: nothing more, nothing twice, in order.
func TestRecovery(t *testing.T) {
	bubble(t, recovery(), func(t *testing.T, w *world) {
		w.io.OnConnect(func(s *socketio.Socket) {
			w.log.add("recovered %t %v %d", s.Recovered(), s.Data(), len(s.Rooms()))
		})
		w.io.Use(func(context.Context, *socketio.Socket) error { w.log.add("middleware"); return nil })
		c, l := w.recoverable()
		w.check("middleware; recovered false <nil> 1")
		s := w.io.Socket(l.id)
		w.io.Volatile().Emit("volatile")
		c.expect(`42["volatile"]`)
		w.io.To("room").Emit("seen")
		l.offset = c.expect(`42["seen","*"]`)
		w.io.To("room").Emit("not seen before the end")
		c.conn.CloseNow()
		synctest.Wait()
		s.Emit("to the socket that has gone")
		w.io.Emit("all", 1)
		w.io.To("room").Emit("room", []byte{2})
		w.io.To("another room").Emit("no")
		w.io.To(l.id).Emit("own")
		w.io.Except("room").Emit("no")
		w.io.To("another room", "room").Except("x").Emit("two rooms")
		w.io.Volatile().Emit("no")
		w.io.Timeout(1).Call(t.Context(), "no")
		w.check("")

		c = w.back(l)
		c.expect(`42["not seen before the end","*"]`, `42["all",1,"*"]`, `451-["room",{"_placeholder":true,"num":0},"*"]`, "#02",
			`42["own","*"]`, `42["two rooms","*"]`, fmt.Sprintf(`40{"sid":"%s","pid":"%s"}`, l.id, l.pid))
		w.check("recovered true data 2")
		w.io.To("room").Emit("after")
		c.expect(`42["after","*"]`)
		if r := w.io.Socket(l.id); r == s || !r.Recovered() {
			t.Error("the socket is the old one")
		}

		// What was restored is gone; and it can be lost once more.
		other := w.back(l)
		other.expect(`40{"sid":"*"}`)
		w.check("middleware; recovered false <nil> 1")
		c.conn.CloseNow()
		synctest.Wait()
		c = w.back(l)
		c.expect(`42["not seen before the end",*]`, `42["all",*]`, `451-["room",*]`, "#02", `42["own",*]`, `42["two rooms",*]`, `42["after",*]`, `40{"sid":"`+l.id+`",*}`)
	})
}

// TestS19 is about recovery by those who should not have it: a pid that is made up,
// an offset of another log, one that is too old, a second time, and by another user.
func TestS19(t *testing.T) {
	tests := []struct {
		name   string
		server *socketio.Server
		change func(w *world, l *lost) (query string)
	}{
		{"forged pid", recovery(), func(_ *world, l *lost) string { l.pid = strings.Repeat("A", 20); return "" }},
		{"no offset", recovery(), func(_ *world, l *lost) string { l.offset = ""; return "" }},
		{"malformed offset", recovery(), func(_ *world, l *lost) string { l.offset = "x"; return "" }},
		{"offset of another run", recovery(), func(_ *world, l *lost) string { l.offset = "AAAAAAAA.1"; return "" }},
		{"offset that is to come", recovery(), func(_ *world, l *lost) string { l.offset = l.offset[:9] + "zz"; return "" }},
		{"too late", recovery(), func(*world, *lost) string { time.Sleep(2 * time.Minute); return "" }},
		{"too many events since", &socketio.Server{Recovery: &socketio.Recovery{MaxEvents: 3}}, func(w *world, _ *lost) string {
			for range 4 {
				w.io.Emit("e")
			}
			return ""
		}},
		{"too many octets since", &socketio.Server{Recovery: &socketio.Recovery{MaxOctets: 1000}}, func(w *world, _ *lost) string {
			w.io.Emit("e", make([]byte, 2000))
			return ""
		}},
		{"too many others since", &socketio.Server{Recovery: &socketio.Recovery{MaxSockets: 1}}, func(w *world, _ *lost) string {
			c, _ := w.recoverable()
			c.conn.CloseNow()
			synctest.Wait()
			return ""
		}},
		{"events that are too old", recovery(), func(w *world, l *lost) string {
			c, _ := w.recoverable()
			time.Sleep(time.Minute)
			for range 2 { // the first one keeps the others from growing old
				time.Sleep(59 * time.Second)
				w.io.Emit("e")
			}
			c.conn.CloseNow()
			return ""
		}},
		{"another user", &socketio.Server{Recovery: &socketio.Recovery{}, Engine: &engineio.Options{
			Principal: func(r *http.Request) string { return r.URL.Query().Get("user") },
		}}, func(*world, *lost) string { return "user=eve" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, tt.server, func(t *testing.T, w *world) {
				w.io.OnConnect(func(s *socketio.Socket) { w.log.add("%t", s.Recovered()) })
				c, l := w.recoverable()
				c.conn.CloseNow()
				synctest.Wait()
				old := l
				w.log.take()
				query := tt.change(w, &l)
				w.log.take()
				c = w.back(l, query)
				if id := c.expect(`40{"sid":"*","pid":"*"}`); id == old.id {
					t.Error("the client got the socket")
				}
				w.check("false")
				if tt.name == "another user" { // the right one still gets it
					c = w.back(old)
					c.expect(`40{"sid":"` + old.id + `","pid":"` + old.pid + `"}`)
					w.check("true")
				}
			})
		})
	}
}

// TestRecoveryNotKept: who left the namespace, or was told to, does not come back.
func TestRecoveryNotKept(t *testing.T) {
	for name, end := range map[string]func(c *client, s *socketio.Socket){
		"client left":   func(c *client, _ *socketio.Socket) { c.send("41") },
		"server ended":  func(_ *client, s *socketio.Socket) { s.Disconnect(false) },
		"broken packet": func(c *client, _ *socketio.Socket) { c.send("4x") },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, recovery(), func(t *testing.T, w *world) {
				c, l := w.recoverable()
				end(c, w.io.Socket(l.id))
				synctest.Wait()
				c = w.back(l)
				if id := c.expect(`40{"sid":"*","pid":"*"}`); id == l.id {
					t.Error("the client got the socket")
				}
			})
		})
	}
}

// TestRecoveryMiddleware: middleware runs for who comes back if it is asked for, and
// who is refused has no socket and no rooms.
func TestRecoveryMiddleware(t *testing.T) {
	bubble(t, &socketio.Server{Recovery: &socketio.Recovery{RunMiddleware: true}}, func(t *testing.T, w *world) {
		allowed := true
		w.io.Use(func(_ context.Context, s *socketio.Socket) error {
			w.log.add("middleware %t", s.Recovered())
			if !allowed {
				return &socketio.Error{Message: "expired"}
			}
			return nil
		})
		c, l := w.recoverable()
		c.conn.CloseNow()
		w.check("middleware false")
		c = w.back(l)
		c.expect(`40{"sid":"` + l.id + `",*}`)
		w.check("middleware true")
		c.conn.CloseNow()
		synctest.Wait()
		allowed = false
		c = w.back(l)
		c.expect(`44{"message":"expired"}`)
		w.check("middleware true")
		if n := w.io.Of("/").Len(); n != 0 || w.io.Of("/").Adapter().Members() != nil {
			t.Errorf("%d sockets are left", n)
		}
	})
}

// TestRecoveryStorm: with events on and on, none is lost and none comes twice,
// whenever the connection is lost.
func TestRecoveryStorm(t *testing.T) {
	bubble(t, recovery(), func(t *testing.T, w *world) {
		c, l := w.recoverable()
		stop := make(chan bool, 2)
		done := make(chan int, 1)
		defer func() { stop <- true }()
		go func() {
			n := 0
			for {
				select {
				case <-stop:
					done <- n
					return
				default:
					w.io.To("room").Emit("n", n)
					n++
					time.Sleep(time.Millisecond)
				}
			}
		}()
		want, stopped := 0, -1
		for round := 0; stopped < 0 || want < stopped; round++ {
			for range 7 + round%5 {
				var n int
				m := c.receive()
				if m == "nothing" || stopped >= 0 && want == stopped {
					break
				}
				if _, err := fmt.Sscanf(m, `42["n",%d,`, &n); err != nil {
					if strings.HasPrefix(m, `40{"sid":"`+l.id) {
						continue
					}
					t.Fatalf("message %.100s: %v", m, err)
				}
				if n != want {
					t.Fatalf("round %d: event %d came, want %d", round, n, want)
				}
				want++
				l.offset = m[strings.LastIndexByte(m[:len(m)-2], '"')+1 : len(m)-2]
			}
			if round == 100 {
				stop <- true
				stopped = <-done
			}
			c.conn.CloseNow()
			time.Sleep(time.Duration(round%4) * time.Millisecond)
			synctest.Wait()
			c = w.back(l)
		}
	})
}

// TestRecoveryTooMuch: a client that missed more than can be queued for it is cut off
// rather than left with a gap, whatever the policy, and begins anew.
func TestRecoveryTooMuch(t *testing.T) {
	server := recovery()
	server.Slow = socketio.SlowDrop
	server.Engine = &engineio.Options{MaxQueuedPackets: 10}
	bubble(t, server, func(t *testing.T, w *world) {
		w.io.OnConnect(func(s *socketio.Socket) { w.log.add("%t", s.Recovered()) })
		c, l := w.recoverable()
		c.conn.CloseNow()
		synctest.Wait()
		for range 5000 {
			w.io.To("room").Emit("e", "some text that takes some room")
		}
		w.log.take()
		c = w.back(l)
		synctest.Wait()
		w.check("fault slow-consumer")
		c = w.back(l)
		c.expect(`40{"sid":"*","pid":"*"}`)
		w.check("false")
	})
}

// TestRecoveryOrder: events of many goroutines are sent in the order of their
// offsets; and who is told what is sent may send.
func TestRecoveryOrder(t *testing.T) {
	bubble(t, recovery(), func(t *testing.T, w *world) {
		c, l := w.recoverable()
		s := w.io.Socket(l.id)
		s.OnAnyOutgoing(func(e *socketio.Event) {
			if e.Name == "go on" {
				s.Emit("and on")
			}
		})
		for range 4 {
			go func() {
				for range 100 {
					w.io.Emit("e")
				}
				s.Emit("go on")
			}()
		}
		last := 1
		for range 4 * 102 {
			offset := c.expect(`42[*]`)
			offset = offset[strings.LastIndexByte(offset, '.')+1 : len(offset)-1]
			n, err := strconv.ParseInt(offset, 36, 64)
			if err != nil || int(n) != last+1 {
				t.Fatalf("event %d comes after %d, %v", n, last, err)
			}
			last = int(n)
		}
	})
}
