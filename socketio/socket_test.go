package socketio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/socketio"
	"example.org/rfc6455/socketio/engineio"
	"example.org/rfc6455/socketio/parser"
)

// TestJoinAndLeave: a client joins, sends events, leaves and joins again.
func TestJoinAndLeave(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		w.io.OnConnect(func(s *socketio.Socket) {
			w.log.add("connected %t", s.Connected())
			s.Send("first")
			s.On("echo", func(text string, n int) (string, int) { return text, n + 1 })
			s.OnDisconnect(func(r socketio.Reason, err error) { w.log.add("%s %t", r, err != nil) })
		})
		c := w.dial()
		c.send("40")
		id := c.expect(`40{"sid":"*"}`, `42["message","first"]`)
		if len(id) != 20 || id == c.open.SID {
			t.Errorf("the id is %q, that of the session %q", id, c.open.SID)
		}
		c.send(`420["echo","a",1]`)
		c.expect(`430["a",2]`)
		c.send(`41`)
		w.check("connected true; client namespace disconnect false")
		c.send(`40`)
		if again := c.expect(`40{"sid":"*"}`, `42["message","first"]`); again == id {
			t.Errorf("the id %q comes again", id)
		}
		c.conn.CloseNow()
		w.check("connected true; transport close true")
	})
}

// TestSocket: what a socket tells about itself.
func TestSocket(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		var s *socketio.Socket
		w.io.OnConnect(func(c *socketio.Socket) { s = c })
		c := w.dial("token=a&token=b", "X-Name: value")
		c.send(`40{"user":"x"}`)
		id := c.expect(`40{"sid":"*"}`)
		synctest.Wait()
		if s.ID() != id || s.Namespace().Name() != "/" || s.Namespace().Server() != w.io || !s.Connected() || s.Recovered() {
			t.Errorf("ID %s, want %s; Namespace %s, Connected %t, Recovered %t", s.ID(), id, s.Namespace().Name(), s.Connected(), s.Recovered())
		}
		if s.Session().ID() != c.open.SID || s.Request().URL.Query().Get("token") != "a" {
			t.Errorf("Session %s, want %s; Request %v", s.Session().ID(), c.open.SID, s.Request().URL)
		}
		h := s.Handshake()
		var auth struct{ User string }
		if err := h.Auth.Decode(&auth); err != nil || auth.User != "x" {
			t.Errorf("Auth is %v, %v", h.Auth, err)
		}
		if h.Headers["x-name"] != "value" || h.Headers["host"] != "server" || h.Query["token"] != "a" || h.Query["EIO"] != "4" ||
			h.XDomain || h.Secure || h.Issued != time.Now().UnixMilli() || h.Time == "" || h.URL[:12] != "/socket.io/?" {
			t.Errorf("Handshake is %+v", h)
		}
		s.SetData(7)
		if s.Data() != 7 {
			t.Errorf("Data is %v", s.Data())
		}
		if got := s.Sockets(); len(got) != 1 || got[0] != s {
			t.Errorf("Sockets are %v", got)
		}
		if w.io.Socket(id) != s || w.io.Socket("x") != nil || w.io.Of("/").Len() != 1 || len(slices.Collect(w.io.Sockets())) != 1 {
			t.Error("the server does not have the socket")
		}
		ctx := s.Context()
		if ctx.Err() != nil {
			t.Errorf("Context is over: %v", ctx.Err())
		}
		if err := s.Join("a", "b", "a"); err != nil {
			t.Error(err)
		}
		if err := s.Leave("b", "c"); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff([]string{id, "a"}, s.Rooms()); diff != "" {
			t.Errorf("Rooms (-want +got):\n%s", diff)
		}

		s.Disconnect(false)
		c.expect("41")
		if s.Connected() || context.Cause(ctx) != socketio.ErrDisconnected || s.Context() != ctx || w.io.Socket(id) != nil || w.io.Of("/").Len() != 0 {
			t.Errorf("after the end: Connected %t, cause %v", s.Connected(), context.Cause(ctx))
		}
		for what, err := range map[string]error{"Emit": s.Emit("e"), "Join": s.Join("x"), "EmitAck": s.EmitAck("e", func() {})} {
			if !errors.Is(err, socketio.ErrDisconnected) || !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s after the end: %v", what, err)
			}
		}
		if _, err := s.Call(t.Context(), "e"); !errors.Is(err, socketio.ErrDisconnected) {
			t.Errorf("Call after the end: %v", err)
		}
		if err := s.Leave("x"); err != nil || s.Rooms() != nil {
			t.Errorf("Leave after the end: %v; Rooms %v", err, s.Rooms())
		}
		s.Disconnect(false)
	})
}

// TestContextAfterTheEnd: who asks for the context only then gets one that is over.
func TestContextAfterTheEnd(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		var s *socketio.Socket
		w.io.OnConnect(func(c *socketio.Socket) { s = c })
		c, _ := w.join()
		c.conn.CloseNow()
		synctest.Wait()
		if context.Cause(s.Context()) != socketio.ErrDisconnected {
			t.Errorf("the cause is %v", context.Cause(s.Context()))
		}
	})
}

// TestEmit: events with arguments of all kinds, octets, and those that are refused.
func TestEmit(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		w.io.OnConnect(func(s *socketio.Socket) {
			s.OnAnyOutgoing(func(e *socketio.Event) { w.log.add("%s %v", e.Name, e.Args) })
			off := s.PrependAnyOutgoing(func(e *socketio.Event) { w.log.add("front") })
			s.Emit("a", 1, "b", nil)
			off()
			s.Emit("b", map[string]any{"octets": []byte{1}}, []byte{2})
			s.Compress(false).Emit("d")
			s.Timeout(time.Second).Compress(true).Emit("e")
			if err := s.Emit("connect"); !errors.Is(err, parser.ErrReservedEvent) {
				t.Errorf("a reserved event: %v", err)
			}
			if err := s.Emit("f", func() {}); !errors.Is(err, parser.ErrArgument) {
				t.Errorf("a function: %v", err)
			}
			if err := s.EmitAck("f", func() {}, func() {}); !errors.Is(err, parser.ErrArgument) {
				t.Errorf("a function: %v", err)
			}
			if _, err := s.Call(t.Context(), ""); !errors.Is(err, parser.ErrEventName) {
				t.Errorf("no name: %v", err)
			}
		})
		c, _ := w.join()
		c.expect(`42["a",1,"b",null]`, `452-["b",{"octets":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1}]`, "#01", "#02",
			`42["d"]`, `42["e"]`)
		synctest.Wait()
		w.io.Volatile().Emit("c")
		c.expect(`42["c"]`)
		w.check(`front; a [1 "b" null]; b [{"octets":{"_placeholder":true,"num":0}} {"_placeholder":true,"num":1}]; d []; e []; c []`)
	})
}

// TestCall: a handler waits for its own client, which goes on to send; what it sends
// waits for its turn.
func TestCall(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		w.io.OnConnect(func(s *socketio.Socket) {
			s.On("ask", func(ctx context.Context) (string, error) {
				v, err := s.Call(ctx, "question", "ferret")
				if err != nil {
					return "", err
				}
				var answer string
				err = v.Decode(&answer)
				w.log.add("answer %s", answer)
				return answer + "!", err
			})
			s.On("later", func(n int) { w.log.add("later %d", n) })
		})
		c, _ := w.join()
		for round := range 3 {
			c.send(`429["ask"]`)
			c.expect(fmt.Sprintf(`42%d["question","ferret"]`, round))
			for i := range 5 {
				c.send(fmt.Sprintf(`42["later",%d]`, i))
			}
			w.check("")
			c.send(fmt.Sprintf(`43%d["tobi"]`, round))
			c.expect(`439["tobi!"]`)
			w.check("answer tobi; later 0; later 1; later 2; later 3; later 4")
		}
	})
}

// TestCallInConnect: the handler of a connection may wait for the client, too, and
// its events come after that.
func TestCallInConnect(t *testing.T) {
	for _, revision := range []int{4, 3} {
		bubble(t, &socketio.Server{Engine: eio3()}, func(t *testing.T, w *world) {
			w.io.OnConnect(func(s *socketio.Socket) {
				s.On("e", func() { w.log.add("event") })
				v, err := s.Call(s.Context(), "hello")
				w.log.add("%v %v", v, err)
			})
			c := w.dialRevision(revision)
			if revision == 4 {
				c.send("40")
			}
			c.expect("40*", `420["hello"]`)
			c.send(`42["e"]`, `430[1]`)
			w.check("1 <nil>; event")
		})
	}
}

// TestCallEnds: a call ends with its context, its timeout, or its socket.
func TestCallEnds(t *testing.T) {
	bubble(t, &socketio.Server{MaxPendingAcks: 2}, func(t *testing.T, w *world) {
		var s *socketio.Socket
		w.io.OnConnect(func(c *socketio.Socket) { s = c })
		c, _ := w.join()
		synctest.Wait()

		cause := errors.New("cause")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, cause)
		defer cancel()
		if _, err := s.Call(ctx, "a"); err != cause {
			t.Errorf("context: %v", err)
		}
		start := time.Now()
		if _, err := s.Timeout(2*time.Second).Call(t.Context(), "b"); err != socketio.ErrAckTimeout || time.Since(start) != 2*time.Second {
			t.Errorf("timeout: %v after %v", err, time.Since(start))
		}
		c.expect(`420["a"]`, `421["b"]`)
		c.send(`430["late"]`, `431["late"]`, `4399["unknown"]`, `43`, `43[]`)

		s.EmitAck("c", func(err error, n int) { w.log.add("c %v %d", err, n) })
		s.Timeout(time.Hour).EmitAck("d", func(err error) { w.log.add("d %v", err) })
		if err := s.EmitAck("e", func() {}); err != socketio.ErrTooManyAcks {
			t.Errorf("the third: %v", err)
		}
		c.expect(`422["c"]`, `423["d"]`)
		c.send(`432[5]`)
		w.check("c <nil> 5")
		s.EmitAck("f", func(n int) { w.log.add("f %d", n) })
		c.expect(`425["f"]`)
		go func() {
			time.Sleep(time.Second)
			s.Disconnect(true)
		}()
		c.expect("41", "closed")
		w.check("d socketio: the socket is not connected: use of closed network connection")
	})
}

// TestEmitAck: the function that takes an acknowledgement is like a handler, and runs
// in turn.
func TestEmitAck(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		w.io.OnConnect(func(s *socketio.Socket) {
			s.OnError(func(err error) { w.log.add("error") })
			s.On("go", func() {
				s.EmitAck("a", func(text string, n int) { w.log.add("a %s %d", text, n) })
				s.EmitAck("b", func(ctx context.Context, b []byte) { w.log.add("b %x", b) })
				s.EmitAck("c", func(n int) { t.Error("called with a wrong argument") })
				s.Timeout(time.Second).EmitAck("d", func(err error) { w.log.add("d %v", err) })
				s.Timeout(time.Second).EmitAck("e", func() { t.Error("called without an answer") })
			})
			s.On("event", func() { w.log.add("event") })
		})
		c, _ := w.join()
		c.send(`42["go"]`)
		c.expect(`420["a"]`, `421["b"]`, `422["c"]`, `423["d"]`, `424["e"]`)
		c.send(`430["x",2,3]`, `42["event"]`, `461-1[{"_placeholder":true,"num":0}]`, `#0a`, `432["x"]`, `430["again",1]`)
		w.check("a x 2; event; b 0a; error")
		time.Sleep(2 * time.Second)
		w.check("d socketio: operation has timed out")
	})
}

// TestWaiting: what waits behind a handler that waits is bounded; then the client is
// not read until there is room, and nothing is lost.
func TestWaiting(t *testing.T) {
	bubble(t, &socketio.Server{MaxWaiting: 3}, func(t *testing.T, w *world) {
		release := make(chan bool)
		w.io.OnConnect(func(s *socketio.Socket) {
			s.On("slow", func() {
				s.Timeout(time.Second).Call(context.Background(), "never")
				<-release
			})
			s.On("n", func(n int) { w.log.add("%d", n) })
		})
		c, _ := w.join()
		c.send(`42["slow"]`)
		c.expect(`420["never"]`)
		for i := range 10 {
			c.send(fmt.Sprintf(`42["n",%d]`, i))
		}
		time.Sleep(5 * time.Second)
		w.check("")
		close(release)
		w.check("0; 1; 2; 3; 4; 5; 6; 7; 8; 9")

		// And who waits for room when the session ends does not wait any longer.
		release = make(chan bool)
		c.send(`42["slow"]`)
		c.expect(`421["never"]`)
		for i := range 5 {
			c.send(fmt.Sprintf(`42["n",%d]`, i))
		}
		time.Sleep(5 * time.Second)
		for s := range w.io.Sockets() {
			s.Session().Close("")
		}
		w.check("")
		close(release)
		w.check("")
	})
}

// TestWaitingOctets: what waits is bounded in octets, too.
func TestWaitingOctets(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		release := make(chan bool)
		w.io.OnConnect(func(s *socketio.Socket) {
			s.On("slow", func() {
				s.Timeout(time.Second).Call(context.Background(), "never")
				<-release
			})
			s.On("big", func(b []byte) { w.log.add("%d", len(b)) })
		})
		c, _ := w.join()
		c.send(`42["slow"]`)
		c.expect(`420["never"]`)
		go func() {
			for range 6 {
				c.send(`451-["big",{"_placeholder":true,"num":0}]`, "#"+fmt.Sprintf("%0800000x", 0))
			}
		}()
		time.Sleep(5 * time.Second)
		w.check("")
		close(release)
		time.Sleep(time.Second)
		w.check("400000; 400000; 400000; 400000; 400000; 400000")
	})
}

// TestDisconnect: every way to end, with the reasons and the order of what is told.
func TestDisconnect(t *testing.T) {
	tests := []struct {
		name string
		end  func(w *world, c *client, s *socketio.Socket)
		want string // the reason
		peer []string
	}{
		{"client leaves", func(_ *world, c *client, _ *socketio.Socket) { c.send("41") }, "client namespace disconnect", nil},
		{"client goes away", func(_ *world, c *client, _ *socketio.Socket) { c.conn.CloseNow() }, "transport close", nil},
		{"client closes the session", func(_ *world, c *client, _ *socketio.Socket) { c.send("1") }, "transport close", []string{"closed"}},
		{"server disconnects", func(_ *world, _ *client, s *socketio.Socket) { s.Disconnect(false) }, "server namespace disconnect", []string{"41"}},
		{"server disconnects and closes", func(_ *world, _ *client, s *socketio.Socket) { s.Disconnect(true) }, "server namespace disconnect", []string{"41", "closed"}},
		{"session closed", func(_ *world, _ *client, s *socketio.Socket) { s.Session().Close("") }, "forced close", []string{"closed"}},
		{"all are disconnected", func(w *world, _ *client, _ *socketio.Socket) { w.io.DisconnectSockets(true) }, "server namespace disconnect", []string{"41", "closed"}},
		{"shutdown", func(w *world, _ *client, _ *socketio.Socket) { w.io.Shutdown(context.Background()) }, "server shutting down", []string{"closed"}},
		{"no pong", func(_ *world, _ *client, _ *socketio.Socket) { time.Sleep(time.Minute) }, "ping timeout", nil},
		{"broken packet", func(_ *world, c *client, _ *socketio.Socket) { c.send("4x") }, "parse error", []string{"closed"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, &socketio.Server{OnFault: func(*socketio.FaultError) {}}, func(t *testing.T, w *world) {
				var s *socketio.Socket
				w.io.OnConnect(func(c *socketio.Socket) {
					s = c
					s.Join("room")
					s.OnDisconnecting(func(r socketio.Reason, _ error) { w.log.add("disconnecting %s %d", r, len(s.Rooms())) })
					s.OnDisconnecting(func(socketio.Reason, error) { panic("no") })
					s.OnDisconnect(func(r socketio.Reason, _ error) { w.log.add("disconnect %s %d", r, len(s.Rooms())) })
				})
				c, _ := w.join()
				synctest.Wait()
				tt.end(w, c, s)
				w.check("disconnecting " + tt.want + " 2; disconnect " + tt.want + " 0")
				if len(tt.peer) > 0 {
					c.expect(tt.peer...)
				}
			})
		})
	}
}

// TestDisconnectInTurn: the end of a socket is told after the handler that runs.
func TestDisconnectInTurn(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		w.io.OnConnect(func(s *socketio.Socket) {
			s.On("leave", func() {
				s.Disconnect(false)
				w.log.add("connected %t, rooms %d", s.Connected(), len(s.Rooms()))
			})
			s.On("after", func() { t.Error("a socket that was disconnected gets events") })
			s.OnDisconnect(func(socketio.Reason, error) { w.log.add("disconnect") })
		})
		c, _ := w.join()
		c.send(`42["leave"]`, `42["after"]`, `43[]`, `41`)
		c.expect("41")
		w.check("connected false, rooms 1; disconnect")
		c.send("40") // what was still to come is forgotten, and it can join again
		c.expect(`40{"sid":"*"}`)
		w.check("")
	})
}

// TestSlowConsumer: a client that takes less than it is sent is cut off, or loses what
// does not fit.
func TestSlowConsumer(t *testing.T) {
	for _, policy := range []socketio.SlowPolicy{socketio.SlowClose, socketio.SlowDrop} {
		t.Run(policy.String(), func(t *testing.T) {
			io := &socketio.Server{Slow: policy, Engine: &engineio.Options{MaxQueuedPackets: 10, WriteTimeout: engineio.NoLimit}}
			bubble(t, io, func(t *testing.T, w *world) {
				var s *socketio.Socket
				w.io.OnConnect(func(c *socketio.Socket) {
					s = c
					s.OnDisconnect(func(r socketio.Reason, _ error) { w.log.add("%s", r) })
				})
				c, _ := w.join()
				synctest.Wait()
				var err error
				for range 1000 {
					if err = s.Emit("e", make([]int, 1000)); err != nil {
						break
					}
					synctest.Wait()
				}
				if !errors.Is(err, socketio.ErrQueueFull) {
					t.Fatalf("Emit: %v", err)
				}
				if err := s.Volatile().Emit("v"); err != nil && policy == socketio.SlowDrop {
					t.Errorf("a volatile event: %v", err)
				}
				if policy == socketio.SlowDrop {
					w.check("")
					return
				}
				w.check("fault slow-consumer; forced server close")
				_ = c
			})
		})
	}
}

// TestKnownWhenTold: who has been told the id of a socket finds the socket.
func TestKnownWhenTold(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		for range 100 {
			c, id := w.join()
			if w.io.Socket(id) == nil {
				t.Fatal("a socket is not found whose client knows that it is connected")
			}
			c.conn.CloseNow()
		}
	})
}

// overlap is a parser whose decoders notice when they are called concurrently.
type overlap struct {
	parser.Parser
	busy, overlapped atomic.Bool
}

func (o *overlap) NewDecoder(l *parser.Limits) parser.Decoder {
	return &overlapDecoder{o.Parser.NewDecoder(l), o}
}

type overlapDecoder struct {
	parser.Decoder
	o *overlap
}

func (d *overlapDecoder) Decode(binary bool, data []byte) (parser.Packet, bool, error) {
	if d.o.busy.Swap(true) {
		d.o.overlapped.Store(true)
	}
	time.Sleep(time.Second)
	d.o.busy.Store(false)
	return d.Decoder.Decode(binary, data)
}

// TestCallReleasesOnce: whoever waits for an acknowledgement, and however often, only
// one goroutine reads the session.
func TestCallReleasesOnce(t *testing.T) {
	o := &overlap{Parser: parser.JSON}
	bubble(t, &socketio.Server{Parser: o}, func(t *testing.T, w *world) {
		w.io.OnConnect(func(s *socketio.Socket) {
			s.On("twice", func(ctx context.Context) {
				for range 2 {
					v, err := s.Call(ctx, "question")
					w.log.add("%v %v", v, err)
				}
			})
			s.On("e", func(n int) { w.log.add("e%d", n) })
		})
		c, id := w.join()
		c.send(`42["twice"]`)
		c.expect(`420["question"]`)
		c.send(`430[0]`, `42["e",1]`, `42["e",2]`)
		c.expect(`421["question"]`)
		time.Sleep(time.Second / 2) // an event is being decoded
		var calls sync.WaitGroup
		calls.Go(func() { w.io.Socket(id).Call(t.Context(), "other") })
		calls.Go(func() { w.io.Call(t.Context(), "all") })
		c.expect(`42*`, `42*`)
		c.send(`431[1]`, `432[]`, `433[]`)
		calls.Wait()
		w.check("0 <nil>; 1 <nil>; e1; e2")
		if o.overlapped.Load() {
			t.Error("two goroutines read the session at once")
		}
	})
}

// TestArgumentsLast: what a handler gets is its own, whatever comes later, and
// whoever has the session read on meanwhile.
func TestArgumentsLast(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		var values []socketio.Value
		var texts []string
		var raws []json.RawMessage
		w.io.OnConnect(func(s *socketio.Socket) {
			s.On("value", func(v socketio.Value, more ...socketio.Value) { values = append(append(values, v), more...) })
			s.On("two", func(text string) { texts = append(texts, text) })
			s.On("two", func(raw json.RawMessage) { raws = append(raws, raw) })
			s.On("any", func() {})
			s.OnAny(func(e *socketio.Event) { values = append(values, e.Args...) })
			s.On("call", func(ctx context.Context, text string, raw json.RawMessage) (string, json.RawMessage, error) {
				_, err := s.Call(ctx, "question")
				return text, raw, err
			})
		})
		c, _ := w.join()
		c.send(`42["value","aa","bb"]`, `42["two","cc"]`, `42["any","dd"]`, `421["call","ee",["ff"]]`)
		c.expect(`420["question"]`)
		c.send(`42["two","gg"]`, `42["any","hh"]`, `430["answer"]`)
		c.expect(`431["ee",["ff"]]`)
		synctest.Wait()
		if got, want := fmt.Sprint(values), `["aa" "bb" "aa" "bb" "cc" "dd" "ee" ["ff"] "gg" "hh"]`; got != want {
			t.Errorf("values %s, want %s", got, want)
		}
		if got, want := fmt.Sprintf("%s %s", texts, raws), `[cc gg] ["cc" "gg"]`; got != want {
			t.Errorf("texts %s, want %s", got, want)
		}
	})
}

// TestArgumentsUndisturbed: that others have the session read on at any time does not
// disturb who decodes an event of it.
func TestArgumentsUndisturbed(t *testing.T) {
	const events = 300
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		var got []string
		done := make(chan bool)
		w.io.OnConnect(func(s *socketio.Socket) {
			s.On("e", func(text string, slow slowly, n int) {
				if got = append(got, fmt.Sprint(text, slow, n)); len(got) == events {
					close(done)
				}
			})
		})
		c, _ := w.join()
		go func() {
			for c.receive() != "closed" { // of which none is answered
			}
		}()
		ctx, cancel := context.WithCancel(t.Context())
		var asking sync.WaitGroup
		asking.Go(func() {
			for ctx.Err() == nil {
				short, cancel := context.WithTimeout(ctx, time.Microsecond)
				w.io.Call(short, "question")
				cancel()
			}
		})
		var want []string
		for i := range events {
			text := strings.Repeat(string(rune('a'+i%26)), 1+i%100)
			c.send(fmt.Sprintf(`42["e",%q,%q,%d]`, text, text, i))
			want = append(want, fmt.Sprint(text, text, i))
		}
		<-done
		cancel()
		asking.Wait()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events mismatch (-want +got):\n%s", diff)
		}
	})
}

// A slowly is a string that takes a while to be decoded.
type slowly string

func (s *slowly) UnmarshalJSON(b []byte) error {
	time.Sleep(2 * time.Microsecond) // of a bubble
	return json.Unmarshal(b, (*string)(s))
}
