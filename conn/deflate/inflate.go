package deflate

import (
	"encoding/binary"
	"sync"
)

// phase is what a decompressor expects next.
type phase uint8

const (
	atHeader       phase = iota // BFINAL and BTYPE
	atStoredLength              // LEN and NLEN
	inStored                    // the octets of a stored block
	atCounts                    // HLIT, HDIST and HCLEN
	inPreLengths                // the lengths of the code length code
	inLengths                   // the lengths of the other two codes
	inCodes                     // literals and matches
)

// dynamic is what a dynamic block needs while it is read.
type dynamic struct {
	lit  litTable
	dist distTable
	pre  preTable

	// Symbols given a length: HLIT + 257, HDIST + 1 and HCLEN + 4.
	numLit, numDist, numPre int

	n          int // lengths read so far, of preLengths or of lengths
	preLengths [numPre]uint8
	lengths    [numLit + numDist]uint8
}

// dynamicSize is about the size of a dynamic in octets.
const dynamicSize = 4*(litTableSize+distTableSize+1<<prePrimary) + numPre + numLit + numDist

var dynamicPool = sync.Pool{New: func() any { return new(dynamic) }}

// input is what the caller gave and how far it was read.
type input struct {
	buf []byte
	n   int // 0 <= n <= len(buf)
}

// fill takes octets of r until at least 56 bits are at hand or r is empty.
func (d *Decompressor) fill(r *input) {
	if len(r.buf)-r.n >= 8 {
		d.bits |= binary.LittleEndian.Uint64(r.buf[r.n:]) << (d.nbits & 63)
		r.n += int((63 - d.nbits) >> 3)
		d.nbits |= 56
		d.bits &= 1<<(d.nbits&63) - 1
		return
	}
	for d.nbits < 56 && r.n < len(r.buf) {
		d.bits |= uint64(r.buf[r.n]) << d.nbits
		d.nbits += 8
		r.n++
	}
}

// take removes the next n bits, which must be at hand, and returns them.
func (d *Decompressor) take(n uint) int {
	v := int(d.bits & (1<<n - 1))
	d.bits >>= n
	d.nbits -= n
	return v
}

// inflate decodes r until it is used up. What it cannot decode without further
// octets stays in d.
func (d *Decompressor) inflate(r *input, w *output) error {
	for {
		d.fill(r)
		if more, err := d.step(r, w); !more || err != nil {
			return err
		}
	}
}

// step does what the phase asks for. It reports false when that needs further
// octets.
func (d *Decompressor) step(r *input, w *output) (bool, error) {
	switch d.phase {
	case atHeader:
		return d.header(r, w)
	case atStoredLength:
		return d.storedLength()
	case inStored:
		return d.copyStored(r, w)
	case atCounts:
		return d.counts()
	case inPreLengths:
		return d.readPreLengths(r)
	case inLengths:
		return d.readLengths(r)
	default:
		return d.codes(r, w)
	}
}

func (d *Decompressor) header(r *input, w *output) (bool, error) {
	if d.nbits < 3 {
		return false, nil
	}
	read := d.in - int64(len(r.buf)-r.n) - int64(d.nbits/8)
	if read > freeInput+inputPerOctet*(d.out+int64(w.n-w.base)) {
		return false, ErrNoOutput
	}
	d.final = d.take(1) == 1
	switch d.take(2) {
	case 0:
		d.take(d.nbits & 7)
		d.phase = atStoredLength
	case 1:
		d.lit, d.dist = fixedLit, fixedDist
		d.phase = inCodes
	case 2:
		d.phase = atCounts
	default:
		return false, ErrBlockType
	}
	return true, nil
}

// endBlock leaves a block. The octet in which a final one ends is padded, so
// that the next block starts with an octet (RFC 7692, Section 7.2.1).
func (d *Decompressor) endBlock() {
	if d.final {
		d.take(d.nbits & 7)
	}
	d.phase = atHeader
}

func (d *Decompressor) storedLength() (bool, error) {
	if d.nbits < 32 {
		return false, nil
	}
	length, complement := d.take(16), d.take(16)
	if length^complement != 0xffff {
		return false, ErrStoredLength
	}
	d.stored = length
	d.phase = inStored
	return true, nil
}

func (d *Decompressor) copyStored(r *input, w *output) (bool, error) {
	for d.stored > 0 && d.nbits > 0 {
		if err := w.octet(byte(d.take(8))); err != nil {
			return false, err
		}
		d.stored--
	}
	p := r.buf[r.n:]
	p = p[:min(len(p), d.stored)]
	n, err := w.octets(p)
	r.n += n
	d.stored -= n
	if d.stored > 0 {
		return false, err
	}
	d.endBlock()
	return true, nil
}

func (d *Decompressor) counts() (bool, error) {
	if d.nbits < 14 {
		return false, nil
	}
	if d.code == nil {
		d.code = dynamicPool.Get().(*dynamic)
	}
	c := d.code
	c.numLit, c.numDist, c.numPre = d.take(5)+firstLength, d.take(5)+1, d.take(4)+4
	if c.numLit > numLit || c.numDist > numDist {
		return false, ErrCodeLengths
	}
	c.n = 0
	c.preLengths = [numPre]uint8{}
	d.phase = inPreLengths
	return true, nil
}

func (d *Decompressor) readPreLengths(r *input) (bool, error) {
	c := d.code
	for ; c.n < c.numPre; c.n++ {
		d.fill(r)
		if d.nbits < 3 {
			return false, nil
		}
		c.preLengths[preOrder[c.n]] = uint8(d.take(3))
	}
	if !buildTable(c.pre[:], prePrimary, c.preLengths[:], preSymbols[:]) {
		return false, ErrCodeLengths
	}
	c.n = 0
	d.phase = inLengths
	return true, nil
}

// repeats says what symbols 16, 17 and 18 of the code length code stand for: a
// length repeated some times, given by so many extra bits.
var repeats = [3]struct{ least, extra uint8 }{{3, 2}, {3, 3}, {11, 7}}

func (d *Decompressor) readLengths(r *input) (bool, error) {
	c := d.code
	all := c.lengths[:c.numLit+c.numDist]
	for c.n < len(all) {
		if d.nbits < 2*prePrimary { // a code and its extra bits
			d.fill(r)
		}
		e := c.pre[d.bits&(1<<prePrimary-1)]
		used := uint(e & 0xff)
		if e == entryInvalid {
			if d.nbits < prePrimary {
				return false, nil
			}
			return false, ErrCodeLengths
		}
		symbol, length, times := uint8(e>>16), uint8(0), 1
		if symbol <= maxBits {
			if d.nbits < used {
				return false, nil
			}
			d.take(used)
			length = symbol
		} else {
			repeat := repeats[symbol-16]
			if d.nbits < used+uint(repeat.extra) {
				return false, nil
			}
			d.take(used)
			times = int(repeat.least) + d.take(uint(repeat.extra))
			if symbol == 16 {
				if c.n == 0 {
					return false, ErrCodeLengths
				}
				length = all[c.n-1]
			}
		}
		if times > len(all)-c.n {
			return false, ErrCodeLengths
		}
		run := all[c.n : c.n+times]
		for i := range run {
			run[i] = length
		}
		c.n += times
	}
	// A block ends with a code, so it must have one for that.
	if all[endOfBlock] == 0 ||
		!buildTable(c.lit[:], litPrimary, all[:c.numLit], litSymbols[:]) ||
		!buildTable(c.dist[:], distPrimary, all[c.numLit:], distSymbols[:]) {
		return false, ErrCodeLengths
	}
	d.lit, d.dist = &c.lit, &c.dist
	d.phase = inCodes
	return true, nil
}
