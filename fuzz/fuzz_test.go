package fuzz_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.org/rfc6455/fuzz/internal/mutate"
)

var (
	mutateFor  = flag.String("mutate", "", "run each target on inputs made of its seeds, instead of these: for so long, or on so many as in 1000x")
	mutateSeed = flag.Uint64("seed", 1, "the seed of -mutate")
)

// fuzz is f.Fuzz, which go test -fuzz and the seeds need, and with the flag -mutate a
// fast way to run the same target.
func fuzz(f *testing.F, target any) {
	f.Helper()
	if *mutateFor == "" {
		f.Fuzz(target)
		return
	}
	name, fn := f.Name(), reflect.ValueOf(target)
	var corpus [][]any
	f.Fuzz(reflect.MakeFunc(fn.Type(), func(args []reflect.Value) []reflect.Value {
		var values []any
		for _, a := range args[1:] {
			values = append(values, a.Interface())
		}
		corpus = append(corpus, values)
		if len(corpus) == 1 {
			// Only f.Fuzz gives us a testing.T. The first one waits here until all
			// seeds are known.
			t := args[0].Interface().(*testing.T)
			t.Parallel()
			runMutated(t, name, fn, corpus)
		}
		return nil
	}).Interface())
}

// runMutated runs a target on inputs made of a corpus until one fails, which is
// written to where it is a test from then on.
func runMutated(t *testing.T, name string, target reflect.Value, corpus [][]any) {
	count, isCount := strings.CutSuffix(*mutateFor, "x")
	limit, err := time.ParseDuration(*mutateFor)
	most := int64(1<<63 - 1)
	if isCount {
		most, err = strconv.ParseInt(count, 10, 64)
		limit = 1<<63 - 1
	}
	if err != nil {
		t.Fatal(err)
	}
	m := mutate.New(*mutateSeed, corpus)
	args := make([]reflect.Value, target.Type().NumIn())
	args[0] = reflect.ValueOf(t)
	defer debug.SetGCPercent(debug.SetGCPercent(1000)) // the heap is small
	begin, n := time.Now(), int64(0)
	ended := false
	defer func() {
		fmt.Printf("%s: %d executions in %v with seed %d\n", name, n, time.Since(begin).Round(time.Millisecond), *mutateSeed)
		if ended && !t.Failed() {
			return
		}
		file, err := mutate.WriteFile(filepath.Join("testdata", "fuzz", name), args[1:])
		t.Errorf("the last of them fails (%v): go test ./fuzz -run %s/%s", err, name, filepath.Base(file))
	}()
	for n < most && !t.Failed() && (n%16 != 0 || time.Since(begin) < limit) {
		copy(args[1:], m.Next())
		n++
		target.Call(args)
	}
	ended = true
}

// TestMutate: -mutate runs a target as often as it says, on the same inputs each time.
func TestMutate(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program, "-test.run=^FuzzHeader$", "-mutate=500x", "-seed=7").CombinedOutput()
	if err != nil || !strings.Contains(string(out), " 500 executions ") || !strings.Contains(string(out), "seed 7") {
		t.Errorf("%v, with\n%s", err, out)
	}
}
