package conformance_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/conformance"
)

// limits are the limits of a peer that has to pass: the largest message of the
// suite has 16 MiB, and it floods with pings.
var limits = conn.Options{MaxMessageSize: 16 << 20, MaxControlRate: conn.NoLimit}

// echo sends back what comes.
func echo(c *conn.Conn) {
	for {
		op, p, err := c.ReadMessage(context.Background())
		if err != nil {
			return
		}
		if err := c.WriteMessage(context.Background(), op, p); err != nil {
			return
		}
	}
}

// compressing are the limits of a peer that compresses, too, and keeps what the
// other one allows it to.
var compressing = conn.Options{MaxMessageSize: limits.MaxMessageSize, MaxControlRate: limits.MaxControlRate, Compression: &conn.Compression{
	Config: deflate.Config{ServerContextTakeover: deflate.Takeover, ClientContextTakeover: deflate.Takeover},
}}

// ownRuns are what our server and our client are run with, and which cases: one
// that compresses is plain where nobody asks for more.
var ownRuns = []struct {
	name    string
	options conn.Options
	run     []string // empty means all
}{
	{"compressing", compressing, most()},
	{"plain", limits, []string{"negotiation", "inflation", "compression/7692.7.1*", "12.1.*"}},
}

// most selects all cases; under the race detector without those of group
// compression that differ from others in nothing but sizes.
func most() []string {
	if !underRace {
		return nil
	}
	run := []string{"compression/7692.7.1*", "12.*.4", "13.*.11"}
	for _, role := range roles {
		for _, c := range conformance.Cases(role) {
			if g := c.Group(); g != "compression" && !slices.Contains(run, g) {
				run = append(run, g)
			}
		}
	}
	return run
}

// TestOwnServer: our server passes every case, in virtual time.
func TestOwnServer(t *testing.T) {
	for _, tt := range ownRuns {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := conntest.Listen()
				s := &conn.Server{Handler: echo, Options: &conn.AcceptOptions{Options: tt.options}}
				go s.Serve(l)
				report, err := conformance.Server(t.Context(), "ws://example.com/", &conformance.Options{Run: tt.run, Dial: l.Dial, Volume: 1})
				if err != nil {
					t.Fatal(err)
				}
				s.Shutdown(t.Context())
				checkAll(t, report, conformance.Select(conformance.Cases(frame.Server), tt.run), tt.options.Compression != nil)
			})
		})
	}
}

// checkAll: all cases were run, and all came out OK but those for information,
// and without compression those that need it.
func checkAll(t *testing.T, r *conformance.Report, cases []*conformance.Case, compresses bool) {
	t.Helper()
	if len(r.Results) != len(cases) {
		t.Errorf("%d results of %d cases", len(r.Results), len(cases))
	}
	for i := range r.Results {
		res := &r.Results[i]
		switch res.Worst() {
		case conformance.OK, conformance.Information:
			continue
		case conformance.Unimplemented:
			if !compresses {
				continue
			}
		}
		t.Errorf("%s: %v, %s; close %v, %s", res.Case.ID, res.Verdict, res.Why, res.Close, res.CloseWhy)
		for _, e := range res.Log[max(0, len(res.Log)-12):] {
			t.Logf("%8v %-8s %s % x", e.At, e.Direction, e.What, e.Octets)
		}
	}
}

// TestOwnClient: our client passes every case, in virtual time.
func TestOwnClient(t *testing.T) {
	for _, tt := range ownRuns {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := conntest.Listen()
				tester := &conformance.ClientTester{Options: &conformance.Options{Run: tt.run, Volume: 1}}
				served := make(chan error, 1)
				go func() { served <- tester.Serve(l) }()
				options := &conn.DialOptions{Options: tt.options, NetDial: l.Dial}
				statuses, err := conformance.RunClient(t.Context(), "ws://example.com", &conformance.ClientRun{Parallel: 16, Dial: options})
				if err != nil {
					t.Fatal(err)
				}
				tester.Stop()
				if err := <-served; err != nil {
					t.Errorf("Serve returned %v", err)
				}
				if len(statuses) != len(tester.Cases()) {
					t.Errorf("%d statuses of %d cases", len(statuses), len(tester.Cases()))
				}
				checkAll(t, tester.Reports()[0], tester.Cases(), tt.options.Compression != nil)
			})
		})
	}
}

// TestInflationLimit: our server and our client refuse what inflates to more than
// they take, with 1009.
func TestInflationLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const bomb = "inflation/7692.8/64MiB-of-zeros"
		server, clients := conntest.Listen(), conntest.Listen()
		s := &conn.Server{Handler: echo, Options: &conn.AcceptOptions{Options: compressing}}
		go s.Serve(server)
		report, err := conformance.Server(t.Context(), "ws://example.com/", &conformance.Options{Run: []string{bomb}, Dial: server.Dial})
		if err != nil {
			t.Fatal(err)
		}
		s.Shutdown(t.Context())

		tester := &conformance.ClientTester{Options: &conformance.Options{Run: []string{bomb}}}
		go tester.Serve(clients)
		options := &conn.DialOptions{Options: compressing, NetDial: clients.Dial}
		if _, err := conformance.RunClient(t.Context(), "ws://example.com", &conformance.ClientRun{Dial: options}); err != nil {
			t.Fatal(err)
		}
		tester.Stop()
		for _, r := range append(tester.Reports(), report) {
			if len(r.Results) != 1 || r.Results[0].Code != frame.CloseMessageTooBig {
				t.Errorf("the %v: %+v", r.Role, r.Results)
			}
		}
	})
}
