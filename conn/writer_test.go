package conn_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// nextWriter begins a message.
func nextWriter(t testing.TB, c *conn.Conn, op frame.Opcode) *conn.MessageWriter {
	t.Helper()
	w, err := c.NextWriter(op)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// writePart writes a part of a message.
func writePart(t testing.TB, w *conn.MessageWriter, s string) {
	t.Helper()
	if n, err := w.Write(context.Background(), []byte(s)); n != len(s) || err != nil {
		t.Fatalf("Write = %d, %v; want %d", n, err, len(s))
	}
}

// closeWriter ends a message, after which its writer is of no use.
func closeWriter(t testing.TB, w *conn.MessageWriter) {
	t.Helper()
	if err := w.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	n, writeErr := w.Write(t.Context(), []byte("*"))
	for _, err := range []error{writeErr, w.Flush(t.Context()), w.Close(t.Context())} {
		if n != 0 || err != conn.ErrWriterDone {
			t.Errorf("use after Close = %v, want ErrWriterDone", err)
		}
	}
}

// What is written is gathered into fragments of 16 KiB; a message that fits one
// is one frame.
func TestMessageWriter(t *testing.T) {
	const fragment = 16 << 10
	tests := []struct {
		name   string
		writes []int // octets
		want   []int // octets of the fragments
	}{
		{name: "nothing", want: []int{0}},
		{name: "an octet", writes: []int{1}, want: []int{1}},
		{name: "many small ones", writes: []int{1, 2, 0, 3}, want: []int{6}},
		{name: "a full fragment", writes: []int{fragment}, want: []int{fragment}},
		{name: "an octet more", writes: []int{fragment, 1}, want: []int{fragment, 1}},
		{name: "two full ones", writes: []int{2 * fragment}, want: []int{fragment, fragment}},
		{name: "across", writes: []int{fragment - 1, 2, fragment}, want: []int{fragment, fragment, 1}},
		{name: "long", writes: []int{100_000}, want: []int{fragment, fragment, fragment, fragment, fragment, fragment, 100_000 - 6*fragment}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				c, p := openPipe(t, role, conn.Handshake{}, nil, 1<<20)
				w := nextWriter(t, c, frame.OpBinary)
				for i, n := range tt.writes {
					writePart(t, w, strings.Repeat(string(rune('a'+i)), n))
				}
				closeWriter(t, w)
				var all []byte
				op := frame.OpBinary
				for i, n := range tt.want {
					h, payload, err := p.next()
					fin := i == len(tt.want)-1
					if err != nil || h.Opcode != op || h.Flags.Has(frame.FIN) != fin || len(payload) != n {
						t.Fatalf("fragment %d = %+v, %v; want %v of %d octets, FIN %v", i, h, err, op, n, fin)
					}
					op = frame.OpContinuation
					all = append(all, payload...)
				}
				for i, n := range tt.writes {
					if part := strings.Repeat(string(rune('a'+i)), n); !strings.HasPrefix(string(all), part) {
						t.Fatalf("write %d did not arrive", i)
					}
					all = all[n:]
				}
				if s := c.Stats().Sent; s.Messages != 1 {
					t.Errorf("Stats = %+v, want one message", s)
				}
				p.expectNothing()
			})
		})
	}
}

func TestMessageWriterFlush(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		w := nextWriter(t, c, frame.OpText)
		flush := func() {
			t.Helper()
			if err := w.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		flush() // nothing
		p.expectNothing()
		writePart(t, w, "Hel")
		p.expectNothing()
		flush()
		flush()
		p.expect("0103:48656c")
		p.expectNothing()
		writePart(t, w, "lo")
		flush()
		p.expect("0002:6c6f")
		closeWriter(t, w)
		p.expect("8000:")
		p.expectNothing()
	})
}

func TestMessageWriterWith(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		w := nextWriter(t, c, frame.OpBinary).With(t.Context())
		if _, err := io.Copy(w, bytes.NewReader(pattern(20_000))); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		p.expectFrame(0, frame.OpBinary, pattern(20_000)[:16<<10])
		p.expectFrame(frame.FIN, frame.OpContinuation, pattern(20_000)[16<<10:])
	})
}

// Text is judged as it comes. What is wrong is not sent, and the message cannot
// be ended; the connection goes on if nothing of it was.
func TestMessageWriterText(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		w := nextWriter(t, c, frame.OpText)
		for _, part := range []string{"\xc3", "\xa9", "\xf0\x9f", "", "\x90\xb1"} {
			writePart(t, w, part)
		}
		closeWriter(t, w)
		p.expectText("é🐱")

		for _, parts := range [][]string{{"a\xff"}, {"a", "\xff"}, {"\xe2\x82", "\x00"}, {"\xed", "\xa0\x80"}} {
			w := nextWriter(t, c, frame.OpText)
			var err error
			for _, part := range parts {
				_, err = w.Write(t.Context(), []byte(part))
			}
			for range 2 {
				if !errors.Is(err, frame.ErrInvalidUTF8) {
					t.Errorf("Write(%q) = %v, want ErrInvalidUTF8", parts, err)
				}
				err = w.Close(t.Context())
			}
		}
		w = nextWriter(t, c, frame.OpText)
		writePart(t, w, "\xe2\x82")
		if err := w.Close(t.Context()); !errors.Is(err, frame.ErrInvalidUTF8) {
			t.Errorf("Close within a character = %v, want ErrInvalidUTF8", err)
		}
		writePart(t, w, "\xac")
		p.expectNothing()
		closeWriter(t, w)
		p.expectText("€")
	})
}

// Other messages wait from the first fragment to the last; pings and pongs go
// between them, and broadcasts behind them.
func TestMessageWriterOrder(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		r := receive(c)
		m, err := conn.Prepare(frame.OpText, []byte("posted"))
		if err != nil {
			t.Fatal(err)
		}
		var hub conn.Hub
		hub.Add(c)
		w := nextWriter(t, c, frame.OpText)
		writePart(t, w, "He")
		if err := c.WriteMessage(t.Context(), frame.OpText, []byte("before")); err != nil {
			t.Fatal(err)
		}
		p.expectText("before")
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.expect("0102:4865")

		done := make(chan error, 2)
		go func() { done <- c.WriteMessage(t.Context(), frame.OpText, []byte("behind")) }()
		go func() { _, err := c.Ping(t.Context()); done <- err }()
		synctest.Wait()
		if d := hub.Broadcast(m, nil); d.Taken != 1 {
			t.Errorf("Broadcast = %+v, want it taken", d)
		}
		h, payload, err := p.next()
		if err != nil || h.Opcode != frame.OpPing {
			t.Fatalf("peer received %v, %v; want a ping", h.Opcode, err)
		}
		p.sendFrame(frame.FIN, frame.OpPong, payload)
		p.send("8902:6869")
		p.expect("8a02:6869")
		if err := <-done; err != nil {
			t.Errorf("Ping = %v", err)
		}
		writePart(t, w, "l")
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.expect("0001:6c")
		p.expectNothing()
		if s := c.Stats(); s.QueuedFrames != 1 {
			t.Errorf("Stats = %+v, want the broadcast queued", s)
		}
		writePart(t, w, "lo")
		closeWriter(t, w)
		p.expect("8002:6c6f")
		p.expectText("posted")
		p.expectText("behind")
		if err := <-done; err != nil {
			t.Errorf("WriteMessage = %v", err)
		}
		p.closes(frame.CloseNormalClosure, "")
		<-r
	})
}

// A writer that was left open is no deadlock: after Options.WriteTimeout without
// progress other messages say so, and the connection can be closed.
func TestMessageWriterOpen(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, &conn.Options{PingInterval: conn.NoLimit})
		m, err := conn.Prepare(frame.OpText, []byte("prepared"))
		if err != nil {
			t.Fatal(err)
		}
		left := nextWriter(t, c, frame.OpText)
		writePart(t, left, "left")
		if err := left.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.expectFrame(0, frame.OpText, []byte("left"))
		other := nextWriter(t, c, frame.OpText)
		writes := []func(ctx context.Context) error{
			func(ctx context.Context) error { return c.WriteMessage(ctx, frame.OpText, nil) },
			func(ctx context.Context) error { return c.WritePrepared(ctx, m) },
			other.Close,
		}
		for i, write := range writes {
			start := time.Now()
			if err := write(t.Context()); err != conn.ErrWriterOpen || time.Since(start) != 10*time.Second {
				t.Errorf("write %d = %v after %v, want ErrWriterOpen after 10s", i, err, time.Since(start))
			}
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errTest)
			defer cancel()
			if err := write(ctx); !errors.Is(err, errTest) {
				t.Errorf("write %d = %v, want the cause of its context", i, err)
			}
		}

		// Progress extends the wait.
		done := make(chan error, 1)
		start := time.Now()
		go func() { done <- c.WriteMessage(t.Context(), frame.OpText, nil) }()
		for range 3 {
			time.Sleep(9 * time.Second)
			writePart(t, left, "on")
			if err := left.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			p.expectFrame(0, frame.OpContinuation, []byte("on"))
		}
		if err := <-done; err != conn.ErrWriterOpen || time.Since(start) != 37*time.Second {
			t.Errorf("WriteMessage = %v after %v, want ErrWriterOpen after 37s", err, time.Since(start))
		}

		go c.Close(frame.CloseNormalClosure, "")
		p.expectClose(frame.CloseNormalClosure, "")
		p.sendClose(frame.CloseNormalClosure, "")
		p.hangsUp()
		<-c.Done()
		if err := left.Close(t.Context()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Close of the writer = %v, want net.ErrClosed", err)
		}
	})
}

// With WriteTimeout off others wait as long as their context.
func TestMessageWriterOpenNoLimit(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, _ := open(t, role, &conn.Options{WriteTimeout: conn.NoLimit, PingInterval: conn.NoLimit})
		w := nextWriter(t, c, frame.OpText)
		writePart(t, w, "left")
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Hour, errTest)
		defer cancel()
		if err := c.WriteMessage(ctx, frame.OpText, nil); !errors.Is(err, errTest) {
			t.Errorf("WriteMessage = %v, want the cause", err)
		}
	})
}

// When a context ends between two frames nothing is lost. When it ends before
// the first there is no message yet that others would wait for.
func TestMessageWriterContext(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openPipe(t, role, conn.Handshake{}, nil, 16)
		long := make([]byte, 1000)
		// block has a message on its way that the pipe does not hold.
		block := func(write func() error) <-chan error {
			done := make(chan error, 1)
			go func() { done <- write() }()
			synctest.Wait()
			return done
		}
		whole := func() error { return c.WriteMessage(t.Context(), frame.OpBinary, long) }
		brief := func() (context.Context, context.CancelFunc) {
			return context.WithTimeoutCause(t.Context(), time.Second, errTest)
		}

		for _, end := range []func(w *conn.MessageWriter, ctx context.Context) error{
			(*conn.MessageWriter).Flush, (*conn.MessageWriter).Close,
		} {
			done := block(whole)
			w := nextWriter(t, c, frame.OpText)
			writePart(t, w, "first")
			ctx, cancel := brief()
			if err := end(w, ctx); !errors.Is(err, errTest) {
				t.Fatalf("end behind another message = %v, want the cause", err)
			}
			cancel()
			p.expectFrame(frame.FIN, frame.OpBinary, long)
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			if err := c.WriteMessage(t.Context(), frame.OpText, []byte("other")); err != nil || time.Since(start) != 0 {
				t.Errorf("WriteMessage = %v after %v, want nil at once", err, time.Since(start))
			}
			p.expectText("other")
			writePart(t, w, " second")
			closed := block(func() error { return w.Close(t.Context()) })
			p.expectText("first second")
			if err := <-closed; err != nil {
				t.Error(err)
			}
		}

		// Between two frames, with a ping in the way.
		w := nextWriter(t, c, frame.OpText)
		writePart(t, w, "first")
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		pinging := block(func() error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err := c.Ping(ctx)
			return err
		})
		ctx, cancel := brief()
		defer cancel()
		writePart(t, w, " second")
		if err := w.Flush(ctx); !errors.Is(err, errTest) {
			t.Fatalf("Flush behind a ping = %v, want the cause", err)
		}
		if err := w.Close(ctx); !errors.Is(err, errTest) {
			t.Fatalf("Close = %v, want the cause", err)
		}
		p.expectFrame(0, frame.OpText, []byte("first"))
		if h, _, err := p.next(); err != nil || h.Opcode != frame.OpPing {
			t.Fatalf("peer received %v, %v; want a ping", h.Opcode, err)
		}
		closed := block(func() error { return w.Close(t.Context()) })
		p.expectFrame(frame.FIN, frame.OpContinuation, []byte(" second"))
		if err := <-closed; err != nil {
			t.Error(err)
		}
		if err := <-pinging; !errors.Is(err, conn.ErrNoReader) {
			t.Errorf("Ping = %v, want ErrNoReader", err)
		}
	})
}

// What was posted behind a message that ends together with the connection does
// not come behind the Close frame.
func TestMessageWriterClosePosted(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openPipe(t, role, conn.Handshake{}, nil, 64)
		m, err := conn.Prepare(frame.OpText, []byte("posted"))
		if err != nil {
			t.Fatal(err)
		}
		var hub conn.Hub
		hub.Add(c)
		w := nextWriter(t, c, frame.OpText)
		writePart(t, w, "first")
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		hub.Broadcast(m, nil)
		last := strings.Repeat("last", 100)
		writePart(t, w, last)
		written := make(chan error, 1)
		go func() { written <- w.Close(t.Context()) }()
		synctest.Wait()
		end := closeIt(c, frame.CloseNormalClosure, "")
		synctest.Wait()
		p.expectFrame(0, frame.OpText, []byte("first"))
		p.expectFrame(frame.FIN, frame.OpContinuation, []byte(last))
		p.expectClose(frame.CloseNormalClosure, "")
		if err := <-written; err != nil {
			t.Errorf("Close of the writer = %v", err)
		}
		p.sendClose(frame.CloseNormalClosure, "")
		p.hangsUp()
		checkClosing(t, <-end, nil, 0)
		if s := c.Stats(); s.QueuedFrames != 1 {
			t.Errorf("Stats = %+v, want the posted message counted as not sent", s)
		}
	})
}

// A Close frame follows a whole frame; the message that was open ends with it
// (Section 5.4).
func TestMessageWriterClose(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openPipe(t, role, conn.Handshake{}, nil, 64)
		w := nextWriter(t, c, frame.OpBinary)
		written := make(chan error, 1)
		go func() {
			_, err := w.Write(t.Context(), make([]byte, 100_000))
			written <- err
		}()
		synctest.Wait()
		closed := make(chan error, 1)
		go func() { closed <- c.Close(frame.CloseGoingAway, "over") }()
		synctest.Wait()
		p.expectFrame(0, frame.OpBinary, make([]byte, 16<<10))
		p.expectClose(frame.CloseGoingAway, "over")
		if err := <-written; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Write = %v, want net.ErrClosed", err)
		}
		p.sendClose(frame.CloseGoingAway, "")
		p.hangsUp()
		if err := <-closed; err != nil {
			t.Errorf("Close = %v", err)
		}
		if err := w.Close(t.Context()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Close of the writer = %v, want net.ErrClosed", err)
		}
	})
}
