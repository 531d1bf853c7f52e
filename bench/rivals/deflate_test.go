package rivals_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	klauspost "github.com/klauspost/compress/flate"

	"example.org/rfc6455/conn/deflate"
)

// someMessages returns messages of all sizes and corpora, and some that compress
// extremely well or oddly.
func someMessages() (messages [][]byte) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 12 {
		for _, c := range corpora {
			n := r.IntN(1 << r.IntN(18))
			messages = append(messages, c.make(nil, r, n)[:n])
		}
		messages = append(messages, make([]byte, r.IntN(100_000)))
		mixed := appendRandom(nil, r, 300)
		for range r.IntN(200) {
			at := r.IntN(len(mixed))
			mixed = append(mixed, mixed[at:min(at+r.IntN(400), len(mixed))]...)
		}
		messages = append(messages, mixed)
	}
	return messages
}

// klauspostInflate inflates a payload that may refer to the window.
func klauspostInflate(payload, window []byte) ([]byte, error) {
	r := klauspost.NewReaderDict(io.MultiReader(bytes.NewReader(payload), bytes.NewReader([]byte(tail+"\x01\x00\x00\xff\xff"))), window)
	return io.ReadAll(r)
}

// TestKlauspostReadsOurs: every message that we compress, at every window size,
// whole and in pieces.
func TestKlauspostReadsOurs(t *testing.T) {
	messages := someMessages()
	for bits := deflate.MinWindowBits; bits <= deflate.MaxWindowBits; bits++ {
		for _, takeover := range []deflate.ContextTakeover{deflate.NoTakeover, deflate.Takeover} {
			for _, level := range []deflate.Level{deflate.Fast, deflate.Good} {
				c, err := deflate.NewCompressor(bits, takeover, level)
				if err != nil {
					t.Fatal(err)
				}
				var window []byte
				for i, message := range messages {
					var payload []byte
					ok := i%3 == 0
					if ok {
						half := len(message) / 2
						payload = c.AppendPiece(c.AppendPiece(nil, message[:half], false), message[half:], true)
					} else if payload, ok = c.Append(nil, message); !ok {
						continue
					}
					got, err := klauspostInflate(payload, window)
					if err != nil || !bytes.Equal(got, message) {
						t.Fatalf("%d bits, %v, %v: message %d of %d octets is read as %d, %v", bits, takeover, level, i, len(message), len(got), err)
					}
					if takeover == deflate.Takeover {
						window = append(window, message...)
						window = window[max(len(window)-1<<bits, 0):]
					}
				}
			}
		}
	}
}

// TestWeReadKlauspost: every level of theirs, and what it writes without state
// and within a window.
func TestWeReadKlauspost(t *testing.T) {
	type writer struct {
		name string
		bits int
		new  func(takeover bool) compress
	}
	writers := []writer{{"stateless", 15, func(takeover bool) compress { return stateless(t, takeover) }}}
	for level := klauspost.HuffmanOnly; level <= klauspost.BestCompression; level++ {
		writers = append(writers, writer{fmt.Sprint("level ", level), 15, func(takeover bool) compress {
			return standard(t, takeover, func(w io.Writer) (flateWriter, error) { return klauspost.NewWriter(w, level) })
		}})
	}
	for bits := deflate.MinWindowBits; bits <= deflate.MaxWindowBits; bits++ {
		writers = append(writers, writer{fmt.Sprint("window of ", 1<<bits), bits, func(takeover bool) compress {
			return standard(t, takeover, func(w io.Writer) (flateWriter, error) { return klauspost.NewWriterWindow(w, 1<<bits) })
		}})
	}
	messages := someMessages()
	r := rand.New(rand.NewPCG(3, 4))
	for _, w := range writers {
		for _, takeover := range []bool{false, true} {
			d, err := deflate.NewDecompressor(w.bits, deflate.ContextTakeover(takeover))
			if err != nil {
				t.Fatal(err)
			}
			compress := w.new(takeover)
			for i, message := range messages {
				payload := compress(message)
				cut := r.IntN(len(payload) + 1)
				got, err := d.Append(nil, payload[:cut], false, int64(len(message)))
				if err == nil {
					got, err = d.Append(got, payload[cut:], true, int64(len(message)))
				}
				if err != nil || !bytes.Equal(got, message) {
					t.Fatalf("%s, takeover=%t: message %d of %d octets is read as %d, %v", w.name, takeover, i, len(message), len(got), err)
				}
			}
		}
	}
}

// TestCodecs: what the benchmarks measure is right.
func TestCodecs(t *testing.T) {
	for _, takeover := range []bool{false, true} {
		for _, c := range compressors {
			compress := c.new(t, takeover)
			var each []decompress
			for _, d := range decompressors {
				each = append(each, d.new(t, takeover))
			}
			for _, message := range corpora[0].messages(1 << 12)[:20] {
				payload := compress(message)
				for i, inflate := range each {
					if got := inflate(payload, len(message)); !bytes.Equal(got, message) {
						t.Fatalf("%s inflates what %s compressed, takeover=%t, to something else", decompressors[i].lib, c.lib, takeover)
					}
				}
			}
		}
	}
}

var sizes = []int{128, 1 << 10, 16 << 10}

// BenchmarkDeflateCompress measures codecs alone. The metric ratio is of payload
// to message.
func BenchmarkDeflateCompress(b *testing.B) {
	for _, c := range corpora {
		for _, n := range sizes {
			messages := c.messages(n)
			for _, takeover := range []bool{false, true} {
				for _, codec := range compressors {
					b.Run(fmt.Sprintf("data=%s/size=%d/takeover=%t/lib=%s", c.name, n, takeover, codec.lib), func(b *testing.B) {
						compress := codec.new(b, takeover)
						payload := 0
						for _, message := range messages {
							payload += len(compress(message))
						}
						b.ReportAllocs()
						p, i := newPace(n), 0
						for b.Loop() {
							if len(compress(messages[i])) == 0 {
								b.Fatal("no octets")
							}
							if i++; i == len(messages) {
								i = 0
							}
							p.done()
						}
						p.report(b)
						b.ReportMetric(float64(payload)/float64(n*len(messages)), "ratio")
					})
				}
			}
		}
	}
}

// payloads compresses messages as a zlib in a browser would, more or less. The
// first refers to nothing, so that they can be inflated again and again.
func payloads(tb testing.TB, messages [][]byte, takeover bool) [][]byte {
	compress := compressors[3].new(tb, takeover)
	all := make([][]byte, len(messages))
	for i, message := range messages {
		all[i] = bytes.Clone(compress(message))
	}
	return all
}

// BenchmarkDeflateDecompress measures codecs alone, on what compress/flate makes
// at level 6.
func BenchmarkDeflateDecompress(b *testing.B) {
	for _, c := range corpora {
		for _, n := range sizes {
			messages := c.messages(n)
			for _, takeover := range []bool{false, true} {
				wires := payloads(b, messages, takeover)
				for _, codec := range decompressors {
					b.Run(fmt.Sprintf("data=%s/size=%d/takeover=%t/lib=%s", c.name, n, takeover, codec.lib), func(b *testing.B) {
						decompress := codec.new(b, takeover)
						b.ReportAllocs()
						p, i := newPace(n), 0
						for b.Loop() {
							if got := decompress(wires[i], n); len(got) != n {
								b.Fatal(len(got))
							}
							if i++; i == len(wires) {
								i = 0
							}
							p.done()
						}
						p.report(b)
					})
				}
			}
		}
	}
}
