package interop_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// patience limits the wait for anything that must happen.
const patience = time.Minute

// An actor is a peer under remote control. It is told what to do with commands,
// and tells what it sees in events: the same ones for every implementation, as
// far as that offers them, so that one list of scenarios is for all.
type actor struct {
	send   func(command) error
	events chan event
	conn   int // the connection that the test is about
}

// A command is what an actor is told to do. Connections come one at a time: the
// commands below connect and listen are for the one that opened last.
type command struct {
	Do        string   `json:"do"`
	URL       string   `json:"url,omitempty"`       // of connect
	Protocols []string `json:"protocols,omitempty"` // of connect and listen
	Text      string   `json:"text,omitempty"`      // of text
	Data      octets   `json:"data,omitempty"`      // of binary, blob, ping, pong and raw
	Parts     []string `json:"parts,omitempty"`     // of fragments, a text message
	Code      int      `json:"code,omitempty"`      // of close; 0 is none
	Reason    string   `json:"reason,omitempty"`    // of close
	Type      string   `json:"type,omitempty"`      // of connect: a page's binaryType
	Deflate   *deflate `json:"deflate,omitempty"`   // of connect and listen
}

// A deflate is what a peer wants of permessage-deflate.
type deflate struct {
	ServerNoContextTakeover bool `json:"serverNoContextTakeover,omitempty"`
	ClientNoContextTakeover bool `json:"clientNoContextTakeover,omitempty"`
	ServerMaxWindowBits     int  `json:"serverMaxWindowBits,omitempty"`
	ClientMaxWindowBits     int  `json:"clientMaxWindowBits,omitempty"`
	Threshold               int  `json:"threshold"` // in octets, from which ws compresses messages
}

// An event is what an actor saw.
type event struct {
	Event    string `json:"event"`
	Conn     int    `json:"conn"`     // counts the connections from 1
	Port     int    `json:"port"`     // of listening
	Protocol string `json:"protocol"` // of open
	Text     string `json:"text"`     // of text, and of refused: the body
	Data     octets `json:"data"`     // of binary, ping and pong
	Code     int    `json:"code"`     // of close
	Reason   string `json:"reason"`   // of close
	Clean    bool   `json:"clean"`    // of close
	Status   int    `json:"status"`   // of refused
	Buffered int    `json:"buffered"` // of buffered
}

// octets are a string of any octets, in JSON base64.
type octets string

func (o octets) MarshalText() ([]byte, error) {
	return base64.StdEncoding.AppendEncode(nil, []byte(o)), nil
}

func (o *octets) UnmarshalText(text []byte) error {
	b, err := base64.StdEncoding.AppendDecode(nil, text)
	*o = octets(b)
	return err
}

// String cuts long messages.
func (e event) String() string {
	if len(e.Text) > 200 {
		e.Text = fmt.Sprintf("%.200s… (%d octets)", e.Text, len(e.Text))
	}
	if len(e.Data) > 200 {
		e.Data = octets(fmt.Sprintf("%.200s… (%d octets)", e.Data, len(e.Data)))
	}
	type plain event // without this method
	return fmt.Sprintf("%+v", plain(e))
}

// do tells the actor to do something.
func (a *actor) do(t *testing.T, c command) {
	t.Helper()
	if err := a.send(c); err != nil {
		t.Fatalf("command %s: %v", c.Do, err)
	}
}

// begin says that the next connection is the one that the test is about.
func (a *actor) begin() { a.conn++ }

// next returns the next event of the connection. What is left of earlier ones is
// passed over.
func (a *actor) next(t *testing.T) event {
	t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case e, ok := <-a.events:
			if !ok {
				t.Fatal("the peer ended")
			}
			if e.Conn >= a.conn {
				e.Conn = 0 // so that tests need not count
				return e
			}
		case <-timeout:
			t.Fatal("the peer reports nothing")
		}
	}
}

// want compares the next event.
func (a *actor) want(t *testing.T, want event) {
	t.Helper()
	if got := a.next(t); got != want {
		t.Fatalf("the peer saw %v\nwant %v", got, want)
	}
}

// wantEnd compares the close event, whatever comes before it.
func (a *actor) wantEnd(t *testing.T, want event) {
	t.Helper()
	for {
		if got := a.next(t); got.Event == "close" {
			if got != want {
				t.Errorf("the peer saw %v\nwant %v", got, want)
			}
			return
		}
	}
}

// startActor runs a program that reads commands from its standard input and
// writes events to its standard output, one JSON object a line. It ends with the
// test.
func startActor(t *testing.T, name string, args ...string) *actor {
	t.Helper()
	cmd := exec.Command(name, args...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	startProcess(t, cmd)
	commands := json.NewEncoder(stdin)
	a := &actor{
		send:   func(c command) error { return commands.Encode(c) },
		events: make(chan event, 4096),
	}
	go func() {
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
			select {
			case a.events <- e:
			case <-t.Context().Done():
				return
			}
		}
	}()
	return a
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

// needProgram is need for a program in PATH.
func needProgram(t *testing.T, name string) {
	t.Helper()
	need(t, name, func() bool {
		_, err := exec.LookPath(name)
		return err == nil
	})
}

// python is Debian's Python, which has Debian's python3-websockets.
const python = "/usr/bin/python3"

func startPython(t *testing.T) *actor {
	t.Helper()
	need(t, "python3-websockets", func() bool {
		return exec.Command(python, "-c", "import websockets").Run() == nil
	})
	return startActor(t, python, filepath.Join("testdata", "peer.py"))
}

func startNodeWS(t *testing.T) *actor {
	t.Helper()
	needProgram(t, "node")
	dir := filepath.Join("testdata", "node")
	need(t, "the npm package ws", func() bool {
		_, err := os.Stat(filepath.Join(dir, "node_modules", "ws", "package.json"))
		return err == nil
	})
	return startActor(t, "node", filepath.Join(dir, "ws.mjs"))
}

// startNode runs the WebSocket of Node itself.
func startNode(t *testing.T) *actor {
	t.Helper()
	const flag = "--experimental-websocket" // on by default since Node 22
	need(t, "a Node with a WebSocket of its own (20 or later)", func() bool {
		return exec.Command("node", flag, "-e", "new WebSocket('ws://127.0.0.1:9').onerror = () => {}").Run() == nil
	})
	return startActor(t, "node", flag, "--no-warnings", filepath.Join("testdata", "node", "global.mjs"))
}
