package codec_test

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"example.org/rfc6455/socketio/engineio/codec"
	"github.com/google/go-cmp/cmp"
)

// most is how many packets a payload in the tests may hold.
const most = 3

// A vector is a form of encoding, octets, and what they mean.
type vector struct {
	name, form, wire string
	packets          []codec.Packet
	err              error
}

var errorNames = map[string]error{
	"ok":                nil,
	"ErrType":           codec.ErrType,
	"ErrBase64":         codec.ErrBase64,
	"ErrUTF8":           codec.ErrUTF8,
	"ErrLength":         codec.ErrLength,
	"ErrEmpty":          codec.ErrEmpty,
	"ErrTooManyPackets": codec.ErrTooManyPackets,
}

// vectors reads testdata/vectors.txt.
func vectors(tb testing.TB) []vector {
	tb.Helper()
	b, err := os.ReadFile("testdata/vectors.txt")
	if err != nil {
		tb.Fatal(err)
	}
	types := map[string]codec.Type{}
	for t := codec.Open; t <= codec.Noop; t++ {
		types[t.String()] = t
	}
	var all []vector
	for block := range strings.SplitSeq(string(b), "\n\n") {
		lines := strings.Split(strings.TrimSpace(block), "\n")
		if lines[0] == "" || lines[0][0] == '#' {
			continue
		}
		v := vector{
			name: strings.TrimPrefix(lines[0], "name: "),
			form: strings.TrimPrefix(lines[1], "form: "),
			wire: unquote(tb, strings.TrimPrefix(lines[2], "wire: ")),
		}
		var known bool
		if v.err, known = errorNames[lines[3]]; !known {
			tb.Fatalf("%s: no such error %s", v.name, lines[3])
		}
		for _, line := range lines[4:] {
			name, data, _ := strings.Cut(line, " ")
			p := codec.Packet{Type: codec.Message, Binary: true, Data: []byte(unquote(tb, data))}
			if name != "octets" {
				if p.Type, known = types[name]; !known {
					tb.Fatalf("%s: no such type %s", v.name, name)
				}
				p.Binary = false
			}
			v.packets = append(v.packets, p)
		}
		all = append(all, v)
	}
	return all
}

func unquote(tb testing.TB, s string) string {
	tb.Helper()
	u, err := strconv.Unquote(s)
	if err != nil {
		tb.Fatalf("%s: %v", s, err)
	}
	return u
}

// decode decodes octets in a form.
func decode(form string, wire []byte) ([]codec.Packet, error) {
	kind, revision, _ := strings.Cut(form, " ")
	r := codec.Revision(revision[0] - '0')
	one := func(p codec.Packet, err error) ([]codec.Packet, error) {
		if err != nil {
			return nil, err
		}
		return []codec.Packet{p}, nil
	}
	switch kind {
	case "text":
		return one(codec.ParseText(r, wire))
	case "octets":
		return one(codec.ParseBinary(r, wire))
	case "payload":
		return codec.ParsePayload(r, wire, most)
	case "binary":
		return codec.ParseBinaryPayload(wire, most)
	}
	panic(form)
}

// encode encodes packets in a form, behind prefix.
func encode(form, prefix string, ps []codec.Packet) []byte {
	kind, revision, _ := strings.Cut(form, " ")
	r := codec.Revision(revision[0] - '0')
	dst := []byte(prefix)
	switch kind {
	case "text":
		return codec.AppendText(dst, r, ps[0])
	case "octets":
		return codec.AppendBinary(dst, r, ps[0])
	case "payload":
		return codec.AppendPayload(dst, r, ps...)
	}
	return codec.AppendBinaryPayload(dst, ps...)
}

func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.form+"/"+v.name, func(t *testing.T) {
			got, err := decode(v.form, []byte(v.wire))
			if !errors.Is(err, v.err) || (err == nil) != (v.err == nil) {
				t.Fatalf("decoding %q: error %v, want %v", v.wire, err, v.err)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(v.packets, got); diff != "" {
				t.Errorf("decoding %q (-want +got):\n%s", v.wire, diff)
			}
			if got := encode(v.form, "before ", v.packets); string(got) != "before "+v.wire {
				t.Errorf("encoding returns %q, want %q", got, "before "+v.wire)
			}
		})
	}
}

// TestLimitIsExact: as many packets as are accepted are accepted.
func TestLimitIsExact(t *testing.T) {
	ps := []codec.Packet{{Type: codec.Message, Data: []byte("a")}, {Type: codec.Ping, Data: []byte{}}, {Type: codec.Pong, Data: []byte{}}}
	for _, form := range []string{"payload 4", "payload 3", "binary 3"} {
		got, err := decode(form, encode(form, "", ps))
		if err != nil {
			t.Fatalf("%s with %d packets: %v", form, most, err)
		}
		if diff := cmp.Diff(ps, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", form, diff)
		}
	}
}

func TestJSONP(t *testing.T) {
	tests := []struct{ name, payload, script, form string }{
		{"plain", "6:4hello", `___eio[7]("6:4hello");`, "d=6%3A4hello"},
		{"quotes", `6:4"a\b"`, `___eio[7]("6:4\"a\\b\"");`, `d=6%3A4%22a%5Cb%22`},
		{"line separators", "3:4\u2028\u2029", `___eio[7]("3:4\u2028\u2029");`, "d=3%3A4%E2%80%A8%E2%80%A9"},
		{"end of the element", "10:4</script>", `___eio[7]("10:4\u003c/script\u003e");`, "d=10%3A4%3C%2Fscript%3E"},
		{"line break", "4:4a\nb", `___eio[7]("4:4a\nb");`, `d=4%3A4a%5Cnb`},
		{"escaped line break", `5:4a\nb`, `___eio[7]("5:4a\\nb");`, `d=5%3A4a%5C%5Cnb`},
		{"twice escaped line break", `6:4a\\nb`, `___eio[7]("6:4a\\\\nb");`, `d=6%3A4a%5C%5C%5Cnb`},
		{"blank", "4:4a b", `___eio[7]("4:4a b");`, "d=4%3A4a+b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := codec.AppendJSONP([]byte("x"), 7, []byte(tt.payload)); string(got) != "x"+tt.script {
				t.Errorf("AppendJSONP(%q) = %s, want %s", tt.payload, got[1:], tt.script)
			}
			if got, err := codec.ParseJSONP([]byte(tt.form)); err != nil || string(got) != tt.payload {
				t.Errorf("ParseJSONP(%s) = %q, %v; want %q", tt.form, got, err, tt.payload)
			}
		})
	}
	for _, form := range []string{"", "d", "e=6", "d=1&d=2", "d=%", "x=1&d=2"} {
		if got, err := codec.ParseJSONP([]byte(form)); !errors.Is(err, codec.ErrJSONP) {
			t.Errorf("ParseJSONP(%s) = %q, %v; want ErrJSONP", form, got, err)
		}
	}
}

func TestStrings(t *testing.T) {
	got := fmt.Sprint(codec.V3, ", ", codec.Noop, ", ", codec.Type(9), ", ", codec.ErrType)
	const want = "Engine.IO 3, noop, Type(9), engineio: packet without a valid type"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// FuzzForms: what can be decoded encodes to the same octets, only documented errors
// come out, and there are never more packets than octets.
func FuzzForms(f *testing.F) {
	forms := []string{"text 4", "text 3", "octets 4", "octets 3", "payload 4", "payload 3", "binary 3"}
	for _, v := range vectors(f) {
		for i, form := range forms {
			if form == v.form {
				f.Add(uint8(i), []byte(v.wire))
			}
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, wire []byte) {
		form := forms[int(n)%len(forms)]
		ps, err := decode(form, []byte(string(wire)))
		if err != nil {
			for _, documented := range errorNames {
				if err == documented {
					return
				}
			}
			t.Fatalf("%s %q: undocumented error %v", form, wire, err)
		}
		if len(ps) > most || len(ps) > len(wire)+1 {
			t.Fatalf("%s %q: %d packets", form, wire, len(ps))
		}
		if strings.HasPrefix(form, "text") && !strings.HasPrefix(string(wire), "b") && ps[0].Binary {
			t.Fatalf("%s %q is binary", form, wire)
		}
		if got := encode(form, "", ps); string(got) != string(wire) {
			t.Fatalf("%s %q encodes to %q", form, wire, got)
		}
	})
}

// FuzzJSONP: what a client does to a payload is undone, except that it does the same
// to a backslash before a line break as to \n.
func FuzzJSONP(f *testing.F) {
	f.Add("4:4a\nb")
	f.Add(`\\\n\\` + "\r\n")
	f.Fuzz(func(t *testing.T, payload string) {
		if strings.Contains(payload, "\\\n") {
			return
		}
		escaped := strings.ReplaceAll(payload, `\n`, "\\\n")
		escaped = strings.ReplaceAll(escaped, "\n", `\n`)
		var form strings.Builder
		form.WriteString("d=")
		for _, c := range []byte(escaped) {
			fmt.Fprintf(&form, "%%%02x", c)
		}
		if got, err := codec.ParseJSONP([]byte(form.String())); err != nil || string(got) != payload {
			t.Fatalf("ParseJSONP(%s) = %q, %v; want %q", form.String(), got, err, payload)
		}
	})
}

func BenchmarkParsePayload(b *testing.B) {
	for _, form := range []string{"payload 4", "payload 3", "binary 3"} {
		b.Run("form="+strings.ReplaceAll(form, " ", ""), func(b *testing.B) {
			wire := encode(form, "", []codec.Packet{
				{Type: codec.Message, Data: []byte(`2["news",{"hello":"world"}]`)},
				{Type: codec.Message, Binary: true, Data: make([]byte, 1<<10)},
			})
			work := make([]byte, len(wire))
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				copy(work, wire) // base64 is decoded in place
				if ps, err := decode(form, work); err != nil || len(ps) != 2 {
					b.Fatal(len(ps), err)
				}
			}
		})
	}
}
