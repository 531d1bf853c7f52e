// Peers runs the conformance suite against other implementations, as servers and
// as clients, and writes a table of what came of it.
//
//	go run . [flags]
//
// The implementations are this repository's own, the Go packages gorilla/websocket
// and coder/websocket, the npm package ws and python3-websockets of Debian; "make
// install" at the root of the repository installs the last two. Each is an echo
// server or client without settings beside those for large messages and for
// compression.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/conformance"
)

// Options are the flags.
type options struct {
	run     []string
	peers   []string
	timeout time.Duration
	write   string
	html    string
}

func main() {
	var o options
	add := func(to *[]string) func(string) error {
		return func(s string) error { *to = append(*to, s); return nil }
	}
	flag.Func("run", "run only the cases that a `pattern` matches; may be repeated", add(&o.run))
	flag.Func("peer", "run only the peer of this `name`; may be repeated", add(&o.peers))
	flag.DurationVar(&o.timeout, "timeout", 10*time.Second, "how long an answer that is due at once may take")
	flag.StringVar(&o.write, "write", "", "put the table into a Markdown `file` between its markers; by default it goes to standard output")
	flag.StringVar(&o.html, "html", "", "write a report with every case to a `file`")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := run(ctx, &o); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o *options) error {
	var reports []*conformance.Report
	for _, p := range peers() {
		if len(o.peers) > 0 && !slices.Contains(o.peers, p.name) {
			continue
		}
		version, err := p.version()
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		for _, role := range []frame.Role{frame.Server, frame.Client} {
			r, err := test(ctx, p, role, &conformance.Options{Run: o.run, Timeout: o.timeout, Agent: strings.TrimSpace(p.name + " " + version)})
			if err != nil {
				return fmt.Errorf("%s as a %v: %w", p.name, role, err)
			}
			fmt.Fprintf(os.Stderr, "%s as a %v: %s, in %v\n", r.Agent, role, cell(r, ""), r.Ended.Sub(r.Began).Round(time.Second))
			reports = append(reports, r)
		}
	}
	if o.html != "" {
		if err := writeFile(o.html, func(w io.Writer) error { return conformance.WriteHTML(w, reports) }); err != nil {
			return err
		}
	}
	if o.write == "" {
		_, err := os.Stdout.WriteString(tables(reports))
		return err
	}
	text, err := os.ReadFile(o.write)
	if err != nil {
		return err
	}
	replaced, err := replace(string(text), tables(reports))
	if err != nil {
		return fmt.Errorf("%s: %w", o.write, err)
	}
	return writeFile(o.write, func(w io.Writer) error {
		_, err := io.WriteString(w, replaced)
		return err
	})
}

func writeFile(name string, write func(w io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
