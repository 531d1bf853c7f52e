package mask

import "encoding/binary"

// xor sets dst[i] to src[i] masked with k. len(dst) == len(src), and the two
// are the same octets or share none.
//
// Below 8 octets and at the end of longer inputs, overlapping words take the
// place of a loop over octets. XOR is not idempotent, so the last word is
// loaded before the others are stored.
func xor(dst, src []byte, k Key) {
	n := len(src)
	dst = dst[:n]
	switch {
	case n >= 8:
		kk := uint64(k)<<32 | uint64(k)
		last := binary.LittleEndian.Uint64(src[n-8:]) ^ (kk>>(8*(n&3)) | kk<<(64-8*(n&3)))
		end := dst[n-8:]
		for len(src) >= 8 && len(dst) >= 8 {
			binary.LittleEndian.PutUint64(dst, binary.LittleEndian.Uint64(src)^kk)
			dst, src = dst[8:], src[8:]
		}
		binary.LittleEndian.PutUint64(end, last)
	default:
		for i, c := range src {
			dst[i] = c ^ byte(k>>(8*(i&3)))
		}
	}
}
