package fuzz_test

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"sync/atomic"
	"testing"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/internal/reference"
)

var frameCount = flag.Int("frames", 0, "how many frames the sequences of TestSequences have; 0 means 3, or 2 under the race detector and before fuzzing")

// TestHeaders tries all headers: each value of the first two octets, with the
// lengths at the edges where there is room for them, as the first frame and inside a
// message, in both roles, with and without an extension.
func TestHeaders(t *testing.T) {
	lengths := map[byte][]uint64{
		126: {0, 1, 125, 126, 127, 65535},
		127: {0, 125, 126, 65535, 65536, 1 << 32, 1<<63 - 1, 1 << 63, 1<<64 - 1},
	}
	headers := 0
	for v := range 1 << 16 {
		head := []byte{byte(v >> 8), byte(v)}
		list, ok := lengths[head[1]&127]
		if !ok {
			list = []uint64{0}
		}
		for _, length := range list {
			wire := bytes.Clone(head)
			switch head[1] & 127 {
			case 126:
				wire = binary.BigEndian.AppendUint16(wire, uint16(length))
			case 127:
				wire = binary.BigEndian.AppendUint64(wire, length)
			}
			if head[1]&128 != 0 {
				wire = append(wire, 0x37, 0xfa, 0x21, 0x3d)
			}
			wire = append(wire, "\x7f\x9f\x4d"...)
			headers++
			for i := range 8 {
				r := reference.Receiver{Server: i&1 != 0, Deflate: i&2 != 0}
				octets := wire
				if i&4 != 0 {
					octets = append(encode(r, 0x01, nil), wire...)
				}
				want, broken, at := r.Frames(octets)
				checkDecoder(t, r, [][]byte{bytes.Clone(octets)}, want, errOf[broken], at)
			}
		}
	}
	t.Logf("%d headers", headers)
}

// TestTexts tries all texts of two octets, and all of three and four whose last
// octets are at the edges of what may follow, alone and behind 100 octets of ASCII.
func TestTexts(t *testing.T) {
	texts := 0
	front := bytes.Repeat([]byte("a"), 100)
	try := func(p ...byte) {
		texts++
		good, complete := reference.Text(p)
		for _, before := range [][]byte{nil, front} {
			var u frame.UTF8
			n := u.Next(append(before, p...))
			if n != len(before)+good || u.Complete() != (good == len(p) && complete) {
				t.Fatalf("%x behind %d octets: %d may be right, complete %t; want %d, %t", p, len(before), n-len(before), u.Complete(), good, complete)
			}
		}
	}
	edges := []byte{0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff}
	for v := range 1 << 16 {
		one, two := byte(v>>8), byte(v)
		try(one, two)
		if one < 0xe0 {
			continue
		}
		for _, three := range edges {
			try(one, two, three)
			for _, four := range edges {
				try(one, two, three, four)
			}
		}
	}
	t.Logf("%d texts", texts)
}

// encode encodes a frame for r whose first octet and payload are given.
func encode(r reference.Receiver, first byte, payload []byte) []byte {
	return encodeAs(r, r.Server, first, uint64(len(payload)), 0, payload)
}

// encodeAs encodes a frame with any length, in the fewest octets or in more: 2 or 8.
func encodeAs(r reference.Receiver, masked bool, first byte, length uint64, size int, payload []byte) []byte {
	var bit byte
	if masked {
		bit = 0x80
	}
	var b []byte
	switch {
	case size == 8, size == 0 && length > 65535:
		b = binary.BigEndian.AppendUint64([]byte{first, bit | 127}, length)
	case size == 2, size == 0 && length > 125:
		b = binary.BigEndian.AppendUint16([]byte{first, bit | 126}, uint16(length))
	default:
		b = []byte{first, bit | byte(length)}
	}
	if !masked {
		return append(b, payload...)
	}
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	b = append(b, key[:]...)
	for i, c := range payload {
		b = append(b, c^key[i%4])
	}
	return b
}

// scopeLimit is the MaxMessage of TestSequences: two fragments of 126 octets keep
// within it, three do not.
const scopeLimit = 300

// alphabet returns the frames that TestSequences puts together: all opcodes, legal
// and broken headers, and payloads that are right, wrong and halves of what is right.
func alphabet(t testing.TB, r reference.Receiver) (frames [][]byte) {
	add := func(first byte, payload string) { frames = append(frames, encode(r, first, []byte(payload))) }
	as := func(masked bool, first byte, length uint64, size int, n int) {
		frames = append(frames, encodeAs(r, masked, first, length, size, bytes.Repeat([]byte("a"), n)))
	}
	long := func(n int) string { return string(bytes.Repeat([]byte("a"), n)) }
	for _, op := range []byte{0, 1, 2} {
		for _, fin := range []byte{0, 0x80} {
			for _, p := range []string{"", "a", "\xc3", "\xa4", "\xff", long(125), long(126)} {
				add(fin|op, p)
			}
		}
	}
	add(0x81, long(scopeLimit))
	add(0x82, long(scopeLimit+1))
	for _, p := range []string{"", "hi", long(125)} {
		add(0x89, p)
	}
	add(0x8a, "hi")
	for _, p := range []string{"", "\x03", "\x03\xe8", "\x03\xe9bye", "\x03\xe8" + long(123), "\x03\xe8\xff", "\x03\xe8\xc3"} {
		add(0x88, p)
	}
	for _, code := range []uint16{0, 999, 1003, 1004, 1005, 1006, 1007, 1014, 1015, 1016, 2999, 3000, 4999, 5000, 65535} {
		add(0x88, string(binary.BigEndian.AppendUint16(nil, code)))
	}
	// What permessage-deflate uses, or nothing does.
	for _, p := range []string{"f248cdc9c90700", "", "00", "06", "000100feffff", "f348cdc9c9070000"} {
		add(0xc1, string(unhex(t, p)))
	}
	add(0x41, string(unhex(t, "f248cd")))
	add(0x80, string(unhex(t, "c9c90700")))
	add(0xc2, string(unhex(t, "4a4c1c05a360140c770000"))) // more octets than scopeLimit
	for _, first := range []byte{0x40, 0xc0, 0xc8, 0xc9, 0xca, 0xa1, 0x91, 0xa0, 0x99, 0xf2} {
		add(first, "a")
	}
	for op := range byte(16) {
		if op > 2 && op < 8 || op > 10 {
			add(0x80|op, "")
		}
	}
	for _, op := range []byte{8, 9, 10} {
		add(op, "")
		as(r.Server, 0x80|op, 126, 0, 126)
		as(r.Server, 0x80|op, 5, 2, 5)
		as(!r.Server, 0x80|op, 2, 0, 2)
	}
	for _, op := range []byte{0x80, 0x81, 0x02} {
		as(!r.Server, op, 1, 0, 1)
		as(r.Server, op, 125, 2, 125)
		as(r.Server, op, 126, 8, 126)
		as(r.Server, op, 65535, 8, 0)
		as(r.Server, op, 1<<63, 8, 0)
		as(r.Server, op, 1<<63-1, 8, 0)
		as(r.Server, op, scopeLimit+1, 0, 0)
	}
	return frames
}

// TestSequences sends all sequences of a few frames of a small alphabet to a
// connection, in both roles, with and without permessage-deflate, at once and octet
// by octet, and expects what the reference makes of them. Sequences are not continued
// once they have ended the connection, except by one frame where there is time.
func TestSequences(t *testing.T) {
	depth := *frameCount
	if depth == 0 {
		depth = 3
		if raceEnabled || *mutateFor != "" || flag.Lookup("test.fuzz").Value.String() != "" {
			depth = 2
		}
	}
	for i := range 4 {
		r := reference.Receiver{Server: i&1 != 0, Deflate: i&2 != 0, MaxMessage: scopeLimit}
		t.Run(fmt.Sprintf("server=%t/deflate=%t", r.Server, r.Deflate), func(t *testing.T) {
			t.Parallel()
			s := scope{r: r, frames: alphabet(t, r)}
			s.extend(t, nil, depth)
			t.Logf("%d frames, %d sequences of at most %d", len(s.frames), s.sequences.Load(), depth)
		})
	}
}

type scope struct {
	r         reference.Receiver
	frames    [][]byte
	sequences atomic.Int64
}

// extend tries the sequences that begin with prefix and go on for up to n frames.
func (s *scope) extend(t *testing.T, prefix []byte, n int) {
	for _, f := range s.frames {
		octets := append(prefix[:len(prefix):len(prefix)], f...)
		want := s.r.Receive(octets)
		s.try(t, octets, want)
		switch {
		case t.Failed():
			return // one is enough
		case n == 1:
		case want.End.How == reference.Lost:
			s.extend(t, octets, n-1)
		case len(prefix) == 0 && !raceEnabled:
			// What follows the end changes nothing.
			for _, f := range s.frames {
				s.try(t, append(octets[:len(octets):len(octets)], f...), want)
			}
		}
	}
}

// try sends octets to connections and expects an outcome.
func (s *scope) try(t *testing.T, octets []byte, want reference.Outcome) {
	s.sequences.Add(1)
	for _, list := range [][][]byte{{nil, octets}, {octets}, pieces(octets, bytes.Repeat([]byte{1}, min(len(octets), 20)))} {
		for i := range list {
			list[i] = bytes.Clone(list[i])
		}
		got := receive(t, s.r, list, nil)
		got.check(t, s.r, want)
	}
	if t.Failed() {
		t.Fatalf("that was %+v receiving %x", s.r, octets)
	}
}
