package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/differential/peers"
	"example.org/rfc6455/fuzz/differential/rules"
	"example.org/rfc6455/fuzz/differential/script"
)

// all returns the implementations that the environment asks for.
func all(t *testing.T) []*peers.Peer {
	t.Helper()
	all, missing, err := peers.All(os.Getenv("RFC6455_PEERS"), "../..")
	if err != nil {
		t.Fatalf("%v: run make install", err)
	}
	for _, err := range missing {
		t.Log("skipped:", err)
	}
	return all
}

// TestRun: every outcome of scripts of a fixed seed is explained. The flags of the
// program make it a longer run of others.
func TestRun(t *testing.T) {
	n := *scripts
	if n == 0 {
		n = 1500
	}
	ctx, cancel := context.WithTimeout(t.Context(), *limit)
	defer cancel()
	r := newRun(all(t), *seed, n, *share)
	r.play(ctx)
	var b strings.Builder
	r.report(&b)
	t.Log(b.String())
	if r.failed() {
		t.Error("not every outcome is explained")
	}
	for _, p := range r.peers {
		if tally := r.tallies[p]; tally.played == 0 || p != peers.Ours && len(tally.classes) == 0 {
			t.Errorf("%s was played %d scripts, with %d classes", p.Name, tally.played, len(tally.classes))
		}
	}
}

// TestFinding: a library that does what it is not known for is noticed, and the
// script reduced to what shows it.
func TestFinding(t *testing.T) {
	gorilla := peers.Libraries[1]
	known := libraries[gorilla.Name]
	defer func() { libraries[gorilla.Name] = known }()
	forgotten := known
	forgotten.both = rules.Join(known.both)
	delete(forgotten.both, rules.UTF8)
	libraries[gorilla.Name] = forgotten

	r := newRun([]*peers.Peer{peers.Ours, gorilla}, 1, 300, 1)
	r.play(t.Context())
	if !r.failed() {
		t.Fatal("nothing was found")
	}
	for _, f := range r.findings {
		if n := len(f.script.Stream); n > 32 {
			t.Errorf("reduced to %d octets: %v", n, f.script)
		}
		if f.got == nil || f.want == nil || f.got.Diff(f.want) == 0 {
			t.Errorf("got %v, want %v", f.got, f.want)
		}
	}
}

// TestJudge: what some outcomes are explained with.
func TestJudge(t *testing.T) {
	for _, tt := range []struct {
		peer, script string
		classes      string
	}{
		{"conn", "server stream=818537fa213d7f9f4d5158", ""},
		{"gorilla", "server stream=818537fa213d7f9f4d5158", ""},
		{"gorilla", "server stream=818100000000ff", "utf8/accepted"},
		{"gorilla", "client stream=827e000100", "length-minimal/accepted"},
		{"gws", "server stream=89810000000061", "empty-pong"},
		{"nbio", "server stream=818000000000", "empty-lost"},
		{"xnet", "client stream=880203e9", "close-answer"},
		{"coder", "client stream=010161", "part-delivered"},
		{"gobwas", "client stream=880203e7", "not-masked"},
	} {
		s, err := script.Parse(tt.script)
		if err != nil {
			t.Fatal(err)
		}
		ours, err := peers.Ours.Play(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range append([]*peers.Peer{peers.Ours}, peers.Libraries...) {
			if p.Name != tt.peer {
				continue // also where it is not among them
			}
			o, err := p.Play(s)
			if err != nil {
				t.Fatal(err)
			}
			v := judge(p, s, o, ours)
			var got []string
			for _, c := range v.classes {
				got = append(got, c.String())
			}
			if !v.explained || !strings.Contains(strings.Join(got, " "), tt.classes) || tt.classes == "" && len(got) > 0 {
				t.Errorf("%s, %v: %v, explained is %v, classes %q; want %q", p.Name, s, o, v.explained, got, tt.classes)
			}
		}
	}
}

// TestTables: the tables of the README are replaced and nothing else is.
func TestTables(t *testing.T) {
	r := newRun([]*peers.Peer{peers.Ours, peers.Libraries[1]}, 1, 500, 1)
	r.play(t.Context())
	name := filepath.Join(t.TempDir(), "README.md")
	if err := os.WriteFile(name, []byte("before\n"+tablesBegin+"\nstale tables\n"+tablesEnd+"\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.writeREADME(name); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	got := string(b)
	if !strings.HasPrefix(got, "before\n"+tablesBegin+"\n") || !strings.HasSuffix(got, tablesEnd+"\nafter\n") || strings.Contains(got, "stale") {
		t.Errorf("README is\n%s", got)
	}
	if !strings.Contains(got, "| utf8/accepted | 8.1 | accept a text that is not UTF-8 | fails the connection | ours | |") {
		t.Errorf("README does not have the class utf8/accepted:\n%s", got)
	}
	if err := os.WriteFile(name, []byte("no tables"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.writeREADME(name); err == nil {
		t.Error("writeREADME found tables where there are none")
	}
}

// TestLibraries: every habit is of a topic, and of the kind that the topic has.
func TestLibraries(t *testing.T) {
	for name := range libraries {
		for _, role := range []frame.Role{frame.Server, frame.Client} {
			for id, h := range habitsOf(name, role) {
				topic, ok := rules.Topics[id]
				if !ok {
					t.Errorf("%s: no topic %q", name, id)
				}
				if topic.Rule == (topic.Status != 0) && topic.Rule {
					t.Errorf("topic %q is of frames and of opening handshakes", id)
				}
				if c := classOf(id, h); c.decision().section == "" {
					t.Errorf("%s: class %v has no section", name, c)
				}
			}
		}
	}
}

// FuzzScript: whatever the choices, every outcome is explained.
func FuzzScript(f *testing.F) {
	for i := range uint64(20) {
		seeds := newRun(nil, 1, 0, 1).scriptAt(i).Stream
		f.Add(seeds[:min(len(seeds), 200)])
	}
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Fuzz(func(t *testing.T, choices []byte) {
		s := script.Generate(&script.Octets{B: choices})
		var ours *script.Outcome
		for _, p := range append([]*peers.Peer{peers.Ours}, peers.Libraries...) {
			if !p.Plays(s) {
				continue
			}
			o, err := p.Play(s)
			if err != nil {
				t.Fatal(err)
			}
			if p == peers.Ours {
				ours = o
			}
			if v := judge(p, s, o, ours); !v.explained {
				t.Errorf("%s: not explained\nscript %v\ngot    %v\nwant   %v", p.Name, s, o, v.want)
			}
		}
	})
}
