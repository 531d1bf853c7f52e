package main

import (
	"bytes"
	"errors"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// asProgram makes the test binary run as wsecho.
const asProgram = "WSECHO_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// program returns wsecho as a process of its own.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self, args...)
	c.Env = append(os.Environ(), asProgram+"=1", "PORT=")
	return c
}

// newEnvironment returns an environment without variables, a configuration
// directory or signals.
func newEnvironment() (env *environment, stdout, stderr *bytes.Buffer) {
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	return &environment{
		stdout:    stdout,
		stderr:    stderr,
		getenv:    func(string) string { return "" },
		configDir: func() (string, error) { return "", errors.New("no home") },
	}, stdout, stderr
}

// TestOutput: what is printed where, and with which exit code.
func TestOutput(t *testing.T) {
	tests := []struct {
		name   string
		args   string
		code   int
		stdout []string // parts of it; nil means that it is empty
		stderr []string
	}{
		{"help", "help", exitOK, []string{"Usage: wsecho [command]", "serve", "version", "-max-message", "Exit codes"}, nil},
		{"-h", "-h", exitOK, []string{"Usage: wsecho [command]"}, nil},
		{"--help", "--help", exitOK, []string{"Usage: wsecho [command]"}, nil},
		{"help of help", "help help", exitOK, []string{"Usage: wsecho [command]"}, nil},
		{"help of serve", "help serve", exitOK, []string{"Usage: wsecho serve", "conformance suites send messages of 16 MiB", "(default 16MiB)", "PORT"}, nil},
		{"serve -h", "serve -h", exitOK, []string{"Usage: wsecho serve"}, nil},
		{"help of conformance", "help conformance", exitOK, []string{"run-client [flags] URL"}, nil},
		{"help of a part", "help conformance client", exitOK, []string{"Usage: wsecho conformance client [flags]", "-listen"}, nil},
		{"help of version", "help version", exitOK, []string{"Usage: wsecho version"}, nil},
		{"version", "version", exitOK, []string{"wsecho ", " go1."}, nil},
		{"--version", "--version", exitOK, []string{"wsecho ", " go1."}, nil},

		{"unknown command", "sevre", exitUsage, nil, []string{`"sevre"`, "serve, conformance, version, help"}},
		{"help of an unknown command", "help sevre", exitUsage, nil, []string{`"sevre"`, "serve, conformance, version, help"}},
		{"help of two", "help serve version", exitUsage, nil, []string{"one command"}},
		{"argument of version", "version 2", exitUsage, nil, []string{`"2"`, "wsecho help version"}},
		{"unknown flag", "-adr :80", exitUsage, nil, []string{"-adr", "-addr", "-max-message", "wsecho help serve"}},
		{"argument of serve", "serve 8080", exitUsage, nil, []string{`"8080"`, "wsecho help serve"}},
		{"address without a port", "-addr 8080", exitUsage, nil, []string{"-addr", "host:port", ":8080"}},
		{"address with an empty port", "-addr localhost:", exitUsage, nil, []string{"-addr", "host:port"}},
		{"certificate without a key", "-cert c.pem", exitUsage, nil, []string{"-key", "-tls"}},
		{"key without a certificate", "-key k.pem", exitUsage, nil, []string{"-cert", "-tls"}},
		{"negative grace", "-grace -1s", exitUsage, nil, []string{"-grace", "use 0"}},
		{"log format", "-log xml", exitUsage, nil, []string{"-log", "text or json"}},
		{"size", "-max-message 16MB", exitUsage, nil, []string{"-max-message", "16MiB"}},
		{"origin", "-origin https://*", exitUsage, nil, []string{"-origin", "*."}},
		{"missing certificate", "-cert no.pem -key no.pem", exitError, nil, []string{"no.pem", "-cert", "-key"}},
		{"unknown port", "-addr 127.0.0.1:none", exitError, nil, []string{"-addr", "PORT", "127.0.0.1:8080"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env, stdout, stderr := newEnvironment()
			if code := run(env, strings.Fields(tt.args)); code != tt.code {
				t.Errorf("wsecho %s: exit code %d, want %d", tt.args, code, tt.code)
			}
			checkParts(t, "standard output", stdout.String(), tt.stdout)
			checkParts(t, "standard error", stderr.String(), tt.stderr)
		})
	}
}

func checkParts(t *testing.T, what, got string, parts []string) {
	t.Helper()
	if parts == nil && got != "" {
		t.Errorf("%s has %q, want nothing", what, got)
	}
	for _, p := range parts {
		if !strings.Contains(got, p) {
			t.Errorf("%s has no %q:\n%s", what, p, got)
		}
	}
}

// TestErrorIsOneLine: an error has the name of the program and no page of help.
func TestErrorIsOneLine(t *testing.T) {
	for _, args := range []string{"-nope", "nope", "-log x", "-addr x", "-cert x -key x"} {
		env, _, stderr := newEnvironment()
		run(env, strings.Fields(args))
		if got := stderr.String(); !strings.HasPrefix(got, "wsecho: ") || strings.Count(got, "\n") != 1 {
			t.Errorf("wsecho %s: standard error has %q, want a line of wsecho", args, got)
		}
	}
}

// TestDocumented: the package documentation has the commands and exit codes of
// the help.
func TestDocumented(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "main.go", nil, parser.PackageClauseOnly|parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	doc := f.Doc.Text()
	for line := range strings.Lines(exitCodes) {
		if line = strings.TrimSpace(line); line != "" && !strings.Contains(doc, line) && line != "Exit codes:" {
			t.Errorf("the package documentation has no %q", line)
		}
	}
	for _, c := range commands() {
		if !strings.Contains(doc, c.summary) {
			t.Errorf("the package documentation has no %q", c.summary)
		}
	}
}

// TestProgram: the exit codes leave the process.
func TestProgram(t *testing.T) {
	for args, want := range map[string]int{"version": exitOK, "-nope": exitUsage, "-addr 127.0.0.1:none": exitError} {
		c := program(t, strings.Fields(args)...)
		if err := c.Run(); c.ProcessState == nil || c.ProcessState.ExitCode() != want {
			t.Errorf("wsecho %s: %v, want exit code %d", args, err, want)
		}
	}
}

func TestSize(t *testing.T) {
	tests := []struct {
		text string
		want size
		ok   bool
	}{
		{"1", 1, true},
		{"65536", 64 << 10, true},
		{"1000", 1000, true},
		{"64KiB", 64 << 10, true},
		{"16MiB", 16 << 20, true},
		{"2GiB", 2 << 30, true},
		{"8589934591GiB", 8589934591 << 30, true},
		{text: "8589934592GiB"},
		{text: "9223372036854775808"},
		{text: "0"},
		{text: "-1"},
		{text: ""},
		{text: "MiB"},
		{text: "1.5MiB"},
		{text: "16 MiB"},
		{text: "16MiBKiB"},
	}
	for _, tt := range tests {
		var s size
		err := s.Set(tt.text)
		if s != tt.want || (err == nil) != tt.ok {
			t.Errorf("Set(%q) = %d, %v; want %d, ok %t", tt.text, s, err, tt.want, tt.ok)
		}
		if err != nil {
			continue
		}
		var again size
		if err := again.Set(s.String()); err != nil || again != s {
			t.Errorf("%q is written as %q, which is %d, %v", tt.text, s, again, err)
		}
	}
}

// TestDefaults: what serve does without flags, and with PORT.
func TestDefaults(t *testing.T) {
	for _, tt := range []struct{ port, addr string }{{"", "127.0.0.1:8080"}, {"9000", "127.0.0.1:9000"}} {
		env, _, _ := newEnvironment()
		env.getenv = func(name string) string { return map[string]string{"PORT": tt.port}[name] }
		var got serveOptions
		if code, ok := newServeFlags(env, &got).parse(env, nil); !ok {
			t.Fatalf("parse() = %d", code)
		}
		want := serveOptions{addr: tt.addr, maxMessage: 16 << 20, deflate: "off", grace: 10e9, log: "text",
			sio: socketOptions{pingInterval: 25e9, pingTimeout: 20e9, connectTimeout: 45e9, maxPayload: 1e6}}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(serveOptions{}, socketOptions{})); diff != "" {
			t.Errorf("PORT=%s: options mismatch (-want +got):\n%s", tt.port, diff)
		}
	}
}

func TestFlags(t *testing.T) {
	env, _, _ := newEnvironment()
	var got serveOptions
	code, ok := newServeFlags(env, &got).parse(env, strings.Fields(
		"-addr :1 -tls -cert c -key k -origin https://a.example -origin *.b.example -origin * -max-message 1MiB -deflate on -grace 1s -log json -v "+
			"-sio-ping-interval 300ms -sio-ping-timeout 200ms -sio-connect-timeout 1s -sio-max-payload 1KiB -sio-eio3 -sio-client d"))
	if !ok {
		t.Fatalf("parse() = %d", code)
	}
	want := serveOptions{
		addr: ":1", tls: true, cert: "c", key: "k",
		origins: []string{"https://a.example", "*.b.example"}, anyOrigin: true,
		maxMessage: 1 << 20, deflate: "on", grace: 1e9, log: "json", verbose: true,
		sio: socketOptions{pingInterval: 300e6, pingTimeout: 200e6, connectTimeout: 1e9, maxPayload: 1 << 10, eio3: true, client: "d"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(serveOptions{}, socketOptions{})); diff != "" {
		t.Errorf("options mismatch (-want +got):\n%s", diff)
	}
}
