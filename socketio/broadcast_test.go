package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/socketio"
	"example.org/rfc6455/socketio/parser"
)

// group joins n clients, the i-th of them in the rooms of the i-th text.
func (w *world) group(rooms ...string) (clients []*client, sockets []*socketio.Socket) {
	w.t.Helper()
	for _, r := range rooms {
		c, id := w.join()
		synctest.Wait()
		s := w.io.Socket(id)
		if err := s.Join(strings.Fields(r)...); err != nil {
			w.t.Fatal(err)
		}
		clients, sockets = append(clients, c), append(sockets, s)
	}
	return clients, sockets
}

// TestBroadcast: an event reaches the sockets that were chosen, each once.
func TestBroadcast(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		clients, s := w.group("a", "b", "a b", "c")
		tests := []struct {
			name string
			b    socketio.Broadcast
			want []int
		}{
			{"a room", w.io.To("a"), []int{0, 2}},
			{"in", w.io.In("b"), []int{1, 2}},
			{"two rooms", w.io.To("a", "b"), []int{0, 1, 2}},
			{"one after the other", w.io.To("a").In("b"), []int{0, 1, 2}},
			{"an unknown room", w.io.To("x"), nil},
			{"a socket", w.io.To(s[3].ID()), []int{3}},
			{"a socket and its room", w.io.To(s[3].ID(), "c"), []int{3}},
			{"except", w.io.Except("a"), []int{1, 3}},
			{"except two", w.io.Except("a").Except("c"), []int{1}},
			{"a room except another", w.io.To("a").Except("b"), []int{0}},
			{"except a socket", w.io.Except(s[0].ID()), []int{1, 2, 3}},
			{"all", w.io.Local(), []int{0, 1, 2, 3}},
			{"compressed", w.io.Compress(false).Timeout(1).Compress(true), []int{0, 1, 2, 3}},
			{"the others", s[0].Broadcast(), []int{1, 2, 3}},
			{"the others in a room", s[0].To("a"), []int{2}},
			{"the others in", s[0].In("a", "c"), []int{2, 3}},
			{"the others except", s[0].Except("b"), []int{3}},
			{"the others here", s[0].Local(), []int{1, 2, 3}},
			{"volatile", w.io.Volatile(), []int{0, 1, 2, 3}},
			{"volatile others", s[1].Broadcast().Volatile().Local(), []int{0, 2, 3}},
		}
		for _, tt := range tests {
			synctest.Wait()
			if err := tt.b.Emit(tt.name, 1, []byte{2}); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			for i, c := range clients {
				if slices.Contains(tt.want, i) {
					c.expect(fmt.Sprintf(`451-["%s",1,{"_placeholder":true,"num":0}]`, tt.name), "#02")
				}
			}
		}
		for _, send := range []func(...any) error{w.io.Send, w.io.To("a", "b", "c").Send} {
			if err := send("text"); err != nil {
				t.Error(err)
			}
		}
		for _, c := range clients {
			c.expect(`42["message","text"]`, `42["message","text"]`)
			c.quiet()
		}
		if err := w.io.Emit("disconnect"); !errors.Is(err, parser.ErrReservedEvent) {
			t.Errorf("a reserved event: %v", err)
		}
		if err := w.io.Emit("e", func() {}); !errors.Is(err, parser.ErrArgument) {
			t.Errorf("a function: %v", err)
		}
	})
}

// TestBroadcastIsAValue: choices made from one do not disturb each other.
func TestBroadcastIsAValue(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		clients, _ := w.group("a b c", "d")
		base := w.io.To("x", "y", "z")
		one, two := base.To("a"), base.To("d")
		one.Emit("one")
		two.Emit("two")
		base.Emit("base")
		clients[0].expect(`42["one"]`)
		clients[1].expect(`42["two"]`)
		for _, c := range clients {
			c.quiet()
		}
	})
}

// TestManage: rooms are joined and left, and sockets disconnected, for many at once.
func TestManage(t *testing.T) {
	bubble(t, &socketio.Server{MaxRooms: 2}, func(t *testing.T, w *world) {
		clients, s := w.group("a", "b", "")
		if err := w.io.To("a", "b").SocketsJoin("new"); err != nil {
			t.Error(err)
		}
		if err := w.io.To("b").SocketsLeave("b", "nothing"); err != nil {
			t.Error(err)
		}
		for i, want := range [][]string{{s[0].ID(), "a", "new"}, {s[1].ID(), "new"}, {s[2].ID()}} {
			if diff := cmp.Diff(want, s[i].Rooms()); diff != "" {
				t.Errorf("rooms of %d (-want +got):\n%s", i, diff)
			}
		}
		members := w.io.Of("/").Adapter().Members("new")
		slices.Sort(members)
		want := []string{s[0].ID(), s[1].ID()}
		slices.Sort(want)
		if diff := cmp.Diff(want, members); diff != "" {
			t.Errorf("members (-want +got):\n%s", diff)
		}
		if err := w.io.SocketsJoin("third"); !errors.Is(err, socketio.ErrTooManyRooms) {
			t.Errorf("the third room: %v", err)
		}
		if err := w.io.SocketsLeave("third"); err != nil {
			t.Error(err)
		}
		if err := w.io.To("new").DisconnectSockets(false); err != nil {
			t.Error(err)
		}
		clients[0].expect("41")
		clients[1].expect("41")
		clients[2].quiet()
		s[2].Leave(s[2].ID())
		w.io.To(s[2].ID()).Emit("e")
		clients[2].quiet()
	})
}

// TestBroadcastCall: acknowledgements of many clients, some of which do not come.
func TestBroadcastCall(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		clients, s := w.group("", "", "")
		call := func(ctx context.Context, b socketio.Broadcast) ([]string, error) {
			values, err := b.Call(ctx, "e", 1)
			var texts []string
			for _, v := range values {
				texts = append(texts, v.String())
			}
			slices.Sort(texts)
			return texts, err
		}
		answer := func(n int) {
			for i, c := range clients[:n] {
				go func() {
					id := c.expect(`42*["e",1]`)
					c.send(fmt.Sprintf(`43%s[%d,"more"]`, id, i))
				}()
			}
		}
		answer(3)
		got, err := call(t.Context(), w.io.Timeout(time.Second))
		if diff := cmp.Diff([]string{"0", "1", "2"}, got); err != nil || diff != "" {
			t.Errorf("all: %v (-want +got):\n%s", err, diff)
		}
		answer(2)
		got, err = call(t.Context(), w.io.Timeout(time.Second))
		if diff := cmp.Diff([]string{"0", "1"}, got); err != socketio.ErrAckTimeout || diff != "" {
			t.Errorf("two: %v (-want +got):\n%s", err, diff)
		}
		clients[2].expect(`42*["e",1]`)
		cause := errors.New("cause")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, cause)
		defer cancel()
		if _, err := call(ctx, s[0].Broadcast()); err != cause {
			t.Errorf("context: %v", err)
		}
		clients[1].expect(`42*["e",1]`)
		clients[2].expect(`42*["e",1]`)
		answer(2)
		go func() {
			clients[2].expect(`42*["e",1]`)
			clients[2].conn.CloseNow()
		}()
		got, err = call(t.Context(), w.io.Timeout(time.Hour))
		if diff := cmp.Diff([]string{"0", "1"}, got); err != socketio.ErrDisconnected || diff != "" {
			t.Errorf("one went away: %v (-want +got):\n%s", err, diff)
		}
		if got, err := call(t.Context(), w.io.To("nobody")); err != nil || got != nil {
			t.Errorf("nobody: %v, %v", got, err)
		}
		if _, err := w.io.Call(t.Context(), "connect"); !errors.Is(err, parser.ErrReservedEvent) {
			t.Errorf("a reserved event: %v", err)
		}
	})
}

// TestBroadcastCallInHandler: a handler may ask its own client among others.
func TestBroadcastCallInHandler(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		w.io.OnConnect(func(s *socketio.Socket) {
			s.On("all", func(ctx context.Context) (int, error) {
				values, err := w.io.Timeout(time.Second).Call(ctx, "e")
				return len(values), err
			})
		})
		c, _ := w.join()
		c.send(`427["all"]`)
		id := c.expect(`42*["e"]`)
		c.send(`43` + id + `["x"]`)
		c.expect(`437[1]`)
	})
}

// TestFetchSockets: sockets are described, and can be used from afar.
func TestFetchSockets(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		clients, s := w.group("a", "b")
		s[0].SetData(map[string]int{"n": 1})
		sockets, err := w.io.To("a").FetchSockets(t.Context())
		if err != nil || len(sockets) != 1 {
			t.Fatalf("FetchSockets = %v, %v", sockets, err)
		}
		r := sockets[0]
		var data struct{ N int }
		if err := r.Data(&data); err != nil || data.N != 1 || r.ID() != s[0].ID() || r.Handshake().Headers["host"] != "server" {
			t.Errorf("Data %v, %v; ID %s; Handshake %v", data, err, r.ID(), r.Handshake())
		}
		if diff := cmp.Diff([]string{s[0].ID(), "a"}, r.Rooms()); diff != "" {
			t.Errorf("Rooms (-want +got):\n%s", diff)
		}
		for what, err := range map[string]error{"Emit": r.Emit("e"), "Join": r.Join("x"), "Leave": r.Leave("a")} {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		clients[0].expect(`42["e"]`)
		if diff := cmp.Diff([]string{s[0].ID(), "x"}, s[0].Rooms()); diff != "" {
			t.Errorf("rooms after that (-want +got):\n%s", diff)
		}
		go func() {
			id := clients[0].expect(`42*["ask"]`)
			clients[0].send(`43` + id + `["answer"]`)
		}()
		if v, err := r.Call(t.Context(), "ask"); err != nil || v.String() != `"answer"` {
			t.Errorf("Call = %v, %v", v, err)
		}
		if err := r.Disconnect(false); err != nil {
			t.Error(err)
		}
		clients[0].expect("41")
		if _, err := r.Call(t.Context(), "ask"); err != socketio.ErrDisconnected {
			t.Errorf("Call of one that is gone: %v", err)
		}
		s[1].SetData(func() {})
		if all, err := w.io.FetchSockets(t.Context()); err == nil {
			t.Errorf("FetchSockets with data that is no JSON = %v", all)
		}
	})
}

// TestServerSide: events between servers go through the adapter.
func TestServerSide(t *testing.T) {
	var other *socketio.Namespace
	io := &socketio.Server{Adapter: func(ns *socketio.Namespace) socketio.Adapter {
		return &pair{MemoryAdapter: socketio.NewMemoryAdapter(ns), other: func() *socketio.Namespace { return other }}
	}}
	bubble(t, io, func(t *testing.T, w *world) {
		second := socketio.Server{Logger: slog.New(slog.DiscardHandler)}
		other = second.Of("/")
		second.OnServerSide("sum", func(a, b int) int { return a + b })
		second.OnServerSide("sum", func() { w.log.add("second listener") })
		second.OnServerSide("fail", func(a int) error { return errors.New("no") })
		values, err := w.io.ServerSideCall(t.Context(), "sum", 1, 2)
		if err != nil || fmt.Sprint(values) != "[3]" {
			t.Errorf("ServerSideCall = %v, %v", values, err)
		}
		if err := w.io.ServerSideEmit("sum", 1, 2); err != nil {
			t.Error(err)
		}
		w.check("second listener; second listener")
		values, err = w.io.ServerSideCall(t.Context(), "fail")
		if err != nil || fmt.Sprint(values) != `[{"error":"internal error"}]` {
			t.Errorf("ServerSideCall = %v, %v", values, err)
		}
		if err := w.io.ServerSideEmit("connect"); !errors.Is(err, parser.ErrReservedEvent) {
			t.Errorf("a reserved event: %v", err)
		}
		if _, err := w.io.ServerSideCall(t.Context(), ""); !errors.Is(err, parser.ErrEventName) {
			t.Errorf("no name: %v", err)
		}
		if err := second.ServerSideEmit("sum"); err != nil {
			t.Error(err)
		}
		if values, err := second.ServerSideCall(t.Context(), "sum"); err != nil || values != nil {
			t.Errorf("alone: %v, %v", values, err)
		}
		if n, err := other.Adapter().Servers(t.Context()); n != 1 || err != nil {
			t.Errorf("alone there are %d servers, %v", n, err)
		}
	})
}

// A pair is an adapter that knows one other server.
type pair struct {
	*socketio.MemoryAdapter
	other func() *socketio.Namespace
}

func (p *pair) ServerSideEmit(args ...any) error {
	return p.ServerSideCall(context.Background(), nil, args...)
}

func (p *pair) ServerSideCall(_ context.Context, answer func(socketio.Value), args ...any) error {
	event := parser.Packet{Type: parser.Event}
	if err := event.SetArgs(args...); err != nil {
		return err
	}
	var reply func([]any) error
	if answer != nil {
		reply = func(args []any) error {
			ack := parser.Packet{Type: parser.Ack}
			if err := ack.SetArgs(args...); err != nil {
				return err
			}
			answer(ack.Values(nil)[0])
			return nil
		}
	}
	p.other().HandleServerSide(event.EventName(), event.Values(nil), reply)
	return nil
}

// TestStartCall: what an adapter of a cluster does for another server.
func TestStartCall(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		clients, _ := w.group("", "")
		adapter := w.io.Of("/").Adapter().(*socketio.MemoryAdapter)
		p := &parser.Packet{Type: parser.Event}
		if err := p.SetArgs("e"); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		n, cancel, err := adapter.StartCall(p, socketio.Target{}, func(v socketio.Value) {
			mu.Lock()
			defer mu.Unlock()
			w.log.add("%v", v)
		})
		if n != 2 || err != nil {
			t.Fatalf("StartCall = %d, %v", n, err)
		}
		clients[0].expect(`420["e"]`)
		clients[1].expect(`420["e"]`)
		clients[0].send(`430[1]`)
		w.check("1")
		cancel()
		clients[1].send(`430[2]`)
		w.check("")
		p.Namespace = "bad"
		if _, _, err := adapter.StartCall(p, socketio.Target{}, nil); !errors.Is(err, parser.ErrNamespace) {
			t.Errorf("StartCall of a bad packet: %v", err)
		}
		if err := adapter.Broadcast(p, socketio.Target{}); !errors.Is(err, parser.ErrNamespace) {
			t.Errorf("Broadcast of a bad packet: %v", err)
		}
		if err := adapter.BroadcastCall(t.Context(), p, socketio.Target{}, nil); !errors.Is(err, parser.ErrNamespace) {
			t.Errorf("BroadcastCall of a bad packet: %v", err)
		}
	})
}

// TestOnRoom: an observer sees rooms come and go.
func TestOnRoom(t *testing.T) {
	var w *world
	io := &socketio.Server{OnRoom: func(ns *socketio.Namespace, c socketio.RoomChange) {
		w.log.add("%s %s %t", c.Event, c.Room, c.ID != "")
	}}
	bubble(t, io, func(t *testing.T, in *world) {
		w = in
		clients, s := w.group("a", "a")
		w.check("create-room a false; join-room a true; join-room a true")
		s[0].Leave("a")
		w.check("leave-room a true")
		clients[1].conn.CloseNow()
		w.check("leave-room a true; delete-room a false")
	})
}
