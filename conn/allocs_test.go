//go:build !race

package conn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

// Without the race detector an idle connection takes what it takes in use.
func init() { idleFactor = 1 }

// endless is a stream from which the same octets come again and again, and which
// takes whatever is written.
type endless struct {
	octets []byte
	at     int
}

func (e *endless) Read(p []byte) (n int, err error) {
	n = copy(p, e.octets[e.at:])
	e.at = (e.at + n) % len(e.octets)
	return n, nil
}

func (e *endless) Write(p []byte) (int, error)      { return len(p), nil }
func (e *endless) Close() error                     { return nil }
func (e *endless) SetReadDeadline(time.Time) error  { return nil }
func (e *endless) SetWriteDeadline(time.Time) error { return nil }

// contexts are those that an application passes again and again.
func contexts(t *testing.T) map[string]context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return map[string]context.Context{"background": context.Background(), "cancelable": ctx}
}

// checkAllocs finds that f, which returns an error if it fails, allocates
// nothing once it has been called a few times.
func checkAllocs(t *testing.T, f func() error) {
	t.Helper()
	call := func() {
		if err := f(); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 {
		call()
	}
	if n := testing.AllocsPerRun(100, call); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Posting a message to a socket allocates nothing in the long run.
func TestAllocsPostMessage(t *testing.T) {
	a, b := tcpPair(t)
	c := newConn(t, a, frame.Server, conn.Handshake{}, nil)
	go io.Copy(io.Discard, b)
	payload := make([]byte, 100)
	checkAllocs(t, func() error { return c.PostMessage(frame.OpText, payload) })
}

// Reading and writing messages allocate nothing in the long run.
func TestAllocs(t *testing.T) {
	for _, role := range []frame.Role{frame.Server, frame.Client} {
		for name, ctx := range contexts(t) {
			for _, size := range []int{0, 16, 1000, 16 << 10, 200 << 10} {
				t.Run(fmt.Sprintf("%v/%s/size=%d", role, name, size), func(t *testing.T) {
					payload := make([]byte, size)
					messages := encode(t, role^frame.Client, frame.FIN, frame.OpText, payload)
					messages = append(messages, encode(t, role^frame.Client, 0, frame.OpText, payload)...)
					messages = append(messages, encode(t, role^frame.Client, frame.FIN, frame.OpPong, nil)...)
					messages = append(messages, encode(t, role^frame.Client, frame.FIN, frame.OpContinuation, payload)...)
					o := &conn.Options{MaxControlRate: conn.NoLimit}
					c := newConn(t, &endless{octets: messages}, role, conn.Handshake{}, o)
					m, err := conn.Prepare(frame.OpText, payload)
					if err != nil {
						t.Fatal(err)
					}
					var dst []byte
					buf := make([]byte, 4<<10)
					for name, f := range map[string]func() error{
						"ReadMessage": func() error { _, _, err := c.ReadMessage(ctx); return err },
						"AppendMessage": func() (err error) {
							_, dst, err = c.AppendMessage(ctx, dst[:0])
							return err
						},
						"NextReader": func() error {
							r, err := c.NextReader(ctx)
							for n := 1; n > 0 && err == nil; {
								n, err = r.Read(ctx, buf)
							}
							if _, end := r.Read(ctx, buf); end == nil {
								return fmt.Errorf("no EOF behind %v", err)
							}
							return nil
						},
						"WriteMessage":  func() error { return c.WriteMessage(ctx, frame.OpText, payload) },
						"WritePrepared": func() error { return c.WritePrepared(ctx, m) },
					} {
						t.Run(name, func(t *testing.T) { checkAllocs(t, f) })
					}
				})
			}
		}
	}
}

// Nor do they over TCP.
func TestAllocsTCP(t *testing.T) {
	for i, role := range []frame.Role{frame.Server, frame.Client} {
		for name, ctx := range contexts(t) {
			t.Run(role.String()+"/"+name, func(t *testing.T) {
				a, b := tcpPair(t)
				for _, nc := range []*net.TCPConn{a, b} {
					nc.SetWriteBuffer(256 << 10)
				}
				x, y := mixed(i, a, b)
				writer := newConn(t, x, role, conn.Handshake{}, nil)
				reader := newConn(t, y, role^frame.Client, conn.Handshake{}, nil)
				m, err := conn.Prepare(frame.OpText, make([]byte, 1000))
				if err != nil {
					t.Fatal(err)
				}
				for _, size := range []int{16, 1000, 32 << 10} {
					payload := make([]byte, size)
					var dst []byte
					t.Run(fmt.Sprintf("size=%d", size), func(t *testing.T) {
						checkAllocs(t, func() error {
							if err := writer.WriteMessage(ctx, frame.OpBinary, payload); err != nil {
								return err
							}
							if _, _, err := reader.ReadMessage(ctx); err != nil {
								return err
							}
							if err := writer.WritePrepared(ctx, m); err != nil {
								return err
							}
							if _, _, err := reader.ReadMessage(ctx); err != nil {
								return err
							}
							if err := writer.Post(m, m); err != nil {
								return err
							}
							if _, _, err := reader.ReadMessage(ctx); err != nil {
								return err
							}
							var err error
							_, dst, err = reader.AppendMessage(ctx, dst[:0])
							return err
						})
					})
				}
			})
		}
	}
}

// A refusedConn is a connection in memory from which a request comes, and whose
// peer reads the answer and closes.
type refusedConn struct {
	endless
	request string
}

func (c *refusedConn) Read(p []byte) (n int, err error) {
	n = copy(p, c.request)
	c.request = c.request[n:]
	if n == 0 {
		err = io.EOF
	}
	return n, err
}
func (c *refusedConn) LocalAddr() net.Addr           { return nil }
func (c *refusedConn) RemoteAddr() net.Addr          { return nil }
func (c *refusedConn) SetDeadline(t time.Time) error { return nil }
func (c *refusedConn) CloseWrite() error             { return nil }

// H26: a flood of handshakes from a foreign origin is refused before anything of
// size is allocated: 4 KiB are what parsing and answering one leave behind. What
// share of a processor 10,000 a second take is logged.
func TestRefusalAllocs(t *testing.T) {
	const handshakes, ceiling = 10_000, 4 << 10
	request := change("+Origin: https://evil.example")
	refuse := func() {
		_, err := conn.AcceptConn(t.Context(), &refusedConn{request: request}, nil)
		if !errors.Is(err, handshake.ErrOrigin) {
			t.Fatalf("AcceptConn = %v, want ErrOrigin", err)
		}
	}
	refuse()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	for range handshakes {
		refuse()
	}
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	each := (after.TotalAlloc - before.TotalAlloc) / handshakes
	t.Logf("refusing takes %v, %.1f%% of a processor at 10,000 a second, and %d octets", took/handshakes, 100*took.Seconds(), each)
	if each > ceiling {
		t.Errorf("refusing takes %d octets, want %d at most", each, ceiling)
	}
}
