package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// startEcho starts an echo server, and returns its URL.
func startEcho(t *testing.T, handler func(*conn.Conn), compression *conn.Compression) string {
	t.Helper()
	s := httptest.NewServer(&conn.Server{Handler: handler, Options: &conn.AcceptOptions{Options: conn.Options{Compression: compression}}})
	t.Cleanup(s.Close)
	return "ws" + strings.TrimPrefix(s.URL, "http")
}

// forgetful echoes texts in upper case.
func forgetful(c *conn.Conn) {
	for m, err := range c.Messages(context.Background()) {
		if err != nil || c.WriteMessage(context.Background(), m.Opcode, []byte(strings.ToUpper(string(m.Payload)))) != nil {
			return
		}
	}
}

// TestConformanceServer: the exit code and the reports of a server that passes,
// and of one that does not.
func TestConformanceServer(t *testing.T) {
	good, bad, compresses := startEcho(t, echo, nil), startEcho(t, forgetful, nil), startEcho(t, echo, withContext())
	dir := t.TempDir()
	report := func(name string) string { return filepath.Join(dir, name) }
	tests := []struct {
		name           string
		args           []string
		code           int
		stdout, stderr []string
	}{
		{"passes", []string{"server", "-run", "1.1.*", "-run", "masking", good}, exitOK, []string{"0 failed"}, []string{"20 of 20 cases, 0 failed"}},
		{"flags after the URL", []string{"server", good, "-run", "framing/5.2/text-0"}, exitOK, []string{"1 cases, 1 ok"}, []string{"1 of 1"}},
		{"fails", []string{"server", "-run", "2.2", "-run", "control/5.5.2/ping-before-message", bad}, exitFailures, []string{"failed      control/5.5.2/ping-before-message", "SECOND"}, []string{"1 failed"}},
		{"compresses", []string{"server", "-volume", "2KiB", "-v", "-run", "12.1.4", compresses}, exitOK, []string{"2 messages in", "0 unimplemented"}, []string{"1 of 1"}},
		{"does not compress", []string{"server", "-run", "12.1.*", good}, exitOK, []string{"18 cases, 0 ok, 0 tolerable, 18 unimplemented"}, []string{"18 of 18"}},
		{"every octet", []string{"server", "-v", "-run", "1.1.1", good}, exitOK, []string{"framing/5.2/text-0 (1.1.1)", "GET / HTTP/1.1", "81 00", "88 02 03 e8"}, []string{"1 of 1"}},
		{"reports", []string{"server", "-run", "2.1", "-html", report("r.html"), "-json", report("r.json"), "-junit", report("r.xml"), "-agent", "mine", good}, exitOK, []string{"mine: 1 cases"}, []string{"1 of 1"}},
		{"report in no directory", []string{"server", "-run", "2.1", "-html", report("no/r.html"), good}, exitError, []string{"1 ok"}, []string{"r.html"}},
		{"list", []string{"server", "-list"}, exitOK, []string{"framing/5.2/text-0 ", "1.1.1", "handshake/4.2.1/plain"}, nil},
		{"list of a group", []string{"client", "-list", "-run", "early"}, exitOK, []string{"early/4.1/with-response-text"}, nil},
		{"no case", []string{"server", "-run", "nothing", good}, exitUsage, nil, []string{"-run", "-list"}},
		{"no case to list", []string{"server", "-list", "-run", "nothing"}, exitUsage, nil, []string{"-run"}},
		{"no case for clients", []string{"client", "-run", "nothing"}, exitUsage, nil, []string{"-run"}},
		{"no server", []string{"server", "ws://127.0.0.1:1/"}, exitError, nil, []string{"127.0.0.1:1", "is an echo server listening"}},
		{"not a URL", []string{"server", "ftp://127.0.0.1/"}, exitError, nil, []string{"ws or wss"}},
		{"no URL", []string{"server"}, exitUsage, nil, []string{"ws://127.0.0.1:8080/echo"}},
		{"no URL of a tester", []string{"run-client"}, exitUsage, nil, []string{"ws://127.0.0.1:9001"}},
		{"two URLs", []string{"server", good, bad}, exitUsage, nil, []string{bad}},
		{"no tester", []string{"run-client", "ws://127.0.0.1:1"}, exitError, nil, []string{"getCaseCount"}},
		{"no part", nil, exitUsage, nil, []string{"server, client or run-client"}},
		{"unknown part", []string{"servers"}, exitUsage, nil, []string{"server, client or run-client"}},
		{"unknown flag", []string{"server", "-htm", "x", good}, exitUsage, nil, []string{"-htm", "-html"}},
		{"help", []string{"-h"}, exitOK, []string{"run-client", "exit code is 8"}, nil},
		{"help of server", []string{"server", "-h"}, exitOK, []string{"-parallel", "-junit", "ws://127.0.0.1:8080/echo"}, nil},
		{"help of client", []string{"client", "-h"}, exitOK, []string{"-listen", "/getCaseCount"}, nil},
		{"help of run-client", []string{"run-client", "-h"}, exitOK, []string{"-agent"}, nil},
		{"port in use", []string{"client", "-listen", strings.TrimPrefix(good, "ws://")}, exitError, nil, []string{"-listen"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env, stdout, stderr := newEnvironment()
			if code := run(env, append([]string{"conformance"}, tt.args...)); code != tt.code {
				t.Errorf("wsecho conformance %q: exit code %d, want %d", tt.args, code, tt.code)
			}
			checkParts(t, "standard output", stdout.String(), tt.stdout)
			checkParts(t, "standard error", stderr.String(), tt.stderr)
		})
	}
	for name, want := range map[string]string{"r.html": "control/5.5.2/ping-empty", "r.json": `"agent": "mine"`, "r.xml": "<testcase"} {
		b, err := os.ReadFile(report(name))
		if err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s has no %q: %v", name, want, err)
		}
	}
}

// TestConformanceClient: the two sides of testing a client, as processes, until
// the tester is asked to stop.
func TestConformanceClient(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "report.json")
	tester := program(t, "conformance", "client", "-listen", "127.0.0.1:0", "-run", "control", "-run", "12.1.4", "-volume", "2KiB", "-json", file)
	diagnostics, err := tester.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := tester.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(diagnostics)
	lines.Scan()
	_, url, ok := strings.Cut(lines.Text(), " at ")
	if !ok {
		t.Fatalf("the tester says %q", lines.Text())
	}
	go func() {
		for lines.Scan() {
		}
	}()
	for _, tt := range []struct{ agent, deflate, want string }{
		{"ours", "on", "20 cases: 20 OK"},
		{"plain", "off", "20 cases: 19 OK 1 UNIMPLEMENTED"},
	} {
		env, stdout, stderr := newEnvironment()
		if code := run(env, []string{"conformance", "run-client", "-parallel", "16", "-deflate", tt.deflate, "-agent", tt.agent, url}); code != exitOK {
			t.Errorf("exit code %d: %s%s", code, stdout, stderr)
		}
		checkParts(t, "standard output", stdout.String(), []string{tt.want})
		checkParts(t, "standard error", stderr.String(), []string{"20 ", "control/5.5.2/ping-empty"})
	}

	var report struct {
		Agents []struct {
			Agent  string
			Counts map[string]int
		}
	}
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, &report)
	}
	if err != nil || len(report.Agents) != 2 || report.Agents[0].Agent != "ours" || report.Agents[0].Counts["ok"] != 20 {
		t.Errorf("the report has %+v, %v", report, err)
	}

	c, err := conn.Dial(t.Context(), url+"/stopServer", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Discard(t.Context())
	c.Close(frame.CloseNormalClosure, "")
	if err := tester.Wait(); err != nil {
		t.Errorf("the tester ended with %v", err)
	}
}

// TestConformanceInterrupted: a signal ends a run, with the results so far.
func TestConformanceInterrupted(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	env, stdout, stderr := newEnvironment()
	signals := make(chan os.Signal, 1)
	env.signals = signals
	s := &conn.Server{Handler: func(c *conn.Conn) {
		m, err := c.NextReader(context.Background())
		if err == nil && m.Opcode() == frame.OpBinary {
			signals <- os.Interrupt // and no answer
			<-c.Done()
		}
		c.Close(frame.CloseNormalClosure, "")
	}}
	go s.Serve(l)
	t.Cleanup(func() { s.Shutdown(context.Background()) })
	code := run(env, []string{"conformance", "server", "-timeout", "1m", "-run", "1.2.1", "ws://" + l.Addr().String()})
	if code != exitInterrupt {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
	checkParts(t, "standard error", stderr.String(), []string{"interrupt after 0 of 1 cases"})
}
