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
// before b, at most maxMatch. The first n of them are.
func matchLength(src []byte, a, b, n int) int {
	most := min(len(src)-b, maxMatch)
	for ; n < most; n += 8 {
		if x := load64(src, a+n) ^ load64(src, b+n); x != 0 {
			n += bits.TrailingZeros64(x) >> 3
			break
		}
	}
	return min(n, most)
}

// shortLength is matchLength where x is the first eight octets exclusive-ored. It
// is made for matches that are mostly shorter.
func shortLength(src []byte, a, b int, x uint64) int {
	if x == 0 {
		return matchLength(src, a, b, 8)
	}
	return min(bits.TrailingZeros64(x)>>3, len(src)-b)
}

// before returns how many octets before a and before b are the same, a before b,
// at most most.
func before(src []byte, a, b, most int) int {
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
		// Calls are for what is rare here.
		length := bits.TrailingZeros64(x) >> 3
		if at+16 > len(src) {
			length = matchLength(src, from, at, 0)
		} else {
			// Whether there are more than eight is hard to predict, so no branch
			// depends on it.
			x = binary.LittleEndian.Uint64(src[from+8:from+16:from+16]) ^ binary.LittleEndian.Uint64(src[at+8:at+16:at+16])
			length += bits.TrailingZeros64(x) >> 3 & -(length >> 3)
			if length == 16 {
				length = matchLength(src, from, at, 16)
			}
		}
		end := at + length
		longer := 8
		if from >= 8 {
			x = binary.LittleEndian.Uint64(src[from-8:from:from]) ^ binary.LittleEndian.Uint64(src[at-8:at:at])
			longer = bits.LeadingZeros64(x) >> 3
		}
		if most := min(at-i, maxMatch-length); longer < 8 {
			longer = min(longer, most)
		} else {
			longer = before(src, from, at, most)
		}
		at -= longer
		from -= longer
		s.addLiterals(src, i, at)
		s.matches = append(s.matches, match{uint32(at - i), uint16(end - at - minMatch), uint16(at - from - 1)})
		i = end
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

// matchGood finds the matches of src[start:] with two looks at each place. All
// matches that begin nearby and go further have the octets around its end: two
// more looks are for these.
func (m *matcher) matchGood(s *scratch, src []byte, start int, base uint16) {
	table, shift, reach := m.good, m.shift, uint(m.reach)
	last := len(src) - hashed
	m.insert(src, max(start-hashed+1, 0), min(start, last+1), base)
	pending := start // octets from here on are not in s yet
	for i := start; i <= last; {
		v := load64(src, i)
		entry := &table[hash(v, shift)]
		candidates := *entry
		*entry = candidates<<16 | uint32(base+uint16(i))
		from, length := 0, 0
		if at := int(uint16(candidates) - base); uint(i-at-1) < reach {
			if x := v ^ load64(src, at); x<<(64-8*hashed) == 0 {
				from, length = at, shortLength(src, at, i, x)
			}
			if at := int(uint16(candidates>>16) - base); uint(i-at-1) < reach {
				if x := v ^ load64(src, at); x<<(64-8*hashed) == 0 {
					if n := shortLength(src, at, i, x); n > length {
						from, length = at, n
					}
				}
			}
		}
		if length == 0 {
			i += 1 + (i-pending)>>slowStart
			continue
		}
		noted := i + 1
		longer := before(src, from, i, min(i-pending, maxMatch-length))
		i, from, length = i-longer, from-longer, length+longer
		if length < niceMatch {
			end := min(i+length-hashed+1, last)
			v := load64(src, end)
			candidates := table[hash(v, shift)]
			first, best := i, length
			for range 2 {
				at := int(uint16(candidates) - base)
				if uint(end-at-1) >= reach {
					break
				}
				if x := v ^ load64(src, at); x<<(64-8*hashed) == 0 {
					n := shortLength(src, at, end, x)
					longer := before(src, at, end, min(end-pending, maxMatch-n))
					// What it leaves out at the front has to be worth it.
					if n += longer; n-max(end-longer-first, 0) > best {
						best = n - max(end-longer-first, 0)
						i, from, length = end-longer, at-longer, n
					}
				}
				candidates >>= 16
			}
		}
		s.add(src, pending, i, length, i-from)
		pending = i + length
		m.insert(src, noted, min(pending, last+1), base)
		i = pending
	}
	s.addLiterals(src, pending, len(src))
}

// insert notes what octets are at the places from i to before end.
func (m *matcher) insert(src []byte, i, end int, base uint16) {
	table, shift := m.good, m.shift
	for ; end-i >= 4; i += 4 {
		v, p := load64(src, i), base+uint16(i)
		e := &table[hash(v, shift)]
		*e = *e<<16 | uint32(p)
		e = &table[hash(v>>8, shift)]
		*e = *e<<16 | uint32(p+1)
		e = &table[hash(v>>16, shift)]
		*e = *e<<16 | uint32(p+2)
		e = &table[hash(v>>24, shift)]
		*e = *e<<16 | uint32(p+3)
	}
	for ; i < end; i++ {
		entry := &table[hash(load64(src, i), shift)]
		*entry = *entry<<16 | uint32(base+uint16(i))
	}
}
