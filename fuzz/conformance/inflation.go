package conformance

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
)

// hello is how RFC 7692, Section 7.2.3.1, compresses Hello. It stands alone, and
// leaves Hello in the window.
const hello = "f248cdc9c90700"

// inflationCases are about compressed messages as a peer has to take them: where
// RSV1 may stand (RFC 7692, Section 6), which blocks there are (Section 7.2.3),
// and what cannot be inflated.
func inflationCases() []*Case {
	cases := slices.Concat(reservedBitCases(), blockCases(), brokenDataCases(), messageCases())
	for _, c := range cases {
		if c.deflate == nil {
			c.deflate = []terms{{}}
		}
	}
	return cases
}

// unhex returns octets of the suite's own tables.
func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// deflated is a message in one frame whose payload is given in hex.
func deflated(op frame.Opcode, payload string) raw { return data(op, unhex(payload)).rsv(4) }

func reservedBitCases() []*Case {
	const (
		once = wantFailed + "RSV1 is set on the first frame of a compressed message alone (RFC 7692, Section 6)."
		free = wantFailed + "permessage-deflate gives a meaning to RSV1 alone (RFC 6455, Section 5.2)."
		T    = frame.OpText
	)
	whole := unhex(hello)
	head := raw{opcode: T, payload: whole[:3]}.rsv(4)
	tail := raw{flags: frame.FIN, opcode: frame.OpContinuation, payload: whole[3:]}
	var cases []*Case
	for _, r := range []struct {
		name, about, expect string
		frames              []raw
	}{
		{"ping", "a ping with RSV1", once, []raw{ping("Hello").rsv(4)}},
		{"pong", "a pong with RSV1", once, []raw{pong("Hello").rsv(4)}},
		{"close", "a Close frame with RSV1", once, []raw{closeCode(1000, "").rsv(4)}},
		{"ping-deflated", "a ping with RSV1 whose payload is compressed", once, []raw{ping(string(whole)).rsv(4)}},
		{"continuation", "a compressed message whose second fragment has RSV1, too", once, []raw{head, tail.rsv(4)}},
		{"continuation-only", "a message that is not compressed, whose second fragment has RSV1", once, []raw{first(T, "Hel"), last("lo").rsv(4)}},
		{"continuation-middle", "a compressed message whose second of three fragments has RSV1, too", once, []raw{head, middle("").rsv(4), tail}},
		{"ping-between", "a ping with RSV1 between the fragments of a compressed message", once, []raw{head, ping("").rsv(4), tail}},
		{"rsv2", "a compressed message with RSV2, too", free, []raw{deflated(T, hello).rsv(2)}},
		{"rsv3", "a compressed message with RSV3, too", free, []raw{deflated(T, hello).rsv(1)}},
		{"rsv2-alone", "a message with RSV2", free, []raw{text("Hello").rsv(2)}},
		{"rsv3-alone", "a message with RSV3", free, []raw{text("Hello").rsv(1)}},
		{"opcode-3", "a frame with RSV1 and opcode 3", wantFailed + "an unknown opcode fails the connection (Section 5.2).", []raw{reservedOp(3, "Hello").rsv(4)}},
	} {
		cases = append(cases, &Case{
			ID: "inflation/7692.6/rsv-" + r.name, About: "Sends " + r.about + ".", Expect: r.expect,
			steps: []step{send(r.frames...), fails(1002)},
		})
	}
	return cases
}

// blockCases are messages in the forms of RFC 7692, Section 7.2.3.
func blockCases() []*Case {
	const accept = "It comes back inflated, and the closing handshake is clean (RFC 7692): "
	whole := unhex(hello)
	var pieces []raw
	for i := range whole {
		f := raw{opcode: frame.OpContinuation, payload: whole[i : i+1]}
		if i == 0 {
			f = raw{opcode: frame.OpText, payload: whole[:1]}.rsv(4)
		}
		pieces = append(pieces, f, middle(""))
	}
	cut := []raw{raw{opcode: frame.OpText, payload: whole[:3]}.rsv(4), {flags: frame.FIN, opcode: frame.OpContinuation, payload: whole[3:]}}
	var cases []*Case
	for _, b := range []struct {
		name, about, why string
		frames           []raw
		echo             string
	}{
		{"7.2.3.1/one-block", "Hello in one block", "the first example of Section 7.2.3.1.", []raw{deflated(frame.OpText, hello)}, "Hello"},
		{"7.2.3.1/two-fragments", "Hello in one block, in two fragments", "the second example of Section 7.2.3.1.", cut, "Hello"},
		{"7.2.3.1/single-octets", "Hello in one block, in fragments of one octet and empty ones",
			"frames cut the octets anywhere (Section 6.1).", append(pieces, last("")), "Hello"},
		{"7.2.3.1/empty-first-fragment", "Hello in one block, after an empty fragment", "the first frame has RSV1, and may be empty (Section 6.1).",
			[]raw{raw{opcode: frame.OpText}.rsv(4), last(string(whole))}, "Hello"},
		{"7.2.3.1/ping-between", "Hello in two fragments with a ping between them", "control frames are not compressed (Section 6).",
			[]raw{cut[0], ping("between"), cut[1]}, "Hello"},
		{"7.2.3.3/stored", "Hello in a block without compression", "the example of Section 7.2.3.3.", []raw{deflated(frame.OpText, "000500faff48656c6c6f00")}, "Hello"},
		{"7.2.3.4/bfinal", "Hello in a block with BFINAL, and an octet 00", "the example of Section 7.2.3.4.", []raw{deflated(frame.OpText, "f348cdc9c9070000")}, "Hello"},
		{"7.2.3.5/two-blocks", "Hello in two blocks", "the example of Section 7.2.3.5.", []raw{deflated(frame.OpText, "f24805000000ffffcac9c90700")}, "Hello"},
		{"7.2.3.6/empty", "an empty message, compressed as 00", "the example of Section 7.2.3.6.", []raw{deflated(frame.OpText, "00")}, ""},
		{"7.2.3.6/empty-fixed", "an empty message in three empty blocks", "a block may be empty (RFC 1951, Section 3.2.3).", []raw{deflated(frame.OpText, "0208200000")}, ""},
		{"7.2.3.5/empty-blocks", "Hello after 16 empty blocks", "blocks may be empty (Section 7.2.3.5).",
			[]raw{deflated(frame.OpText, strings.Repeat("000000ffff", 16)+hello)}, "Hello"},
		{"7.2.2/run", "a run of 4 octets, as one octet and a reference to it", "a reference may reach into what it makes (RFC 1951, Section 3.2.3).",
			[]raw{deflated(frame.OpText, "f200020000")}, "HHHH"},
		{"7.2.2/utf8", "text with 2- and 3-octet characters", "it is UTF-8 after inflation.", []raw{deflated(frame.OpText, "3ab7ebe1de9de79bcfed39b71500")}, "\u03ba\u1f79\u03c3\u03bc\u03b5"},
	} {
		wants := []want{textEcho(b.echo)}
		if strings.HasSuffix(b.name, "ping-between") {
			wants = append([]want{pongWith("between")}, wants...)
		}
		cases = append(cases, &Case{
			ID: "inflation/7692." + b.name, About: "Sends " + b.about + ".", Expect: accept + b.why,
			steps: []step{send(b.frames...), receive(wants...), quiet(settle), closes},
		})
	}
	for _, b := range []struct{ name, about, payload, echo, part string }{
		{"7.2.1/tail-present", "Hello and the octets 00 00 ff ff, which the sender has to remove", "f248cdc9c907000000ffff", "Hello", ""},
		{"7.2.2/no-octets", "a compressed message without octets", "", "", ""},
		{"7.2.3.4/bfinal-alone", "Hello in a block with BFINAL, without the octet that has to follow", "f348cdc9c90700", "Hello", ""},
		{"7.2.3.4/bfinal-leftovers", "Hello in a block with BFINAL, and in another block behind it", "f348cdc9c90700" + hello, "HelloHello", "Hello"},
	} {
		cases = append(cases, &Case{
			ID:    "inflation/7692." + b.name,
			About: "Sends " + b.about + ".",
			Expect: "It comes back inflated, or the connection fails with 1007: no sender makes such a message, and no rule says what becomes of it. " +
				"Dropping what follows BFINAL is tolerable, as most decoders end there.",
			steps: []step{send(deflated(frame.OpText, b.payload)), echoesOrFails(b.echo, b.part)},
		})
	}
	return cases
}

// brokenDataCases are messages that cannot be inflated.
func brokenDataCases() []*Case {
	const (
		fail = "The peer fails the connection with 1007, and nothing comes back: the message cannot be inflated (RFC 7692, Section 7.2.2). 1002 is tolerable."
		cut  = fail + " So is the echo of what was inflated before the fault: decoders that wait for more do not see it."
	)
	var cases []*Case
	for _, b := range []struct{ name, about, payload string }{
		{"block-type", "a block of the reserved type 11", "06000000"},
		{"block-type-after-hello", "Hello and a block of the reserved type 11", "f248050000" + "00ffff" + "06000000"},
		{"stored-length", "a block without compression whose length does not match its complement", "000500050048656c6c6f00"},
		{"code-lengths-none", "a block whose code lengths are all zero", "04" + strings.Repeat("00", 63)},
		{"code-lengths-many", "a block with more codes than there can be", "040092040000000000000000"},
		{"symbol-286", "the code of a length that does not exist", "f2180300000000000000"},
		{"distance-30", "the code of a distance that does not exist", "f2003e0000000000000000"},
		{"distance-before-start", "a reference to the octet before the first", "f200420000"},
		{"text", "text that is not compressed, with RSV1", hex.EncodeToString([]byte("Wow, this is not deflate"))},
	} {
		cases = append(cases, &Case{
			ID: "inflation/7692.7.2.2/" + b.name, About: "Sends " + b.about + ".", Expect: fail,
			steps: []step{send(deflated(frame.OpText, b.payload)), fails(1007, 1002)},
		})
	}
	for _, b := range []struct{ name, about, payload string }{
		{"truncated", "Hello cut off in its last code", "f248cdc9c9"},
		{"truncated-stored", "a block without compression that is cut off", "000500faff4865"},
		{"truncated-header", "the first octets of a block with codes of its own", "04c001"},
	} {
		cases = append(cases, &Case{
			ID: "inflation/7692.7.2.2/" + b.name, About: "Sends " + b.about + ".", Expect: cut,
			steps: []step{send(deflated(frame.OpBinary, b.payload)), failsOrEchoes("the peer echoed what it could inflate of a message that is cut off")},
		})
	}
	for _, b := range []struct {
		name, about string
		frames      []raw
	}{
		{"utf8-surrogate", "a compressed text with a surrogate", []raw{deflated(frame.OpText, "f248cdc9c97fbba00100")}},
		{"utf8-cut", "a compressed text that ends inside a character", []raw{deflated(frame.OpText, "f248cdc9c97fd40400")}},
		{"utf8-fragments", "a compressed text with a surrogate, octet by octet", cutUp("f248cdc9c97fbba00100")},
	} {
		cases = append(cases, &Case{
			ID:    "inflation/8.1/" + b.name,
			About: "Sends " + b.about + ".",
			Expect: "The peer fails the connection with 1007, and nothing comes back: a text message is UTF-8 after inflation " +
				"(RFC 6455, Section 8.1; RFC 7692, Section 6.2).",
			steps: []step{send(b.frames...), fails(1007)},
		})
	}
	const early = "f248cdc9c97fbba00100" + "0000ffff" // ends at an octet, so that it can be inflated
	return append(cases, &Case{
		ID:    "inflation/8.1/utf8-fail-fast",
		About: "Sends the first fragment of a compressed text, with a surrogate; the last only if nothing happens within a second.",
		Expect: "The connection fails with 1007 upon the first fragment: what has come can be inflated and judged. " +
			"Failing after the last is tolerable (RFC 6455, Section 8.1).",
		steps: []step{send(raw{opcode: frame.OpText, payload: unhex(early)}.rsv(4)), failsFast(send(last("\x00")))},
	}, &Case{
		ID:      "inflation/7692.7.2.2/window-exceeded",
		About:   "Agrees to 9 window bits for its own messages, and sends one that refers farther back.",
		Expect:  "The peer fails the connection with 1007 (RFC 7692, Section 7.1.2). Inflating it is tolerable: a receiver may hold a larger window.",
		deflate: []terms{{bits: 9}},
		steps:   []step{sendBeyond(far(9)), failsOrEchoes("the peer inflates what refers back beyond the window that was agreed to")},
	}, &Case{
		ID:    "inflation/7692.7.2.2/context-exceeded",
		About: "Agrees not to refer to earlier messages, and does so.",
		Expect: "The peer fails the connection with 1007 (RFC 7692, Section 7.1.1). " +
			"Inflating it is tolerable: a receiver may keep a window that it does not need.",
		deflate: []terms{{alone: true}},
		steps: []step{send(deflated(frame.OpText, hello)), receive(textEcho("Hello")),
			send(deflated(frame.OpText, "f200110000")), failsOrEchoes("the peer inflates what refers to an earlier message, against the agreement")},
	})
}

// cutUp is a compressed text in fragments of one octet.
func cutUp(payload string) []raw {
	frames := fragments(frame.OpText, unhex(payload), 1)
	frames[0] = frames[0].rsv(4)
	return frames
}

// messageCases are about messages one after the other.
func messageCases() []*Case {
	const echoed = "All come back, and the closing handshake is clean: "
	bomb := func() []raw {
		c, _ := deflate.NewCompressor(deflate.MaxWindowBits, deflate.Takeover, deflate.Fast)
		zeros := make([]byte, 64*kib)
		payload := c.AppendPiece(nil, zeros, false)
		payload = append(payload, bytes.Repeat(c.AppendPiece(nil, zeros, false), 1023)...)
		return []raw{data(frame.OpBinary, append(payload, 0)).rsv(4)}
	}
	return []*Case{{
		ID:    "inflation/7692.7.2.3.2/shared-window",
		About: "Sends Hello, and again with a reference to the first time.", Expect: echoed + "the example of RFC 7692, Section 7.2.3.2.",
		steps: []step{needsTakeover, send(deflated(frame.OpText, hello)), receive(textEcho("Hello")),
			send(deflated(frame.OpText, "f200110000")), receive(textEcho("Hello")), closes},
	}, {
		ID:    "inflation/7692.7.2.3.2/shared-window-after-bfinal",
		About: "Sends Hello in a block with BFINAL, and again with a reference to the first time.",
		Expect: "Both come back: BFINAL ends a block, not the window (RFC 7692, Sections 7.2.2 and 7.2.3.4). " +
			"Failing the connection with 1007 upon the second is tolerable, as most decoders end with BFINAL.",
		steps: []step{needsTakeover, send(deflated(frame.OpText, "f348cdc9c9070000")), receive(textEcho("Hello")),
			send(deflated(frame.OpText, "f200110000")), echoesOrGivesUp("Hello")},
	}, {
		ID:     "inflation/7692.6/uncompressed-between",
		About:  "Sends Hello compressed, another message without compression, and Hello with a reference to the first.",
		Expect: echoed + "what is not compressed does not enter the window (RFC 7692, Section 6).",
		steps: []step{needsTakeover, send(deflated(frame.OpText, hello)), receive(textEcho("Hello")), send(text("World")), receive(textEcho("World")),
			send(deflated(frame.OpText, "f200110000")), receive(textEcho("Hello")), closes},
	}, {
		ID:     "inflation/7692.6/uncompressed-only",
		About:  "Agrees to compression and sends three messages without.",
		Expect: echoed + "each message is compressed or not, as its sender likes (RFC 7692, Section 6).",
		steps: []step{send(text("one"), data(frame.OpBinary, []byte{0, 0xff}), text("")),
			receive(textEcho("one"), want{gotMessage, frame.OpBinary, []byte{0, 0xff}}, textEcho("")), closes},
	}, {
		ID:     "inflation/7692.7.2.3.6/empty-between",
		About:  "Sends Hello compressed, an empty message as 00, and Hello with a reference to the first.",
		Expect: echoed + "an empty message leaves the window as it is.",
		steps: []step{needsTakeover, send(deflated(frame.OpText, hello), deflated(frame.OpText, "00"), deflated(frame.OpText, "f200110000")),
			receive(textEcho("Hello"), textEcho(""), textEcho("Hello")), closes},
	}, {
		ID:     "inflation/7692.6/pings-between-fragments",
		About:  "Sends a compressed message of 4 KiB in fragments of 32 octets with a ping after each.",
		Expect: "All pongs come in order, then the message (RFC 6455, Section 5.4; RFC 7692, Section 6.1).",
		limit:  5 * time.Second,
		steps:  []step{pingsBetween(far(11), 32), closes},
	}, {
		ID:     "inflation/7692.6/close-between-fragments",
		About:  "Sends a Close frame with 1000 between the fragments of a compressed message.",
		Expect: "It is answered, and nothing of the message comes back (RFC 6455, Section 5.5.1).",
		steps: []step{send(raw{opcode: frame.OpText, payload: unhex(hello)[:3]}.rsv(4), closeCode(1000, ""), last(string(unhex(hello)[3:]))),
			answersClose(1000)},
	}, {
		ID:     "inflation/7692.8/1MiB-of-zeros",
		About:  "Sends a compressed message of 1 MiB of zeros, of which about 1 KiB is on the wire.",
		Expect: "It comes back. Refusing it with 1009 is tolerable: how much a peer accepts is its own choice (RFC 6455, Section 10.4).",
		limit:  30 * time.Second,
		steps:  []step{echoesDeflated(make([]byte, mib)), closes},
	}, {
		ID:     "inflation/7692.8/64MiB-of-zeros",
		About:  "Sends a compressed message of 64 MiB of zeros, of which about 64 KiB is on the wire.",
		Expect: "For information: whether the peer refuses it, which should be with 1009: limits count what comes of inflation (RFC 7692, Section 8).",
		info:   true,
		heavy:  true,
		limit:  10 * time.Second,
		steps:  []step{sendMade(bomb), countUntilClose},
	}, {
		ID:     "inflation/7692.8/10000-empty-blocks",
		About:  "Sends a compressed message of 10,000 empty blocks.",
		Expect: "For information: whether the peer takes it as an empty message, or refuses work that yields nothing (RFC 7692, Section 8).",
		info:   true,
		limit:  10 * time.Second,
		steps:  []step{send(deflated(frame.OpText, strings.Repeat("000000ffff", 10000)+"00")), countUntilClose},
	}}
}

// echoesOrFails expects the echo of a text, or that the connection fails with
// 1007. The echo of a part is tolerable, if that is not empty.
func echoesOrFails(echo, part string) step {
	return func(s *session) error {
		e, err := s.next(s.deadline)
		if err != nil && !errors.Is(err, errSilent) {
			return err
		}
		if err == nil && part != "" && textEcho(part).is(e) {
			s.tolerate("the %s dropped the rest of the message", s.peer())
			return closes(s)
		}
		if err == nil {
			s.unread = append(s.unread, e)
			if e.kind == gotClose || e.kind == gotEnd {
				return s.failed([]frame.CloseCode{1007, 1002})
			}
		}
		if err := s.receive(textEcho(echo)); err != nil {
			return err
		}
		s.inform("the message came back")
		return closes(s)
	}
}

// echoesOrGivesUp is echoesOrFails, where failing is tolerable.
func echoesOrGivesUp(echo string) step {
	return func(s *session) error {
		err := echoesOrFails(echo, "")(s)
		if err == nil && s.code != frame.CloseNormalClosure {
			s.tolerate("the %s failed the connection", s.peer())
		}
		return err
	}
}

// failsOrEchoes expects that the connection fails with 1007. A message that comes
// back instead is tolerable, for the reason given.
func failsOrEchoes(why string) step {
	return func(s *session) error {
		e, err := s.next(s.deadline)
		if err == nil && e.kind == gotMessage {
			s.tolerate("%s", strings.Replace(why, "the peer", "the "+s.peer(), 1))
			return closes(s)
		}
		if err != nil && !errors.Is(err, errSilent) {
			return err
		}
		if err == nil {
			s.unread = append(s.unread, e)
		}
		return s.failed([]frame.CloseCode{1007, 1002})
	}
}

// pingsBetween sends a compressed message in fragments of size octets with a ping
// after each but the last, and expects the pongs and the echo.
func pingsBetween(p []byte, size int) step {
	return func(s *session) error {
		var frames []raw
		var wants []want
		for i, f := range s.deflate(frame.OpBinary, p, size) {
			if i > 0 {
				frames, wants = append(frames, ping(fmt.Sprint(i))), append(wants, pongWith(fmt.Sprint(i)))
			}
			frames = append(frames, f)
		}
		if err := s.sendAll(frames...); err != nil {
			return err
		}
		return receive(append(wants, want{gotMessage, frame.OpBinary, p})...)(s)
	}
}

// sendBeyond sends a message that is compressed as if the largest window had been
// agreed to.
func sendBeyond(p []byte) step {
	return func(s *session) error {
		c, _ := deflate.NewCompressor(deflate.MaxWindowBits, deflate.NoTakeover, deflate.Fast)
		return s.sendAll(data(frame.OpBinary, c.AppendPiece(nil, p, true)).rsv(4))
	}
}

// echoesDeflated is echoesLarge for a compressed binary message.
func echoesDeflated(p []byte) step {
	return func(s *session) error {
		return s.echoedOrRefused(want{gotMessage, frame.OpBinary, p}, send(s.deflate(frame.OpBinary, p, 0)...))
	}
}
