package deflate

import (
	"encoding/binary"
	"math/bits"
)

const (
	// hashed is how many octets a hash is made of, and so the shortest match.
	hashed = 4
	// slowStart is the logarithm of how many octets without a match make the
	// search skip one more each time. It keeps data that does not compress cheap.
	slowStart = 5
	// niceMatch is long enough not to look for a longer one.
	niceMatch = 64
)

func load32(b []byte, i int) uint32 { return binary.LittleEndian.Uint32(b[i:]) }
func load64(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }

// hash returns the index of v in a table; see matcher.shift.
func hash(v uint32, shift uint) uint32 { return v * 0x9e3779b1 >> (shift & 31) }

// matchLength returns how many octets from a and from b on are the same, a
// before b, at most maxMatch.
func matchLength(src []byte, a, b int) int {
	end := min(len(src), b+maxMatch)
	n := b
	for n+8 <= end {
		if x := load64(src, a) ^ load64(src, n); x != 0 {
			return n + bits.TrailingZeros64(x)>>3 - b
		}
		a += 8
		n += 8
	}
	for n < end && src[a] == src[n] {
		a++
		n++
	}
	return n - b
}

// matchFast finds the tokens of src[start:] with one look at each place.
func (m *matcher) matchFast(s *scratch, src []byte, start int, base uint16) {
	table, shift, reach := m.fast, m.shift, m.reach
	tokens := s.tokens
	last := len(src) - hashed
	// The last octets before start were not complete when they were compressed.
	for i := max(start-hashed+1, 0); i < start && i <= last; i++ {
		table[hash(load32(src, i), shift)] = base + uint16(i)
	}
	pending, i := start, start // octets from pending on have no token yet
	for i <= last {
		v := load32(src, i)
		h := hash(v, shift)
		distance := int(base + uint16(i) - table[h])
		table[h] = base + uint16(i)
		if uint(distance-1) >= uint(min(i, reach)) || load32(src, i-distance) != v {
			i += 1 + (i-pending)>>slowStart
			continue
		}
		length := matchLength(src, i-distance, i)
		for i > pending && i > distance && length < maxMatch && src[i-1] == src[i-1-distance] {
			i--
			length++
		}
		tokens = appendLiterals(tokens, src[pending:i])
		tokens = append(tokens, matchToken(length, distance))
		i += length
		pending = i
		if i <= last {
			table[hash(load32(src, i-2), shift)] = base + uint16(i-2)
		}
	}
	tokens = appendLiterals(tokens, src[pending:])
	s.tokens = tokens
}

// matchGood finds the tokens of src[start:] with four looks at each place, and
// leaves a match that is not nice for a longer one an octet later.
func (m *matcher) matchGood(s *scratch, src []byte, start int, base uint16) {
	tokens := s.tokens
	last := len(src) - hashed
	for i := max(start-hashed+1, 0); i < start && i <= last; i++ {
		m.insert(src, i, base)
	}
	pending, i := start, start
	length, distance := 0, 0 // of the match at i-1 that waits
	for ; i <= last; i++ {
		longer, from := m.longest(src, i, base, length)
		switch {
		case length == 0 && longer == 0:
			i += (i - pending) >> slowStart
		case longer > length && longer < niceMatch:
			length, distance = longer, from
		default:
			at := i - 1
			if longer > length {
				at, length, distance = i, longer, from
			}
			tokens = appendLiterals(tokens, src[pending:at])
			tokens = append(tokens, matchToken(length, distance))
			pending = at + length
			for i++; i < pending && i <= last; i++ {
				m.insert(src, i, base)
			}
			i = pending - 1
			length = 0
		}
	}
	if length > 0 {
		tokens = appendLiterals(tokens, src[pending:i-1])
		tokens = append(tokens, matchToken(length, distance))
		pending = i - 1 + length
	}
	tokens = appendLiterals(tokens, src[pending:])
	s.tokens = tokens
}

// insert notes that position i has the octets it has.
func (m *matcher) insert(src []byte, i int, base uint16) {
	entry := &m.good[hash(load32(src, i), m.shift)]
	*entry = *entry<<16 | uint64(base+uint16(i))
}

// longest returns the longest match at i among those noted, if it is longer
// than length, else 0. It notes i.
func (m *matcher) longest(src []byte, i int, base uint16, length int) (longer, from int) {
	v := load32(src, i)
	entry := &m.good[hash(v, m.shift)]
	candidates := *entry
	*entry = candidates<<16 | uint64(base+uint16(i))
	reach := uint(min(i, m.reach))
	for range 4 {
		distance := int(base + uint16(i) - uint16(candidates))
		candidates >>= 16
		if uint(distance-1) >= reach || load32(src, i-distance) != v {
			continue
		}
		if n := matchLength(src, i-distance, i); n > length {
			length, longer, from = n, n, distance
		}
	}
	return longer, from
}
