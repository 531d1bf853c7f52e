package fuzz_test

import (
	"bytes"
	"testing"

	"example.org/rfc6455/mask"
)

// FuzzMask: octet i of a payload is XORed with octet i mod 4 of the key (RFC 6455,
// Section 5.3), by Apply and by Copy, wherever the payload lies in memory; the
// octets around it stay as they are, and the key that is returned is the one for
// what follows.
func FuzzMask(f *testing.F) {
	f.Add([]byte("Hello"), uint32(0x3d21fa37), uint8(0), uint8(9))
	f.Add([]byte{}, uint32(0xffffffff), uint8(3), uint8(0))
	for _, n := range []int{1, 2, 3, 4, 7, 8, 16, 17, 31, 32, 33, 64, 65, 125, 127, 128, 129, 255, 256, 257, 300, 512, 700, 1100, 4200, 70000} {
		f.Add(octets(n), uint32(0x84c3a251), uint8(n%64), uint8(n))
	}
	fuzz(f, func(t *testing.T, p []byte, key uint32, before, after uint8) {
		k := mask.Key(key)
		around := func(p []byte) []byte {
			return append(append(bytes.Repeat([]byte{0xa5}, int(before)), p...), bytes.Repeat([]byte{0x5a}, int(after))...)
		}
		masked := make([]byte, len(p))
		for i, c := range p {
			masked[i] = c ^ byte(key>>(8*(i%4)))
		}
		want := around(masked)

		applied := around(p)
		if next := mask.Apply(applied[before:][:len(p)], k); next != k.Rotate(len(p)) {
			t.Errorf("Apply(%d octets, %#x) = %#x; want %#x", len(p), k, next, k.Rotate(len(p)))
		}
		if !bytes.Equal(applied, want) {
			t.Errorf("Apply(%x, %#x) at %d gives %x; want %x", p, k, before, applied, want)
		}

		copied, src := around(make([]byte, len(p))), bytes.Clone(p)
		if next := mask.Copy(copied[before:][:len(p)], src, k); next != k.Rotate(len(p)) {
			t.Errorf("Copy(%d octets, %#x) = %#x; want %#x", len(p), k, next, k.Rotate(len(p)))
		}
		if !bytes.Equal(copied, want) || !bytes.Equal(src, p) {
			t.Errorf("Copy(%x, %#x) at %d gives %x; want %x", p, k, before, copied, want)
		}
		if i := len(p) % 4; len(p) > 0 && byte(k.Rotate(len(p))) != byte(key>>(8*i)) {
			t.Errorf("Rotate(%d) of %#x = %#x", len(p), k, k.Rotate(len(p)))
		}
	})
}

// FuzzRemask: a payload masked in pieces of any size, by Apply or Copy, is the
// payload masked at once; masked again, in other pieces, it is what it was; and
// the XOR of two keys takes it from one masking to the other.
func FuzzRemask(f *testing.F) {
	f.Add([]byte("Hello"), uint32(0x3d21fa37), uint32(0), []byte{1, 3})
	f.Add(octets(300), uint32(0xffffffff), uint32(0x01020304), []byte{0, 128, 7, 31})
	f.Add(octets(1000), uint32(0x80000001), uint32(0x84c3a251), []byte{127, 255, 254, 33, 65})
	fuzz(f, func(t *testing.T, p []byte, one, two uint32, cuts []byte) {
		a, b := mask.Key(one), mask.Key(two)
		inPieces := func(p []byte, k mask.Key, cuts []byte) []byte {
			out := make([]byte, len(p))
			whole := k
			for at, i := 0, 0; at < len(p); i++ {
				end := len(p)
				if i < len(cuts) {
					end = min(at+int(cuts[i]), len(p))
				}
				if i%2 == 0 {
					k = mask.Copy(out[at:], p[at:end], k)
				} else {
					copy(out[at:end], p[at:end])
					k = mask.Apply(out[at:end], k)
				}
				at = end
			}
			if k != whole.Rotate(len(p)) || k.Rotate(-len(p)) != whole {
				t.Errorf("after %d octets in pieces of %v the key %#x is %#x", len(p), cuts, whole, k)
			}
			return out
		}
		atOnce := bytes.Clone(p)
		mask.Apply(atOnce, a)
		masked := inPieces(p, a, cuts)
		if !bytes.Equal(masked, atOnce) {
			t.Errorf("in pieces of %v %x becomes %x; at once %x", cuts, p, masked, atOnce)
		}
		if again := inPieces(masked, a, cuts[len(cuts)/2:]); !bytes.Equal(again, p) {
			t.Errorf("masked twice %x becomes %x", p, again)
		}
		mask.Apply(masked, a^b)
		if other := inPieces(p, b, nil); !bytes.Equal(masked, other) {
			t.Errorf("from key %#x to %#x: %x; want %x", a, b, masked, other)
		}
	})
}

// FuzzKeys: the keys of a Keys and of NewKey are fresh: what is masked with one
// can be read with that one alone, and of many no two in a row are the same.
func FuzzKeys(f *testing.F) {
	f.Add([]byte("Hello"), uint8(3))
	f.Add([]byte{0, 0, 0, 0}, uint8(70))
	fuzz(f, func(t *testing.T, p []byte, n uint8) {
		var keys mask.Keys
		last, masked := mask.NewKey(), make([]byte, len(p))
		for i := range int(n) + 1 {
			k := keys.Next()
			// Two random keys in a row are the same once in 2^32 times, three
			// once in 2^64.
			if k == last && keys.Next() == last {
				t.Fatalf("key %d is %#x again", i, k)
			}
			last = k
			mask.Copy(masked, p, k)
			mask.Apply(masked, k)
			if !bytes.Equal(masked, p) {
				t.Fatalf("masked twice with %#x %x becomes %x", k, p, masked)
			}
		}
	})
}
