package conn

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// A recorder is the deadline of one side of a stream, and how often it was set.
type recorder struct {
	io.ReadWriteCloser
	deadline time.Time
	calls    int
}

func (r *recorder) SetReadDeadline(t time.Time) error {
	r.deadline = t
	r.calls++
	return nil
}

func (r *recorder) SetWriteDeadline(time.Time) error { return nil }

// A reversed is a recorder of the other side.
type reversed struct{ *recorder }

func (reversed) SetReadDeadline(time.Time) error      { return nil }
func (r reversed) SetWriteDeadline(t time.Time) error { return r.recorder.SetReadDeadline(t) }

func TestInterrupt(t *testing.T) {
	var r recorder
	t.Run("read", func(t *testing.T) { testInterrupt(t, &r, &interrupt{t: &transport{stream: &r}}) })
	var w recorder
	t.Run("write", func(t *testing.T) { testInterrupt(t, &w, &interrupt{t: &transport{stream: reversed{&w}}, side: Sent}) })
}

func testInterrupt(t *testing.T, r *recorder, i *interrupt) {
	synctest.Test(t, func(t *testing.T) {
		check := func(what string, deadline time.Time) {
			t.Helper()
			synctest.Wait()
			if !r.deadline.Equal(deadline) {
				t.Errorf("%s: deadline %v, want %v", what, r.deadline, deadline)
			}
		}
		none, soon := time.Time{}, time.Now().Add(time.Second)

		i.arm(context.Background(), none)
		if r.calls != 0 {
			t.Error("a deadline was set for nothing")
		}
		i.arm(context.Background(), soon)
		check("own deadline", soon)
		i.arm(context.Background(), none)
		check("no deadline any more", none)
		calls := r.calls
		i.disarm()
		i.arm(t.Context(), none)
		i.arm(t.Context(), none)
		if r.calls != calls {
			t.Error("a deadline was set although nothing has changed")
		}

		ctx, cancel := context.WithCancel(t.Context())
		i.arm(ctx, soon)
		cancel()
		check("context ended in an operation", past)
		i.disarm()
		check("and the operation", past) // the context is still that of the next one
		i.arm(context.Background(), none)
		check("next operation", none)

		ctx, cancel = context.WithCancel(t.Context())
		other, cancelOther := context.WithCancel(t.Context())
		i.arm(ctx, none)
		i.arm(other, soon)
		cancel()
		check("context of an earlier operation ended", soon)
		cancelOther()
		check("context ended", past)
		i.arm(t.Context(), soon)
		check("next operation with a deadline", soon)

		i.poke()
		check("poked", past)
		if !i.poked() || i.poked() {
			t.Error("poked is not told once")
		}
		i.arm(t.Context(), none)
		check("after that", none)
		i.poke() // between two operations
		i.arm(t.Context(), soon)
		check("poked before an operation", past)
		if !i.poked() {
			t.Error("poked is not told")
		}
		i.arm(t.Context(), soon)
		check("after that", soon)
		i.disarm()
		check("disarmed", none)

		ctx, cancel = context.WithCancel(t.Context())
		i.arm(ctx, none)
		i.release()
		cancel()
		check("released", none)
	})
}
