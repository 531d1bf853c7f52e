package conformance_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/conformance"
)

// patience is the Timeout of tests in real time, on machines that are busy.
const patience = 10 * time.Second

// onTCP are the groups for which it matters that TCP is real.
var onTCP = []string{"framing", "masking", "fragmentation", "early", "delivery", "faults", "limits/5.2/*", "limits/10.4/*-1MiB"}

// TestTCP: our server and our client pass over real connections.
func TestTCP(t *testing.T) {
	t.Parallel()
	o := &conformance.Options{Run: onTCP, Timeout: patience}
	for name, s := range map[string]*conn.Server{
		"server": {Handler: echo},
		"event-driven server": {EventDriven: true, OnMessage: func(c *conn.Conn, m conn.Message) {
			c.WriteMessage(c.Context(), m.Opcode, m.Payload)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			s.Options = &conn.AcceptOptions{Options: limits}
			go s.Serve(l)
			report, err := conformance.Server(t.Context(), "ws://"+l.Addr().String(), o)
			if err != nil {
				t.Fatal(err)
			}
			s.Shutdown(context.Background())
			checkAll(t, report, conformance.Select(conformance.Cases(frame.Server), onTCP), false)
		})
	}
	t.Run("client", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		tester := &conformance.ClientTester{Options: o}
		served := make(chan error, 1)
		go func() { served <- tester.Serve(l) }()
		_, err = conformance.RunClient(t.Context(), "ws://"+l.Addr().String(), &conformance.ClientRun{Parallel: 16})
		if err != nil {
			t.Fatal(err)
		}
		tester.Stop()
		if err := <-served; err != nil {
			t.Errorf("Serve returned %v", err)
		}
		checkAll(t, tester.Reports()[0], tester.Cases(), false)
	})
}

// TestTLS: our server on net/http passes over TLS. Where net/http has parsed the
// request, three tolerable deviations remain.
func TestTLS(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(&conn.Server{Handler: echo, Options: &conn.AcceptOptions{Options: limits}})
	t.Cleanup(s.Close)
	run := []string{"framing", "control", "close", "delivery", "faults/7.*", "handshake/4.*", "handshake/9.*"}
	report, err := conformance.Server(t.Context(), "wss"+strings.TrimPrefix(s.URL, "https"), &conformance.Options{
		Run:     run,
		Timeout: patience,
		TLS:     s.Client().Transport.(*http.Transport).TLSClientConfig,
	})
	if err != nil {
		t.Fatal(err)
	}
	var lenient []string
	for i := range report.Results {
		switch res := &report.Results[i]; res.Worst() {
		case conformance.Failed:
			t.Errorf("%s: %s; close %v, %s", res.Case.ID, res.Why, res.Close, res.CloseWhy)
		case conformance.Tolerable:
			lenient = append(lenient, res.Case.ID)
		}
	}
	if diff := cmp.Diff([]string{"handshake/4.2.1/target-fragment", "handshake/4.2.1/line-folded", "handshake/4.2.1/value-lf"}, lenient); diff != "" {
		t.Errorf("tolerable cases (-want +got):\n%s", diff)
	}
}
