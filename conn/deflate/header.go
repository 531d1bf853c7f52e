package deflate

import "encoding/binary"

// A header is that of a dynamic block, after its first three bits (RFC 1951,
// Section 3.2.7).
type header struct {
	numLit, numDist, numPre int // symbols given a length, HLIT+257, HDIST+1, HCLEN+4

	symbols    [numLit + numDist]uint16 // of the code length code; from bit 8 on the extra bits
	n          int                      // how many symbols
	preCount   [24]uint32               // more than there are, as huffman wants it
	preLengths [numPre]uint8
	pre        [numPre]code
}

// preExtra is how many extra bits the symbols of the code length code have.
var preExtra = [numPre]uint8{16: 2, 17: 3, 18: 7}

// begin forgets what was described before.
func (h *header) begin() {
	h.n = 0
	clear(h.preCount[:])
}

// describe appends the lengths of the symbols up to the last that has one, at
// least of one, and returns how many that are. symbols are those with a length.
func (h *header) describe(lengths []uint8, symbols []uint16) int {
	next := 0 // symbol to describe
	for len(symbols) > 0 {
		symbol, length := int(symbols[0]), lengths[symbols[0]]
		run := 1
		for run < len(symbols) && int(symbols[run]) == symbol+run && lengths[symbols[run]] == length {
			run++
		}
		h.zeros(symbol - next)
		symbols, next = symbols[run:], symbol+run
		h.add(length, 0)
		for run--; run >= 3; {
			n := min(run, 6)
			h.add(16, n-3)
			run -= n
		}
		for range run {
			h.add(length, 0)
		}
	}
	if next == 0 {
		h.add(0, 0)
		return 1
	}
	return next
}

// zeros appends n lengths of 0.
func (h *header) zeros(n int) {
	for n >= 11 {
		run := min(n, 138)
		h.add(18, run-11)
		n -= run
	}
	if n >= 3 {
		h.add(17, n-3)
		return
	}
	for range n {
		h.add(0, 0)
	}
}

// finish makes the code for what was described.
func (h *header) finish(work *huffman) {
	work.make(h.pre[:], h.preLengths[:], h.preCount[:], maxPreBits)
	h.numPre = numPre
	for h.numPre > 4 && h.preLengths[preOrder[h.numPre-1]] == 0 {
		h.numPre--
	}
}

func (h *header) add(symbol uint8, extra int) {
	h.symbols[h.n] = uint16(symbol) | uint16(extra)<<8
	h.n++
	h.preCount[symbol]++
}

// bits returns the size of the header.
func (h *header) bits() int {
	n := 5 + 5 + 4 + 3*h.numPre
	for i, times := range h.preCount[:numPre] {
		n += int(times) * int(h.preLengths[i]+preExtra[i])
	}
	return n
}

// write appends the header. There must be room.
func (h *header) write(w *bitWriter) {
	w.add(uint64(h.numLit-firstLength)|uint64(h.numDist-1)<<5|uint64(h.numPre-4)<<10, 14)
	lengths := uint64(0)
	for i, symbol := range preOrder[:h.numPre] {
		lengths |= uint64(h.preLengths[symbol]) << (3 * i)
	}
	w.add(lengths, 3*uint(h.numPre))
	buf := w.buf[:cap(w.buf)]
	end, held, n := len(w.buf), w.bits, w.n
	for _, symbol := range h.symbols[:h.n] {
		held, n = h.pre[symbol&0xff].after(held, n)
		held |= uint64(symbol>>8) << (n & 63)
		n += uint(preExtra[symbol&0xff])
		binary.LittleEndian.PutUint64(buf[end:], held)
		end += int(n >> 3)
		held >>= n & 56
		n &= 7
	}
	w.buf, w.bits, w.n = buf[:end], held, n
}
