package deflate_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.org/rfc6455/conn/deflate"
)

func newCompressor(tb testing.TB, windowBits int, takeover deflate.ContextTakeover, level deflate.Level) *deflate.Compressor {
	tb.Helper()
	c, err := deflate.NewCompressor(windowBits, takeover, level)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

var (
	levels    = []deflate.Level{deflate.Fast, deflate.Good}
	takeovers = []deflate.ContextTakeover{deflate.NoTakeover, deflate.Takeover}
)

// cut divides a message into up to four parts.
func cut(r *rand.Rand, p []byte) (parts [][]byte) {
	for range r.IntN(4) {
		n := r.IntN(len(p) + 1)
		parts = append(parts, p[:n])
		p = p[n:]
	}
	return append(parts, p)
}

// As in RFC 7692, Section 7.2.3, but that the second message is one match of
// five octets instead of a literal and a match of four.
func TestCompressorVectors(t *testing.T) {
	for _, level := range levels {
		c := newCompressor(t, 15, deflate.Takeover, level)
		for _, step := range []struct {
			name, message string
			last          bool
			want          string
		}{
			{"7.2.3.1 one block", "Hello", true, "f2 48 cd c9 c9 07 00"},
			{"7.2.3.2 shared window", "Hello", true, "02 13 00 00"},
			{"7.2.3.6 empty", "", true, "00"},
			{"first piece", "Hello", false, "02 13 00 00 00 00 ff ff"},
			{"empty piece", "", false, "00 00 00 ff ff"},
			{"last piece", "Hello", true, "02 13 00 00"},
			{"one octet", "a", true, "4a 04 00"},
		} {
			if got := c.AppendPiece(nil, []byte(step.message), step.last); !bytes.Equal(got, unhex(t, step.want)) {
				t.Errorf("%v: %s: % x; want %s", level, step.name, got, step.want)
			}
		}
	}
}

func TestNewCompressorWindowBits(t *testing.T) {
	for _, bits := range []int{-1, 0, 7, 16, 64} {
		if c, err := deflate.NewCompressor(bits, deflate.Takeover, deflate.Fast); c != nil || !errors.Is(err, deflate.ErrWindowBits) {
			t.Errorf("NewCompressor(%d) = %v, %v; want ErrWindowBits", bits, c, err)
		}
	}
}

func TestLevel(t *testing.T) {
	for level, want := range map[deflate.Level]string{deflate.Fast: "fast", deflate.Good: "good", -1: "good", 9: "good"} {
		if got := level.String(); got != want {
			t.Errorf("Level(%d) is %q; want %q", int(level), got, want)
		}
	}
	text := jsonText(rand.New(rand.NewPCG(1, 1)), 5000)
	good, _ := newCompressor(t, 15, deflate.NoTakeover, deflate.Good).Append(nil, text)
	fast, _ := newCompressor(t, 15, deflate.NoTakeover, deflate.Fast).Append(nil, text)
	other, _ := newCompressor(t, 15, deflate.NoTakeover, -1).Append(nil, text)
	if len(good) >= len(fast) || !bytes.Equal(good, other) {
		t.Errorf("good has %d octets, fast %d, level -1 %d", len(good), len(fast), len(other))
	}
}

// mostFor returns how long the payload for a message of n octets may be.
func mostFor(takeover deflate.ContextTakeover, n int) int {
	if takeover == deflate.Takeover && n >= 16 {
		return n + 2
	}
	return n - 1
}

// Short messages that are alike are worth compressing with takeover, though
// the first one alone is not; without it they are sent as they are (C11).
func TestCompressorAlike(t *testing.T) {
	first, second := "temperature 21.5, humidity 40", "temperature 21.6, humidity 40"
	for _, level := range levels {
		c := newCompressor(t, 12, deflate.Takeover, level)
		if wire, ok := c.Append(nil, []byte(first)); !ok || len(wire) != len(first)+2 {
			t.Errorf("%v: the first message takes %d octets, %v", level, len(wire), ok)
		}
		if wire, ok := c.Append(nil, []byte(second)); !ok || len(wire) > 12 {
			t.Errorf("%v: the second message takes %d octets, %v", level, len(wire), ok)
		}
		if wire, ok := c.Append(nil, []byte("Hello, world!!!")); ok {
			t.Errorf("%v: 15 octets became %d", level, len(wire))
		}
		c = newCompressor(t, 12, deflate.NoTakeover, level)
		if wire, ok := c.Append(nil, []byte(first)); ok {
			t.Errorf("%v: the message alone became %d octets", level, len(wire))
		}
	}
}

// Short messages that never get shorter make a connection send at most 16 octets
// more than without compression (C11), and those that get shorter allow no more.
func TestCompressorGrowth(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 0))
	for _, level := range levels {
		c := newCompressor(t, 15, deflate.Takeover, level)
		grown, most := 0, 0
		for i := range 3000 {
			message := fmt.Appendf(nil, "%x", randomOctets(r, 16))
			if i%100 == 50 {
				message = chatText(r, 400)
			}
			if wire, ok := c.Append(nil, message); ok {
				grown += len(wire) - len(message)
				most = max(most, grown)
			}
		}
		if most > 16 || most < 10 {
			t.Errorf("%v: payloads are up to %d octets longer than the messages; want 16 or a little less", level, most)
		}
	}
}

// What has no repetition but some octets more often than others is compressed as
// far as their frequency allows; what has neither is left alone.
func TestCompressorEntropy(t *testing.T) {
	r := rand.New(rand.NewPCG(16, 0))
	octets := make([]byte, 256)
	for i := range octets {
		octets[i] = byte(i)
	}
	for _, level := range levels {
		for _, n := range []int{128, 500, 4000, 100_000} {
			for different := 32; different <= 256; different *= 2 {
				c := newCompressor(t, 15, deflate.NoTakeover, level)
				message := drawn(r, n, string(octets[256-different:]))
				wire, ok := c.Append(nil, message)
				if !ok {
					wire = message
				}
				// Codes of the same length for all, a header of half an octet for
				// each in every block, and what chance matches spoil.
				want := n*bits.Len(uint(different-1))/8 + (1+n>>15)*(different/2+20) + n/100
				if want = min(want, n); len(wire) > want {
					t.Errorf("%v: %d octets, %d of them different, became %d; want at most %d", level, n, different, len(wire), want)
				}
				if ok && different == 256 {
					t.Errorf("%v: %d random octets became %d", level, n, len(wire))
				}
			}
		}
	}
}

// What repeats all the time takes next to nothing, however long it is.
func TestCompressorRepetition(t *testing.T) {
	for _, takeover := range takeovers {
		for _, level := range levels {
			for _, n := range []int{1000, 32 << 10, 100_000} {
				for _, unit := range []string{"a", "ab", "0123456789abcdef", string(jsonText(rand.New(rand.NewPCG(1, 1)), 5000))} {
					c := newCompressor(t, 15, takeover, level)
					message := []byte(strings.Repeat(unit, n/len(unit)+1))
					wire, ok := c.Append(nil, message)
					if most := len(unit) + 20 + len(message)/25; !ok || len(wire) > most {
						t.Errorf("%v, %v: %d octets of %.10q became %d, %v; want at most %d", takeover, level, len(message), unit, len(wire), ok, most)
					}
				}
			}
		}
	}
}

// Every message comes back, from a window of the agreed size and no larger, and
// compress/flate agrees. One that would grow is reported, and the messages
// after it do not need it (C10, C11).
func TestCompressorRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 0))
	for bits := deflate.MinWindowBits; bits <= deflate.MaxWindowBits; bits++ {
		for _, takeover := range takeovers {
			for _, level := range levels {
				c := newCompressor(t, bits, takeover, level)
				d := newDecompressor(t, bits, takeover)
				var window []byte
				for i := range 12 * len(kinds) {
					k := kinds[r.IntN(len(kinds))]
					message := k.make(r, someSize(r))
					what := fmt.Sprintf("%d bits, %v, %v: message %d, %s, %d octets", bits, takeover, level, i, k.name, len(message))
					wire, ok := c.Append([]byte("dst"), cut(r, message)...)
					if !ok {
						if string(wire) != "dst" {
							t.Fatalf("%s: not compressed, but dst is %q", what, wire)
						}
						continue
					}
					wire = wire[3:]
					if len(wire) > mostFor(takeover, len(message)) {
						t.Fatalf("%s: grew to %d", what, len(wire))
					}
					got, err := inflate(d, wire, 0, int64(len(message)))
					if err != nil || !bytes.Equal(got, message) {
						t.Fatalf("%s: %d octets came back, error %v", what, len(got), err)
					}
					if got, ok := standardInflate(window, wire); !ok || !bytes.Equal(got, message) {
						t.Fatalf("%s: compress/flate has %d octets, %v", what, len(got), ok)
					}
					if takeover == deflate.Takeover {
						window = append(window, message...)
						window = window[max(len(window)-1<<15, 0):]
					}
				}
			}
		}
	}
}

// Pieces can be inflated as they come, whole messages before and after them.
func TestCompressorPieces(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 0))
	for _, bits := range []int{8, 9, 12, 15} {
		for _, takeover := range takeovers {
			for _, level := range levels {
				c := newCompressor(t, bits, takeover, level)
				d := newDecompressor(t, bits, takeover)
				for i := range 5 * len(kinds) {
					k := kinds[i%len(kinds)]
					message := k.make(r, someSize(r))
					parts := cut(r, message)
					for j, p := range parts {
						last := j == len(parts)-1
						wire := c.AppendPiece(nil, p, last)
						if most := len(p) + len(p)/8 + 16; len(wire) > most {
							t.Fatalf("%s: %d octets for %d", k.name, len(wire), len(p))
						}
						got, err := d.Append(nil, wire, last, int64(len(message)))
						if err != nil || !bytes.Equal(got, p) {
							t.Fatalf("%d bits, %v, %v, %s: piece %d of %d octets came back as %d, error %v",
								bits, takeover, level, k.name, j, len(p), len(got), err)
						}
						if !last {
							if out, ok := c.Append([]byte("dst"), make([]byte, 1000)); ok || string(out) != "dst" {
								t.Fatal("Append in the middle of a message")
							}
						}
					}
					whole := chatText(r, 300)
					wire, ok := c.Append(nil, whole)
					got, err := d.Append(nil, wire, true, 300)
					if !ok || err != nil || !bytes.Equal(got, whole) {
						t.Fatalf("whole message after it: %v, %d octets, error %v", ok, len(got), err)
					}
				}
			}
		}
	}
}

// Without context takeover the same message gives the same octets, whatever
// its pooled memory was used for.
func TestCompressorRepeatable(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 0))
	for _, level := range levels {
		c := newCompressor(t, 12, deflate.NoTakeover, level)
		for _, k := range kinds {
			for _, n := range []int{20, 500, 70_000} {
				message := k.make(r, n)
				first, _ := c.Append(nil, message)
				for range 5 {
					c.Append(nil, chatText(r, someSize(r)))
					if again, _ := c.Append(nil, message); !bytes.Equal(first, again) {
						t.Fatalf("%v, %s: %d octets compressed to %d, then to %d others", level, k.name, n, len(first), len(again))
					}
				}
			}
		}
	}
}

// What the caller does to his slices afterwards does not matter, and room for
// 9/8 and 64 octets suffices.
func TestCompressorSlices(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 0))
	for _, takeover := range takeovers {
		c := newCompressor(t, 15, takeover, deflate.Fast)
		d := newDecompressor(t, 15, takeover)
		for range 50 {
			for _, k := range kinds {
				message := k.make(r, someSize(r))
				dst := make([]byte, 1, 1+len(message)*9/8+64)
				wire, ok := c.Append(dst, message)
				if !ok {
					continue
				}
				if &wire[0] != &dst[0] {
					t.Errorf("%s: %d octets did not fit", k.name, len(message))
				}
				want := bytes.Clone(message)
				clear(message)
				got, err := inflate(d, wire[1:], 0, 1<<20)
				if err != nil || !bytes.Equal(got, want) {
					t.Fatalf("%s: %d octets came back as %d, error %v", k.name, len(want), len(got), err)
				}
				clear(wire)
			}
		}
	}
}

// Compressors of different connections work at the same time on memory from
// the same pools.
func TestCompressorsTogether(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 8 {
		takeover := takeovers[i%2]
		c := newCompressor(t, 15, takeover, deflate.Fast)
		d := newDecompressor(t, 15, takeover)
		r := rand.New(rand.NewPCG(13, uint64(i)))
		wg.Go(func() {
			for range 15 {
				message := jsonText(r, 1000+r.IntN(100_000))
				wire, ok := c.Append(nil, message)
				got, err := inflate(d, wire, 20_000, deflate.NoLimit)
				if !ok || err != nil || !bytes.Equal(got, message) {
					t.Errorf("%d octets came back as %d, error %v", len(message), len(got), err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// heap returns the octets in use after garbage collection. Pools are empty
// then.
func heap() int {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// The memory that a connection holds between messages, both directions, as
// measured and as reported.
func TestMemoryHeld(t *testing.T) {
	const connections = 12
	r := rand.New(rand.NewPCG(10, 0))
	texts := [][]byte{jsonText(r, 100), jsonText(r, 40_000), chatText(r, 2000)}
	for _, tt := range []struct {
		bits     int
		takeover deflate.ContextTakeover
		most     int
	}{
		{15, deflate.Takeover, 100 << 10},
		{14, deflate.Takeover, 68 << 10},
		{12, deflate.Takeover, 24 << 10},
		{10, deflate.Takeover, 8 << 10},
		{8, deflate.Takeover, 3 << 10},
		{15, deflate.NoTakeover, 1 << 10},
		{8, deflate.NoTakeover, 1 << 10},
	} {
		for _, level := range levels {
			var compressors [connections]*deflate.Compressor
			var decompressors [connections]*deflate.Decompressor
			before := heap()
			for i := range connections {
				c := newCompressor(t, tt.bits, tt.takeover, level)
				d := newDecompressor(t, tt.bits, tt.takeover)
				for _, text := range texts {
					wire, ok := c.Append(nil, text)
					if !ok {
						t.Fatal("not compressed")
					}
					if _, err := d.Append(nil, wire, true, deflate.NoLimit); err != nil {
						t.Fatal(err)
					}
					wire = c.AppendPiece(nil, text, false)
					wire = c.AppendPiece(wire, nil, true)
					if _, err := d.Append(nil, wire, true, deflate.NoLimit); err != nil {
						t.Fatal(err)
					}
				}
				compressors[i], decompressors[i] = c, d
			}
			each := (heap() - before) / connections
			t.Logf("%d bits, %v, %v: %d octets", tt.bits, tt.takeover, level, each)
			if each > tt.most && !raceEnabled {
				t.Errorf("%d bits, %v, %v: a connection holds %d octets; want at most %d", tt.bits, tt.takeover, level, each, tt.most)
			}
			if said := compressors[0].Memory() + decompressors[0].Memory(); said > each || said < each-1024 && !raceEnabled {
				t.Errorf("%d bits, %v, %v: Memory says %d octets, measured %d", tt.bits, tt.takeover, level, said, each)
			}
			for i := range connections {
				compressors[i].Release()
				decompressors[i].Release()
			}
			if said := compressors[0].Memory() + decompressors[0].Memory(); said != 0 {
				t.Errorf("%d octets after Release", said)
			}
		}
	}
}

// A window takes as much memory as was compressed, within a factor of two.
func TestCompressorMemory(t *testing.T) {
	const table = 16 << 10
	r := rand.New(rand.NewPCG(14, 0))
	for _, level := range levels {
		c := newCompressor(t, 15, deflate.Takeover, level)
		for _, step := range []struct{ message, want int }{
			{0, 0}, {100, table + 512}, {400, table + 512}, {500, table + 1024}, {3000, table + 4096},
			{14_000, table + 32<<10}, {16_000, table + 48<<10}, {40_000, table + 48<<10}, {100, table + 48<<10},
		} {
			if step.message > 0 {
				c.Append(nil, jsonText(r, step.message))
			}
			if got := c.Memory(); got != step.want {
				t.Errorf("%v, after %d octets more: holds %d; want %d", level, step.message, got, step.want)
			}
		}
		c.Release()
		if c.Append(nil, jsonText(r, 40_000)); c.Memory() != table+32<<10 {
			t.Errorf("%v, after one large message: holds %d; want the window", level, c.Memory())
		}
	}
}

// After Release a compressor begins anew, even in the middle of a message.
func TestCompressorRelease(t *testing.T) {
	for _, takeover := range takeovers {
		c := newCompressor(t, 15, takeover, deflate.Fast)
		c.Release()
		for range 2 {
			if got := c.AppendPiece(nil, []byte("Hello"), false); !bytes.Equal(got, unhex(t, "f2 48 cd c9 c9 07 00 00 00 ff ff")) {
				t.Errorf("%v: % x", takeover, got)
			}
			if c.Memory() == 0 {
				t.Errorf("%v: holds nothing in the middle of a message", takeover)
			}
			c.Release()
		}
	}
}

func TestCompressorAllocs(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 0))
	for _, takeover := range takeovers {
		for _, level := range levels {
			for _, size := range []int{100, 5000, 50_000} {
				c := newCompressor(t, 15, takeover, level)
				message := jsonText(r, size)
				dst := make([]byte, 0, size*9/8+64)
				n := testing.AllocsPerRun(20, func() {
					if _, ok := c.Append(dst, message[:10], message[10:]); !ok {
						t.Fatal("not compressed")
					}
					c.AppendPiece(c.AppendPiece(dst, message[:50], false), message[50:], true)
				})
				if n > 0.5 && !raceEnabled {
					t.Errorf("%v, %v, %d octets: %v allocations", takeover, level, size, n)
				}
			}
		}
	}
}

// FuzzCompressor: two messages, one of them in pieces, come back from a window
// of the agreed size; compress/flate agrees; and a message reported as
// compressed is shorter.
func FuzzCompressor(f *testing.F) {
	r := rand.New(rand.NewPCG(12, 0))
	for i, k := range kinds {
		for _, n := range []int{0, 5, 300, 40_000} {
			f.Add(k.make(r, n), k.make(r, n/2), 8+i, n%3 == 0, n%2 == 0, n/3)
		}
	}
	f.Add([]byte("aaaaaaaaaaaaaaaa"), []byte("aaaabaaaabaaaab"), 8, true, true, 3)
	f.Fuzz(func(t *testing.T, whole, pieces []byte, bits int, takeover, good bool, piece int) {
		bits = 8 + bits&7
		level := deflate.Fast
		if good {
			level = deflate.Good
		}
		c := newCompressor(t, bits, deflate.ContextTakeover(takeover), level)
		d := newDecompressor(t, bits, deflate.ContextTakeover(takeover))
		piece = max(piece, len(pieces)/8, 1)
		var window []byte
		check := func(wire, message []byte) {
			got, err := inflate(d, wire, 0, int64(len(message)))
			if err != nil || !bytes.Equal(got, message) {
				t.Fatalf("%d octets came back as %d, error %v", len(message), len(got), err)
			}
			if got, ok := standardInflate(window, wire); !ok || !bytes.Equal(got, message) {
				t.Fatalf("%d octets: compress/flate has %d, %v", len(message), len(got), ok)
			}
			if takeover {
				window = append(window, message...)
			}
		}
		for range 2 {
			if wire, ok := c.Append(nil, whole[:len(whole)/2], whole[len(whole)/2:]); ok {
				if len(wire) > mostFor(deflate.ContextTakeover(takeover), len(whole)) {
					t.Fatalf("%d octets for %d", len(wire), len(whole))
				}
				check(wire, whole)
			}
			var wire []byte
			parts := slices.Collect(slices.Chunk(pieces, piece))
			for _, p := range parts {
				wire = c.AppendPiece(wire, p, false)
			}
			check(c.AppendPiece(wire, nil, true), pieces)
		}
	})
}
