package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// A target is a fuzz target.
type target struct {
	pkg  string // its import path
	dir  string // of the package
	name string
}

// findTargets returns the targets of the module whose names match.
func findTargets(ctx context.Context, name *regexp.Regexp) ([]target, error) {
	out, err := command(ctx, "", "go", "list", "-json=ImportPath,Dir,TestGoFiles,XTestGoFiles", "./...")
	if err != nil {
		return nil, err
	}
	var targets []target
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath, Dir           string
			TestGoFiles, XTestGoFiles []string
		}
		if err := d.Decode(&p); err == io.EOF {
			return targets, nil
		} else if err != nil {
			return nil, err
		}
		for _, file := range append(p.TestGoFiles, p.XTestGoFiles...) {
			b, err := os.ReadFile(filepath.Join(p.Dir, file))
			if err != nil {
				return nil, err
			}
			for _, n := range names(b) {
				if name.MatchString(n) {
					targets = append(targets, target{p.ImportPath, p.Dir, n})
				}
			}
		}
	}
}

// declaration is that of a fuzz target.
var declaration = regexp.MustCompile(`(?m)^func (Fuzz\w*)\(\w+ \*testing\.F\)`)

// names returns the names of the targets in a file.
func names(file []byte) (list []string) {
	for _, m := range declaration.FindAllSubmatch(file, -1) {
		list = append(list, string(m[1]))
	}
	return list
}

// testdata returns the directory of the inputs that are kept with the code.
func (t *target) testdata() string { return filepath.Join(t.dir, "testdata", "fuzz", t.name) }

// cached returns the directory of the inputs that Go keeps.
func (t *target) cached() (string, error) {
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	return filepath.Join(strings.TrimSpace(string(out)), "fuzz", filepath.FromSlash(t.pkg), t.name), err
}

// command runs a command, whose output is a part of the error if it fails.
func command(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return out, err
}
