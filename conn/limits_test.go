package conn_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// A message as long as the limit passes. A longer one fails the connection with
// 1009 as soon as a header says so, before its payload comes.
func TestMaxMessageSize(t *testing.T) {
	type row struct {
		name    string
		options conn.Options
		frames  string
		size    int // of the message; -1 if it is too big
	}
	ten := conn.Options{MaxMessageSize: 10}
	octets := func(n int) string { return strings.Repeat("2a", n) }
	tests := []row{
		{name: "exact", options: ten, frames: "820a:" + octets(10), size: 10},
		{name: "one more", options: ten, frames: "820b:", size: -1},
		{name: "exact in fragments", options: ten, frames: "0203:" + octets(3) + " 0000: 0007:" + octets(7) + " 8900: 8000:", size: 10},
		{name: "one more in fragments", options: ten, frames: "0203:" + octets(3) + " 0007:" + octets(7) + " 8001:", size: -1},
		{name: "default, exact", frames: "827f0000000000100000:" + octets(1<<20), size: 1 << 20},
		{name: "default, one more", frames: "827f0000000000100001:", size: -1},
		{name: "2^32", frames: "827f0000000100000000:", size: -1},
		{name: "2^63-1", frames: "827f7fffffffffffffff:", size: -1},
		{name: "an octet and 2^63-1", frames: "0201:2a 807f7fffffffffffffff:", size: -1},
		{name: "off", options: conn.Options{MaxMessageSize: conn.NoLimit}, frames: "027f0000000000100000:" + octets(1<<20) + " 8001:2a", size: 1<<20 + 1},
		{name: "off, beyond 2^63-1", options: conn.Options{MaxMessageSize: conn.NoLimit}, frames: "0201:2a 807f7fffffffffffffff:", size: -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				for _, streaming := range []bool{false, true} {
					c, p := openPipe(t, role, conn.Handshake{}, &tt.options, 4<<20)
					p.send(tt.frames)
					got := make(chan int, 1)
					end := make(chan error, 1)
					go func() {
						n, err := readSize(c, streaming)
						got <- n
						end <- err
					}()
					if tt.size >= 0 {
						if n, err := <-got, <-end; n != tt.size || err != nil {
							t.Errorf("read %d octets, %v; want %d", n, err, tt.size)
						}
						if want := max(tt.options.MaxMessageSize, -1); want != 0 && c.Stats().MaxMessageSize != want {
							t.Errorf("Stats().MaxMessageSize = %d, want %d", c.Stats().MaxMessageSize, want)
						}
						continue
					}
					p.expectFailure(frame.CloseMessageTooBig)
					<-got
					checkEnd(t, <-end, conn.Local, frame.CloseMessageTooBig, "", conn.ErrMessageTooBig)
				}
			})
		})
	}
}

// readSize reads a message and returns its size.
func readSize(c *conn.Conn, streaming bool) (int, error) {
	if !streaming {
		_, m, err := c.ReadMessage(c.Context())
		return len(m), err
	}
	r, err := c.NextReader(c.Context())
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(io.Discard, r.With(c.Context()))
	return int(n), err
}

// A message may have 1,024 fragments and one more for every 64 octets of the
// limit, and 1,024 empty ones. More fail the connection with 1008.
func TestMaxFragments(t *testing.T) {
	repeat := func(f string, n int) string { return strings.Repeat(f+" ", n) }
	kib := conn.Options{MaxMessageSize: 1 << 10} // 1,040 fragments
	tests := []struct {
		name    string
		options conn.Options
		frames  string
		failed  bool
	}{
		{name: "1,024 empty", frames: "0200: " + repeat("0000:", 1023) + "8001:2a"},
		{name: "1,025 empty", frames: "0200: " + repeat("0000:", 1024), failed: true},
		{name: "1,025 empty, the last with FIN", frames: "0200: " + repeat("0000:", 1023) + "8000:", failed: true},
		{name: "1,025 empty, with octets between", frames: "0200: " + repeat("0001:2a 0000:", 1024), failed: true},
		{name: "empty ones of two messages", frames: "0200: " + repeat("0000:", 1000) + "8001:2a 0200: " + repeat("0000:", 1000) + "8001:2a"},
		{name: "pings are no fragments", options: conn.Options{MaxControlRate: conn.NoLimit},
			frames: "0200: " + repeat("0000:", 1023) + repeat("8a00:", 2000) + "8001:2a"},
		{name: "1,040 fragments of 1 KiB", options: kib, frames: "0200: " + repeat("0000:", 50) + repeat("0001:2a", 988) + "8001:2a"},
		{name: "1,041 fragments of 1 KiB", options: kib, frames: "0200: " + repeat("0000:", 50) + repeat("0001:2a", 989) + "8001:2a", failed: true},
		{name: "16,384 of 64 octets", frames: "0240:" + strings.Repeat("2a", 64) + " " + repeat("0040:"+strings.Repeat("2a", 64), 16382) + "8040:" + strings.Repeat("2a", 64)},
		{name: "17,408 of an octet", frames: "0201:2a " + repeat("0001:2a", 17406) + "8001:2a"},
		{name: "17,409 of an octet", frames: "0201:2a " + repeat("0001:2a", 17407) + "8001:2a", failed: true},
		{name: "20,000 of an octet without a limit", options: conn.Options{MaxMessageSize: conn.NoLimit}, frames: "0201:2a " + repeat("0001:2a", 20_000) + "8001:2a"},
		{name: "1,025 empty without a limit", options: conn.Options{MaxMessageSize: conn.NoLimit}, frames: "0200: " + repeat("0000:", 1024), failed: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				c, p := openPipe(t, role, conn.Handshake{}, &tt.options, 4<<20)
				r := receive(c)
				p.send(tt.frames)
				if !tt.failed {
					p.closes(frame.CloseNormalClosure, "")
					checkEnd(t, (<-r).err, conn.Peer, frame.CloseNormalClosure, "", nil)
					return
				}
				p.expectFailure(frame.ClosePolicyViolation)
				checkEnd(t, (<-r).err, conn.Local, frame.ClosePolicyViolation, "", conn.ErrTooManyFragments)
			})
		})
	}
}

// MaxControlRate control frames may come in a second, and five times as many at
// once; more fail the connection with 1008.
func TestMaxControlRate(t *testing.T) {
	for _, tt := range []struct {
		option, rate int
	}{{0, 1000}, {10, 10}, {1, 1}} {
		for _, frames := range []string{"8901:2a", "8a01:2a"} {
			t.Run(fmt.Sprintf("rate=%d/frame=%s", tt.rate, frames), func(t *testing.T) {
				bothRoles(t, func(t *testing.T, role frame.Role) {
					c, p := openPipe(t, role, conn.Handshake{}, &conn.Options{MaxControlRate: tt.option, PingInterval: conn.NoLimit}, 1<<20)
					r := receive(c)
					some := func(n int) { p.send(strings.Repeat(frames+" ", n)) }
					some(5 * tt.rate)
					time.Sleep(2 * time.Second)
					some(2 * tt.rate) // what was spent in two seconds has come back
					for range 50 {
						time.Sleep(time.Second / 10)
						if tt.rate >= 10 {
							some(tt.rate / 10)
						}
					}
					time.Sleep(time.Hour) // no more than five seconds' worth comes back
					some(5 * tt.rate)
					if c.State() != conn.StateOpen {
						t.Fatalf("failed with %v", c.Err())
					}
					p.sendText("open")
					some(1)
					code := expectAnyClose(p)
					if code != frame.ClosePolicyViolation {
						t.Errorf("peer received %v, want 1008", code)
					}
					p.expectEOF()
					p.Close()
					got := <-r
					checkEnd(t, got.err, conn.Local, frame.ClosePolicyViolation, "", conn.ErrTooManyControlFrames)
					if len(got.messages) != 1 {
						t.Errorf("messages = %q, want one", got.messages)
					}
				})
			})
		}
	}
	t.Run("off", func(t *testing.T) {
		bothRoles(t, func(t *testing.T, role frame.Role) {
			c, p := openPipe(t, role, conn.Handshake{}, &conn.Options{MaxControlRate: conn.NoLimit}, 1<<20)
			r := receive(c)
			p.send(strings.Repeat("8a00: ", 20_000))
			p.closes(frame.CloseNormalClosure, "")
			<-r
		})
	})
}

// expectAnyClose passes over the frames before a Close frame and returns its
// code.
func expectAnyClose(p *peer) frame.CloseCode {
	p.t.Helper()
	for {
		h, payload, err := p.next()
		if err != nil {
			p.t.Fatal(err)
		}
		if h.Opcode == frame.OpClose {
			code, _, err := frame.ParseClose(payload)
			if err != nil {
				p.t.Fatal(err)
			}
			return code
		}
	}
}

// Text is judged octet by octet (Section 8.1): the connection fails with 1007
// when an impossible one has come, not when its frame or message ends.
func TestTextInvalid(t *testing.T) {
	tests := []struct {
		name   string
		frames string // up to the first impossible octet; the last has announced more
	}{
		{name: "FF", frames: "8105:ff"},
		{name: "continuation alone", frames: "8102:80"},
		{name: "overlong slash", frames: "817d:c0"},
		{name: "overlong in three octets", frames: "8103:e080"},
		{name: "overlong in four octets", frames: "8104:f080"},
		{name: "surrogate", frames: "8103:eda0"},
		{name: "above U+10FFFF", frames: "8104:f490"},
		{name: "F5", frames: "8104:f5"},
		{name: "early in a long frame", frames: "817f0000000000100000:2a2aff"},
		{name: "in a later fragment", frames: "0103:48656c 8900: 0003:2aff"},
		{name: "character broken off by a fragment", frames: "0101:c3 8003:2a"},
		{name: "character broken off by the end", frames: "8102:2ac3"},
		{name: "character broken off by the last fragment", frames: "0102:2ac3 8000:"},
		{name: "four octets, one missing", frames: "8103:f09f90"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			eachDelivery(t, nil, func(t *testing.T, c *conn.Conn, p *peer) {
				r := receive(c)
				p.send(tt.frames)
				if code := expectAnyClose(p); code != frame.CloseInvalidFramePayloadData {
					t.Errorf("peer received %v, want 1007", code)
				}
				p.expectEOF()
				p.Close()
				got := <-r
				checkEnd(t, got.err, conn.Local, frame.CloseInvalidFramePayloadData, "", frame.ErrInvalidUTF8)
				if got.took != 0 {
					t.Errorf("failed after %v, want at once", got.took)
				}
			})
		})
	}
}

// Every character may be cut anywhere, between frames and between reads.
func TestTextCut(t *testing.T) {
	text := "a\u00e9\u20ac\U0001f431\u0000\u007f\u0080\u07ff\u0800\ufffd\uffff\U00010000\U0010ffff"
	eachDelivery(t, nil, func(t *testing.T, c *conn.Conn, p *peer) {
		for i := range len(text) + 1 {
			for j := i; j <= min(i+5, len(text)); j++ {
				p.sendFrame(0, frame.OpText, []byte(text[:i]))
				p.sendFrame(0, frame.OpContinuation, []byte(text[i:j]))
				p.sendFrame(frame.FIN, frame.OpContinuation, []byte(text[j:]))
				checkRead(t, c, frame.OpText, text)
			}
		}
	})
}
