package conformance

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"

	"example.org/rfc6455/frame"
)

// corpora are of the kinds and about the sizes that the well-known suite uses.
// They are the same in every run.
var corpora = [...]corpus{
	{"json", "records in JSON", frame.OpText, sync.OnceValue(jsonData)},
	{"bitmap", "a grey bitmap", frame.OpBinary, sync.OnceValue(bitmapData)},
	{"verse", "verses", frame.OpBinary, sync.OnceValue(verseData)},
	{"html", "a page in HTML", frame.OpText, sync.OnceValue(htmlData)},
	{"document", "a document with compressed parts", frame.OpBinary, sync.OnceValue(documentData)},
}

// Noise is random data that is the same in every run.
type noise struct{ *rand.Rand }

func newNoise(seed uint64) noise { return noise{rand.New(rand.NewPCG(seed, 7692))} }

// octets returns n octets in which nothing repeats.
func (r noise) octets(n int) []byte {
	b := make([]byte, 0, n+8)
	for len(b) < n {
		b = binary.LittleEndian.AppendUint64(b, r.Uint64())
	}
	return b[:n]
}

// words are of several scripts, so that characters have 1 to 4 octets.
var words = strings.Fields("frame payload opcode mask fragment server client upgrade handshake origin socket close ping pong " +
	"Größe Straße über naïve été señor čaj łódź κύμα θάλασσα волна море 波 海 メッセージ 🌊 ⚓")

// word returns a word, the first ones more often than the last.
func (r noise) word() string { return words[min(r.IntN(len(words)), r.IntN(len(words)))] }

func (r noise) sentence(n int) string {
	s := make([]string, n)
	for i := range s {
		s[i] = r.word()
	}
	return strings.Join(s, " ")
}

// grow calls more until b has size octets.
func grow(size int, b *strings.Builder, more func(i int)) []byte {
	for i := 0; b.Len() < size; i++ {
		more(i)
	}
	return []byte(b.String())
}

func jsonData() []byte {
	r := newNoise(1)
	var b strings.Builder
	return grow(194<<10, &b, func(i int) {
		fmt.Fprintf(&b, "{\"id\": %d, \"name\": %q, \"active\": %t, \"balance\": %.2f, \"tags\": [%q, %q], \"about\": %q}\n",
			i, r.sentence(2), r.IntN(2) == 0, 10000*r.Float64(), r.word(), r.word(), r.sentence(12))
	})
}

func bitmapData() []byte {
	const side = 512
	r := newNoise(2)
	b := append([]byte("BM"), make([]byte, 52)...)
	binary.LittleEndian.PutUint32(b[2:], 54+1024+side*side)
	binary.LittleEndian.PutUint32(b[10:], 54+1024)
	for i := range 256 {
		b = append(b, byte(i), byte(i), byte(i), 0)
	}
	for y := range side {
		for x := range side {
			b = append(b, byte((x*y/side+(x^y)/4)/3+r.IntN(3)))
		}
	}
	return b
}

func verseData() []byte {
	r := newNoise(3)
	var b strings.Builder
	return grow(222<<10, &b, func(i int) {
		b.WriteString(strings.Repeat(" ", 4*(i%2)) + r.sentence(5+r.IntN(3)) + ",\n")
		if i%8 == 7 {
			b.WriteString("\n")
		}
	})
}

func htmlData() []byte {
	r := newNoise(4)
	var b strings.Builder
	b.WriteString("<!DOCTYPE html>\n<html lang=\"en\">\n<body>\n")
	return grow(263<<10, &b, func(i int) {
		fmt.Fprintf(&b, "<section id=\"s%d\" class=\"%s\">\n  <h2>%s</h2>\n  <p><a href=\"/%s?n=%d\">%s</a> %s</p>\n</section>\n",
			i, r.word(), r.sentence(3), r.word(), r.IntN(1000), r.sentence(2), r.sentence(20))
	})
}

func documentData() []byte {
	r := newNoise(5)
	var b strings.Builder
	b.WriteString("%DOC-1\n")
	return grow(1<<20, &b, func(i int) {
		n := 200 + r.IntN(6000)
		fmt.Fprintf(&b, "%d 0 obj\n<< /Type /Part /Length %d /Title (%s) >>\nstream\n%s\nendstream\nendobj\n", i, n, r.sentence(6), r.octets(n))
	})
}
