package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"example.org/rfc6455/frame"
)

const (
	kib = 1 << 10
	mib = 1 << 20
)

// A large is how a large message is sent.
type large struct {
	opcode   frame.Opcode
	fill     string // a single octet, repeated
	size     int    // in octets
	fragment int    // octets of payload in a frame; 0 is one frame
	chop     int    // octets in a write; 0 is a single write
}

// limitCases are about large messages, and about lengths that are only declared
// (Section 10.4).
func limitCases() []*Case {
	var cases []*Case
	add := func(known, id, about string, l large) {
		cases = append(cases, &Case{
			ID: id, Known: known, About: about,
			Expect: "It comes back, and the closing handshake is clean. Refusing it with 1009, or with 1008 for its fragments, is " +
				"tolerable: how much a peer accepts is its own choice (Section 10.4).",
			limit: 30 * time.Second,
			alone: l.size > mib,
			steps: []step{echoesLarge(l), closes},
		})
	}
	for i, kind := range dataKinds {
		for j, size := range []int{64 * kib, 256 * kib, mib, 4 * mib, 8 * mib, 16 * mib} {
			add(fmt.Sprintf("9.%d.%d", 1+i, 1+j), fmt.Sprintf("limits/10.4/%s-%s", kind.name, octetCount(size)),
				fmt.Sprintf("Sends a %s message of %s in one frame.", kind.name, octetCount(size)),
				large{opcode: kind.opcode, fill: kind.fill, size: size})
		}
	}
	for i, kind := range dataKinds {
		for j, fragment := range []int{64, 256, kib, 4 * kib, 16 * kib, 64 * kib, 256 * kib, mib, 4 * mib} {
			add(fmt.Sprintf("9.%d.%d", 3+i, 1+j), fmt.Sprintf("limits/5.4/%s-4MiB-in-%s", kind.name, octetCount(fragment)),
				fmt.Sprintf("Sends a %s message of 4 MiB in fragments of %s.", kind.name, octetCount(fragment)),
				large{opcode: kind.opcode, fill: kind.fill, size: 4 * mib, fragment: fragment})
		}
	}
	for i, kind := range dataKinds {
		for j, chop := range []int{64, 128, 256, 512, 1024, 2048} {
			add(fmt.Sprintf("9.%d.%d", 5+i, 1+j), fmt.Sprintf("limits/5.2/%s-1MiB-by-%d", kind.name, chop),
				fmt.Sprintf("Sends a %s message of 1 MiB in one frame, in writes of %d octets.", kind.name, chop),
				large{opcode: kind.opcode, fill: kind.fill, size: mib, chop: chop})
		}
	}
	for _, d := range []struct {
		name   string
		length uint64
		frames []raw
	}{
		{"2-32", 1 << 32, nil},
		{"2-40", 1 << 40, nil},
		{"2-63-minus-1", 1<<63 - 1, nil},
		{"2-63-minus-1-after-fragment", 1<<63 - 1, []raw{first(frame.OpBinary, "x")}},
	} {
		f := raw{flags: frame.FIN, opcode: frame.OpBinary, payload: make([]byte, 16)}
		if d.frames != nil {
			f.opcode = frame.OpContinuation
		}
		cases = append(cases, &Case{
			ID:     "limits/10.4/declared-" + d.name,
			About:  fmt.Sprintf("Declares a frame of %d octets, and sends 16 of them.", d.length),
			Expect: "For information: whether the peer refuses it at once, which should be with 1009 (Sections 7.4.1 and 10.4), or waits for the rest.",
			info:   true,
			steps:  []step{send(append(d.frames, f.declare(d.length))...), countUntilClose},
		})
	}
	return cases
}

// octetCount writes a number of octets, such as 64KiB.
func octetCount(n int) string {
	switch {
	case n >= mib:
		return fmt.Sprintf("%dMiB", n/mib)
	case n >= kib:
		return fmt.Sprintf("%dKiB", n/kib)
	}
	return fmt.Sprint(n)
}

// errDone ends a case before its last step.
var errDone = errors.New("done")

// echoesLarge sends a large message and expects its echo, or that the peer
// refuses it.
func echoesLarge(l large) step {
	return func(s *session) error {
		payload := bytes.Repeat([]byte(l.fill), l.size)
		frames := []raw{data(l.opcode, payload)}
		if l.fragment > 0 && l.fragment < l.size {
			frames = fragments(l.opcode, payload, l.fragment)
		}
		how := send
		if l.chop > 0 {
			how = func(frames ...raw) step { return sendBy(l.chop, frames...) }
		}
		return s.echoedOrRefused(want{gotMessage, l.opcode, payload}, how(frames...))
	}
}

// echoedOrRefused sends a message and expects its echo, or that the peer refuses
// it, which is tolerable.
func (s *session) echoedOrRefused(w want, send step) error {
	if err := send(s); err != nil {
		return err
	}
	e, err := s.next(s.deadline)
	if err != nil && !errors.Is(err, errSilent) {
		return err
	}
	if err == nil {
		s.unread = append(s.unread, e)
	}
	if e.enough() {
		s.tolerate("the %s refuses such a message with %s", s.peer(), codeName(e.code))
		if err := s.failed([]frame.CloseCode{e.code}); err != nil {
			return err
		}
		return errDone
	}
	return s.receive(w)
}
