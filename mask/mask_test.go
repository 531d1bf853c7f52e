package mask_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/cryptotest"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/mask"
)

// reference masks p octet by octet, by the words of RFC 6455, Section 5.3, and
// returns the result.
func reference(p []byte, k mask.Key) []byte {
	masked := make([]byte, len(p))
	for i, c := range p {
		masked[i] = c ^ byte(k>>(8*(i%4)))
	}
	return masked
}

// noise returns n octets that differ from their neighbours and from zero.
func noise(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i*31)%251 + 1
	}
	return p
}

const (
	maxLen = 1024 // several times the longest block, and a tail
	offs   = 32   // alignments: the longest word has 32 octets
	guard  = 40   // octets on both sides that must not change
)

// TestRFCVector is the masked "Hello" of RFC 6455, Section 5.7.
func TestRFCVector(t *testing.T) {
	key := mask.Key(0x3d21fa37) // 37 fa 21 3d on the wire
	p := []byte("Hello")
	next := mask.Apply(p, key)
	if got, want := hex.EncodeToString(p), "7f9f4d5158"; got != want {
		t.Errorf(`Apply("Hello", %#x) gives %s, want %s`, key, got, want)
	}
	if want := mask.Key(0x373d21fa); next != want {
		t.Errorf(`Apply("Hello", %#x) = %#x, want %#x`, key, next, want)
	}
}

func TestRotate(t *testing.T) {
	const key = mask.Key(0x44332211)
	for _, tt := range []struct {
		n    int
		want mask.Key
	}{
		{0, 0x44332211}, {1, 0x11443322}, {2, 0x22114433}, {3, 0x33221144}, {4, 0x44332211}, {125, 0x11443322},
		{1<<31 - 1, 0x33221144}, {-1, 0x33221144}, {-1 << 31, 0x44332211},
	} {
		if got := key.Rotate(tt.n); got != tt.want {
			t.Errorf("%#x.Rotate(%d) = %#x, want %#x", key, tt.n, got, tt.want)
		}
	}
}

// eachCase calls f for all lengths, alignments and key phases.
func eachCase(f func(n, off int, k mask.Key)) {
	for off := range offs {
		for phase := range 4 {
			for n := range maxLen + 1 {
				f(n, off, mask.Key(0x84c3a251).Rotate(phase))
			}
		}
	}
}

// expected holds what the reference makes of the longest payload at each offset
// and phase, and so of all shorter ones.
type expected map[[2]int][]byte

func (e expected) payload(plain []byte, n, off int, k mask.Key) []byte {
	at := [2]int{off, int(k & 3)}
	if e[at] == nil {
		e[at] = reference(plain[guard+off:][:maxLen], k)
	}
	return e[at][:n]
}

func TestApply(t *testing.T) {
	plain := noise(guard + offs + maxLen + guard)
	buf, e := bytes.Clone(plain), expected{}
	eachCase(func(n, off int, k mask.Key) {
		begin, end := guard+off, guard+off+n
		next := mask.Apply(buf[begin:end], k)
		if next != k.Rotate(n) {
			t.Fatalf("Apply(%d octets at %d, %#x) = %#x, want %#x", n, off, k, next, k.Rotate(n))
		}
		if want := e.payload(plain, n, off, k); !bytes.Equal(buf[begin:end], want) {
			t.Fatalf("Apply(%d octets at %d, %#x) mismatch (-want +got):\n%s", n, off, k, cmp.Diff(want, buf[begin:end]))
		}
		copy(buf[begin:end], plain[begin:end])
		if near := buf[begin-guard : end+guard]; !bytes.Equal(near, plain[begin-guard:end+guard]) {
			t.Fatalf("Apply(%d octets at %d, %#x) changed octets beside them", n, off, k)
		}
	})
}

func TestCopy(t *testing.T) {
	plain := noise(guard + offs + maxLen + guard)
	src, dst, e := bytes.Clone(plain), make([]byte, len(plain)), expected{}
	zeros := make([]byte, len(plain))
	eachCase(func(n, off int, k mask.Key) {
		to, from := guard+offs-1-off, guard+off // the two aligned differently
		next := mask.Copy(dst[to:to+n], src[from:from+n], k)
		if next != k.Rotate(n) {
			t.Fatalf("Copy(%d octets at %d, %#x) = %#x, want %#x", n, off, k, next, k.Rotate(n))
		}
		if want := e.payload(plain, n, off, k); !bytes.Equal(dst[to:to+n], want) {
			t.Fatalf("Copy(%d octets at %d, %#x) mismatch (-want +got):\n%s", n, off, k, cmp.Diff(want, dst[to:to+n]))
		}
		clear(dst[to : to+n])
		if near := dst[to-guard : to+n+guard]; !bytes.Equal(near, zeros[:len(near)]) {
			t.Fatalf("Copy(%d octets at %d, %#x) changed octets beside them", n, off, k)
		}
	})
	if !bytes.Equal(src, plain) {
		t.Error("Copy changed src")
	}
}

func TestCopyInPlace(t *testing.T) {
	const k = mask.Key(0x84c3a251)
	for n := range maxLen + 1 {
		p := noise(n)
		mask.Copy(p, p, k)
		if want := reference(noise(n), k); !bytes.Equal(p, want) {
			t.Fatalf("Copy(p, p, %#x) of %d octets mismatch (-want +got):\n%s", k, n, cmp.Diff(want, p))
		}
	}
}

// TestCopyShorter: the shorter of the two slices decides, as with copy.
func TestCopyShorter(t *testing.T) {
	const k = mask.Key(0x84c3a251)
	for _, tt := range []struct{ dst, src int }{{0, 9}, {9, 0}, {3, 300}, {300, 3}, {64, 67}, {67, 64}} {
		n := min(tt.dst, tt.src)
		dst := make([]byte, tt.dst)
		next := mask.Copy(dst, noise(tt.src), k)
		if next != k.Rotate(n) {
			t.Errorf("Copy(%d octets, %d octets) = %#x, want %#x", tt.dst, tt.src, next, k.Rotate(n))
		}
		want := append(reference(noise(n), k), make([]byte, tt.dst-n)...)
		if diff := cmp.Diff(want, dst); diff != "" {
			t.Errorf("Copy(%d octets, %d octets) mismatch (-want +got):\n%s", tt.dst, tt.src, diff)
		}
	}
}

func TestNewKey(t *testing.T) {
	cryptotest.SetGlobalRandom(t, 1)
	seen := map[mask.Key]bool{}
	for range 64 {
		seen[mask.NewKey()] = true
	}
	if len(seen) != 64 {
		t.Errorf("64 calls of NewKey gave %d different keys", len(seen))
	}
}

// FuzzSplit: a payload treated in pieces is the payload treated at once, by
// Apply and by Copy, and is what the reference gives.
func FuzzSplit(f *testing.F) {
	f.Add([]byte("Hello"), uint32(0x3d21fa37), []byte{1, 3})
	f.Add(noise(300), uint32(0xffffffff), []byte{0, 128, 7, 31})
	f.Add(noise(129), uint32(0), []byte{127})
	f.Fuzz(func(t *testing.T, p []byte, key uint32, cuts []byte) {
		want := reference(p, mask.Key(key))
		applied, copied := bytes.Clone(p), make([]byte, len(p))
		ka, kc := mask.Key(key), mask.Key(key)
		for at := 0; at < len(p); {
			end := len(p)
			if len(cuts) > 0 {
				end, cuts = min(at+int(cuts[0]), len(p)), cuts[1:]
			}
			ka = mask.Apply(applied[at:end], ka)
			kc = mask.Copy(copied[at:end], p[at:end], kc)
			at = end
		}
		if end := mask.Key(key).Rotate(len(p)); ka != end || kc != end {
			t.Errorf("after %d octets the key is %#x by Apply and %#x by Copy, want %#x", len(p), ka, kc, end)
		}
		if !bytes.Equal(applied, want) {
			t.Errorf("Apply in pieces mismatch (-want +got):\n%s", cmp.Diff(want, applied))
		}
		if !bytes.Equal(copied, want) {
			t.Errorf("Copy in pieces mismatch (-want +got):\n%s", cmp.Diff(want, copied))
		}
	})
}

func TestAllocs(t *testing.T) {
	p, q := make([]byte, 1000), make([]byte, 1000)
	var keys mask.Keys
	for _, tt := range []struct {
		name string
		f    func()
	}{
		{"Apply", func() { mask.Apply(p, 0x84c3a251) }},
		{"Copy", func() { mask.Copy(q, p, 0x84c3a251) }},
		{"Keys.Next", func() { keys.Next() }},
	} {
		if n := testing.AllocsPerRun(100, tt.f); n != 0 {
			t.Errorf("%s allocates %v times, want 0", tt.name, n)
		}
	}
}

// sizes of the benchmarks, with offsets from an alignment of 64 octets or more.
var sizes = []struct{ size, off int }{
	{8, 0}, {16, 0}, {64, 0}, {125, 0}, {125, 1}, {512, 0}, {1 << 10, 0}, {1 << 10, 1}, {16 << 10, 0}, {16 << 10, 1},
	{1 << 20, 0}, {1 << 20, 1},
}

func BenchmarkApply(b *testing.B) {
	buf := make([]byte, 1<<20+64)
	for _, s := range sizes {
		b.Run(fmt.Sprintf("size=%d/off=%d", s.size, s.off), func(b *testing.B) {
			p, k := buf[s.off:][:s.size], mask.Key(0x84c3a251)
			b.SetBytes(int64(s.size))
			b.ReportAllocs()
			for b.Loop() {
				k = mask.Apply(p, k)
			}
		})
	}
}

func BenchmarkCopy(b *testing.B) {
	src, dst := make([]byte, 1<<20+64), make([]byte, 1<<20)
	for _, s := range sizes {
		b.Run(fmt.Sprintf("size=%d/off=%d", s.size, s.off), func(b *testing.B) {
			p, k := src[s.off:][:s.size], mask.Key(0x84c3a251)
			b.SetBytes(int64(s.size))
			b.ReportAllocs()
			for b.Loop() {
				k = mask.Copy(dst, p, k)
			}
		})
	}
}

// BenchmarkApplyRandom draws sizes and offsets at random, so that branches are
// predicted as badly as with real traffic. The payloads follow each other in the
// first-level cache: what was just stored is not loaded again at once.
func BenchmarkApplyRandom(b *testing.B) {
	buf := make([]byte, 32<<10)
	for _, most := range []int{15, 64, 125, 512, 4096} {
		b.Run(fmt.Sprintf("size=1-%d", most), func(b *testing.B) {
			pieces := make([][]byte, 4096)
			r := rand.New(rand.NewPCG(1, 2))
			for i, at := 0, 0; i < len(pieces); i++ {
				if at += r.IntN(64); at+most > len(buf) {
					at = r.IntN(64)
				}
				pieces[i] = buf[at:][:1+r.IntN(most)]
				at += len(pieces[i])
			}
			k, i := mask.Key(0x84c3a251), 0
			b.ReportAllocs()
			for b.Loop() {
				k = mask.Apply(pieces[i%len(pieces)], k)
				i++
			}
		})
	}
}
