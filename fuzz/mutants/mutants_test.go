package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMutants: each fault still fits the text that it changes, leaves a file that can
// be parsed, and says which section it breaks.
func TestMutants(t *testing.T) {
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	if len(mutants) < 40 {
		t.Errorf("%d faults; want at least 40", len(mutants))
	}
	seen := map[string]bool{}
	for i := range mutants {
		m := &mutants[i]
		t.Run(m.name, func(t *testing.T) {
			if seen[m.name] || !strings.HasPrefix(m.name, filepath.Base(m.pkg())+"-") || !strings.HasPrefix(m.section, "RFC ") || m.fault == "" {
				t.Errorf("%q, %q, %q", m.name, m.section, m.fault)
			}
			seen[m.name] = true
			b, err := m.apply(dir)
			if err != nil {
				t.Fatalf("adapt the fault to the code, or replace it by another one: %v", err)
			}
			if _, err := parser.ParseFile(token.NewFileSet(), m.file, b, 0); err != nil {
				t.Error(err)
			}
			if len(beside[m.pkg()]) == 0 || len(targets[m.pkg()]) == 0 {
				t.Errorf("nothing is known to find faults in %s", m.pkg())
			}
		})
	}
}

// TestTargets: the targets that are to find faults exist.
func TestTargets(t *testing.T) {
	files, err := filepath.Glob("../*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	for pkg, list := range targets {
		for _, name := range list {
			if !strings.Contains(all.String(), "func "+name+"(f *testing.F)") {
				t.Errorf("%s: there is no %s", pkg, name)
			}
		}
	}
}

func TestOverlay(t *testing.T) {
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	name, err := mutants[0].overlay(dir, work)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil || !strings.Contains(string(b), mutants[0].file) {
		t.Errorf("overlay %s, %v", b, err)
	}
	changed, err := os.ReadFile(filepath.Join(work, filepath.Base(mutants[0].file)))
	if err != nil || !strings.Contains(string(changed), mutants[0].new) {
		t.Errorf("the changed file is %s, %v", changed, err)
	}
	missing := mutant{name: "x", file: mutants[0].file, old: "no such text"}
	if _, err := missing.overlay(dir, work); err == nil {
		t.Error("a fault without a place is put somewhere")
	}
}
