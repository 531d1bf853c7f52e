package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/socketio"
)

// TestNamespaces: namespaces have their own sockets, rooms and events over one
// session.
func TestNamespaces(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		for _, name := range []string{"/", "chat", "/news"} {
			w.io.Of(name).OnConnect(func(s *socketio.Socket) {
				s.Join("room")
				s.On("where", func() string { return s.Namespace().Name() })
				s.OnDisconnect(func(socketio.Reason, error) { w.log.add("left %s", s.Namespace().Name()) })
			})
		}
		c := w.dial()
		c.send("40", "40/chat,", `40/news,{"a":1}`)
		a := c.expect(`40{"sid":"*"}`)
		b := c.expect(`40/chat,{"sid":"*"}`)
		if a == b {
			t.Errorf("two sockets have the id %s", a)
		}
		c.expect(`40/news,{"sid":"*"}`)
		c.send(`421["where"]`, `42/chat,2["where"]`, `42/news,3["where"]`)
		c.expect(`431["/"]`, `43/chat,2["/chat"]`, `43/news,3["/news"]`)
		w.io.Of("/chat").To("room").Emit("e", []byte{1})
		c.expect(`451-/chat,["e",{"_placeholder":true,"num":0}]`, "#01")
		if n := len(w.io.Socket(a).Sockets()); n != 3 {
			t.Errorf("the client has %d sockets", n)
		}
		c.send("41/chat,")
		w.check("left /chat")
		w.io.Socket(a).Disconnect(true)
		c.expect("41", "41/news,", "closed")
		w.check("left /; left /news")
	})
}

// TestUnknownNamespace: a client is told, and goes on.
func TestUnknownNamespace(t *testing.T) {
	for _, revision := range []int{3, 4} {
		bubble(t, &socketio.Server{Engine: eio3()}, func(t *testing.T, w *world) {
			c := w.dialRevision(revision)
			if revision == 4 {
				c.send("40")
			}
			c.expect("40*")
			c.send("40/x,", "40/y")
			c.expect(`44/x,{"message":"Invalid namespace"}`, `44/y,{"message":"Invalid namespace"}`)
			w.check("")
		})
	}
}

// TestMiddleware: who may join, and what the others are told.
func TestMiddleware(t *testing.T) {
	for _, revision := range []int{4, 3} {
		t.Run(fmt.Sprintf("EIO=%d", revision), func(t *testing.T) {
			bubble(t, &socketio.Server{Engine: eio3()}, func(t *testing.T, w *world) {
				ns := w.io.Of("/private")
				ns.Use(func(ctx context.Context, s *socketio.Socket) error {
					if ctx.Err() != nil || s.Connected() {
						t.Errorf("context %v, connected %t", ctx.Err(), s.Connected())
					}
					var auth struct{ Token string }
					s.Handshake().Auth.Decode(&auth)
					switch auth.Token {
					case "good":
						s.SetData("user")
						s.Emit("early", 1)
						s.Volatile().Emit("never")
						return s.Join("room")
					case "text":
						return errors.New("secret")
					case "data":
						return &socketio.Error{Message: "not authorized", Data: map[string]int{"code": 7}}
					case "bad data":
						return &socketio.Error{Message: "not authorized", Data: func() {}}
					case "panic":
						panic("no")
					case "leave":
						s.Disconnect(false)
						return nil
					}
					s.Join("room")
					return &socketio.Error{Message: "not authorized"}
				})
				ns.Use(func(_ context.Context, s *socketio.Socket) error { w.log.add("second"); return nil })
				ns.OnConnect(func(s *socketio.Socket) {
					w.log.add("%v %d", s.Data(), len(s.Rooms()))
					panic("in the handler of the connection")
				})
				c := w.dialRevision(revision)
				if revision == 3 {
					c.expect("40")
				}
				tests := []struct{ token, v4, v3 string }{
					{"", `{"message":"not authorized"}`, `"not authorized"`},
					{"text", `{"message":"internal error"}`, `"internal error"`},
					{"data", `{"message":"not authorized","data":{"code":7}}`, `{"code":7}`},
					{"bad data", `{"message":"internal error"}`, `{"message":"internal error"}`},
					{"panic", `{"message":"internal error"}`, `"internal error"`},
					{"leave", `{"message":"internal error"}`, `"internal error"`},
				}
				for _, tt := range tests {
					if revision == 4 {
						c.send(`40/private,{"token":"` + tt.token + `"}`)
						c.expect(`44/private,` + tt.v4)
					} else {
						c.send(`40/private?token=` + strings.ReplaceAll(tt.token, " ", "+") + `,`)
						c.expect(`44/private,` + tt.v3)
					}
				}
				if n := ns.Len(); n != 0 || ns.Adapter().Members() != nil {
					t.Errorf("%d sockets are left, and members %v", n, ns.Adapter().Members())
				}
				w.check("")
				if revision == 4 {
					c.send(`40/private,{"token":"good"}`)
					c.expect(`40/private,{"sid":"*"}`)
				} else {
					c.send(`40/private?token=good&x=%,`)
					c.expect(`40/private,`)
				}
				c.expect(`42/private,["early",1]`)
				w.check("second; user 2")
			})
		})
	}
}

// TestMiddlewareEnds: middleware whose client goes away is told, and the socket is
// never connected.
func TestMiddlewareEnds(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		w.io.Use(func(ctx context.Context, s *socketio.Socket) error {
			<-ctx.Done()
			w.log.add("%v", ctx.Err())
			return nil
		})
		w.io.OnConnect(func(*socketio.Socket) { t.Error("connected") })
		c := w.dial()
		c.send("40")
		synctest.Wait()
		for e := range w.io.Sessions().All() {
			e.Close("")
		}
		w.check("context canceled")
		if n := w.io.Of("/").Len(); n != 0 {
			t.Errorf("%d sockets are left", n)
		}
	})
}

// TestDynamicNamespaces: clients create namespaces whose names are allowed.
func TestDynamicNamespaces(t *testing.T) {
	var created []string
	io := &socketio.Server{
		CleanupEmptyNamespaces: true, MaxDynamicNamespaces: 3,
		OnNamespace: func(ns *socketio.Namespace) { created = append(created, ns.Name()) },
	}
	bubble(t, io, func(t *testing.T, w *world) {
		teams := w.io.OfRegexp(regexp.MustCompile(`^/team-\d+$`))
		teams.Use(func(_ context.Context, s *socketio.Socket) error {
			if s.Namespace().Name() == "/team-13" {
				return &socketio.Error{Message: "bad luck"}
			}
			return nil
		})
		teams.OnConnect(func(s *socketio.Socket) {
			s.Join("room", s.Namespace().Name())
			w.log.add("%s", s.Namespace().Name())
		})
		users := w.io.OfFunc(func(ctx context.Context, name string, auth socketio.Value) bool {
			var a struct{ OK bool }
			if name == "/user-panic" {
				panic("no")
			}
			return ctx.Err() == nil && strings.HasPrefix(name, "/user-") && auth.Decode(&a) == nil && a.OK
		})
		c := w.dial()
		c.send(`40/team-1,`, `40/team-2,`, `40/team-13,`, `40/team-x,`, `40/user-1,`, `40/user-1,{"ok":true}`, `40/user-panic,`, `40/user-2,{"ok":true}`)
		c.expect(`40/team-1,*`, `40/team-2,*`, `44/team-13,{"message":"bad luck"}`, `44/team-x,{"message":"Invalid namespace"}`,
			`44/user-1,{"message":"Invalid namespace"}`, `40/user-1,*`, `44/user-panic,{"message":"internal error"}`, `44/user-2,{"message":"Too many namespaces"}`)
		w.check("/team-1; /team-2")

		var names []string
		for _, ns := range teams.Children() {
			names = append(names, ns.Name())
		}
		if diff := cmp.Diff([]string{"/team-1", "/team-2"}, names); diff != "" {
			t.Errorf("Children (-want +got):\n%s", diff)
		}
		for i, send := range []func(string, ...any) error{
			teams.Emit, teams.To("room").Emit, teams.In("room").Emit, teams.Except("x").Emit, teams.Local().Emit, teams.Compress(false).Emit,
			teams.Timeout(1).Emit,
			func(string, ...any) error { return teams.Send() },
		} {
			event := fmt.Sprint("e", i)
			if err := send(event); err != nil {
				t.Error(err)
			}
			if i == 7 {
				event = "message"
			}
			c.expect(`42/team-1,["`+event+`"]`, `42/team-2,["`+event+`"]`)
		}
		synctest.Wait()
		if err := teams.Volatile().In("/team-1").Emit("v"); err != nil {
			t.Error(err)
		}
		c.expect(`42/team-1,["v"]`)
		if err := teams.Emit("connect"); err == nil {
			t.Error("a reserved event is sent")
		}
		if _, err := teams.Local().FetchSockets(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("FetchSockets: %v", err)
		}
		if _, err := teams.Local().Call(t.Context(), "e"); !errors.Is(err, socketio.ErrUnsupported) {
			t.Errorf("Call: %v", err)
		}
		if w.io.Of("team-1") != teams.Children()[0] || len(users.Children()) != 1 {
			t.Error("Of does not find the child")
		}

		c.send("41/team-1,", "41/user-1,")
		synctest.Wait()
		if n := len(teams.Children()) + len(users.Children()); n != 1 {
			t.Errorf("%d children are left, want 1", n)
		}
		if of := w.io.Of("/team-9"); len(teams.Children()) != 2 || of.Name() != "/team-9" {
			t.Errorf("Of of a name that matches is no child")
		}
		slices.Sort(created)
		if diff := cmp.Diff([]string{"/", "/team-1", "/team-13", "/team-2", "/team-9", "/user-1"}, created); diff != "" {
			t.Errorf("OnNamespace (-want +got):\n%s", diff)
		}
		if err := teams.Local().DisconnectSockets(false); err != nil {
			t.Error(err)
		}
		c.expect("41/team-2,")
	})
}

// TestCreateTwice: of two clients that ask for a new namespace at once, one creates
// it and both join it.
func TestCreateTwice(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		w.io.OfFunc(func(context.Context, string, socketio.Value) bool {
			time.Sleep(time.Second)
			return true
		})
		a, b := w.dial(), w.dial()
		a.send("40/new,")
		b.send("40/new,")
		a.expect("40/new,*")
		b.expect("40/new,*")
		if n := w.io.Of("/new").Len(); n != 2 {
			t.Errorf("%d sockets joined", n)
		}
	})
}

// TestShutdown: nobody is let in any more, and the end waits for no longer than its
// context.
func TestShutdown(t *testing.T) {
	var w *world
	io := &socketio.Server{Adapter: func(ns *socketio.Namespace) socketio.Adapter {
		return failingClose{socketio.NewMemoryAdapter(ns)}
	}}
	bubble(t, io, func(t *testing.T, in *world) {
		w = in
		w.io.OnConnect(func(s *socketio.Socket) {
			s.OnDisconnect(func(r socketio.Reason, _ error) { w.log.add("%s", r) })
			s.On("stay", func() { time.Sleep(time.Minute) })
		})
		c, _ := w.join()
		c.send(`42["stay"]`)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := w.io.Shutdown(ctx); !errors.Is(err, errClose) {
			t.Errorf("Shutdown: %v", err)
		}
		c.expect("closed")
		time.Sleep(2 * time.Minute)
		w.check("server shutting down")
	})
}

var errClose = errors.New("close")

type failingClose struct{ *socketio.MemoryAdapter }

func (failingClose) Close() error { return errClose }

// TestConnectAfterShutdown: a client that was waiting to join then cannot.
func TestConnectAfterShutdown(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		w.io.Of("/x").OnConnect(func(*socketio.Socket) { t.Error("joined") })
		w.io.OnConnect(func(s *socketio.Socket) {
			s.On("stop", func() {
				s.Timeout(time.Second).Call(context.Background(), "go on")
				go w.io.Shutdown(context.Background())
				time.Sleep(time.Second)
			})
		})
		c, _ := w.join()
		c.send(`42["stop"]`, `40/x,`)
		c.expect(`420["go on"]`, "closed")
		time.Sleep(time.Minute)
	})
}
