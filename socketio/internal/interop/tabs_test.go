package interop_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// patience is for what a loaded machine does late.
const patience = 30 * time.Second

// A browser is a headless Chromium.
type browser struct {
	endpoint string // of its DevTools
}

// startBrowser starts Chromium, which ends with the test.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("RFC6455_PEERS") == "required" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir, err := os.MkdirTemp("", "tabs")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--remote-debugging-port=0", "--user-data-dir="+dir)
	var said bytes.Buffer
	cmd.Stderr = &said
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("Chromium says:\n%s", &said)
		}
	})
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		b, err := os.ReadFile(filepath.Join(dir, "DevToolsActivePort"))
		port, path, _ := strings.Cut(string(b), "\n")
		if err == nil && path != "" {
			return &browser{"ws://127.0.0.1:" + port + strings.TrimSpace(path)}
		}
		if time.Now().After(deadline) {
			t.Fatal("Chromium does not listen")
		}
	}
}

// A tab is a page under remote control, over a connection of its own.
type tab struct {
	c       *conn.Conn
	target  string
	session string
	calls   atomic.Int64
}

// open opens a page in a new tab.
func (b *browser) open(t *testing.T, url string) *tab {
	t.Helper()
	c, err := conn.Dial(t.Context(), b.endpoint, &conn.DialOptions{Options: conn.Options{MaxMessageSize: 16 << 20}})
	if err != nil {
		t.Fatal(err)
	}
	p := &tab{c: c}
	t.Cleanup(func() { c.CloseNow() })
	var target struct{ TargetID string }
	p.call(t, "Target.createTarget", map[string]any{"url": url}, &target)
	p.target = target.TargetID
	var session struct{ SessionID string }
	p.call(t, "Target.attachToTarget", map[string]any{"targetId": p.target, "flatten": true}, &session)
	p.session = session.SessionID
	return p
}

// close closes the tab.
func (p *tab) close(t *testing.T) {
	t.Helper()
	p.session = ""
	p.call(t, "Target.closeTarget", map[string]any{"targetId": p.target}, nil)
}

// call calls a method of the browser or the tab, and passes over what else it says.
func (p *tab) call(t *testing.T, method string, params, result any) {
	t.Helper()
	id := p.calls.Add(1)
	request, err := json.Marshal(map[string]any{"id": id, "method": method, "params": params, "sessionId": p.session})
	if p.session == "" {
		request, err = json.Marshal(map[string]any{"id": id, "method": method, "params": params})
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := p.c.WriteMessage(ctx, frame.OpText, request); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	for {
		_, answer, err := p.c.ReadMessage(ctx)
		if err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		var r struct {
			ID     int64
			Result json.RawMessage
			Error  *struct{ Message string }
		}
		if err := json.Unmarshal(answer, &r); err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		switch {
		case r.ID != id:
		case r.Error != nil:
			t.Fatalf("%s: the browser says %s", method, r.Error.Message)
		default:
			if result != nil {
				if err := json.Unmarshal(r.Result, result); err != nil {
					t.Fatalf("%s: %v", method, err)
				}
			}
			return
		}
	}
}

// eval returns the value of an expression in the page as json.Marshal writes it.
func (p *tab) eval(t *testing.T, expression string) string {
	t.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Exception struct{ Description string }
		}
	}
	p.call(t, "Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true}, &r)
	if r.ExceptionDetails != nil {
		return "exception: " + r.ExceptionDetails.Exception.Description
	}
	var value any
	if len(r.Result.Value) > 0 {
		if err := json.Unmarshal(r.Result.Value, &value); err != nil {
			t.Fatal(err)
		}
	}
	b, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// await evaluates an expression again and again until its value is the one wanted.
func (p *tab) await(t *testing.T, expression, want string) {
	t.Helper()
	var got string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if got = p.eval(t, expression); got == want {
			return
		}
	}
	t.Fatalf("%s is %s; want %s", expression, got, want)
}
