package deflate

import (
	"encoding/binary"
	"math/bits"
)

const (
	// hashed is how many octets a hash is made of, and so the shortest match.
	// Shorter ones are as frequent as they save little.
	hashed = 5
	// slowStart is the logarithm of how many octets without a match make the
	// search skip one more each time. It keeps data that does not compress cheap.
	slowStart = 5
	// niceMatch is long enough not to look for a longer one.
	niceMatch = 32
	// literalChunk is how many literals are copied at a time.
	literalChunk = 16
)

// load64 returns the eight octets of b from i on, the first one lowest, with zeros
// for those behind its end.
func load64(b []byte, i int) uint64 {
	if i+8 <= len(b) {
		return binary.LittleEndian.Uint64(b[i : i+8 : i+8])
	}
	return loadTail(b, i)
}

func loadTail(b []byte, i int) uint64 {
	var octets [8]byte
	copy(octets[:], b[i:])
	return binary.LittleEndian.Uint64(octets[:])
}

// hash returns the index of the low hashed octets of v in a table; see
// matcher.shift.
func hash(v uint64, shift uint) uint64 {
	return v << (64 - 8*hashed) * 0xcf1bbcdcb7a56463 >> (shift & 63)
}

// matchLength returns how many octets from a and from b on are the same, a
// before b, at most maxMatch. x is the first eight of them exclusive-ored, and
// their first hashed octets are the same.
func matchLength(src []byte, a, b int, x uint64) int {
	most := min(len(src)-b, maxMatch)
	n, sure := bits.TrailingZeros64(x)>>3, 8
	if most >= 16 {
		// Whether there are more than eight is hard to predict, so no branch
		// depends on it.
		n += bits.TrailingZeros64(load64(src, a+8)^load64(src, b+8)) >> 3 & -(n >> 3)
		sure = 16
	}
	if n < sure {
		return min(n, most)
	}
	for ; n < most; n += 8 {
		if x := load64(src, a+n) ^ load64(src, b+n); x != 0 {
			return min(n+bits.TrailingZeros64(x)>>3, most)
		}
	}
	return most
}

// before returns how many octets before a and before b are the same, a before b,
// at most most.
func before(src []byte, a, b, most int) int {
	if a >= 8 {
		if n := bits.LeadingZeros64(load64(src, a-8)^load64(src, b-8)) >> 3; n < 8 || most <= 8 {
			return min(n, most)
		}
	}
	n := 0
	for most = min(most, a); n < most && src[a-n-1] == src[b-n-1]; {
		n++
	}
	return n
}

// add appends src[from:to] as literals, and a match after them.
func (s *scratch) add(src []byte, from, to, length, distance int) {
	s.addLiterals(src, from, to)
	s.matches = append(s.matches, match{uint32(to - from), uint16(length - minMatch), uint16(distance - 1)})
}

// addLiterals appends src[from:to] as literals.
func (s *scratch) addLiterals(src []byte, from, to int) {
	// Most runs are short.
	if n := len(s.literals); to-from <= literalChunk && from+literalChunk <= len(src) {
		s.literals = s.literals[:n+literalChunk]
		*(*[literalChunk]byte)(s.literals[n:]) = *(*[literalChunk]byte)(src[from:])
		s.literals = s.literals[:n+to-from]
		return
	}
	s.literals = append(s.literals, src[from:to]...)
}

// matchFast finds the matches of src[start:] with one look at each place.
func (m *matcher) matchFast(s *scratch, src []byte, start int, base uint16) {
	// The last octets before start were not complete when they were compressed.
	for i := max(start-hashed+1, 0); i < start && i+hashed <= len(src); i++ {
		m.fast[hash(load64(src, i), m.shift)] = base + uint16(i)
	}
	i := start // octets from here on are not in s yet
	for {
		at, from, x := m.scan(src, i, base)
		if from < 0 {
			break
		}
		length := matchLength(src, from, at, x)
		longer := before(src, from, at, min(at-i, maxMatch-length))
		s.add(src, i, at-longer, length+longer, at-from)
		i = at + length
		if i+8 <= len(src) {
			m.fast[hash(load64(src, i-2), m.shift)] = base + uint16(i-2)
		}
	}
	s.addLiterals(src, i, len(src))
}

// scan looks for a place, not before start, that has the same octets as one
// before it, and notes the places it looks at. It returns both with the eight
// octets there exclusive-ored; from is negative if there is none.
func (m *matcher) scan(src []byte, start int, base uint16) (at, from int, x uint64) {
	table, shift, reach := m.fast, m.shift, uint(m.reach)
	i := start
	for last := len(src) - 8; i <= last; {
		v := binary.LittleEndian.Uint64(src[i : i+8 : i+8])
		h := hash(v, shift)
		from := int(table[h] - base)
		table[h] = base + uint16(i)
		// Not in reach is also what lies behind i, as from does by chance if the
		// position is old.
		if uint(i-from-1) < reach {
			x := v ^ binary.LittleEndian.Uint64(src[from:from+8:from+8])
			if x<<(64-8*hashed) == 0 {
				return i, from, x
			}
		}
		i += 1 + (i-start)>>slowStart
	}
	// The same near the end. The loop above has to do without the calls of this
	// one, which take its values out of registers.
	for ; i <= len(src)-hashed; i++ {
		v := load64(src, i)
		h := hash(v, shift)
		from := int(table[h] - base)
		table[h] = base + uint16(i)
		if uint(i-from-1) < reach {
			if x := v ^ load64(src, from); x<<(64-8*hashed) == 0 {
				return i, from, x
			}
		}
	}
	return 0, -1, 0
}

// matchGood finds the matches of src[start:] with four looks at each place, and
// leaves a match that is not nice for a longer one an octet later.
func (m *matcher) matchGood(s *scratch, src []byte, start int, base uint16) {
	last := len(src) - hashed
	for i := max(start-hashed+1, 0); i < start && i <= last; i++ {
		m.insert(src, i, base)
	}
	pending := start // octets from here on are not in s yet
	for i := start; i <= last; {
		from, length := m.longest(src, i, base, 0)
		if length == 0 {
			i += 1 + (i-pending)>>slowStart
			continue
		}
		for length < niceMatch && i < last {
			laterFrom, longer := m.longest(src, i+1, base, length)
			if longer == 0 {
				break
			}
			i, from, length = i+1, laterFrom, longer
		}
		back := before(src, from, i, min(i-pending, maxMatch-length))
		s.add(src, pending, i-back, length+back, i-from)
		pending = i + length
		for i += 2; i < pending && i <= last; i++ {
			m.insert(src, i, base)
		}
		i = pending
	}
	s.addLiterals(src, pending, len(src))
}

// insert notes that position i has the octets it has.
func (m *matcher) insert(src []byte, i int, base uint16) {
	entry := &m.good[hash(load64(src, i), m.shift)]
	*entry = *entry<<16 | uint64(base+uint16(i))
}

// longest returns the longest match at i among those noted, if it is longer
// than length, else 0. It notes i.
func (m *matcher) longest(src []byte, i int, base uint16, length int) (from, longer int) {
	v := load64(src, i)
	entry := &m.good[hash(v, m.shift)]
	candidates := *entry
	*entry = candidates<<16 | uint64(base+uint16(i))
	reach := uint(m.reach)
	for range 4 {
		at := int(uint16(candidates) - base)
		candidates >>= 16
		if uint(i-at-1) >= reach {
			continue
		}
		x := v ^ load64(src, at)
		if x<<(64-8*hashed) != 0 {
			continue
		}
		if n := matchLength(src, at, i, x); n > length {
			from, length, longer = at, n, n
		}
	}
	return from, longer
}
