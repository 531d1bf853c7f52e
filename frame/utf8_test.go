package frame_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/mask"
)

// firstImpossible is what UTF8.Next has to find, by unicode/utf8: the octet
// after the longest beginning of p that some octets make valid.
func firstImpossible(p []byte) int {
	n := 0
	for n < len(p) {
		r, size := utf8.DecodeRune(p[n:])
		if r != utf8.RuneError || size > 1 {
			n += size
			continue
		}
		for k := min(3, len(p)-n); k > 0; k-- {
			if canBegin(p[n : n+k]) {
				return n + k
			}
		}
		return n
	}
	return n
}

// canBegin reports whether some octets after p complete one code point.
func canBegin(p []byte) bool {
	for _, mid := range []byte{0x80, 0x90, 0xa0} { // one from each range of second octets
		q := append(bytes.Clone(p), mid, 0x80, 0x80)
		for size := len(p) + 1; size <= 4; size++ {
			if r, n := utf8.DecodeRune(q[:size]); n == size && r != utf8.RuneError {
				return true
			}
		}
	}
	return false
}

// validate gives chunks to a UTF8 and returns how many octets it accepted, and
// whether the text is complete.
func validate(t testing.TB, chunks ...[]byte) (n int, complete bool) {
	t.Helper()
	var u frame.UTF8
	for i, p := range chunks {
		m := u.Next(p)
		n += m
		if m < len(p) {
			for _, later := range append(chunks[i:], []byte("a"), nil) {
				if m := u.Next(later); m != 0 {
					t.Fatalf("Next accepted %d octets of %q after an impossible one", m, later)
				}
			}
			break
		}
	}
	return n, u.Complete()
}

// TestUTF8 (M1, M2) has the boundary values of RFC 3629, with the index of the
// first octet that cannot be right.
func TestUTF8(t *testing.T) {
	for _, tt := range []struct {
		text     string // hex
		n        int
		complete bool
	}{
		{"", 0, true},
		// First and last of each length.
		{"00", 1, true}, {"c280", 2, true}, {"e0a080", 3, true}, {"f0908080", 4, true},
		{"7f", 1, true}, {"dfbf", 2, true}, {"efbfbf", 3, true}, {"f48fbfbf", 4, true},
		// Around the surrogates, noncharacters, the last code point.
		{"ed9fbf", 3, true}, {"ee8080", 3, true}, {"efbfbd", 3, true}, {"efbfbe", 3, true}, {"f09fbfbf", 4, true},
		{"f4908080", 1, false}, {"f7bfbfbf", 0, false}, {"f5808080", 0, false},
		{"eda080", 1, false}, {"edadbf", 1, false}, {"edae80", 1, false}, {"edafbf", 1, false}, {"edb080", 1, false},
		{"edbfbf", 1, false}, {"eda080edb080", 1, false},
		// Five and six octets.
		{"f888808080", 0, false}, {"fc8480808080", 0, false}, {"fbbfbfbfbf", 0, false}, {"fdbfbfbfbfbf", 0, false},
		// Continuation octets alone.
		{"80", 0, false}, {"bf", 0, false}, {"80bf80bf", 0, false},
		// First octets alone.
		{"c2", 1, false}, {"df20", 1, false}, {"e0", 1, false}, {"e0a0", 2, false}, {"ef20", 1, false}, {"efbf", 2, false},
		{"f0", 1, false}, {"f09080", 3, false}, {"f48fbf", 3, false}, {"f48fbf20", 3, false}, {"f1808020", 3, false},
		// Octets that never occur.
		{"c0", 0, false}, {"c1", 0, false}, {"fe", 0, false}, {"ff", 0, false},
		// Overlong.
		{"c0af", 0, false}, {"c1bf", 0, false}, {"e080af", 1, false}, {"e09fbf", 1, false}, {"f08080af", 1, false},
		{"f08fbfbf", 1, false}, {"f8808080af", 0, false},
		// Samples.
		{"68656c6c6ff0a4ada2776f726c64", 14, true}, {"cebae1bdb9cf83cebcceb5", 11, true},
		{"cebae1bdb9cf83cebcceb5eda080656469746564", 12, false},
	} {
		// Behind ASCII and other text of many lengths, each loop of the validator
		// meets the octets at each place.
		for _, filler := range []string{"a", "é", "€", "😀"} {
			for k := range 70 {
				before := []byte(strings.Repeat(filler, k))
				text := append(bytes.Clone(before), unhex(t, tt.text)...)
				if tt.complete {
					text = append(text, "zzz"...)
				}
				want := len(before) + tt.n
				if tt.complete {
					want += 3
				}
				if n, complete := validate(t, text); n != want || complete != tt.complete {
					t.Errorf("%d × %q and %s: accepted %d octets, complete %t; want %d, %t", k, filler, tt.text, n, complete, want, tt.complete)
				}
			}
		}
		// At every split, and octet by octet.
		text := unhex(t, tt.text)
		for i := range len(text) + 1 {
			if n, complete := validate(t, text[:i:i], nil, text[i:]); n != tt.n || complete != tt.complete {
				t.Errorf("%s cut at %d: accepted %d octets, complete %t; want %d, %t", tt.text, i, n, complete, tt.n, tt.complete)
			}
		}
		if n, complete := validate(t, each(text, 1)...); n != tt.n || complete != tt.complete {
			t.Errorf("%s by octets: accepted %d, complete %t; want %d, %t", tt.text, n, complete, tt.n, tt.complete)
		}
	}
}

// TestUTF8AllShort compares all texts of up to two octets, and of three and
// four from the edges of the ranges, with unicode/utf8.
func TestUTF8AllShort(t *testing.T) {
	check := func(p ...byte) {
		n, complete := validate(t, p)
		if want := firstImpossible(p); n != want || complete != utf8.Valid(p) {
			t.Errorf("%x: accepted %d octets, complete %t; want %d, %t", p, n, complete, want, utf8.Valid(p))
		}
	}
	for a := range 256 {
		check(byte(a))
		for b := range 256 {
			check(byte(a), byte(b))
		}
	}
	firsts := []byte{0x7f, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5}
	later := []byte{0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff}
	for _, a := range firsts {
		for _, b := range later {
			for _, c := range later {
				check(a, b, c)
				for _, d := range later {
					check(a, b, c, d)
				}
			}
		}
	}
}

// texts draws what the validator may meet: stretches of ASCII and of code points
// of each length, with up to two octets that are wrong.
type texts struct{ *rand.Rand }

func (r texts) next(most int) []byte {
	var p []byte
	for n := r.IntN(most + 1); len(p) < n; {
		sample := []string{"a", "é", "世", "😀", "aé世😀"}[r.IntN(5)]
		p = append(p, strings.Repeat(sample, 1+r.IntN(1+most/4))...)
		p = p[:min(len(p), n)]
	}
	for range r.IntN(3) {
		if len(p) > 0 {
			p[r.IntN(len(p))] = []byte{'a', 0x80, 0x9f, 0xbf, 0xc0, 0xc3, 0xe0, 0xed, 0xf0, 0xf4, 0xff}[r.IntN(11)]
		}
	}
	return p
}

// TestUTF8Random: texts of many lengths are judged as unicode/utf8 judges them,
// whole and in two pieces, masked and not.
func TestUTF8Random(t *testing.T) {
	r := texts{rand.New(rand.NewPCG(1, 2))}
	for i := range 20_000 {
		p := r.next([]int{40, 150, 700}[i%3])
		cut := r.IntN(len(p) + 1)
		n, valid := firstImpossible(p), utf8.Valid(p)
		for _, chunks := range [][][]byte{{p}, {p[:cut:cut], p[cut:]}} {
			if got, complete := validate(t, chunks...); got != n || complete != valid {
				t.Fatalf("%q in %d pieces, cut at %d: accepted %d octets, complete %t; want %d, %t",
					p, len(chunks), cut, got, complete, n, valid)
			}
			unmask(t, mask.Key(r.Uint32()), n, valid, chunks...)
		}
	}
}

// TestUTF8Everywhere has one mistake at each place of texts whose lengths are
// around those of the vectors and blocks that assembly takes at once.
func TestUTF8Everywhere(t *testing.T) {
	for _, sample := range []string{"a", "é", "世", "😀"} {
		for _, size := range []int{15, 16, 17, 31, 32, 33, 34, 35, 36, 63, 64, 65, 96, 127, 128, 129, 160, 192, 256, 300} {
			text := []byte(strings.Repeat(sample, size))[:size]
			for at := range text {
				for _, wrong := range []byte{'a', 0x80, 0xc3, 0xe2, 0xf5} {
					p := bytes.Clone(text)
					p[at] = wrong
					n, valid := firstImpossible(p), utf8.Valid(p)
					if got, complete := validate(t, p); got != n || complete != valid {
						t.Fatalf("%d octets of %q with %x at %d: accepted %d, complete %t; want %d, %t",
							size, sample, wrong, at, got, complete, n, valid)
					}
					unmask(t, 0x84c3a251, n, valid, p)
				}
			}
		}
	}
}

// unmask masks chunks with k and gives them to the Unmask of a UTF8, which must
// accept n octets, judge whether the text is complete as given, and unmask all.
func unmask(t testing.TB, k mask.Key, n int, valid bool, chunks ...[]byte) {
	t.Helper()
	var u frame.UTF8
	accepted, broken := 0, false
	for _, p := range chunks {
		q := make([]byte, len(p)+2)
		q[0], q[len(q)-1] = 0xaa, 0xaa
		masked := q[1 : len(q)-1]
		mask.Copy(masked, p, k)
		m := u.Unmask(masked, k)
		if k = k.Rotate(len(p)); broken && m != 0 {
			t.Fatalf("Unmask accepted %d octets of %q after an impossible one", m, p)
		}
		if !bytes.Equal(masked, p) || q[0] != 0xaa || q[len(q)-1] != 0xaa {
			t.Fatalf("Unmask(%q masked) leaves %q, beside it %x and %x; want aa", p, masked, q[0], q[len(q)-1])
		}
		accepted, broken = accepted+m, broken || m < len(p)
	}
	if accepted != n || u.Complete() != valid {
		t.Fatalf("Unmask of %q accepted %d octets, complete %t; want %d, %t", chunks, accepted, u.Complete(), n, valid)
	}
}

// TestUTF8UnmaskAlignment has long texts at each alignment, of ASCII and with
// something else at a place that moves.
func TestUTF8UnmaskAlignment(t *testing.T) {
	const most = 900
	buf := make([]byte, 64+most)
	for off := range 64 {
		for n := 480; n <= most; n += 7 {
			text := []byte(strings.Repeat("Hello, World! ", most))[:n]
			if at := (n*31 + off*17) % n; n%3 > 0 {
				copy(text[at:], []string{"", "é", "\xff"}[n%3])
			}
			k := mask.Key(0x84c3a251).Rotate(n)
			p := buf[off:][:n]
			mask.Copy(p, text, k)
			var u frame.UTF8
			if got, want := u.Unmask(p, k), firstImpossible(text); got != want || !bytes.Equal(p, text) {
				t.Errorf("Unmask(%q masked, at %d) = %d and leaves %q, want %d", text, off, got, p, want)
			}
		}
	}
}

func TestUTF8Allocs(t *testing.T) {
	p := []byte(strings.Repeat("世", 100))
	var u frame.UTF8
	for _, tt := range []struct {
		name string
		f    func()
	}{
		{"Next", func() { u.Next(p) }},
		{"Unmask", func() { u.Unmask(p, 0) }},
	} {
		if n := testing.AllocsPerRun(100, tt.f); n != 0 {
			t.Errorf("%s allocates %v times, want 0", tt.name, n)
		}
	}
}

// TestUTF8Reset: the zero value begins a new text.
func TestUTF8Reset(t *testing.T) {
	var u frame.UTF8
	u.Next([]byte{0xff})
	u = frame.UTF8{}
	if n := u.Next([]byte("é")); n != 2 || !u.Complete() {
		t.Errorf("after reset: accepted %d octets, complete %t", n, u.Complete())
	}
}

// FuzzUTF8: at every split the validator stops where unicode/utf8 says, and the
// text is complete if it is valid there; unmasking on the way changes nothing.
func FuzzUTF8(f *testing.F) {
	for _, text := range []string{
		"Hello", "Grüße, 世界 😀", "\xf4\x90", "\xed\xa0\x80", "\xc0", "\xe2\x82", strings.Repeat("a", 40) + "é\xff",
		strings.Repeat("é", 40) + "\xf0\x9f", strings.Repeat("世", 30), "0123456\xe4\xb8\x96",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		p = p[:min(len(p), 300)]
		n, valid := firstImpossible(p), utf8.Valid(p)
		for i := range len(p) + 1 {
			if got, complete := validate(t, p[:i:i], p[i:]); got != n || complete != valid {
				t.Fatalf("%q cut at %d: accepted %d octets, complete %t; want %d, %t", p, i, got, complete, n, valid)
			}
			unmask(t, 0x84c3a251, n, valid, p[:i:i], p[i:])
		}
		if got, complete := validate(t, each(p, 1)...); got != n || complete != valid {
			t.Fatalf("%q by octets: accepted %d, complete %t; want %d, %t", p, got, complete, n, valid)
		}
	})
}

// benchmarkTexts calls f with valid texts of several languages and sizes. Each
// is there several times, up to the size of a first-level cache, as if messages
// followed each other: what one call stores, the next does not load.
func benchmarkTexts(b *testing.B, f func(b *testing.B, texts [][]byte)) {
	for _, text := range []struct{ name, sample string }{
		{"ascii", "Hello, World! "},
		{"json", strings.Repeat(`{"name":"value","n":12345},`, 4) + "é"},
		{"cyrillic", "Привет, мир! "},
		{"chinese", "世界你好"},
		{"emoji", "😀😁😂"},
	} {
		for _, size := range []int{16, 125, 512, 1 << 10, 4 << 10, 16 << 10} {
			p := []byte(strings.Repeat(text.sample, size))[:size]
			for !utf8.Valid(p) {
				p = p[:len(p)-1]
			}
			texts := make([][]byte, max(1, 16<<10/size))
			for i := range texts {
				texts[i] = bytes.Clone(p)
			}
			b.Run(fmt.Sprintf("text=%s/size=%d", text.name, size), func(b *testing.B) {
				b.SetBytes(int64(len(p)))
				b.ReportAllocs()
				f(b, texts)
			})
		}
	}
}

func BenchmarkUTF8(b *testing.B) {
	benchmarkTexts(b, func(b *testing.B, texts [][]byte) {
		for i := 0; b.Loop(); i++ {
			if i == len(texts) {
				i = 0
			}
			p := texts[i]
			var u frame.UTF8
			if n := u.Next(p); n != len(p) || !u.Complete() {
				b.Fatal(n, u)
			}
		}
	})
}

func BenchmarkUTF8Unmask(b *testing.B) {
	benchmarkTexts(b, func(b *testing.B, texts [][]byte) {
		for i := 0; b.Loop(); i++ {
			if i == len(texts) {
				i = 0
			}
			p := texts[i]
			var u frame.UTF8
			if n := u.Unmask(p, 0); n != len(p) || !u.Complete() { // the zero key leaves it as it is
				b.Fatal(n, u)
			}
		}
	})
}
