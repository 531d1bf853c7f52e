// Package peers plays scripts to implementations of RFC 6455, each run over a
// connection in memory, and tells what came of them: package conn of this
// repository, other Go libraries in this process, and Node's ws and Python's
// websockets in processes of their own.
//
// Every implementation is used as its documentation shows it, in the role of the
// script: the opening handshake, then reading messages until there is an error,
// with the limit of [script.Limit] and without compression. What an application
// would have to do by itself, such as sending a Close frame, is not done for it.
//
// All functions and methods may be called concurrently.
package peers

import (
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/differential/script"
)

// A Peer is an implementation.
type Peer struct {
	// Name is a short name, without spaces.
	Name string
	// Version is that of the library.
	Version string

	server, client func(r *run)
	noResponse     bool     // whether client leaves the response to the harness
	process        *process // for one that is not in this process
}

// Ours is package conn: a server that reads the request itself.
var Ours = &Peer{Name: "conn", Version: "this repository", server: oursServer, client: oursClient}

// Libraries are those in this process. The first is package conn behind net/http,
// whose parser is more lenient than that of [Ours]. Where an int has 32 bits, those
// that take a payload length for one are missing: what they make of a longer length
// is the length of something else.
var Libraries = slices.DeleteFunc([]*Peer{
	{Name: "conn-http", Version: "this repository", server: oursHTTP.play},
	{Name: "gorilla", Version: version("github.com/gorilla/websocket"), server: gorillaHTTP.play, client: gorillaClient},
	{Name: "coder", Version: version("github.com/coder/websocket"), server: coderHTTP.play, client: coderClient},
	{Name: "gobwas", Version: version("github.com/gobwas/ws"), server: gobwasServer, client: gobwasClient},
	{Name: "gws", Version: version("github.com/lxzan/gws"), server: gwsHTTP.play, client: gwsClient},
	{Name: "nbio", Version: version("github.com/lesismal/nbio"), server: nbioHTTP.play, client: nbioClient, noResponse: true},
	{Name: "xnet", Version: version("golang.org/x/net"), server: xnetHTTP.play, client: xnetClient},
}, func(p *Peer) bool { return strconv.IntSize == 32 && (p.Name == "gws" || p.Name == "nbio") })

// patience limits a run, in which all octets are there and none is waited for.
const patience = time.Minute

// version returns the version of a module in this program.
func version(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == module {
			return m.Version
		}
	}
	return ""
}

// Plays reports whether the implementation can be played a script.
func (p *Peer) Plays(s *script.Script) bool {
	if s.Role == frame.Client && s.Head != "" && p.noResponse {
		return false
	}
	return p.process != nil || p.play(s.Role) != nil
}

// Process reports whether the implementation is in a process of its own.
func (p *Peer) Process() bool { return p.process != nil }

func (p *Peer) play(role frame.Role) func(r *run) {
	if role == frame.Client {
		return p.client
	}
	return p.server
}

// Play plays a script to the implementation, for which Plays must be true, and returns
// what came of it. An error is of the process that the implementation is in.
func (p *Peer) Play(s *script.Script) (*script.Outcome, error) {
	if p.process != nil {
		return p.process.play(s)
	}
	r := &run{tape: newTape(s)}
	alarm := time.AfterFunc(patience, func() {
		r.crashed("hangs")
		r.tape.Close()
	})
	defer alarm.Stop()
	r.guard(func() { p.play(s.Role)(r) })
	r.tape.Close()
	o := r.tape.outcome(r.messages, r.accepted)
	r.tape.mu.Lock()
	defer r.tape.mu.Unlock()
	o.Crash = r.crash
	return o, nil
}

// A run is a script being played to an implementation.
type run struct {
	tape     *tape
	messages []script.Message
	accepted bool   // whether a client went on after the response
	crash    string // tape.mu
}

// message keeps a copy of a message.
func (r *run) message(op frame.Opcode, payload []byte) {
	r.messages = append(r.messages, script.Message{Opcode: op, Payload: string(payload)})
}

// crashed keeps the first line of what went wrong.
func (r *run) crashed(how string) {
	how, _, _ = strings.Cut(how, "\n")
	r.tape.mu.Lock()
	defer r.tape.mu.Unlock()
	if r.crash == "" {
		r.crash = how
	}
}

// guard calls f and notes its panic.
func (r *run) guard(f func()) {
	defer func() {
		if v := recover(); v != nil {
			r.crashed(fmt.Sprint(v))
		}
	}()
	f()
}
