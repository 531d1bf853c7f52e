package conformance

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/rfc6455/frame"
)

// closeCases are about Close frames and the closing handshake (Sections 5.5.1 and
// 7). What the well-known suite calls a wrong code makes these cases fail.
func closeCases() []*Case {
	const (
		same    = "A Close frame with the same code comes back, nothing else, and the connection ends (Section 5.5.1)."
		ignored = same + " What comes after a Close frame means nothing (Sections 1.4 and 5.5.1)."
		refused = "The peer fails the connection with 1002: "
		T       = frame.OpText
	)
	cases := []*Case{{
		ID: "close/7.1.2/echo-then-close", Known: "7.1.1",
		About: "Sends a text message, and closes with 1000 when it has come back.", Expect: same,
		steps: []step{send(text("Hello, world!")), receive(textEcho("Hello, world!")), closes},
	}, {
		ID: "close/5.5.1/twice", Known: "7.1.2",
		About: "Sends two Close frames, with 1000 and empty.", Expect: ignored,
		steps: []step{send(closeCode(1000, ""), closing("")), answersClose(1000)},
	}, {
		ID: "close/5.5.1/ping-after-close", Known: "7.1.3",
		About: "Sends a Close frame and a ping.", Expect: ignored,
		steps: []step{send(closeCode(1000, ""), ping("")), answersClose(1000)},
	}, {
		ID: "close/5.5.1/text-after-close", Known: "7.1.4",
		About: "Sends a Close frame and a text message.", Expect: ignored,
		steps: []step{send(closeCode(1000, ""), text("Hello, world!")), answersClose(1000)},
	}, {
		ID: "close/5.5.1/fragment-after-close", Known: "7.1.5",
		About: "Sends the first fragment of a message, a Close frame, and the last fragment.", Expect: ignored,
		steps: []step{send(first(T, "fragment1"), closeCode(1000, ""), last("fragment2")), answersClose(1000)},
	}, {
		ID: "close/5.5.1/after-large-message", Known: "7.1.6",
		About:  "Sends text messages of 256 KiB and of 12 octets, a Close frame with 1000 and a ping, in a single write.",
		Expect: "For information: how much is echoed before the answer to the Close frame.",
		info:   true,
		steps:  []step{send(text(strings.Repeat("BAsd7&jh23", 26215)[:256<<10]), text("Hello world!"), closeCode(1000, ""), ping("")), countUntilClose},
	}, {
		ID: "close/5.5.1/empty", Known: "7.3.1",
		About:  "Sends an empty Close frame.",
		Expect: "A Close frame comes back, empty or with 1000, and the connection ends (Sections 5.5.1 and 7.1.5).",
		steps:  []step{send(closing("")), answersClose(frame.CloseNoStatusReceived, 1000)},
	}, {
		ID: "close/5.5.1/one-octet", Known: "7.3.2",
		About: "Sends a Close frame with a payload of one octet.", Expect: refused + "a payload begins with a code of two octets (Section 5.5.1).",
		steps: []step{send(closing("a")), fails(1002)},
	}, {
		ID: "close/5.5.1/code", Known: "7.3.3",
		About: "Sends a Close frame with 1000.", Expect: same,
		steps: []step{send(closeCode(1000, "")), answersClose(1000)},
	}, {
		ID: "close/5.5.1/reason", Known: "7.3.4",
		About: "Sends a Close frame with 1000 and a reason of 12 octets.", Expect: same,
		steps: []step{send(closeCode(1000, "Hello World!")), answersClose(1000)},
	}, {
		ID: "close/5.5.1/reason-123", Known: "7.3.5",
		About: "Sends a Close frame with 1000 and a reason of 123 octets.", Expect: same,
		steps: []step{send(closeCode(1000, strings.Repeat("*", 123))), answersClose(1000)},
	}, {
		ID: "close/5.5.1/reason-124", Known: "7.3.6",
		About: "Sends a Close frame with 1000 and a reason of 124 octets.", Expect: refused + "a control frame has at most 125 octets of payload (Section 5.5).",
		steps: []step{send(closeCode(1000, strings.Repeat("*", 124))), fails(1002)},
	}, {
		ID: "close/5.5.1/reason-not-utf8", Known: "7.5.1",
		About:  "Sends a Close frame with 1000 and a reason with a surrogate in it.",
		Expect: "The peer fails the connection with 1007, or with 1002: a reason is UTF-8 (Sections 5.5.1 and 8.1).",
		steps:  []step{send(closeCode(1000, greekWord+"\xed\xa0\x80"+edited)), failsEither(1007, 1002)},
	}}
	for i, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		cases = append(cases, validCode(code, fmt.Sprintf("7.7.%d", i+1)))
	}
	for _, code := range []int{3001, 4001} {
		cases = append(cases, validCode(code, ""))
	}
	for _, code := range []int{1012, 1013, 1014} {
		c := validCode(code, "")
		c.Expect += " So is 1002 of a peer that is older than the code: IANA has registered it after the RFC."
		c.steps = []step{send(closeCode(code, "")), answersClose(frame.CloseCode(code), 1000, 1002)}
		cases = append(cases, c)
	}
	for i, code := range []int{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999} {
		cases = append(cases, invalidCode(code, fmt.Sprintf("7.9.%d", i+1)))
	}
	for _, code := range []int{1, 500, 1015, 1999, 2500} {
		cases = append(cases, invalidCode(code, ""))
	}
	for i, code := range []int{5000, 65535} {
		cases = append(cases, &Case{
			ID: fmt.Sprintf("close/7.4.2/code-%d", code), Known: fmt.Sprintf("7.13.%d", i+1),
			About:  fmt.Sprintf("Sends a Close frame with %d.", code),
			Expect: "For information: what the peer makes of a code that Section 7.4.2 says nothing of.",
			info:   true,
			steps:  []step{send(closeCode(code, "")), countUntilClose},
		})
	}
	return append(cases, otherCloseCases(same, ignored, refused)...)
}

// validCode is a case about a code that a Close frame may have.
func validCode(code int, known string) *Case {
	return &Case{
		ID: fmt.Sprintf("close/7.4/code-%d", code), Known: known,
		About:  fmt.Sprintf("Sends a Close frame with %d.", code),
		Expect: "A Close frame with the same code comes back, and the connection ends. Answering 1000 is tolerable (Sections 5.5.1 and 7.4).",
		steps:  []step{send(closeCode(code, "")), answersClose(frame.CloseCode(code), 1000)},
	}
}

// invalidCode is a case about a code that a Close frame must not have.
func invalidCode(code int, known string) *Case {
	return &Case{
		ID: fmt.Sprintf("close/7.4/code-%d", code), Known: known,
		About:  fmt.Sprintf("Sends a Close frame with %d.", code),
		Expect: "The peer fails the connection with 1002: the code must not stand in a Close frame (Section 7.4).",
		steps:  []step{send(closeCode(code, "")), fails(1002)},
	}
}

func otherCloseCases(same, ignored, refused string) []*Case {
	late := slices.Repeat([]raw{text("too late")}, 100)
	return []*Case{{
		ID:    "close/5.5.1/by-1",
		About: "Sends a Close frame with 1000 and a reason, octet by octet.", Expect: same,
		steps: []step{sendBy(1, closeCode(1000, "bye")), answersClose(1000)},
	}, {
		ID:    "close/5.5.1/reason-with-wide-code-points",
		About: "Sends a Close frame with 1000 and a reason of 123 octets that ends with a code point of four.", Expect: same,
		steps: []step{send(closeCode(1000, strings.Repeat("*", 119)+"\U0001f600")), answersClose(1000)},
	}, {
		ID:     "close/8.1/reason-cut-short",
		About:  "Sends a Close frame with 1000 and a reason whose last code point lacks an octet.",
		Expect: "The peer fails the connection with 1007, or with 1002: a reason is UTF-8 (Sections 5.5.1 and 8.1).",
		steps:  []step{send(closeCode(1000, "bye \xf0\x9f\x98")), failsEither(1007, 1002)},
	}, {
		ID:    "close/5.5.1/100-messages-after-close",
		About: "Sends a Close frame and 100 text messages.", Expect: ignored,
		steps: []step{send(append([]raw{closeCode(1000, "")}, late...)...), answersClose(1000)},
	}, {
		ID:    "close/5.5.1/bad-frame-after-close",
		About: "Sends a Close frame with 1000 and a frame with a reserved opcode.", Expect: ignored,
		steps: []step{send(closeCode(1000, ""), reservedOp(3, "ignored")), answersClose(1000)},
	}, {
		ID:    "close/5.5/126-form",
		About: "Sends a Close frame with 1000 whose length is in 16 bits.", Expect: refused + "the length is not minimally encoded (Section 5.2).",
		steps: []step{send(closeCode(1000, "").lengthIn(16)), fails(1002)},
	}, {
		ID:     "close/7.1.1/tcp-ends",
		About:  "Ends its side of TCP without a Close frame.",
		Expect: "The peer ends its side as well, with or without a Close frame (Section 7.1.1).",
		steps:  []step{halfClose, endsSomehow},
	}}
}

// failsEither is fails where both codes are as good.
func failsEither(a, b frame.CloseCode) step {
	return func(s *session) error {
		e, err := s.next(s.deadline)
		if err == nil {
			s.unread = append(s.unread, e)
			if e.code == b {
				a, b = b, a
			}
		}
		return s.failed([]frame.CloseCode{a, b})
	}
}

// countUntilClose says how many messages and pongs came, and how it ended.
func countUntilClose(s *session) error {
	messages, octets, pongs := 0, 0, 0
	deadline := time.Now().Add(2 * s.timeout)
	for {
		e, err := s.next(deadline)
		end := ""
		switch {
		case err == errSilent:
			end = "nothing more"
		case err != nil:
			return err
		case e.kind == gotMessage:
			messages, octets = messages+1, octets+len(e.payload)
		case e.kind == gotPong:
			pongs++
		default:
			if e.kind == gotClose {
				s.code = e.code
			}
			end = s.tell(e)
		}
		if end != "" {
			s.inform("%d messages with %d octets, %d pongs; then %s", messages, octets, pongs, end)
			return nil
		}
	}
}

func halfClose(s *session) error {
	s.w.closeWrite()
	s.await()
	return nil
}

// endsSomehow expects the end of TCP, perhaps after a Close frame, and no message.
func endsSomehow(s *session) error {
	for {
		e, err := s.next(s.deadline)
		switch {
		case err == errSilent:
			s.judgeClosing(Failed, "the %s left TCP open after the tester had ended its side", s.peer())
			return nil
		case err != nil:
			return err
		case e.kind == gotEnd:
			return nil
		case e.kind == gotClose:
			s.code = e.code
			continue
		}
		return fmt.Errorf("%s, where the end of TCP was due", s.tell(e))
	}
}
