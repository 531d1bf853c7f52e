package conn_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// checkStopped expects the end of a connection whose peer stopped reading, in the
// time that Options.WriteTimeout documents.
func checkStopped(t *testing.T, err error, took time.Duration) {
	t.Helper()
	checkEnd(t, err, conn.Network, frame.CloseAbnormalClosure, "", conn.ErrWriteTimeout)
	if least := 10 * time.Second; took < least || took > least+least/8 {
		t.Errorf("the connection ended after %v, want %v and an eighth at most", took, least)
	}
}

// WriteTimeout holds whatever was written before, and after a pause.
func TestWriteTimeoutAfterOthers(t *testing.T) {
	for _, pause := range []time.Duration{0, time.Millisecond, 300 * time.Millisecond, time.Minute} {
		bothRoles(t, func(t *testing.T, role frame.Role) {
			c, p := openPipe(t, role, conn.Handshake{}, &conn.Options{PingInterval: conn.NoLimit}, 1000)
			for range 100 {
				if err := c.WriteMessage(t.Context(), frame.OpText, []byte("before")); err != nil {
					t.Fatal(err)
				}
				p.expectText("before")
				time.Sleep(pause)
			}
			start := time.Now()
			err := c.WriteMessage(t.Context(), frame.OpBinary, filler(2000))
			checkStopped(t, err, time.Since(start))
		})
	}
}

// So it does where a write cannot be continued.
func TestWriteTimeoutOverTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, _ := tlsPair(t, 4096)
		c := newConn(t, server, frame.Server, conn.Handshake{}, &conn.Options{PingInterval: conn.NoLimit})
		for range 10 {
			if err := c.WriteMessage(t.Context(), frame.OpText, []byte("before")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		start := time.Now()
		err := c.WriteMessage(t.Context(), frame.OpBinary, filler(8000))
		checkStopped(t, err, time.Since(start))
	})
}

// The context of one message does not end the next.
func TestWriteContextsChange(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		for range 10 {
			ctx, cancel := context.WithCancel(t.Context())
			for _, ctx := range []context.Context{ctx, context.Background(), ctx} {
				if err := c.WriteMessage(ctx, frame.OpText, []byte("a")); err != nil {
					t.Fatal(err)
				}
				p.expectText("a")
			}
			cancel()
			synctest.Wait()
		}
		// It still ends its own.
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errTest)
		defer cancel()
		start := time.Now()
		err := c.WriteMessage(ctx, frame.OpBinary, filler(1<<20))
		checkEnd(t, err, conn.Local, frame.CloseAbnormalClosure, "", errTest)
		if took := time.Since(start); took != time.Second {
			t.Errorf("WriteMessage returned after %v, want 1s", took)
		}
	})
}

// A connection that has not been written for a while leaves nothing running.
func TestWatchStops(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openPipe(t, role, conn.Handshake{}, &conn.Options{PingInterval: conn.NoLimit}, 1000)
		for range 3 {
			for range 3 {
				if err := c.WriteMessage(t.Context(), frame.OpText, []byte("a")); err != nil {
					t.Fatal(err)
				}
				p.expectText("a")
				time.Sleep(time.Second)
			}
			if conn.Watching(c) {
				t.Error("the timer runs although nothing was written for a second")
			}
		}
	})
}
