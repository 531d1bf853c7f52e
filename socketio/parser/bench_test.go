package parser_test

import (
	"fmt"
	"strings"
	"testing"

	"example.org/rfc6455/socketio/parser"
)

// BenchmarkDecode: a packet of one argument, checked, and its argument decoded.
func BenchmarkDecode(b *testing.B) {
	for _, size := range []int{16, 1 << 10, 64 << 10} {
		text := []byte(`213["echo",{"user":"someone","text":"` + strings.Repeat("x", size) + `","n":1}]`)
		b.Run(fmt.Sprintf("size=%d/argument=none", size), func(b *testing.B) {
			d := parser.JSON.NewDecoder(nil)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if p, ok, err := d.Decode(false, text); err != nil || !ok || p.ID != 13 {
					b.Fatal(p, ok, err)
				}
			}
		})
		b.Run(fmt.Sprintf("size=%d/argument=struct", size), func(b *testing.B) {
			d := parser.JSON.NewDecoder(nil)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			var values []parser.Value
			for b.Loop() {
				p, _, err := d.Decode(false, text)
				values = p.Values(values[:0])
				var m struct {
					User, Text string
					N          int
				}
				if err != nil || values[0].Decode(&m) != nil || m.N != 1 {
					b.Fatal(m, err)
				}
			}
		})
	}
}

// BenchmarkEncode: arguments of several kinds.
func BenchmarkEncode(b *testing.B) {
	type message struct {
		User, Text string
		N          int
	}
	for _, bench := range []struct {
		name string
		args []any
	}{
		{"string", []any{"chat message", "hello, world"}},
		{"struct", []any{"chat message", message{"someone", "hello, world", 1}}},
		{"map", []any{"chat message", map[string]any{"user": "someone", "n": 1}}},
		{"blob", []any{"chat message", make([]byte, 1<<10)}},
	} {
		for _, codec := range []struct {
			name   string
			parser parser.Parser
		}{{"json", parser.JSON}, {"msgpack", parser.Msgpack}} {
			b.Run("argument="+bench.name+"/parser="+codec.name, func(b *testing.B) {
				b.ReportAllocs()
				var messages []parser.Message
				for b.Loop() {
					p := parser.Packet{Type: parser.Event}
					err := p.SetArgs(bench.args...)
					if err == nil {
						messages, err = codec.parser.Encode(messages[:0], &p)
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// TestDecodeAllocs: a packet of the usual kind is decoded where it lies.
func TestDecodeAllocs(t *testing.T) {
	text := []byte(`213["echo",{"user":"someone","n":1}]`)
	d := parser.JSON.NewDecoder(nil)
	values := make([]parser.Value, 0, 4)
	n := testing.AllocsPerRun(100, func() {
		p, ok, err := d.Decode(false, text)
		if values = p.Values(values[:0]); err != nil || !ok || len(values) != 1 {
			t.Fatal(p, ok, err)
		}
	})
	if n != 0 {
		t.Errorf("Decode allocates %v times", n)
	}
}
