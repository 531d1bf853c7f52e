package conn_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/mask"
)

// A message is one frame, octet by octet as Section 5.2 has it. A client's is
// masked and has a key of its own.
func TestWriteMessage(t *testing.T) {
	tests := []struct {
		size int
		head string // of a binary message of a server
	}{
		{size: 0, head: "8200"},
		{size: 1, head: "8201"},
		{size: 125, head: "827d"},
		{size: 126, head: "827e007e"},
		{size: 65535, head: "827effff"},
		{size: 65536, head: "827f0000000000010000"},
		{size: 65537, head: "827f0000000000010001"},
		{size: 1 << 20, head: "827f0000000000100000"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.size), func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				c, p := open(t, role, nil)
				message := pattern(tt.size)
				sent := bytes.Clone(message)
				go func() {
					if err := c.WriteMessage(t.Context(), frame.OpBinary, sent); err != nil {
						t.Error(err)
					}
				}()
				want := unhex(t, tt.head)
				if role == frame.Client {
					want[1] |= 0x80
				}
				head := make([]byte, len(want))
				if _, err := io.ReadFull(p, head); err != nil || !bytes.Equal(head, want) {
					t.Fatalf("header = %x, %v; want %x", head, err, want)
				}
				var key [4]byte
				if role == frame.Client {
					if _, err := io.ReadFull(p, key[:]); err != nil {
						t.Fatal(err)
					}
				}
				payload := make([]byte, tt.size)
				if _, err := io.ReadFull(p, payload); err != nil {
					t.Fatal(err)
				}
				for i := range payload {
					payload[i] ^= key[i%4]
				}
				if !bytes.Equal(payload, message) {
					t.Error("payload is not the message")
				}
				if !bytes.Equal(sent, message) {
					t.Error("the caller's slice was modified")
				}
				p.expectNothing()
			})
		})
	}
}

// Section 5.3: every frame of a client has a fresh key, whoever wrote it.
func TestWriteKeys(t *testing.T) {
	cryptotest.SetGlobalRandom(t, 1)
	synctest.Test(t, func(t *testing.T) {
		c, p := open(t, frame.Client, nil)
		m, err := conn.Prepare(frame.OpText, []byte("prepared"))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[mask.Key]bool{}
		key := func() {
			t.Helper()
			b := make([]byte, 6)
			if _, err := io.ReadFull(p, b); err != nil {
				t.Fatal(err)
			}
			h, n, err := frame.ParseHeader(b)
			if n != len(b) || err != nil || !h.Flags.Has(frame.MASK) || seen[h.Key] {
				t.Fatalf("header %x, %v: not masked, or with a key that came before", b, err)
			}
			seen[h.Key] = true
			if _, err := io.CopyN(io.Discard, p, h.Length); err != nil {
				t.Fatal(err)
			}
		}
		for range 250 {
			if err := c.WriteMessage(t.Context(), frame.OpText, []byte("whole")); err != nil {
				t.Fatal(err)
			}
			if err := c.WritePrepared(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			key()
			key()
			w, err := c.NextWriter(frame.OpText)
			if err != nil {
				t.Fatal(err)
			}
			w.Write(t.Context(), []byte("fragment"))
			w.Flush(t.Context())
			w.Close(t.Context())
			key()
			key()
		}
	})
}

// A message that may not be sent is refused, and nothing of it is.
func TestWriteMisuse(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		for _, op := range []frame.Opcode{frame.OpContinuation, 3, 7, frame.OpClose, frame.OpPing, frame.OpPong, 11, 200} {
			if err := c.WriteMessage(t.Context(), op, nil); err != conn.ErrOpcode {
				t.Errorf("WriteMessage(%v) = %v, want ErrOpcode", op, err)
			}
			if w, err := c.NextWriter(op); w != nil || err != conn.ErrOpcode {
				t.Errorf("NextWriter(%v) = %v, %v; want ErrOpcode", op, w, err)
			}
			if m, err := conn.Prepare(op, nil); m != nil || err != conn.ErrOpcode {
				t.Errorf("Prepare(%v) = %v, %v; want ErrOpcode", op, m, err)
			}
		}
		for _, text := range []string{"\xff", "a\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\xaf"} {
			if err := c.WriteMessage(t.Context(), frame.OpText, []byte(text)); !errors.Is(err, frame.ErrInvalidUTF8) {
				t.Errorf("WriteMessage(%q) = %v, want ErrInvalidUTF8", text, err)
			}
			if m, err := conn.Prepare(frame.OpText, []byte(text)); m != nil || !errors.Is(err, frame.ErrInvalidUTF8) {
				t.Errorf("Prepare(%q) = %v, %v; want ErrInvalidUTF8", text, m, err)
			}
		}
		if err := c.WriteMessage(t.Context(), frame.OpText, []byte("right")); err != nil {
			t.Error(err)
		}
		p.expectText("right")
		p.expectNothing()
	})
}

// After a Close frame nothing is written, and the error says so.
func TestWriteAfterClose(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		m, err := conn.Prepare(frame.OpText, []byte("late"))
		if err != nil {
			t.Fatal(err)
		}
		check := func() {
			t.Helper()
			w, err := c.NextWriter(frame.OpText)
			if w != nil || !errors.Is(err, net.ErrClosed) {
				t.Errorf("NextWriter = %v, %v; want net.ErrClosed", w, err)
			}
			_, pingErr := c.Ping(t.Context())
			for _, err := range []error{
				c.WriteMessage(t.Context(), frame.OpText, []byte("late")),
				c.WritePrepared(t.Context(), m),
				pingErr,
			} {
				if !errors.Is(err, net.ErrClosed) {
					t.Errorf("write = %v, want net.ErrClosed", err)
				}
			}
		}
		go c.Close(frame.CloseNormalClosure, "")
		synctest.Wait()
		check()
		p.expectClose(frame.CloseNormalClosure, "")
		p.sendClose(frame.CloseNormalClosure, "")
		p.hangsUp()
		<-c.Done()
		check()
		if err := c.WriteMessage(t.Context(), frame.OpText, nil); err != c.Err() {
			t.Errorf("WriteMessage = %v, want %v", err, c.Err())
		}
	})
}

// A context that ends before the first octet has left takes the message back.
func TestWriteContext(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openPipe(t, role, conn.Handshake{}, nil, 64)
		m, err := conn.Prepare(frame.OpText, []byte("prepared"))
		if err != nil {
			t.Fatal(err)
		}
		ended, cancel := context.WithCancelCause(t.Context())
		cancel(errTest)
		_, pingErr := c.Ping(ended)
		for _, err := range []error{c.WriteMessage(ended, frame.OpText, nil), c.WritePrepared(ended, m), pingErr} {
			if !errors.Is(err, errTest) {
				t.Errorf("write with an ended context = %v, want its cause", err)
			}
		}
		p.expectNothing()

		long := make([]byte, 1000)
		first := make(chan error, 1)
		go func() { first <- c.WriteMessage(t.Context(), frame.OpBinary, long) }()
		synctest.Wait()
		writes := []func(ctx context.Context) error{
			func(ctx context.Context) error { return c.WriteMessage(ctx, frame.OpText, []byte("taken back")) },
			func(ctx context.Context) error { return c.WritePrepared(ctx, m) },
			func(ctx context.Context) error { _, err := c.Ping(ctx); return err },
		}
		for i, write := range writes {
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errTest)
			defer cancel()
			start := time.Now()
			if err := write(ctx); !errors.Is(err, errTest) || time.Since(start) != time.Second {
				t.Errorf("write %d behind another = %v after %v, want the cause after 1s", i, err, time.Since(start))
			}
		}
		p.expectFrame(frame.FIN, frame.OpBinary, long)
		if err := <-first; err != nil {
			t.Error(err)
		}
		p.expectNothing()
		if err := c.WriteMessage(t.Context(), frame.OpText, []byte("on")); err != nil {
			t.Error(err)
		}
		p.expectText("on")
	})
}

// A frame that is in the flusher's hands with others can still be taken back, and
// the others leave.
func TestWriteContextInBatch(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openPipe(t, role, conn.Handshake{}, nil, 16)
		write := func(ctx context.Context, m string) <-chan error {
			done := make(chan error, 1)
			go func() { done <- c.WriteMessage(ctx, frame.OpText, []byte(m)) }()
			synctest.Wait()
			return done
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		first := write(t.Context(), "the first goes alone")
		second := write(t.Context(), "the second has company")
		third := write(ctx, "the third is taken back")
		fourth := write(t.Context(), "the fourth follows")
		p.expectText("the first goes alone") // the others are one batch now
		synctest.Wait()
		cancel(errTest)
		if err := <-third; !errors.Is(err, errTest) || errors.Is(err, net.ErrClosed) {
			t.Errorf("third = %v, want the cause", err)
		}
		p.expectText("the second has company")
		p.expectText("the fourth follows")
		for i, done := range []<-chan error{first, second, fourth} {
			if err := <-done; err != nil {
				t.Errorf("write %d = %v", i, err)
			}
		}
		p.expectNothing()
	})
}

// The context of one whose frame has begun to leave ends the connection, also if
// another goroutine is writing it.
func TestWriteContextTornInBatch(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openPipe(t, role, conn.Handshake{}, nil, 16)
		ctx, cancel := context.WithCancelCause(t.Context())
		var done [3]chan error
		for i, use := range []context.Context{t.Context(), t.Context(), ctx} {
			done[i] = make(chan error, 1)
			go func() { done[i] <- c.WriteMessage(use, frame.OpBinary, make([]byte, 100)) }()
			synctest.Wait()
		}
		for range 2 {
			p.expectFrame(frame.FIN, frame.OpBinary, make([]byte, 100))
		}
		synctest.Wait()
		cancel(errTest)
		for i, done := range done[:2] {
			if err := <-done; err != nil {
				t.Errorf("write %d = %v", i, err)
			}
		}
		err := <-done[2]
		checkEnd(t, err, conn.Local, frame.CloseAbnormalClosure, "", errTest)
		if err != c.Err() {
			t.Errorf("WriteMessage = %v, Err = %v; want the same", err, c.Err())
		}
	})
}

// In the middle of a frame the end of the context is that of the connection.
func TestWriteContextMidFrame(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openPipe(t, role, conn.Handshake{}, nil, 64)
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errTest)
		defer cancel()
		start := time.Now()
		err := c.WriteMessage(ctx, frame.OpBinary, make([]byte, 1000))
		checkEnd(t, err, conn.Local, frame.CloseAbnormalClosure, "", errTest)
		if err != c.Err() || time.Since(start) != time.Second {
			t.Errorf("WriteMessage = %v after %v, Err = %v; want the same after 1s", err, time.Since(start), c.Err())
		}
		if rest, err := io.ReadAll(p); len(rest) != 64 || err != nil {
			t.Errorf("peer received %d octets, %v; want the 64 that had left and EOF", len(rest), err)
		}
	})
}

// A message that has left is not reported as failed when one behind it does.
func TestWriteBehindFails(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openPipe(t, role, conn.Handshake{}, nil, 16)
		m, err := conn.Prepare(frame.OpText, make([]byte, 1000))
		if err != nil {
			t.Fatal(err)
		}
		var hub conn.Hub
		hub.Add(c)
		first := make(chan error, 1)
		go func() { first <- c.WriteMessage(t.Context(), frame.OpBinary, make([]byte, 100)) }()
		synctest.Wait()
		if d := hub.Broadcast(m, nil); d.Taken != 1 {
			t.Fatalf("Broadcast = %+v, want it taken", d)
		}
		p.expectFrame(frame.FIN, frame.OpBinary, make([]byte, 100))
		synctest.Wait()
		p.Reset()
		if err := <-first; err != nil {
			t.Errorf("WriteMessage = %v for a message that was received", err)
		}
	})
}

// A peer that takes less than 1 KiB in Options.WriteTimeout has gone.
func TestWriteTimeout(t *testing.T) {
	tests := []struct {
		name    string
		options conn.Options
		octets  int // that the peer reads
		every   time.Duration
		want    time.Duration // until the connection fails; zero means it does not
	}{
		{name: "nothing is read", every: time.Minute, want: 10 * time.Second},
		{name: "1 KiB in time", octets: 1 << 10, every: 9 * time.Second},
		{name: "1 KiB in small pieces", octets: 128, every: time.Second},
		{name: "too little in time", octets: 500, every: 9 * time.Second, want: 10 * time.Second},
		{name: "an octet a second", octets: 1, every: time.Second, want: 10 * time.Second},
		{name: "own WriteTimeout", options: conn.Options{WriteTimeout: time.Minute}, octets: 1, every: time.Second, want: time.Minute},
		{name: "WriteTimeout off", options: conn.Options{WriteTimeout: conn.NoLimit}, octets: 1 << 10, every: time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				tt.options.PingInterval = conn.NoLimit
				c, p := openPipe(t, role, conn.Handshake{}, &tt.options, 512)
				done := make(chan struct{})
				go func() {
					defer close(done)
					b := make([]byte, tt.octets)
					for {
						time.Sleep(tt.every)
						if _, err := io.ReadFull(p, b); err != nil || c.Err() != nil {
							return
						}
					}
				}()
				start := time.Now()
				err := c.WriteMessage(t.Context(), frame.OpBinary, make([]byte, 16<<10))
				if tt.want == 0 {
					if err != nil {
						t.Errorf("WriteMessage = %v after %v, want nil", err, time.Since(start))
					}
				} else {
					checkEnd(t, err, conn.Network, frame.CloseAbnormalClosure, "", conn.ErrWriteTimeout)
					if took := time.Since(start); took != tt.want || c.Err() != err {
						t.Errorf("failed after %v with Err %v, want %v and the same error", took, c.Err(), tt.want)
					}
				}
				c.CloseNow()
				<-done
			})
		})
	}
}

// A writer beyond the limits of what is queued waits until there is room.
func TestWriteQueue(t *testing.T) {
	tests := []struct {
		name    string
		options conn.Options
		queued  int // messages of 100 octets that wait before another one has to
	}{
		{name: "frames", options: conn.Options{MaxQueuedFrames: 3}, queued: 3},
		{name: "octets", options: conn.Options{MaxQueuedSize: 450}, queued: 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				tt.options.PingInterval = conn.NoLimit
				tt.options.WriteTimeout = conn.NoLimit
				c, p := openPipe(t, role, conn.Handshake{}, &tt.options, 1)
				const n = 10
				results := make(chan error, n)
				for i := range n {
					go func() {
						results <- c.WriteMessage(t.Context(), frame.OpBinary, bytes.Repeat([]byte{byte(i)}, 100))
					}()
					synctest.Wait()
				}
				if s := c.Stats(); s.QueuedFrames != tt.queued {
					t.Errorf("Stats = %+v, want %d frames", s, tt.queued)
				}
				// One that does not wait for ever waits in vain.
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if err := c.WriteMessage(ctx, frame.OpText, nil); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("WriteMessage = %v, want DeadlineExceeded", err)
				}
				seen := map[byte]bool{}
				for range n {
					_, payload, err := p.next()
					if err != nil || len(payload) != 100 || seen[payload[0]] {
						t.Fatalf("peer received %s, %v; want another message", short(payload), err)
					}
					seen[payload[0]] = true
				}
				for range n {
					if err := <-results; err != nil {
						t.Error(err)
					}
				}
				if s := c.Stats(); s.QueuedFrames != 0 || s.QueuedOctets != 0 || s.Sent.Messages != n {
					t.Errorf("Stats = %+v, want nothing queued and %d messages sent", s, n)
				}
			})
		})
	}
}
