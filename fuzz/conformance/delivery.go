package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"example.org/rfc6455/frame"
)

// deliveryCases are about what must not be lost when a connection ends: the last
// messages, and the Close frame (Sections 5.5.1 and 7.1.1).
func deliveryCases() []*Case {
	const (
		all = "All messages come back, then the answer to the Close frame: what was received before it is delivered " +
			"(Section 5.5.1). Leaving out the last echoes is tolerable, since nothing says that an echo is owed."
		arrives = "The messages come back, and the Close frame with 1002 arrives, although the peer closes TCP with octets unread " +
			"(Section 7.1.1). Losing it is tolerable."
		T = frame.OpText
	)
	var twenty []raw
	var echoes []want
	for i := range 20 {
		f := text("message " + strconv.Itoa(i))
		twenty, echoes = append(twenty, f), append(echoes, echoOf(f))
	}
	large := data(frame.OpBinary, bytes.Repeat([]byte{0xfe}, mib))
	junk := data(frame.OpBinary, make([]byte, 256*kib))
	badFrame := reservedOp(3, "no such opcode")

	return []*Case{{
		ID:    "delivery/5.5.1/text-then-close",
		About: "Sends a text message and a Close frame with 1000, in a single write.", Expect: all,
		steps: []step{send(text("the last"), closeCode(1000, "")), receiveBeforeClose(textEcho("the last")), answersClose(1000)},
	}, {
		ID:    "delivery/5.5.1/20-texts-then-close",
		About: "Sends 20 text messages and a Close frame with 1000, in a single write.", Expect: all,
		steps: []step{send(append(twenty[:20:20], closeCode(1000, ""))...), receiveBeforeClose(echoes...), answersClose(1000)},
	}, {
		ID:    "delivery/5.5.1/1MiB-then-close",
		About: "Sends a binary message of 1 MiB and a Close frame with 1000, in a single write.", Expect: all,
		limit: 10 * time.Second,
		steps: []step{send(large, closeCode(1000, "")), receiveBeforeClose(echoOf(large)), answersClose(1000)},
	}, {
		ID:    "delivery/7.1.1/20-texts-then-bad-frame",
		About: "Sends 20 text messages and a frame with a reserved opcode, in a single write.", Expect: arrives,
		steps: []step{send(append(twenty[:20:20], badFrame)...), echoesThenFails(1002, echoes...)},
	}, {
		ID:    "delivery/7.1.1/1MiB-then-bad-frame",
		About: "Sends a binary message of 1 MiB and a frame with a reserved opcode, in a single write.", Expect: arrives,
		limit: 10 * time.Second,
		steps: []step{send(large, badFrame), echoesThenFails(1002, echoOf(large))},
	}, {
		ID:    "delivery/7.1.1/bad-frame-then-256KiB",
		About: "Sends a text message, a frame with a reserved opcode and 256 KiB more, in a single write.", Expect: arrives,
		limit: 5 * time.Second,
		steps: []step{send(text("good"), badFrame, junk), echoesThenFails(1002, textEcho("good"))},
	}, {
		ID:     "delivery/1.4/close-then-256KiB",
		About:  "Sends a Close frame with 1000 and 256 KiB more, in a single write.",
		Expect: "The Close frame is answered, and the answer arrives: what follows is discarded (Section 1.4).",
		limit:  5 * time.Second,
		steps:  []step{send(closeCode(1000, ""), junk), answersClose(1000)},
	}, {
		ID:    "delivery/7.1.1/half-close",
		About: "Sends a text message and ends its side of TCP, without a Close frame.",
		Expect: "The message comes back, and the peer ends its side of TCP as well (Section 7.1.1). " +
			"Leaving the echo out is tolerable.",
		steps: []step{send(text("the last")), halfClose, receiveBeforeEnd(textEcho("the last")), endsSomehow},
	}, {
		ID:    "delivery/7.1.1/20-half-close",
		About: "Sends 20 text messages and ends its side of TCP, without a Close frame.",
		Expect: "The messages come back, and the peer ends its side of TCP as well (Section 7.1.1). " +
			"Leaving the last echoes out is tolerable.",
		steps: []step{send(twenty...), halfClose, receiveBeforeEnd(echoes...), endsSomehow},
	}, {
		ID:     "delivery/7.1.1/half-close-in-frame",
		About:  "Sends half a text frame and ends its side of TCP.",
		Expect: "Nothing comes back: a message that was cut off was never received (Section 6.2). The peer ends its side of TCP as well.",
		steps:  []step{beginText("cut off here", 6), halfClose, endsSomehow},
	}, {
		ID:     "delivery/7.1.1/half-close-in-header",
		About:  "Sends the first octet of a frame and ends its side of TCP.",
		Expect: "The peer ends its side of TCP as well (Section 7.1.1).",
		steps:  []step{beginText("cut off here", -5), halfClose, endsSomehow},
		Peers:  Servers,
	}, {
		ID:     "delivery/7.1.1/half-close-between-fragments",
		About:  "Sends the first fragment of a message and ends its side of TCP.",
		Expect: "Nothing comes back: a message that was cut off was never received (Section 6.2). The peer ends its side of TCP as well.",
		steps:  []step{send(first(T, "cut off")), halfClose, endsSomehow},
	}, {
		ID:     "delivery/7.1.1/50-connections",
		About:  "Opens 50 connections one after the other, and on each sends a text message, a frame with a reserved opcode and 16 KiB more.",
		Expect: "On each the message comes back and the Close frame with 1002 arrives. Losing one of them is tolerable.",
		Peers:  Servers,
		limit:  2 * time.Second,
		open:   func(*session) error { return nil },
		steps:  []step{many(50, send(text("good"), badFrame, data(frame.OpBinary, make([]byte, 16*kib))), echoesThenFails(1002, textEcho("good")))},
	}, {
		ID:     "delivery/5.5.1/50-closes",
		About:  "Opens 50 connections one after the other, and on each sends a text message and a Close frame with 1000.",
		Expect: all,
		Peers:  Servers,
		limit:  2 * time.Second,
		open:   func(*session) error { return nil },
		steps:  []step{many(50, send(text("the last"), closeCode(1000, strings.Repeat("x", 100))), receiveBeforeClose(textEcho("the last")), answersClose(1000))},
	}}
}

// receiveBeforeClose is receive where a Close frame may come instead of the rest.
func receiveBeforeClose(wants ...want) step {
	return receiveBefore(gotClose, wants)
}

// receiveBeforeEnd is receive where the end may come instead of the rest.
func receiveBeforeEnd(wants ...want) step {
	return receiveBefore(gotEnd, wants)
}

func receiveBefore(end kind, wants []want) step {
	return func(s *session) error {
		for i, w := range wants {
			e, err := s.next(s.deadline)
			if err != nil && !errors.Is(err, errSilent) {
				return err
			}
			if err == nil {
				s.unread = append(s.unread, e)
			}
			if err == nil && (e.kind == end || end == gotEnd && e.kind == gotClose) {
				s.tolerate("only %d of %d messages came back", i, len(wants))
				return nil
			}
			if err := s.receive(w); err != nil {
				return err
			}
		}
		return nil
	}
}

// many does steps on n connections.
func many(n int, steps ...step) step {
	return func(s *session) error {
		for i := range n {
			s.unread, s.closeSent = nil, false
			for _, step := range append([]step{opened}, steps...) {
				if err := step(s); err != nil {
					return fmt.Errorf("connection %d of %d: %w", i+1, n, err)
				}
			}
			s.w.close()
		}
		return nil
	}
}
