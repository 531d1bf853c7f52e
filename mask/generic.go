package mask

import (
	"encoding/binary"
	"math/bits"
)

// xorGeneric masks p in place: p[i] ^= byte(k >> (8 * (i % 4))).
//
// There is no loop over single octets. What is left over from the blocks is
// done by words that overlap octets already done. Since XOR done twice is
// undone, words that may overlap are all loaded before any is stored; those
// that end p take the key rotated by len(p), because their size is a multiple
// of four.
func xorGeneric(p []byte, k Key) {
	n := len(p)
	if n < 8 {
		if n >= 4 {
			last := binary.LittleEndian.Uint32(p[n-4:]) ^ uint32(k.Rotate(n))
			binary.LittleEndian.PutUint32(p, binary.LittleEndian.Uint32(p)^uint32(k))
			binary.LittleEndian.PutUint32(p[n-4:], last)
		} else if n > 0 {
			a, b, c := p[0], p[n/2], p[n-1] // all of them, some twice
			p[0], p[n/2], p[n-1] = a^byte(k), b^byte(k>>(n/2*8)), c^byte(k>>((n-1)*8))
		}
		return
	}
	kk, kl := words(k, n)
	if n <= 16 {
		last := binary.LittleEndian.Uint64(p[n-8:]) ^ kl
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^kk)
		binary.LittleEndian.PutUint64(p[n-8:], last)
		return
	}
	if n <= 32 {
		b, l := (*[16]byte)(p), (*[16]byte)(p[n-16:])
		b0 := binary.LittleEndian.Uint64(b[0:]) ^ kk
		b1 := binary.LittleEndian.Uint64(b[8:]) ^ kk
		l0 := binary.LittleEndian.Uint64(l[0:]) ^ kl
		l1 := binary.LittleEndian.Uint64(l[8:]) ^ kl
		binary.LittleEndian.PutUint64(b[0:], b0)
		binary.LittleEndian.PutUint64(b[8:], b1)
		binary.LittleEndian.PutUint64(l[0:], l0)
		binary.LittleEndian.PutUint64(l[8:], l1)
		return
	}
	l := (*[32]byte)(p[n-32:])
	l0 := binary.LittleEndian.Uint64(l[0:]) ^ kl
	l1 := binary.LittleEndian.Uint64(l[8:]) ^ kl
	l2 := binary.LittleEndian.Uint64(l[16:]) ^ kl
	l3 := binary.LittleEndian.Uint64(l[24:]) ^ kl
	for len(p) > 128 {
		b := (*[128]byte)(p)
		binary.LittleEndian.PutUint64(b[0:], binary.LittleEndian.Uint64(b[0:])^kk)
		binary.LittleEndian.PutUint64(b[8:], binary.LittleEndian.Uint64(b[8:])^kk)
		binary.LittleEndian.PutUint64(b[16:], binary.LittleEndian.Uint64(b[16:])^kk)
		binary.LittleEndian.PutUint64(b[24:], binary.LittleEndian.Uint64(b[24:])^kk)
		binary.LittleEndian.PutUint64(b[32:], binary.LittleEndian.Uint64(b[32:])^kk)
		binary.LittleEndian.PutUint64(b[40:], binary.LittleEndian.Uint64(b[40:])^kk)
		binary.LittleEndian.PutUint64(b[48:], binary.LittleEndian.Uint64(b[48:])^kk)
		binary.LittleEndian.PutUint64(b[56:], binary.LittleEndian.Uint64(b[56:])^kk)
		binary.LittleEndian.PutUint64(b[64:], binary.LittleEndian.Uint64(b[64:])^kk)
		binary.LittleEndian.PutUint64(b[72:], binary.LittleEndian.Uint64(b[72:])^kk)
		binary.LittleEndian.PutUint64(b[80:], binary.LittleEndian.Uint64(b[80:])^kk)
		binary.LittleEndian.PutUint64(b[88:], binary.LittleEndian.Uint64(b[88:])^kk)
		binary.LittleEndian.PutUint64(b[96:], binary.LittleEndian.Uint64(b[96:])^kk)
		binary.LittleEndian.PutUint64(b[104:], binary.LittleEndian.Uint64(b[104:])^kk)
		binary.LittleEndian.PutUint64(b[112:], binary.LittleEndian.Uint64(b[112:])^kk)
		binary.LittleEndian.PutUint64(b[120:], binary.LittleEndian.Uint64(b[120:])^kk)
		p = p[128:]
	}
	for len(p) > 32 {
		b := (*[32]byte)(p)
		binary.LittleEndian.PutUint64(b[0:], binary.LittleEndian.Uint64(b[0:])^kk)
		binary.LittleEndian.PutUint64(b[8:], binary.LittleEndian.Uint64(b[8:])^kk)
		binary.LittleEndian.PutUint64(b[16:], binary.LittleEndian.Uint64(b[16:])^kk)
		binary.LittleEndian.PutUint64(b[24:], binary.LittleEndian.Uint64(b[24:])^kk)
		p = p[32:]
	}
	binary.LittleEndian.PutUint64(l[0:], l0)
	binary.LittleEndian.PutUint64(l[8:], l1)
	binary.LittleEndian.PutUint64(l[16:], l2)
	binary.LittleEndian.PutUint64(l[24:], l3)
}

// xorToGeneric masks the first n = min(len(dst), len(src)) octets of src into
// dst. The two are the same octets or share none. It is apart from xorGeneric
// because masking a word in place takes two instructions of the processor's and
// not three, which makes xorGeneric half as fast again on large payloads. Longer
// blocks bring nothing here.
func xorToGeneric(dst, src []byte, k Key) {
	n := min(len(dst), len(src))
	dst, src = dst[:n], src[:n]
	if n < 8 {
		if n >= 4 {
			last := binary.LittleEndian.Uint32(src[n-4:]) ^ uint32(k.Rotate(n))
			binary.LittleEndian.PutUint32(dst, binary.LittleEndian.Uint32(src)^uint32(k))
			binary.LittleEndian.PutUint32(dst[n-4:], last)
		} else if n > 0 {
			a, b, c := src[0], src[n/2], src[n-1]
			dst[0], dst[n/2], dst[n-1] = a^byte(k), b^byte(k>>(n/2*8)), c^byte(k>>((n-1)*8))
		}
		return
	}
	kk, kl := words(k, n)
	if n <= 16 {
		last := binary.LittleEndian.Uint64(src[n-8:]) ^ kl
		binary.LittleEndian.PutUint64(dst, binary.LittleEndian.Uint64(src)^kk)
		binary.LittleEndian.PutUint64(dst[n-8:], last)
		return
	}
	if n <= 32 {
		s, d := (*[16]byte)(src), (*[16]byte)(dst)
		l, e := (*[16]byte)(src[n-16:]), (*[16]byte)(dst[n-16:])
		b0 := binary.LittleEndian.Uint64(s[0:]) ^ kk
		b1 := binary.LittleEndian.Uint64(s[8:]) ^ kk
		l0 := binary.LittleEndian.Uint64(l[0:]) ^ kl
		l1 := binary.LittleEndian.Uint64(l[8:]) ^ kl
		binary.LittleEndian.PutUint64(d[0:], b0)
		binary.LittleEndian.PutUint64(d[8:], b1)
		binary.LittleEndian.PutUint64(e[0:], l0)
		binary.LittleEndian.PutUint64(e[8:], l1)
		return
	}
	l, e := (*[32]byte)(src[n-32:]), (*[32]byte)(dst[n-32:])
	l0 := binary.LittleEndian.Uint64(l[0:]) ^ kl
	l1 := binary.LittleEndian.Uint64(l[8:]) ^ kl
	l2 := binary.LittleEndian.Uint64(l[16:]) ^ kl
	l3 := binary.LittleEndian.Uint64(l[24:]) ^ kl
	for len(src) > 32 && len(dst) > 32 {
		s, d := (*[32]byte)(src), (*[32]byte)(dst)
		binary.LittleEndian.PutUint64(d[0:], binary.LittleEndian.Uint64(s[0:])^kk)
		binary.LittleEndian.PutUint64(d[8:], binary.LittleEndian.Uint64(s[8:])^kk)
		binary.LittleEndian.PutUint64(d[16:], binary.LittleEndian.Uint64(s[16:])^kk)
		binary.LittleEndian.PutUint64(d[24:], binary.LittleEndian.Uint64(s[24:])^kk)
		src, dst = src[32:], dst[32:]
	}
	binary.LittleEndian.PutUint64(e[0:], l0)
	binary.LittleEndian.PutUint64(e[8:], l1)
	binary.LittleEndian.PutUint64(e[16:], l2)
	binary.LittleEndian.PutUint64(e[24:], l3)
}

// words returns k twice over, as it applies to the first and to the last octets
// of a payload of n.
func words(k Key, n int) (first, last uint64) {
	first = uint64(k)<<32 | uint64(k)
	return first, bits.RotateLeft64(first, -8*(n&3))
}
