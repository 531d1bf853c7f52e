// Package mask XORs payloads with a masking key (RFC 6455, Section 5.3).
//
// A [Key] repeats every four octets. What [Apply] and [Copy] return is the key
// for the octets that follow, so that a payload may be treated in pieces of
// any size. Masking twice with the same key restores the payload.
//
// On amd64 processors with AVX2, and on arm64, the work is done in assembly; the
// build tag purego leaves it to Go.
//
// The package holds no state of its own; all functions may be called
// concurrently on different slices.
package mask

import (
	"crypto/rand"
	"encoding/binary"
	"math/bits"
)

// A Key is a masking key (RFC 6455, Section 5.3): octet i of the payload is
// XORed with byte(k >> (8 * (i % 4))). The key as it stands in a frame is thus
// read and written in little-endian order. The zero Key changes nothing.
type Key uint32

// NewKey returns a fresh key from crypto/rand, as Sections 5.3 and 10.3 ask.
// A sender of many frames draws its keys from a [Keys] at less cost.
func NewKey() Key {
	var b [4]byte
	rand.Read(b[:]) // never fails
	return Key(binary.LittleEndian.Uint32(b[:]))
}

// Rotate returns the key as it applies n octets further on: after n octets of
// a payload were treated with k, the next is treated with k.Rotate(n). A
// negative n goes back.
func (k Key) Rotate(n int) Key {
	return Key(bits.RotateLeft32(uint32(k), -8*(n&3)))
}

// Accelerated reports whether this package, and UTF-8 validation in package frame, work
// with vector instructions: AVX2 on amd64 and NEON on arm64, unless built with the tag
// purego.
func Accelerated() bool { return accelerated() }

// Apply masks or unmasks p (RFC 6455, Section 5.3) and returns k rotated by
// len(p), which is the key for the octets after p.
//
// Apply modifies p in place and does not retain it.
func Apply(p []byte, k Key) Key {
	xor(p, k)
	return k.Rotate(len(p))
}

// Copy masks or unmasks src into dst in one pass. Like the built-in copy it
// treats n = min(len(dst), len(src)) octets; it returns k rotated by n.
//
// Copy leaves src as it is and retains neither slice. The two must overlap
// entirely or not at all; if they overlap otherwise, dst is undefined.
func Copy(dst, src []byte, k Key) Key {
	xorTo(dst, src, k)
	return k.Rotate(min(len(dst), len(src)))
}
