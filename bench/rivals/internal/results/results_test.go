package results

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const text = `goos: linux
BenchmarkEcho/conns=64/lib=limit-2      100   10 ns/op   9 p99-ns
BenchmarkEcho/conns=64/lib=other:fast-2 100   40 ns/op   0.5 ratio
BenchmarkEcho/conns=64/lib=other:good-2 100   60 ns/op   0.4 ratio
BenchmarkEcho/conns=64/lib=ours         100   30 ns/op   100 op/s
BenchmarkEcho/conns=64/lib=ours         100   20 ns/op   50 op/s
BenchmarkIdle/lib=ours/conns=5          1     7 B/conn
`

func TestParse(t *testing.T) {
	groups, err := Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []*Group{
		{"Echo/conns=64", []*Result{
			{"limit", map[string]float64{"ns/op": 10, "p99-ns": 9}},
			{"other:fast", map[string]float64{"ns/op": 40, "ratio": 0.5}},
			{"other:good", map[string]float64{"ns/op": 60, "ratio": 0.4}},
			{"ours", map[string]float64{"ns/op": 20, "op/s": 100}},
		}},
		{"Idle/conns=5", []*Result{{"ours", map[string]float64{"B/conn": 7}}}},
	}
	if diff := cmp.Diff(want, groups); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"ours", "other:fast", "other:good", "limit"}, Libs(groups)); diff != "" {
		t.Errorf("libs (-want +got):\n%s", diff)
	}
}

func TestBest(t *testing.T) {
	groups, err := Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	g := groups[0]
	for _, c := range []struct {
		most float64
		want string
	}{{1, "other:fast"}, {0.45, "other:good"}} {
		if r, ok := g.Best("ns/op", "ratio", c.most); !ok || r.Lib != c.want {
			t.Errorf("best with a ratio of at most %v: %v", c.most, r)
		}
	}
	if r, ok := g.Limit("ns/op"); !ok || r.Lib != "limit" {
		t.Errorf("limit: %v", r)
	}
	if r, ok := g.OursBest("ns/op"); !ok || r.Lib != "ours" {
		t.Errorf("ours: %v", r)
	}
	if _, ok := g.Best("B/conn", "ratio", 1); ok {
		t.Error("best of a unit that nobody has")
	}
	if got := g.Param("conns"); got != "64" {
		t.Errorf("conns = %q", got)
	}
}

func TestParseNotANumber(t *testing.T) {
	if _, err := Parse(strings.NewReader("BenchmarkX/lib=ours 1 much ns/op\n")); err == nil {
		t.Error("no error for a value that is no number")
	}
}
