// Package examples holds the programs of the README, and checks that they are
// what it shows.
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
	for name, most := range map[string]int{"echo": 16, "client": 14, "chat": 24} {
		program, err := os.ReadFile(name + "/main.go")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(readme), "```go\n"+string(program)+"```\n") {
			t.Errorf("README.md does not show %s/main.go as it is", name)
		}
		lines := 0
		for line := range strings.Lines(string(program)) {
			if strings.TrimSpace(line) != "" {
				lines++
			}
		}
		if lines > most {
			t.Errorf("%s/main.go has %d lines; the README promises %d at most", name, lines, most)
		}
	}
}
