package conn_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// broadcastTexts broadcasts texts, and returns what each connection sends.
func broadcastTexts(t *testing.T, h *conn.Hub, texts ...string) (wire []byte) {
	t.Helper()
	for _, s := range texts {
		if d := h.Broadcast(prepare(t, s), nil); d != (conn.Delivery{Taken: h.Len()}) {
			t.Fatalf("Broadcast(%q) = %+v for %d connections", s, d, h.Len())
		}
		wire = append(wire, encode(t, frame.Server, frame.FIN, frame.OpText, []byte(s))...)
	}
	return wire
}

// manyTexts are the messages of a burst.
func manyTexts() (texts []string) {
	for i := range 50 {
		texts = append(texts, fmt.Sprint("message ", i))
	}
	return texts
}

// TestBroadcastBurst: broadcasts that follow one another leave together, in order.
func TestBroadcastBurst(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // so that nobody writes before the burst is over
	eachServerSocket(t, nil, func(t *testing.T, c *conn.Conn, other net.Conn) {
		var h conn.Hub
		h.Add(c)
		for range 200 {
			want := broadcastTexts(t, &h, manyTexts()...)
			got := make([]byte, len(want))
			reads := 0
			for n := 0; n < len(want); reads++ {
				m, err := other.Read(got[n:])
				if err != nil {
					t.Fatal(err)
				}
				n += m
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("received %s, want %s", short(got), short(want))
			}
			if reads <= 2 { // the first may go alone
				return
			}
			// Others may have had the processor.
		}
		t.Error("messages of a burst never left together")
	})
}

// TestBroadcastBurstLast: what is held back for others of a burst is not lost,
// whatever comes next.
func TestBroadcastBurstLast(t *testing.T) {
	tests := []struct {
		name string
		then func(t *testing.T, h *conn.Hub, c *conn.Conn, other net.Conn)
		last []byte
	}{
		{"close", func(t *testing.T, h *conn.Hub, c *conn.Conn, other net.Conn) {
			go c.Close(frame.CloseNormalClosure, "")
		}, []byte("\x88\x02\x03\xe8")},
		{"remove", func(t *testing.T, h *conn.Hub, c *conn.Conn, other net.Conn) { h.Remove(c) }, nil},
		{"write", func(t *testing.T, h *conn.Hub, c *conn.Conn, other net.Conn) {
			if err := c.WriteMessage(t.Context(), frame.OpText, []byte("last")); err != nil {
				t.Error(err)
			}
		}, []byte("\x81\x04last")},
		{"end of the peer's octets", func(t *testing.T, h *conn.Hub, c *conn.Conn, other net.Conn) {
			other.(interface{ CloseWrite() error }).CloseWrite()
			c.ReadMessage(t.Context())
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			eachServerSocket(t, nil, func(t *testing.T, c *conn.Conn, other net.Conn) {
				var h conn.Hub
				h.Add(c)
				want := append(broadcastTexts(t, &h, manyTexts()...), tt.last...)
				tt.then(t, &h, c, other)
				expectOctets(t, other, want)
			})
		})
	}
}

// TestBroadcastAtOnce: broadcasts of several goroutines arrive whole, those of each in
// order, while others leave the hub.
func TestBroadcastAtOnce(t *testing.T) {
	eachServerSocket(t, nil, func(t *testing.T, c *conn.Conn, other net.Conn) {
		const senders, rounds = 4, 100
		var h conn.Hub
		h.Add(c)
		var all sync.WaitGroup
		for i := range senders {
			leaver, reader := tcpPair(t)
			h.Add(newConn(t, leaver, frame.Server, conn.Handshake{}, nil))
			go io.Copy(io.Discard, reader)
			all.Go(func() {
				for j := range rounds {
					h.Broadcast(prepare(t, fmt.Sprint(i, " ", j)), nil)
					if j == rounds/2 {
						leaver.Close()
					}
				}
			})
		}
		client := newConn(t, other, frame.Client, conn.Handshake{}, nil)
		var next [senders]int
		for range senders * rounds {
			_, p, err := client.ReadMessage(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			var i, j int
			if _, err := fmt.Sscan(string(p), &i, &j); err != nil || j != next[i] {
				t.Fatalf("%q came, %v; want %d of %d", p, err, next[i], i)
			}
			next[i]++
		}
		all.Wait()
	})
}
