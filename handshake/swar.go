package handshake

// Eight octets at a time: the functions take them as a little-endian word and
// return the high bit of those that are not of a set. The lowest bit is right;
// where sums are carried there may be others above it.

const (
	ones = 0x0101010101010101
	high = 0x80 * ones
)

// word returns the first eight octets of s.
func word(s string) uint64 {
	s = s[:8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// notNames finds octets that are neither letters nor hyphens, the usual ones of
// names.
func notNames(v uint64) uint64 {
	return (^letters(v)&^equal(v, '-') | v) & high
}

// notBase64 finds octets that are not in the alphabet of RFC 4648, Section 4.
func notBase64(v uint64) uint64 {
	low := v &^ high
	digit := (low + (0x80-'0')*ones) &^ (low + (0x7f-'9')*ones)
	return (^(letters(v) | digit | equal(v|4*ones, '/')) | v) & high // + is / without that bit
}

// notText finds octets below SP, and DEL.
func notText(v uint64) uint64 {
	del := v ^ 0x7f*ones
	return ((v-0x20*ones)&^v | (del-ones)&^del) & high
}

// letters has the high bit set where v has a letter, or an octet beyond ASCII that
// would be one without its high bit. No sum is carried.
func letters(v uint64) uint64 {
	small := v&^high | 0x20*ones
	return (small + (0x80-'a')*ones) &^ (small + (0x7f-'z')*ones)
}

// equal has the high bit set where v has c, or c and the high bit. No sum is
// carried.
func equal(v uint64, c byte) uint64 {
	return ^((v&^high ^ uint64(c)*ones) + 0x7f*ones)
}
