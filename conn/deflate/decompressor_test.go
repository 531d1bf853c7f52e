package deflate_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"example.org/rfc6455/conn/deflate"
	"github.com/google/go-cmp/cmp"
)

// a bitString assembles a block bit by bit; Huffman codes go in first bit
// first, numbers last bit first, as RFC 1951, Section 3.1.1, has it.
type bitString struct{ bits []byte }

// code appends a Huffman code written as 0 and 1.
func (s *bitString) code(codes ...string) *bitString {
	for _, c := range codes {
		for _, b := range c {
			s.bits = append(s.bits, byte(b-'0'))
		}
	}
	return s
}

// number appends v in n bits.
func (s *bitString) number(v, n int) *bitString {
	for i := range n {
		s.bits = append(s.bits, byte(v>>i&1))
	}
	return s
}

// bytes returns the octets, the last one padded.
func (s *bitString) bytes() []byte {
	p := make([]byte, (len(s.bits)+7)/8)
	for i, b := range s.bits {
		p[i/8] |= b << (i % 8)
	}
	return p
}

// dynamicHeader begins a dynamic block that is not final, with every code
// length given by a code of four bits: 0 to 15 are the codes of their own value.
func dynamicHeader(numLit, numDist int, lengths ...int) *bitString {
	s := new(bitString).number(0, 1).number(2, 2).number(numLit-257, 5).number(numDist-1, 5).number(15, 4)
	for _, symbol := range []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15} {
		if symbol < 16 {
			s.number(4, 3)
		} else {
			s.number(0, 3)
		}
	}
	for _, n := range lengths {
		s.code(fmt.Sprintf("%04b", n))
	}
	return s
}

// lengthsOf returns numLit lengths, and after them those of the distances,
// which are 0 but for the given symbols.
func lengthsOf(numLit int, given map[int]int, dist ...int) []int {
	lengths := make([]int, numLit)
	for symbol, n := range given {
		lengths[symbol] = n
	}
	return append(lengths, dist...)
}

func TestDecompressorMessages(t *testing.T) {
	const (
		kept  = deflate.Takeover
		alone = deflate.NoTakeover
	)
	long := strings.Repeat("0123456789abcdef", 16) // 256 octets, stored by its own block
	stored := "00 00 01 ff fe" + fmt.Sprintf("%x", long)
	// The fixed code has length 3 as 0000001, distances 1, 4 and 257 as 00000,
	// 00011 and 10000 (with 7 extra bits), the end as 0000000.
	back := func(symbol string, extra, n int) string {
		s := new(bitString).number(0, 1).number(1, 2).code("0000001", symbol).number(extra, n).code("0000000").number(0, 3)
		return fmt.Sprintf("%x", s.bytes())
	}
	hex := func(s *bitString) string { return fmt.Sprintf("%x", s.bytes()) }
	twoLiterals := map[int]int{'a': 2, 'b': 2, 256: 1} // codes 10, 11, 0

	// Two literals and a length of 10 bits each leave few for the distance.
	longCodes := func(times int) string {
		s := dynamicHeader(258, 1, lengthsOf(258, map[int]int{256: 1, 'j': 2, 'i': 3, 'h': 4, 'g': 5, 'f': 6, 'e': 7, 'd': 8, 'c': 9, 'a': 10, 257: 10}, 1)...)
		for range times {
			s.code("1111111110", "1111111110", "1111111111", "0")
		}
		return hex(s.code("0").number(0, 3))
	}

	tests := []struct {
		name     string
		bits     int // 15 where 0
		takeover deflate.ContextTakeover
		wires    []string // hex, one message each
		want     string   // all messages together
		err      error    // of the last message
	}{
		// RFC 7692, Section 7.2.3.
		{name: "7.2.3.1 one block", wires: []string{"f2 48 cd c9 c9 07 00"}, want: "Hello"},
		{name: "7.2.3.2 shared window", takeover: kept, wires: []string{"f2 48 cd c9 c9 07 00", "f2 00 11 00 00"}, want: "HelloHello"},
		{name: "7.2.3.2 not shared", takeover: alone, wires: []string{"f2 48 cd c9 c9 07 00", "f2 48 cd c9 c9 07 00"}, want: "HelloHello"},
		{name: "7.2.3.3 no compression", wires: []string{"00 05 00 fa ff 48 65 6c 6c 6f 00"}, want: "Hello"},
		{name: "7.2.3.4 BFINAL", wires: []string{"f3 48 cd c9 c9 07 00 00"}, want: "Hello"},
		{name: "7.2.3.5 two blocks", wires: []string{"f2 48 05 00 00 00 ff ff ca c9 c9 07 00"}, want: "Hello"},
		{name: "7.2.3.6 empty", wires: []string{"00"}},

		{name: "C3 tail not removed", takeover: kept, wires: []string{"f2 48 cd c9 c9 07 00 00 00 ff ff", "f2 00 11 00 00"}, want: "HelloHello"},
		{name: "C3 stored length cut", wires: []string{"00 05"}, err: deflate.ErrTruncated},
		{name: "C3 stored octets cut", wires: []string{"00 05 00 fa ff 48"}, want: "H", err: deflate.ErrTruncated},
		{name: "C3 removed octets are no data", wires: []string{"00 05 00 fa ff 48"}, want: "H", err: deflate.ErrTruncated},
		{name: "C3 cut after a symbol", wires: []string{"f2 48 cd"}, want: "He", err: deflate.ErrTruncated},
		{name: "C3 half of the tail", wires: []string{"f2 48 cd c9 c9 07 00 00 00"}, want: "Hello", err: deflate.ErrTruncated},
		{name: "C3 cut in the counts", wires: []string{"04"}, err: deflate.ErrTruncated},
		{name: "C3 cut in the code lengths", wires: []string{"04 c0 01"}, err: deflate.ErrTruncated},

		{name: "C4 BFINAL alone", wires: []string{"f3 48 cd c9 c9 07 00"}, want: "Hello"},
		{name: "C4 BFINAL then a block", wires: []string{"f3 48 cd c9 c9 07 00 f2 48 cd c9 c9 07 00"}, want: "HelloHello"},
		{name: "C4 BFINAL then a match across it", wires: []string{"f3 48 cd c9 c9 07 00 f2 00 11 00 00"}, want: "HelloHello"},
		{name: "C4 BFINAL does not end the context", takeover: kept, wires: []string{"f3 48 cd c9 c9 07 00 00", "f2 00 11 00 00"}, want: "HelloHello"},
		{name: "C4 BFINAL stored, then a block", wires: []string{"01 01 00 fe ff 41 f2 48 cd c9 c9 07 00"}, want: "AHello"},
		{name: "C4 BFINAL in the block that is cut", wires: []string{"f2 48 cd c9 c9 07 00 00 00 ff ff 01"}, want: "Hello"},
		{name: "C4 leftovers", wires: []string{"f3 48 cd c9 c9 07 00 00 12"}, want: "Hello", err: deflate.ErrTruncated},
		{name: "C4 leftovers of type 11", wires: []string{"f3 48 cd c9 c9 07 00 07"}, want: "Hello", err: deflate.ErrBlockType},
		{name: "C4 leftovers do not reach the next message", takeover: kept,
			wires: []string{"f3 48 cd c9 c9 07 00 00", "00"}, want: "Hello"},

		{name: "C5 no octets", wires: []string{"", "f2 48 cd c9 c9 07 00"}, want: "Hello"},
		{name: "C5 single 00", takeover: kept, wires: []string{"f2 48 cd c9 c9 07 00", "00", "f2 00 11 00 00"}, want: "HelloHello"},

		{name: "C2 block type 11", wires: []string{"06"}, err: deflate.ErrBlockType},
		{name: "C2 stored complement", wires: []string{"00 05 00 fb ff"}, err: deflate.ErrStoredLength},
		{name: "C2 fixed symbol 286", wires: []string{hex(new(bitString).number(2, 3).code("11000110").number(0, 20))}, err: deflate.ErrSymbol},
		{name: "C2 fixed symbol 286, then much", wires: []string{hex(new(bitString).number(2, 3).code("11000110").number(0, 200))}, err: deflate.ErrSymbol},
		{name: "C2 fixed distance 30", wires: []string{hex(new(bitString).number(2, 3).code("10010001", "0000001", "11110").number(0, 20))},
			want: "a", err: deflate.ErrSymbol},
		{name: "C2 fixed distance 30, then much", wires: []string{hex(new(bitString).number(2, 3).code("10010001", "0000001", "11110").number(0, 200))},
			want: "a", err: deflate.ErrSymbol},
		{name: "C2 distance before the start", wires: []string{back("00000", 0, 0)}, err: deflate.ErrDistance},
		{name: "C2 distance before the start, then much", wires: []string{back("00000", 0, 0) + stored}, err: deflate.ErrDistance},
		{name: "C2 distance 1 after one octet", wires: []string{"00 01 00 fe ff 41" + back("00000", 0, 0)}, want: "AAAA"},
		{name: "C2 distance 2 after one octet", wires: []string{"00 01 00 fe ff 41" + back("00001", 0, 0)}, want: "A", err: deflate.ErrDistance},
		{name: "C2 distance 256 in a window of 256", bits: 8, wires: []string{stored + back("01111", 63, 6)}, want: long + "012"},
		{name: "C2 distance 257 in a window of 256", bits: 8, wires: []string{stored + "00 01 00 fe ff 41" + back("10000", 0, 7)},
			want: long + "A", err: deflate.ErrDistance},
		{name: "C2 distance 257 in a window of 512", bits: 9, wires: []string{stored + "00 01 00 fe ff 41" + back("10000", 0, 7)},
			want: long + "A" + "012"},

		{name: "C7 earlier message with takeover", takeover: kept, wires: []string{"00 03 00 fc ff 41 42 43 00", back("00010", 0, 0)}, want: "ABCABC"},
		{name: "C7 earlier message without", wires: []string{"00 03 00 fc ff 41 42 43 00", back("00010", 0, 0)}, want: "ABC", err: deflate.ErrDistance},
		{name: "C7 earlier message out of the window", bits: 8, takeover: kept,
			wires: []string{stored + "00", "00 01 00 fe ff 41 00", back("10000", 0, 7)}, want: long + "A", err: deflate.ErrDistance},
		{name: "C7 last octet of the window", bits: 8, takeover: kept,
			wires: []string{stored + "00", "00 01 00 fe ff 41 00", back("01111", 63, 6)}, want: long + "A" + "123"},
		{name: "C7 from the window into the message", bits: 8, takeover: kept,
			wires: []string{"00 02 00 fd ff 41 42 00", back("00001", 0, 0)}, want: "ABABA"},

		{name: "dynamic block", wires: []string{hex(dynamicHeader(257, 1, lengthsOf(257, twoLiterals, 0)...).code("10", "11", "10", "0").number(0, 3))}, want: "aba"},
		{name: "dynamic block, long codes up to the end", wires: []string{longCodes(7), longCodes(8), longCodes(9), longCodes(10)}, want: strings.Repeat("aaaaa", 34)},
		{name: "dynamic block, one distance", wires: []string{hex(dynamicHeader(258, 1, lengthsOf(258, map[int]int{'a': 2, 256: 1, 257: 2}, 1)...).
			code("10", "11", "0", "0").number(0, 3))}, want: "aaaa"},
		{name: "dynamic block, bit that is no distance", wires: []string{hex(dynamicHeader(258, 1, lengthsOf(258, map[int]int{'a': 2, 256: 1, 257: 2}, 1)...).
			code("10", "11", "1").number(0, 80))}, want: "a", err: deflate.ErrSymbol},
		{name: "dynamic block, match without distances", wires: []string{hex(dynamicHeader(258, 1, lengthsOf(258, map[int]int{'a': 2, 256: 1, 257: 2}, 0)...).
			code("10", "11").number(0, 80))}, want: "a", err: deflate.ErrSymbol},
		{name: "dynamic block, code of one symbol", wires: []string{hex(dynamicHeader(257, 1, lengthsOf(257, map[int]int{256: 1}, 0)...).code("0").number(0, 3))}},
		{name: "dynamic block, bit that is no symbol", wires: []string{hex(dynamicHeader(257, 1, lengthsOf(257, map[int]int{256: 1}, 0)...).code("1").number(0, 80))}, err: deflate.ErrSymbol},
		{name: "no end of block", wires: []string{hex(dynamicHeader(257, 1, lengthsOf(257, map[int]int{'a': 1, 'b': 1}, 0)...))}, err: deflate.ErrCodeLengths},
		{name: "too many codes", wires: []string{hex(dynamicHeader(257, 1, lengthsOf(257, map[int]int{'a': 1, 'b': 1, 256: 1}, 0)...))}, err: deflate.ErrCodeLengths},
		{name: "too few codes", wires: []string{hex(dynamicHeader(257, 1, lengthsOf(257, map[int]int{'a': 2, 256: 1}, 0)...))}, err: deflate.ErrCodeLengths},
		{name: "too many distances", wires: []string{hex(dynamicHeader(257, 3, lengthsOf(257, twoLiterals, 1, 1, 1)...))}, err: deflate.ErrCodeLengths},
		{name: "too few distances", wires: []string{hex(dynamicHeader(257, 1, lengthsOf(257, twoLiterals, 2)...))}, err: deflate.ErrCodeLengths},
		{name: "HLIT 287", wires: []string{hex(dynamicHeader(287, 1))}, err: deflate.ErrCodeLengths},
		{name: "HDIST 31", wires: []string{hex(dynamicHeader(257, 31))}, err: deflate.ErrCodeLengths},
		{name: "code length code overfull", wires: []string{hex(new(bitString).number(4, 3).number(0, 14).number(1, 3).number(1, 3).number(1, 3).number(0, 3))}, err: deflate.ErrCodeLengths},
		{name: "code length code empty", wires: []string{hex(new(bitString).number(4, 3).number(0, 14).number(0, 12).number(0, 80))}, err: deflate.ErrCodeLengths},
		{name: "length repeated before the first", wires: []string{hex(new(bitString).number(4, 3).number(0, 14).
			number(1, 3).number(1, 3).number(0, 6).code("0").number(0, 80))}, err: deflate.ErrCodeLengths},
		{name: "lengths repeated beyond the last", wires: []string{hex(new(bitString).number(4, 3).number(0, 14).
			number(0, 3).number(1, 3).number(1, 3).number(0, 3).code("1").number(127, 7).code("1").number(127, 7))}, err: deflate.ErrCodeLengths},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, piece := range []int{0, 1, 2, 3, 5} {
				bits := tt.bits
				if bits == 0 {
					bits = deflate.MaxWindowBits
				}
				d := newDecompressor(t, bits, tt.takeover)
				var got []byte
				for i, wire := range tt.wires {
					out, err := inflate(d, unhex(t, wire), piece, 1<<10)
					got = append(got, out...)
					var want error
					if i == len(tt.wires)-1 {
						want = tt.err
					}
					if err != want {
						t.Fatalf("message %d in pieces of %d: error %v; want %v", i, piece, err, want)
					}
				}
				if diff := cmp.Diff(tt.want, string(got)); diff != "" {
					t.Errorf("in pieces of %d (-want +got):\n%s", piece, diff)
				}
			}
		})
	}
}

func TestNewDecompressorWindowBits(t *testing.T) {
	for _, bits := range []int{-1, 0, 7, 16, 64} {
		if d, err := deflate.NewDecompressor(bits, deflate.Takeover); d != nil || !errors.Is(err, deflate.ErrWindowBits) {
			t.Errorf("NewDecompressor(%d) = %v, %v; want ErrWindowBits", bits, d, err)
		}
	}
}

// The same error comes for ever after, and no output.
func TestDecompressorErrorSticks(t *testing.T) {
	d := newDecompressor(t, 15, deflate.Takeover)
	hello := unhex(t, "f2 48 cd c9 c9 07 00")
	if _, err := d.Append(nil, []byte{6}, true, deflate.NoLimit); err != deflate.ErrBlockType {
		t.Fatalf("error %v; want ErrBlockType", err)
	}
	for range 3 {
		d.Release()
		if out, err := d.Append([]byte("x"), hello, true, deflate.NoLimit); err != deflate.ErrBlockType || string(out) != "x" {
			t.Fatalf("Append = %q, %v; want x, ErrBlockType", out, err)
		}
	}
	if n := d.Memory(); n != 0 {
		t.Errorf("holds %d octets after an error", n)
	}
}

// C1: the limit is exact for every kind of block, and reaching it is no error.
func TestDecompressorLimit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 0))
	for _, k := range kinds {
		for _, level := range []int{0, 1, 9} {
			text := k.make(r, 3000)
			wire := standardDeflate(t, level, text)[0]
			for _, piece := range []int{0, 1, 100} {
				for _, limit := range []int{0, 1, 2, 258, 1000, 2999, 3000, 3001} {
					d := newDecompressor(t, 15, deflate.NoTakeover)
					got, err := inflate(d, wire, piece, int64(limit))
					want, wantErr := text, error(nil)
					if limit < len(text) {
						want, wantErr = text[:limit], deflate.ErrTooLarge
					}
					if err != wantErr || !bytes.Equal(got, want) {
						t.Fatalf("%s, level %d, pieces of %d, limit %d: %d octets, error %v; want %d, %v",
							k.name, level, piece, limit, len(got), err, len(want), wantErr)
					}
				}
			}
		}
	}
}

// Limits as large as can be are limits, beside whatever dst holds.
func TestDecompressorLargestLimit(t *testing.T) {
	for _, limit := range []int64{math.MaxInt64, math.MaxInt64 - 1, math.MaxInt32, math.MinInt64, deflate.NoLimit} {
		d := newDecompressor(t, 15, deflate.NoTakeover)
		out, err := d.Append([]byte("Oh, "), unhex(t, "f2 48 cd c9 c9 07 00"), true, limit)
		if err != nil || string(out) != "Oh, Hello" {
			t.Errorf("limit %d: %q, error %v", limit, out, err)
		}
	}
}

// C1, X5: a bomb makes no slice with room for more than the limit, and a
// Decompressor holds no more than its window and tables while it waits.
func TestDecompressorBomb(t *testing.T) {
	const limit = 1 << 20
	wire := standardDeflate(t, 9, make([]byte, 20<<20))[0]
	for _, piece := range []int{0, 1 << 10} {
		d := newDecompressor(t, 15, deflate.Takeover)
		var out []byte
		var err error
		for rest := wire; err == nil; {
			n := len(rest)
			if piece > 0 {
				n = min(piece, n)
			}
			out, err = d.Append(out, rest[:n], n == len(rest), limit)
			rest = rest[n:]
			if held := d.Memory(); held > 48<<10 {
				t.Fatalf("holds %d octets in the middle of a message", held)
			}
		}
		if err != deflate.ErrTooLarge || len(out) != limit || cap(out) > limit {
			t.Errorf("pieces of %d: %d octets in a slice of %d, error %v; want %d, ErrTooLarge", piece, len(out), cap(out), err, limit)
		}
	}
}

// C8: a million blocks that yield nothing are refused after a bounded number of
// octets, whatever their type; as many octets of honest data are not.
func TestDecompressorNoOutput(t *testing.T) {
	emptyDynamic := dynamicHeader(257, 1, lengthsOf(257, map[int]int{256: 1}, 0)...).code("0").number(0, 3).bytes()
	tests := []struct {
		name  string
		block []byte
		err   error
	}{
		{"empty stored", unhex(t, "00 00 00 ff ff"), deflate.ErrNoOutput},
		{"empty fixed", unhex(t, "03 00"), deflate.ErrNoOutput},
		{"empty dynamic, stored", append(emptyDynamic, 0, 0, 0xff, 0xff), deflate.ErrNoOutput},
		{"one octet stored and flushed", unhex(t, "00 01 00 fe ff 41 00 00 00 ff ff"), nil},
		{"one octet fixed and flushed", unhex(t, "72 04 00 00 00 ff ff"), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := 1_000_000
			if tt.err == nil {
				n = 10_000 // of which all are looked at
			}
			wire := bytes.Repeat(tt.block, n)
			for _, piece := range []int{0, 1, 1000} {
				d := newDecompressor(t, 15, deflate.NoTakeover)
				if _, err := inflate(d, wire, piece, deflate.NoLimit); err != tt.err {
					t.Errorf("pieces of %d: error %v; want %v", piece, err, tt.err)
				}
			}
			if tt.err == nil {
				return
			}
			// However much is sent, work ends after the first KiB.
			d := newDecompressor(t, 15, deflate.NoTakeover)
			for n := range wire {
				if _, err := d.Append(nil, wire[n:n+1], false, deflate.NoLimit); err != nil {
					if most := 1<<10 + 2*len(tt.block); n > most {
						t.Errorf("refused at octet %d; want it by %d", n, most)
					}
					break
				}
			}
		})
	}
}

// repeated appends codes that give the length before times more, by the code 0 of
// symbol 16 of the code length code.
func (s *bitString) repeated(times int) *bitString {
	for times > 0 {
		n := min(times, 6)
		if rest := times - n; rest == 1 || rest == 2 {
			n = 3
		}
		s.code("0").number(n-3, 2)
		times -= n
	}
	return s
}

// costly are blocks that make a decoder work much for few octets, and yield just
// enough not to be refused.
var costly = []struct {
	name  string
	block *bitString
}{
	// The code length code has 0 for 16, 10 for 0 and 11 for 8.
	{"256 codes of 8 bits", new(bitString).number(0, 1).number(2, 2).number(0, 5).number(0, 5).number(1, 4).
		number(1, 3).number(0, 3).number(0, 3).number(2, 3).number(2, 3).
		code("10", "11").repeated(255).code("10").
		code("00000000", "00000001", "11111111")},
	// It has 0 for 16, 1000 to 1110 for 1 to 7 and 1111 for 15.
	{"256 codes of 15 bits", new(bitString).number(0, 1).number(2, 2).number(6, 5).number(0, 5).number(15, 4).
		number(1, 3).number(0, 12).number(4, 3).number(0, 3).number(4, 3).number(0, 3).number(4, 3).number(0, 3).number(4, 3).
		number(0, 3).number(4, 3).number(0, 3).number(4, 3).number(0, 3).number(4, 3).number(4, 3).
		code("1000", "1001", "1010", "1011", "1100", "1101", "1110", "1111").repeated(255).code("1000").
		code("0", "0", "0", "111111111111001")},
	// It has 0 for 8, 10 for 1 and 11 for 9.
	{"286 codes of 8 and 9 bits", new(bitString).number(0, 1).number(2, 2).number(29, 5).number(0, 5).number(14, 4).
		number(0, 12).number(1, 3).number(0, 3).number(2, 3).number(0, 30).number(2, 3).
		code(strings.Repeat("00011", 60), strings.Repeat("0", 46), "10").
		code("00000000", "00000000", "00000000", "00000000", "11000100")},
	{"fixed, one octet", new(bitString).number(0, 1).number(1, 2).code("00110000", "0000000")},
	{"fixed, one octet, flushed", new(bitString).number(0, 1).number(1, 2).code("00110000", "0000000").number(0, 6).
		number(0, 16).number(0xffff, 16)},
}

// costlyWire is a message of the block of about n octets.
func costlyWire(block *bitString, n int) []byte {
	s := &bitString{bytes.Repeat(block.bits, 8*n/len(block.bits))}
	return s.code("1").number(0, 2).code(strings.Repeat("0", -(len(s.bits))&7)).number(0, 16).number(0xffff, 16).bytes()
}

// C8: what costs most is right, and refused no later than it should be;
// BenchmarkDecompressCostly has how long it takes.
func TestDecompressorCostly(t *testing.T) {
	for _, tt := range costly {
		t.Run(tt.name, func(t *testing.T) {
			wire := costlyWire(tt.block, 16<<10)
			want, ok := standardInflate(nil, wire)
			if !ok || len(want) < len(wire)/16 {
				t.Fatalf("compress/flate has %d octets, %v", len(want), ok)
			}
			for _, piece := range []int{0, 1, 1000} {
				got, err := inflate(newDecompressor(t, 15, deflate.NoTakeover), wire, piece, int64(len(want)))
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("pieces of %d: %d octets, %v; want %d", piece, len(got), err, len(want))
				}
			}
		})
	}
}

// X2: nothing is held or made for what was announced but has not come.
func TestDecompressorHoldsNothingAhead(t *testing.T) {
	d := newDecompressor(t, 15, deflate.Takeover)
	out, err := d.Append(nil, unhex(t, "00 ff ff 00 00 41"), false, deflate.NoLimit)
	if err != nil || string(out) != "A" || cap(out) > 1024 || d.Memory() > 256 {
		t.Errorf("Append = %q in %d octets, %v, holding %d", out, cap(out), err, d.Memory())
	}
}

func TestDecompressorMemory(t *testing.T) {
	d := newDecompressor(t, 15, deflate.Takeover)
	for _, step := range []struct{ message, want int }{{0, 0}, {1, 256}, {255, 256}, {1, 512}, {1000, 2048}, {40000, 32768}, {100000, 32768}} {
		wire := standardDeflate(t, 0, make([]byte, step.message))[0]
		if _, err := d.Append(nil, wire, true, deflate.NoLimit); err != nil {
			t.Fatal(err)
		}
		if got := d.Memory(); got != step.want {
			t.Errorf("after %d octets more: holds %d; want %d", step.message, got, step.want)
		}
	}
	d.Release()
	if got := d.Memory(); got != 0 {
		t.Errorf("holds %d octets after Release", got)
	}

	d = newDecompressor(t, 15, deflate.NoTakeover)
	wire := standardDeflate(t, 6, jsonText(rand.New(rand.NewPCG(1, 1)), 5000))[0]
	if _, err := d.Append(nil, wire[:500], false, deflate.NoLimit); err != nil || d.Memory() == 0 {
		t.Errorf("in a message: holds %d octets, error %v", d.Memory(), err)
	}
	if _, err := d.Append(nil, wire[500:], true, deflate.NoLimit); err != nil || d.Memory() != 0 {
		t.Errorf("after it: holds %d octets, error %v", d.Memory(), err)
	}
}

// The caller's dst keeps what it held, and room that suffices is used.
func TestDecompressorAppends(t *testing.T) {
	text := jsonText(rand.New(rand.NewPCG(1, 1)), 5000)
	wire := standardDeflate(t, 6, text)[0]
	d := newDecompressor(t, 15, deflate.NoTakeover)
	for _, room := range []int{0, 1, 4999, 5000, 6000} {
		dst := append(make([]byte, 0, 3+room), "abc"...)
		out, err := d.Append(dst, wire, true, 5000)
		if err != nil || !bytes.Equal(out, slices.Concat([]byte("abc"), text)) {
			t.Errorf("room for %d: %d octets, error %v", room, len(out), err)
		}
		if room >= 5000 && &out[0] != &dst[0] {
			t.Errorf("room for %d: another slice", room)
		}
	}
}

func TestDecompressorAllocs(t *testing.T) {
	text := jsonText(rand.New(rand.NewPCG(1, 1)), 5000)
	wire := standardDeflate(t, 6, text)[0]
	for _, takeover := range takeovers {
		d := newDecompressor(t, 15, takeover)
		dst := make([]byte, 0, 8192)
		n := testing.AllocsPerRun(100, func() {
			for _, cut := range []int{0, 700} {
				out, err := d.Append(dst, wire[:cut], false, deflate.NoLimit)
				if err == nil {
					_, err = d.Append(out, wire[cut:], true, deflate.NoLimit)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		})
		if n > 0.5 && !raceEnabled {
			t.Errorf("%v: %v allocations a message", takeover, n)
		}
	}
}

// Whatever compress/flate makes, and however it is cut, comes back.
func TestDecompressorStandard(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 0))
	for _, level := range []int{-2, 0, 1, 5, 9} {
		for _, k := range kinds {
			var messages [][]byte
			for range 20 {
				messages = append(messages, k.make(r, someSize(r)))
			}
			wires := standardDeflate(t, level, messages...)
			d := newDecompressor(t, 15, deflate.Takeover)
			for i, wire := range wires {
				got, err := inflate(d, wire, r.IntN(len(wire)), int64(len(messages[i])))
				if err != nil || !bytes.Equal(got, messages[i]) {
					t.Fatalf("%s, level %d, message %d: %d octets, error %v; want %d", k.name, level, i, len(got), err, len(messages[i]))
				}
			}
		}
	}
}

// FuzzDecompressor: two messages give the same in any pieces, under any limit,
// and what compress/flate makes of them.
func FuzzDecompressor(f *testing.F) {
	add := func(first, second string) { f.Add(unhex(f, first), unhex(f, second), 3, 100) }
	add("f2 48 cd c9 c9 07 00", "f2 00 11 00 00")
	add("f3 48 cd c9 c9 07 00 00", "00")
	add("00 05 00 fa ff 48 65 6c 6c 6f 00", "f2 48 05 00 00 00 ff ff ca c9 c9 07 00")
	add("06", "00 00 00 ff ff 00 00 00 ff ff 00")
	r := rand.New(rand.NewPCG(3, 0))
	for _, k := range kinds {
		wires := standardDeflate(f, 6, k.make(r, 400), k.make(r, 100))
		f.Add(wires[0], wires[1], 17, 450)
		f.Add(wires[0], wires[1][:len(wires[1])/2], 1, 1<<20)
	}
	f.Fuzz(func(t *testing.T, first, second []byte, piece, limit int) {
		limit = min(max(limit, 0), 1<<20)
		whole := newDecompressor(t, 15, deflate.Takeover)
		pieces := newDecompressor(t, 15, deflate.Takeover)
		var window []byte
		for _, wire := range [][]byte{first, second} {
			got, err := inflate(whole, wire, 0, int64(limit))
			again, againErr := inflate(pieces, wire, piece, int64(limit))
			if err != againErr || !bytes.Equal(got, again) {
				t.Fatalf("whole: %d octets, %v; in pieces of %d: %d octets, %v", len(got), err, piece, len(again), againErr)
			}
			if len(got) > limit {
				t.Fatalf("%d octets exceed the limit of %d", len(got), limit)
			}
			want, ok := standardInflate(window, wire)
			switch err {
			case nil:
				if !ok || !bytes.Equal(got, want) {
					t.Fatalf("%d octets inflated; compress/flate has %d, %v", len(got), len(want), ok)
				}
			case deflate.ErrTooLarge:
				if !bytes.HasPrefix(want, got) {
					t.Fatal("not what compress/flate begins with")
				}
			case deflate.ErrNoOutput:
			default:
				if ok {
					t.Fatalf("error %v; compress/flate has none", err)
				}
			}
			if err != nil {
				return
			}
			window = append(window, got...)
		}
	})
}

func TestErrorText(t *testing.T) {
	const want = "deflate: reserved block type (RFC 1951, Section 3.2.3)"
	if got := deflate.ErrBlockType.Error(); got != want {
		t.Errorf("ErrBlockType.Error() = %q; want %q", got, want)
	}
}

func TestContextTakeoverString(t *testing.T) {
	if a, b := deflate.Takeover.String(), deflate.NoTakeover.String(); a != "takeover" || b != "no takeover" {
		t.Errorf("Takeover is %q, NoTakeover is %q", a, b)
	}
}
