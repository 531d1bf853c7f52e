package conformance_test

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/conformance"
)

// wsPackage is where the interoperation tests install the npm package ws.
var wsPackage, _ = filepath.Abs("../../conn/internal/interop/testdata/node/node_modules/ws")

// known selects the cases of the well-known suite.
var known = []string{"1.", "2.", "3.", "4.", "5.", "6.", "7.", "9.1.*", "9.7.*", "10.", "12.*.11", "13.*.11"}

// startWS runs testdata/ws.mjs.
func startWS(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	skip := t.Skipf
	switch os.Getenv("RFC6455_PEERS") {
	case "off":
		t.Skip("RFC6455_PEERS is off")
	case "required":
		skip = t.Fatalf
	}
	if _, err := exec.LookPath("node"); err != nil {
		skip("%v: run make install", err)
	}
	if _, err := os.Stat(wsPackage); err != nil {
		skip("%v: run make install", err)
	}
	cmd := exec.Command("node", append([]string{"testdata/ws.mjs", wsPackage}, args...)...)
	cmd.Stderr = os.Stderr
	t.Cleanup(func() {
		if cmd.Process != nil {
			cmd.Process.Kill()
			cmd.Wait()
		}
	})
	return cmd
}

// checkWS: no known case has failed. That ws judges UTF-8 only at the end of a
// message is tolerable, as it is for the well-known suite.
func checkWS(t *testing.T, r *conformance.Report, role frame.Role) {
	t.Helper()
	if n := len(conformance.Select(conformance.Cases(role), known)); len(r.Results) != n {
		t.Errorf("%d results of %d cases", len(r.Results), n)
	}
	for i := range r.Results {
		res := &r.Results[i]
		late := strings.HasPrefix(res.Case.Known, "6.4.")
		if res.Failed() || !late && res.Worst() == conformance.Tolerable {
			t.Errorf("%s: %v, %s; close %v, %s", res.Case.ID, res.Verdict, res.Why, res.Close, res.CloseWhy)
		}
	}
}

// TestNodeServer: the npm package ws as a server.
func TestNodeServer(t *testing.T) {
	t.Parallel()
	cmd := startWS(t, "server")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	port, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url := "ws://127.0.0.1:" + strings.TrimSpace(port)
	report, err := conformance.Server(t.Context(), url, &conformance.Options{Run: known, Timeout: patience / 2, Volume: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	checkWS(t, report, frame.Server)
}

// TestNodeClient: the npm package ws as a client, in a harness like those for the
// well-known suite.
func TestNodeClient(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cmd := startWS(t, "client", "ws://"+l.Addr().String(), "ws")
	updates := 0
	tester := &conformance.ClientTester{
		Options:  &conformance.Options{Run: known, Timeout: patience / 2, Volume: 64 << 10},
		OnUpdate: func([]*conformance.Report) error { updates++; return nil },
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := tester.Serve(l); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || updates != 1 {
		t.Errorf("the harness ended with %v after %d updates", err, updates)
	}
	checkWS(t, tester.Reports()[0], frame.Client)
}
