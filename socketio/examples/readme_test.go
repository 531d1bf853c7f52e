// Package examples holds the Socket.IO programs of the README, and checks that
// they are what it shows.
package examples

import (
	"os"
	"strings"
	"testing"
)

func TestREADMEShowsThePrograms(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile("chat/main.go")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```go\n"+string(program)+"```\n") {
		t.Error("README.md does not show chat/main.go as it is")
	}
	lines := 0
	for line := range strings.Lines(string(program)) {
		if strings.TrimSpace(line) != "" {
			lines++
		}
	}
	if lines > 16 {
		t.Errorf("chat/main.go has %d lines; the README promises 16 at most", lines)
	}
}
