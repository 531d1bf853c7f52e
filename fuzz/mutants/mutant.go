package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A mutant is a fault to be put into a file.
type mutant struct {
	name    string
	section string // of the RFC that the fault breaks
	file    string // from the root of the module
	fault   string // what is wrong with it
	old     string // stands in the file exactly once
	new     string
}

// mutants are all faults.
var mutants = concat(maskMutants, frameMutants, handshakeMutants, connMutants, deflateMutants)

func concat(lists ...[]mutant) (all []mutant) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// root returns the directory of the module.
func root() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	return strings.TrimSpace(string(out)), err
}

// apply returns the file with the fault in it.
func (m *mutant) apply(root string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return nil, err
	}
	if n := bytes.Count(b, []byte(m.old)); n != 1 {
		return nil, fmt.Errorf("%s: the text to be replaced stands %d times in %s", m.name, n, m.file)
	}
	return bytes.Replace(b, []byte(m.old), []byte(m.new), 1), nil
}

// overlay writes the file with the fault in it, and what -overlay wants to know,
// into dir. It returns the name of the latter.
func (m *mutant) overlay(root, dir string) (string, error) {
	b, err := m.apply(root)
	if err != nil {
		return "", err
	}
	changed := filepath.Join(dir, filepath.Base(m.file))
	if err := os.WriteFile(changed, b, 0o666); err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, m.file): changed}})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, replace, 0o666)
}

// pkg returns the directory of the package that m is in.
func (m *mutant) pkg() string { return filepath.ToSlash(filepath.Dir(m.file)) }

// tags returns the build tags with which the file is used.
func (m *mutant) tags() string {
	if filepath.Base(m.file) == "generic.go" {
		return "purego"
	}
	return ""
}
