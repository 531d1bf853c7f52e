package conn_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// The context of a connection ends with it, and so do those derived from it.
func TestContext(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, _ := open(t, role, nil)
		ctx := c.Context()
		if _, ok := ctx.Deadline(); ok || ctx.Err() != nil || context.Cause(ctx) != nil {
			t.Fatalf("the context of a connection that is open has a deadline, %v, or has ended: %v, %v", ok, ctx.Err(), context.Cause(ctx))
		}
		derived, cancel := context.WithTimeout(ctx, time.Hour)
		defer cancel()
		var called int
		context.AfterFunc(ctx, func() { called++ })
		stop := context.AfterFunc(ctx, func() { called += 100 })
		if !stop() || stop() {
			t.Error("stop = false, true; want true the first time and false the second")
		}
		waited := make(chan struct{})
		go func() {
			<-ctx.Done()
			close(waited)
		}()
		synctest.Wait()

		c.CloseNow()
		<-waited
		<-derived.Done()
		synctest.Wait()
		if called != 1 {
			t.Errorf("the functions were called %d times, want once", called)
		}
		late, cancel := context.WithCancel(ctx)
		defer cancel()
		context.AfterFunc(ctx, func() { called++ })
		synctest.Wait()
		if called != 2 {
			t.Error("the function was not called after the end")
		}
		for _, ctx := range []context.Context{ctx, derived, late, c.Context()} {
			<-ctx.Done()
			if ctx.Err() != context.Canceled || context.Cause(ctx) != c.Err() {
				t.Errorf("a context ended with %v because of %v, want %v because of %v", ctx.Err(), context.Cause(ctx), context.Canceled, c.Err())
			}
		}
		if ctx.Value("key") != nil {
			t.Error("there is a value")
		}
	})
}

// A method that waits with the connection's own context ends with the error of the
// connection; one with that of another connection is canceled by it.
func TestContextOfOperations(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, _ := open(t, role, nil)
		other, _ := open(t, role, nil)
		ctx := other.Context()
		canceled := make(chan error, 1)
		go func() {
			_, _, err := c.ReadMessage(ctx)
			canceled <- err
		}()
		synctest.Wait()
		other.CloseNow()
		if err := <-canceled; !errors.Is(err, conn.ErrCloseNow) || c.State() != conn.StateOpen {
			t.Errorf("ReadMessage with the context of a connection that ended = %v, and is %v", err, c.State())
		}

		ended := make(chan error, 1)
		go func() {
			_, _, err := c.ReadMessage(c.Context())
			ended <- err
		}()
		synctest.Wait()
		c.CloseNow()
		if err := <-ended; err != c.Err() {
			t.Errorf("ReadMessage with the own context = %v, want %v", err, c.Err())
		}
		if err := c.WriteMessage(c.Context(), frame.OpText, nil); err != c.Err() {
			t.Errorf("WriteMessage with the own context = %v, want %v", err, c.Err())
		}
	})
}
