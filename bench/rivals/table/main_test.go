package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRun(t *testing.T) {
	const in = `goos: linux
BenchmarkDeflate/size=1/lib=ours:fast-2    100   2000 ns/op   0.500 ratio   0 B/op   0 allocs/op
BenchmarkDeflate/size=1/lib=ours:fast-2    100   1500 ns/op   0.500 ratio   0 B/op   0 allocs/op
BenchmarkDeflate/size=1/lib=std:1-2        100   4000 ns/op   0.505 ratio   9 B/op   3 allocs/op
BenchmarkDeflate/size=1/lib=std:6-2        100   5000 ns/op   0.400 ratio   9 B/op   3 allocs/op
BenchmarkDeflate/size=1/lib=store          100    750 ns/op   1.000 ratio
BenchmarkDeflate/size=2/lib=ours           100    100 ns/op   0.500 ratio
BenchmarkDeflate/size=2/lib=large          100    400 ns/op   0.900 ratio
BenchmarkMask/lib=other/align=1-16         100     50 ns/op
BenchmarkMask/lib=ours/align=1-16          100     25 ns/op
BenchmarkAlone-2                           100     25 ns/op
PASS
`
	want := []string{
		"benchmark ours time ratio allocs best time ratio x fastest time ratio x",
		"Deflate/size=1 ours:fast 1.5 µs 0.500 0 std:1 4 µs 0.505 0.38 store 750 ns 1.000 2.00",
		"Deflate/size=2 ours 100 ns 0.500 0 - large 400 ns 0.900 0.25",
		"Mask/align=1 ours 25 ns - 0 other 50 ns - 0.50 other 50 ns - 0.50",
	}
	var out strings.Builder
	if err := run(strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}
