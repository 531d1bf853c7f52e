package conn_test

import (
	"context"
	"errors"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
)

// A message of partialSize is assembled in a buffer of partialCost.
const (
	partialSize = 100 << 10
	partialCost = 256 << 10
)

// openPartial returns a connection in the middle of a message of more than 64 KiB.
func openPartial(t *testing.T, role frame.Role, b *conn.MemoryBudget) (<-chan reception, *peer) {
	t.Helper()
	c, p := openPipe(t, role, conn.Handshake{}, &conn.Options{MemoryBudget: b, PingInterval: conn.NoLimit}, 1<<20)
	r := receive(c)
	p.sendFrame(0, frame.OpBinary, filler(partialSize))
	synctest.Wait()
	return r, p
}

// finish sends the end of the message, and expects the connection to live.
func finish(t *testing.T, r <-chan reception, p *peer) {
	t.Helper()
	p.sendFrame(frame.FIN, frame.OpContinuation, []byte("end"))
	p.sendClose(frame.CloseNormalClosure, "")
	p.expectClose(frame.CloseNormalClosure, "")
	p.hangsUp()
	got := <-r
	if want := "binary " + string(filler(partialSize)) + "end"; len(got.messages) != 1 || got.messages[0] != want {
		t.Errorf("received %d messages, want the one of %d octets", len(got.messages), len(want))
	}
	checkEnd(t, got.err, conn.Peer, frame.CloseNormalClosure, "", nil)
}

// checkInUse compares what a budget has lent with what is wanted.
func checkInUse(t *testing.T, b *conn.MemoryBudget, want int64) {
	t.Helper()
	if got := b.InUse(); got != want {
		t.Errorf("InUse = %d, want %d", got, want)
	}
}

// TestMemoryBudget: a message that would be too much for all connections together
// is refused with 1013, and the others come to their end.
func TestMemoryBudget(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		b := &conn.MemoryBudget{Limit: 2*partialCost + 100}
		ra, a := openPartial(t, role, b)
		rb, bp := openPartial(t, role, b)
		checkInUse(t, b, 2*partialCost)
		refused, p := openPartial(t, role, b)
		p.expectFailure(frame.CloseTryAgainLater)
		checkEnd(t, (<-refused).err, conn.Local, frame.CloseTryAgainLater, "", conn.ErrMemoryBudget)
		checkInUse(t, b, 2*partialCost)

		// What is short comes through all the same.
		c, p := open(t, role, &conn.Options{MemoryBudget: b})
		p.sendFrame(frame.FIN, frame.OpBinary, filler(60<<10))
		checkRead(t, c, frame.OpBinary, string(filler(60<<10)))

		finish(t, ra, a)
		checkInUse(t, b, partialCost)
		rd, d := openPartial(t, role, b)
		finish(t, rb, bp)
		finish(t, rd, d)
		checkInUse(t, b, 0)
	})
}

// TestMemoryBudgetStalled: the message that waits longest for its next octet makes
// room for another one, if it has for a second.
func TestMemoryBudgetStalled(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		b := &conn.MemoryBudget{Limit: 3 * partialCost}
		ra, a := openPartial(t, role, b)
		time.Sleep(time.Second)
		rb, bp := openPartial(t, role, b)
		rc, cp := openPartial(t, role, b)
		time.Sleep(999 * time.Millisecond)
		a.sendFrame(0, frame.OpContinuation, nil) // goes on
		synctest.Wait()
		refused, p := openPartial(t, role, b)
		p.expectFailure(frame.CloseTryAgainLater)
		<-refused

		time.Sleep(time.Millisecond)
		cp.sendFrame(0, frame.OpContinuation, nil)
		synctest.Wait()
		rd, d := openPartial(t, role, b)
		bp.expectFailure(frame.CloseTryAgainLater)
		checkEnd(t, (<-rb).err, conn.Local, frame.CloseTryAgainLater, "", conn.ErrMemoryBudget)
		checkInUse(t, b, 3*partialCost)
		finish(t, ra, a)
		finish(t, rc, cp)
		finish(t, rd, d)
		checkInUse(t, b, 0)
	})
}

// TestMemoryBudgetLetGo: whatever ends a message gives back what it took.
func TestMemoryBudgetLetGo(t *testing.T) {
	tests := map[string]func(c *conn.Conn, p *peer){
		"CloseNow":       func(c *conn.Conn, p *peer) { c.CloseNow() },
		"end of TCP":     func(c *conn.Conn, p *peer) { p.Close() },
		"broken rule":    func(c *conn.Conn, p *peer) { p.send("8300:") },
		"stalled":        func(c *conn.Conn, p *peer) { time.Sleep(time.Minute) },
		"longer message": func(c *conn.Conn, p *peer) { p.sendFrame(frame.FIN, frame.OpContinuation, filler(1<<20)) },
	}
	for name, end := range tests {
		t.Run(name, func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				var b conn.MemoryBudget
				c, p := openPipe(t, role, conn.Handshake{}, &conn.Options{MemoryBudget: &b, PingInterval: conn.NoLimit}, 1<<21)
				r := receive(c)
				p.sendFrame(0, frame.OpBinary, filler(partialSize))
				synctest.Wait()
				checkInUse(t, &b, partialCost)
				end(c, p)
				synctest.Wait()
				checkInUse(t, &b, 0)
				p.Close()
				<-r
			})
		})
	}
	t.Run("not read to the end", func(t *testing.T) {
		bothRoles(t, func(t *testing.T, role frame.Role) {
			var b conn.MemoryBudget
			c, p := openPipe(t, role, conn.Handshake{}, &conn.Options{MemoryBudget: &b}, 1<<20)
			p.sendFrame(frame.FIN, frame.OpBinary, filler(partialSize))
			checkRead(t, c, frame.OpBinary, string(filler(partialSize)))
			checkInUse(t, &b, partialCost)
			c.CloseNow()
			checkInUse(t, &b, 0)
		})
	})
	t.Run("streamed", func(t *testing.T) {
		bothRoles(t, func(t *testing.T, role frame.Role) {
			var b conn.MemoryBudget
			c, p := openPipe(t, role, conn.Handshake{}, &conn.Options{MemoryBudget: &b}, 1<<20)
			p.sendFrame(0, frame.OpBinary, filler(partialSize))
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errTest)
			defer cancel()
			if _, _, err := c.ReadMessage(ctx); !errors.Is(err, errTest) {
				t.Fatalf("ReadMessage = %v, want the cause", err)
			}
			checkInUse(t, &b, partialCost)
			if _, err := c.NextReader(t.Context()); err != nil {
				t.Fatal(err)
			}
			checkInUse(t, &b, 0)
		})
	})
}

// TestMemoryBudgetCompressed: what counts is what a message inflates to.
func TestMemoryBudgetCompressed(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		b := &conn.MemoryBudget{Limit: partialCost}
		c, p := openDeflate(t, role, alone, &conn.Options{MemoryBudget: b})
		r := receive(c)
		codec, err := deflate.NewCompressor(deflate.MaxWindowBits, deflate.NoTakeover, deflate.Fast)
		if err != nil {
			t.Fatal(err)
		}
		p.sendFrame(frame.FIN|frame.RSV1, frame.OpBinary, codec.AppendPiece(nil, make([]byte, 300<<10), true))
		p.expectFailure(frame.CloseTryAgainLater)
		checkEnd(t, (<-r).err, conn.Local, frame.CloseTryAgainLater, "", conn.ErrMemoryBudget)
		checkInUse(t, b, 0)
	})
}

// TestMemoryBudgetDefault: without a limit of its own a budget has a quarter of
// the memory limit of the runtime; a negative one is none.
func TestMemoryBudgetDefault(t *testing.T) {
	before := debug.SetMemoryLimit(8 * partialCost)
	defer debug.SetMemoryLimit(before)
	tests := []struct {
		limit   int64
		refused bool
	}{{0, true}, {conn.NoLimit, false}}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			b := &conn.MemoryBudget{Limit: tt.limit}
			openPartial(t, frame.Server, b)
			openPartial(t, frame.Server, b)
			_, p := openPartial(t, frame.Server, b)
			if tt.refused {
				p.expectFailure(frame.CloseTryAgainLater)
			} else {
				p.expectNothing()
			}
		})
	}
}
