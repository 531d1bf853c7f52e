package conn_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
)

// A prepared message is for connections of every kind, between messages that
// refer to each other.
func TestCompressedPrepared(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		short9 := &deflate.Params{ServerMaxWindowBits: 9, ClientMaxWindowBits: 9}
		text := lines(3000)
		m, err := conn.Prepare(frame.OpText, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		random, err := conn.Prepare(frame.OpBinary, noise(3000))
		if err != nil {
			t.Fatal(err)
		}
		for _, agreed := range []*deflate.Params{alone, together, short9, together} {
			for _, level := range []deflate.Level{deflate.Fast, deflate.Good} {
				c, p := openDeflate(t, role, agreed, &conn.Options{Compression: &conn.Compression{Level: level}})
				in := newInflater(p, agreed)
				for range 3 {
					if err := c.WriteMessage(t.Context(), frame.OpText, []byte(text)); err != nil {
						t.Fatal(err)
					}
					in.expectCompressed(text)
					for range 2 {
						if err := c.WritePrepared(t.Context(), m); err != nil {
							t.Fatal(err)
						}
						in.expectCompressed(text)
					}
					if err := c.WritePrepared(t.Context(), random); err != nil {
						t.Fatal(err)
					}
					p.expectFrame(frame.FIN, frame.OpBinary, noise(3000))
				}
				if s := c.Stats().Sent; s.Compressed != 9 || s.Messages != 12 || s.CompressedPayload != 9*3000 {
					t.Errorf("Stats.Sent = %+v, want 9 of 12 messages compressed", s)
				}
			}
		}
		c, p := open(t, role, nil)
		write := make(chan error, 1)
		go func() { write <- c.WritePrepared(t.Context(), m) }()
		p.expectText(text)
		if err := <-write; err != nil {
			t.Fatal(err)
		}
	})
}

// A broadcast reaches members with and without compression, also in the middle of
// the message of a writer, where it waits.
func TestCompressedBroadcast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h conn.Hub
		text := lines(2000)
		m, err := conn.Prepare(frame.OpText, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, agreed := range []*deflate.Params{nil, alone, together} {
			c, p := openDeflate(t, frame.Server, agreed, nil)
			h.Add(c)
			in := &inflater{peer: p}
			if agreed != nil {
				in = newInflater(p, agreed)
			}
			expect := func(want string) {
				t.Helper()
				if _, _, _, got := in.message(); string(got) != want {
					t.Fatalf("peer received %s, want %s", short(got), short([]byte(want)))
				}
			}
			for range 2 {
				w := nextWriter(t, c, frame.OpText)
				writePart(t, w, text)
				if err := w.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				h.Broadcast(m, func(member *conn.Conn) bool { return member == c })
				writePart(t, w, "end")
				closeWriter(t, w)
				if err := c.WriteMessage(t.Context(), frame.OpText, []byte(text)); err != nil {
					t.Fatal(err)
				}
				expect(text + "end")
				expect(text)
				expect(text)
			}
		}
	})
}

// Messages of many writers arrive as they were, each writer's in order, with
// those of a hub and pings between them.
func TestCompressedWriters(t *testing.T) {
	const writers, messages = 64, 20
	for _, agreed := range []*deflate.Params{alone, together} {
		t.Run(fmt.Sprintf("%+v", *agreed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := pair(t, agreed, conn.Options{Compression: &conn.Compression{MinSize: 64}})
				m, err := conn.Prepare(frame.OpText, []byte("prepared"+lines(1000)))
				if err != nil {
					t.Fatal(err)
				}
				var writing sync.WaitGroup
				for i := range writers {
					writing.Go(func() {
						for j := range messages {
							p := fmt.Appendf(nil, "%02d %02d %s", i, j, lines(50*i+j*j))
							sum := sha256.Sum256(p)
							p = append(p, sum[:]...)
							var err error
							switch j % 5 {
							case 3:
								err = server.WritePrepared(t.Context(), m)
							case 4:
								// Canceled at some time, or not.
								ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*time.Microsecond)
								server.WriteMessage(ctx, frame.OpBinary, p)
								cancel()
							default:
								err = server.WriteMessage(t.Context(), frame.OpBinary, p)
							}
							if err != nil {
								t.Error(err)
								return
							}
						}
					})
				}
				go func() {
					writing.Wait()
					server.Close(frame.CloseNormalClosure, "")
				}()
				var next [writers]int
				prepared := 0
				for received, err := range client.Messages(t.Context()) {
					if err != nil {
						t.Fatal(err)
					}
					p := received.Payload
					if received.Opcode == frame.OpText {
						prepared++
						continue
					}
					body, sum := p[:len(p)-sha256.Size], p[len(p)-sha256.Size:]
					if got := sha256.Sum256(body); string(got[:]) != string(sum) {
						t.Fatalf("message %s was torn", body[:5])
					}
					var i, j int
					fmt.Sscanf(string(body[:5]), "%d %d", &i, &j)
					if j < next[i] {
						t.Fatalf("message %d of writer %d after %d", j, i, next[i])
					}
					next[i] = j + 1
				}
				if want := writers * messages / 5; prepared != want {
					t.Errorf("%d prepared messages came, want %d", prepared, want)
				}
				for i, n := range next {
					if n < messages-2 {
						t.Errorf("%d messages of writer %d came", n, i)
					}
				}
			})
		})
	}
}
