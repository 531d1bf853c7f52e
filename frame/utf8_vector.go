//go:build (amd64 || arm64) && !purego

package frame

import "example.org/rfc6455/mask"

// valid returns the length of a beginning of p that consists of whole and right
// code points; one must begin at p. It may leave out the last code point, if it
// is not complete, what comes less than 128 octets before something impossible,
// and all of a p that is too short to gain by it.
//
//go:noescape
func valid(p []byte) (n int)

// unmaskValid unmasks p[:done] with k and returns what valid returns then.
//
//go:noescape
func unmaskValid(p []byte, k mask.Key) (n, done int)

// What can be wrong with an octet and the one after it.
const (
	tooShort  = 1 << iota // the first octet of a code point, then no continuation
	tooLong               // ASCII, then a continuation
	overlong2             // c0 or c1, then a continuation
	overlong3             // e0, then 80 to 9f
	surrogate             // ed, then a0 to bf
	tooLarge              // f4 and more, then 90 to bf
	overlong4             // f0, then 80 to 8f; or f5 and more, then 80 to 8f
	twoTails              // two continuations, which the octets before may ask for

	anyLow = tooShort | tooLong | twoTails // whatever the low half of the first is
	past   = tooLarge | overlong4          // f5 and more
)

// lookup has for each half octet the mistakes that it may be a part of. The
// assembly loads it.
var lookup = [3][16]byte{
	{ // the high half of the first octet
		0x0: tooLong, 0x1: tooLong, 0x2: tooLong, 0x3: tooLong, 0x4: tooLong, 0x5: tooLong, 0x6: tooLong, 0x7: tooLong,
		0x8: twoTails, 0x9: twoTails, 0xa: twoTails, 0xb: twoTails,
		0xc: tooShort | overlong2,
		0xd: tooShort,
		0xe: tooShort | overlong3 | surrogate,
		0xf: tooShort | tooLarge | overlong4,
	},
	{ // its low half
		0x0: anyLow | overlong2 | overlong3 | overlong4,
		0x1: anyLow | overlong2,
		0x2: anyLow, 0x3: anyLow,
		0x4: anyLow | tooLarge,
		0x5: anyLow | past, 0x6: anyLow | past, 0x7: anyLow | past, 0x8: anyLow | past,
		0x9: anyLow | past, 0xa: anyLow | past, 0xb: anyLow | past, 0xc: anyLow | past,
		0xd: anyLow | past | surrogate,
		0xe: anyLow | past, 0xf: anyLow | past,
	},
	{ // the high half of the second octet
		0x0: tooShort, 0x1: tooShort, 0x2: tooShort, 0x3: tooShort, 0x4: tooShort, 0x5: tooShort, 0x6: tooShort, 0x7: tooShort,
		0x8: tooLong | twoTails | overlong2 | overlong3 | overlong4,
		0x9: tooLong | twoTails | overlong2 | overlong3 | tooLarge,
		0xa: tooLong | twoTails | overlong2 | surrogate | tooLarge,
		0xb: tooLong | twoTails | overlong2 | surrogate | tooLarge,
		0xc: tooShort, 0xd: tooShort, 0xe: tooShort, 0xf: tooShort,
	},
}
