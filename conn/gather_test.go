package conn_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// sendTexts writes text messages of a peer of c, and returns what c sends to echo
// them.
func sendTexts(t *testing.T, c *conn.Conn, other net.Conn, texts ...string) (echo []byte) {
	t.Helper()
	var all []byte
	for _, s := range texts {
		all = append(all, encode(t, c.Role()^frame.Client, frame.FIN, frame.OpText, []byte(s))...)
		echo = append(echo, encode(t, frame.Server, frame.FIN, frame.OpText, []byte(s))...)
	}
	if _, err := other.Write(all); err != nil {
		t.Fatal(err)
	}
	return echo
}

// eachServerSocket is eachSocket for a server, whose frames are the same each time.
func eachServerSocket(t *testing.T, o *conn.Options, test func(t *testing.T, c *conn.Conn, other net.Conn)) {
	eachSocket(t, o, func(t *testing.T, c *conn.Conn, other net.Conn) {
		if c.Role() == frame.Client {
			t.Skip("the keys of a client differ")
		}
		other.SetDeadline(time.Now().Add(time.Minute))
		test(t, c, other)
	})
}

// echo answers a message with itself.
func echo(t *testing.T, c *conn.Conn) {
	t.Helper()
	op, p, err := c.ReadMessage(t.Context())
	if err == nil {
		err = c.WriteMessage(t.Context(), op, p)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// expectOctets reads what has to be these octets.
func expectOctets(t *testing.T, other net.Conn, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(other, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("peer received %s, %v; want %s", short(got), err, short(want))
	}
}

// Answers to messages that came at once leave together.
func TestGather(t *testing.T) {
	eachServerSocket(t, nil, func(t *testing.T, c *conn.Conn, other net.Conn) {
		const messages, tries = 100, 200
		var texts []string
		for i := range messages {
			texts = append(texts, fmt.Sprint("message ", i))
		}
		for range tries {
			want := sendTexts(t, c, other, texts...)
			for range messages {
				echo(t, c)
			}
			got := make([]byte, len(want))
			n, err := other.Read(got)
			if err != nil {
				t.Fatal(err)
			}
			expectOctets(t, other, want[n:])
			if n == len(want) && bytes.Equal(got, want) {
				return
			}
			// Nothing may be held back for longer than a millisecond.
		}
		t.Errorf("%d answers never left in one write", messages)
	})
}

// An answer leaves although the handler has not read all that came, and does not
// go on.
func TestGatherBound(t *testing.T) {
	eachServerSocket(t, nil, func(t *testing.T, c *conn.Conn, other net.Conn) {
		for range 3 {
			want := sendTexts(t, c, other, "one", "two", "three")
			echo(t, c)
			expectOctets(t, other, want[:5])
			echo(t, c)
			expectOctets(t, other, want[5:10])
			if _, _, err := c.ReadMessage(t.Context()); err != nil { // without an answer
				t.Fatal(err)
			}
		}
	})
}

// A handler that reads no more is not held up by what is there to be read.
func TestGatherWriteOnly(t *testing.T) {
	eachServerSocket(t, nil, func(t *testing.T, c *conn.Conn, other net.Conn) {
		want := sendTexts(t, c, other, "one", "two")
		echo(t, c)
		expectOctets(t, other, want[:5]) // after a millisecond
		for range 100 {
			if err := c.WriteMessage(t.Context(), frame.OpText, []byte("two")); err != nil {
				t.Fatal(err)
			}
			if conn.Holding(c) {
				t.Fatal("a message is held back")
			}
			expectOctets(t, other, want[5:])
		}
	})
}

// What is held back does not wait for the peer, unless the connection ends first.
func TestGatherStats(t *testing.T) {
	eachServerSocket(t, nil, func(t *testing.T, c *conn.Conn, other net.Conn) {
		const tries = 100
		for range tries {
			want := sendTexts(t, c, other, "one", "two", "three")
			echo(t, c)
			echo(t, c)
			if n := queuedFrames(c); n > 0 && conn.Holding(c) {
				t.Errorf("%d frames are queued for a peer that reads", n)
			}
			echo(t, c)
			expectOctets(t, other, want)
		}
		for range tries {
			sendTexts(t, c, other, "one", "two")
			echo(t, c)
			if !conn.Holding(c) {
				checkRead(t, c, frame.OpText, "two")
				continue // a millisecond has passed
			}
			c.CloseNow()
			if s := c.Stats(); s.QueuedFrames > 1 || s.QueuedFrames == 1 && s.QueuedOctets != 5 {
				t.Errorf("%d frames of %d octets could not be written, want one of 5 at most", s.QueuedFrames, s.QueuedOctets)
			}
			return
		}
	})
}

// What is held back leaves before the reader waits.
func TestGatherBeforeWait(t *testing.T) {
	eachServerSocket(t, nil, func(t *testing.T, c *conn.Conn, other net.Conn) {
		for range 10 {
			want := sendTexts(t, c, other, "one", "two")
			echo(t, c)
			checkRead(t, c, frame.OpText, "two")
			done := make(chan error, 1)
			go func() {
				_, _, err := c.ReadMessage(t.Context())
				done <- err
			}()
			expectOctets(t, other, want[:5])
			sendTexts(t, c, other, "")
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
	})
}

// All kinds of messages keep their order, and the hook is told of each when it
// has left.
func TestGatherKinds(t *testing.T) {
	var counted atomic.Pointer[conn.Conn] // the last message of the one before may be told of late
	var sent, octets atomic.Int64
	o := &conn.Options{Hooks: &conn.Hooks{OnMessage: func(c *conn.Conn, d conn.Direction, _ frame.Opcode, n int64) {
		if d == conn.Sent && c == counted.Load() {
			sent.Add(1)
			octets.Add(n)
		}
	}}}
	eachServerSocket(t, o, func(t *testing.T, c *conn.Conn, other net.Conn) {
		counted.Store(c)
		sent.Store(0)
		octets.Store(0)
		texts := []string{"written", "prepared", "posted", "also", "ping", "streamed", "last"}
		want := sendTexts(t, c, other, texts...)
		checkRead(t, c, frame.OpText, "written")
		if err := c.WriteMessage(t.Context(), frame.OpText, []byte("written")); err != nil {
			t.Fatal(err)
		}
		if err := c.WritePrepared(t.Context(), prepare(t, "prepared")); err != nil {
			t.Fatal(err)
		}
		if err := postTexts(t, c, "posted", "also", "ping"); err != nil {
			t.Fatal(err)
		}
		w := nextWriter(t, c, frame.OpText)
		writePart(t, w, "streamed")
		closeWriter(t, w)
		if n, k := sent.Load(), octets.Load(); n != 6 || k != 7+8+6+4+4+8 {
			t.Errorf("the hook was told of %d messages of %d octets when the last was written, want 6 of 37", n, k)
		}
		if err := c.WriteMessage(t.Context(), frame.OpText, []byte("last")); err != nil {
			t.Fatal(err)
		}
		expectOctets(t, other, want)
	})
}

// Answers that are too much to be held back, or for the queue, leave at once.
func TestGatherFull(t *testing.T) {
	for name, o := range map[string]*conn.Options{
		"octets":        {MaxQueuedSize: 50_000},
		"frames":        {MaxQueuedFrames: 2},
		"gathered size": {},
	} {
		t.Run(name, func(t *testing.T) {
			eachServerSocket(t, o, func(t *testing.T, c *conn.Conn, other net.Conn) {
				var texts []string
				for range 6 {
					texts = append(texts, string(filler(20_000)))
				}
				done := make(chan []byte, 1)
				go func() { done <- sendTexts(t, c, other, texts...) }()
				go func() {
					for range texts {
						echo(t, c)
					}
				}()
				expectOctets(t, other, <-done)

				m := prepare(t, "posted")
				want := sendTexts(t, c, other, "a", "b")
				echo(t, c)
				for range 3 {
					err := c.Post(m)
					for ; err == conn.ErrQueueFull; err = c.Post(m) {
						time.Sleep(time.Millisecond) // what was held back for too long is just leaving
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				checkRead(t, c, frame.OpText, "b")
				want = append(want[:3], bytes.Repeat(encode(t, frame.Server, frame.FIN, frame.OpText, []byte("posted")), 3)...)
				expectOctets(t, other, want)
			})
		})
	}
}

// Closing delivers what is held back.
func TestGatherClose(t *testing.T) {
	eachServerSocket(t, nil, func(t *testing.T, c *conn.Conn, other net.Conn) {
		want := sendTexts(t, c, other, "one", "two")
		echo(t, c)
		closed := closeIt(c, frame.CloseNormalClosure, "")
		expectOctets(t, other, append(want[:5], 0x88, 2, 0x03, 0xe8))
		other.Write(encode(t, frame.Client, frame.FIN, frame.OpClose, []byte{0x03, 0xe8}))
		other.Close()
		if got := <-closed; got.err != nil {
			t.Errorf("Close = %v", got.err)
		}
	})
}
