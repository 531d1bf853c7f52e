package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/mask"
)

var sizes = []int{16, 125, 1 << 10, 16 << 10, 1 << 20}

func BenchmarkReadMessage(b *testing.B) {
	for _, role := range []frame.Role{frame.Server, frame.Client} {
		for _, size := range sizes {
			b.Run(fmt.Sprintf("role=%v/size=%d", role, size), func(b *testing.B) {
				h := frame.Header{Flags: frame.FIN, Opcode: frame.OpBinary}
				if role == frame.Server {
					h.Flags |= frame.MASK
					h.Key = mask.NewKey()
				}
				wire, _ := frame.AppendFrame(nil, h, make([]byte, size))
				c := conn.New(&endless{octets: wire}, role, conn.Handshake{}, nil)
				defer c.CloseNow()
				ctx := context.Background()
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					if _, p, err := c.ReadMessage(ctx); err != nil || len(p) != size {
						b.Fatal(len(p), err)
					}
				}
			})
		}
	}
}

func BenchmarkWriteMessage(b *testing.B) {
	for _, role := range []frame.Role{frame.Server, frame.Client} {
		for _, size := range sizes {
			b.Run(fmt.Sprintf("role=%v/size=%d", role, size), func(b *testing.B) {
				p := make([]byte, size)
				c := conn.New(&endless{octets: []byte{0}}, role, conn.Handshake{}, nil)
				defer c.CloseNow()
				ctx := context.Background()
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					if err := c.WriteMessage(ctx, frame.OpBinary, p); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkWritePrepared measures a message that was encoded before.
func BenchmarkWritePrepared(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			m, err := conn.Prepare(frame.OpBinary, make([]byte, size))
			if err != nil {
				b.Fatal(err)
			}
			c := conn.New(&endless{octets: []byte{0}}, frame.Server, conn.Handshake{}, nil)
			defer c.CloseNow()
			ctx := context.Background()
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := c.WritePrepared(ctx, m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBroadcast measures one message to all connections of a hub, over
// loopback, with peers in the same process that throw it away.
func BenchmarkBroadcast(b *testing.B) {
	const size = 256
	for _, conns := range []int{1, 100} {
		b.Run(fmt.Sprintf("conns=%d/size=%d", conns, size), func(b *testing.B) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			hub := conn.Hub{Slow: conn.SlowDropNewest}
			for range conns {
				peer, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					b.Fatal(err)
				}
				defer peer.Close()
				go io.Copy(io.Discard, peer)
				nc, err := l.Accept()
				if err != nil {
					b.Fatal(err)
				}
				c := conn.New(nc, frame.Server, conn.Handshake{}, nil)
				defer c.CloseNow()
				hub.Add(c)
			}
			payload := make([]byte, size)
			dropped := 0
			b.ReportAllocs()
			for b.Loop() {
				m, err := conn.Prepare(frame.OpBinary, payload)
				if err != nil {
					b.Fatal(err)
				}
				dropped += hub.Broadcast(m, nil).Dropped
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*conns), "ns/conn")
			b.ReportMetric(float64(dropped)/float64(b.N*conns), "dropped/conn")
		})
	}
}

// BenchmarkCompressed measures messages of JSON that are compressed on the way,
// without context takeover.
func BenchmarkCompressed(b *testing.B) {
	for _, size := range []int{128, 1 << 10, 16 << 10} {
		agreed := conn.Handshake{Deflate: &deflate.Params{
			ServerNoContextTakeover: true, ClientNoContextTakeover: true, ServerMaxWindowBits: 15, ClientMaxWindowBits: 15,
		}}
		o := &conn.Options{PingInterval: conn.NoLimit, Compression: &conn.Compression{MinSize: conn.NoLimit}}
		text := document(size)
		b.Run(fmt.Sprintf("write/size=%d", size), func(b *testing.B) {
			c := conn.New(&endless{octets: []byte{0}}, frame.Server, agreed, o)
			defer c.CloseNow()
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := c.WriteMessage(b.Context(), frame.OpText, text); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("read/size=%d", size), func(b *testing.B) {
			compressor, err := deflate.NewCompressor(15, deflate.NoTakeover, deflate.Fast)
			if err != nil {
				b.Fatal(err)
			}
			payload, ok := compressor.Append(nil, text)
			if !ok {
				b.Fatal("nothing to compress")
			}
			h := frame.Header{Flags: frame.FIN | frame.RSV1 | frame.MASK, Opcode: frame.OpText, Key: mask.NewKey()}
			wire, err := frame.AppendFrame(nil, h, payload)
			if err != nil {
				b.Fatal(err)
			}
			c := conn.New(&endless{octets: wire}, frame.Server, agreed, o)
			defer c.CloseNow()
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, p, err := c.ReadMessage(b.Context()); err != nil || len(p) != size {
					b.Fatal(len(p), err)
				}
			}
		})
	}
}

// document returns JSON of size octets.
func document(size int) []byte {
	text := []byte{'['}
	for i := 0; len(text) < size; i++ {
		text = fmt.Appendf(text, `{"id":%d,"user":"user-%d","text":"message %d of many","sent":%d},`, i*7919, i%17, i, 1700000000+i*31)
	}
	return text[:size]
}
