package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const measured = `
BenchmarkEcho/conns=1/size=125/pipeline=1/lib=ours      1 20000 ns/op 200000000 p99-ns
BenchmarkEcho/conns=64/size=125/pipeline=1/lib=ours      1 6000 ns/op 1000000 p99-ns
BenchmarkEcho/conns=64/size=125/pipeline=1/lib=a<b       1 8000 ns/op 2500000 p99-ns
BenchmarkEcho/conns=64/size=125/pipeline=1/lib=limit     1 5000 ns/op
BenchmarkIdle/conns=5000/lib=ours                        1 4000 B/conn
BenchmarkIdle/conns=5000/lib=other                       1 8000 B/conn
BenchmarkReadMessage/role=server/size=16/lib=ours        1 20.5 ns/op
BenchmarkReadMessage/role=server/size=1048576/lib=ours   1 50000 ns/op
BenchmarkReadMessage/role=server/size=16/lib=other       1 41 ns/op 2 allocs/op
BenchmarkDeflateCompress/data=json/size=1024/takeover=false/lib=ours:fast  1 10000 ns/op 0.4 ratio
BenchmarkDeflateCompress/data=json/size=1024/takeover=false/lib=bad        1 5000 ns/op 0.8 ratio
BenchmarkDeflateCompress/data=json/size=1024/takeover=false/lib=std        1 20000 ns/op 0.4 ratio
`

func TestRun(t *testing.T) {
	t.Chdir("..")
	dir := t.TempDir()
	in := filepath.Join(dir, "measured.txt")
	if err := os.WriteFile(in, []byte(measured), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := run(dir, "a command", []string{in}); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| command | `a command` |",
		"| conns 64, 125 B, pipeline 1 | 6 µs, p99 1.0 ms | 8 µs, p99 2.5 ms | a<b | **0.75** | 5 µs | 1.20 |",
		"| conns 1, 125 B, pipeline 1 | 20 µs, p99 200 ms | – | | | – | |",
		"| conns 5000 | 4000 B | 8000 B | other | **0.50** |",
		"| server, 16 B | 20.5 ns | 41 ns, 2 allocs | other | **0.50** |",
		"| json, 1 KiB | 10 µs (0.400) (fast) | 20 µs (0.400) | std | **0.50** |",
		"| | ours:fast | bad | std |",
	} {
		if !strings.Contains(string(page), want+"\n") {
			t.Errorf("no line %q", want)
		}
	}
	for _, name := range []string{"echo", "idle", "read", "deflate"} {
		f, err := os.Open(filepath.Join(dir, "plots", name+".svg"))
		if err != nil {
			t.Error(err)
			continue
		}
		d := xml.NewDecoder(f)
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
		}
		f.Close()
		if !strings.Contains(string(page), "(plots/"+name+".svg)") {
			t.Errorf("the page does not show %s", name)
		}
	}
	if t.Failed() {
		t.Logf("%s", page)
	}
}

func TestRunNothing(t *testing.T) {
	if err := run(t.TempDir(), "", nil); err == nil {
		t.Error("no error without results")
	}
}
