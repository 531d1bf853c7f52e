package conformance_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/fuzz/conformance"
)

// A testerTest is a ClientTester in memory.
type testerTest struct {
	*conformance.ClientTester
	t      *testing.T
	l      *conntest.Listener
	served chan error
}

func startTester(t *testing.T, tester *conformance.ClientTester) *testerTest {
	tt := &testerTest{tester, t, conntest.Listen(), make(chan error, 1)}
	go func() { tt.served <- tester.Serve(tt.l) }()
	return tt
}

func (tt *testerTest) stopped() {
	tt.t.Helper()
	if err := <-tt.served; err != nil {
		tt.t.Errorf("Serve returned %v", err)
	}
}

// ask returns the message on a path, or how the connection ended or was refused.
func (tt *testerTest) ask(path string) string {
	tt.t.Helper()
	c, err := conn.Dial(tt.t.Context(), "ws://example.com"+path, &conn.DialOptions{NetDial: tt.l.Dial})
	if refused, ok := errors.AsType[*conn.RefusedError](err); ok {
		return http.StatusText(refused.Status) + ": " + strings.TrimSpace(refused.Body)
	}
	if err != nil {
		return err.Error()
	}
	defer c.CloseNow()
	_, p, err := c.AppendMessage(tt.t.Context(), nil)
	if err != nil {
		return err.Error()
	}
	c.Discard(tt.t.Context())
	return string(p)
}

// run runs a case as an echo client.
func (tt *testerTest) run(query string) {
	tt.t.Helper()
	c, err := conn.Dial(tt.t.Context(), "ws://example.com/runCase?"+query, &conn.DialOptions{NetDial: tt.l.Dial})
	if err != nil {
		tt.t.Fatal(err)
	}
	echo(c)
	c.CloseNow()
}

// TestDriver: the answers on the paths that harnesses use.
func TestDriver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var updates atomic.Int32
		tt := startTester(t, &conformance.ClientTester{
			Options: &conformance.Options{Run: []string{"2.1", "2.2", "7.13.1"}},
			OnUpdate: func(reports []*conformance.Report) error {
				if updates.Add(1) == 1 {
					return errors.New("the disk is full")
				}
				return nil
			},
		})
		for _, q := range []struct{ path, want string }{
			{"/getCaseCount", "3"},
			{"/getCaseInfo?case=1", `{"id":"control/5.5.2/ping-empty","description":"Sends a ping without payload.","known":"2.1",` +
				`"expect":"A pong with the same payload comes back, and the closing handshake is clean (Section 5.5.3)."}`},
			{"/getCaseInfo?case=0", `Bad Request: there is no case "0": the cases count from 1 to 3`},
			{"/getCaseInfo?case=4", `Bad Request: there is no case "4": the cases count from 1 to 3`},
			{"/getCaseInfo?case=x", `Bad Request: there is no case "x": the cases count from 1 to 3`},
			{"/getCaseInfo", "Bad Request: the parameter case is needed once"},
			{"/getCaseInfo?case=1&case=2", "Bad Request: the parameter case is needed once"},
			{"/getCaseInfo?casetuple=1.1.1", `Bad Request: there is no case "1.1.1" in this run`},
			{"/runCase?case=1", "Bad Request: the parameter agent is needed once"},
			{"/runCase?case=1&agent=", "Bad Request: the parameter agent is needed once"},
			{"/runCase?case=1&agent=a&agent=b", "Bad Request: the parameter agent is needed once"},
			{"/getCaseStatus?case=1", "Bad Request: the parameter agent is needed once"},
			{"/updateReports", "Bad Request: the parameter agent is needed once"},
			{"/echo", "Not Found: the paths are /getCaseCount, /getCaseInfo, /runCase, /getCaseStatus, /updateReports and /stopServer"},
		} {
			if got := tt.ask(q.path); got != q.want {
				t.Errorf("%s answers %q, want %q", q.path, got, q.want)
			}
		}
		if got := tt.Reports(); len(got) != 0 {
			t.Errorf("calls without a name have left %d reports", len(got))
		}

		status := make(chan string, 1)
		go func() { status <- tt.ask("/getCaseStatus?case=1&agent=a") }() // waits for the result
		synctest.Wait()
		tt.run("case=1&agent=a")
		if got, want := <-status, `{"behavior":"OK","behaviorClose":"OK"}`; got != want {
			t.Errorf("the status of a case that was not run yet is %q, want %q", got, want)
		}
		tt.run("casetuple=2.2&agent=b")
		tt.run("casetuple=control/5.5.2/ping-text&agent=a")
		tt.run("case=3&agent=a")
		if got, want := tt.ask("/getCaseStatus?case=3&agent=a"), `{"behavior":"INFORMATIONAL","behaviorClose":"INFORMATIONAL"}`; got != want {
			t.Errorf("the status of a case for information is %q, want %q", got, want)
		}
		var got []string
		for _, r := range tt.Reports() {
			for _, res := range r.Results {
				got = append(got, r.Agent+" "+res.Case.ID+" "+res.Verdict.String())
			}
		}
		if diff := cmp.Diff([]string{
			"a control/5.5.2/ping-empty ok", "a control/5.5.2/ping-text ok", "a close/7.4.2/code-5000 information",
			"b control/5.5.2/ping-text ok",
		}, got); diff != "" {
			t.Errorf("results (-want +got):\n%s", diff)
		}

		if got, want := tt.ask("/updateReports?agent=a"), "Internal Server Error: the disk is full"; got != want {
			t.Errorf("an update that fails answers %q, want %q", got, want)
		}
		tt.ask("/updateReports?agent=a")
		tt.ask("/updateReports?agent=a&shutdownOnComplete=true")
		tt.stopped()
		if n := updates.Load(); n != 3 {
			t.Errorf("%d updates, want 3", n)
		}
	})
}

// TestStop: stopServer ends Serve, and whoever waits for a result.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tt := startTester(t, new(conformance.ClientTester))
		status := make(chan string, 1)
		go func() { status <- tt.ask("/getCaseStatus?case=1&agent=a") }()
		synctest.Wait()
		tt.ask("/stopServer")
		tt.stopped()
		<-status
	})
}

// TestNoCase: a pattern that matches nothing is an error.
func TestNoCase(t *testing.T) {
	o := &conformance.Options{Run: []string{"nothing"}}
	tester := &conformance.ClientTester{Options: o}
	if err := tester.Serve(conntest.Listen()); !errors.Is(err, conformance.ErrNoCase) {
		t.Errorf("Serve returned %v, want ErrNoCase", err)
	}
	if r, err := conformance.Server(t.Context(), "ws://example.com", o); r != nil || !errors.Is(err, conformance.ErrNoCase) {
		t.Errorf("Server returned %v, %v; want ErrNoCase", r, err)
	}
}

// TestBadRequests: clients that break a rule of the opening handshake have failed.
func TestBadRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tt := startTester(t, new(conformance.ClientTester))
		for _, head := range []string{
			"GET /runCase?case=1&agent=a HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n",
			"GET /getCaseCount HTTP/1.1\r\nHost: example.com\r\n\r\n",
			"nonsense\r\n\r\n",
		} {
			nc, err := tt.l.Dial(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			nc.Write([]byte(head))
			b := make([]byte, 64)
			n, _ := nc.Read(b)
			if !strings.HasPrefix(string(b[:n]), "HTTP/1.1 400 ") {
				t.Errorf("%q is answered with %q, want 400", head, b[:n])
			}
			nc.Close()
		}
		synctest.Wait()
		if r := tt.Reports(); len(r) != 1 || r[0].Results[0].Verdict != failed || !strings.Contains(r[0].Results[0].Why, "Sec-WebSocket-Key") {
			t.Errorf("a request without a key: %+v", r)
		}
		tt.Stop()
		tt.stopped()
	})
}

// TestRunClientErrors: what RunClient says of testers that do not answer.
func TestRunClientErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			answers map[string]string // by path; others are refused
			want    string
		}{
			{nil, "/getCaseCount: "},
			{map[string]string{"/getCaseCount": "many"}, `/getCaseCount answered "many"`},
			{map[string]string{"/getCaseCount": "1"}, "/getCaseInfo"},
			{map[string]string{"/getCaseCount": "1", "/getCaseInfo": "{"}, "/getCaseInfo"},
			{map[string]string{"/getCaseCount": "1", "/getCaseInfo": "{}"}, "/getCaseStatus"},
			{map[string]string{"/getCaseCount": "0"}, "/updateReports"},
		} {
			l := conntest.Listen()
			s := &conn.Server{Handler: func(c *conn.Conn) {
				u, _ := url.Parse(c.Target())
				if answer, ok := tt.answers[u.Path]; ok {
					c.WriteMessage(t.Context(), 1, []byte(answer))
				} else {
					c.Close(1011, "")
				}
			}}
			go s.Serve(l)
			_, err := conformance.RunClient(t.Context(), "ws://example.com/", &conformance.ClientRun{Dial: &conn.DialOptions{NetDial: l.Dial}})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("answers %q: error %v, want one with %q", tt.answers, err, tt.want)
			}
			s.Shutdown(t.Context())
		}
	})
}
