package interop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// A browser is a headless Chromium under remote control, over the DevTools
// protocol: JSON objects in messages of a WebSocket connection, which our own
// client opens.
type browser struct {
	c *conn.Conn

	mu    sync.Mutex
	calls map[int]chan reply   // that wait for their replies
	pages map[string]chan note // where the notifications of a session go
	id    int                  // of the last call
}

// A reply is what a call returns.
type reply struct {
	Result json.RawMessage
	Error  *struct{ Message string }
}

// A note is a notification about a page.
type note struct {
	Method string
	Params json.RawMessage
}

// startBrowser starts Chromium, which ends with the test.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	needProgram(t, "chromium")
	dir := tempDir(t)
	ended, _ := startProcess(t, exec.Command("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
		"--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--ignore-certificate-errors", "--remote-debugging-port=0", "--user-data-dir="+dir))
	var port, path string
	await(t, "Chromium to listen", ended, func() bool {
		b, err := os.ReadFile(filepath.Join(dir, "DevToolsActivePort"))
		port, path, _ = strings.Cut(string(b), "\n")
		return err == nil && path != ""
	})
	b := &browser{
		c: dial(t, "ws://127.0.0.1:"+port+strings.TrimSpace(path), &conn.DialOptions{
			Options: conn.Options{MaxMessageSize: 64 << 20},
		}),
		calls: map[int]chan reply{},
		pages: map[string]chan note{},
	}
	go b.deliver()
	t.Cleanup(func() {
		b.call(t, "", "Browser.close", nil, nil)
		select {
		case <-ended: // with all of its processes, after which the directory can be removed
		case <-time.After(patience):
			t.Error("Chromium does not end")
		}
	})
	return b
}

// deliver passes on what the browser sends, until the connection ends.
func (b *browser) deliver() {
	for m, err := range b.c.Messages(context.Background()) {
		if err != nil {
			return
		}
		var r struct {
			ID        int
			SessionID string
			reply
			note
		}
		if err := json.Unmarshal(m.Payload, &r); err != nil {
			return
		}
		b.mu.Lock()
		call, page := b.calls[r.ID], b.pages[r.SessionID]
		b.mu.Unlock()
		if r.ID != 0 && call != nil {
			call <- r.reply
		} else if page != nil {
			page <- r.note
		}
	}
}

// call calls a method, of the browser or of a page's session.
func (b *browser) call(t *testing.T, session, method string, params, result any) {
	t.Helper()
	if err := b.try(session, method, params, result); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
}

// try is call with an error.
func (b *browser) try(session, method string, params, result any) error {
	done := make(chan reply, 1)
	b.mu.Lock()
	b.id++
	id := b.id
	b.calls[id] = done
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.calls, id)
		b.mu.Unlock()
	}()
	request, err := json.Marshal(struct {
		ID        int    `json:"id"`
		SessionID string `json:"sessionId,omitempty"`
		Method    string `json:"method"`
		Params    any    `json:"params,omitempty"`
	}{id, session, method, params})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := b.c.WriteMessage(ctx, frame.OpText, request); err != nil {
		return err
	}
	select {
	case r := <-done:
		if r.Error != nil {
			return fmt.Errorf("the browser says %s", r.Error.Message)
		}
		if result == nil {
			return nil
		}
		return json.Unmarshal(r.Result, result)
	case <-b.c.Done():
		return b.c.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A page is a tab of the browser.
type page struct {
	b       *browser
	session string
	loaded  chan struct{}
	events  chan event // what its actor sees
	network chan note  // what the browser sees of its connections
}

// open opens a page and waits until it is loaded.
func (b *browser) open(t *testing.T, url string) *page {
	t.Helper()
	var target struct{ TargetID string }
	b.call(t, "", "Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var session struct{ SessionID string }
	b.call(t, "", "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &session)
	p := &page{b, session.SessionID, make(chan struct{}, 1), make(chan event, 4096), make(chan note, 4096)}
	notes := make(chan note, 4096)
	b.mu.Lock()
	b.pages[p.session] = notes
	b.mu.Unlock()
	go p.pass(notes, t.Context().Done())
	t.Cleanup(func() {
		b.mu.Lock()
		delete(b.pages, p.session)
		b.mu.Unlock()
		b.try("", "Target.closeTarget", map[string]any{"targetId": target.TargetID}, nil)
	})
	b.call(t, p.session, "Page.enable", nil, nil)
	b.call(t, p.session, "Runtime.enable", nil, nil)
	b.call(t, p.session, "Runtime.addBinding", map[string]any{"name": "emit"}, nil)
	b.call(t, p.session, "Page.navigate", map[string]any{"url": url}, nil)
	select {
	case <-p.loaded:
	case <-time.After(patience):
		t.Fatalf("%s does not load", url)
	}
	return p
}

// pass sorts the notifications of the page, until the test is done.
func (p *page) pass(notes <-chan note, done <-chan struct{}) {
	for {
		var n note
		select {
		case n = <-notes:
		case <-done:
			return
		}
		switch {
		case n.Method == "Page.loadEventFired":
			p.loaded <- struct{}{}
		case n.Method == "Runtime.bindingCalled":
			var called struct{ Payload string }
			json.Unmarshal(n.Params, &called)
			var e event
			if err := json.Unmarshal([]byte(called.Payload), &e); err != nil {
				e = event{Event: "not JSON", Text: called.Payload}
			}
			p.events <- e
		case strings.HasPrefix(n.Method, "Network.webSocket"):
			p.network <- n
		}
	}
}

// eval evaluates a JavaScript expression in the page, and waits if its value is a
// promise.
func (p *page) eval(expression string, result any) error {
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Exception struct{ Description string }
		}
	}
	err := p.b.try(p.session, "Runtime.evaluate", map[string]any{
		"expression": expression, "awaitPromise": true, "returnByValue": true,
	}, &r)
	switch {
	case err != nil:
		return err
	case r.ExceptionDetails != nil:
		return fmt.Errorf("the page throws %s", r.ExceptionDetails.Exception.Description)
	case result == nil:
		return nil
	default:
		return json.Unmarshal(r.Result.Value, result)
	}
}

// actor returns the WebSocket of the page, which is testdata/page.html, as an
// actor.
func (p *page) actor() *actor {
	return &actor{
		events: p.events,
		send: func(c command) error {
			b, err := json.Marshal(c)
			if err != nil {
				return err
			}
			return p.eval("command("+string(b)+")", nil)
		},
	}
}
