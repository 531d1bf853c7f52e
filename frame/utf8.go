package frame

import "unicode/utf8"

// A UTF8 validates text that comes in pieces (RFC 6455, Section 8.1), and finds
// the first octet that cannot be right as soon as that octet is there. The zero
// value is ready; assigning it makes ready for the next text.
type UTF8 struct {
	need   uint8 // octets that the code point begun lacks, 0 to 3
	lo, hi uint8 // bounds of the next one, if need > 0
}

// Next takes the next octets of the text. It returns how many of them may be
// right: len(p) if all may, else the index of the first that cannot, whatever
// follows. From then on the text is broken and no octet is accepted.
//
// Next does not retain p.
func (u *UTF8) Next(p []byte) (n int) {
	for n < len(p) {
		if u.need == 0 && utf8.Valid(p[n:]) {
			return len(p)
		}
		if !u.step(p[n]) {
			*u = UTF8{need: 1, lo: 1, hi: 0}
			return n
		}
		n++
	}
	return n
}

func (u *UTF8) step(c byte) bool {
	if u.need > 0 {
		if c < u.lo || c > u.hi {
			return false
		}
		*u = UTF8{u.need - 1, 0x80, 0xbf}
		return true
	}
	switch {
	case c < 0x80:
	case c < 0xc2 || c > 0xf4:
		return false
	case c < 0xe0:
		*u = UTF8{1, 0x80, 0xbf}
	case c == 0xe0:
		*u = UTF8{2, 0xa0, 0xbf}
	case c == 0xed:
		*u = UTF8{2, 0x80, 0x9f}
	case c < 0xf0:
		*u = UTF8{2, 0x80, 0xbf}
	case c == 0xf0:
		*u = UTF8{3, 0x90, 0xbf}
	case c == 0xf4:
		*u = UTF8{3, 0x80, 0x8f}
	default:
		*u = UTF8{3, 0x80, 0xbf}
	}
	return true
}

// Complete reports whether the text may end here: nothing in it was wrong, and
// no code point is half done.
func (u *UTF8) Complete() bool { return u.need == 0 }
