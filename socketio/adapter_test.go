package socketio_test

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/socketio"
	"example.org/rfc6455/socketio/parser"
)

var errBroken = errors.New("broken")

// broken is an adapter that cannot reach the other servers.
type broken struct{ *socketio.MemoryAdapter }

func (broken) Broadcast(*parser.Packet, socketio.Target) error { return errBroken }
func (broken) JoinAll(socketio.Target, ...string) error        { return errBroken }
func (broken) Persist(*socketio.StoredSocket) error            { return errBroken }
func (broken) FetchSockets(context.Context, socketio.Target) ([]socketio.SocketInfo, error) {
	return nil, errBroken
}

// Restore fails after it has let the client in.
func (broken) Restore(_ context.Context, pid, offset string, admit func(*socketio.StoredSocket) bool) (*socketio.StoredSocket, error) {
	admit(&socketio.StoredSocket{ID: "id", PID: pid, Data: "data"})
	return nil, errBroken
}

// TestBrokenAdapter: its errors are returned, and a client that comes back begins
// anew.
func TestBrokenAdapter(t *testing.T) {
	server := recovery()
	server.Adapter = func(ns *socketio.Namespace) socketio.Adapter { return broken{socketio.NewMemoryAdapter(ns)} }
	bubble(t, server, func(t *testing.T, w *world) {
		w.io.OnConnect(func(s *socketio.Socket) { w.log.add("%t %v", s.Recovered(), s.Data()) })
		c := w.back(lost{pid: "pid", offset: "offset"})
		id := c.expect(`40{"sid":"*","pid":"*"}`)
		w.check("false <nil>")
		s := w.io.Socket(id)
		_, fetch := w.io.FetchSockets(t.Context())
		_, ids := w.io.ClientIDs(t.Context())
		for what, err := range map[string]error{
			"Emit": w.io.Emit("e"), "Socket.Emit": s.Emit("e"), "SocketsJoin": w.io.SocketsJoin("a"), "FetchSockets": fetch, "ClientIDs": ids,
		} {
			if err != errBroken {
				t.Errorf("%s: %v", what, err)
			}
		}
		c.conn.CloseNow()
		w.check("")
	})
}

// TestClientIDs: the ids of the sockets, by rooms and namespaces.
func TestClientIDs(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		_, s := w.group("a", "b")
		for _, tt := range []struct {
			ids  func(context.Context) ([]string, error)
			want int
		}{{w.io.ClientIDs, 2}, {w.io.Of("/").ClientIDs, 2}, {w.io.To("a").ClientIDs, 1}, {w.io.Of("/x").ClientIDs, 0}} {
			if ids, err := tt.ids(t.Context()); err != nil || len(ids) != tt.want || tt.want == 1 && ids[0] != s[0].ID() {
				t.Errorf("ClientIDs = %v, %v; want %d", ids, err, tt.want)
			}
		}
	})
}

// TestWalks: iterations may be left.
func TestWalks(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		w.group("", "")
		w.io.Of("/x")
		n := 0
		for range w.io.Sockets() {
			n++
			break
		}
		for range w.io.Namespaces() {
			n++
			break
		}
		if n != 2 {
			t.Errorf("%d steps", n)
		}
	})
}

// TestJoinAfterTheEnd: a handler that is still running cannot bring its socket back
// into rooms.
func TestJoinAfterTheEnd(t *testing.T) {
	bubble(t, &socketio.Server{MaxRooms: socketio.NoLimit}, func(t *testing.T, w *world) {
		w.io.OnConnect(func(s *socketio.Socket) {
			s.On("leave", func() {
				s.Disconnect(false)
				w.log.add("%t", s.Join("room") == socketio.ErrDisconnected)
			})
		})
		c, _ := w.join()
		c.send(`42["leave"]`)
		c.expect("41")
		w.check("true")
		if ids := w.io.Of("/").Adapter().Members(); ids != nil {
			t.Errorf("members are left: %v", ids)
		}
	})
}

// TestOffWhileCalled: a listener that another one removes is not called.
func TestOffWhileCalled(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		w.io.OnConnect(func(s *socketio.Socket) {
			var second, third *socketio.Listener
			s.On("e", func() { second.Off(); third.Off(); w.log.add("first") })
			second = s.On("e", func() { t.Error("called after Off") })
			third = s.Once("e", func() { t.Error("called after Off") })
		})
		c, _ := w.join()
		c.send(`42["e"]`)
		w.check("first")
	})
}

// TestEndWhileConnecting: a socket that is ended while it connects leaves nothing
// behind, and may be joined again.
func TestEndWhileConnecting(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		first := true
		w.io.Use(func(ctx context.Context, s *socketio.Socket) error {
			if first {
				first = false
				for range 1025 {
					s.Emit("held")
				}
				if err := s.Emit("too many"); err != socketio.ErrQueueFull {
					t.Errorf("what is held back has no bound: %v", err)
				}
				go s.Disconnect(false)
				time.Sleep(time.Second)
			}
			return nil
		})
		c := w.dial()
		c.send("40", "40")
		c.expect(`44{"message":"internal error"}`, `40{"sid":"*"}`)
		if n := w.io.Of("/").Len(); n != 1 {
			t.Errorf("%d sockets", n)
		}
		// The same when the session ends.
		first = true
		late := w.dial()
		late.send("40")
		synctest.Wait()
		late.conn.CloseNow()
		time.Sleep(2 * time.Second)
		if n := w.io.Of("/").Len(); n != 1 {
			t.Errorf("%d sockets", n)
		}
	})
}

// TestLeftNamespaces: of the namespaces that the server left only so many are
// remembered.
func TestLeftNamespaces(t *testing.T) {
	bubble(t, &socketio.Server{MaxNamespaces: 1}, func(t *testing.T, w *world) {
		for _, name := range []string{"/a", "/b"} {
			w.io.Of(name).OnConnect(func(s *socketio.Socket) { s.Disconnect(false) })
		}
		c := w.dial()
		c.send("40/a,")
		c.expect("40/a,*", "41/a,")
		c.send(`42/a,["e"]`, "40/b,")
		c.expect("40/b,*", "41/b,")
		c.send(`42/b,["e"]`, `42/a,["e"]`)
		c.expect("closed")
		w.check("fault not-connected")
	})
}

// TestAckWhileConnecting: an acknowledgement for a socket that is not connected yet
// waits for it.
func TestAckWhileConnecting(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		w.io.OnConnect(func(s *socketio.Socket) {
			s.Timeout(time.Second).Call(context.Background(), "wait")
		})
		w.io.Of("/x").OnConnect(func(s *socketio.Socket) {
			s.EmitAck("e", func(n int) { w.log.add("%d", n) })
		})
		c := w.dial()
		c.send("40", "40/x,", "43/x,0[7]") // it guesses the id
		c.expect("40*", `420["wait"]`, "40/x,*", `42/x,0["e"]`)
		w.check("7")
	})
}

// meanwhile is an adapter during whose Restore something happens.
type meanwhile struct {
	*socketio.MemoryAdapter
	happens func()
}

func (m meanwhile) Restore(context.Context, string, string, func(*socketio.StoredSocket) bool) (*socketio.StoredSocket, error) {
	m.happens()
	return nil, nil
}

// TestRemovedWhileJoined: a namespace is removed while another client is about to
// join it, which then creates it again.
func TestRemovedWhileJoined(t *testing.T) {
	happens := func() {}
	server := recovery()
	server.CleanupEmptyNamespaces = true
	server.Adapter = func(ns *socketio.Namespace) socketio.Adapter {
		return meanwhile{socketio.NewMemoryAdapter(ns), func() { happens() }}
	}
	bubble(t, server, func(t *testing.T, w *world) {
		w.io.OfFunc(func(context.Context, string, socketio.Value) bool { return true })
		c := w.dial()
		c.send("40/x,")
		id := c.expect(`40/x,{"sid":"*","pid":"*"}`)
		synctest.Wait()
		old := w.io.Of("/x")
		happens = func() {
			happens = func() {}
			old.Socket(id).Disconnect(false)
		}
		other := w.dial()
		other.send(`40/x,{"pid":"x","offset":"y"}`)
		again := other.expect(`40/x,{"sid":"*","pid":"*"}`)
		if ns := w.io.Of("/x"); ns == old || ns.Socket(again) == nil || old.Len() != 0 {
			t.Errorf("the socket is in %d, and the old namespace has %d", ns.Len(), old.Len())
		}
	})
}

// TestMembership: whatever sockets join and leave in whatever order, the rooms hold
// those that are in them, and a broadcast finds each of them once.
func TestMembership(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		random := rand.New(rand.NewPCG(1, 2))
		adapter := w.io.Of("/").Adapter()
		rooms := []string{"a", "b", "c", "d"}
		in := map[string]map[string]bool{} // rooms of sockets, by id
		clients := map[string]*client{}
		anyone := func() string {
			return slices.Sorted(maps.Keys(in))[random.IntN(len(in))]
		}
		check := func(t *testing.T, chosen, except []string) {
			t.Helper()
			var want []string
			for id, of := range in {
				inAny := func(rooms []string) bool {
					return slices.ContainsFunc(rooms, func(room string) bool { return of[room] || room == id })
				}
				if (len(chosen) == 0 || inAny(chosen)) && !inAny(except) {
					want = append(want, id)
				}
			}
			slices.Sort(want)
			got, err := w.io.To(chosen...).Except(except...).ClientIDs(t.Context())
			slices.Sort(got)
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("in %q but not %q: %q, %v; want %q", chosen, except, got, err, want)
			}
		}
		for range 100 { // enough for lists that become much shorter again
			c, id := w.join()
			clients[id], in[id] = c, map[string]bool{}
			adapter.Join(id, rooms[0])
			in[id]["a"] = true
		}
		for range 3000 {
			id, room := anyone(), rooms[random.IntN(len(rooms))]
			switch random.IntN(40) {
			case 0:
				if len(in) > 3 {
					clients[id].conn.CloseNow()
					synctest.Wait()
					delete(in, id)
				}
			case 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18:
				adapter.Join(id, room, rooms[0])
				in[id][room], in[id]["a"] = true, true
			default:
				adapter.Leave(id, room)
				delete(in[id], room)
			}
		}
		for _, chosen := range [][]string{nil, {"a"}, {"b"}, {"a", "b", "c", "d"}, {"c", anyone(), "d"}, {anyone()}, {"none"}} {
			for _, except := range [][]string{nil, {"a"}, {"b", "c"}, {anyone()}} {
				check(t, chosen, except)
			}
		}
		for id, of := range in {
			got := adapter.Rooms(id)
			slices.Sort(got)
			want := slices.Sorted(maps.Keys(of))
			if want = append(want, id); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
				t.Errorf("rooms of %s: %q, want %q", id, got, want)
			}
		}
	})
}
