package conn

import (
	"context"
	"slices"
	"time"
)

// A lifetime is a connection as the context that ends with it. It takes no memory
// of its own, and while nobody waits for it nothing has to be told of the end.
type lifetime Conn

// Context returns a context that is canceled when the connection has ended,
// with [Conn.Err] as its cause. For a connection accepted from net/http it has
// the values of the request's context.
func (c *Conn) Context() context.Context { return (*lifetime)(c) }

// Deadline reports that there is none.
func (l *lifetime) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }

// Done returns a channel that is closed when the connection has ended.
func (l *lifetime) Done() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return (*Conn)(l).follow().over.wait(l.ended.Load() != nil)
}

// Err returns context.Canceled when the connection has ended.
func (l *lifetime) Err() error {
	if l.ended.Load() == nil {
		return nil
	}
	return context.Canceled
}

// Value returns a value of the context that the connection was accepted with.
func (l *lifetime) Value(key any) any {
	ctx := context.WithoutCancel(l.agreed.orNone().base)
	if err := l.ended.Load(); err != nil {
		// One of the keys is that by which package context finds the cause.
		canceled, cancel := context.WithCancelCause(ctx)
		cancel(err)
		ctx = canceled
	}
	return ctx.Value(key)
}

// AfterFunc has f called on a goroutine of its own when the connection has ended,
// unless stop is called before. Package context looks for it, and would have a
// goroutine wait for each context derived from this one otherwise.
func (l *lifetime) AfterFunc(f func()) (stop func() bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended.Load() != nil {
		go f()
		return func() bool { return false }
	}
	p, w := &f, (*Conn)(l).follow()
	w.after = append(w.after, p)
	return func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		i := slices.Index(w.after, p)
		if i < 0 {
			return false
		}
		w.after = slices.Delete(w.after, i, i+1)
		return true
	}
}

// beyond returns what may end an operation of c before the connection has ended:
// nothing, if ctx is its own context. What that would tell, the end of the
// transport tells as well.
func (c *Conn) beyond(ctx context.Context) context.Context {
	if l, ok := ctx.(*lifetime); ok && (*Conn)(l) == c {
		return context.Background()
	}
	return ctx
}
