package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// lines sends what is written to it line by line.
func lines(t *testing.T) (io.Writer, <-chan string) {
	t.Helper()
	r, w := io.Pipe()
	t.Cleanup(func() { w.Close() })
	c := make(chan string, 100)
	go scan(r, c)
	return w, c
}

// scan sends the lines of r until it ends.
func scan(r io.Reader, c chan<- string) {
	for s := bufio.NewScanner(r); s.Scan(); {
		c <- s.Text()
	}
	close(c)
}

// drained runs drain on a site, with a signal after each of the times, and
// returns the exit code, how long it took, and the last line of the log.
func drained(t *testing.T, s *site, grace time.Duration, after ...time.Duration) (code int, took time.Duration, last record) {
	t.Helper()
	signals := make(chan os.Signal, len(after))
	for _, d := range after {
		time.AfterFunc(d, func() { signals <- syscall.SIGTERM })
	}
	start := time.Now()
	code = drain(signals, s.server, grace, s.log)
	all := s.journal.records(t, "")
	return code, time.Since(start), all[len(all)-1]
}

func TestDrain(t *testing.T) {
	polite := func(t *testing.T, s *site) { c := s.mustDial(t, "/echo"); go c.Discard(t.Context()) }
	silent := func(t *testing.T, s *site) { s.raw(t, "/echo") }
	// A peer that reads nothing of an echo of 1 MiB.
	stuck := func(t *testing.T, s *site) {
		c := s.mustDial(t, "/echo")
		write(t, c, frame.OpBinary, strings.Repeat("x", 1<<20))
		synctest.Wait()
	}
	tests := []struct {
		name        string
		peer        func(*testing.T, *site)
		grace       time.Duration
		signals     []time.Duration
		code        int
		took        time.Duration
		closed, cut any
		undelivered bool
	}{
		{name: "nobody", grace: 10 * time.Second, code: exitOK, closed: 0.0, cut: 0.0},
		{name: "nobody, no grace", code: exitOK, closed: 0.0, cut: 0.0},
		{name: "polite", peer: polite, grace: 10 * time.Second, code: exitOK, closed: 1.0, cut: 0.0},
		{name: "silent", peer: silent, grace: 10 * time.Second, code: exitOK, took: 5 * time.Second, closed: 0.0, cut: 1.0},
		{name: "silent, short grace", peer: silent, grace: 2 * time.Second, code: exitTimeout, took: 2 * time.Second, closed: 0.0, cut: 1.0},
		{name: "silent, no grace", peer: silent, code: exitTimeout, closed: 0.0, cut: 1.0},
		{name: "stuck", peer: stuck, grace: time.Second, code: exitTimeout, took: time.Second, closed: 0.0, cut: 1.0, undelivered: true},
		{name: "second signal", peer: silent, grace: time.Minute, signals: []time.Duration{time.Second},
			code: exitInterrupt, took: time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				if tt.peer != nil {
					tt.peer(t, s)
				}
				synctest.Wait()
				code, took, last := drained(t, s, tt.grace, tt.signals...)
				if code != tt.code || took != tt.took {
					t.Errorf("exit code %d after %v, want %d after %v", code, took, tt.code, tt.took)
				}
				if last["closed"] != tt.closed || last["cut_off"] != tt.cut {
					t.Errorf("logged %v; want %v closed, %v cut off", last, tt.closed, tt.cut)
				}
				// Without grace the Close frame may or may not leave.
				if octets, _ := last["undelivered_octets"].(float64); octets > 0 != tt.undelivered && tt.grace > 0 {
					t.Errorf("logged %v; want undelivered octets: %t", last, tt.undelivered)
				}
				synctest.Wait()
				if tt.code != exitInterrupt && s.conns.Len() != 0 {
					t.Errorf("%d connections are left", s.conns.Len())
				}
			})
		})
	}
}

// TestDrainCode: clients are told 1001, and the end of each is in the log before
// drain returns.
func TestDrainCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		var clients []*conn.Conn
		for _, path := range []string{"/echo", "/time", "/chat"} {
			c := s.mustDial(t, path)
			go c.Discard(t.Context())
			clients = append(clients, c)
		}
		synctest.Wait()
		if code, _, _ := drained(t, s, time.Minute); code != exitOK {
			t.Errorf("exit code %d", code)
		}
		closed := s.journal.records(t, "connection closed")
		if len(closed) != len(clients) {
			t.Errorf("%d of %d ends in the log", len(closed), len(clients))
		}
		synctest.Wait()
		for _, c := range clients {
			if e, ok := c.Err().(*conn.CloseError); !ok || e.Code != frame.CloseGoingAway || e.By != conn.Peer {
				t.Errorf("%s: ended with %v", c.Target(), c.Err())
			}
		}
	})
}

// A running is a wsecho that serves on a TCP port of this machine.
type running struct {
	announced record // its line about listening
	lines     <-chan string
	signals   chan os.Signal
	exit      chan int
}

// serveTCP runs wsecho with the flags until the test ends.
func serveTCP(t *testing.T, configDir string, flags ...string) *running {
	t.Helper()
	env, _, _ := newEnvironment()
	w, lines := lines(t)
	r := &running{lines: lines, signals: make(chan os.Signal, 2), exit: make(chan int, 1)}
	env.stderr, env.signals = w, r.signals
	env.configDir = func() (string, error) { return configDir, nil }
	go func() {
		r.exit <- run(env, append([]string{"serve", "-addr", "127.0.0.1:0", "-log", "json"}, flags...))
	}()
	line := <-lines
	if err := json.Unmarshal([]byte(line), &r.announced); err != nil || r.announced["msg"] != "listening" {
		t.Fatalf("first line %q: %v", line, err)
	}
	return r
}

// stop ends it with a signal.
func (r *running) stop(t *testing.T) {
	t.Helper()
	r.signals <- syscall.SIGTERM
	if code := <-r.exit; code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

func TestServe(t *testing.T) {
	r := serveTCP(t, "")
	defer r.stop(t)
	c, err := conn.Dial(t.Context(), r.announced["echo"].(string), &conn.DialOptions{Options: conn.Options{MaxMessageSize: conn.NoLimit}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(frame.CloseNormalClosure, "")
	p := strings.Repeat("x", 16<<20)
	exchange(t, c, frame.OpBinary, p)
}

// TestServeTLS: the certificate is good for the address, has the fingerprint
// that was announced, and is the same the next time.
func TestServeTLS(t *testing.T) {
	dir := t.TempDir()
	var fingerprint any
	for range 2 {
		r := serveTCP(t, dir, "-tls")
		file := r.announced["certificate_file"].(string)
		if !strings.HasPrefix(file, dir) {
			t.Errorf("the certificate is in %s, not in %s", file, dir)
		}
		pem, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		c, err := conn.Dial(t.Context(), r.announced["echo"].(string), &conn.DialOptions{TLS: &tls.Config{RootCAs: roots}})
		if err != nil {
			t.Fatal(err)
		}
		exchange(t, c, frame.OpText, "hello")
		if err := c.Close(frame.CloseNormalClosure, ""); err != nil {
			t.Error(err)
		}
		r.stop(t)
		if fingerprint != nil && fingerprint != r.announced["certificate_sha256"] {
			t.Errorf("the certificate has changed from %v to %v", fingerprint, r.announced["certificate_sha256"])
		}
		fingerprint = r.announced["certificate_sha256"]
	}
}

// TestServeCertificate: -cert and -key are used, and -origin '*' is warned of.
func TestServeCertificate(t *testing.T) {
	dir := t.TempDir()
	encoded, err := makeCertificate([]string{"127.0.0.1"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "both.pem")
	if err := keep(file, encoded); err != nil {
		t.Fatal(err)
	}
	r := serveTCP(t, "", "-cert", file, "-key", file, "-origin", "*")
	defer r.stop(t)
	if r.announced["certificate_file"] != file {
		t.Errorf("announced %v", r.announced)
	}
	var warning record
	if err := json.Unmarshal([]byte(<-r.lines), &warning); err != nil || warning["level"] != "WARN" || !strings.Contains(warning["msg"].(string), "-origin '*'") {
		t.Errorf("warning %v, %v", warning, err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(encoded)
	c, err := conn.Dial(t.Context(), r.announced["echo"].(string), &conn.DialOptions{TLS: &tls.Config{RootCAs: roots}})
	if err != nil {
		t.Fatal(err)
	}
	c.Close(frame.CloseNormalClosure, "")
}

// TestPortInUse: the error names the port, the flag and a way out, in the format
// of the log.
func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, format := range []string{"text", "json"} {
		env, _, stderr := newEnvironment()
		if code := run(env, []string{"-addr", l.Addr().String(), "-log", format}); code != exitError {
			t.Errorf("exit code %d, want %d", code, exitError)
		}
		got := stderr.String()
		checkParts(t, "standard error", got, []string{l.Addr().String(), "-addr 127.0.0.1:0"})
		if json.Valid([]byte(got)) != (format == "json") {
			t.Errorf("-log %s: standard error has %q", format, got)
		}
	}
}

// TestAddressOfOthers: so does the one for an address that is not of this
// machine.
func TestAddressOfOthers(t *testing.T) {
	if _, err := listen("192.0.2.1:8080"); err == nil || !strings.Contains(err.Error(), "-addr :8080") {
		t.Errorf("listen(192.0.2.1:8080): %v", err)
	}
}

// TestAnnounce: a person is told what to open.
func TestAnnounce(t *testing.T) {
	tests := []struct {
		flag, addr string
		id         *identity
		want       []string
	}{
		{"127.0.0.1:0", "127.0.0.1:8080", nil, []string{"http://127.0.0.1:8080/", "ws://127.0.0.1:8080/echo", "/time", "/chat"}},
		{":8080", "[::]:8080", nil, []string{"listens on [::]:8080", "http://localhost:8080/"}},
		{"0.0.0.0:8080", "0.0.0.0:8080", nil, []string{"http://localhost:8080/"}},
		{"[::1]:8080", "[::1]:8080", nil, []string{"http://[::1]:8080/"}},
		{"host.example:8080", "192.0.2.1:8080", nil, []string{"http://host.example:8080/"}},
		{"127.0.0.1:0", "127.0.0.1:8443", &identity{certificate: &tls.Certificate{Certificate: [][]byte{nil}}, file: "c.pem"},
			[]string{"https://127.0.0.1:8443/", "wss://127.0.0.1:8443/echo", "c.pem", "E3:B0:C4:42:98:FC:1C:14"}},
		{"127.0.0.1:0", "127.0.0.1:8443", &identity{certificate: &tls.Certificate{Certificate: [][]byte{nil}}, unkept: os.ErrPermission},
			[]string{"not kept", "permission denied"}},
	}
	for _, tt := range tests {
		env, _, stderr := newEnvironment()
		o := serveOptions{addr: tt.flag, log: "text"}
		log := newLogger(env.stderr, "text", false)
		addr, err := net.ResolveTCPAddr("tcp", tt.addr)
		if err != nil {
			t.Fatal(err)
		}
		announce(env.stderr, &o, log, newServer(&o, log).endpoints, addr, tt.id)
		checkParts(t, "the announcement", stderr.String(), tt.want)
	}
}

// TestSignals: the first signal to the process drains, the second ends it.
func TestSignals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("has no SIGTERM")
	}
	for _, silent := range []bool{false, true} {
		c := program(t, "-addr", "127.0.0.1:0", "-log", "json", "-grace", "1h")
		stderr, err := c.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		lines := make(chan string, 100)
		go scan(stderr, lines)
		var listening record
		if err := json.Unmarshal([]byte(<-lines), &listening); err != nil {
			t.Fatal(err)
		}
		want := exitOK
		if silent {
			want = exitInterrupt
			client, err := conn.Dial(t.Context(), listening["echo"].(string), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer client.CloseNow()
			<-lines // opened
		}
		c.Process.Signal(syscall.SIGTERM)
		if line := <-lines; !strings.Contains(line, "closing") {
			t.Errorf("after a signal: %s", line)
		}
		if silent {
			c.Process.Signal(syscall.SIGTERM)
		}
		for range lines {
		}
		if err := c.Wait(); c.ProcessState.ExitCode() != want {
			t.Errorf("ended with %v, want exit code %d", err, want)
		}
	}
}
