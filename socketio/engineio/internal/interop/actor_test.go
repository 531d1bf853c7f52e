package interop_test

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience limits the wait for anything that must happen.
const patience = time.Minute

// An actor is a program of Node under remote control.
type actor struct {
	t        *testing.T // that fails if the actor does not what it should
	commands *json.Encoder
	events   chan event
}

// A command is what an actor is told to do.
type command struct {
	Do      string         `json:"do"`                // connect, listen, text, binary or close
	Version int            `json:"version,omitempty"` // of the package, for connect and listen
	URL     string         `json:"url,omitempty"`     // of connect
	Options map[string]any `json:"options,omitempty"` // of connect and listen
	Text    string         `json:"text,omitempty"`    // of text
	Data    []byte         `json:"data,omitempty"`    // of binary
}

// An event is what an actor saw.
type event struct {
	Event string `json:"event"` // listening, open, upgrade, text, binary, close or error
	Text  string `json:"text"`  // of a message, of a transport, or why
	Data  []byte `json:"data"`  // of binary
	Port  int    `json:"port"`  // of listening
}

// String is the event in one line; octets have a # before them.
func (e event) String() string {
	if e.Event == "binary" {
		return e.Event + " #" + string(e.Data)
	}
	return e.Event + " " + e.Text
}

// startNode runs the actor of Node until the test ends.
func startNode(t *testing.T) *actor {
	t.Helper()
	dir := filepath.Join("testdata", "node")
	need(t, "node", func() bool {
		_, err := exec.LookPath("node")
		return err == nil
	})
	need(t, "engine.io of npm", func() bool { return fileExists(filepath.Join(dir, "node_modules", "client6", "package.json")) })
	cmd := exec.Command("node", filepath.Join(dir, "peer.mjs"))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	a := &actor{t, json.NewEncoder(stdin), make(chan event, 4096)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer close(a.events)
		for lines := bufio.NewReader(stdout); ; {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				return
			}
			var e event
			if err := json.Unmarshal(line, &e); err != nil {
				e = event{Event: "not JSON", Text: string(line)}
			}
			a.events <- e
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		for range a.events {
		}
		<-ended
		cmd.Wait()
		if t.Failed() && said.Len() > 0 {
			t.Logf("node says:\n%s", &said)
		}
	})
	return a
}

func fileExists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// need skips the test if a peer is not installed. Where all of them must be, it
// fails.
func need(t *testing.T, peer string, installed func() bool) {
	t.Helper()
	mode := os.Getenv("RFC6455_PEERS")
	switch {
	case mode == "off":
		t.Skip("RFC6455_PEERS is off")
	case installed():
	case mode == "required":
		t.Fatalf("%s is not installed, and RFC6455_PEERS is required: run make install", peer)
	default:
		t.Skipf("%s is not installed: run make install", peer)
	}
}

// do tells the actor to do something.
func (a *actor) do(c command) {
	a.t.Helper()
	if err := a.commands.Encode(c); err != nil {
		a.t.Fatalf("command %s: %v", c.Do, err)
	}
}

// next returns the next event.
func (a *actor) next() event {
	a.t.Helper()
	select {
	case e, ok := <-a.events:
		if !ok {
			a.t.Fatal("the actor ended")
		}
		return e
	case <-time.After(patience):
		a.t.Fatal("the actor reports nothing")
	}
	panic("unreachable")
}

// want compares the next events with lines. Upgrades are not in the order of messages.
func (a *actor) want(lines ...string) {
	a.t.Helper()
	for _, line := range lines {
		got := a.next()
		for got.Event == "upgrade" && !strings.HasPrefix(line, "upgrade") {
			got = a.next()
		}
		if got.String() != line {
			a.t.Fatalf("the actor saw %.200q, want %.200q", got, line)
		}
	}
}
