package deflate

import (
	"encoding/binary"
	"sync"
)

// scratch is the working memory of one call of a Compressor. It must not go back
// to the pool before the matcher has committed, which may copy from octets.
type scratch struct {
	w      bitWriter
	tokens []token // of the block at hand
	octets []byte  // for messages longer than the room in a matcher

	// Of the block at hand: how often each symbol occurs, and its code.
	huffman     huffman
	litCount    [numLit]uint32
	distCount   [numDist]uint32
	litLengths  [numLit]uint8
	distLengths [numDist]uint8
	lit         litCodes
	dist        distCodes
	header      header
}

type (
	litCodes  [numLit]code
	distCodes [numDist]code
)

var scratchPool = sync.Pool{New: func() any {
	return &scratch{
		tokens: make([]token, 0, blockSize),
		octets: make([]byte, 0, 1<<MaxWindowBits+blockSize),
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
	// fewTokens do not repay the header of a dynamic block.
	fewTokens = 60
	// storedOverhead is the most a stored block takes beside its octets, in
	// bits: header, padding, LEN and NLEN.
	storedOverhead = 3 + 7 + 32
)

// The fixed code (RFC 1951, Section 3.2.6), less the symbols that never occur.
var (
	fixedLitLength, fixedDistLength = fixedLengths()
	fixedLitCodes, fixedDistCodes   = makeFixedCodes()
)

func makeFixedCodes() (*litCodes, *distCodes) {
	lit, dist := new([fixedNumLit]code), new([fixedNumDist]code)
	fixedCode(lit[:], fixedLitLength[:])
	fixedCode(dist[:], fixedDistLength[:])
	return (*litCodes)(lit[:numLit]), (*distCodes)(dist[:numDist])
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

// writeBlock writes s.tokens, which stand for src, as the smallest block.
func (s *scratch) writeBlock(src []byte) {
	// The fixed code has no octet in more than 9 bits.
	s.w.reserve(len(src) + len(src)/8 + storedOverhead/8)
	stored := 8*len(src) + storedOverhead
	if len(s.tokens) > fewTokens {
		fixed, dynamic := s.plan()
		if dynamic < min(fixed, stored) {
			s.w.add(typeDynamic, 3)
			s.header.write(&s.w)
			s.writeTokens(&s.lit, &s.dist)
			return
		}
		if stored < fixed {
			s.writeStored(src)
			return
		}
	}
	mark := s.w
	s.w.add(typeFixed, 3)
	s.writeTokens(fixedLitCodes, fixedDistCodes)
	if s.w.since(&mark) > stored {
		s.w = mark
		s.writeStored(src)
	}
}

// writeStored writes src, at most 65535 octets, as it is.
func (s *scratch) writeStored(src []byte) {
	s.w.add(typeStored, 3)
	s.w.align()
	s.w.buf = binary.LittleEndian.AppendUint16(s.w.buf, uint16(len(src)))
	s.w.buf = binary.LittleEndian.AppendUint16(s.w.buf, ^uint16(len(src)))
	s.w.buf = append(s.w.buf, src...)
}

// plan makes the codes that are best for s.tokens and the header that tells
// them, and returns the bits that a fixed and a dynamic block would take.
func (s *scratch) plan() (fixed, dynamic int) {
	clear(s.litCount[:])
	clear(s.distCount[:])
	for _, t := range s.tokens {
		if t&tokenMatch == 0 {
			s.litCount[t&0xff]++
		} else {
			s.litCount[firstLength+int(lengthSymbols[t>>16&0xff])]++
			s.distCount[distSymbol(t&0x7fff)]++
		}
	}
	s.litCount[endOfBlock] = 1

	s.huffman.make(s.lit[:], s.litLengths[:], s.litCount[:], maxBits)
	extra := 0
	for _, i := range s.huffman.symbols {
		n := int(s.litCount[i])
		fixed += n * int(fixedLitLength[i])
		dynamic += n * int(s.litLengths[i])
		if i >= firstLength {
			extra += n * int(lengthExtra[i-firstLength])
		}
	}
	s.huffman.make(s.dist[:], s.distLengths[:], s.distCount[:], maxBits)
	for _, i := range s.huffman.symbols {
		n := int(s.distCount[i])
		fixed += n * int(fixedDistLength[i])
		dynamic += n * int(s.distLengths[i])
		extra += n * int(distExtra[i])
	}
	s.header.make(&s.huffman, s.litLengths[:], s.distLengths[:])
	return 3 + fixed + extra, 3 + s.header.bits() + dynamic + extra
}

// writeTokens writes s.tokens and the end of the block. There must be room.
func (s *scratch) writeTokens(lit *litCodes, dist *distCodes) {
	buf := s.w.buf[:cap(s.w.buf)]
	end, held, n := len(s.w.buf), s.w.bits, s.w.n
	for _, t := range s.tokens {
		if t&tokenMatch == 0 {
			c := lit[t&0xff]
			held |= c.bits() << (n & 63)
			n += c.length()
		} else {
			// Together at most 7 + 15 + 5 + 15 + 13 bits.
			length := t >> 16 & 0xff
			symbol := lengthSymbols[length]
			c := lit[firstLength+int(symbol)]
			held |= c.bits() << (n & 63)
			n += c.length()
			held |= uint64(length+minMatch-uint32(lengthBase[symbol])) << (n & 63)
			n += uint(lengthExtra[symbol])

			distance := t & 0x7fff
			symbol = uint8(distSymbol(distance))
			c = dist[symbol]
			held |= c.bits() << (n & 63)
			n += c.length()
			held |= uint64(distance+1-uint32(distBase[symbol])) << (n & 63)
			n += uint(distExtra[symbol])
		}
		binary.LittleEndian.PutUint64(buf[end:], held)
		end += int(n >> 3)
		held >>= n & 56
		n &= 7
	}
	s.w.buf, s.w.bits, s.w.n = buf[:end], held, n
	s.w.add(lit[endOfBlock].bits(), lit[endOfBlock].length())
}
