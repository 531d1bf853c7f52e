package conn_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
)

// deliveries are ways in which the octets of a peer may arrive.
var deliveries = []struct {
	name   string
	faults conntest.Faults
}{
	{name: "whole"},
	{name: "octet by octet", faults: conntest.Faults{Read: conntest.Flow{Split: 1}}},
	{name: "behind 2 octets", faults: conntest.Faults{Read: conntest.Flow{SplitAt: []int64{2}}}},
	{name: "by 7 octets", faults: conntest.Faults{Read: conntest.Flow{Split: 7}}},
}

// eachDelivery runs a test in both roles and for each way of delivery, with a
// connection and its peer.
func eachDelivery(t *testing.T, o *conn.Options, test func(t *testing.T, c *conn.Conn, p *peer)) {
	t.Helper()
	for _, d := range deliveries {
		t.Run(d.name, func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				end, p := newPeer(t, role, 0)
				test(t, newConn(t, conntest.Inject(end, d.faults), role, conn.Handshake{}, o), p)
			})
		})
	}
}

// What breaks a rule of Section 5 fails the connection: messages before it are
// delivered, nothing behind it is, and the code reaches the peer.
func TestFrameViolation(t *testing.T) {
	type row struct {
		name     string
		frames   string
		messages []string
		answers  string
		err      error
	}
	tests := []row{
		{name: "RSV1", frames: "c101:2a", err: frame.ErrReservedBits},
		{name: "RSV2", frames: "a101:2a", err: frame.ErrReservedBits},
		{name: "RSV3", frames: "9101:2a", err: frame.ErrReservedBits},
		{name: "all reserved bits", frames: "f200:", err: frame.ErrReservedBits},
		{name: "RSV1 on a ping", frames: "c900:", err: frame.ErrReservedBits},
		{name: "RSV3 on a pong", frames: "9a00:", err: frame.ErrReservedBits},
		{name: "all reserved bits on a Close frame", frames: "f800:", err: frame.ErrReservedBits},
		{name: "RSV1 on a continuation", frames: "0101:2a c001:2a", err: frame.ErrReservedBits},
		{name: "RSV2 behind a message", frames: "8105:48656c6c6f a101:2a 8900:",
			messages: []string{"text Hello"}, err: frame.ErrReservedBits},

		{name: "ping without FIN", frames: "0900: 8000:", err: frame.ErrControlFragmented},
		{name: "pong without FIN", frames: "0a00: 8000:", err: frame.ErrControlFragmented},
		{name: "Close frame without FIN", frames: "0802:03e8", err: frame.ErrControlFragmented},
		{name: "ping of 126 octets", frames: "897e007e:" + strings.Repeat("fe", 126), err: frame.ErrControlTooLong},
		{name: "pong of 126 octets", frames: "8a7e007e:" + strings.Repeat("fe", 126), err: frame.ErrControlTooLong},
		{name: "Close frame of 126 octets", frames: "887e007e:03e8" + strings.Repeat("2a", 124), err: frame.ErrControlTooLong},
		{name: "ping of 64 KiB", frames: "897f0000000000010000:", err: frame.ErrControlTooLong},
		{name: "ping of 125 octets in 16 bits", frames: "897e007d:", err: frame.ErrLengthNotMinimal},

		{name: "0 octets in 16 bits", frames: "817e0000:", err: frame.ErrLengthNotMinimal},
		{name: "125 octets in 16 bits", frames: "827e007d:", err: frame.ErrLengthNotMinimal},
		{name: "126 octets in 64 bits", frames: "827f000000000000007e:", err: frame.ErrLengthNotMinimal},
		{name: "65535 octets in 64 bits", frames: "817f000000000000ffff:", err: frame.ErrLengthNotMinimal},
		{name: "64-bit length with the top bit", frames: "827f8000000000000000:", err: frame.ErrLengthOverflow},
		{name: "64-bit length with all bits", frames: "827fffffffffffffffff:", err: frame.ErrLengthOverflow},

		{name: "continuation of nothing", frames: "8000:", err: frame.ErrUnexpectedContinuation},
		{name: "continuation of nothing without FIN", frames: "0001:2a 8105:48656c6c6f", err: frame.ErrUnexpectedContinuation},
		{name: "continuation behind the last fragment", frames: "0102:4865 8003:6c6c6f 0000: 8100:",
			messages: []string{"text Hello"}, err: frame.ErrUnexpectedContinuation},
		{name: "text inside a message", frames: "0102:4865 8103:6c6c6f", err: frame.ErrExpectedContinuation},
		{name: "binary inside a text message", frames: "0102:4865 0203:6c6c6f", err: frame.ErrExpectedContinuation},
		{name: "message inside a message behind a ping", frames: "0102:4865 8902:6869 8103:6c6c6f",
			answers: "8a02:6869", err: frame.ErrExpectedContinuation},

		{name: "Close payload of one octet", frames: "8801:03", err: frame.ErrClosePayload},
	}
	for _, op := range []string{"83", "84", "85", "86", "87", "8b", "8c", "8d", "8e", "8f"} {
		tests = append(tests,
			row{name: "opcode " + op[1:], frames: op + "00:", err: frame.ErrReservedOpcode},
			row{name: "opcode " + op[1:] + " with payload", frames: "8100: " + op + "0d:" + strings.Repeat("2a", 13) + " 8900:",
				messages: []string{"text "}, err: frame.ErrReservedOpcode},
			row{name: "opcode " + op[1:] + " inside a message", frames: "0201:2a 0" + op[1:] + "00:", err: frame.ErrReservedOpcode})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			eachDelivery(t, nil, func(t *testing.T, c *conn.Conn, p *peer) {
				r := receive(c)
				p.send(tt.frames)
				p.expect(tt.answers)
				p.expectClose(frame.CloseProtocolError, "")
				p.expectEOF()
				if s := c.State(); s != conn.StateClosing {
					t.Errorf("State = %v before the peer has ended TCP, want %v", s, conn.StateClosing)
				}
				p.Close()
				got := <-r
				checkEnd(t, got.err, conn.Local, frame.CloseProtocolError, "", tt.err)
				if diff := cmp.Diff(tt.messages, got.messages); diff != "" {
					t.Errorf("messages mismatch (-want +got):\n%s", diff)
				}
				if got.took != 0 || c.State() != conn.StateClosed {
					t.Errorf("ended after %v in state %v", got.took, c.State())
				}
			})
		})
	}
}

// Section 5.1: a server requires masked frames and a client forbids them. The
// payload is not handed over.
func TestFrameMasking(t *testing.T) {
	tests := []struct {
		name string
		role frame.Role
		wire string
		end  string // the Close frame of a server; a client's is masked
		err  error
	}{
		{name: "text not masked", role: frame.Server, wire: "8105 48656c6c6f", err: frame.ErrMaskRequired},
		{name: "empty text not masked", role: frame.Server, wire: "8100", err: frame.ErrMaskRequired},
		{name: "ping not masked", role: frame.Server, wire: "8900", err: frame.ErrMaskRequired},
		{name: "Close frame not masked", role: frame.Server, wire: "8802 03e8", err: frame.ErrMaskRequired},
		{name: "continuation not masked", role: frame.Server, wire: "0181 00000000 2a 8001 2a", err: frame.ErrMaskRequired},
		{name: "text masked", role: frame.Client, wire: "8185 37fa213d 7f9f4d5158", err: frame.ErrMaskForbidden},
		{name: "text masked with zero", role: frame.Client, wire: "8185 00000000 48656c6c6f", err: frame.ErrMaskForbidden},
		{name: "ping masked", role: frame.Client, wire: "8980 37fa213d", err: frame.ErrMaskForbidden},
		{name: "Close frame masked", role: frame.Client, wire: "8882 00000000 03e8", err: frame.ErrMaskForbidden},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, p := open(t, tt.role, nil)
				r := receive(c)
				p.write(unhex(t, tt.wire))
				p.expectFailure(frame.CloseProtocolError)
				got := <-r
				checkEnd(t, got.err, conn.Local, frame.CloseProtocolError, "", tt.err)
				if got.messages != nil {
					t.Errorf("messages = %q, want none", got.messages)
				}
			})
		})
	}
}

// What Section 5 allows.
func TestFrames(t *testing.T) {
	many := strings.Repeat("8900: ", 50)
	tests := []struct {
		name     string
		frames   string
		messages []string
		answers  string
	}{
		{name: "RFC 5.7 text", frames: "8105:48656c6c6f", messages: []string{"text Hello"}},
		{name: "RFC 5.7 fragments", frames: "0103:48656c 8002:6c6f", messages: []string{"text Hello"}},
		{name: "RFC 5.7 ping", frames: "8905:48656c6c6f", answers: "8a05:48656c6c6f"},
		{name: "binary", frames: "8203:fffe00", messages: []string{"binary \xff\xfe\x00"}},
		{name: "126 octets", frames: "827e007e:" + strings.Repeat("2a", 126), messages: []string{"binary " + strings.Repeat("*", 126)}},
		{name: "64 KiB", frames: "827f0000000000010000:" + strings.Repeat("2a", 1<<16), messages: []string{"binary " + strings.Repeat("*", 1<<16)}},
		{name: "empty text", frames: "8100:", messages: []string{"text "}},
		{name: "empty binary", frames: "8200:", messages: []string{"binary "}},
		{name: "empty fragments alone", frames: "0100: 0000: 8000:", messages: []string{"text "}},
		{name: "empty fragments around octets", frames: "0100: 0003:48656c 0000: 0002:6c6f 8000:", messages: []string{"text Hello"}},
		{name: "messages in a row", frames: "8101:61 8201:62 0101:63 8001:64 8100:",
			messages: []string{"text a", "binary b", "text cd", "text "}},
		{name: "empty ping", frames: "8900:", answers: "8a00:"},
		{name: "ping of 125 octets", frames: "897d:" + strings.Repeat("fe", 125), answers: "8a7d:" + strings.Repeat("fe", 125)},
		{name: "pings are answered in their order", frames: "8901:31 8901:32 8101:2a 8901:33",
			messages: []string{"text *"}, answers: "8a01:31 8a01:32 8a01:33"},
		{name: "fifty pings", frames: many, answers: strings.ReplaceAll(many, "89", "8a")},
		{name: "pong nobody asked for", frames: "8a00: 8a08:0000000000000001 8a7d:" + strings.Repeat("00", 125) + " 8101:2a",
			messages: []string{"text *"}},
		{name: "ping between fragments", frames: "0103:48656c 8902:6869 8002:6c6f",
			messages: []string{"text Hello"}, answers: "8a02:6869"},
		{name: "pings and pongs between fragments", frames: "0101:48 8901:31 0002:656c 8a01:32 8901:33 0000: 8900: 8002:6c6f",
			messages: []string{"text Hello"}, answers: "8a01:31 8a01:33 8a00:"},
		{name: "rune in four fragments", frames: "0101:f0 0001:9f 8900: 0001:90 8001:b1",
			messages: []string{"text 🐱"}, answers: "8a00:"},
		{name: "rune over an empty fragment", frames: "0101:c3 0000: 8001:a9", messages: []string{"text é"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			eachDelivery(t, nil, func(t *testing.T, c *conn.Conn, p *peer) {
				r := receive(c)
				p.send(tt.frames)
				p.expect(tt.answers)
				p.closes(frame.CloseNormalClosure, "")
				got := <-r
				checkEnd(t, got.err, conn.Peer, frame.CloseNormalClosure, "", nil)
				if diff := cmp.Diff(tt.messages, got.messages); diff != "" {
					t.Errorf("messages mismatch (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// A masking key may be zero, and the same for every frame.
func TestFrameKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := open(t, frame.Server, nil)
		p.write(unhex(t, "8185 00000000 48656c6c6f 8185 37fa213d 7f9f4d5158 8185 37fa213d 7f9f4d5158"))
		for range 3 {
			checkRead(t, c, frame.OpText, "Hello")
		}
	})
}

// A thousand pings inside one message do not harm it (Section 5.5), and the
// last of them is answered.
func TestFramePingsInsideMessage(t *testing.T) {
	eachDelivery(t, nil, func(t *testing.T, c *conn.Conn, p *peer) {
		r := receive(c)
		p.send("0103:48656c " + strings.Repeat("8900: ", 999) + "8902:3939 8002:6c6f")
		for {
			h, payload, err := p.next()
			if err != nil || h.Opcode != frame.OpPong {
				t.Fatalf("peer received %v, %v; want a pong", h.Opcode, err)
			}
			if string(payload) == "99" {
				break
			}
		}
		p.closes(frame.CloseNormalClosure, "")
		if diff := cmp.Diff([]string{"text Hello"}, (<-r).messages); diff != "" {
			t.Errorf("messages mismatch (-want +got):\n%s", diff)
		}
	})
}

// A thousand messages in one segment.
func TestFrameCoalesced(t *testing.T) {
	eachDelivery(t, nil, func(t *testing.T, c *conn.Conn, p *peer) {
		p.send(strings.Repeat("8105:48656c6c6f ", 1000))
		for range 1000 {
			checkRead(t, c, frame.OpText, "Hello")
		}
		p.expectNothing()
	})
}

// The option tolerates lengths of data frames that are not minimally encoded,
// which Section 5.2 forbids, and no others.
func TestTolerateNonMinimalLength(t *testing.T) {
	o := &conn.Options{TolerateNonMinimalLength: true}
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, o)
		r := receive(c)
		p.send("817e0005:48656c6c6f 027f0000000000000002:4865 807e0003:6c6c6f")
		p.send("897e0005:48656c6c6f")
		p.expectFailure(frame.CloseProtocolError)
		got := <-r
		checkEnd(t, got.err, conn.Local, frame.CloseProtocolError, "", frame.ErrLengthNotMinimal)
		if diff := cmp.Diff([]string{"text Hello", "binary Hello"}, got.messages); diff != "" {
			t.Errorf("messages mismatch (-want +got):\n%s", diff)
		}
	})
}
