package fuzz_test

import (
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// octets returns n octets without a pattern, always the same.
func octets(n int) []byte {
	p := make([]byte, n)
	v := uint32(1)
	for i := range p {
		v = v*1664525 + 1013904223
		p[i] = byte(v >> 24)
	}
	return p
}

// unhex decodes hex with spaces.
func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// mismatch is cmp.Diff for values that are equal as a rule, which shows sooner without.
func mismatch(want, got any) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return cmp.Diff(want, got)
}

// pieces cuts p into pieces: the lengths of the first ones are those of cuts, the
// last is what is left.
func pieces(p, cuts []byte) [][]byte {
	list := make([][]byte, 0, len(cuts)+1)
	for _, c := range cuts {
		n := min(int(c), len(p))
		list, p = append(list, p[:n:n]), p[n:]
	}
	return append(list, p)
}

// A source turns the octets of a fuzzer into choices.
type source []byte

// next returns the next octet modulo n, and zero behind the last.
func (s *source) next(n int) int {
	if len(*s) == 0 {
		return 0
	}
	v := int((*s)[0]) % n
	*s = (*s)[1:]
	return v
}

// take returns up to n octets.
func (s *source) take(n int) []byte {
	n = min(n, len(*s))
	p := (*s)[:n:n]
	*s = (*s)[n:]
	return p
}

// streams are octets of both roles to start from, in hex: the examples of RFC
// 6455, Section 5.7, and of RFC 7692, Section 7.2.3, and what breaks each rule.
var streams = []struct {
	name   string
	server bool // whether they are for a server
	hex    string
}{
	{"text", false, "8105 48656c6c6f"},
	{"masked text", true, "8185 37fa213d 7f9f4d5158"},
	{"fragments", false, "0103 48656c 8002 6c6f"},
	{"masked fragments", true, "0183 37fa213d 7f9f4d 8082 37fa213d 5b95"},
	{"ping and pong", false, "8905 48656c6c6f 8a05 48656c6c6f"},
	{"masked ping and pong", true, "8985 37fa213d 7f9f4d5158 8a85 37fa213d 7f9f4d5158"},
	{"256 octets", false, "827e 0100" + strings.Repeat("2a", 256)},
	{"256 masked octets", true, "82fe 0100 37fa213d" + strings.Repeat("7f9f4d51", 64)},
	{"125 octets", false, "827d" + strings.Repeat("2a", 125)},
	{"64 KiB announced", false, "827f 0000000000010000 2a2a"},
	{"64 KiB announced, masked", true, "82ff 0000000000010000 37fa213d 2a2a"},
	{"control between fragments", false, "0102 c3a4 8900 8a01 61 0000 8001 62 8802 03e8"},
	{"masked control between fragments", true, "0182 00000000 c3a4 8980 00000000 8a81 00000000 61 0080 00000000 8081 00000000 62 8882 00000000 03e8"},
	{"close", false, "8805 03e9 627965 8100"},
	{"masked close", true, "8885 00000000 03e9 627965 8180 00000000"},
	{"empty close", false, "8800"},
	{"close of one octet", false, "8801 03"},
	{"close with 1005", false, "8802 03ed"},
	{"close with 2999", true, "8882 01010101 0ab6"},
	{"close with no UTF-8", false, "8803 03e8 ff"},
	{"character in two fragments", false, "0101 c3 8001 a4"},
	{"four octets in four fragments", false, "0101 f0 0001 9f 0001 90 8001 b1"},
	{"impossible octet", false, "0102 61c0 8001 af"},
	{"surrogate", true, "8183 00000000 eda080"},
	{"above U+10FFFF", false, "8104 f4908080"},
	{"half a character", false, "8101 c3"},
	{"unmasked to a server", true, "8105 48656c6c6f"},
	{"masked to a client", false, "8185 37fa213d 7f9f4d5158"},
	{"RSV1", false, "c100"}, {"RSV2", false, "a100"}, {"RSV3", true, "9180 00000000"},
	{"RSV1 on a ping", false, "c900"}, {"RSV1 on a continuation", false, "4100 c000"},
	{"opcode 3", false, "8300"}, {"opcode 7", true, "8780 00000000"}, {"opcode 11", false, "8b00"}, {"opcode 15", true, "8f80 00000000"},
	{"fragmented ping", false, "0900"}, {"fragmented close", true, "0880 00000000"},
	{"long ping", false, "897e 007e"}, {"ping in 64 bits", true, "89ff 0000000000000001 00000000 00"},
	{"126 in 64 bits", false, "827f 000000000000007e"}, {"125 in 16 bits", true, "82fe 007d 00000000"},
	{"64th bit", false, "827f 8000000000000000"}, {"63 bits", true, "82ff 7fffffffffffffff 00000000"},
	{"continuation of nothing", false, "8000"}, {"message in a message", true, "0180 00000000 8180 00000000"},
	{"compressed", false, "c107 f248cdc9c90700 c105 f200110000"},
	{"compressed and masked", true, "c187 00000000 f248cdc9c90700"},
	{"compressed fragments", false, "4103 f248cd 8004 c9c90700"},
	{"stored block", false, "c10b 000500faff48656c6c6f00"},
	{"final block", false, "c108 f348cdc9c9070000"},
	{"two blocks", false, "c10d f24805000000ffffcac9c90700"},
	{"reserved block", false, "c201 06"},
	{"compressed emptiness", false, "c100 c101 00 8105 48656c6c6f"},
	{"compressed, not UTF-8", false, "c106 000100feff ff c100"},
}
