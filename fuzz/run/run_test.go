package main

import (
	"archive/zip"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNames(t *testing.T) {
	file := "package x\n\nfunc FuzzA(f *testing.F) {}\n\n// func FuzzB(f *testing.F)\nfunc fuzzC(f *testing.F) {}\nfunc FuzzD(fz *testing.F) { fuzzC(fz) }\nfunc FuzzE(t *testing.T) {}\n"
	if diff := cmp.Diff([]string{"FuzzA", "FuzzD"}, names([]byte(file))); diff != "" {
		t.Errorf("names mismatch (-want +got):\n%s", diff)
	}
}

func TestFindTargets(t *testing.T) {
	t.Chdir("../..")
	targets, err := findTargets(t.Context(), regexp.MustCompile("^FuzzServerFrames$"))
	if err != nil {
		t.Fatal(err)
	}
	if len(targets) != 1 || !strings.HasSuffix(targets[0].pkg, "/fuzz") || filepath.Base(targets[0].testdata()) != "FuzzServerFrames" {
		t.Errorf("targets = %+v", targets)
	}
	if all, err := findTargets(t.Context(), regexp.MustCompile("")); err != nil || len(all) < 20 {
		t.Errorf("%d targets, %v; want at least 20", len(all), err)
	}
}

func TestParseReport(t *testing.T) {
	out := "fuzz: elapsed: 0s, gathering baseline coverage: 0/2 completed\n" +
		"fuzz: elapsed: 3s, execs: 21052 (7017/sec), new interesting: 53 (total: 55)\n" +
		"fuzz: elapsed: 6s, execs: 50877 (9942/sec), new interesting: 66 (total: 68)\nPASS\n"
	if got, want := parseReport([]byte(out)), (report{execs: 50877, fresh: 66, total: 68}); got != want {
		t.Errorf("parseReport = %+v; want %+v", got, want)
	}
	if got := parseReport([]byte("FAIL\n")); got != (report{}) {
		t.Errorf("parseReport = %+v", got)
	}
}

func TestSummarize(t *testing.T) {
	broken := errors.New("broken")
	results := []result{
		{target: target{name: "FuzzA"}, report: report{execs: 10, fresh: 1}},
		{target: target{name: "FuzzB"}, report: report{execs: 5, fresh: 2}, err: broken},
	}
	var out strings.Builder
	if err := summarize(&out, results); !errors.Is(err, broken) {
		t.Errorf("summarize = %v", err)
	}
	if want := "2 targets, 15 executions, 3 inputs reached new code, 1 failed\n"; out.String() != want {
		t.Errorf("summary %q; want %q", out.String(), want)
	}
	if err := summarize(&out, results[:1]); err != nil {
		t.Errorf("summarize = %v", err)
	}
}

func TestAddRow(t *testing.T) {
	file := []byte("# Records\n\n" + guidedHeader + "\nbehind\n")
	guided := func(name string, execs int64) {
		r := &result{target: target{name: name}, report: report{execs: execs, total: 7}, took: time.Minute}
		file = addRow(file, guidedHeader, name, func(row []string) []string { return r.longer(row, "fuzz") })
	}
	mutated := func(name string, execs int64, seed uint64, places ...string) {
		r := &result{target: target{name: name}, report: report{execs: execs}, took: time.Minute, seed: seed, profile: profile{}}
		for i, place := range places {
			r.profile[place] = block{1, i == 0}
		}
		file = addRow(file, mutatedHeader, name, r.sum)
	}
	guided("FuzzB", 10)
	guided("FuzzAB", 5)
	guided("FuzzB", 9)
	guided("FuzzAB", 6)
	mutated("FuzzC", 1000, 1, "a.test/x/b.go:1", "a.test/x/b.go:2")
	mutated("FuzzC", 500, 2, "a.test/x/b.go:1")
	mutated("FuzzC", 1, 7, "a.test/y/b.go:1")
	mutated("FuzzD", 5, 1)
	mutated("FuzzD", 6, 2)
	want := "# Records\n\n" + guidedHeader + "| FuzzAB | 6 | 1m0s | 7 | `fuzz` |\n| FuzzB | 10 | 1m0s | 7 | `fuzz` |\n\nbehind\n" +
		"\n" + mutatedHeader + "| FuzzC | 1501 | 3m0s | 1 2 7 | x 100.0 %, y 100.0 % |\n| FuzzD | 11 | 2m0s | 1 2 |  |\n"
	if diff := cmp.Diff(want, string(file)); diff != "" {
		t.Errorf("file mismatch (-want +got):\n%s", diff)
	}
	name := filepath.Join(t.TempDir(), "records")
	if err := os.WriteFile(name, file, 0o666); err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]uint64{"FuzzC": 8, "FuzzAB": 1} {
		if got := nextSeed(name, target); got != want {
			t.Errorf("nextSeed(%s) = %d; want %d", target, got, want)
		}
	}
	if got := nextSeed(name+"x", "FuzzC"); got != 1 {
		t.Errorf("nextSeed without a file = %d", got)
	}
}

// TestMutated runs a target of ./fuzz on a few inputs.
func TestMutated(t *testing.T) {
	t.Chdir("../..")
	targets, err := findTargets(t.Context(), regexp.MustCompile("^FuzzClose$"))
	if err != nil {
		t.Fatal(err)
	}
	records := filepath.Join(t.TempDir(), "records.md")
	c := campaign{execs: 2000, procs: 1, mutate: true, seed: 3, records: records}
	results, err := c.run(t.Context(), targets)
	if err != nil || len(results) != 1 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	if r := &results[0]; r.err != nil || r.execs != 2000 || r.coverage()["frame"] < 10 {
		t.Errorf("%d executions reached %v, %v", r.execs, r.coverage(), r.err)
	}
	b, err := os.ReadFile(records)
	if err != nil || !strings.Contains(string(b), "| FuzzClose | 2000 | ") || !strings.Contains(string(b), " | 3 | ") {
		t.Errorf("records %q, %v", b, err)
	}
}

func TestCorpus(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("GOCACHE", cache)
	x := target{pkg: "a.test/b", dir: t.TempDir(), name: "FuzzX"}
	dir, err := x.cached()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{"one": "long", "two": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := keepInputs([]target{x}, 1); err != nil {
		t.Fatal(err)
	}
	if kept, err := inputs(x.testdata()); err != nil || len(kept) != 1 || kept[0].name != "two" {
		t.Errorf("kept %+v, %v", kept, err)
	}
	out := t.TempDir()
	if err := writeSeeds([]target{x}, out); err != nil {
		t.Fatal(err)
	}
	z, err := zip.OpenReader(filepath.Join(out, "FuzzX_seed_corpus.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var files []string
	for _, f := range z.File {
		files = append(files, f.Name)
	}
	slices.Sort(files)
	if diff := cmp.Diff([]string{"one", "two"}, files); diff != "" {
		t.Errorf("files mismatch (-want +got):\n%s", diff)
	}
}

func TestProfile(t *testing.T) {
	p := profile{}
	for _, file := range []string{"mode: set\na.go:1.1,2.2 3 0\na.go:3.1,4.2 1 1\n", "mode: set\na.go:1.1,2.2 3 5\nb.go:1.1,2.2 4 0\n"} {
		if err := p.add(file); err != nil {
			t.Fatal(err)
		}
	}
	if got := p.percent(); got != 50 {
		t.Errorf("percent = %v; want 50", got)
	}
	if p.add("mode: set\nx\n") == nil || p.add("mode: set\na b c\n") == nil {
		t.Error("a broken profile is taken")
	}
}
