package conformance

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"example.org/rfc6455/frame"
)

// controlCases are about pings and pongs (Sections 5.5, 5.5.2 and 5.5.3).
func controlCases() []*Case {
	const (
		samePong = "A pong with the same payload comes back, and the closing handshake is clean (Section 5.5.3)."
		noReply  = "Nothing comes back but the answer to the Close frame: a pong that nobody asked for is legal and is not answered (Section 5.5.3)."
		tooLong  = wantFailed + "a control frame has at most 125 octets of payload (Section 5.5)."
	)
	long := strings.Repeat("\xfe", 125)
	answered := func(f raw) []step {
		return []step{send(f), receive(pongWith(string(f.payload))), quiet(settle), closes}
	}
	cases := []*Case{{
		ID: "control/5.5.2/ping-empty", Known: "2.1",
		About: "Sends a ping without payload.", Expect: samePong,
		steps: answered(ping("")),
	}, {
		ID: "control/5.5.2/ping-text", Known: "2.2",
		About: "Sends a ping with 13 octets of text.", Expect: samePong,
		steps: answered(ping("Hello, world!")),
	}, {
		ID: "control/5.5.2/ping-binary", Known: "2.3",
		About: "Sends a ping with 8 octets that are not UTF-8.", Expect: samePong,
		steps: answered(ping("\x00\xff\xfe\xfd\xfc\xfb\x00\xff")),
	}, {
		ID: "control/5.5.2/ping-125", Known: "2.4",
		About: "Sends a ping of 125 octets.", Expect: samePong,
		steps: answered(ping(long)),
	}, {
		ID: "control/5.5/ping-126", Known: "2.5",
		About: "Sends a ping of 126 octets.", Expect: tooLong,
		steps: []step{send(ping(long + "\xfe")), fails(1002)},
	}, {
		ID: "control/5.5.2/ping-125-by-1", Known: "2.6",
		About: "Sends a ping of 125 octets, one octet at a time.", Expect: samePong,
		limit: 2 * time.Second,
		steps: []step{sendBy(1, ping(long)), receive(pongWith(long)), quiet(settle), closes},
	}, {
		ID: "control/5.5.3/pong-unsolicited-empty", Known: "2.7",
		About: "Sends a pong without payload that nobody asked for, then closes with 1000.", Expect: noReply,
		steps: []step{send(pong("")), closes},
	}, {
		ID: "control/5.5.3/pong-unsolicited", Known: "2.8",
		About: "Sends a pong of 24 octets that nobody asked for, then closes with 1000.", Expect: noReply,
		steps: []step{send(pong("nobody asked for a pong.")), closes},
	}, {
		ID: "control/5.5.3/pong-then-ping", Known: "2.9",
		About:  "Sends a pong that nobody asked for, then a ping.",
		Expect: "Exactly one pong comes back, with the payload of the ping (Section 5.5.3).",
		steps:  []step{send(pong("unasked"), ping("asked for it")), receive(pongWith("asked for it")), quiet(settle), closes},
	}}

	var pings []raw
	var pongs []want
	for i := range 10 {
		f := ping("payload-" + strconv.Itoa(i))
		pings, pongs = append(pings, f), append(pongs, pongWith(string(f.payload)))
	}
	const all = "A pong for each comes back, in order. Section 5.5.3 would let a peer answer only the newest of pings that wait; " +
		"none waits here for long, and users of the well-known suite count on all ten."
	cases = append(cases, &Case{
		ID: "control/5.5.3/ten-pings", Known: "2.10",
		About: "Sends ten pings, each in a write of its own, without waiting.", Expect: all,
		limit: 3 * time.Second,
		steps: []step{sendEach(pings...), receive(pongs...), quiet(settle), closes},
	}, &Case{
		ID: "control/5.5.3/ten-pings-by-1", Known: "2.11",
		About: "Sends ten pings, one octet at a time, without waiting.", Expect: all,
		limit: 3 * time.Second,
		steps: []step{sendBy(1, pings...), receive(pongs...), quiet(settle), closes},
	})

	cases = append(cases, &Case{
		ID:     "control/5.5.2/ping-every-length",
		About:  "Sends pings of 0 to 125 octets, each when the pong before has come.",
		Expect: "A pong with the same payload comes back for each (Section 5.5.3).",
		limit:  5 * time.Second,
		steps:  []step{pingEveryLength, closes},
	}, &Case{
		ID:     "control/5.5.2/ping-before-message",
		About:  "Sends a ping and a text message in a single write.",
		Expect: "The pong comes first, then the echo: a ping is answered as soon as is practical (Section 5.5.2).",
		steps:  []step{send(ping("first"), text("second")), receive(pongWith("first"), textEcho("second")), closes},
	})
	for _, f := range []struct {
		name, about string
		raw         raw
	}{
		{"pong-126", "a pong of 126 octets", pong(long + "\xfe")},
		{"ping-65536", "a ping of 65536 octets", ping(strings.Repeat("\xfe", 65536))},
		{"ping-in-16-bits", "a ping of 5 octets, with the length in 16 bits", ping("Hello").lengthIn(16)},
		{"ping-in-64-bits", "a ping of 5 octets, with the length in 64 bits", ping("Hello").lengthIn(64)},
	} {
		cases = append(cases, &Case{
			ID:     "control/5.5/" + f.name,
			About:  "Sends " + f.about + ".",
			Expect: tooLong,
			steps:  []step{send(f.raw), fails(1002)},
		})
	}
	return append(cases, &Case{
		ID:     "control/5.5/ping-2-62",
		About:  "Sends the header of a ping of 2^62 octets.",
		Expect: tooLong + " 1009 is tolerable.",
		steps:  []step{send(ping("").declare(1 << 62)), fails(1002, 1009)},
	}, &Case{
		ID:     "control/5.5/ping-then-pong-126",
		About:  "Sends a ping, a text message and a pong of 126 octets, in a single write.",
		Expect: "The ping and the message are answered; then the connection fails with 1002 (Section 5.5).",
		steps: []step{
			send(ping("good"), text("message"), data(frame.OpPong, []byte(long+"\xfe"))),
			echoesThenFails(1002, pongWith("good"), textEcho("message")),
		},
	})
}

func pingEveryLength(s *session) error {
	s.await()
	deadline := s.deadline
	for length := range frame.MaxControlPayload + 1 {
		payload := strings.Repeat("\x00\x80\xff~", 32)[:length]
		if err := s.sendAll(ping(payload)); err != nil {
			return err
		}
		s.deadline = deadline
		if err := s.receive(pongWith(payload)); err != nil {
			return err
		}
	}
	return nil
}

// pongsUpTo expects pongs for n pings whose payloads count from 0. Section 5.5.3
// lets a peer answer only the newest of those that wait, so some may be missing,
// but not the last.
func pongsUpTo(n int) step {
	return func(s *session) error {
		for at := 0; at < n; {
			e, err := s.next(s.deadline)
			switch {
			case errors.Is(err, errSilent):
				return fmt.Errorf("the pong for the last of %d pings did not come within %v", n, s.patience())
			case err != nil:
				return err
			case e.kind != gotPong:
				return fmt.Errorf("%s, where pongs were due", s.tell(e))
			}
			i, err := strconv.Atoi(string(e.payload))
			if err != nil || i < at || i >= n {
				return fmt.Errorf("%s, which no ping waits for", s.tell(e))
			}
			at = i + 1
		}
		return nil
	}
}
