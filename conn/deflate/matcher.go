package deflate

import (
	"math"
	"math/bits"
)

const (
	// blockSize is the most octets a block stands for.
	blockSize = 1 << 15
	// unknownTotal stands for the size of a message in pieces: as good as any
	// that needs all positions there are.
	unknownTotal = math.MaxUint16
)

// A matcher finds the matches of a message, in itself and in the messages
// before it.
//
// Its tables say by a hash of five octets where these occurred last. Positions
// are kept modulo 2^16: they are never adjusted, and never trusted. An old one
// may seem to be near, so a candidate counts only after a look at its octets.
type matcher struct {
	reach  int    // how far back matches go, a power of two
	window []byte // what they may refer to, then spare capacity for a message
	size   int    // what the capacity of window may grow to
	base   uint16 // position of window[0]

	// What window and base become if the message at hand is sent.
	next     []byte
	nextBase uint16
	apart    bool // next lies in a scratch buffer, not in window's spare capacity

	shift uint     // of a hash to an index of the table
	fast  []uint16 // the last position
	good  []uint32 // the last two positions, the last one in the low 16 bits
	used  int      // positions below this were given out since the table was cleared
}

// newMatcher returns a matcher for windows up to 2^windowBits. Its table has room
// for so many positions, a power of two, and takes twice as many octets.
func newMatcher(windowBits int, level Level, positions int) *matcher {
	size := 1 << windowBits
	m := &matcher{size: size + min(size, 1<<14)}
	entries := positions
	if level == Good {
		entries /= 2
		m.good = make([]uint32, entries)
	} else {
		m.fast = make([]uint16, entries)
	}
	m.shift = uint(64 - bits.Len(uint(entries-1)))
	return m
}

// reset forgets everything before a message of total octets.
func (m *matcher) reset(reach, total int) {
	total = min(total, unknownTotal)
	// Positions that were never given out again need no clearing of the table:
	// they are all further back than the message is long.
	if m.used == 0 || m.used+total > math.MaxUint16 {
		clear(m.fast)
		clear(m.good)
		m.used = 1 // an entry of 0 is no position either
	}
	m.reach = reach
	m.window, m.base = m.window[:0], uint16(m.used)
	m.used += total
}

// memory returns the octets m holds.
func (m *matcher) memory() int {
	return cap(m.window) + 2*cap(m.fast) + 4*cap(m.good)
}

// compressAlone compresses a message that no other may refer to, where it lies.
// Neither commit nor rollback changes anything after it.
func (m *matcher) compressAlone(s *scratch, p []byte) {
	for start := 0; start < len(p); start += blockSize {
		first := max(start-m.reach, 0)
		m.block(s, p[first:min(start+blockSize, len(p))], start-first, m.base+uint16(first))
	}
	m.next, m.nextBase = m.window, m.base
}

// compress compresses parts, total octets together. Either commit or rollback
// is called next.
func (m *matcher) compress(s *scratch, total int, parts ...[]byte) {
	if total > min(m.size-m.reach, blockSize) {
		m.compressLarge(s, parts)
		return
	}
	if total > m.size-len(m.window) {
		m.base += uint16(len(m.window) - m.reach)
		m.window = m.window[:copy(m.window, m.window[len(m.window)-m.reach:])]
	}
	m.reserve(len(m.window) + total)
	m.next, m.nextBase, m.apart = m.window, m.base, false
	for _, p := range parts {
		m.next = append(m.next, p...)
	}
	if total > 0 {
		m.block(s, m.next, len(m.window), m.base)
	}
}

// compressLarge compresses what the window has no room for. It goes
// through the scratch buffer block by block, the window in front of it.
func (m *matcher) compressLarge(s *scratch, parts [][]byte) {
	drop := max(len(m.window)-m.reach, 0)
	base := m.base + uint16(drop)
	buf := append(s.octets[:0], m.window[drop:]...)
	start := len(buf)
	for _, p := range parts {
		for len(p) > 0 {
			if len(buf)-start == blockSize {
				m.block(s, buf, start, base)
				drop = len(buf) - m.reach
				base += uint16(drop)
				buf = buf[:copy(buf, buf[drop:])]
				start = len(buf)
			}
			n := min(len(p), start+blockSize-len(buf))
			buf = append(buf, p[:n]...)
			p = p[n:]
		}
	}
	m.block(s, buf, start, base)
	drop = max(len(buf)-m.reach, 0)
	m.next, m.nextBase, m.apart = buf[drop:], base+uint16(drop), true
}

// commit makes what compress was given part of the window.
func (m *matcher) commit() {
	if m.apart {
		m.reserve(len(m.next))
		m.window = append(m.window[:0], m.next...)
	} else {
		m.window = m.next
	}
	m.base = m.nextBase
	m.rollback()
}

// rollback leaves the window as it is. The positions that stay in the table
// will be given out once more.
func (m *matcher) rollback() { m.next, m.apart = nil, false }

// reserve makes the capacity of the window n or more, n at most m.size: a power
// of two or m.size, but no less than 512 octets.
func (m *matcher) reserve(n int) {
	c := max(cap(m.window), 512)
	for c < n {
		c *= 2
	}
	if c = min(c, m.size); c > cap(m.window) {
		m.window = append(make([]byte, 0, c), m.window...)
	}
}

// block writes src[start:] as a block. The octets before it are what its
// matches may refer to, and base is the position of src[0]. All of src is no longer
// than there are positions.
func (m *matcher) block(s *scratch, src []byte, start int, base uint16) {
	s.literals, s.matches = s.literals[:0], s.matches[:0]
	if m.good != nil {
		m.matchGood(s, src, start, base)
	} else {
		m.matchFast(s, src, start, base)
	}
	s.writeBlock(src[start:])
}
