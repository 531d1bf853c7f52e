package conformance

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

// DefaultParallel is how many cases run at the same time by default.
const DefaultParallel = 16

// Options configures a run. Nil and the zero value run all cases.
type Options struct {
	// Run selects cases, as [Select] does. Empty means all.
	Run []string

	// Parallel is how many cases run against a server at the same time. Zero
	// means [DefaultParallel]. Clients under test decide themselves how many
	// cases they ask for at once.
	Parallel int

	// Timeout is how long the peer may take for an answer that it owes at once;
	// longer waits grow with it. Zero means a second, which is what the
	// well-known suite allows.
	Timeout time.Duration

	// Volume is how many octets a case of group compression sends, in at most
	// 1000 messages and at least one. Zero means 4 MiB. The well-known suite
	// sends 1000 messages whatever their size, as 125 MiB do.
	Volume int64

	// Agent is the name of a server in the report. Empty means its Server field,
	// or its host. Clients give their names themselves.
	Agent string

	// EveryOctet keeps every octet of every frame in the wire log, which
	// otherwise has 96 of each of 200 frames of a case, or of 25 in group
	// compression.
	EveryOctet bool

	// OnResult is told each result as it comes, one at a time. Nil means nobody.
	OnResult func(*Report, *Result)

	// Header holds more fields for the requests that test a server, such as
	// Origin, Cookie or Authorization.
	Header http.Header

	// TLS configures the connections to a wss server. Nil means the defaults.
	TLS *tls.Config

	// Dial connects to the server under test. Nil means a [net.Dialer].
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

func (o *Options) withDefaults() Options {
	var r Options
	if o != nil {
		r = *o
	}
	r.Parallel = cmp.Or(max(r.Parallel, 0), DefaultParallel)
	r.Timeout = cmp.Or(max(r.Timeout, 0), time.Second)
	r.Volume = cmp.Or(max(r.Volume, 0), 4*mib)
	if r.Dial == nil {
		r.Dial = new(net.Dialer).DialContext
	}
	return r
}

// ErrNoCase says that no case matches Options.Run.
var ErrNoCase = errors.New("conformance: no case matches")

// Server tests the server of a WebSocket URI, which has to echo messages: each
// case is a connection of its own. The scheme is ws or wss, or http or https for
// the same.
//
// The error says why nothing could be tested: the URL cannot be used, no case
// matches, the server cannot be reached or refuses an ordinary handshake. When
// ctx ends the error is its cause, and the report has the cases that were done.
// The options must not be modified meanwhile.
func Server(ctx context.Context, url string, o *Options) (*Report, error) {
	t := &serverTest{options: o.withDefaults()}
	cases := Select(Cases(frame.Server), t.options.Run)
	if len(cases) == 0 {
		return nil, ErrNoCase
	}
	if err := t.parse(url); err != nil {
		return nil, err
	}
	t.report = &Report{Agent: t.options.Agent, Role: frame.Server, URL: url, Began: time.Now()}
	if err := t.greet(ctx); err != nil {
		return nil, err
	}
	results := t.runAll(ctx, cases)
	for i := range results {
		if results[i].Case != nil {
			t.report.Results = append(t.report.Results, results[i])
		}
	}
	t.report.Ended = time.Now()
	return t.report, context.Cause(ctx)
}

// A serverTest is a run against one server.
type serverTest struct {
	options Options
	report  *Report
	address string
	tls     *tls.Config // nil for ws
	offer   handshake.Offer

	mu sync.Mutex // guards OnResult
}

// parse takes the URL apart.
func (t *serverTest) parse(text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return fmt.Errorf("conformance: %w", err)
	}
	port := "80"
	switch u.Scheme {
	case "ws", "http":
	case "wss", "https":
		port = "443"
		t.tls = t.options.TLS.Clone()
		if t.tls == nil {
			t.tls = new(tls.Config)
		}
		t.tls.ServerName = cmp.Or(t.tls.ServerName, u.Hostname())
		t.tls.NextProtos = []string{"http/1.1"}
	default:
		return fmt.Errorf("conformance: the scheme of %q is not ws or wss", text)
	}
	if u.Hostname() == "" {
		return fmt.Errorf("conformance: %q has no host", text)
	}
	t.address = net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port))
	t.offer = handshake.Offer{Target: cmp.Or(u.EscapedPath(), "/"), Host: u.Host, Extra: t.fields()}
	if u.RawQuery != "" {
		t.offer.Target += "?" + u.RawQuery
	}
	return nil
}

// fields yields the fields of a request that are not of the handshake.
func (t *serverTest) fields() func(yield func(name, value string) bool) {
	h := http.Header{"User-Agent": {"rfc6455-conformance"}}
	maps.Copy(h, t.options.Header)
	return handshake.Lines(h)
}

func (t *serverTest) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*t.options.Timeout)
	defer cancel()
	nc, err := t.options.Dial(ctx, "tcp", t.address)
	if err != nil || t.tls == nil {
		return nc, err
	}
	c := tls.Client(nc, t.tls)
	if err := c.HandshakeContext(ctx); err != nil {
		nc.Close()
		return nil, err
	}
	return c, nil
}

// greet opens a connection and closes it, to see whether there is a server.
func (t *serverTest) greet(ctx context.Context) error {
	s := t.session(ctx, &Case{ID: "greeting"})
	s.run()
	if s.verdict == Failed {
		return fmt.Errorf("conformance: %s", s.why)
	}
	t.report.Agent = cmp.Or(t.report.Agent, s.server, t.offer.Host)
	return context.Cause(ctx)
}

func (t *serverTest) session(ctx context.Context, c *Case) *session {
	s := newSession(ctx, c, frame.Client, &t.options)
	s.dial = t.dial
	s.offer = t.offer
	s.offer.Key = handshake.NewKey()
	return s
}

// runAll runs the cases, and returns a result for each that was run.
func (t *serverTest) runAll(ctx context.Context, cases []*Case) []Result {
	results := make([]Result, len(cases))
	slots := make(chan struct{}, t.options.Parallel)
	run := func(wanted func(*Case) bool) {
		var running sync.WaitGroup
		for i, c := range cases {
			if !wanted(c) {
				continue
			}
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
			}
			if ctx.Err() != nil {
				break
			}
			running.Go(func() {
				t.runCase(ctx, c, &results[i])
				<-slots
			})
			if c.alone {
				running.Wait()
			}
		}
		running.Wait()
	}
	run(func(c *Case) bool { return c.long })
	run(func(c *Case) bool { return !c.long && !c.heavy && !c.alone })
	run(func(c *Case) bool { return c.heavy })
	run(func(c *Case) bool { return c.alone })
	return results
}

// runCase runs a case, unless ctx ends before it has.
func (t *serverTest) runCase(ctx context.Context, c *Case, into *Result) {
	s := t.session(ctx, c)
	s.run()
	if ctx.Err() != nil {
		return
	}
	*into = s.result()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.options.OnResult != nil {
		t.options.OnResult(t.report, into)
	}
}
