package conn_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

var errTest = errors.New("test is over")

// pattern returns n octets no two neighbours of which are alike in all lengths.
func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i*7 + i>>8)
	}
	return p
}

// Messages of every size that takes another way through the connection, in one
// frame and in fragments.
func TestReadMessage(t *testing.T) {
	for _, size := range []int{0, 1, 125, 126, 4 << 10, 16<<10 - 1, 64 << 10, 64<<10 + 1, 300 << 10, 1 << 20} {
		for _, fragment := range []int{1 << 20, 100 << 10, 20_000, 1000, 100} {
			if size/fragment > 2000 {
				continue
			}
			t.Run(fmt.Sprintf("size=%d/fragment=%d", size, fragment), func(t *testing.T) {
				bothRoles(t, func(t *testing.T, role frame.Role) {
					c, p := open(t, role, nil)
					want := pattern(size)
					go func() {
						op, flags := frame.OpBinary, frame.Flags(0)
						for rest := want; flags == 0; op = frame.OpContinuation {
							f := rest[:min(fragment, len(rest))]
							if rest = rest[len(f):]; len(rest) == 0 {
								flags = frame.FIN
							}
							p.sendFrame(flags, op, f)
						}
						p.sendText("next")
					}()
					op, got, err := c.ReadMessage(t.Context())
					if op != frame.OpBinary || err != nil || !bytes.Equal(got, want) {
						t.Fatalf("ReadMessage = %v, %d octets, %v; want %d octets", op, len(got), err, size)
					}
					checkRead(t, c, frame.OpText, "next")
				})
			})
		}
	}
}

func TestAppendMessage(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		p.send("8105:48656c6c6f 0203:48656c 8002:6c6f 8200:")
		buf := make([]byte, 2, 32)
		copy(buf, "> ")
		op, got, err := c.AppendMessage(t.Context(), buf)
		if op != frame.OpText || string(got) != "> Hello" || err != nil || &got[0] != &buf[0] {
			t.Errorf("AppendMessage = %v %q, %v; want text in the slice given", op, got, err)
		}
		op, got, err = c.AppendMessage(t.Context(), nil)
		if op != frame.OpBinary || string(got) != "Hello" || err != nil {
			t.Errorf("AppendMessage = %v %q, %v; want binary Hello", op, got, err)
		}
		op, got, err = c.AppendMessage(t.Context(), buf)
		if op != frame.OpBinary || string(got) != "> " || err != nil {
			t.Errorf("AppendMessage = %v %q, %v; want an empty message behind what was there", op, got, err)
		}
		p.Close()
		for range 2 {
			op, got, err = c.AppendMessage(t.Context(), buf)
			if op != 0 || string(got) != "> " || !errors.Is(err, net.ErrClosed) {
				t.Errorf("AppendMessage = %v %q, %v; want dst as it was and an error", op, got, err)
			}
		}
	})
}

// What callers were told is theirs does not change, and what is promised until
// the next read does not before.
func TestReadOwnership(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		long := strings.Repeat("long", 10_000)
		go func() {
			for range 3 {
				p.sendText("short")
				p.sendText(long)
				p.sendFrame(0, frame.OpText, []byte("frag"))
				p.sendFrame(frame.FIN, frame.OpContinuation, []byte("ments"))
			}
		}()
		var owned [][]byte
		want := []string{"short", long, "fragments"}
		for _, s := range want {
			conn.ScribblePools()
			_, m, err := c.AppendMessage(t.Context(), nil)
			if err != nil || string(m) != s {
				t.Fatalf("AppendMessage = %s, %v; want %s", short(m), err, short([]byte(s)))
			}
			owned = append(owned, m)
		}
		for _, s := range want {
			_, m, err := c.ReadMessage(t.Context())
			conn.ScribblePools()
			if err != nil || string(m) != s {
				t.Fatalf("ReadMessage = %s, %v; want %s", short(m), err, short([]byte(s)))
			}
		}
		for _, s := range want {
			r, err := c.NextReader(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var got []byte
			for b := make([]byte, 9_999); ; conn.ScribblePools() {
				n, err := r.Read(t.Context(), b)
				got = append(got, b[:n]...)
				if err == io.EOF {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
			if string(got) != s {
				t.Fatalf("read %s, want %s", short(got), short([]byte(s)))
			}
		}
		for i, s := range want {
			if string(owned[i]) != s {
				t.Errorf("the %d. slice has become %s", i+1, short(owned[i]))
			}
		}
	})
}

// Octets that came with the handshake are read first, wherever they are cut.
func TestReadEarly(t *testing.T) {
	frames := "8105:48656c6c6f 8902:6869 0203:48656c 8002:6c6f"
	bothRoles(t, func(t *testing.T, role frame.Role) {
		all := wire(t, role^frame.Client, frames)
		for n := range len(all) + 1 {
			early := bytes.Clone(all[:n])
			c, p := openPipe(t, role, conn.Handshake{Early: early}, nil, 0)
			if s := c.Stats(); s.EarlyOctets != uint64(n) || s.Received.Octets != uint64(n) {
				t.Errorf("Stats = %+v, want %d early octets", s, n)
			}
			p.write(all[n:])
			conn.ScribblePools()
			checkRead(t, c, frame.OpText, "Hello")
			checkRead(t, c, frame.OpBinary, "Hello")
			p.expect("8a02:6869")
		}
	})
}

// A context ends an operation, not the connection, unless it ends it in the
// middle of a frame.
func TestReadContext(t *testing.T) {
	tests := []struct {
		name   string
		before string // frames that come before ctx ends
		cut    int    // if not 0, how many octets of them; from their end if negative
		failed bool
		after  string // frames that come behind
		want   string
	}{
		{name: "before a message", after: "8105:48656c6c6f", want: "Hello"},
		{name: "before a ping", after: "8900: 8105:48656c6c6f", want: "Hello"},
		{name: "behind a ping", before: "8900:", after: "8105:48656c6c6f", want: "Hello"},
		{name: "between fragments", before: "0103:48656c", after: "8002:6c6f", want: "Hello"},
		{name: "between fragments, with a ping", before: "0103:48656c 8900:", after: "8a00: 8002:6c6f", want: "Hello"},
		{name: "between empty fragments", before: "0100: 0000:", after: "8000:", want: ""},
		{name: "between fragments, within a rune", before: "0101:c3", after: "8001:a9", want: "é"},
		{name: "in a header", before: "8105:48656c6c6f", cut: 1, failed: true},
		{name: "in a payload", before: "8105:48656c6c6f", cut: -1, failed: true},
		{name: "in a long payload", before: "827f0000000000010000:" + strings.Repeat("2a", 1<<16), cut: -1, failed: true},
		{name: "in a later fragment", before: "0103:48656c 8002:6c6f", cut: -1, failed: true},
		{name: "in a ping", before: "8905:48656c6c6f", cut: -2, failed: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				c, p := openPipe(t, role, conn.Handshake{}, nil, 1<<20)
				all := wire(t, role^frame.Client, tt.before)
				if tt.cut > 0 {
					all = all[:tt.cut]
				} else {
					all = all[:len(all)+tt.cut]
				}
				p.write(all)
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(errTest) })
				start := time.Now()
				op, m, err := c.ReadMessage(ctx)
				if op != 0 || m != nil || !errors.Is(err, errTest) || time.Since(start) != time.Second {
					t.Fatalf("ReadMessage = %v %q, %v after %v; want the cause after 1s", op, m, err, time.Since(start))
				}
				if tt.failed {
					checkEnd(t, err, conn.Local, frame.CloseAbnormalClosure, "", errTest)
					if _, _, again := c.ReadMessage(t.Context()); again != err || c.Err() != err {
						t.Errorf("then ReadMessage = %v and Err = %v, want the same again", again, c.Err())
					}
					return
				}
				if errors.Is(err, net.ErrClosed) || c.Err() != nil || c.State() != conn.StateOpen {
					t.Fatalf("ReadMessage = %v, state %v; want the connection to go on", err, c.State())
				}
				for range 2 { // an ended context reads nothing
					if _, _, err := c.ReadMessage(ctx); !errors.Is(err, errTest) {
						t.Errorf("ReadMessage = %v, want the cause", err)
					}
				}
				p.send(tt.after)
				checkRead(t, c, frame.OpText, tt.want)
			})
		})
	}
}

// A message that is there is not read with a context that has ended, and not
// lost.
func TestReadContextEnded(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		p.sendText("there")
		ctx, cancel := context.WithDeadline(t.Context(), time.Now())
		defer cancel()
		_, _, readErr := c.ReadMessage(ctx)
		_, _, appendErr := c.AppendMessage(ctx, nil)
		_, readerErr := c.NextReader(ctx)
		for _, err := range []error{readErr, appendErr, readerErr, c.Discard(ctx)} {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error = %v, want DeadlineExceeded", err)
			}
		}
		checkRead(t, c, frame.OpText, "there")
	})
}

// The same context may come again and again, with others between, and end when
// it is not in use.
func TestReadContextAgain(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		ctx, cancel := context.WithCancel(t.Context())
		for i := range 100 {
			time.AfterFunc(time.Second, func() { p.sendText("again") })
			use := ctx
			if i%10 == 9 {
				use = context.Background()
			}
			if _, m, err := c.ReadMessage(use); string(m) != "again" || err != nil {
				t.Fatalf("ReadMessage = %q, %v", m, err)
			}
		}
		cancel()
		synctest.Wait()
		for _, use := range []context.Context{context.Background(), t.Context()} {
			time.AfterFunc(time.Second, func() { p.sendText("other") })
			if _, m, err := c.ReadMessage(use); string(m) != "other" || err != nil {
				t.Fatalf("ReadMessage = %q, %v", m, err)
			}
		}
		if _, _, err := c.ReadMessage(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("ReadMessage = %v, want Canceled", err)
		}
	})
}

func TestReadConcurrently(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		p.send("0103:48656c")
		r, err := c.NextReader(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 3)
		if _, err := io.ReadFull(r.With(t.Context()), b); err != nil {
			t.Fatal(err)
		}
		first := make(chan error, 1)
		go func() {
			n, err := r.Read(t.Context(), b)
			if err == nil && string(b[:n]) != "lo" {
				err = fmt.Errorf("read %q", b[:n])
			}
			first <- err
		}()
		synctest.Wait()
		_, _, readErr := c.ReadMessage(t.Context())
		_, _, appendErr := c.AppendMessage(t.Context(), nil)
		_, readerErr := c.NextReader(t.Context())
		_, pieceErr := r.Read(t.Context(), make([]byte, 1))
		for _, err := range []error{readErr, appendErr, readerErr, pieceErr, c.Discard(t.Context())} {
			if err != conn.ErrConcurrentRead {
				t.Errorf("error = %v, want ErrConcurrentRead", err)
			}
		}
		p.send("8002:6c6f")
		if err := <-first; err != nil {
			t.Error(err)
		}
	})
}

// A connection that has ended says so for ever, quickly.
func TestReadAfterEnd(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		p.send("8300:")
		r := receive(c)
		p.expectFailure(frame.CloseProtocolError)
		want := (<-r).err
		for range 1_000_000 {
			if _, _, err := c.ReadMessage(t.Context()); err != want {
				t.Fatalf("ReadMessage = %v, want %v", err, want)
			}
		}
		if n := testing.AllocsPerRun(10, func() { c.ReadMessage(context.Background()) }); n != 0 {
			t.Errorf("ReadMessage allocates %v times", n)
		}
	})
}

func TestMessages(t *testing.T) {
	broken := errors.New("none of these")
	tests := []struct {
		name string
		end  func(p *peer)
		err  error // the last pair's; broken for any
	}{
		{name: "1000", end: func(p *peer) { p.closes(frame.CloseNormalClosure, "bye") }},
		{name: "1001", end: func(p *peer) { p.closes(frame.CloseGoingAway, "") }},
		{name: "no code", end: func(p *peer) { p.closes(frame.CloseNoStatusReceived, "") }},
		{name: "1011", end: func(p *peer) { p.closes(frame.CloseInternalError, "") }, err: net.ErrClosed},
		{name: "3000", end: func(p *peer) { p.closes(3000, "") }, err: net.ErrClosed},
		{name: "no Close frame", end: func(p *peer) { p.Close() }, err: io.ErrUnexpectedEOF},
		{name: "broken rule", end: func(p *peer) {
			p.send("8300:")
			p.expectFailure(frame.CloseProtocolError)
		}, err: frame.ErrReservedOpcode},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				c, p := open(t, role, nil)
				go func() {
					p.send("8105:48656c6c6f 0201:61 8001:62")
					tt.end(p)
				}()
				var got []string
				err := broken
				for m, e := range c.Messages(t.Context()) {
					if err != broken {
						t.Error("a pair behind an error")
					}
					if e != nil {
						err = e
						continue
					}
					got = append(got, m.Opcode.String()+" "+string(m.Payload))
				}
				if diff := cmp.Diff([]string{"text Hello", "binary ab"}, got); diff != "" {
					t.Errorf("messages mismatch (-want +got):\n%s", diff)
				}
				if tt.err == nil && err != broken || tt.err != nil && !errors.Is(err, tt.err) {
					t.Errorf("error = %v, want %v", err, tt.err)
				}
				if end := c.Discard(t.Context()); tt.err == nil && end != nil || tt.err != nil && end != err {
					t.Errorf("then Discard = %v, want %v", end, err)
				}
			})
		})
	}
}

// Leaving the loop leaves the connection as it is.
func TestMessagesBreak(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		p.send("8101:61 8101:62 8101:63")
		var got []byte
		for range 2 {
			for m, err := range c.Messages(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, m.Payload...)
				break
			}
		}
		if string(got) != "ab" {
			t.Errorf("got %q, want ab", got)
		}
		checkRead(t, c, frame.OpText, "c")
	})
}

// A context that ends is the last pair's error, and the connection goes on.
func TestMessagesContext(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errTest)
		defer cancel()
		n := 0
		for _, err := range c.Messages(ctx) {
			if n++; !errors.Is(err, errTest) {
				t.Errorf("error = %v, want the cause", err)
			}
		}
		if n != 1 {
			t.Errorf("%d pairs, want one", n)
		}
		p.sendText("on")
		checkRead(t, c, frame.OpText, "on")
	})
}

// Discard answers pings, throws messages away and returns nil at a normal end.
func TestDiscard(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		result := make(chan error, 1)
		go func() { result <- c.Discard(context.Background()) }()
		p.send("8105:48656c6c6f 0103:48656c 8902:6869 8002:6c6f 827e0400:" + strings.Repeat("2a", 1024))
		p.expect("8a02:6869")
		p.closes(frame.CloseGoingAway, "")
		if err := <-result; err != nil {
			t.Errorf("Discard = %v, want nil", err)
		}
		if s := c.Stats().Received; s.Messages != 3 || s.Payload != 5+5+1024 {
			t.Errorf("Stats = %+v, want 3 messages", s)
		}
	})
}

// The end of TCP without a Close frame, wherever it comes: 1006, and nothing of
// the message that lacks its end is delivered.
func TestReadEnd(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		all := wire(t, role^frame.Client, "8105:48656c6c6f 0103:48656c 8901:2a 8002:6c6f 827e0080:"+strings.Repeat("2a", 128))
		header := len(wire(t, role^frame.Client, "8105:48656c6c6f"))
		fragments := len(wire(t, role^frame.Client, "0103:48656c 8901:2a 8002:6c6f"))
		for _, reset := range []bool{false, true} {
			for n := range all {
				c, p := open(t, role, nil)
				r := receive(c)
				p.write(all[:n])
				synctest.Wait()
				if reset {
					p.Reset()
				} else {
					p.CloseWrite()
				}
				got := <-r
				end, ok := errors.AsType[*conn.CloseError](got.err)
				if !ok || end.By != conn.Network || end.Code != frame.CloseAbnormalClosure || reset == errors.Is(got.err, io.ErrUnexpectedEOF) {
					t.Fatalf("after %d octets: %v, want 1006 by the network", n, got.err)
				}
				var want []string
				if n >= header {
					want = append(want, "text Hello")
				}
				if n >= header+fragments {
					want = append(want, "text Hello")
				}
				if !slices.Equal(got.messages, want) {
					t.Errorf("after %d octets: messages %q, want %q", n, got.messages, want)
				}
			}
		}
	})
}
