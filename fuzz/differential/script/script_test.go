package script_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/differential/script"
)

// generate makes scripts of a seed.
func generate(seed uint64, n int) []*script.Script {
	rng := rand.New(rand.NewPCG(seed, 0))
	scripts := make([]*script.Script, n)
	for i := range scripts {
		scripts[i] = script.Generate(rng)
	}
	return scripts
}

func TestParseString(t *testing.T) {
	for _, s := range generate(1, 1000) {
		got, err := script.Parse(s.String())
		if err != nil {
			t.Fatalf("Parse(%q): %v", s, err)
		}
		if !got.Equal(s) {
			t.Fatalf("Parse(%q) = %q", s, got)
		}
	}
}

func TestParse(t *testing.T) {
	got, err := script.Parse(`client head="HTTP/1.1 101 \r\n\r\n" early=1 stream=8100 sizes=1,3`)
	want := &script.Script{Role: frame.Client, Head: "HTTP/1.1 101 \r\n\r\n", Early: 1, Stream: []byte{0x81, 0}, Sizes: []int{1, 3}}
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse mismatch (-want +got):\n%s", diff)
	}
	for _, line := range []string{
		"", "peer", "server early=1", "server early=-1 stream=00", "server stream=0", "server sizes=0", "server sizes=",
		`server head="`, "server head=x", "server what=1", "server stream",
	} {
		if s, err := script.Parse(line); !errors.Is(err, script.ErrSyntax) {
			t.Errorf("Parse(%q) = %v, %v; want ErrSyntax", line, s, err)
		}
	}
}

func TestPieces(t *testing.T) {
	b := []byte("abcdefgh")
	for _, tt := range []struct {
		sizes []int
		want  []string
	}{
		{nil, []string{"abcdefgh"}},
		{[]int{1}, strings.Split("abcdefgh", "")},
		{[]int{3, 1}, []string{"abc", "d", "efg", "h"}},
		{[]int{9}, []string{"abcdefgh"}},
	} {
		var got []string
		for _, p := range (&script.Script{Sizes: tt.sizes}).Pieces(b) {
			got = append(got, string(p))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("Pieces of %v mismatch (-want +got):\n%s", tt.sizes, diff)
		}
	}
	if got := (&script.Script{}).Pieces(nil); got != nil {
		t.Errorf("Pieces of nothing = %q", got)
	}
}

// TestGenerate: the same choices make the same script, all are playable, and
// nothing that the generator can make up is missing for long.
func TestGenerate(t *testing.T) {
	scripts := generate(1, 6000)
	seen := map[string]bool{}
	for i, again := range generate(1, 200) {
		if !again.Equal(scripts[i]) {
			t.Fatalf("script %d is %v and %v", i, scripts[i], again)
		}
	}
	for _, s := range scripts {
		if s.Early > len(s.Stream) {
			t.Fatalf("%v: %d early octets", s, s.Early)
		}
		if opening := s.Opening(); !strings.HasSuffix(opening, "\r\n\r\n") && !strings.HasSuffix(opening, "\n\n") {
			t.Fatalf("%v: the head has no end", s)
		}
		seen[s.Role.String()] = true
		for b := s.Stream; ; {
			f, n := script.ParseFrame(b)
			if n == 0 {
				break
			}
			b = b[n:]
			seen[frame.Opcode(f.Opcode).String()] = true
			if len(f.Payload) == script.Limit {
				seen["limit"] = true
			}
			if f.Opcode == byte(frame.OpClose) && f.Length == 1 {
				seen["half a code"] = true
			}
			if !f.Minimal() {
				seen["not minimal"] = true
			}
		}
		if len(s.Sizes) == 1 && s.Sizes[0] == 1 {
			seen["octet by octet"] = true
		}
	}
	for _, what := range []string{
		"server", "client", "text", "binary", "continuation", "ping", "pong", "close", "limit", "half a code", "not minimal", "octet by octet",
	} {
		if !seen[what] {
			t.Errorf("none of %d scripts has %s", len(scripts), what)
		}
	}
}

func TestMinimize(t *testing.T) {
	s, err := script.Parse("server early=3 stream=8900818337fa213d569842" + "820337fa213d0102038800 sizes=2,1")
	if err != nil {
		t.Fatal(err)
	}
	before := s.String()
	got := s.Minimize(func(s *script.Script) bool { return bytes.Contains(s.Stream, []byte{0x81, 0x83}) })
	if want := "server stream=8183 sizes=1"; got.String() != want {
		t.Errorf("Minimize = %v, want %v", got, want)
	}
	if s.String() != before {
		t.Errorf("Minimize modified the script: %v", s)
	}
}

// FuzzFrame: what ParseFrame returns is encoded as the octets it was parsed from.
func FuzzFrame(f *testing.F) {
	f.Add([]byte{0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58})
	f.Add([]byte{0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2})
	f.Add([]byte{0x89, 0x7e, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, n := script.ParseFrame(b)
		if n > len(b) {
			t.Fatalf("ParseFrame of %d octets took %d", len(b), n)
		}
		if n > 0 && !bytes.Equal(got.Append(nil), b[:n]) {
			t.Fatalf("%+v is encoded as %x, not %x", got, got.Append(nil), b[:n])
		}
	})
}
