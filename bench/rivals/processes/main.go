//go:build linux

// Command processes compares whole servers: one process for each library, pinned
// to one processor, under the load of a generator on another. It prints the lines
// of a benchmark, one for each round, for benchstat, table and report.
//
//	go run ./processes            # everything, about half an hour
//	go run ./processes -quick     # a few minutes
//	go run ./processes -run Echo/conns=64 -lib ours,gws
//
// The time of an operation is processor time of the server, as the kernel counts
// it, for each message echoed or delivered, or for each upgrade. Rounds go through
// the libraries in turn, so that what else happens on the machine meets them all.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A scenario is one load on one mode of the servers.
type scenario struct {
	name  string // of the benchmark
	mode  string // of the servers
	load  []string
	libs  []string
	ping  time.Duration // the heartbeat of Socket.IO
	quick bool          // whether it is part of a quick run
}

// The libraries that have a mode. The limit is an echo in C that knows nothing of
// WebSocket.
var (
	echoes     = []string{"ours", "ours:http", "ours:events", "gorilla", "gorilla:reader", "coder", "gobwas", "gobwas:loop", "gws", "nbio", "xnet", "ws", "limit"}
	broadcasts = []string{"ours", "gorilla", "coder", "gobwas", "gws", "nbio", "xnet", "ws"}
	upgrades   = []string{"ours", "ours:http", "ours:events", "gorilla", "coder", "gobwas", "gws", "nbio", "xnet", "ws"}
	sockets    = []string{"ours", "socket.io"}
)

func scenarios() []scenario {
	var all []scenario
	echo := func(quick bool, conns, size, pipeline int) {
		all = append(all, scenario{
			name: fmt.Sprintf("Echo/conns=%d/size=%d/pipeline=%d", conns, size, pipeline), mode: "echo", libs: echoes, quick: quick,
			load: []string{"echo", "-conns", strconv.Itoa(conns), "-size", strconv.Itoa(size), "-pipeline", strconv.Itoa(pipeline)},
		})
	}
	echo(false, 1, 125, 1)
	echo(false, 64, 16, 1)
	echo(true, 64, 125, 1)
	echo(false, 64, 1<<10, 1)
	echo(true, 64, 16<<10, 1)
	echo(false, 64, 1<<20, 1)
	echo(true, 1000, 125, 1)
	echo(false, 1000, 1<<10, 1)
	echo(false, 1, 16, 64)
	echo(true, 64, 125, 16)
	echo(false, 64, 1<<10, 16)
	echo(false, 64, 16<<10, 4)
	broadcast := func(quick bool, conns, burst int) {
		all = append(all, scenario{
			name: fmt.Sprintf("Broadcast/conns=%d/size=256/burst=%d", conns, burst), mode: "broadcast", libs: broadcasts, quick: quick,
			load: []string{"broadcast", "-conns", strconv.Itoa(conns), "-size", "256", "-burst", strconv.Itoa(burst)},
		})
	}
	broadcast(true, 1000, 1)
	broadcast(true, 1000, 8)
	broadcast(false, 10000, 1)
	broadcast(false, 10000, 8)
	for _, head := range []string{"minimal", "browser"} {
		all = append(all, scenario{
			name: "Upgrade/head=" + head, mode: "echo", libs: upgrades, quick: head == "browser",
			load: []string{"upgrade", "-conns", "32", "-head", head},
		})
	}
	socketIO := func(ping time.Duration, name string, load ...string) {
		all = append(all, scenario{name: name, mode: "socketio", libs: sockets, ping: ping, quick: true, load: append(load, "-socketio")})
	}
	for _, pipeline := range []int{1, 16} {
		socketIO(time.Hour, fmt.Sprintf("Event/conns=64/size=125/pipeline=%d", pipeline),
			"echo", "-conns", "64", "-size", "125", "-pipeline", strconv.Itoa(pipeline))
	}
	socketIO(time.Hour, "Room/conns=1000/size=256/burst=1", "broadcast", "-conns", "1000", "-size", "256", "-burst", "1")
	socketIO(10*time.Second, "IdleSocket/conns=5000", "idle", "-conns", "5000")
	for _, conns := range []int{5000, 19000} {
		all = append(all, scenario{
			name: fmt.Sprintf("Idle/conns=%d", conns), mode: "echo", libs: echoes, quick: conns == 5000,
			load: []string{"idle", "-conns", strconv.Itoa(conns)},
		})
	}
	return all
}

// What load prints.
type result struct {
	Count   int
	Seconds float64
	CPU     float64
	P50     float64
	P99     float64
	Bytes   float64
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("processes: ")
	quick := flag.Bool("quick", false, "fewer scenarios, rounds and seconds")
	pattern := flag.String("run", "", "scenarios that match this `regexp`")
	lib := flag.String("lib", "", "these libraries only, a comma between them")
	rounds := flag.Int("rounds", 5, "how often each is measured")
	span := flag.Duration("time", time.Second, "how long each time")
	flag.Parse()
	if *quick {
		*rounds, *span = min(*rounds, 2), min(*span, 400*time.Millisecond)
	}
	selected, err := regexp.Compile(*pattern)
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "processes")
	if err != nil {
		log.Fatal(err)
	}
	err = run(dir, *rounds, *span, func(s scenario) []string {
		if *quick && !s.quick || !selected.MatchString(s.name) {
			return nil
		}
		return slices.DeleteFunc(slices.Clone(s.libs), func(name string) bool {
			return *lib != "" && !slices.Contains(strings.Split(*lib, ","), name)
		})
	})
	os.RemoveAll(dir)
	if err != nil {
		log.Fatal(err)
	}
}

// run measures the scenarios with the libraries that choose returns.
func run(dir string, rounds int, span time.Duration, choose func(scenario) []string) error {
	if err := build(dir); err != nil {
		return err
	}
	failed := 0
	for _, s := range scenarios() {
		libs := choose(s)
		times := rounds
		if s.load[0] == "idle" {
			times = 1 // memory hardly varies
		}
		for range times {
			for _, lib := range libs {
				r, err := measure(dir, s, lib, span)
				if err != nil {
					failed++
					log.Printf("%s/lib=%s: %v", s.name, lib, err)
					continue
				}
				print(s, lib, r)
			}
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d measurements failed", failed)
	}
	return nil
}

// print writes a result as a line of a benchmark.
func print(s scenario, lib string, r result) {
	fmt.Printf("Benchmark%s/lib=%s\t%d", s.name, lib, r.Count)
	if s.load[0] == "idle" {
		fmt.Printf("\t%.0f B/conn\n", r.Bytes)
		return
	}
	fmt.Printf("\t%.1f ns/op\t%.0f p50-ns\t%.0f p99-ns", r.CPU*1e3, r.P50*1e3, r.P99*1e3)
	if r.Seconds > 0 {
		fmt.Printf("\t%.0f op/s", float64(r.Count)/r.Seconds)
	}
	fmt.Println()
}

// build makes the programs. It must run in the module's directory.
func build(dir string) error {
	for _, args := range [][]string{
		{"go", "build", "-o", filepath.Join(dir, "load"), "./load"},
		{"go", "build", "-o", filepath.Join(dir, "serve"), "./serve"},
		{"cc", "-O2", "-o", filepath.Join(dir, "echo"), "c/echo.c"},
		{"npm", "ci", "--prefix", "node", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return nil
}

// measure starts a server, loads it and stops it.
func measure(dir string, s scenario, lib string, span time.Duration) (result, error) {
	args := []string{filepath.Join(dir, "serve"), "-library", lib, "-mode", s.mode, "-ping", s.ping.String()}
	load := append([]string{filepath.Join(dir, "load")}, s.load...)
	switch lib {
	case "limit":
		args = []string{filepath.Join(dir, "echo")}
		load = append(load, "-raw")
	case "ws":
		args = []string{"node", "--expose-gc", "node/serve.mjs", s.mode}
	case "socket.io":
		args = []string{"node", "--expose-gc", "node/socketio.mjs", strconv.FormatInt(s.ping.Milliseconds(), 10)}
	}
	server := exec.Command("taskset", append([]string{"-c", "0"}, args...)...)
	server.Stderr = os.Stderr
	stdout, err := server.StdoutPipe()
	if err != nil {
		return result{}, err
	}
	if err := server.Start(); err != nil {
		return result{}, err
	}
	defer func() {
		server.Process.Kill()
		server.Wait()
	}()
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return result{}, fmt.Errorf("the server did not start: %w", err)
	}
	go io.Copy(io.Discard, stdout)

	load = append(load, "-addr", strings.TrimSpace(addr), "-pid", strconv.Itoa(server.Process.Pid), "-time", span.String())
	out, err := exec.Command("taskset", append([]string{"-c", "1"}, load...)...).Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return result{}, fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	if err != nil {
		return result{}, err
	}
	var r result
	if err := json.Unmarshal(out, &r); err != nil {
		return result{}, err
	}
	if r.Count == 0 {
		return result{}, errors.New("nothing was counted")
	}
	return r, nil
}
