package parser_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"unicode/utf8"

	"example.org/rfc6455/socketio/parser"
)

// FuzzDecode: with both parsers only documented errors come out, a packet that
// is encoded again decodes to itself, and its values can be taken out of it.
func FuzzDecode(f *testing.F) {
	for _, v := range vectors(f) {
		var blob []byte
		if len(v.messages) > 1 {
			blob = v.messages[1].Data
		}
		f.Add(v.messages[0].Binary, v.messages[0].Data, blob)
	}
	f.Fuzz(func(t *testing.T, packed bool, first, blob []byte) {
		codec := parser.JSON
		if packed {
			codec = parser.Msgpack
		}
		d := codec.NewDecoder(nil)
		p, ok, err := d.Decode(packed, first)
		for err == nil && !ok {
			p, ok, err = d.Decode(true, blob)
		}
		if err != nil {
			if e, is := errors.AsType[*parser.PacketError](err); !is || e.Reason.String() == "" || e.Offset < 0 {
				t.Fatalf("undocumented error %v", err)
			}
			return
		}
		for _, v := range p.Values(nil) {
			var a any
			if err := v.Decode(&a); err != nil && !errors.Is(err, parser.ErrArgument) {
				t.Fatalf("%s: %v", v, err)
			}
		}
		p.EventName()
		messages, err := codec.Encode(nil, &p)
		if err != nil {
			t.Fatalf("%s: %v", describe(&p), err)
		}
		again, ok, err := decode(codec, &parser.Limits{MaxSize: 10_000_000}, messages)
		if err != nil || !ok {
			t.Fatalf("%s encodes to %v, which is %v", describe(&p), messages, err)
		}
		if got, want := describe(&again), describe(&p); got != want {
			t.Fatalf("%s encodes to %v, which is %s", want, messages, got)
		}
	})
}

// FuzzScan: what is accepted as JSON is what encoding/json accepts and is UTF-8.
func FuzzScan(f *testing.F) {
	for _, s := range []string{`[]`, `{"a":[1,-0.5e+3,"\u00e9\n",true,null]}`, `"a`, ` 1 `, `01`, "\"\xff\"", `{"a":1,}`, `[1,,2]`, `"\ud800"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, err := parser.MakeValue(b, nil, nil)
		if errors.Is(err, parser.ErrDepth) || errors.Is(err, parser.ErrTooManyElements) {
			return
		}
		if want := json.Valid(b) && utf8.Valid(b); want != (err == nil) {
			t.Fatalf("MakeValue(%q) = %v; encoding/json says %t", b, err, want)
		}
	})
}

// FuzzArgs: strings and octets survive the way to the peer and back, through
// both parsers and wherever they are.
func FuzzArgs(f *testing.F) {
	f.Add("a", []byte{1, 2}, 3)
	f.Add("\u2028<\\\"\x00", []byte{}, -1)
	f.Fuzz(func(t *testing.T, s string, octets []byte, n int) {
		type object struct {
			S    string
			B    []byte
			M    map[string]any
			List []any
		}
		if octets == nil {
			octets = []byte{}
		}
		clean := string([]rune(s))
		sent := object{s, octets, map[string]any{s: octets}, []any{octets, s, float64(int32(n))}}
		want := object{clean, octets, map[string]any{clean: octets}, []any{octets, clean, float64(int32(n))}}
		p := parser.Packet{Type: parser.Ack, HasID: true}
		if err := p.SetArgs(s, sent, octets, n); err != nil {
			t.Fatal(err)
		}
		for _, codec := range []parser.Parser{parser.JSON, parser.Msgpack} {
			messages, err := codec.Encode(nil, &p)
			if err != nil {
				t.Fatal(err)
			}
			got, ok, err := decode(codec, &parser.Limits{MaxSize: 1 << 30}, messages)
			if err != nil || !ok {
				t.Fatalf("%v: %v", messages, err)
			}
			var (
				gotS string
				gotO object
				gotB []byte
				gotN int
			)
			values := got.Values(nil)
			for i, dst := range []any{&gotS, &gotO, &gotB, &gotN} {
				if err := values[i].Decode(dst); err != nil {
					t.Fatalf("argument %d of %v: %v", i, messages, err)
				}
			}
			if gotS != clean || gotN != n || !bytes.Equal(gotB, octets) || !reflect.DeepEqual(gotO, want) {
				t.Fatalf("%v decodes to %q, %#v, %x, %d", messages, gotS, gotO, gotB, gotN)
			}
		}
	})
}
