package conformance

import "slices"

// A utf8Group is a group of texts of the well-known suite, whose number is 6.
// known.i for the i-th payload.
type utf8Group struct {
	known    int
	name     string
	about    string
	payloads [][]byte
}

var utf8Groups = []utf8Group{
	{5, "sample", "a valid sample", octets(
		"hello$world", "hello\u00a2world", "hello\u20acworld", "hello\U00024b62world", greekWord)},
	{6, "prefix", "the beginning of a valid text", prefixes(greekWord)},
	{7, "first-of-length", "the first code point that takes so many octets", octets("\x00", "\u0080", "\u0800", "\U00010000")},
	{8, "first-of-length-5-6", "the first sequence of 5 or 6 octets", octets("\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80")},
	{9, "last-of-length", "the last code point that takes so many octets", octets("\x7f", "\u07ff", "\uffff", "\U0010ffff")},
	{10, "last-of-pattern", "the last sequence of 4, 5 or 6 octets", octets(
		"\xf7\xbf\xbf\xbf", "\xfb\xbf\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf\xbf")},
	{11, "edge", "a code point at the edge of what is allowed", octets(
		"\ud7ff", "\ue000", "\ufffd", "\U0010ffff", "\xf4\x90\x80\x80")},
	{12, "lone-continuation", "continuation octets without a start", octets(
		"\x80", "\xbf", "\x80\xbf", "\x80\xbf\x80", "\x80\xbf\x80\xbf", "\x80\xbf\x80\xbf\x80", "\x80\xbf\x80\xbf\x80\xbf", between(0x80, 0xbe, ""))},
	{13, "lone-start", "first octets of sequences, each followed by a space", octets(
		between(0xc0, 0xde, " "), between(0xe0, 0xee, " "), between(0xf0, 0xf6, " "), between(0xf8, 0xfa, " "), "\xfc ")},
	{14, "cut-short", "a sequence that lacks its last octet", octets(cutShort...)},
	{15, "cut-short-joined", "ten sequences that lack their last octet, joined", octets(join(cutShort))},
	{16, "impossible", "octets that are in no UTF-8", octets("\xfe", "\xff", "\xfe\xfe\xff\xff")},
	{17, "overlong-slash", "a slash in more octets than it needs", octets(
		"\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf8\x80\x80\x80\xaf", "\xfc\x80\x80\x80\x80\xaf")},
	{18, "overlong-last", "the last code point that would need fewer octets", octets(
		"\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf8\x87\xbf\xbf\xbf", "\xfc\x83\xbf\xbf\xbf\xbf")},
	{19, "overlong-nul", "NUL in more octets than it needs", octets(
		"\xc0\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xf8\x80\x80\x80\x80", "\xfc\x80\x80\x80\x80\x80")},
	{20, "surrogate", "a surrogate", octets(
		"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf", "\xed\xb0\x80", "\xed\xbe\x80", "\xed\xbf\xbf")},
	{21, "surrogate-pair", "two surrogates", octets(
		"\xed\xa0\x80\xed\xb0\x80", "\xed\xa0\x80\xed\xbf\xbf", "\xed\xad\xbf\xed\xb0\x80", "\xed\xad\xbf\xed\xbf\xbf",
		"\xed\xae\x80\xed\xb0\x80", "\xed\xae\x80\xed\xbf\xbf", "\xed\xaf\xbf\xed\xb0\x80", "\xed\xaf\xbf\xed\xbf\xbf")},
	{22, "noncharacter", "a noncharacter, which is valid", noncharacters()},
	{23, "special", "one of U+FFF9 to U+FFFF, which are valid", octets(
		"\ufff9", "\ufffa", "\ufffb", "\ufffc", "\ufffd", "\ufffe", "\uffff")},
}

var cutShort = []string{
	"\xc0", "\xe0\x80", "\xf0\x80\x80", "\xf8\x80\x80\x80", "\xfc\x80\x80\x80\x80",
	"\xdf", "\xef\xbf", "\xf7\xbf\xbf", "\xfb\xbf\xbf\xbf", "\xfd\xbf\xbf\xbf\xbf",
}

func octets(texts ...string) [][]byte {
	var r [][]byte
	for _, t := range texts {
		r = append(r, []byte(t))
	}
	return r
}

// prefixes returns the beginnings of s, of one octet and more.
func prefixes(s string) [][]byte {
	var r [][]byte
	for i := range len(s) {
		r = append(r, []byte(s[:i+1]))
	}
	return r
}

// between returns the octets from one to another, with a text after each.
func between(from, to byte, after string) string {
	var r []byte
	for i := range int(to) - int(from) + 1 {
		r = append(append(r, from+byte(i)), after...)
	}
	return string(r)
}

func join(texts []string) string { return string(slices.Concat(octets(texts...)...)) }

// noncharacters returns the last two code points of each plane.
func noncharacters() [][]byte {
	var r [][]byte
	for plane := range rune(17) {
		r = append(r, []byte(string(plane<<16|0xfffe)), []byte(string(plane<<16|0xffff)))
	}
	return r
}
