package interop_test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDependencies: what users import needs the standard library and this module
// alone, and only tests and tools need the two modules that go.mod requires.
func TestDependencies(t *testing.T) {
	t.Parallel()
	var module struct {
		Module  struct{ Path string }
		Require []struct{ Path string }
		Replace []struct{}
	}
	if err := json.Unmarshal(goTool(t, "mod", "edit", "-json"), &module); err != nil {
		t.Fatal(err)
	}
	var required []string
	for _, r := range module.Require {
		required = append(required, r.Path)
	}
	if diff := cmp.Diff([]string{"github.com/google/go-cmp", "golang.org/x/net"}, required); diff != "" {
		t.Errorf("modules that go.mod requires (-want +got):\n%s", diff)
	}
	if len(module.Replace) != 0 {
		t.Error("go.mod has a replace directive: go install would refuse the module")
	}

	args := []string{"list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}"}
	packages := []string{"mask", "frame", "handshake", "conn", "conn/conntest", "conn/deflate", "socketio", "socketio/engineio", "socketio/parser"}
	for _, p := range packages {
		args = append(args, module.Module.Path+"/"+p)
	}
	imported := strings.Fields(string(goTool(t, args...)))
	if len(imported) < len(packages) {
		t.Errorf("go list -deps names only %q", imported)
	}
	for _, path := range imported {
		if !strings.HasPrefix(path, module.Module.Path+"/") {
			t.Errorf("one of %q imports %s", packages, path)
		}
	}
}

// goTool runs the go command and returns what it prints.
func goTool(t *testing.T, args ...string) []byte {
	t.Helper()
	var stderr strings.Builder
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %q: %v\n%s", args, err, &stderr)
	}
	return out
}
