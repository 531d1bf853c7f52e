package conn_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// TestStreamWithoutDeadlines: a context that ends and a deadline that passes
// between two operations do not touch a stream that can only be closed, one that
// does so during an operation closes it.
func TestStreamWithoutDeadlines(t *testing.T) {
	open := func(t *testing.T) (*conn.Conn, *peer) {
		end, p := newPeer(t, frame.Client, 0)
		return newConn(t, struct{ io.ReadWriteCloser }{end}, frame.Client, conn.Handshake{}, nil), p
	}
	const hello = "\x81\x05hello"
	read := func(t *testing.T, c *conn.Conn) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		_, m, err := c.ReadMessage(ctx)
		if string(m) != "hello" || err != nil {
			t.Fatalf("ReadMessage = %q, %v; want hello", m, err)
		}
		cancel()
		synctest.Wait()
	}

	t.Run("contexts", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, p := open(t)
			for range 3 {
				io.WriteString(p, hello)
				read(t, c)
				ctx, cancel := context.WithCancel(t.Context())
				if err := c.WriteMessage(ctx, frame.OpText, []byte("hello")); err != nil {
					t.Fatalf("WriteMessage: %v", err)
				}
				cancel()
				synctest.Wait()
			}
		})
	})
	t.Run("stall timeout", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, p := open(t)
			for range 2 {
				io.WriteString(p, hello[:3])
				go func() {
					time.Sleep(time.Second)
					io.WriteString(p, hello[3:])
				}()
				read(t, c)
				time.Sleep(time.Hour) // the wait for the rest of the message was limited to 30 seconds
			}
		})
	})
	t.Run("during a read", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, _ := open(t)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, _, err := c.ReadMessage(ctx)
			if end, ok := errors.AsType[*conn.CloseError](err); !ok || end.By != conn.Network {
				t.Errorf("ReadMessage: %v; want the end of the connection", err)
			}
		})
	})
}
