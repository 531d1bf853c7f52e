package conformance

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/rfc6455/frame"
)

// dataKinds are the two types of messages, as the well-known numbers count them.
var dataKinds = []struct {
	name   string
	opcode frame.Opcode
	fill   string // what the well-known suite fills payloads with
}{
	{"text", frame.OpText, "*"},
	{"binary", frame.OpBinary, "\xfe"},
}

const (
	wantEcho   = "The same message comes back (the peer echoes), and the closing handshake is clean (Section 7.1.4)."
	wantFailed = "The peer fails the connection (Section 7.1.7) with 1002, and nothing comes back: "
)

// framingCases are about frames and the encoding of lengths (Section 5.2).
func framingCases() []*Case {
	var cases []*Case
	for i, kind := range dataKinds {
		for j, length := range []int{0, 125, 126, 127, 128, 65535, 65536} {
			f := data(kind.opcode, []byte(strings.Repeat(kind.fill, length)))
			c := &Case{
				ID:     fmt.Sprintf("framing/5.2/%s-%d", kind.name, length),
				Known:  fmt.Sprintf("1.%d.%d", i+1, j+1),
				About:  fmt.Sprintf("Sends a %s message of %d octets in one frame.", kind.name, length),
				Expect: wantEcho,
				steps:  []step{send(f), receive(echoOf(f)), closes},
			}
			if length > 60000 {
				c.limit = 10 * time.Second
			}
			cases = append(cases, c)
		}
		f := data(kind.opcode, []byte(strings.Repeat(kind.fill, 65536)))
		cases = append(cases, &Case{
			ID:     fmt.Sprintf("framing/5.2/%s-65536-by-997", kind.name),
			Known:  fmt.Sprintf("1.%d.8", i+1),
			About:  fmt.Sprintf("Sends a %s message of 65536 octets in one frame, in writes of 997 octets.", kind.name),
			Expect: wantEcho,
			limit:  10 * time.Second,
			steps:  []step{sendBy(997, f), receive(echoOf(f)), closes},
		})
	}
	return append(cases, otherFramingCases()...)
}

func otherFramingCases() []*Case {
	cases := []*Case{{
		ID:     "framing/5.2/octet-by-octet",
		About:  "Sends messages of 5, 126 and 65536 octets, the headers octet by octet.",
		Expect: wantEcho,
		steps:  []step{sendHeadsSlowly(5, 126, 65536), closes},
	}}
	var many []raw
	var echoes []want
	for i := range 1000 {
		f := text("message " + strconv.Itoa(i))
		many, echoes = append(many, f), append(echoes, echoOf(f))
	}
	cases = append(cases, &Case{
		ID:     "framing/5.2/coalesced-1000",
		About:  "Sends 1000 short text messages in a single write.",
		Expect: "All come back, in order: where TCP cuts the stream means nothing (Section 5.2).",
		limit:  5 * time.Second,
		steps:  []step{send(many...), receive(echoes...), closes},
	})
	for _, l := range []struct{ bits, length int }{{16, 0}, {16, 5}, {16, 125}, {64, 0}, {64, 125}, {64, 126}, {64, 65535}} {
		f := data(frame.OpBinary, make([]byte, l.length)).lengthIn(l.bits)
		cases = append(cases, &Case{
			ID:     fmt.Sprintf("framing/5.2/length-%d-in-%d-bits", l.length, l.bits),
			About:  fmt.Sprintf("Sends a frame of %d octets, with the length in %d bits.", l.length, l.bits),
			Expect: wantFailed + "the minimal number of octets must be used to encode a length (Section 5.2).",
			steps:  []step{send(f), fails(1002)},
		})
	}
	for _, l := range []struct {
		name   string
		length uint64
	}{{"2-63", 1 << 63}, {"2-64-minus-1", 1<<64 - 1}} {
		cases = append(cases, &Case{
			ID:     "framing/5.2/length-" + l.name,
			About:  fmt.Sprintf("Declares a length of %d octets, and sends 16 of them.", l.length),
			Expect: wantFailed + "the most significant bit of a 64-bit length must be 0 (Section 5.2).",
			steps:  []step{send(data(frame.OpBinary, make([]byte, 16)).declare(l.length)), fails(1002, 1009)},
		})
	}
	return cases
}

// sendHeadsSlowly sends messages of the given lengths, whose headers come one
// octet at a time with a pause after each, and expects the echoes.
func sendHeadsSlowly(lengths ...int) step {
	return func(s *session) error {
		for _, length := range lengths {
			f := data(frame.OpText, []byte(strings.Repeat("*", length)))
			b := s.encode(nil, f)
			head := b[:len(b)-length]
			for octet := range slices.Chunk(head, 1) {
				if err := s.write(octet); err != nil {
					return err
				}
				if err := s.sleep(5 * time.Millisecond); err != nil {
					return err
				}
			}
			if err := s.write(b[len(head):]); err != nil {
				return err
			}
			s.await()
			if err := s.receive(echoOf(f)); err != nil {
				return err
			}
		}
		return nil
	}
}
