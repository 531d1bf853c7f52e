package peers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/differential/script"
)

// A process plays scripts to an implementation that is not written in Go. It is
// started with the first and lives as long as this process; any number of scripts
// are played at a time.
type process struct {
	cmd *exec.Cmd

	start   sync.Once
	stdin   io.Writer
	writing sync.Mutex

	mu      sync.Mutex
	waiting map[int]chan<- result
	last    int // id
	err     error
}

// A job is a line of the standard input of a process: a script.
type job struct {
	ID     int    `json:"id"`
	Client bool   `json:"client"` // the role of the implementation
	Head   []byte `json:"head"`
	Early  []byte `json:"early"`
	Later  []byte `json:"later"` // the rest of the stream
	Sizes  []int  `json:"sizes"`

	// Opened says that the rest does not wait for the response.
	Opened bool `json:"opened"`
}

// A result is a line of the standard output of a process: what came of a script.
type result struct {
	ID       int    `json:"id"`
	Accepted bool   `json:"accepted"` // whether a client went on after the response
	Sent     []byte `json:"sent"`     // everything, in either role
	Messages []struct {
		Opcode  frame.Opcode `json:"opcode"`
		Payload []byte       `json:"payload"`
	} `json:"messages"`
}

// errEnded is a process that ended by itself.
var errEnded = errors.New("the process ended")

func (p *process) play(s *script.Script) (*script.Outcome, error) {
	p.start.Do(p.run)
	came := make(chan result, 1)
	p.mu.Lock()
	if p.err != nil {
		p.mu.Unlock()
		return nil, p.err
	}
	p.last++
	j := job{
		ID: p.last, Client: s.Role == frame.Client, Head: []byte(s.Opening()), Early: octets(s.Stream[:s.Early]), Later: octets(s.Stream[s.Early:]),
		Sizes: append([]int{}, s.Sizes...), Opened: s.Role == frame.Server && announcesBody.MatchString(s.Head),
	}
	p.waiting[p.last] = came
	p.mu.Unlock()
	line, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	p.writing.Lock()
	_, err = p.stdin.Write(append(line, '\n'))
	p.writing.Unlock()
	if err != nil {
		return nil, err
	}
	var r result
	select {
	case <-time.After(patience):
		return &script.Outcome{At: -1, Crash: "hangs"}, nil
	case r = <-came:
		if r.ID == 0 {
			return nil, errEnded // and the channel is closed
		}
	}
	t := newTape(s)
	t.sent = r.Sent
	var messages []script.Message
	for _, m := range r.Messages {
		messages = append(messages, script.Message{Opcode: m.Opcode, Payload: string(m.Payload)})
	}
	o := t.outcome(messages, r.Accepted)
	o.At = -1 // nobody knows
	return o, nil
}

// octets are never nil, which would not be a string in JSON.
func octets(b []byte) []byte { return append([]byte{}, b...) }

// run starts the process and the goroutine that reads what it says.
func (p *process) run() {
	p.waiting = make(map[int]chan<- result)
	stdin, err := p.cmd.StdinPipe()
	if err == nil {
		p.stdin = stdin
		var stdout io.Reader
		if stdout, err = p.cmd.StdoutPipe(); err == nil {
			p.cmd.Stderr = os.Stderr
			if err = p.cmd.Start(); err == nil {
				go p.read(stdout)
				return
			}
		}
	}
	p.err = fmt.Errorf("%s: %w", p.cmd.Path, err)
}

func (p *process) read(stdout io.Reader) {
	lines := bufio.NewReader(stdout)
	for {
		line, err := lines.ReadBytes('\n')
		var r result
		if err == nil {
			err = json.Unmarshal(bytes.TrimSpace(line), &r)
		}
		p.mu.Lock()
		if err != nil {
			p.err = errEnded
			for _, came := range p.waiting {
				close(came)
			}
			p.mu.Unlock()
			return
		}
		came := p.waiting[r.ID]
		delete(p.waiting, r.ID)
		p.mu.Unlock()
		if came != nil {
			came <- r
		}
	}
}

// All returns the implementations to play to, [Ours] first, and says which of those
// in other processes are missing because they are not installed. The mode is that of
// the interoperation tests, the value of RFC6455_PEERS: with "off" none of those is
// looked for, with "required" a missing one is an error. The folder root is that of
// the repository, where those tests have installed the npm package ws.
func All(mode, root string) (all []*Peer, missing []error, err error) {
	all = append([]*Peer{Ours}, Libraries...)
	if mode == "off" {
		return all, []error{errors.New("RFC6455_PEERS is off")}, nil
	}
	found, missing := processes(root)
	if mode == "required" && len(missing) > 0 {
		return nil, nil, fmt.Errorf("RFC6455_PEERS is required: %w", errors.Join(missing...))
	}
	return append(all, found...), missing, nil
}

// processes returns the implementations in processes of their own, and why others
// are missing. Their programs are in the folder testdata of this package.
func processes(root string) (found []*Peer, missing []error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, []error{err}
	}
	programs := filepath.Join(root, "fuzz/differential/peers/testdata")
	ws := filepath.Join(root, "conn/internal/interop/testdata/node/node_modules/ws")
	const python = "/usr/bin/python3" // Debian's, which has Debian's packages
	limit := strconv.Itoa(script.Limit)
	for _, p := range []struct {
		name             string
		version, command []string // the programs with their arguments
	}{
		{
			"ws",
			[]string{"node", "-p", `"v" + require(process.argv[1] + "/package.json").version`, ws},
			[]string{"node", filepath.Join(programs, "ws.mjs"), ws, limit},
		},
		{
			"websockets",
			[]string{python, "-c", `import websockets; print("v" + websockets.version.version)`},
			[]string{python, filepath.Join(programs, "peer.py"), limit},
		},
	} {
		version, err := exec.Command(p.version[0], p.version[1:]...).Output()
		if err != nil {
			missing = append(missing, fmt.Errorf("%s is not installed: %s: %w", p.name, p.version[0], err))
			continue
		}
		found = append(found, &Peer{
			Name:    p.name,
			Version: string(bytes.TrimSpace(version)),
			process: &process{cmd: exec.Command(p.command[0], p.command[1:]...)},
		})
	}
	return found, missing
}
