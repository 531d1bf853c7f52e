package frame_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestImports: mask and frame need the standard library alone, and know nothing
// of networks, clocks and locks.
func TestImports(t *testing.T) {
	const module = "example.org/rfc6455/"
	list := func(args ...string) []string {
		t.Helper()
		out, err := exec.Command("go", append(append([]string{"list"}, args...), module+"mask", module+"frame")...).Output()
		if err != nil {
			t.Fatalf("go list %v: %v", args, err)
		}
		return strings.Fields(string(out))
	}
	ours := list("-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}")
	if len(ours) < 2 {
		t.Errorf("go list -deps names only %v", ours)
	}
	for _, path := range ours {
		if !strings.HasPrefix(path, module) {
			t.Errorf("mask or frame needs %s", path)
		}
	}
	for _, path := range list("-f", `{{join .Imports "\n"}}`) {
		switch path {
		case "net", "net/http", "context", "time", "sync":
			t.Errorf("mask or frame imports %s", path)
		}
	}
}
