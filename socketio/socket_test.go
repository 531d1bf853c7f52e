package socketio_test

import (
	"testing"

	"example.org/rfc6455/socketio"
)

// TestEcho: a client joins, sends events and is answered.
func TestEcho(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		w.io.OnConnect(func(s *socketio.Socket) {
			w.log.add("connected %t", s.Connected())
			s.On("echo", func(text string, n int) (string, int) { return text, n + 1 })
			s.On("event", func(text string) { s.Emit("event", text+"!") })
			s.OnDisconnect(func(r socketio.Reason, err error) { w.log.add("%s %t", r, err != nil) })
		})
		c, id := w.join()
		if len(id) != 20 {
			t.Errorf("the id is %q", id)
		}
		c.send(`420["echo","a",1]`, `42["event","b"]`)
		c.expect(`430["a",2]`, `42["event","b!"]`)
		c.send(`41`)
		w.check("connected true; client namespace disconnect false")
		c.send(`40`)
		c.expect(`40{"sid":"*"}`)
		c.conn.CloseNow()
		w.check("connected true; transport close true")
	})
}
