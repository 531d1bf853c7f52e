package deflate_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"example.org/rfc6455/conn/deflate"
)

// messages returns a mebibyte of different messages of n octets.
func messages(k kind, n int) [][]byte {
	all := k.make(rand.New(rand.NewPCG(5, uint64(n))), 1<<20)
	parts := make([][]byte, len(all)/n)
	for i := range parts {
		parts[i] = all[i*n:][:n]
	}
	return parts
}

// benchmarkEach runs f for each kind and size of messages. f returns the
// octets that stand for a message.
func benchmarkEach(b *testing.B, codec string, run func(b *testing.B, messages [][]byte) (in, out int)) {
	for _, k := range kinds[:3] {
		for _, n := range []int{128, 1024, 16384} {
			b.Run(fmt.Sprintf("data=%s/size=%d/codec=%s", k.name, n, codec), func(b *testing.B) {
				b.SetBytes(int64(n))
				b.ReportAllocs()
				in, out := run(b, messages(k, n))
				b.ReportMetric(float64(out)/float64(in), "ratio")
			})
		}
	}
}

func BenchmarkCompress(b *testing.B) {
	for _, takeover := range takeovers {
		for _, level := range levels {
			benchmarkEach(b, fmt.Sprintf("ours-%v/takeover=%t", level, takeover), func(b *testing.B, messages [][]byte) (in, out int) {
				c := newCompressor(b, deflate.MaxWindowBits, takeover, level)
				dst := make([]byte, 0, 20<<10)
				for i := 0; b.Loop(); i++ {
					message := messages[i%len(messages)]
					payload, ok := c.Append(dst, message)
					if !ok {
						payload = message // as a connection would send it
					}
					in += len(message)
					out += len(payload)
				}
				return in, out
			})
		}
		for _, level := range []int{1, 6} {
			benchmarkEach(b, fmt.Sprintf("std-%d/takeover=%t", level, takeover), func(b *testing.B, messages [][]byte) (in, out int) {
				var z bytes.Buffer
				w, err := flate.NewWriter(&z, level)
				if err != nil {
					b.Fatal(err)
				}
				for i := 0; b.Loop(); i++ {
					message := messages[i%len(messages)]
					z.Reset()
					if takeover == deflate.NoTakeover {
						w.Reset(&z)
					}
					if _, err := w.Write(message); err != nil {
						b.Fatal(err)
					}
					if err := w.Flush(); err != nil {
						b.Fatal(err)
					}
					in += len(message)
					out += z.Len() - 4
				}
				return in, out
			})
		}
	}
}

func BenchmarkDecompress(b *testing.B) {
	// Messages that stand alone can be inflated in any order, again and again. What
	// takeover costs is one copy into the window.
	deflated := func(b *testing.B, messages [][]byte) (wires [][]byte) {
		for _, message := range messages {
			wires = append(wires, standardDeflate(b, 6, message)[0])
			if len(wires) == 64 {
				break
			}
		}
		return wires
	}
	for _, takeover := range takeovers {
		benchmarkEach(b, fmt.Sprintf("ours/takeover=%t", takeover), func(b *testing.B, messages [][]byte) (in, out int) {
			wires := deflated(b, messages)
			d := newDecompressor(b, deflate.MaxWindowBits, takeover)
			dst := make([]byte, 0, 20<<10)
			for i := 0; b.Loop(); i++ {
				wire := wires[i%len(wires)]
				p, err := d.Append(dst, wire, true, deflate.NoLimit)
				if err != nil {
					b.Fatal(err)
				}
				in += len(p)
				out += len(wire)
			}
			return in, out
		})
	}
	benchmarkEach(b, "std/takeover=false", func(b *testing.B, messages [][]byte) (in, out int) {
		wires := deflated(b, messages)
		for i, wire := range wires {
			wires[i] = append(wire, "\x00\x00\xff\xff\x01\x00\x00\xff\xff"...)
		}
		var r bytes.Reader
		z := flate.NewReader(&r)
		p := make([]byte, 20<<10)
		for i := 0; b.Loop(); i++ {
			wire := wires[i%len(wires)]
			r.Reset(wire)
			if err := z.(flate.Resetter).Reset(&r, nil); err != nil {
				b.Fatal(err)
			}
			n, err := io.ReadFull(z, p)
			if err != io.ErrUnexpectedEOF {
				b.Fatal(err)
			}
			in += n
			out += len(wire) - 9
		}
		return in, out
	})
}

// BenchmarkDecompressCostly has what keeps a decoder busy for few octets (C8): a
// MiB of it should take no more than 50 ms.
func BenchmarkDecompressCostly(b *testing.B) {
	const octets = 16 << 10
	for _, block := range costly {
		wire := costlyWire(block.block, octets)
		dst := make([]byte, 0, octets)
		name := "data=" + strings.ReplaceAll(block.name, " ", "_")
		inMiB := func(b *testing.B) {
			b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(b.N)*(1<<20)/float64(len(wire)), "ms/MiB")
		}
		b.Run(name+"/codec=ours", func(b *testing.B) {
			d := newDecompressor(b, deflate.MaxWindowBits, deflate.NoTakeover)
			for b.Loop() {
				if p, err := d.Append(dst, wire, true, octets); err != nil || len(p) == 0 {
					b.Fatal(len(p), err)
				}
			}
			inMiB(b)
		})
		b.Run(name+"/codec=std", func(b *testing.B) {
			z := flate.NewReader(nil)
			for b.Loop() {
				z.(flate.Resetter).Reset(bytes.NewReader(wire), nil)
				if n, err := io.ReadFull(z, dst[:octets]); err != io.ErrUnexpectedEOF {
					b.Fatal(n, err)
				}
			}
			inMiB(b)
		})
	}
}
