package conn_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
)

// A stretch is a stream that gives back what was written to it, for both sides of
// a connection used by one goroutine. If waits is not nil, a read of what is not
// there tells it and waits until the stream is closed.
type stretch struct {
	bytes.Buffer
	waits  chan struct{}
	closed chan struct{} // to be closed once
}

func (s *stretch) Read(p []byte) (int, error) {
	if s.Len() == 0 && s.waits != nil {
		s.waits <- struct{}{}
		<-s.closed
		return 0, io.EOF
	}
	return s.Buffer.Read(p)
}

func (*stretch) Close() error                     { return nil }
func (*stretch) SetReadDeadline(time.Time) error  { return nil }
func (*stretch) SetWriteDeadline(time.Time) error { return nil }

// newStretch returns a sender in the role and its receiver.
func newStretch(role frame.Role, agreed *deflate.Params, maxSize int64) (sender, receiver *conn.Conn) {
	o := &conn.Options{PingInterval: conn.NoLimit, MaxMessageSize: maxSize, Compression: compressAll}
	var s stretch
	h := conn.Handshake{Deflate: agreed}
	return conn.New(&s, role, h, o), conn.New(&s, role^frame.Client, h, o)
}

// C1, X5: a bomb takes no more memory than its limit and a little, at any time.
func TestCompressedBombMemory(t *testing.T) {
	const limit = 1 << 20
	bomb := pack(t, make([]byte, 1000*limit))
	for _, size := range []int{len(bomb), 500} {
		t.Run(fmt.Sprintf("frames of %d", size), func(t *testing.T) {
			s := &stretch{}
			c := conn.New(s, frame.Server, conn.Handshake{Deflate: together}, &conn.Options{PingInterval: conn.NoLimit})
			defer c.CloseNow()
			op, flags := frame.OpBinary, frame.RSV1
			for rest := bomb; len(rest) > 0; op, flags = frame.OpContinuation, 0 {
				n := min(size, len(rest))
				if n == len(rest) {
					flags |= frame.FIN
				}
				s.Write(encode(t, frame.Client, flags, op, rest[:n]))
				rest = rest[n:]
			}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			_, _, err := c.ReadMessage(context.Background())
			runtime.ReadMemStats(&after)
			checkEnd(t, err, conn.Local, frame.CloseMessageTooBig, "", conn.ErrMessageTooBig)
			// All that was allocated together is an upper bound of what there was
			// at any time: buffers of 4, 16, 64 and 256 KiB besides the message.
			if n := after.TotalAlloc - before.TotalAlloc; n > 2*(limit+128<<10) {
				t.Errorf("%d octets were allocated, want at most %d", n, 2*(limit+128<<10))
			}
		})
	}
}

// FuzzCompressed: whatever is sent arrives, however it is cut into fragments, reads
// and writes.
func FuzzCompressed(f *testing.F) {
	f.Add(uint64(1), byte(15), []byte(lines(2000)))
	f.Add(uint64(2), byte(8), []byte("Hello"))
	f.Add(uint64(3), byte(0x1a), noise(5000))
	f.Fuzz(func(t *testing.T, seed uint64, parameters byte, data []byte) {
		r := rand.New(rand.NewPCG(seed, 0))
		bits := 8 + int(parameters&7)
		agreed := &deflate.Params{
			ServerMaxWindowBits: bits, ClientMaxWindowBits: bits,
			ServerNoContextTakeover: parameters&8 != 0, ClientNoContextTakeover: parameters&8 != 0,
		}
		role := frame.Role(parameters >> 4 & 1)
		ctx := context.Background()
		sender, receiver := newStretch(role, agreed, 0)
		defer sender.CloseNow()
		defer receiver.CloseNow()
		for range 4 {
			message := data[r.IntN(len(data)+1):]
			switch r.IntN(4) {
			case 0:
				if err := sender.WriteUncompressed(ctx, frame.OpBinary, message); err != nil {
					t.Fatal(err)
				}
			case 1:
				m, err := conn.Prepare(frame.OpBinary, message)
				if err != nil {
					t.Fatal(err)
				}
				if err := sender.WritePrepared(ctx, m); err != nil {
					t.Fatal(err)
				}
			case 2:
				w := nextWriter(t, sender, frame.OpBinary)
				for rest := message; len(rest) > 0; {
					n := r.IntN(len(rest) + 1)
					writePart(t, w, string(rest[:n]))
					if err := w.Flush(ctx); err != nil {
						t.Fatal(err)
					}
					rest = rest[n:]
				}
				closeWriter(t, w)
			default:
				if err := sender.WriteMessage(ctx, frame.OpBinary, message); err != nil {
					t.Fatal(err)
				}
			}
			var got []byte
			var err error
			if r.IntN(2) == 0 {
				_, got, err = receiver.ReadMessage(ctx)
			} else {
				var in conn.MessageReader
				if in, err = receiver.NextReader(ctx); err == nil {
					got, err = io.ReadAll(in.With(ctx))
				}
			}
			if err != nil || !bytes.Equal(got, message) {
				t.Fatalf("%d octets arrived as %d, %v", len(message), len(got), err)
			}
		}
	})
}
