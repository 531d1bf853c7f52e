package deflate

import (
	"encoding/binary"
	"slices"
)

// A bitWriter appends bits to a slice, the first one lowest (RFC 1951, Section
// 3.1.1).
type bitWriter struct {
	buf  []byte
	bits uint64 // not yet in buf
	n    uint   // how many those are, 0 to 7 between calls
}

// reserve makes room for n octets and for a last store of eight.
func (w *bitWriter) reserve(n int) {
	w.buf = slices.Grow(w.buf, n+16)
}

// add appends the low n bits of v, at most 57, whose other bits are 0. There
// must be room.
func (w *bitWriter) add(v uint64, n uint) {
	w.bits |= v << w.n
	w.n += n
	end := len(w.buf)
	binary.LittleEndian.PutUint64(w.buf[end:end+8], w.bits)
	w.buf = w.buf[:end+int(w.n>>3)]
	w.bits >>= w.n &^ 7
	w.n &= 7
}

// align fills the octet begun with zero bits.
func (w *bitWriter) align() { w.add(0, -w.n&7) }

// since returns how many bits were written since w was mark.
func (w *bitWriter) since(mark *bitWriter) int {
	return (len(w.buf)-len(mark.buf))*8 + int(w.n) - int(mark.n)
}
