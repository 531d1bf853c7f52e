package socketio_test

import (
	"context"
	"testing"
	"testing/synctest"

	"example.org/rfc6455/socketio"
)

// TestRevision4: a client of version 2 is in the main namespace by itself, and knows
// its ids.
func TestRevision4(t *testing.T) {
	bubble(t, &socketio.Server{Engine: eio3(), Recovery: &socketio.Recovery{}}, func(t *testing.T, w *world) {
		for _, name := range []string{"/", "/admin"} {
			w.io.Of(name).OnConnect(func(s *socketio.Socket) {
				w.log.add("%s %v", s.Namespace().Name(), s.Handshake().Auth)
				s.Emit("hello")
				s.On("e", func(b []byte, n int) ([]byte, int) { return b, n })
			})
		}
		c := w.dialRevision(3, "a=b")
		c.expect("40", `42["hello","*"]`)
		if w.io.Socket(c.open.SID) == nil {
			t.Error("the id of the socket is not that of the session")
		}
		c.send("40/admin?token=1&token=2,")
		c.expect("40/admin,", `42/admin,["hello","*"]`)
		if w.io.Of("/admin").Socket("/admin#"+c.open.SID) == nil {
			t.Error("the id of the socket is not what the client takes it for")
		}
		w.check(`/ null; /admin {"token":"1"}`)
		c.send(`451-7["e",{"_placeholder":true,"num":0},3]`, "#040102")
		c.expect(`461-7[{"_placeholder":true,"num":0},3]`, "#040102")
		c.send("40") // it is there already
		c.send("41/admin,", `42/admin,["e"]`)
		c.expect("closed")
		w.check("fault not-connected")
	})
}

// TestRevision4Refused: middleware of the main namespace refuses with a text.
func TestRevision4Refused(t *testing.T) {
	bubble(t, &socketio.Server{Engine: eio3()}, func(t *testing.T, w *world) {
		w.io.Use(refuse)
		c := w.dialRevision(3)
		c.expect(`44"no"`)
		synctest.Wait()
		if n := w.io.Of("/").Len(); n != 0 {
			t.Errorf("%d sockets are left", n)
		}
	})
}

func refuse(context.Context, *socketio.Socket) error { return &socketio.Error{Message: "no"} }
