package conn_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// eachSocket runs a test in both roles over a TCP and a Unix connection, each also
// as a server reads it, with a connection in the role and the other end.
func eachSocket(t *testing.T, o *conn.Options, test func(t *testing.T, c *conn.Conn, other net.Conn)) {
	plain := func(nc net.Conn) io.ReadWriteCloser { return nc }
	for name, kind := range map[string]struct {
		network string
		wrap    func(net.Conn) io.ReadWriteCloser
	}{"tcp": {"tcp", plain}, "unix": {"unix", plain}, "tcp polled": {"tcp", conn.Polled}, "unix polled": {"unix", conn.Polled}} {
		network := kind.network
		for _, role := range []frame.Role{frame.Server, frame.Client} {
			t.Run(name+"/"+role.String(), func(t *testing.T) {
				address := "127.0.0.1:0"
				if network == "unix" {
					address = filepath.Join(t.TempDir(), "s")
				}
				l, err := net.Listen(network, address)
				if err != nil {
					t.Skipf("no %s sockets here: %v", network, err)
				}
				defer l.Close()
				local, err := net.Dial(network, l.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				other, err := l.Accept()
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { other.Close() })
				test(t, newConn(t, kind.wrap(local), role, conn.Handshake{}, o), other)
			})
		}
	}
}

// eachSocketPair is eachSocket with a connection at the other end, too.
func eachSocketPair(t *testing.T, o *conn.Options, test func(t *testing.T, c, other *conn.Conn)) {
	eachSocket(t, o, func(t *testing.T, c *conn.Conn, nc net.Conn) {
		test(t, c, newConn(t, nc, c.Role()^frame.Client, conn.Handshake{}, o))
	})
}

// Messages of any size go there and back, and the end is a clean one.
func TestSocketEcho(t *testing.T) {
	o := &conn.Options{MaxMessageSize: 1 << 23}
	eachSocketPair(t, o, func(t *testing.T, c, other *conn.Conn) {
		done := make(chan error, 1)
		go func() {
			for m, err := range other.Messages(t.Context()) {
				if err == nil {
					err = other.WriteMessage(t.Context(), m.Opcode, m.Payload)
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
		for _, size := range []int{0, 1, 125, 126, 4 << 10, 64 << 10, 64<<10 + 1, 1 << 20, 1 << 23} {
			want := pattern(size)
			written := make(chan error, 1)
			go func() { written <- c.WriteMessage(t.Context(), frame.OpBinary, want) }()
			op, got, err := c.ReadMessage(t.Context())
			if op != frame.OpBinary || err != nil || !bytes.Equal(got, want) {
				t.Fatalf("ReadMessage = %v, %d octets, %v; want %d", op, len(got), err, size)
			}
			if err := <-written; err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Close(frame.CloseNormalClosure, ""); err != nil {
			t.Errorf("Close = %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("the other end: %v", err)
		}
	})
}

// A context ends the wait for a socket, and the next one waits again.
func TestSocketReadContext(t *testing.T) {
	eachSocketPair(t, nil, func(t *testing.T, c, other *conn.Conn) {
		for i := range 20 {
			ctx, cancel := context.WithCancelCause(t.Context())
			read := make(chan error, 1)
			go func() { _, _, err := c.ReadMessage(ctx); read <- err }()
			cancel(errTest)
			if err := <-read; !errors.Is(err, errTest) || errors.Is(err, net.ErrClosed) {
				t.Fatalf("ReadMessage = %v, want the cause", err)
			}
			m := fmt.Sprint(i)
			if err := other.WriteMessage(t.Context(), frame.OpText, []byte(m)); err != nil {
				t.Fatal(err)
			}
			checkRead(t, c, frame.OpText, m)
		}
	})
}

// What the kernel does not take at once is written when it does, whether
// somebody waits for it or not.
func TestSocketFull(t *testing.T) {
	o := &conn.Options{MaxQueuedSize: conn.NoLimit, MaxQueuedFrames: conn.NoLimit, MaxMessageSize: 1 << 23}
	eachSocketPair(t, o, func(t *testing.T, c, other *conn.Conn) {
		var hub conn.Hub
		hub.Add(c)
		const n = 100
		want := bytes.Repeat([]byte{'*'}, 100_000)
		for i := range n {
			m, err := conn.Prepare(frame.OpText, fmt.Appendf(nil, "%s%02d", want, i))
			if err != nil {
				t.Fatal(err)
			}
			if d := hub.Broadcast(m, nil); d.Taken != 1 {
				t.Fatalf("Broadcast = %+v", d)
			}
		}
		if s := c.Stats(); s.QueuedFrames == 0 {
			t.Errorf("Stats = %+v: the socket has taken everything, which tests nothing", s)
		}
		written := make(chan error, 1)
		go func() { written <- c.WriteMessage(t.Context(), frame.OpText, []byte("last")) }()
		for i := range n {
			_, m, err := other.ReadMessage(t.Context())
			if err != nil || len(m) != len(want)+2 || string(m[len(want):]) != fmt.Sprintf("%02d", i) {
				t.Fatalf("message %d = %s, %v", i, short(m), err)
			}
			if i == n/2 {
				if err := other.WriteMessage(t.Context(), frame.OpText, nil); err != nil {
					t.Fatal(err)
				}
			}
		}
		checkRead(t, other, frame.OpText, "last")
		if err := <-written; err != nil {
			t.Error(err)
		}
	})
}

// A socket that takes nothing ends the connection in time, or the context of the
// one who writes.
func TestSocketBlocked(t *testing.T) {
	t.Run("timeout", func(t *testing.T) {
		eachSocket(t, &conn.Options{WriteTimeout: 10 * time.Millisecond}, func(t *testing.T, c *conn.Conn, _ net.Conn) {
			err := c.WriteMessage(t.Context(), frame.OpBinary, make([]byte, 1<<24))
			checkEnd(t, err, conn.Network, frame.CloseAbnormalClosure, "", conn.ErrWriteTimeout)
		})
	})
	t.Run("context", func(t *testing.T) {
		eachSocket(t, nil, func(t *testing.T, c *conn.Conn, other net.Conn) {
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() {
				other.Read(make([]byte, 1))
				cancel(errTest)
			}()
			err := c.WriteMessage(ctx, frame.OpBinary, make([]byte, 1<<24))
			checkEnd(t, err, conn.Local, frame.CloseAbnormalClosure, "", errTest)
		})
	})
}

// The end of the other side is seen by those who read and, as far as the kernel
// tells, by those who write.
func TestSocketEnd(t *testing.T) {
	t.Run("read", func(t *testing.T) {
		eachSocket(t, nil, func(t *testing.T, c *conn.Conn, other net.Conn) {
			other.Write(wire(t, c.Role()^frame.Client, "0103:48656c"))
			other.Close()
			_, _, err := c.ReadMessage(t.Context())
			checkEnd(t, err, conn.Network, frame.CloseAbnormalClosure, "", io.ErrUnexpectedEOF)
		})
	})
	t.Run("write", func(t *testing.T) {
		eachSocket(t, &conn.Options{CloseTimeout: time.Millisecond}, func(t *testing.T, c *conn.Conn, other net.Conn) {
			other.Close()
			var err error
			for err == nil {
				err = c.WriteMessage(t.Context(), frame.OpBinary, make([]byte, 1<<16))
			}
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("WriteMessage = %v, want net.ErrClosed", err)
			}
			<-c.Done()
			if end, ok := errors.AsType[*conn.CloseError](c.Err()); !ok || end.By != conn.Network {
				t.Errorf("Err = %v, want an end by the network", c.Err())
			}
		})
	})
}
