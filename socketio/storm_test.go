package socketio_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/socketio"
)

// TestStorm: everything at once, from everywhere, while clients come and go. Nothing
// panics, nothing is left.
func TestStorm(t *testing.T) {
	var log bytes.Buffer
	server := recovery()
	server.CleanupEmptyNamespaces = true
	server.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError}))
	bubble(t, server, func(t *testing.T, w *world) {
		w.io.OfFunc(func(context.Context, string, socketio.Value) bool { return true }).OnConnect(func(s *socketio.Socket) {
			s.Join("room")
		})
		w.io.OnConnect(func(s *socketio.Socket) {
			s.On("e", func(room string) { s.Join(room); s.To(room).Emit("e", room); s.Leave(room) })
			s.On("call", func(ctx context.Context) { s.Timeout(50*time.Millisecond).Call(ctx, "question") })
			s.On("all", func(ctx context.Context) { w.io.Timeout(20*time.Millisecond).Call(ctx, "question") })
			s.On("leave", func() { s.Disconnect(rand.IntN(2) == 0) })
			s.Once("once", func() {})
			s.OnDisconnect(func(socketio.Reason, error) { s.Broadcast().Emit("left", s.ID()) })
		})
		messages := []string{
			"40", "40/a,", "40/b,", "41", "41/a,", `42["e","x"]`, `42["e","y"]`, `421["e","z"]`, `42["call"]`, `42["all"]`,
			`42["once"]`, `430["answer"]`, `431[]`, `42/a,["e"]`, `42["leave"]`, `42["e",1]`,
		}
		var clients, servers sync.WaitGroup
		stop := make(chan bool)
		for range 10 {
			clients.Go(func() {
				for range 20 {
					c := w.dial()
					go func() {
						for c.receive() != "closed" {
						}
					}()
					c.send("40")
					for range rand.IntN(20) {
						m := messages[rand.IntN(len(messages))]
						if c.conn.WriteMessage(context.Background(), frame.OpText, []byte(m)) != nil {
							break
						}
						time.Sleep(rand.N(3 * time.Millisecond))
					}
					c.conn.CloseNow()
				}
			})
		}
		for range 3 {
			servers.Go(func() {
				for {
					select {
					case <-stop:
						return
					case <-time.After(rand.N(5 * time.Millisecond)):
					}
					switch rand.IntN(6) {
					case 0:
						w.io.To("x", "y").Emit("e", []byte{1})
					case 1:
						w.io.Volatile().Emit("v")
					case 2:
						w.io.FetchSockets(context.Background())
					case 3:
						w.io.SocketsJoin("x")
					case 4:
						for s := range w.io.Sockets() {
							s.Emit("one", s.Rooms())
							s.EmitAck("question", func(err error, _ socketio.Value) {})
						}
					case 5:
						if rand.IntN(20) == 0 {
							w.io.To("x").DisconnectSockets(true)
						}
					}
				}
			})
		}
		clients.Wait()
		close(stop)
		servers.Wait()
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := w.io.Sessions().Len() + w.io.Of("/").Len(); n != 0 || w.io.Of("/").Adapter().Members() != nil {
			t.Errorf("%d sessions and sockets are left, and members %v", n, w.io.Of("/").Adapter().Members())
		}
		n := 0
		for range w.io.Namespaces() {
			n++
		}
		if n != 1 {
			t.Errorf("%d namespaces are left", n)
		}
		if strings.Contains(log.String(), "panic") {
			t.Errorf("something panicked:\n%s", log.String())
		}
	})
}

// TestHookPanics: a hook of the server that panics costs a client its session, and
// nobody else anything.
func TestHookPanics(t *testing.T) {
	server := &socketio.Server{
		OnFault:     func(*socketio.FaultError) { panic("fault") },
		OnNamespace: func(ns *socketio.Namespace) { panicIn(ns.Name(), "/bad") },
		OnRoom:      func(_ *socketio.Namespace, c socketio.RoomChange) { panicIn(c.Room, "bad") },
	}
	bubble(t, server, func(t *testing.T, w *world) {
		w.io.OfFunc(func(context.Context, string, socketio.Value) bool { return true })
		w.io.OnConnect(func(s *socketio.Socket) {
			s.On("join", func(room string) error { return s.Join(room) })
			s.OnDisconnect(func(r socketio.Reason, _ error) { w.log.add("%s", r) })
		})
		bystander, _ := w.join()
		idle := w.dial()
		for _, m := range []string{"40/bad,", "47", `42["join","bad"]`} {
			c, _ := w.join()
			c.send(m)
			if m != `42["join","bad"]` {
				c.expect("closed")
			} else {
				c.conn.CloseNow()
			}
			synctest.Wait() // so that they leave in this order
		}
		w.check("forced close; parse error; transport close")
		time.Sleep(time.Minute / 2)
		bystander.send(`421["join","good"]`)
		bystander.expect(`431[]`)
		time.Sleep(time.Minute / 4)
		idle.expect("closed") // its fault is the connect timeout
		if n := w.io.Of("/").Len(); n != 1 {
			t.Errorf("%d sockets are left, want 1", n)
		}
	})
}

func panicIn(name, bad string) {
	if name == bad {
		panic(bad)
	}
}

// FuzzSession: whatever a client sends, the server neither panics nor hangs, ends
// sessions only for a fault or because they are left, and has nothing left of them.
func FuzzSession(f *testing.F) {
	for _, s := range []string{
		"40\n42[\"e\",\"x\",1]", "40\n451-[\"e\",{\"_placeholder\":true,\"num\":0}]\n#ab", "40/x,{\"a\":1}\n41/x,", "40\n420[\"ack\",{}]\n430[]",
		"42[\"e\"]", "40\n40", "1", "40\n41\n40\n42[\"e\"]", "40/dyn-1,\n42/dyn-1,1[\"e\"]", "6", "#", "40\n42[\"ask\"]\n42[\"e\",\"y\",2]\n430[3]",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, script string) {
		var faults []socketio.Fault
		var failed []error
		server := &socketio.Server{OnFault: func(e *socketio.FaultError) { faults = append(faults, e.Fault) }}
		bubble(t, server, func(t *testing.T, w *world) {
			listen := func(s *socketio.Socket) {
				s.OnError(func(err error) { failed = append(failed, err) })
				s.On("e", func(a string, n int) {})
				s.On("ack", func(v socketio.Value) socketio.Value { return v })
				s.On("ask", func(ctx context.Context) { s.Timeout(time.Second).Call(ctx, "question") })
			}
			w.io.OnConnect(listen)
			w.io.OfFunc(func(_ context.Context, name string, _ socketio.Value) bool { return strings.HasPrefix(name, "/dyn") }).OnConnect(listen)
			c := w.dial()
			ended := make(chan bool)
			go func() {
				for c.receive() != "closed" {
				}
				close(ended)
			}()
			left := false
			for m := range strings.SplitSeq(script, "\n") {
				op := frame.OpText
				if strings.HasPrefix(m, "#") {
					op, m = frame.OpBinary, m[1:]
				}
				left = left || op == frame.OpText && (m == "" || m[0] != '4' || !isUTF8(m))
				c.conn.WriteMessage(context.Background(), op, []byte(m))
			}
			synctest.Wait()
			select {
			case <-ended:
				if len(faults) == 0 && !left {
					t.Errorf("%q: the session ended without a fault", script)
				}
			default:
				if len(faults) > 0 && faults[0] != socketio.TooManyNamespaces {
					t.Errorf("%q: the session goes on after %v", script, faults)
				}
			}
			c.conn.CloseNow()
			time.Sleep(time.Minute)
			synctest.Wait()
			if n := w.io.Sessions().Len() + w.io.Of("/").Len(); n != 0 {
				t.Errorf("%q: %d sessions and sockets are left", script, n)
			}
			for _, err := range failed {
				if strings.Contains(fmt.Sprint(err), "panic") {
					t.Errorf("%q: %v", script, err)
				}
			}
		})
	})
}

// isUTF8 reports whether a WebSocket may carry s as text.
func isUTF8(s string) bool { return strings.ToValidUTF8(s, "") == s }
