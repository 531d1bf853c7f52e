package deflate

// A header is that of a dynamic block, after its first three bits (RFC 1951,
// Section 3.2.7).
type header struct {
	numLit, numDist, numPre int // symbols given a length, HLIT+257, HDIST+1, HCLEN+4

	symbols    [numLit + numDist]uint16 // of the code length code; from bit 8 on the extra bits
	n          int                      // how many symbols
	all        [numLit + numDist]uint8
	preCount   [numPre]uint32
	preLengths [numPre]uint8
	pre        [numPre]code
}

// preExtra is how many extra bits the symbols of the code length code have.
var preExtra = [numPre]uint8{16: 2, 17: 3, 18: 7}

// make describes two codes of the given lengths.
func (h *header) make(work *huffman, lit, dist []uint8) {
	h.numLit, h.numDist, h.numPre = trimmed(lit), max(trimmed(dist), 1), numPre
	all := append(append(h.all[:0], lit[:h.numLit]...), dist[:h.numDist]...)

	h.n = 0
	clear(h.preCount[:])
	for i := 0; i < len(all); {
		length, run := all[i], 1
		for i+run < len(all) && all[i+run] == length {
			run++
		}
		i += run
		if length != 0 {
			h.add(length, 0)
			run--
		}
		for run > 0 {
			switch {
			case length == 0 && run >= 11:
				n := min(run, 138)
				h.add(18, n-11)
				run -= n
			case length == 0 && run >= 3:
				h.add(17, run-3)
				run = 0
			case length != 0 && run >= 3:
				n := min(run, 6)
				h.add(16, n-3)
				run -= n
			default:
				h.add(length, 0)
				run--
			}
		}
	}
	work.make(h.pre[:], h.preLengths[:], h.preCount[:], maxPreBits)
	for h.numPre > 4 && h.preLengths[preOrder[h.numPre-1]] == 0 {
		h.numPre--
	}
}

// trimmed returns the number of lengths up to the last that is not 0.
func trimmed(lengths []uint8) int {
	n := len(lengths)
	for n > 0 && lengths[n-1] == 0 {
		n--
	}
	return n
}

func (h *header) add(symbol uint8, extra int) {
	h.symbols[h.n] = uint16(symbol) | uint16(extra)<<8
	h.n++
	h.preCount[symbol]++
}

// bits returns the size of the header.
func (h *header) bits() int {
	n := 5 + 5 + 4 + 3*h.numPre
	for i, times := range h.preCount {
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
	for _, symbol := range h.symbols[:h.n] {
		c := h.pre[symbol&0xff]
		w.add(c.bits()|uint64(symbol>>8)<<c.length(), c.length()+uint(preExtra[symbol&0xff]))
	}
}
