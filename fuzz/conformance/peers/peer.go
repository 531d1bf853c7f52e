package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	neturl "net/url"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/conformance"
)

// A peer is an implementation under test.
type peer struct {
	name    string
	version func() (string, error)
	// start starts an echo server, which ends with ctx, and returns its URL.
	start func(ctx context.Context) (url string, err error)
	// ask has a client under the name agent ask the tester at url for its n cases.
	ask func(ctx context.Context, url, agent string, n int) error
}

// peers returns all peers there are.
func peers() []peer {
	const interop = "../../../conn/internal/interop/testdata/node/node_modules/ws"
	return []peer{
		{
			name:    "rfc6455",
			version: func() (string, error) { return "", nil },
			start: func(ctx context.Context) (string, error) {
				s := &conn.Server{Handler: echoOwn, Options: &conn.AcceptOptions{Options: own}}
				return listen(ctx, s.Serve, func() { s.Shutdown(ctx) })
			},
			ask: func(ctx context.Context, url, agent string, _ int) error {
				_, err := conformance.RunClient(ctx, url, &conformance.ClientRun{Agent: agent, Parallel: parallel})
				return err
			},
		},
		library("gorilla/websocket", echoGorilla, runGorilla),
		library("coder/websocket", echoCoder, runCoder),
		process("ws", "node", "../testdata/ws.mjs", interop),
		process("websockets", "/usr/bin/python3", "../testdata/peer.py"),
	}
}

// parallel is how many cases a client runs at the same time.
const parallel = 16

// test runs the suite against a peer in a role.
func test(ctx context.Context, p peer, role frame.Role, o *conformance.Options) (*conformance.Report, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if role == frame.Server {
		url, err := p.start(ctx)
		if err != nil {
			return nil, err
		}
		return conformance.Server(ctx, url, o)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	options := *o
	results := make(chan struct{}, len(conformance.Cases(role)))
	options.OnResult = func(*conformance.Report, *conformance.Result) { results <- struct{}{} }
	tester := &conformance.ClientTester{Options: &options}
	served := make(chan error, 1)
	go func() { served <- tester.Serve(l) }()
	err = p.ask(ctx, "ws://"+l.Addr().String(), o.Agent, len(tester.Cases()))
	if err == nil {
		await(results, len(tester.Cases()))
	}
	tester.Stop()
	if err := errors.Join(err, <-served); err != nil {
		return nil, err
	}
	reports := tester.Reports()
	if len(reports) != 1 {
		return nil, fmt.Errorf("%d agents have asked for cases", len(reports))
	}
	return reports[0], nil
}

// await waits for n results: a case may end after its client has.
func await(results <-chan struct{}, n int) {
	late := time.After(time.Minute)
	for range n {
		select {
		case <-results:
		case <-late:
			return // and the report shows what is missing
		}
	}
}

// listen serves until ctx ends, and returns the URL for WebSocket clients.
func listen(ctx context.Context, serve func(net.Listener) error, shutdown func()) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	context.AfterFunc(ctx, shutdown)
	go serve(l)
	return "ws://" + l.Addr().String(), nil
}

// library returns the peer of a Go package with an echo handler, and a client that
// echoes on one connection.
func library(name string, h http.HandlerFunc, run func(ctx context.Context, url string)) peer {
	return peer{
		name:    name,
		version: func() (string, error) { return moduleVersion("github.com/" + name) },
		start: func(ctx context.Context) (string, error) {
			s := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)} // which bad requests would fill
			return listen(ctx, s.Serve, func() { s.Close() })
		},
		ask: func(ctx context.Context, url, agent string, n int) error {
			slots := make(chan struct{}, parallel)
			var running sync.WaitGroup
			for i := range n {
				slots <- struct{}{}
				running.Go(func() {
					defer func() {
						if v := recover(); v != nil { // which ends the case
							fmt.Fprintf(os.Stderr, "%s panics in case %d: %v\n", name, i+1, v)
						}
						<-slots
					}()
					run(ctx, fmt.Sprintf("%s/runCase?case=%d&agent=%s", url, i+1, neturl.QueryEscape(agent)))
				})
			}
			running.Wait()
			return ctx.Err()
		},
	}
}

// moduleVersion returns the version of a module that this program is built with.
func moduleVersion(path string) (string, error) {
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, m := range info.Deps {
			if m.Path == path {
				return m.Version, nil
			}
		}
	}
	return "", errors.New("the version is not known")
}

// process returns the peer of a script, which takes a command after other
// arguments: version prints that, server prints the port, and client asks the
// tester at a URL for its cases under a name.
func process(name, program string, arguments ...string) peer {
	command := func(ctx context.Context, more ...string) *exec.Cmd {
		c := exec.CommandContext(ctx, program, append(arguments, more...)...)
		c.Stderr = os.Stderr
		return c
	}
	return peer{
		name: name,
		version: func() (string, error) {
			b, err := command(context.Background(), "version").Output()
			return strings.TrimSpace(string(b)), err
		},
		start: func(ctx context.Context) (string, error) {
			c := command(ctx, "server")
			c.Stderr = nil // where some complain about each bad handshake
			stdout, err := c.StdoutPipe()
			if err == nil {
				err = c.Start()
			}
			if err != nil {
				return "", err
			}
			context.AfterFunc(ctx, func() { c.Wait() })
			port, err := bufio.NewReader(stdout).ReadString('\n')
			return "ws://127.0.0.1:" + strings.TrimSpace(port), err
		},
		ask: func(ctx context.Context, url, agent string, _ int) error {
			c := command(ctx, "client", url, agent)
			c.Stderr = nil
			return c.Run()
		},
	}
}
