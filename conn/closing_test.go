package conn_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
)

// closing is the result of a Close on another goroutine, and how long it took.
type closing struct {
	err  error
	took time.Duration
}

// closeIt closes c on another goroutine.
func closeIt(c *conn.Conn, code frame.CloseCode, reason string) <-chan closing {
	ch := make(chan closing, 1)
	start := time.Now()
	go func() {
		err := c.Close(code, reason)
		ch <- closing{err, time.Since(start)}
	}()
	return ch
}

// checkClosing compares what Close returned, and when, with what is wanted.
func checkClosing(t testing.TB, got closing, cause error, took time.Duration) {
	t.Helper()
	if cause == nil && got.err != nil || !errors.Is(got.err, cause) || got.took != took {
		t.Errorf("Close = %v after %v, want %v after %v", got.err, got.took, cause, took)
	}
}

// What a Close frame of the peer may say (Sections 5.5.1 and 7.4): the same code
// comes back, without a reason.
func TestCloseReceived(t *testing.T) {
	type row struct {
		name    string
		payload string
		code    frame.CloseCode
		reason  string
	}
	tests := []row{
		{name: "empty", code: frame.CloseNoStatusReceived},
		{name: "reason", payload: "\x03\xe9bye", code: frame.CloseGoingAway, reason: "bye"},
		{name: "reason not in ASCII", payload: "\x03\xe8adi\xc3\xb3s", code: frame.CloseNormalClosure, reason: "adiós"},
		{name: "longest reason", payload: "\x03\xe8" + strings.Repeat("*", 123), code: frame.CloseNormalClosure, reason: strings.Repeat("*", 123)},
	}
	for _, code := range []frame.CloseCode{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		tests = append(tests, row{name: fmt.Sprint(int(code)), payload: string([]byte{byte(code >> 8), byte(code)}), code: code})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			eachDelivery(t, nil, func(t *testing.T, c *conn.Conn, p *peer) {
				r := receive(c)
				p.sendFrame(frame.FIN, frame.OpClose, []byte(tt.payload))
				p.expectClose(tt.code, "")
				if s := c.State(); s != conn.StateClosing {
					t.Errorf("State = %v before the end of TCP, want %v", s, conn.StateClosing)
				}
				p.hangsUp()
				got := <-r
				checkEnd(t, got.err, conn.Peer, tt.code, tt.reason, nil)
				if end := (<-closeIt(c, frame.CloseNormalClosure, "")); end != (closing{}) {
					t.Errorf("Close afterwards = %+v, want nil at once", end)
				}
			})
		})
	}
}

// What it may not say.
func TestCloseReceivedInvalid(t *testing.T) {
	type row struct {
		name    string
		payload string
		code    frame.CloseCode
		err     error
	}
	tests := []row{
		{name: "one octet", payload: "\x03", code: frame.CloseProtocolError, err: frame.ErrClosePayload},
		{name: "reason not UTF-8", payload: "\x03\xe8\xff", code: frame.CloseInvalidFramePayloadData, err: frame.ErrInvalidUTF8},
		{name: "reason cut within a character", payload: "\x03\xe8" + strings.Repeat("*", 121) + "\xe2\x82", code: frame.CloseInvalidFramePayloadData, err: frame.ErrInvalidUTF8},
		{name: "reason with a surrogate", payload: "\x03\xe8\xed\xa0\x80", code: frame.CloseInvalidFramePayloadData, err: frame.ErrInvalidUTF8},
	}
	for _, code := range []frame.CloseCode{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 5001, 32768, 65535} {
		tests = append(tests, row{name: fmt.Sprint(int(code)), payload: string([]byte{byte(code >> 8), byte(code)}),
			code: frame.CloseProtocolError, err: frame.ErrCloseCode})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			eachDelivery(t, nil, func(t *testing.T, c *conn.Conn, p *peer) {
				r := receive(c)
				p.sendFrame(frame.FIN, frame.OpClose, []byte(tt.payload))
				p.expectFailure(tt.code)
				checkEnd(t, (<-r).err, conn.Local, tt.code, "", tt.err)
			})
		})
	}
}

// What comes behind a Close frame is neither delivered nor answered (Sections
// 1.4 and 5.5.1), and broken rules do not count.
func TestCloseReceivedFirst(t *testing.T) {
	eachDelivery(t, nil, func(t *testing.T, c *conn.Conn, p *peer) {
		r := receive(c)
		p.send("8105:48656c6c6f 8802:03e8 8105:48656c6c6f 8900: 8802:03e9 ff00:")
		p.expectClose(frame.CloseNormalClosure, "")
		p.hangsUp()
		got := <-r
		checkEnd(t, got.err, conn.Peer, frame.CloseNormalClosure, "", nil)
		if len(got.messages) != 1 {
			t.Errorf("messages = %q, want one", got.messages)
		}
	})
}

// A Close frame inside a message ends it; the part that came is not delivered.
func TestCloseReceivedInsideMessage(t *testing.T) {
	eachDelivery(t, nil, func(t *testing.T, c *conn.Conn, p *peer) {
		r := receive(c)
		p.send("0103:48656c")
		p.closes(frame.CloseGoingAway, "")
		got := <-r
		checkEnd(t, got.err, conn.Peer, frame.CloseGoingAway, "", nil)
		if got.messages != nil {
			t.Errorf("messages = %q, want none", got.messages)
		}
	})
}

// What Close sends: the code and as much of the reason as fits, in whole
// characters.
func TestCloseSent(t *testing.T) {
	tests := []struct {
		name   string
		code   frame.CloseCode
		reason string
		want   string // payload
	}{
		{name: "1000", code: frame.CloseNormalClosure, want: "\x03\xe8"},
		{name: "4999 with a reason", code: 4999, reason: "bye", want: "\x13\x87bye"},
		{name: "no code", code: frame.CloseNoStatusReceived, want: ""},
		{name: "123 octets", code: 3000, reason: strings.Repeat("*", 123), want: "\x0b\xb8" + strings.Repeat("*", 123)},
		{name: "124 octets", code: 3000, reason: strings.Repeat("*", 124), want: "\x0b\xb8" + strings.Repeat("*", 123)},
		{name: "cut before a character", code: 3000, reason: strings.Repeat("*", 121) + "€", want: "\x0b\xb8" + strings.Repeat("*", 121)},
		{name: "cut behind a character", code: 3000, reason: strings.Repeat("*", 120) + "€€", want: "\x0b\xb8" + strings.Repeat("*", 120) + "€"},
		{name: "not UTF-8", code: 3000, reason: "a\xffb", want: "\x0b\xb8a\uFFFDb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				c, p := open(t, role, nil)
				end := closeIt(c, tt.code, tt.reason)
				p.expectFrame(frame.FIN, frame.OpClose, []byte(tt.want))
				p.sendClose(frame.CloseGoingAway, "so long")
				p.hangsUp()
				checkClosing(t, <-end, nil, 0)
				checkEnd(t, c.Err(), conn.Local, frame.CloseGoingAway, "so long", nil)
			})
		})
	}
}

// A code that may not be sent is refused, and the connection goes on.
func TestCloseInvalid(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		for _, code := range []frame.CloseCode{0, 999, 1004, 1006, 1015, 1016, 2999, 5000, 65535} {
			if err := c.Close(code, ""); !errors.Is(err, frame.ErrCloseCode) || errors.Is(err, net.ErrClosed) {
				t.Errorf("Close(%d) = %v, want ErrCloseCode", code, err)
			}
		}
		if err := c.Close(frame.CloseNoStatusReceived, "why"); !errors.Is(err, frame.ErrCloseCode) {
			t.Errorf("Close without a code, with a reason = %v, want ErrCloseCode", err)
		}
		if s := c.State(); s != conn.StateOpen {
			t.Errorf("State = %v, want %v", s, conn.StateOpen)
		}
		p.expectNothing()
		p.sendText("on")
		checkRead(t, c, frame.OpText, "on")
	})
}

// Close in every situation of the reader. Messages that still come are
// discarded, and what the reader was handed before stays as it is.
func TestCloseReaders(t *testing.T) {
	tests := []struct {
		name string
		// begin brings the reader into its situation. What it returns is called
		// when the connection has ended.
		begin func(t *testing.T, c *conn.Conn, p *peer) (check func())
	}{
		{name: "none", begin: func(t *testing.T, c *conn.Conn, p *peer) func() { return nil }},
		{name: "waiting", begin: func(t *testing.T, c *conn.Conn, p *peer) func() {
			r := receive(c)
			return func() {
				got := <-r
				checkEnd(t, got.err, conn.Local, frame.CloseNormalClosure, "", nil)
				if got.messages != nil {
					t.Errorf("messages = %q, want none", got.messages)
				}
			}
		}},
		{name: "handling a message", begin: func(t *testing.T, c *conn.Conn, p *peer) func() {
			p.sendText("kept")
			_, m, err := c.ReadMessage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return func() {
				if conn.ScribblePools(); string(m) != "kept" {
					t.Errorf("the message has become %q", m)
				}
			}
		}},
		{name: "handling a long message", begin: func(t *testing.T, c *conn.Conn, p *peer) func() {
			go p.sendText(strings.Repeat("kept", 10_000))
			_, m, err := c.ReadMessage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return func() {
				if conn.ScribblePools(); string(m) != strings.Repeat("kept", 10_000) {
					t.Errorf("the message has become %s", short(m))
				}
			}
		}},
		{name: "within a streamed message", begin: func(t *testing.T, c *conn.Conn, p *peer) func() {
			p.send("0105:48656c6c6f")
			r := nextReader(t, c, frame.OpText)
			checkPart(t, r, "He")
			p.send("8001:2a")
			return func() {
				n, err := r.Read(t.Context(), make([]byte, 8))
				if n != 0 || err != c.Err() {
					t.Errorf("Read = %d, %v; want %v", n, err, c.Err())
				}
			}
		}},
		{name: "between fragments", begin: func(t *testing.T, c *conn.Conn, p *peer) func() {
			p.send("0105:48656c6c6f")
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, _, err := c.ReadMessage(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			p.send("8001:2a")
			return nil
		}},
		{name: "leaving", begin: func(t *testing.T, c *conn.Conn, p *peer) func() {
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errTest)
			done := make(chan error, 1)
			go func() {
				defer cancel()
				_, _, err := c.ReadMessage(ctx)
				done <- err
			}()
			return func() {
				if err := <-done; !errors.Is(err, errTest) && !errors.Is(err, net.ErrClosed) {
					t.Errorf("ReadMessage = %v", err)
				}
			}
		}},
	}
	for _, tt := range tests {
		for _, answer := range []time.Duration{0, 2 * time.Second} {
			t.Run(fmt.Sprintf("%s/answer=%v", tt.name, answer), func(t *testing.T) {
				bothRoles(t, func(t *testing.T, role frame.Role) {
					c, p := open(t, role, nil)
					check := tt.begin(t, c, p)
					synctest.Wait()
					end := closeIt(c, frame.CloseNormalClosure, "")
					p.expectClose(frame.CloseNormalClosure, "")
					p.sendText("late")
					p.send("8900:")
					time.Sleep(answer)
					p.sendClose(frame.CloseNormalClosure, "")
					p.hangsUp()
					checkClosing(t, <-end, nil, answer)
					checkEnd(t, c.Err(), conn.Local, frame.CloseNormalClosure, "", nil)
					if check != nil {
						check()
					}
				})
			})
		}
	}
}

// While Close reads, other readers wait for the end.
func TestCloseThenRead(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		end := closeIt(c, frame.CloseNormalClosure, "")
		synctest.Wait()
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errTest)
		defer cancel()
		if _, _, err := c.ReadMessage(ctx); !errors.Is(err, errTest) {
			t.Errorf("ReadMessage = %v, want the cause", err)
		}
		r := receive(c)
		p.expectClose(frame.CloseNormalClosure, "")
		p.sendClose(frame.CloseNormalClosure, "")
		p.hangsUp()
		checkClosing(t, <-end, nil, time.Second)
		if got := <-r; got.err != c.Err() {
			t.Errorf("ReadMessage = %v, want %v", got.err, c.Err())
		}
	})
}

// Close may be called by many, again and afterwards; one Close frame is sent.
func TestCloseTwice(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		var ends []<-chan closing
		for range 5 {
			ends = append(ends, closeIt(c, frame.CloseNormalClosure, ""))
		}
		p.expectClose(frame.CloseNormalClosure, "")
		p.expectNothing()
		p.sendClose(frame.CloseNormalClosure, "")
		p.hangsUp()
		for _, end := range ends {
			checkClosing(t, <-end, nil, 0)
		}
		checkClosing(t, <-closeIt(c, frame.CloseGoingAway, ""), nil, 0)
		if err := c.CloseNow(); err != nil {
			t.Errorf("CloseNow = %v", err)
		}
		checkEnd(t, c.Err(), conn.Local, frame.CloseNormalClosure, "", nil)
	})
}

// What was written before Close is delivered, and the Close frame behind it, even
// if the peer's has come meanwhile and is the last that the peer sends.
func TestCloseBothBlocked(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		for i := range 4 {
			reading, ends := i&1 != 0, i&2 != 0
			c, p := openPipe(t, role, conn.Handshake{}, nil, 64)
			if reading {
				receive(c)
			}
			written := make(chan error, 1)
			go func() { written <- c.WriteMessage(t.Context(), frame.OpBinary, make([]byte, 1000)) }()
			synctest.Wait()
			end := closeIt(c, 3000, "ours")
			synctest.Wait()
			p.sendClose(3001, "theirs")
			if ends {
				p.CloseWrite()
			}
			synctest.Wait()
			time.Sleep(time.Second)
			p.expectFrame(frame.FIN, frame.OpBinary, make([]byte, 1000))
			p.expectClose(3000, "ours")
			p.hangsUp()
			checkClosing(t, <-end, nil, time.Second)
			if err := <-written; err != nil {
				t.Errorf("WriteMessage = %v", err)
			}
			checkEnd(t, c.Err(), conn.Local, 3001, "theirs", nil)
		}
	})
}

// Two connections with each other, over a slow network, closed by one or by both
// at once.
func TestClosePair(t *testing.T) {
	slow := conntest.Faults{Read: conntest.Flow{PerOctet: 100 * time.Millisecond}}
	for _, both := range []bool{false, true} {
		t.Run(fmt.Sprintf("both=%v", both), func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				x, y := conntest.Pipe(0)
				a := newConn(t, conntest.Inject(x, slow), role, conn.Handshake{}, nil)
				b := newConn(t, conntest.Inject(y, slow), role^frame.Client, conn.Handshake{}, nil)
				ra, rb := receive(a), receive(b)
				ends := []<-chan closing{closeIt(a, 3000, "a")}
				if both {
					ends = append(ends, closeIt(b, 3001, "b"))
				}
				for _, end := range ends {
					if got := <-end; got.err != nil {
						t.Errorf("Close = %v", got.err)
					}
				}
				if both {
					checkEnd(t, (<-ra).err, conn.Local, 3001, "b", nil)
					checkEnd(t, (<-rb).err, conn.Local, 3000, "a", nil)
				} else {
					checkEnd(t, (<-ra).err, conn.Local, 3000, "", nil)
					checkEnd(t, (<-rb).err, conn.Peer, 3000, "a", nil)
				}
			})
		})
	}
}

// The time of a closing handshake is limited as a whole.
func TestCloseTimeout(t *testing.T) {
	tests := []struct {
		name    string
		options conn.Options
		answer  func(p *peer) // after our Close frame
		cause   error
		took    time.Duration
	}{
		{name: "no answer", answer: func(p *peer) {}, cause: conn.ErrCloseTimeout, took: 5 * time.Second},
		{name: "messages instead of an answer", answer: func(p *peer) {
			for p.End.SetWriteDeadline(time.Time{}) == nil {
				if _, err := p.Write(encode(p.t, p.role, frame.FIN, frame.OpText, nil)); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}, cause: conn.ErrCloseTimeout, took: 5 * time.Second},
		{name: "answer, but no end of TCP", answer: func(p *peer) { p.sendClose(frame.CloseNormalClosure, "") }, took: 5 * time.Second},
		{name: "late answer, but no end of TCP", answer: func(p *peer) {
			time.Sleep(4 * time.Second)
			p.sendClose(frame.CloseNormalClosure, "")
		}, took: 5 * time.Second},
		{name: "end of TCP without an answer", answer: func(p *peer) { p.Close() }, cause: io.ErrUnexpectedEOF},
		{name: "half the end of TCP without an answer", answer: func(p *peer) { p.CloseWrite() }, cause: io.ErrUnexpectedEOF},
		{name: "reset", answer: func(p *peer) { p.Reset() }, cause: syscall.ECONNRESET},
		{name: "reset behind the answer", answer: func(p *peer) {
			p.sendClose(frame.CloseNormalClosure, "")
			synctest.Wait()
			p.Reset()
		}},
		{name: "broken rule", answer: func(p *peer) {
			p.send("8300:")
			p.expectEOF()
			p.Close()
		}, cause: frame.ErrReservedOpcode},
		{name: "own CloseTimeout", options: conn.Options{CloseTimeout: time.Hour}, answer: func(p *peer) {},
			cause: conn.ErrCloseTimeout, took: time.Hour},
		{name: "CloseTimeout off", options: conn.Options{CloseTimeout: conn.NoLimit}, answer: func(p *peer) {
			time.Sleep(12 * time.Hour)
			p.sendClose(frame.CloseNormalClosure, "")
			p.hangsUp()
		}, took: 12 * time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				c, p := open(t, role, &tt.options)
				end := closeIt(c, frame.CloseNormalClosure, "")
				p.expectClose(frame.CloseNormalClosure, "")
				tt.answer(p)
				got := <-end
				checkClosing(t, got, tt.cause, tt.took)
				e, _ := errors.AsType[*conn.CloseError](c.Err())
				if e.By != conn.Local || (e.Code == frame.CloseAbnormalClosure) == (tt.cause == nil || tt.cause == frame.ErrReservedOpcode) {
					t.Errorf("Err = %v", e)
				}
			})
		})
	}
}

// A Close frame that the peer does not take ends in time, too, and so does the
// answer to the peer's and the one that fails the connection.
func TestCloseBlocked(t *testing.T) {
	tests := []struct {
		name  string
		begin func(c *conn.Conn, p *peer)
		took  time.Duration // zero means CloseTimeout
		check func(t *testing.T, err error)
	}{
		{name: "ours", begin: func(c *conn.Conn, p *peer) { go c.Close(frame.CloseNormalClosure, "") },
			check: func(t *testing.T, err error) {
				checkEnd(t, err, conn.Local, frame.CloseAbnormalClosure, "", conn.ErrCloseTimeout)
			}},
		{name: "the answer", begin: func(c *conn.Conn, p *peer) { p.sendClose(3000, "") },
			check: func(t *testing.T, err error) { checkEnd(t, err, conn.Peer, 3000, "", conn.ErrCloseTimeout) }},
		{name: "ours, while the peer's comes", begin: func(c *conn.Conn, p *peer) {
			go c.Close(3001, "")
			synctest.Wait()
			p.sendClose(3000, "")
		}, check: func(t *testing.T, err error) { checkEnd(t, err, conn.Local, 3000, "", conn.ErrCloseTimeout) }},
		{name: "the answer, given up", begin: func(c *conn.Conn, p *peer) {
			p.sendClose(3000, "")
			time.AfterFunc(time.Second, func() { c.CloseNow() })
		}, took: time.Second, check: func(t *testing.T, err error) { checkEnd(t, err, conn.Peer, 3000, "", conn.ErrCloseNow) }},
		{name: "a failure", begin: func(c *conn.Conn, p *peer) { p.send("8300:") },
			check: func(t *testing.T, err error) {
				checkEnd(t, err, conn.Local, frame.CloseProtocolError, "", frame.ErrReservedOpcode)
			}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				c, p := openPipe(t, role, conn.Handshake{}, nil, 64)
				r := receive(c)
				written := make(chan error, 1)
				go func() { written <- c.WriteMessage(t.Context(), frame.OpBinary, make([]byte, 1000)) }()
				synctest.Wait()
				start := time.Now()
				tt.begin(c, p)
				<-c.Done()
				if took, want := time.Since(start), cmp.Or(tt.took, 5*time.Second); took != want {
					t.Errorf("ended after %v, want %v", took, want)
				}
				tt.check(t, c.Err())
				if err := <-written; !errors.Is(err, net.ErrClosed) {
					t.Errorf("WriteMessage = %v, want net.ErrClosed", err)
				}
				<-r
			})
		})
	}
}

// The last message and the Close frame reach a peer that reads late, although
// octets of the peer are never read.
func TestCloseDelivers(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		sent := make(chan error, 1)
		go func() {
			_, err := p.Write(encode(t, p.role, frame.FIN, frame.OpBinary, make([]byte, 1<<20)))
			sent <- err
		}()
		if err := c.WriteMessage(t.Context(), frame.OpText, []byte("last")); err != nil {
			t.Fatal(err)
		}
		end := closeIt(c, frame.CloseNormalClosure, "")
		time.Sleep(2 * time.Second)
		if err := <-sent; err != nil {
			t.Errorf("peer: %v", err)
		}
		p.expectText("last")
		p.expectClose(frame.CloseNormalClosure, "")
		p.sendClose(frame.CloseNormalClosure, "")
		p.hangsUp()
		checkClosing(t, <-end, nil, 2*time.Second)
	})
}

// A peer that goes on sending after the last frame is cut off when 16 MiB have
// been thrown away.
func TestCloseDrain(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openPipe(t, role, conn.Handshake{}, nil, 1<<20)
		r := receive(c)
		p.send("8300:")
		p.expectClose(frame.CloseProtocolError, "")
		p.expectEOF()
		sent := 0
		for b := make([]byte, 1<<20); ; {
			n, err := p.Write(b)
			if sent += n; err != nil {
				break
			}
			synctest.Wait()
		}
		if sent < 16<<20 || sent > 18<<20 {
			t.Errorf("cut off after %d octets, want 16 MiB", sent)
		}
		if got := <-r; got.took != 0 {
			t.Errorf("ended after %v, want at once", got.took)
		}
	})
}

// A peer that sends no more still gets what was written before.
func TestCloseHalf(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openPipe(t, role, conn.Handshake{}, nil, 64)
		r := receive(c)
		written := make(chan error, 1)
		go func() { written <- c.WriteMessage(t.Context(), frame.OpBinary, make([]byte, 1000)) }()
		synctest.Wait()
		p.CloseWrite()
		time.Sleep(time.Second)
		p.expectFrame(frame.FIN, frame.OpBinary, make([]byte, 1000))
		if err := <-written; err != nil {
			t.Errorf("WriteMessage = %v", err)
		}
		p.expectEOF()
		got := <-r
		checkEnd(t, got.err, conn.Network, frame.CloseAbnormalClosure, "", io.ErrUnexpectedEOF)
		if got.took != time.Second {
			t.Errorf("ended after %v, want 1s", got.took)
		}
	})
}

// When the octets of this side fail, those of the peer may still say why.
func TestCloseWriteFailed(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		for _, reading := range []bool{true, false} {
			c, p := open(t, role, nil)
			p.sendText("there")
			p.sendClose(frame.CloseTryAgainLater, "full")
			p.Close()
			// A write to an end that is closed destroys nothing of what it sent
			// only if that has been read.
			if reading {
				checkRead(t, c, frame.OpText, "there")
			}
			start := time.Now()
			if err := c.WriteMessage(t.Context(), frame.OpText, nil); !errors.Is(err, net.ErrClosed) || !errors.Is(err, syscall.EPIPE) {
				t.Errorf("WriteMessage = %v, want net.ErrClosed and EPIPE", err)
			}
			if reading {
				_, _, err := c.ReadMessage(t.Context())
				checkEnd(t, err, conn.Peer, frame.CloseTryAgainLater, "full", nil)
				continue
			}
			<-c.Done()
			checkEnd(t, c.Err(), conn.Network, frame.CloseAbnormalClosure, "", syscall.EPIPE)
			if took := time.Since(start); took != 5*time.Second {
				t.Errorf("ended after %v without a reader, want 5s", took)
			}
		}
	})
}

// CloseNow ends the connection at once, whatever is going on.
func TestCloseNow(t *testing.T) {
	tests := []struct {
		name  string
		begin func(t *testing.T, c *conn.Conn, p *peer)
		by    conn.Party
		code  frame.CloseCode
		cause error
	}{
		{name: "open", begin: func(t *testing.T, c *conn.Conn, p *peer) {}, by: conn.Local, code: frame.CloseAbnormalClosure, cause: conn.ErrCloseNow},
		{name: "after our Close frame", begin: func(t *testing.T, c *conn.Conn, p *peer) { closeIt(c, 3000, "") },
			by: conn.Local, code: frame.CloseAbnormalClosure, cause: conn.ErrCloseNow},
		{name: "after the peer's", begin: func(t *testing.T, c *conn.Conn, p *peer) { p.sendClose(3000, "") },
			by: conn.Peer, code: 3000},
		{name: "after both", begin: func(t *testing.T, c *conn.Conn, p *peer) {
			closeIt(c, 3000, "")
			synctest.Wait()
			p.sendClose(3001, "")
		}, by: conn.Local, code: 3001},
		{name: "after a failure", begin: func(t *testing.T, c *conn.Conn, p *peer) { p.send("8300:") },
			by: conn.Local, code: frame.CloseProtocolError, cause: frame.ErrReservedOpcode},
		{name: "after the end", begin: func(t *testing.T, c *conn.Conn, p *peer) { p.Close() },
			by: conn.Network, code: frame.CloseAbnormalClosure, cause: io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				c, p := open(t, role, nil)
				r := receive(c)
				synctest.Wait()
				tt.begin(t, c, p)
				synctest.Wait()
				for range 2 {
					if err := c.CloseNow(); err != nil {
						t.Errorf("CloseNow = %v", err)
					}
				}
				got := <-r
				checkEnd(t, got.err, tt.by, tt.code, "", tt.cause)
				if got.took != 0 || c.State() != conn.StateClosed {
					t.Errorf("ended after %v in state %v", got.took, c.State())
				}
				if end := <-closeIt(c, frame.CloseNormalClosure, ""); tt.cause == nil && end.err != nil || tt.cause != nil && end.err != got.err {
					t.Errorf("then Close = %v, want %v", end.err, got.err)
				}
			})
		})
	}
}
