package conformance_test

import (
	"context"
	"testing"
	"testing/synctest"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
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

// TestOwnServer: our server passes every case, in virtual time.
func TestOwnServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := conntest.Listen()
		s := &conn.Server{Handler: echo, Options: &conn.AcceptOptions{Options: limits}}
		go s.Serve(l)
		report, err := conformance.Server(t.Context(), "ws://example.com/", &conformance.Options{Dial: l.Dial})
		if err != nil {
			t.Fatal(err)
		}
		s.Shutdown(t.Context())
		checkAll(t, report, conformance.Cases(frame.Server))
	})
}

// checkAll: all cases were run, and all came out OK but those for information.
func checkAll(t *testing.T, r *conformance.Report, cases []*conformance.Case) {
	t.Helper()
	if len(r.Results) != len(cases) {
		t.Errorf("%d results of %d cases", len(r.Results), len(cases))
	}
	for i := range r.Results {
		res := &r.Results[i]
		if res.Verdict == conformance.Information || res.Verdict == conformance.OK && res.Close == conformance.OK {
			continue
		}
		t.Errorf("%s: %v, %s; close %v, %s", res.Case.ID, res.Verdict, res.Why, res.Close, res.CloseWhy)
		for _, e := range res.Log[max(0, len(res.Log)-12):] {
			t.Logf("%8v %-8s %s % x", e.At, e.Direction, e.What, e.Octets)
		}
	}
}

// TestOwnClient: our client passes every case, in virtual time.
func TestOwnClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := conntest.Listen()
		tester := new(conformance.ClientTester)
		served := make(chan error, 1)
		go func() { served <- tester.Serve(l) }()
		options := &conn.DialOptions{Options: limits, NetDial: l.Dial}
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
		checkAll(t, tester.Reports()[0], conformance.Cases(frame.Client))
	})
}
