//go:build !race

package conn_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
)

// The race detector has memory of its own.

// X4: a compressed message that does not end holds no more than the read limit and
// 128 KiB for the window, the tables and what was read, whatever it is made of.
func TestCompressedUnfinishedMemory(t *testing.T) {
	const (
		conns = 16
		limit = 1 << 20
		most  = limit + 128<<10
	)
	full := limit - 1
	messages := []struct {
		name    string
		payload []byte // compressed, all but its end
	}{
		{"text up to the limit", pack(t, []byte(lines(full)))},
		{"noise up to the limit", pack(t, noise(full))},
		{"zeros up to the limit", pack(t, make([]byte, full))},
		{"text up to half the limit and an octet", pack(t, []byte(lines(limit/2+1)))},
		{"half a block's header", pack(t, []byte(lines(5000)))[:30]},
	}
	for _, m := range messages {
		for _, size := range []int{100, 4096, 1 << 20} { // of frames; the limit of fragments allows no smaller ones
			for _, agreed := range []*deflate.Params{alone, together} {
				t.Run(fmt.Sprintf("%s/frames of %d/%v", m.name, size, deflate.ContextTakeover(!agreed.ClientNoContextTakeover)), func(t *testing.T) {
					var wire []byte
					op, flags := frame.OpBinary, frame.RSV1
					for rest := m.payload; len(rest) > 0; op, flags = frame.OpContinuation, 0 {
						n := min(size, len(rest))
						wire = append(wire, encode(t, frame.Client, flags, op, rest[:n])...)
						rest = rest[n:]
					}
					waits, closed := make(chan struct{}, conns), make(chan struct{})
					var reading sync.WaitGroup
					var all []*conn.Conn
					before := heap()
					for range conns {
						s := &stretch{waits: waits, closed: closed}
						s.Write(wire)
						c := conn.New(s, frame.Server, conn.Handshake{Deflate: agreed}, &conn.Options{PingInterval: conn.NoLimit, MaxMessageSize: limit})
						all = append(all, c)
						reading.Go(func() { c.ReadMessage(context.Background()) })
						<-waits
						s.Buffer = bytes.Buffer{} // what was sent is not the connection's
					}
					each := (heap() - before) / conns
					runtime.KeepAlive(wire)
					t.Logf("%d octets for each connection", each)
					if each > most {
						t.Errorf("%d octets for each connection; want at most %d", each, most)
					}
					close(closed)
					reading.Wait()
					for _, c := range all {
						c.CloseNow()
					}
				})
			}
		}
	}
}
