package rivals_test

import (
	"bytes"
	"crypto/subtle"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	gobwas "github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/mask"
)

// The others have no masking, UTF-8 or headers that can be called from outside;
// gobwas and the standard library stand for them. The limit is what moving the
// octets costs.

// BenchmarkMask measures masking in place: of fixed sizes at two alignments and
// key phases, and of random ones, as messages come.
func BenchmarkMask(b *testing.B) {
	const key = mask.Key(0x37fa213d)
	buf := make([]byte, 1<<20+64)
	pattern := bytes.Repeat([]byte{0x3d, 0x21, 0xfa, 0x37}, len(buf)/4)
	libs := []struct {
		lib  string
		mask func(p []byte, phase int)
	}{
		{"ours", func(p []byte, phase int) { mask.Apply(p, key) }},
		{"gobwas", func(p []byte, phase int) { gobwas.Cipher(p, [4]byte{0x3d, 0x21, 0xfa, 0x37}, phase) }},
		{"std", func(p []byte, phase int) { subtle.XORBytes(p, p, pattern[phase:phase+len(p)]) }},
		{"limit", func(p []byte, phase int) { copy(p, pattern[:len(p)]) }},
	}
	for _, size := range []int{16, 125, 1 << 10, 16 << 10, 1 << 20} {
		for _, at := range []int{0, 1} {
			for _, phase := range []int{0, 1} {
				for _, l := range libs {
					b.Run(fmt.Sprintf("size=%d/at=%d/phase=%d/lib=%s", size, at, phase, l.lib), func(b *testing.B) {
						p := buf[at : at+size]
						b.SetBytes(int64(size))
						for b.Loop() {
							l.mask(p, phase)
						}
					})
				}
			}
		}
	}
	for _, most := range []int{15, 125, 4096} {
		type piece struct{ from, to int }
		pieces := make([]piece, 4096)
		random := rand.New(rand.NewPCG(6455, uint64(most)))
		for i := range pieces {
			from := random.IntN(64)
			pieces[i] = piece{from, from + 1 + random.IntN(most)}
		}
		for _, l := range libs {
			b.Run(fmt.Sprintf("size=1-%d/lib=%s", most, l.lib), func(b *testing.B) {
				i := 0
				for b.Loop() {
					p := pieces[i&(len(pieces)-1)]
					l.mask(buf[p.from:p.to], 0)
					i++
				}
			})
		}
	}
}

// BenchmarkUTF8 measures the validation of a whole text.
func BenchmarkUTF8(b *testing.B) {
	texts := []struct{ name, text string }{
		{"ascii", "the quick brown fox "},
		{"2-byte", "съешь же ещё "},
		{"3-byte", "天地玄黃宇宙洪荒"},
		{"4-byte", "😀🎉🚀🌍"},
	}
	for _, t := range texts {
		for _, size := range []int{16, 125, 1 << 10, 16 << 10, 1 << 20} {
			text := whole(strings.Repeat(t.text, size/len(t.text)+1), size)
			for _, l := range []struct {
				lib   string
				valid func(p []byte) bool
			}{
				{"ours", func(p []byte) bool {
					var v frame.UTF8
					return v.Next(p) == len(p) && v.Complete()
				}},
				{"std", utf8.Valid},
				{"gobwas", func(p []byte) bool {
					r := wsutil.NewUTF8Reader(bytes.NewReader(p))
					_, err := io.Copy(io.Discard, r)
					return err == nil && r.Valid()
				}},
			} {
				b.Run(fmt.Sprintf("text=%s/size=%d/lib=%s", t.name, size, l.lib), func(b *testing.B) {
					b.SetBytes(int64(len(text)))
					for b.Loop() {
						if !l.valid(text) {
							b.Fatal("valid text is invalid")
						}
					}
				})
			}
		}
	}
}

// whole cuts a text before the rune that does not fit.
func whole(text string, size int) []byte {
	for !utf8.RuneStart(text[size]) {
		size--
	}
	return []byte(text[:size])
}

// BenchmarkParseHeader and BenchmarkAppendHeader measure headers of each length.
func BenchmarkParseHeader(b *testing.B) {
	for _, h := range headers() {
		octets, err := h.AppendBinary(nil)
		if err != nil {
			b.Fatal(err)
		}
		name := fmt.Sprintf("octets=%d/lib=", len(octets))
		b.Run(name+"ours", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, n, err := frame.ParseHeader(octets); n == 0 || err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"gobwas", func(b *testing.B) {
			b.ReportAllocs()
			r, buf := bytes.NewReader(nil), make([]byte, gobwas.MaxHeaderSize)
			for b.Loop() {
				r.Reset(octets)
				if _, err := gobwas.ReadHeaderBuffer(r, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendHeader(b *testing.B) {
	for _, h := range headers() {
		name := fmt.Sprintf("octets=%d/lib=", h.Size())
		b.Run(name+"ours", func(b *testing.B) {
			b.ReportAllocs()
			buf := make([]byte, 0, frame.MaxHeaderSize)
			for b.Loop() {
				if _, err := h.AppendBinary(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"gobwas", func(b *testing.B) {
			b.ReportAllocs()
			theirs := gobwas.Header{Fin: true, OpCode: gobwas.OpBinary, Length: h.Length, Masked: h.Flags&frame.MASK != 0}
			w, buf := &countingWriter{}, make([]byte, gobwas.MaxHeaderSize)
			for b.Loop() {
				if err := gobwas.WriteHeaderBuffer(w, theirs, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A countingWriter takes whatever is written.
type countingWriter struct{ n int }

func (w *countingWriter) Write(p []byte) (int, error) {
	w.n += len(p)
	return len(p), nil
}

// headers returns one of each length that a header can have.
func headers() (all []frame.Header) {
	for _, flags := range []frame.Flags{frame.FIN, frame.FIN | frame.MASK} {
		for _, length := range []int64{5, 1000, 100000} {
			h := frame.Header{Flags: flags, Opcode: frame.OpBinary, Length: length}
			if flags&frame.MASK != 0 {
				h.Key = 0x37fa213d
			}
			all = append(all, h)
		}
	}
	return all
}
