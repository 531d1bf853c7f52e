package conn_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// postTexts posts texts together.
func postTexts(t testing.TB, c *conn.Conn, texts ...string) error {
	t.Helper()
	var ms []*conn.Prepared
	for _, s := range texts {
		ms = append(ms, prepare(t, s))
	}
	return c.Post(ms...)
}

// queuedFrames returns how many frames wait.
func queuedFrames(c *conn.Conn) int { return c.Stats().QueuedFrames }

// TestPost: messages that are posted arrive in order, whatever their size, and
// their sender does not wait for the peer.
func TestPost(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, &conn.Options{MaxQueuedSize: 8 << 20})
		long := string(filler(3 << 20))
		if err := postTexts(t, c, "a", string(filler(64)), long, ""); err != nil {
			t.Fatal(err)
		}
		if err := c.Post(); err != nil {
			t.Errorf("Post of nothing = %v", err)
		}
		if err := postTexts(t, c, "z"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := queuedFrames(c); n != 3 { // there was room for the first two on the way
			t.Errorf("%d frames are queued, want 3", n)
		}
		written := startWriting(t, c, []byte("written"))
		for _, s := range []string{"a", string(filler(64)), long, "", "z"} {
			p.expectText(s)
		}
		p.expectFrame(frame.FIN, frame.OpBinary, []byte("written"))
		if err := written.returned(t); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if n := queuedFrames(c); n != 0 {
			t.Errorf("%d frames are queued, want 0", n)
		}
	})
}

// TestPostFull: all messages are queued or none, and the connection goes on.
func TestPostFull(t *testing.T) {
	tests := []struct {
		name    string
		options conn.Options
		post    []string // does not fit behind "first"
		fits    []string
	}{
		{"frames", conn.Options{MaxQueuedFrames: 3}, []string{"a", "b", "c"}, []string{"a", "b"}},
		{"octets", conn.Options{MaxQueuedSize: 7 + 10}, []string{"abc", "defg"}, []string{"abc", "def"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				o := tt.options
				if role == frame.Client && o.MaxQueuedSize > 0 {
					o.MaxQueuedSize += 4 // the key of the first
				}
				c, p := openPipe(t, role, conn.Handshake{}, &o, 1)
				if err := postTexts(t, c, "first"); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if err := postTexts(t, c, tt.post...); err != conn.ErrQueueFull {
					t.Errorf("Post(%q) = %v, want ErrQueueFull", tt.post, err)
				}
				if n := queuedFrames(c); n != 1 {
					t.Errorf("%d frames are queued, want 1", n)
				}
				p.expectText("first")
				synctest.Wait()
				if err := postTexts(t, c, tt.fits...); err != nil {
					t.Errorf("Post(%q) = %v", tt.fits, err)
				}
				for _, s := range tt.fits {
					p.expectText(s)
				}
				p.expectNothing()
			})
		})
	}
}

// TestPostBeyondLimits: what is too much for any queue goes out if nothing waits.
func TestPostBeyondLimits(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, &conn.Options{MaxQueuedFrames: 2, MaxQueuedSize: 2})
		if err := postTexts(t, c, "one", "two", "three"); err != nil {
			t.Fatal(err)
		}
		p.expectText("one")
		p.expectText("two")
		p.expectText("three")
	})
}

// TestPostInsideMessage: messages that are posted during one in fragments follow
// it, together.
func TestPostInsideMessage(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openPipe(t, role, conn.Handshake{}, &conn.Options{MaxQueuedSize: 16}, 1000)
		w, err := c.NextWriter(frame.OpText)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(t.Context(), []byte("be"))
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := postTexts(t, c, "one", "two"); err != nil {
			t.Fatal(err)
		}
		if s := c.Stats(); s.QueuedFrames != 2 || s.QueuedOctets != 10 {
			t.Errorf("%d frames of %d octets are queued, want 2 of 10", s.QueuedFrames, s.QueuedOctets)
		}
		if err := postTexts(t, c, "seventh"); err != conn.ErrQueueFull {
			t.Errorf("Post = %v, want ErrQueueFull", err)
		}
		w.Write(t.Context(), []byte("fore"))
		if err := w.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.expect("0102:6265 8004:666f7265 8103:6f6e65 8103:74776f")
		p.expectNothing()
		if s := c.Stats(); s.QueuedFrames != 0 || s.QueuedOctets != 0 {
			t.Errorf("%d frames of %d octets are queued, want none", s.QueuedFrames, s.QueuedOctets)
		}
	})
}

// TestPostClosed: a connection that closes or has ended takes nothing.
func TestPostClosed(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		end := closeIt(c, frame.CloseNormalClosure, "")
		synctest.Wait()
		if err := postTexts(t, c, "late"); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Post = %v while closing, want net.ErrClosed", err)
		}
		p.expectClose(frame.CloseNormalClosure, "")
		p.sendClose(frame.CloseNormalClosure, "")
		p.hangsUp()
		<-end
		checkEnd(t, postTexts(t, c, "late"), conn.Local, frame.CloseNormalClosure, "", nil)
	})
}

// TestPostTogether: what is posted together is not parted by what others post or
// write.
func TestPostTogether(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		const posters, rounds = 4, 50
		c, p := open(t, role, nil)
		var all sync.WaitGroup
		for i := range posters {
			all.Go(func() {
				for range rounds {
					if err := postTexts(t, c, fmt.Sprint("begin ", i), fmt.Sprint("end ", i)); err != nil {
						t.Error(err)
					}
					if err := c.WriteMessage(t.Context(), frame.OpText, []byte("alone")); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for range posters * rounds * 2 {
			_, payload, err := p.next()
			if err != nil {
				t.Fatal(err)
			}
			var i int
			if n, _ := fmt.Sscanf(string(payload), "begin %d", &i); n == 1 {
				p.expectText(fmt.Sprint("end ", i))
			} else if string(payload) != "alone" {
				t.Fatalf("%q came without its beginning", payload)
			}
		}
		all.Wait()
	})
}

// TestPostSynchronous: what a socket takes at once has left when Post returns,
// however many writes that takes, so no goroutine is needed for it.
func TestPostSynchronous(t *testing.T) {
	for _, role := range []frame.Role{frame.Server, frame.Client} {
		t.Run(role.String(), func(t *testing.T) {
			a, b := tcpPair(t)
			a.SetWriteBuffer(1 << 20)
			b.SetReadBuffer(1 << 20)
			c := newConn(t, a, role, conn.Handshake{}, nil)
			other := newConn(t, b, role^frame.Client, conn.Handshake{}, nil)
			for _, size := range []int{64, 20 << 10, 70 << 10} {
				m := prepare(t, string(filler(size)))
				ms := []*conn.Prepared{m, m, m, m, m, m}
				for range 10 {
					if err := c.Post(ms...); err != nil {
						t.Fatal(err)
					}
					if n := queuedFrames(c); n != 0 {
						t.Fatalf("%d of %d messages of %d octets are queued although the socket takes them", n, len(ms), size)
					}
					for range ms {
						if _, p, err := other.ReadMessage(context.Background()); err != nil || len(p) != size {
							t.Fatalf("ReadMessage = %d octets, %v; want %d", len(p), err, size)
						}
					}
				}
			}
		})
	}
}

// TestPostSocket: on a socket each message that is posted leaves whole and in its
// place, whether the peer takes all of it at once, others write at the same time or
// the connection has ended.
func TestPostSocket(t *testing.T) {
	t.Run("long", func(t *testing.T) {
		eachServerSocket(t, &conn.Options{MaxQueuedSize: 64 << 20}, func(t *testing.T, c *conn.Conn, other net.Conn) {
			var want []byte
			for _, size := range []int{8 << 20, 100, 1 << 20, 0} {
				text := string(filler(size))
				if err := postTexts(t, c, text); err != nil {
					t.Fatal(err)
				}
				want = append(want, encode(t, frame.Server, frame.FIN, frame.OpText, []byte(text))...)
			}
			if n := queuedFrames(c); n != 4 {
				t.Errorf("%d frames are queued for a peer that does not read, want 4", n)
			}
			expectOctets(t, other, want)
		})
	})
	t.Run("at once", func(t *testing.T) {
		eachServerSocket(t, nil, func(t *testing.T, c *conn.Conn, other net.Conn) {
			const posters, rounds = 4, 200
			var all sync.WaitGroup
			for i := range posters {
				all.Go(func() {
					for range rounds {
						err := postTexts(t, c, "posted")
						if i == 0 {
							err = errors.Join(err, c.WriteMessage(t.Context(), frame.OpText, []byte("writes")))
						}
						if err != nil {
							t.Error(err)
						}
					}
				})
			}
			client := newConn(t, other, frame.Client, conn.Handshake{}, nil)
			counts := map[string]int{}
			for range (posters + 1) * rounds {
				_, p, err := client.ReadMessage(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				counts[string(p)]++
			}
			all.Wait()
			if counts["posted"] != posters*rounds || counts["writes"] != rounds {
				t.Errorf("received %v", counts)
			}
			if err := c.WriteMessage(t.Context(), frame.OpText, []byte("last..")); err != nil { // behind all others
				t.Error(err)
			}
			if s := c.Stats(); s.QueuedFrames != 0 || s.Sent.Messages != (posters+1)*rounds+1 || s.Sent.Payload != 6*s.Sent.Messages {
				t.Errorf("Stats = %+v", s)
			}
		})
	})
	t.Run("reset", func(t *testing.T) {
		eachServerSocket(t, nil, func(t *testing.T, c *conn.Conn, other net.Conn) {
			if tcp, ok := other.(*net.TCPConn); ok {
				tcp.SetLinger(0)
			}
			other.Close()
			var err error
			for deadline := time.Now().Add(time.Minute); err == nil && time.Now().Before(deadline); {
				err = postTexts(t, c, "posted")
			}
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("Post = %v for a peer that is gone, want net.ErrClosed", err)
			}
			if err := c.WriteMessage(t.Context(), frame.OpText, nil); !errors.Is(err, net.ErrClosed) {
				t.Errorf("WriteMessage = %v, want net.ErrClosed", err)
			}
		})
	})
}

// TestPostMessage: what a socket takes at once has left when PostMessage returns, and
// the rest follows, whatever becomes of the slice.
func TestPostMessage(t *testing.T) {
	for _, role := range []frame.Role{frame.Server, frame.Client} {
		t.Run(role.String(), func(t *testing.T) {
			a, b := tcpPair(t)
			a.SetWriteBuffer(1 << 20)
			b.SetReadBuffer(1 << 20)
			sent := 0
			c := newConn(t, a, role, conn.Handshake{}, &conn.Options{MaxQueuedSize: 64 << 20, Hooks: &conn.Hooks{
				OnMessage: func(_ *conn.Conn, d conn.Direction, _ frame.Opcode, _ int64) { sent++ },
			}})
			other := newConn(t, b, role^frame.Client, conn.Handshake{}, nil)
			for _, size := range []int{0, 125, 126, 60 << 10} {
				if err := c.PostMessage(frame.OpBinary, filler(size)); err != nil {
					t.Fatal(err)
				}
				if n := queuedFrames(c); n != 0 {
					t.Fatalf("%d messages of %d octets are queued although the socket takes them", n, size)
				}
				if op, p, err := other.ReadMessage(t.Context()); op != frame.OpBinary || !bytes.Equal(p, filler(size)) || err != nil {
					t.Fatalf("ReadMessage = %v of %d octets, %v; want %d", op, len(p), err, size)
				}
			}
			const rounds = 40
			for i := range rounds { // which the socket does not take at once
				for _, size := range []int{100, 60 << 10, 70 << 10} {
					p := filler(size)
					p[0] = byte(i)
					if err := c.PostMessage(frame.OpBinary, p); err != nil {
						t.Fatal(err)
					}
					clear(p)
				}
			}
			for i := range rounds {
				for _, size := range []int{100, 60 << 10, 70 << 10} {
					want := filler(size)
					want[0] = byte(i)
					if _, p, err := other.ReadMessage(t.Context()); !bytes.Equal(p, want) || err != nil {
						t.Fatalf("ReadMessage = %d octets, %v; want %d", len(p), err, size)
					}
				}
			}
			go other.Discard(context.Background())
			c.Close(frame.CloseNormalClosure, "") // behind which nobody calls the hook
			if want := 4 + 3*rounds; sent != want {
				t.Errorf("the hook was called for %d messages, want %d", sent, want)
			}
		})
	}
}

// TestPostMessageInvalid: what is no message is not posted.
func TestPostMessageInvalid(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		if err := c.PostMessage(frame.OpText, []byte("\xff")); !errors.Is(err, frame.ErrInvalidUTF8) {
			t.Errorf("PostMessage = %v, want ErrInvalidUTF8", err)
		}
		if err := c.PostMessage(frame.OpPing, nil); !errors.Is(err, conn.ErrOpcode) {
			t.Errorf("PostMessage = %v, want ErrOpcode", err)
		}
		p.expectNothing()
	})
}

// TestPostMessageBehind: a message that is posted takes its turn behind what waits,
// also the rest of a message in fragments, and is not taken when Post takes none.
func TestPostMessageBehind(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openPipe(t, role, conn.Handshake{}, &conn.Options{MaxQueuedFrames: 3}, 1)
		post := func(text string) error { return c.PostMessage(frame.OpText, []byte(text)) }
		w, err := c.NextWriter(frame.OpText)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(t.Context(), []byte("be"))
		flushed := make(chan error)
		go func() { flushed <- w.Flush(t.Context()) }()
		synctest.Wait()
		if err := errors.Join(post("one"), postTexts(t, c, "two")); err != nil {
			t.Fatal(err)
		}
		if err := post("three"); err != conn.ErrQueueFull {
			t.Errorf("PostMessage = %v, want ErrQueueFull", err)
		}
		p.expect("0102:6265")
		if err := <-flushed; err != nil {
			t.Fatal(err)
		}
		go func() { flushed <- w.Close(t.Context()) }()
		p.expect("8000: 8103:6f6e65 8103:74776f")
		<-flushed
		end := closeIt(c, frame.CloseNormalClosure, "")
		synctest.Wait()
		if err := post("late"); !errors.Is(err, net.ErrClosed) {
			t.Errorf("PostMessage = %v while closing, want net.ErrClosed", err)
		}
		p.expectClose(frame.CloseNormalClosure, "")
		p.sendClose(frame.CloseNormalClosure, "")
		p.hangsUp()
		<-end
		checkEnd(t, post("late"), conn.Local, frame.CloseNormalClosure, "", nil)
	})
}
