package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/conformance"
)

// exitFailures is the exit code when a case of a conformance suite has failed.
const exitFailures = 8

const (
	aboutConformance = `Test a server or a client against RFC 6455, and RFC 7692 where it compresses, case
by case.

  wsecho conformance server [flags] URL       test the server at URL, which has to echo
  wsecho conformance client [flags]           listen, and test the clients that connect
  wsecho conformance run-client [flags] URL   let the server at URL test the client of wsecho

The exit code is 8 if a case has failed. "wsecho conformance server -h" and so on
list the flags.`

	aboutConformanceServer = `wsecho conformance server [flags] URL tests the server at URL, such as
ws://127.0.0.1:8080/echo, which has to send back every message as it came. Cases
about compression are unimplemented where it does not agree to that: "wsecho serve"
does so at ws://127.0.0.1:8080/echo?deflate=on.`

	aboutConformanceClient = `wsecho conformance client [flags] listens, and tests the clients that connect. They
ask for their cases on the paths of the Autobahn test suite: /getCaseCount,
/getCaseInfo?case=N, /runCase?case=N&agent=NAME, /getCaseStatus?case=N&agent=NAME,
/updateReports?agent=NAME, which writes the reports, and /stopServer. In place of
case=N, casetuple=ID takes an id or a known number. Ctrl-C stops it, too.`

	aboutConformanceRunClient = `wsecho conformance run-client [flags] URL connects to a server that tests clients,
such as ws://127.0.0.1:9001 for "wsecho conformance client", and has the client of
wsecho tested.`
)

// conformanceOptions are the flags of the parts of conformance.
type conformanceOptions struct {
	run      []string
	list     bool
	parallel int
	timeout  time.Duration
	volume   size
	deflate  string
	verbose  bool
	agent    string
	listen   string
	html     string
	json     string
	junit    string
}

func newConformanceFlags(o *conformanceOptions, part string) *flagSet {
	about := map[string]string{"server": aboutConformanceServer, "client": aboutConformanceClient, "run-client": aboutConformanceRunClient}
	fs := newFlagSet("conformance "+part, about[part])
	fs.Func("run", "run only the cases that a `pattern` matches: an id, a group, a number of the\nAutobahn test suite, with * for any characters, such as utf8, 7.*, 1.1.1,\n'close/7.4/*'; may be repeated", func(pattern string) error {
		o.run = append(o.run, pattern)
		return nil
	})
	switch part {
	case "server":
		fs.IntVar(&o.parallel, "parallel", conformance.DefaultParallel, "how `many` cases run at the same time, but for those that measure")
		fs.StringVar(&o.agent, "agent", "", "the `name` of the server in the reports; by default its Server field or its host")
	case "client":
		fs.StringVar(&o.listen, "listen", "127.0.0.1:9001", "listen on `host:port`")
	default:
		fs.IntVar(&o.parallel, "parallel", 1, "how `many` cases run at the same time; servers other than wsecho may support one")
		fs.StringVar(&o.agent, "agent", "rfc6455", "the `name` of the client in the reports")
		o.deflate = "on"
		fs.Var(choice{&o.deflate, []string{"off", "on"}}, "deflate", "`off|on`: whether the client offers compression")
		return fs
	}
	o.volume = 4 << 20
	fs.BoolVar(&o.list, "list", false, "list the cases instead of running them")
	fs.DurationVar(&o.timeout, "timeout", time.Second, "how long an answer that is due at once may take; longer waits grow with it")
	fs.Var(&o.volume, "volume", "how many `octets` each case of group compression sends, in 1000 messages at most;\n125MiB is what the Autobahn test suite does")
	fs.BoolVar(&o.verbose, "v", false, "print every case with every octet that went over the wire")
	fs.StringVar(&o.html, "html", "", "write a report for people to a `file`, which needs nothing but itself")
	fs.StringVar(&o.json, "json", "", "write a report as JSON to a `file`")
	fs.StringVar(&o.junit, "junit", "", "write a report as JUnit XML to a `file`")
	return fs
}

// runConformance picks the part of the suite.
func runConformance(env *environment, args []string) int {
	parts := map[string]func(*environment, *conformanceOptions, string) int{
		"server": conformanceServer, "client": conformanceClient, "run-client": conformanceRunClient,
	}
	if len(args) == 1 && (args[0] == "-h" || args[0] == "-help" || args[0] == "--help") {
		fmt.Fprintln(env.stdout, aboutConformance)
		return exitOK
	}
	if len(args) == 0 || parts[args[0]] == nil {
		return usageError(env, "conformance needs to know what to test: server, client or run-client; \"wsecho help conformance\" explains them")
	}
	var o conformanceOptions
	fs := newConformanceFlags(&o, args[0])
	url, code, ok := parseConformance(env, fs, args[0], args[1:], &o)
	if !ok {
		return code
	}
	return parts[args[0]](env, &o, url)
}

// parseConformance is flagSet.parse for flags before and after a URL.
func parseConformance(env *environment, fs *flagSet, part string, args []string, o *conformanceOptions) (url string, code int, ok bool) {
	if part == "client" || fs.Parse(args) != nil {
		code, ok = fs.parse(env, args)
		return "", code, ok
	}
	if fs.NArg() > 0 {
		url = fs.Arg(0)
		if code, ok = fs.parse(env, fs.Args()[1:]); !ok {
			return "", code, false
		}
	}
	if url == "" && !o.list {
		return "", usageError(env, "conformance %s needs the URL of a server, such as %s",
			part, map[string]string{"server": "ws://127.0.0.1:8080/echo", "run-client": "ws://127.0.0.1:9001"}[part]), false
	}
	return url, exitOK, true
}

// options returns what the package conformance has to know.
func (o *conformanceOptions) options() *conformance.Options {
	return &conformance.Options{Run: o.run, Parallel: o.parallel, Timeout: o.timeout, Volume: int64(o.volume), Agent: o.agent, EveryOctet: o.verbose}
}

// listCases prints the cases for a peer.
func (o *conformanceOptions) listCases(env *environment, peer frame.Role) int {
	cases := conformance.Select(conformance.Cases(peer), o.run)
	if len(cases) == 0 {
		return noCase(env)
	}
	for _, c := range cases {
		fmt.Fprintf(env.stdout, "%-44s %-7s %s\n", c.ID, cmp.Or(c.Known, "-"), c.About)
	}
	return exitOK
}

func noCase(env *environment) int {
	return usageError(env, "no case matches the patterns of -run; -list shows the cases")
}

// interruptible returns a context that ends with a signal.
func interruptible(env *environment) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(context.Background())
	go func() {
		select {
		case s := <-env.signals:
			cancel(fmt.Errorf("stopped by the signal %v", s))
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// conformanceServer tests the server at url.
func conformanceServer(env *environment, o *conformanceOptions, url string) int {
	if o.list {
		return o.listCases(env, frame.Server)
	}
	options := o.options()
	p := &progress{env: env, verbose: o.verbose, of: len(conformance.Select(conformance.Cases(frame.Server), o.run))}
	options.OnResult = p.result
	ctx, cancel := interruptible(env)
	defer cancel()
	report, err := conformance.Server(ctx, url, options)
	switch {
	case errors.Is(err, conformance.ErrNoCase):
		return noCase(env)
	case report == nil:
		fmt.Fprintf(env.stderr, "wsecho: %v; is an echo server listening there?\n", err)
		return exitError
	}
	code := o.finish(env, []*conformance.Report{report})
	if err != nil {
		fmt.Fprintf(env.stderr, "wsecho: %v after %d of %d cases\n", err, len(report.Results), p.of)
		return exitInterrupt
	}
	return code
}

// conformanceClient tests the clients that connect.
func conformanceClient(env *environment, o *conformanceOptions, _ string) int {
	if o.list {
		return o.listCases(env, frame.Client)
	}
	options := o.options()
	p := &progress{env: env, verbose: o.verbose, of: len(conformance.Select(conformance.Cases(frame.Client), o.run))}
	if p.of == 0 {
		return noCase(env)
	}
	options.OnResult = p.result
	tester := &conformance.ClientTester{
		Options:  options,
		OnUpdate: o.write,
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		fmt.Fprintf(env.stderr, "wsecho: %v; -listen chooses another address\n", err)
		return exitError
	}
	fmt.Fprintf(env.stderr, "conformance: %d cases for clients at ws://%s\n", p.of, l.Addr())
	ctx, cancel := interruptible(env)
	defer cancel()
	defer context.AfterFunc(ctx, tester.Stop)()
	if err := tester.Serve(l); err != nil {
		fmt.Fprintf(env.stderr, "wsecho: stopped accepting connections: %v\n", err)
		return exitError
	}
	return o.finish(env, tester.Reports())
}

// conformanceRunClient has our client tested by the server at url.
func conformanceRunClient(env *environment, o *conformanceOptions, url string) int {
	failed, counts := 0, map[string]int{}
	ctx, cancel := interruptible(env)
	defer cancel()
	dial := new(conn.DialOptions)
	if o.deflate == "on" {
		dial.Compression = withContext()
	}
	statuses, err := conformance.RunClient(ctx, url, &conformance.ClientRun{
		Agent: o.agent, Run: o.run, Parallel: o.parallel, Dial: dial,
		OnStatus: func(s conformance.CaseStatus) {
			fmt.Fprintf(env.stderr, "%d/%d %s %s\n", s.Number, s.Of, s.Behavior, escape(s.ID))
		},
	})
	for _, s := range statuses {
		counts[s.Behavior]++
		if s.Behavior == "FAILED" {
			failed++
			fmt.Fprintf(env.stdout, "FAILED %s\n", escape(s.ID))
		}
	}
	if err != nil {
		fmt.Fprintf(env.stderr, "wsecho: %v\n", err)
		return exitError
	}
	if len(statuses) == 0 {
		return noCase(env)
	}
	fmt.Fprintf(env.stdout, "%d cases:", len(statuses))
	for _, b := range []string{"OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED", "FAILED"} {
		if counts[b] > 0 {
			fmt.Fprintf(env.stdout, " %d %s", counts[b], b)
		}
	}
	fmt.Fprintln(env.stdout)
	if failed > 0 {
		return exitFailures
	}
	return exitOK
}

// A progress tells of the cases as they are done.
type progress struct {
	env          *environment
	verbose      bool
	of           int
	done, failed int
}

func (p *progress) result(r *conformance.Report, res *conformance.Result) {
	p.done++
	if res.Failed() {
		p.failed++
	}
	if p.verbose {
		printResult(p.env.stdout, res, true)
	}
	if tenth := max(p.of/10, 1); p.done%tenth == 0 || p.done == p.of {
		fmt.Fprintf(p.env.stderr, "conformance: %s: %d of %d cases, %d failed\n", escape(r.Agent), p.done, p.of, p.failed)
	}
}

// printResult prints what came of a case.
func printResult(w io.Writer, r *conformance.Result, log bool) {
	fmt.Fprintf(w, "%-11s %s", r.Worst(), r.Case.ID)
	if r.Case.Known != "" {
		fmt.Fprintf(w, " (%s)", r.Case.Known)
	}
	fmt.Fprintf(w, "\n            %s\n", escape(r.Why))
	if r.Close != conformance.OK && r.Close != conformance.Information {
		fmt.Fprintf(w, "            close %v: %s\n", r.Close, escape(r.CloseWhy))
	}
	if !log {
		return
	}
	for _, e := range r.Log {
		fmt.Fprintf(w, "            %s\n", escape(e.String()))
	}
}

// finish prints the results that are not ok, and writes the reports. It returns
// the exit code.
func (o *conformanceOptions) finish(env *environment, reports []*conformance.Report) int {
	code := exitOK
	for _, r := range reports {
		for i := range r.Results {
			// That something is not implemented is told by its count alone.
			if res := &r.Results[i]; res.Worst() != conformance.OK && res.Worst() != conformance.Unimplemented && !o.verbose {
				printResult(env.stdout, res, false)
			}
		}
		fmt.Fprintf(env.stdout, "%s: %d cases", escape(r.Agent), len(r.Results))
		for _, v := range []conformance.Verdict{conformance.OK, conformance.Tolerable, conformance.Unimplemented, conformance.Information, conformance.Failed} {
			fmt.Fprintf(env.stdout, ", %d %v", r.Count("", v), v)
		}
		fmt.Fprintln(env.stdout)
		if r.Count("", conformance.Failed) > 0 {
			code = exitFailures
		}
	}
	if err := o.write(reports); err != nil {
		fmt.Fprintf(env.stderr, "wsecho: %v\n", err)
		return exitError
	}
	return code
}

// write writes the reports to their files.
func (o *conformanceOptions) write(reports []*conformance.Report) error {
	return errors.Join(
		writeReport(o.html, reports, conformance.WriteHTML),
		writeReport(o.json, reports, conformance.WriteJSON),
		writeReport(o.junit, reports, conformance.WriteJUnit),
	)
}

func writeReport(name string, reports []*conformance.Report, write func(io.Writer, []*conformance.Report) error) error {
	if name == "" {
		return nil
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f, reports), f.Close())
}

// escape replaces control characters, which peers could use to write on a
// terminal what they like.
func escape(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '\ufffd'
		}
		return r
	}, s)
}
