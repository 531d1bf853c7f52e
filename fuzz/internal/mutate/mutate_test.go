package mutate_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/fuzz/internal/mutate"
)

var corpus = [][]any{
	{[]byte("GET / HTTP/1.1\r\n"), "a, b; c", uint8(7), int64(-1), true},
	{[]byte(nil), "", uint8(0), int64(0), false},
	{bytes.Repeat([]byte{0xc3, 0xa4}, 60), "permessage-deflate", uint8(255), int64(math.MaxInt64), true},
}

// inputs returns n inputs in words.
func inputs(seed uint64, n int) (list []string) {
	m := mutate.New(seed, corpus)
	for range n {
		var s strings.Builder
		for _, v := range m.Next() {
			fmt.Fprintf(&s, "%q ", fmt.Sprint(v))
		}
		list = append(list, s.String())
	}
	return list
}

// TestNext: the inputs follow from the seed, are many different ones, and leave the
// corpus as it is.
func TestNext(t *testing.T) {
	before := fmt.Sprint(corpus)
	one := inputs(1, 2000)
	if diff := cmp.Diff(one, inputs(1, 2000)); diff != "" {
		t.Errorf("another run of the same seed (-one +other):\n%s", diff)
	}
	all := map[string]bool{}
	for _, s := range append(one, inputs(2, 2000)...) {
		all[s] = true
	}
	if len(all) < 2000 {
		t.Errorf("%d different inputs of 4000", len(all))
	}
	if after := fmt.Sprint(corpus); after != before {
		t.Errorf("the corpus is %s; was %s", after, before)
	}
}

// TestNextOfLittle: a corpus without an octet is enough.
func TestNextOfLittle(t *testing.T) {
	m := mutate.New(1, [][]any{{[]byte(nil), uint32(0)}})
	longest, numbers := 0, map[uint64]bool{}
	for range 2000 {
		v := m.Next()
		longest = max(longest, v[0].Len())
		numbers[v[1].Uint()] = true
	}
	if longest < 10 || len(numbers) < 100 {
		t.Errorf("at most %d octets, %d numbers", longest, len(numbers))
	}
}

func TestWriteFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "FuzzX")
	values := []reflect.Value{
		reflect.ValueOf([]byte("a\"\x00")), reflect.ValueOf("é\xff"), reflect.ValueOf(uint8(7)), reflect.ValueOf(int64(-1)), reflect.ValueOf(uint32(1)), reflect.ValueOf(true), reflect.ValueOf(5),
	}
	name, err := mutate.WriteFile(dir, values)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	want := "go test fuzz v1\n[]byte(\"a\\\"\\x00\")\nstring(\"é\\xff\")\nuint8(7)\nint64(-1)\nuint32(1)\nbool(true)\nint(5)\n"
	if err != nil || string(b) != want || filepath.Dir(name) != dir {
		t.Errorf("%s has %q, %v; want %q", name, b, err, want)
	}
}

// BenchmarkNext measures what an input takes.
func BenchmarkNext(b *testing.B) {
	m := mutate.New(1, corpus)
	b.ReportAllocs()
	for b.Loop() {
		m.Next()
	}
}
