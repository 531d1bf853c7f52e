package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

// A hunt looks for faults.
type hunt struct {
	fuzzTime time.Duration
	suite    bool
	quick    bool
	root     string
}

// beside are the packages whose tests have to find the faults of a package.
var beside = map[string][]string{
	"mask":         {"./mask", "./frame"},
	"frame":        {"./frame", "./conn"},
	"handshake":    {"./handshake", "./conn"},
	"conn":         {"./conn", "./fuzz/conformance"},
	"conn/deflate": {"./conn/deflate", "./conn"},
}

// targets are the fuzz targets that have to do with a package, the likely ones first.
var targets = map[string][]string{
	"mask":         {"FuzzMask", "FuzzRemask", "FuzzKeys"},
	"frame":        {"FuzzServerFrames", "FuzzClientFrames", "FuzzHeader", "FuzzHeaderRules", "FuzzUTF8", "FuzzClose", "FuzzTransform", "FuzzAppendMessage"},
	"handshake":    {"FuzzRequestHead", "FuzzUpgradeFields", "FuzzExtensions", "FuzzOffer", "FuzzOrigin", "FuzzResponseHead", "FuzzSubprotocols", "FuzzAccept"},
	"conn":         {"FuzzServerSession", "FuzzClientSession", "FuzzServerReceive", "FuzzClientReceive", "FuzzWrite", "FuzzAccept", "FuzzDialResponse", "FuzzDialURL"},
	"conn/deflate": {"FuzzInflate", "FuzzDeflate", "FuzzNegotiation", "FuzzConfirm", "FuzzDeflateStandard", "FuzzServerReceive"},
}

// A finding is what has found a fault, or "" for what has not.
type finding struct {
	seed    string // a seed of a fuzz target
	fuzzing string // a target, and after how long
	suite   string // a test, of which the seeds are some
}

// run looks for each of the faults and reports who has found it.
func (h *hunt) run(ctx context.Context, chosen []mutant) (err error) {
	if h.root, err = root(); err != nil {
		return err
	}
	byFuzzing, bySuite := 0, 0
	for i := range chosen {
		found, err := h.find(ctx, &chosen[i])
		if err != nil {
			return fmt.Errorf("%s: %w", chosen[i].name, err)
		}
		if found.fuzzing != "" {
			byFuzzing++
		}
		if found.suite != "" {
			bySuite++
		}
		fmt.Printf("| %s | %s | %s |\n", chosen[i].name, cmp.Or(found.suite, "NOT FOUND"), cmp.Or(found.fuzzing, "NOT FOUND"))
	}
	fmt.Printf("%d faults: %d found by the test suite, %d by fuzzing\n", len(chosen), bySuite, byFuzzing)
	if bySuite < len(chosen) || !h.quick && 10*byFuzzing < 9*len(chosen) {
		return errors.New("too many faults were not found")
	}
	return nil
}

// find returns what has found m.
func (h *hunt) find(ctx context.Context, m *mutant) (found finding, err error) {
	dir, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return found, err
	}
	defer os.RemoveAll(dir)
	overlay, err := m.overlay(h.root, dir)
	if err != nil {
		return found, err
	}
	// Crashers go to the directory that the tests run in, which is a copy.
	if err := os.CopyFS(filepath.Join(dir, "testdata"), os.DirFS(filepath.Join(h.root, "fuzz", "testdata"))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return found, err
	}
	tests := filepath.Join(dir, "fuzz.test")
	if _, err := h.command(ctx, h.root, "go", "test", "-c", "-tags="+m.tags(), "-overlay="+overlay, "-o", tests, "./fuzz"); err != nil {
		return found, err
	}
	if found.suite, err = h.verdict(ctx, dir, tests, "-test.failfast", "-test.timeout=10m", "-test.run=^Fuzz"); err != nil {
		return found, err
	}
	if !h.quick && h.fuzzTime > 0 {
		if found.fuzzing, err = h.fuzzing(ctx, m, dir, tests); err != nil {
			return found, err
		}
	}
	if found.suite == "" && m.pkg() != "handshake" { // the scopes are of frames
		if found.suite, err = h.verdict(ctx, dir, tests, "-test.failfast", "-test.timeout=10m", "-test.run=^Test"); err != nil {
			return found, err
		}
	}
	if found.suite == "" && !h.quick || h.suite {
		found.suite, err = h.beside(ctx, m, overlay)
	}
	return found, err
}

// fuzzing returns which target finds m, and after how long, or "". The seeds by
// themselves do not count. First each target gets a short time.
func (h *hunt) fuzzing(ctx context.Context, m *mutant, dir, tests string) (string, error) {
	begin := time.Now()
	list := targets[m.pkg()]
	short := min(2*time.Second, h.fuzzTime/time.Duration(2*len(list)))
	for _, limit := range []time.Duration{short, h.fuzzTime/time.Duration(len(list)) - short} {
		for _, target := range list {
			found, err := h.verdict(ctx, dir, tests, "-test.run=^"+target+"$", "-mutate="+limit.String(), "-test.timeout="+(limit+time.Minute).String())
			if found != "" || err != nil {
				return target + " in " + time.Since(begin).Round(100*time.Millisecond).String(), err
			}
		}
	}
	return "", nil
}

// beside returns which test beside the code has found m, or "".
func (h *hunt) beside(ctx context.Context, m *mutant, overlay string) (string, error) {
	for _, p := range beside[m.pkg()] {
		found, err := h.verdict(ctx, h.root, "go", "test", "-count=1", "-failfast", "-timeout=5m", "-tags="+m.tags(), "-overlay="+overlay, p)
		if found != "" || err != nil {
			return found, err
		}
	}
	return "", nil
}

// failed is the line about a test that has failed.
var failed = regexp.MustCompile(`(?m)^ *--- FAIL: (\S+)`)

// verdict runs tests and returns which of them has failed, or "".
func (h *hunt) verdict(ctx context.Context, dir string, tests ...string) (string, error) {
	out, err := h.command(ctx, dir, tests...)
	if err == nil {
		return "", nil
	}
	if names := failed.FindAllSubmatch(out, -1); len(names) > 0 {
		return string(names[len(names)-1][1]), nil
	}
	for _, end := range []string{"panic: ", "fatal error: "} {
		if i := bytes.Index(out, []byte(end)); i >= 0 {
			line, _, _ := bytes.Cut(out[i:], []byte("\n"))
			return string(line[:min(len(line), 40)]), nil
		}
	}
	return "", err
}

// command runs a command, whose output is a part of the error if it fails.
func (h *hunt) command(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "RFC6455_PEERS=off")
	out, err := cmd.CombinedOutput()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return out, fmt.Errorf("%v: %w\n%s", args, err, out)
	}
	return out, nil
}
