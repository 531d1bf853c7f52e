package peers_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/differential/peers"
	"example.org/rfc6455/fuzz/differential/script"
)

// all returns the implementations that the environment asks for.
func all(t *testing.T) []*peers.Peer {
	t.Helper()
	all, missing, err := peers.All(os.Getenv("RFC6455_PEERS"), "../../..")
	if err != nil {
		t.Fatalf("%v: run make install", err)
	}
	for _, err := range missing {
		t.Log("skipped:", err)
	}
	return all
}

// TestPlay: a script in which nobody does anything unusual. It is played to each
// implementation in pieces of all sizes.
func TestPlay(t *testing.T) {
	for _, p := range all(t) {
		t.Run(p.Name, func(t *testing.T) {
			if p.Process() && p.Version == "" {
				t.Error("no version")
			}
			for _, line := range []string{
				"server stream=818537fa213d7f9f4d5158" + "0281000000000389800000000080810000000004" + "88820000000003e8",
				"client stream=810548656c6c6f" + "0201038900800104" + "880203e8",
			} {
				s, err := script.Parse(line)
				if err != nil {
					t.Fatal(err)
				}
				if !p.Plays(s) {
					continue
				}
				for _, s.Sizes = range [][]int{nil, {1}, {2}, {3, 7}} {
					o, err := p.Play(s)
					if err != nil {
						t.Fatal(err)
					}
					if o.Status != 101 || len(o.Messages) < 2 || len(o.Pongs) != 1 || o.Pongs[0] != "" || o.Crash != "" {
						t.Errorf("%v: %v", s, o)
					}
					if want := (script.Message{Opcode: frame.OpText, Payload: "Hello"}); len(o.Messages) > 0 && o.Messages[0] != want {
						t.Errorf("%v: the first message is %v", s, o.Messages[0])
					}
				}
			}
		})
	}
}

// TestOurs: ours in detail, and what the harness adds to it.
func TestOurs(t *testing.T) {
	for _, tt := range []struct {
		line string
		want *script.Outcome
	}{
		{"server", &script.Outcome{Status: 101, At: -1}},
		{"client early=2 stream=8200", &script.Outcome{Status: 101, Messages: []script.Message{{Opcode: frame.OpBinary}}, At: -1}},
		{"server early=3 stream=818000000000 sizes=1", &script.Outcome{Status: 101, Messages: []script.Message{{Opcode: frame.OpText}}, At: -1}},
		{"client stream=8100c1 sizes=1", &script.Outcome{Status: 101, Messages: []script.Message{{Opcode: frame.OpText}}, At: -1}},
		{"client stream=8100c100 sizes=1", &script.Outcome{Status: 101, Messages: []script.Message{{Opcode: frame.OpText}}, Close: 1002, At: 4}},
		{`server head="POST /chat HTTP/1.1\r\nHost: a\r\n\r\n" stream=8100`, &script.Outcome{Status: 405, At: -1}},
		{`client head="HTTP/1.1 200 OK\r\n\r\n" stream=8100`, &script.Outcome{At: -1}},
	} {
		s, err := script.Parse(tt.line)
		if err != nil {
			t.Fatal(err)
		}
		got, err := peers.Ours.Play(s)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: mismatch (-want +got):\n%s", tt.line, diff)
		}
	}
}

// TestAll: what is not installed is missing, unless that is not allowed.
func TestAll(t *testing.T) {
	here := len(peers.Libraries) + 1
	if all, missing, err := peers.All("off", t.TempDir()); len(all) != here || len(missing) != 1 || err != nil {
		t.Errorf("All, off: %d implementations, missing %v, %v", len(all), missing, err)
	}
	all, missing, err := peers.All("", t.TempDir())
	if len(missing) == 0 || len(all)+len(missing) != here+2 || err != nil {
		t.Errorf("All: %d implementations, missing %v, %v", len(all), missing, err)
	}
	if _, _, err := peers.All("required", t.TempDir()); err == nil {
		t.Error("All, required: nothing is missing where nothing is installed")
	}
}

func Example() {
	s, err := script.Parse("client stream=8900810548656c6c6f880203e8")
	if err != nil {
		fmt.Println(err)
		return
	}
	o, err := peers.Ours.Play(s)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(o)
	// Output: status 101, text "Hello", pong sent "", close sent 1000 after 13 octets
}
