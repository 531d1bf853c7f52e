package main

// The faults of package mask. Those of generic.go show where there is no assembly:
// the hunt uses the tag purego for them.
var maskMutants = []mutant{
	{"mask-rotate-wrong-way", "RFC 6455, Section 5.3", "mask/mask.go", "the key is rotated the wrong way",
		"bits.RotateLeft32(uint32(k), -8*(n&3))", "bits.RotateLeft32(uint32(k), 8*(n&3))"},
	{"mask-apply-key-of-start", "RFC 6455, Section 5.3", "mask/mask.go", "the key for what follows is that of the start",
		"xor(p, k)\n\treturn k.Rotate(len(p))", "xor(p, k)\n\treturn k"},
	{"mask-copy-rotates-by-destination", "RFC 6455, Section 5.3", "mask/mask.go", "the key for what follows ignores a short source",
		"k.Rotate(min(len(dst), len(src)))", "k.Rotate(len(dst))"},
	{"mask-key-big-endian", "RFC 6455, Section 5.3", "mask/generic.go", "the key is rotated by octets too few at the end of a payload",
		"bits.RotateLeft64(first, -8*(n&3))", "bits.RotateLeft64(first, -8*(n&1))"},
	{"mask-middle-octet", "RFC 6455, Section 5.3", "mask/generic.go", "the middle one of three octets takes the octet of the first",
		"p[0], p[n/2], p[n-1] = a^byte(k), b^byte(k>>(n/2*8))", "p[0], p[n/2], p[n-1] = a^byte(k), b^byte(k)"},
	{"mask-keys-repeat", "RFC 6455, Section 10.3", "mask/keys.go", "every key of a batch is the same",
		"k.n -= 4\n\treturn Key(binary.LittleEndian.Uint32(k.buf[k.n:]))", "k.n -= 4\n\treturn Key(binary.LittleEndian.Uint32(k.buf[:]))"},
}
