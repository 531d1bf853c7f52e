//go:build linux

// Command load drives one WebSocket server on loopback and prints, as a line of
// JSON, what it cost that server: processor time by the kernel's count, memory,
// and the time that messages took. It is one thread with an epoll loop and frames
// that were encoded before, so that it is never what is measured.
//
//	load echo -addr 127.0.0.1:8080 -pid 4711 -conns 64 -size 125 -pipeline 16
//	load broadcast -addr … -conns 10000 -size 256 -burst 4
//	load idle -addr … -conns 5000
//	load upgrade -addr … -head browser
//
// With -socketio the messages of echo and idle are events whose acknowledgement has
// their argument, and those of broadcast events that the server sends to a room with
// everybody in it. Idle sockets have had a heartbeat; the others know of none.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

// A job is what the flags ask for.
type job struct {
	addr, path string
	pid        int
	conns      int
	size       int
	pipeline   int
	burst      int
	raw        bool
	socketIO   bool
	head       string
	warm, time time.Duration
}

// A result is what one run came to. Fields that a kind of load does not measure
// stay zero and are left out.
type result struct {
	Count   int     `json:"count"`             // messages echoed, messages received, upgrades or connections
	Seconds float64 `json:"seconds,omitempty"` // of the clock
	CPU     float64 `json:"cpu,omitempty"`     // microseconds of the server for each of Count
	P50     float64 `json:"p50,omitempty"`     // microseconds
	P99     float64 `json:"p99,omitempty"`
	Bytes   float64 `json:"bytes,omitempty"` // resident in the server for each of Count
}

func main() {
	loads := map[string]func(*job) (result, error){
		"echo": echo, "broadcast": broadcast, "idle": idle, "upgrade": upgrade,
	}
	if len(os.Args) < 2 || loads[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: load echo|broadcast|idle|upgrade [flags]")
		os.Exit(2)
	}
	var j job
	f := flag.NewFlagSet("load "+os.Args[1], flag.ExitOnError)
	f.StringVar(&j.addr, "addr", "127.0.0.1:8080", "where the server listens: an IPv4 `address`")
	f.StringVar(&j.path, "path", "/", "its `target`")
	f.IntVar(&j.pid, "pid", 0, "the server's process, whose time and memory are read")
	f.IntVar(&j.conns, "conns", 64, "connections")
	f.IntVar(&j.size, "size", 125, "octets of payload of a message")
	f.IntVar(&j.pipeline, "pipeline", 1, "messages of a connection that are under way at once")
	f.IntVar(&j.burst, "burst", 1, "messages broadcast one after the other")
	f.BoolVar(&j.raw, "raw", false, "the server echoes octets, without a handshake")
	f.BoolVar(&j.socketIO, "socketio", false, "the server speaks Socket.IO; size is that of the argument")
	f.StringVar(&j.head, "head", "minimal", "the request: minimal or browser")
	f.DurationVar(&j.warm, "warm", 250*time.Millisecond, "how long it goes before it counts")
	f.DurationVar(&j.time, "time", time.Second, "how long it counts")
	f.Parse(os.Args[2:])
	if j.socketIO {
		j.path = "/socket.io/?EIO=4&transport=websocket"
	}

	runtime.LockOSThread()
	debug.SetGCPercent(-1)
	raiseFileLimit()
	r, err := loads[os.Args[1]](&j)
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(r)
}
