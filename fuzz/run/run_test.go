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

func TestAddLine(t *testing.T) {
	add := func(table, name string, execs int64) string {
		r := &result{target: target{name: name}, report: report{execs: execs, total: 7}, took: time.Minute}
		return string(addLine([]byte(table), r, "fuzz"))
	}
	table := add("# Records\n\n", "FuzzA", 10)
	table = add(table, "FuzzAB", 5)
	table = add(table, "FuzzA", 9)
	table = add(table, "FuzzAB", 6)
	want := "# Records\n\n" + string(header) + "| FuzzA | 10 | 1m0s | 7 | `fuzz` |\n| FuzzAB | 6 | 1m0s | 7 | `fuzz` |\n"
	if diff := cmp.Diff(want, table); diff != "" {
		t.Errorf("table mismatch (-want +got):\n%s", diff)
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
