package conformance

import (
	"fmt"

	"example.org/rfc6455/frame"
)

// reservedCases are about reserved bits and opcodes (Section 5.2). RSV is read as
// a number: RSV1 is 4, RSV2 is 2, RSV3 is 1.
func reservedCases() []*Case {
	const (
		badBit = wantFailed + "a reserved bit is 0 unless an extension that was agreed on gives it a meaning (Section 5.2)."
		badOp  = wantFailed + "an unknown opcode fails the connection (Section 5.2)."
		third  = "The first message is echoed; then the connection fails with 1002, and the ping is not answered (Section 5.2). " +
			"Leaving the echo out is tolerable."
	)
	one, two := text("Hello, world!"), text("Hello, again!")
	after := func(bad raw, how func(...raw) step) []step {
		return []step{how(one, bad, ping("")), echoesThenFails(1002, echoOf(one))}
	}
	by1 := func(frames ...raw) step { return sendBy(1, frames...) }

	cases := []*Case{{
		ID: "reserved/5.2/rsv-1-text", Known: "3.1",
		About: "Sends a text message with RSV3.", Expect: badBit,
		steps: []step{send(one.rsv(1)), fails(1002)},
	}, {
		ID: "reserved/5.2/rsv-2-after-text", Known: "3.2",
		About: "Sends a text message, one with RSV2 and a ping, in a single write.", Expect: third,
		steps: after(two.rsv(2), send),
	}, {
		ID: "reserved/5.2/rsv-3-after-text", Known: "3.3",
		About: "Sends a text message, one with RSV2 and RSV3, and a ping, in a write each.", Expect: third,
		steps: after(two.rsv(3), sendEach),
	}, {
		ID: "reserved/5.2/rsv-4-after-text", Known: "3.4",
		About: "Sends a text message, one with RSV1 and a ping, octet by octet.", Expect: third,
		steps: after(two.rsv(4), by1),
	}, {
		ID: "reserved/5.2/rsv-5-binary", Known: "3.5",
		About: "Sends a binary message with RSV1 and RSV3.", Expect: badBit,
		steps: []step{send(data(frame.OpBinary, []byte("\x00\xff\xfe")).rsv(5)), fails(1002)},
	}, {
		ID: "reserved/5.2/rsv-6-binary", Known: "3.6",
		About: "Sends a binary message with RSV1 and RSV2.", Expect: badBit,
		steps: []step{send(data(frame.OpBinary, []byte("\x00\xff\xfe")).rsv(6)), fails(1002)},
	}, {
		ID: "reserved/5.2/rsv-7-close", Known: "3.7",
		About: "Sends an empty Close frame with all reserved bits.", Expect: badBit,
		steps: []step{send(closing("").rsv(7)), fails(1002)},
	}}
	for _, f := range []struct {
		name, about string
		frames      []raw
	}{
		{"rsv-4-text", "a text message with RSV1", []raw{one.rsv(4)}},
		{"rsv-4-empty", "an empty text message with RSV1", []raw{text("").rsv(4)}},
		{"rsv-4-ping", "a ping with RSV1", []raw{ping("Hello").rsv(4)}},
		{"rsv-2-ping", "a ping with RSV2", []raw{ping("Hello").rsv(2)}},
		{"rsv-1-pong", "a pong with RSV3", []raw{pong("Hello").rsv(1)}},
		{"rsv-4-first-fragment", "the first fragment of a message with RSV1", []raw{first(frame.OpText, "Hel").rsv(4), last("lo")}},
		{"rsv-4-continuation", "the last fragment of a message with RSV1", []raw{first(frame.OpText, "Hel"), last("lo").rsv(4)}},
		{"rsv-4-ping-in-message", "a ping with RSV1 between two fragments", []raw{first(frame.OpText, "Hel"), ping("").rsv(4), last("lo")}},
	} {
		cases = append(cases, &Case{
			ID: "reserved/5.2/" + f.name, About: "Sends " + f.about + ".", Expect: badBit,
			steps: []step{send(f.frames...), fails(1002)},
		})
	}

	for i, base := range []frame.Opcode{3, 11} {
		kind := []string{"data", "control"}[i]
		for j := range 5 {
			op := base + frame.Opcode(j)
			c := &Case{ID: fmt.Sprintf("reserved/5.2/opcode-%d", op), Known: fmt.Sprintf("4.%d.%d", i+1, j+1)}
			what := fmt.Sprintf("a frame of opcode %d, which is reserved for a %s frame", op, kind)
			switch j {
			case 0:
				c.About, c.Expect = "Sends "+what+", without payload.", badOp
				c.steps = []step{send(reservedOp(op, "")), fails(1002)}
			case 1:
				c.About, c.Expect = "Sends "+what+", with 23 octets.", badOp
				c.steps = []step{send(reservedOp(op, "reserved for what comes")), fails(1002)}
			case 2:
				c.About, c.Expect = "Sends a text message, "+what+", and a ping, in a single write.", third
				c.steps = after(reservedOp(op, ""), send)
			case 3:
				c.About, c.Expect = "Sends a text message, "+what+", with 13 octets, and a ping, in a single write.", third
				c.steps = after(reservedOp(op, "Hello, again!"), send)
			default:
				c.About, c.Expect = "Sends a text message, "+what+", with 13 octets, and a ping, octet by octet.", third
				c.steps = after(reservedOp(op, "Hello, again!"), by1)
			}
			cases = append(cases, c)
		}
	}
	return append(cases, &Case{
		ID:    "reserved/5.2/opcode-3-unfinished",
		About: "Sends a frame of opcode 3 without FIN, and a continuation.", Expect: badOp,
		steps: []step{send(reservedOp(3, "Hel").unfinished(), last("lo")), fails(1002)},
	}, &Case{
		ID:    "reserved/5.2/opcode-11-in-message",
		About: "Sends a frame of opcode 11 between two fragments of a message.", Expect: badOp,
		steps: []step{send(first(frame.OpText, "Hel"), reservedOp(11, ""), last("lo")), fails(1002)},
	}, &Case{
		ID:     "reserved/5.2/opcode-7-header-only",
		About:  "Sends the header of a frame of opcode 7 with 1000 octets, and no payload.",
		Expect: badOp + " The header is enough to tell.",
		steps:  []step{send(reservedOp(7, "").declare(1000)), fails(1002)},
	})
}
