package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/conformance"
)

var roles = []frame.Role{frame.Server, frame.Client}

// TestPeers: every peer runs in both roles, echoes and compresses.
func TestPeers(t *testing.T) {
	for _, p := range peers() {
		for _, role := range roles {
			t.Run(p.name+" as a "+role.String(), func(t *testing.T) {
				t.Parallel()
				version, err := p.version()
				if err != nil {
					missing(t, err)
				}
				if version == "" && p.name != "rfc6455" {
					t.Error("no version")
				}
				r, err := test(t.Context(), p, role, &conformance.Options{
					Run: []string{"1.1.1", "2.2", "7.1.1", "12.2.4"}, Agent: p.name, Timeout: 10 * time.Second,
				})
				if err != nil {
					t.Fatal(err)
				}
				if got := cell(r, ""); got != "4 ok" || r.Agent != p.name || r.Role != role {
					t.Errorf("%s, a %v: %s; want 4 ok", r.Agent, r.Role, got)
				}
			})
		}
	}
}

// missing ends a test whose peer is not installed, as RFC6455_PEERS wants it.
func missing(t *testing.T, err error) {
	t.Helper()
	if exit, ok := err.(*exec.ExitError); ok {
		t.Logf("%s", exit.Stderr)
	}
	if os.Getenv("RFC6455_PEERS") == "required" {
		t.Fatalf("%v: run make install", err)
	}
	t.Skipf("%v: run make install", err)
}

// TestTables: how results become tables, and where these go.
func TestTables(t *testing.T) {
	cases := conformance.Cases(frame.Server)
	framing, closing := conformance.Select(cases, []string{"1.1.1", "1.1.2", "1.1.3"}), conformance.Select(cases, []string{"7.3.2"})
	const ok, failed = conformance.OK, conformance.Failed
	reports := []*conformance.Report{
		{Agent: "a 1", Role: frame.Server, Results: []conformance.Result{
			{Case: framing[0], Verdict: ok, Close: ok}, {Case: framing[1], Verdict: ok, Close: failed}, {Case: framing[2], Verdict: ok, Close: ok},
		}},
		{Agent: "a 1", Role: frame.Client, Results: []conformance.Result{{Case: framing[0], Verdict: ok, Close: ok}}},
		{Agent: "b 2", Role: frame.Server, Results: []conformance.Result{{Case: closing[0], Verdict: conformance.Unimplemented, Close: ok}}},
	}
	text, err := replace("before\n"+begin+"old"+end+"after\n", tables(reports))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(text) {
		if !strings.HasSuffix(line, "| - |\n") {
			got = append(got, strings.TrimSuffix(line, "\n"))
		}
	}
	want := []string{
		"before",
		strings.TrimSuffix(begin, "\n"),
		"",
		"| server | a 1 | b 2 |",
		"| --- | --- | --- |",
		"| close | - | 1 unimplemented |",
		"| all | 2 ok, 1 failed | 1 unimplemented |",
		"",
		"| client | a 1 |",
		"| --- | --- |",
		"| framing | 1 ok |",
		"| all | 1 ok |",
		"",
		strings.TrimSuffix(end, "\n"),
		"after",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
	if _, err := replace("no markers", ""); err == nil {
		t.Error("a file without markers is taken")
	}
}

// TestReadme: the README has the verdicts of all peers, and its numbers are those of
// the suite.
func TestReadme(t *testing.T) {
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(b)
	numbers := fmt.Sprintf("\n%d cases for servers and %d for clients", len(conformance.Cases(frame.Server)), len(conformance.Cases(frame.Client)))
	if !strings.Contains(readme, numbers) {
		t.Errorf("there is no %q", numbers)
	}
	for _, p := range peers() {
		if !strings.Contains(readme, "| "+p.name) {
			t.Errorf("%s is missing", p.name)
		}
	}
	for _, role := range roles {
		_, table, _ := strings.Cut(readme, "| "+role.String()+" |")
		table, _, _ = strings.Cut(table, "\n\n")
		cases := map[string]int{}
		for _, c := range conformance.Cases(role) {
			cases[c.Group()]++
		}
		for _, group := range groups(role) {
			_, row, ok := strings.Cut(table, "\n| "+group+" | ")
			first, _, _ := strings.Cut(row, " |")
			if n := total(first); !ok || n != cases[group] {
				t.Errorf("%v, group %s: %q is %d cases, want %d: run the command again", role, group, first, n, cases[group])
			}
		}
	}
}

// total adds up the numbers of a cell.
func total(cell string) (sum int) {
	for part := range strings.SplitSeq(cell, ", ") {
		n := 0
		for _, c := range part {
			if c < '0' || c > '9' {
				break
			}
			n = 10*n + int(c-'0')
		}
		sum += n
	}
	return sum
}
