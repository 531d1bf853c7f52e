package deflate

import (
	"encoding/binary"
	"math"
	"sync"
)

// scratch is the working memory of one call of a Compressor. It must not go back
// to the pool before the matcher has committed, which may copy from octets.
type scratch struct {
	w      bitWriter
	octets []byte // for messages longer than the room in a matcher

	// The block at hand: its literals, and the matches between them. The
	// literals after the last match come at the end.
	literals []byte
	matches  []match

	// How often each symbol occurs in it, and its code. There is room for more
	// symbols than there are, so that no index needs a check.
	huffman     huffman
	litCount    [1 << 9]uint32
	distCount   [fixedNumDist]uint32
	litLengths  [numLit]uint8
	distLengths [numDist]uint8
	lit         litCodes
	dist        distCodes
	header      header
}

type (
	litCodes  [numLit]code
	distCodes [fixedNumDist]code // of which numDist are used
)

var scratchPool = sync.Pool{New: func() any {
	return &scratch{
		octets:   make([]byte, 0, 1<<MaxWindowBits+blockSize),
		literals: make([]byte, 0, blockSize+literalChunk),
		matches:  make([]match, 0, blockSize/hashed),
	}
}}

// finish ends what s appended to with an empty stored block, all but its LEN and
// NLEN, and returns it.
func (s *scratch) finish() []byte {
	s.w.reserve(1)
	s.w.add(typeStored, 3)
	s.w.align()
	dst := s.w.buf
	s.w.buf = nil
	return dst
}

// The three header bits of a block that is not final.
const (
	typeStored  = 0 << 1
	typeFixed   = 1 << 1
	typeDynamic = 2 << 1
)

const (
	// longCode is the longest code we make. Longer ones save next to nothing.
	longCode = 12
	// fewTokens do not repay the header of a dynamic block.
	fewTokens = 60
	// storedOverhead is the most a stored block takes beside its octets, in
	// bits: header, padding, LEN and NLEN.
	storedOverhead = 3 + 7 + 32
)

// The fixed code (RFC 1951, Section 3.2.6), less the literals and lengths that
// never occur.
var (
	fixedLitLength, fixedDistLength = fixedLengths()
	fixedLitCodes, fixedDistCodes   = makeFixedCodes()
)

func makeFixedCodes() (*litCodes, *distCodes) {
	lit, dist := new([fixedNumLit]code), new(distCodes)
	fixedCode(lit[:], fixedLitLength[:])
	fixedCode(dist[:], fixedDistLength[:])
	return (*litCodes)(lit[:numLit]), dist
}

func fixedCode(codes []code, lengths []uint8) {
	var count [maxBits + 1]uint16
	symbols := make([]uint16, len(lengths))
	for i, n := range lengths {
		count[n]++
		symbols[i] = uint16(i)
	}
	assignCodes(codes, lengths, symbols, &count)
}

// writeBlock writes s.literals and s.matches, which stand for src, as the smallest
// block.
func (s *scratch) writeBlock(src []byte) {
	// The fixed code has no octet in more than 9 bits.
	s.w.reserve(len(src) + len(src)/8 + storedOverhead/8)
	stored := 8*len(src) + storedOverhead
	if len(s.literals)+len(s.matches) > fewTokens {
		if s.hopeless(len(src)) {
			s.writeStored(src)
			return
		}
		fixed, dynamic := s.plan()
		if dynamic < min(fixed, stored) {
			s.w.add(typeDynamic, 3)
			s.header.write(&s.w)
			s.writeSymbols(&s.lit, &s.dist)
			return
		}
		if stored < fixed {
			s.writeStored(src)
			return
		}
	}
	mark := s.w
	s.w.add(typeFixed, 3)
	s.writeSymbols(fixedLitCodes, fixedDistCodes)
	if s.w.since(&mark) > stored {
		s.w = mark
		s.writeStored(src)
	}
}

func (s *scratch) writeStored(src []byte) {
	s.w.add(typeStored, 3)
	s.w.align()
	s.w.buf = binary.LittleEndian.AppendUint16(s.w.buf, uint16(len(src)))
	s.w.buf = binary.LittleEndian.AppendUint16(s.w.buf, ^uint16(len(src)))
	s.w.buf = append(s.w.buf, src...)
}

// hopeless reports whether to store the block, of n octets, because there are next
// to no matches and a code of its own would save less than 1/64. Otherwise it has
// counted the literals.
func (s *scratch) hopeless(n int) bool {
	if len(s.literals) < n-n/64 {
		s.countLiterals(1)
		return false
	}
	// The first guess is about a thousand of them.
	for step := 1 + len(s.literals)>>10; ; step = 1 {
		sampled := s.countLiterals(step)
		pairs, different := 0, 0
		for first := 0; first < endOfBlock; first += 8 {
			row := (*[8]uint32)(s.litCount[first:])
			if unused(row) {
				continue
			}
			for _, c := range row {
				pairs += int(c) * int(c-1)
				different += int(-c >> 31)
			}
		}
		// How often two literals are the same gives the collision entropy, and no
		// code takes fewer bits for each. To tell its lengths takes about two.
		entropy := math.Log2(float64(sampled*(sampled-1)) / float64(max(pairs, 1)))
		if (8-entropy)*float64(n) < float64(2*different+n/8) {
			return true
		}
		if step == 1 {
			return false
		}
	}
}

// countLiterals counts every so many literals, and returns how many that are.
func (s *scratch) countLiterals(step int) (counted int) {
	clear(s.litCount[:])
	if step == 1 {
		for _, c := range s.literals {
			s.litCount[c]++
		}
		return len(s.literals)
	}
	for i := 0; i < len(s.literals); i += step {
		s.litCount[s.literals[i]]++
		counted++
	}
	return counted
}

// plan makes the codes that are best for the block, whose literals are counted,
// and the header that tells them. It returns the bits that a fixed and a dynamic
// block would take.
func (s *scratch) plan() (fixed, dynamic int) {
	clear(s.distCount[:])
	extra := 0
	for _, m := range s.matches {
		length := lengthSymbols[m.length&0xff]
		s.litCount[firstLength+length&0xff]++
		symbol, n := distSymbol(uint32(m.distance))
		s.distCount[symbol&31]++
		extra += int(length>>8&0xff + n)
	}
	s.litCount[endOfBlock] = 1

	s.header.begin()
	s.huffman.make(s.lit[:], s.litLengths[:], s.litCount[:fixedNumLit], longCode)
	for _, i := range s.huffman.symbols {
		n := int(s.litCount[i])
		fixed += n * int(fixedLitLength[i])
		dynamic += n * int(s.litLengths[i])
	}
	s.header.numLit = s.header.describe(s.litLengths[:], s.huffman.symbols)
	s.huffman.make(s.dist[:], s.distLengths[:], s.distCount[:], longCode)
	for _, i := range s.huffman.symbols {
		n := int(s.distCount[i])
		fixed += n * int(fixedDistLength[i])
		dynamic += n * int(s.distLengths[i])
	}
	s.header.numDist = s.header.describe(s.distLengths[:], s.huffman.symbols)
	s.header.finish(&s.huffman)
	return 3 + fixed + extra, 3 + s.header.bits() + dynamic + extra
}

// writeSymbols writes the block and its end. There must be room.
func (s *scratch) writeSymbols(lit *litCodes, dist *distCodes) {
	buf := s.w.buf[:cap(s.w.buf)]
	end, held, n := len(s.w.buf), s.w.bits, s.w.n
	literals := s.literals[:len(s.literals)+3] // some that are not used
	for _, m := range s.matches {
		for ; m.literals >= 4; m.literals -= 4 {
			four := (*[4]byte)(literals)
			literals = literals[4:]
			held, n = lit[four[0]].after(held, n)
			held, n = lit[four[1]].after(held, n)
			held, n = lit[four[2]].after(held, n)
			held, n = lit[four[3]].after(held, n)
			binary.LittleEndian.PutUint64(buf[end:], held)
			end += int(n >> 3)
			held >>= n & 56
			n &= 7
		}
		// How many are left is hard to predict, so no branch depends on it.
		three, left := (*[3]byte)(literals), int32(m.literals)
		literals = literals[left:]
		held, n = (lit[three[0]] & code((0-left)>>31)).after(held, n)
		held, n = (lit[three[1]] & code((1-left)>>31)).after(held, n)
		held, n = (lit[three[2]] & code((2-left)>>31)).after(held, n)
		binary.LittleEndian.PutUint64(buf[end:], held)
		end += int(n >> 3)
		held >>= n & 56
		n &= 7

		// At most 7 + longCode + 5 + longCode + 13 bits.
		length := lengthSymbols[m.length&0xff]
		held, n = lit[firstLength+length&0xff].after(held, n)
		held |= uint64(length>>16) << (n & 63)
		n += uint(length >> 8 & 0xff)
		symbol, extra := distSymbol(uint32(m.distance))
		held, n = dist[symbol&31].after(held, n)
		held |= uint64(m.distance) & (1<<(extra&31) - 1) << (n & 63)
		n += uint(extra)
		binary.LittleEndian.PutUint64(buf[end:], held)
		end += int(n >> 3)
		held >>= n & 56
		n &= 7
	}
	for _, c := range literals[:len(literals)-3] {
		held, n = lit[c].after(held, n)
		binary.LittleEndian.PutUint64(buf[end:], held)
		end += int(n >> 3)
		held >>= n & 56
		n &= 7
	}
	s.w.buf, s.w.bits, s.w.n = buf[:end], held, n
	s.w.add(lit[endOfBlock].bits(), lit[endOfBlock].length())
}
