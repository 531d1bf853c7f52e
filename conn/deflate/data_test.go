package deflate_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"example.org/rfc6455/conn/deflate"
)

// unhex decodes hex with spaces between octets.
func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func newDecompressor(tb testing.TB, windowBits int, takeover deflate.ContextTakeover) *deflate.Decompressor {
	tb.Helper()
	d, err := deflate.NewDecompressor(windowBits, takeover)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// inflate gives wire to d in pieces of the given size, each with a dst of its
// own that is overwritten afterwards; 0 is all at once, with some room to begin
// with.
func inflate(d *deflate.Decompressor, wire []byte, piece int, limit int64) ([]byte, error) {
	var all, dst []byte
	if piece <= 0 {
		piece = max(len(wire), 1)
		dst = make([]byte, 0, 1<<10)
	}
	for {
		n := min(piece, len(wire))
		out, err := d.Append(dst, wire[:n], n == len(wire), limit)
		all = append(all, out...)
		clear(out[:cap(out)])
		if err != nil || n == len(wire) {
			return all, err
		}
		wire = wire[n:]
	}
}

// A kind of data to compress.
type kind struct {
	name string
	make func(r *rand.Rand, n int) []byte
}

var kinds = []kind{
	{"json", jsonText},
	{"chat", chatText},
	{"random", randomOctets},
	{"zeros", func(_ *rand.Rand, n int) []byte { return make([]byte, n) }},
	{"high", func(r *rand.Rand, n int) []byte { // 9 bits each in the fixed code
		p := randomOctets(r, n)
		for i := range p {
			p[i] |= 0x90
		}
		return p
	}},
	{"bits", func(r *rand.Rand, n int) []byte { return drawn(r, n, "ab") }},
	{"far", farMatches},
	{"fibonacci", fibonacci},
}

// jsonText is a list of records as an API would send them.
func jsonText(r *rand.Rand, n int) []byte {
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, `{"id":%d,"type":"%s","user":{"id":"u%05d","name":"%s %s","online":%t},"ts":%d,"value":%.4f,"tags":["%s","%s"]}`+"\n",
			r.IntN(1e8), pick(r, words), r.IntN(1e5), pick(r, names), pick(r, names), r.IntN(2) == 0,
			1_700_000_000_000+r.Int64N(1e10), r.NormFloat64()*100, pick(r, words), pick(r, words))
	}
	return b.Bytes()[:n]
}

// chatText is what people write.
func chatText(r *rand.Rand, n int) []byte {
	var b bytes.Buffer
	for b.Len() < n {
		b.WriteString(pick(r, words))
		switch r.IntN(12) {
		case 0:
			b.WriteString(". ")
		case 1:
			b.WriteString(", ")
		case 2:
			fmt.Fprintf(&b, " %s! ", pick(r, names))
		default:
			b.WriteByte(' ')
		}
	}
	return b.Bytes()[:n]
}

func randomOctets(r *rand.Rand, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

// farMatches repeats random pieces at every distance a window can have.
func farMatches(r *rand.Rand, n int) []byte {
	p := randomOctets(r, min(n, 300))
	for len(p) < n {
		distance := min(1<<r.IntN(16)+r.IntN(3)-1, len(p))
		length := min(r.IntN(300), distance)
		p = append(p, p[len(p)-distance:][:length]...)
		p = append(p, randomOctets(r, r.IntN(20)+1)...)
	}
	return p[:n]
}

// fibonacci has octets as often as the Fibonacci numbers say, which makes the
// longest codes.
func fibonacci(r *rand.Rand, n int) []byte {
	p := make([]byte, 0, n+1)
	for symbol, a, b := byte(0), 1, 1; len(p) < n; symbol, a, b = symbol+7, b, a+b {
		p = append(p, bytes.Repeat([]byte{symbol}, min(a, n-len(p)))...)
	}
	r.Shuffle(len(p), func(i, j int) { p[i], p[j] = p[j], p[i] })
	return p
}

func drawn(r *rand.Rand, n int, from string) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = from[r.IntN(len(from))]
	}
	return p
}

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

var names = strings.Fields("Ada Alan Barbara Claude Dennis Donald Edsger Frances Grace Hedy Jean Ken Leslie Margaret Niklaus Radia Robin Tony")

var words = strings.Fields(`the quick answer is that nobody has looked at it since last week so we should
 check whether message order still holds when two people join one room and then leave again before update
 create delete notify order payment invoice session token cursor temperature pressure humidity sensor
 maybe later today thanks great see you tomorrow lunch coffee meeting really fine good morning what about`)

// size distribution of messages as they come: mostly small.
func someSize(r *rand.Rand) int { return r.IntN(1 << r.IntN(17)) }
