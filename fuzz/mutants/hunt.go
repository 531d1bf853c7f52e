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

// run looks for each of the faults and reports who has found it.
func (h *hunt) run(ctx context.Context, chosen []mutant) (err error) {
	if h.root, err = root(); err != nil {
		return err
	}
	byFuzzing, bySuite := 0, 0
	for i := range chosen {
		begin := time.Now()
		found, suite, err := h.find(ctx, &chosen[i])
		if err != nil {
			return err
		}
		if found != "" {
			byFuzzing++
		}
		if suite != "" {
			bySuite++
		}
		fmt.Printf("%-34s %-50s %-40s %s\n", chosen[i].name, cmp.Or(found, "NOT FOUND by fuzzing"), cmp.Or(suite, "NOT FOUND by the suite"), time.Since(begin).Round(time.Second))
	}
	fmt.Printf("%d faults: %d found by fuzzing, %d by the test suite\n", len(chosen), byFuzzing, bySuite)
	if bySuite < len(chosen) || 10*byFuzzing < 9*len(chosen) {
		return errors.New("too many faults were not found")
	}
	return nil
}

// find returns which seed, scope or target has found m, or "", and which test of the
// suite has, of which the seeds and scopes are a part.
func (h *hunt) find(ctx context.Context, m *mutant) (found, suite string, err error) {
	dir, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return "", "", err
	}
	defer os.RemoveAll(dir)
	overlay, err := m.overlay(h.root, dir)
	if err != nil {
		return "", "", err
	}
	// Crashers go to the directory that the tests run in, which is a copy.
	if err := os.CopyFS(filepath.Join(dir, "testdata"), os.DirFS(filepath.Join(h.root, "fuzz", "testdata"))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", "", err
	}
	found, err = h.seeds(ctx, m, overlay, dir)
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", m.name, err)
	}
	suite = found
	if h.quick {
		return found, suite, nil
	}
	if found == "" && h.fuzzTime > 0 {
		if found, err = h.fuzzing(ctx, m, overlay, dir); err != nil {
			return "", "", fmt.Errorf("%s: %w", m.name, err)
		}
	}
	if suite == "" || h.suite {
		if suite, err = h.beside(ctx, m, overlay); err != nil {
			return "", "", fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return found, suite, nil
}

// seeds returns which seed or scope fails, or "".
func (h *hunt) seeds(ctx context.Context, m *mutant, overlay, dir string) (string, error) {
	tests := filepath.Join(dir, "seeds.test")
	if _, err := h.command(ctx, h.root, "go", "test", "-c", "-tags="+m.tags(), "-overlay="+overlay, "-o", tests, "./fuzz"); err != nil {
		return "", err
	}
	runs := []string{"^Fuzz", "^Test"} // the quick ones first
	if m.pkg() == "handshake" {
		runs = runs[:1] // the scopes are of frames
	}
	for _, run := range runs {
		found, err := h.verdict(ctx, dir, tests, "-test.failfast", "-test.timeout=10m", "-test.run="+run)
		if found != "" || err != nil {
			return found, err
		}
	}
	return "", nil
}

// fuzzing returns which target finds m, or "".
func (h *hunt) fuzzing(ctx context.Context, m *mutant, overlay, dir string) (string, error) {
	tests := filepath.Join(dir, "fuzz.test")
	if _, err := h.command(ctx, h.root, "go", "test", "-c", "-fuzz=.", "-tags="+m.tags(), "-overlay="+overlay, "-o", tests, "./fuzz"); err != nil {
		return "", err
	}
	list := targets[m.pkg()]
	for _, target := range list {
		limit := h.fuzzTime / time.Duration(len(list))
		found, err := h.verdict(ctx, dir, tests, "-test.run=^$", "-test.fuzz=^"+target+"$", "-test.fuzztime="+limit.String(),
			"-test.fuzzminimizetime=1x", "-test.parallel=2", "-test.fuzzcachedir="+filepath.Join(dir, "cache"))
		if found != "" || err != nil {
			return "fuzzing " + found, err
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
