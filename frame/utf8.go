package frame

import (
	"encoding/binary"

	"example.org/rfc6455/mask"
)

// A UTF8 validates text that comes in pieces (RFC 6455, Section 8.1), and finds
// the first octet that cannot be right as soon as that octet is there. The zero
// value is ready; assigning it makes ready for the next text.
type UTF8 struct {
	state uint8
}

// Next takes the next octets of the text. It returns how many of them may be
// right: len(p) if all may, else the index of the first that cannot, whatever
// follows. From then on the text is broken and no octet is accepted.
//
// Next does not retain p.
func (u *UTF8) Next(p []byte) (n int) {
	if u.state != complete {
		return u.resume(p)
	}
	if n = len(p); 8 <= n && n <= 16 && (word(p)|word(p[n-8:]))&notASCII == 0 {
		return n // two words that may overlap: sooner done than a call
	}
	if n = valid(p); n < len(p) {
		n += u.words(p[n:])
	}
	return n
}

// Unmask does in one pass what [mask.Apply] and Next do in two: it unmasks the
// next octets of the text with k, all of p in any case, and returns what Next
// returns then. The key for the octets that follow is k.Rotate(len(p)).
//
// Unmask modifies p in place and does not retain it.
func (u *UTF8) Unmask(p []byte, k mask.Key) (n int) {
	done := 0
	if u.state == complete {
		n, done = unmaskValid(p, k)
	}
	if n < len(p) {
		n += u.unmaskRest(p, k, n, done)
	}
	return n
}

// unmaskRest unmasks p[done:] with k and returns what Next returns for p[from:].
func (u *UTF8) unmaskRest(p []byte, k mask.Key, from, done int) (n int) {
	mask.Apply(p[done:], k.Rotate(done))
	return u.Next(p[from:])
}

// resume is Next in the middle of a code point, or after an impossible octet.
func (u *UTF8) resume(p []byte) (n int) {
	for n < len(p) && u.slow(uint64(u.state), p[n:n+1]) == 1 {
		if n++; u.state == complete {
			return n + u.Next(p[n:])
		}
	}
	return n
}

// words is Next where a code point may begin. It takes words of ASCII at once.
func (u *UTF8) words(p []byte) (n int) {
	s, rest := uint64(complete), p
	for len(rest) > 32 {
		b := (*[32]byte)(rest)
		if s != complete || (word(b[0:8])|word(b[8:16])|word(b[16:24])|word(b[24:32]))&notASCII != 0 {
			before := s
			for i := 0; i < 32; i += 8 {
				if w := b[i : i+8]; s != complete || word(w)&notASCII != 0 {
					s = next4(next4(s, (*[4]byte)(w)), (*[4]byte)(w[4:]))
				}
			}
			if s == broken {
				return len(p) - len(rest) + u.slow(before, rest)
			}
		}
		rest = rest[32:]
	}
	for len(rest) >= 8 {
		if s != complete || word(rest)&notASCII != 0 {
			before := s
			if s = next8(s, (*[8]byte)(rest)); s == broken {
				return len(p) - len(rest) + u.slow(before, rest)
			}
		}
		rest = rest[8:]
	}
	// What is left is often ASCII, as the word that overlaps it may show at once.
	if s == complete && len(p) >= 8 && word(p[len(p)-8:])&notASCII == 0 {
		u.state = complete
		return len(p)
	}
	return len(p) - len(rest) + u.slow(s, rest)
}

// slow continues from state s with each octet of p, sets the state and returns
// what Next returns for p.
func (u *UTF8) slow(s uint64, p []byte) (n int) {
	for n < len(p) {
		if s = transitions[p[n]] >> s & stateMask; s == broken {
			break
		}
		n++
	}
	u.state = uint8(s)
	return n
}

// Complete reports whether the text may end here: nothing in it was wrong, and
// no code point is half done.
func (u *UTF8) Complete() bool { return u.state == complete }

// notASCII holds the bits that are clear in eight octets of ASCII.
const notASCII = 0x8080808080808080

func word(p []byte) uint64 { return binary.LittleEndian.Uint64(p) }

// next4 returns the state after s and four octets.
func next4(s uint64, w *[4]byte) uint64 {
	s = transitions[w[0]] >> (s & stateMask)
	s = transitions[w[1]] >> (s & stateMask)
	s = transitions[w[2]] >> (s & stateMask)
	return transitions[w[3]] >> (s & stateMask) & stateMask
}

// next8 is next4 twice. It is not inlined, which keeps Next fast for short ASCII.
func next8(s uint64, w *[8]byte) uint64 {
	return next4(next4(s, (*[4]byte)(w[:4])), (*[4]byte)(w[4:]))
}

// The validator is a finite automaton over the octets of RFC 3629, Section 4. A
// state is a shift: what follows state s on octet c are the lowest six bits of
// transitions[c] >> s. A step thus costs a load and a shift, with no branch,
// and the load does not wait for the step before. The table takes 2 KiB.
const (
	complete  = 6 * iota // zero: a code point may begin, and the text may end
	broken               // for ever
	tail1                // 1 more of 80-BF
	tail2                // 2 more of 80-BF
	tail3                // 3 more of 80-BF
	afterE0              // A0-BF, then as tail1: below is encoded in 2 octets
	afterED              // 80-9F, then as tail1: above are surrogates
	afterF0              // 90-BF, then as tail2: below is encoded in 3 octets
	afterF4              // 80-8F, then as tail2: above is no code point
	stateMask = 63
)

var transitions = func() (t [256]uint64) {
	for c := range t {
		t[c] = broken<<complete | broken<<broken | broken<<tail1 | broken<<tail2 | broken<<tail3 |
			broken<<afterE0 | broken<<afterED | broken<<afterF0 | broken<<afterF4
	}
	for _, r := range [...]struct{ from, first, last, to int }{
		{complete, 0x00, 0x7f, complete},
		{complete, 0xc2, 0xdf, tail1},
		{complete, 0xe0, 0xe0, afterE0},
		{complete, 0xe1, 0xec, tail2},
		{complete, 0xed, 0xed, afterED},
		{complete, 0xee, 0xef, tail2},
		{complete, 0xf0, 0xf0, afterF0},
		{complete, 0xf1, 0xf3, tail3},
		{complete, 0xf4, 0xf4, afterF4},
		{tail1, 0x80, 0xbf, complete},
		{tail2, 0x80, 0xbf, tail1},
		{tail3, 0x80, 0xbf, tail2},
		{afterE0, 0xa0, 0xbf, tail1},
		{afterED, 0x80, 0x9f, tail1},
		{afterF0, 0x90, 0xbf, tail2},
		{afterF4, 0x80, 0x8f, tail2},
	} {
		for c := r.first; c <= r.last; c++ {
			t[c] = t[c]&^(stateMask<<r.from) | uint64(r.to)<<r.from
		}
	}
	return t
}()
