package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/mask"
)

// An endless stream reads the same octets again and again, and takes whatever is
// written.
type endless struct {
	octets []byte
	buf    []byte
	at     int
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		k := copy(p[n:], e.octets[e.at:])
		n += k
		e.at = (e.at + k) % len(e.octets)
	}
	return n, nil
}

func (*endless) Write(p []byte) (int, error)      { return len(p), nil }
func (*endless) Close() error                     { return nil }
func (*endless) LocalAddr() net.Addr              { return nil }
func (*endless) RemoteAddr() net.Addr             { return nil }
func (*endless) SetDeadline(time.Time) error      { return nil }
func (*endless) SetReadDeadline(time.Time) error  { return nil }
func (*endless) SetWriteDeadline(time.Time) error { return nil }

var _ io.Reader = (*endless)(nil)

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
