package socketio_test

import (
	"encoding/hex"
	"testing"
	"testing/synctest"

	"example.org/rfc6455/socketio"
	"example.org/rfc6455/socketio/parser"
)

// TestPolling: all of it works without a WebSocket; a handler may wait for its client
// there, too.
func TestPolling(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		w.io.OnConnect(func(s *socketio.Socket) {
			s.Emit("hello", []byte{1, 2, 3})
			s.On("ask", func(b []byte) ([]byte, error) {
				v, err := s.Call(s.Context(), "question")
				w.log.add("%v", v)
				return b, err
			})
			s.On("after", func() { w.log.add("after") })
		})
		sid := w.poll("")
		status, _ := w.post(sid, "40")
		if got := ids.ReplaceAllString(w.poll(sid), `$1:"…"`); status != 200 ||
			got != "40{\"sid\":\"…\"}\x1e451-[\"hello\",{\"_placeholder\":true,\"num\":0}]\x1ebAQID" {
			t.Errorf("the client gets %d, %q", status, got)
		}
		w.post(sid, "451-9[\"ask\",{\"_placeholder\":true,\"num\":0}]\x1ebBAU=\x1e42[\"after\"]")
		if got := w.poll(sid); got != `420["question"]` {
			t.Errorf("the client gets %q", got)
		}
		w.check("")
		w.post(sid, `430["answer"]`)
		w.check(`"answer"; after`)
		if got := w.poll(sid); got != "461-9[{\"_placeholder\":true,\"num\":0}]\x1ebBAU=" {
			t.Errorf("the client gets %q", got)
		}
	})
}

// TestMsgpack: the same with packets in MessagePack.
func TestMsgpack(t *testing.T) {
	bubble(t, &socketio.Server{Parser: parser.Msgpack}, func(t *testing.T, w *world) {
		w.io.OnConnect(func(s *socketio.Socket) {
			s.On("e", func(b []byte, n int) (int, []byte) { return n + 1, b })
			s.OnDisconnect(func(r socketio.Reason, _ error) { w.log.add("%s", r) })
		})
		c := w.dial()
		pack := func(p parser.Packet, args ...any) string {
			t.Helper()
			if args != nil {
				if err := p.SetArgs(args...); err != nil {
					t.Fatal(err)
				}
			}
			m, err := parser.Msgpack.Encode(nil, &p)
			if err != nil {
				t.Fatal(err)
			}
			return "#" + hex.EncodeToString(m[0].Data)
		}
		c.send(pack(parser.Packet{}))
		c.expect("#83a47479706500a464617461*")
		c.send(pack(parser.Packet{Type: parser.Event, HasID: true, ID: 3}, "e", []byte{1}, 2))
		c.expect(pack(parser.Packet{Type: parser.Ack, HasID: true, ID: 3}, 3, []byte{1}))
		synctest.Wait()
		w.io.Emit("all", []byte{9})
		c.expect(pack(parser.Packet{Type: parser.Event}, "all", []byte{9}))
		c.send(`42["e"]`)
		c.expect("closed")
		w.check("fault packet-type; parse error")
	})
}

// TestVolatile: what cannot be sent at once is dropped: there is no poll to take it.
func TestVolatile(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		sid := w.poll("")
		w.post(sid, "40")
		w.poll(sid)
		w.io.Volatile().Emit("dropped")
		for s := range w.io.Sockets() {
			s.Volatile().Emit("dropped")
			s.Emit("kept")
		}
		if got := w.poll(sid); got != `42["kept"]` {
			t.Errorf("the client gets %q", got)
		}
		polled := make(chan string)
		go func() { polled <- w.poll(sid) }()
		synctest.Wait()
		w.io.Volatile().Emit("in time")
		if got := <-polled; got != `42["in time"]` {
			t.Errorf("the client gets %q", got)
		}
	})
}
