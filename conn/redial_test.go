package conn_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
	"github.com/google/go-cmp/cmp"
)

// options returns options whose connections are those of n.
func (n *network) options() *conn.DialOptions {
	return &conn.DialOptions{NetDial: n.dial, Proxy: http.ProxyURL(nil)}
}

// closedPeer opens a connection and tells how the client ended it.
func closedPeer(codes chan<- frame.CloseCode) script {
	return func(t testing.TB, nc net.Conn) {
		answer(switching+"\r\n")(t, nc)
		c := conn.New(nc, frame.Server, conn.Handshake{}, nil)
		c.Discard(context.Background())
		end, _ := errors.AsType[*conn.CloseError](c.Err())
		codes <- end.Code
	}
}

// TestRedialBackoff: the waits are random below a bound that doubles from half a
// second to thirty.
func TestRedialBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		bound, last, long := 500*time.Millisecond, time.Time{}, 0
		attempts := 0
		o := &conn.DialOptions{Proxy: http.ProxyURL(nil), NetDial: func(context.Context, string, string) (net.Conn, error) {
			if attempts++; attempts > 1 {
				wait := time.Since(last)
				if wait >= bound {
					t.Errorf("waited %v before attempt %d; want less than %v", wait, attempts, bound)
				}
				if wait > bound/2 {
					long++
				}
				bound = min(2*bound, 30*time.Second)
			}
			if last = time.Now(); attempts == 200 {
				cancel(cause)
			}
			return nil, errNobody
		}}
		if err := conn.Redial(ctx, "ws://h/", o, nil); err != cause || attempts != 200 {
			t.Errorf("Redial() = %v after %d attempts; want %v after 200", err, attempts, cause)
		}
		if long < 50 || long > 150 {
			t.Errorf("%d of 199 waits were longer than half of their bound", long)
		}
	})
}

// TestRedialReset: the bound begins anew after a connection that lived for longer
// than thirty seconds, and only then.
func TestRedialReset(t *testing.T) {
	for _, tt := range []struct {
		life time.Duration
		most time.Duration // of the waits
	}{
		{31 * time.Second, 500 * time.Millisecond},
		{30 * time.Second, 30 * time.Second},
		{time.Second, 30 * time.Second},
	} {
		t.Run(tt.life.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				codes := make(chan frame.CloseCode, 100)
				n := &network{t: t, more: closedPeer(codes)}
				ctx, cancel := context.WithCancel(t.Context())
				var ended time.Time
				var longest time.Duration
				err := conn.Redial(ctx, "ws://h/", n.options(), func(c *conn.Conn) {
					if !ended.IsZero() {
						longest = max(longest, time.Since(ended))
					}
					if len(n.addresses) == 100 {
						cancel()
						return
					}
					time.Sleep(tt.life)
					ended = time.Now()
				})
				if err != context.Canceled {
					t.Errorf("Redial() = %v", err)
				}
				if longest >= tt.most || longest < tt.most/2 {
					t.Errorf("longest wait: %v; want almost %v", longest, tt.most)
				}
			})
		})
	}
}

// TestRedialRefused: which answers end it, and how long it waits after the others.
func TestRedialRefused(t *testing.T) {
	for _, tt := range []struct {
		head  string // of the first answer, after the version
		ends  bool
		least time.Duration
	}{
		{head: "400 \r\n", ends: true},
		{head: "401 \r\n", ends: true},
		{head: "403 \r\n", ends: true},
		{head: "404 \r\nRetry-After: 1\r\n", ends: true},
		{head: "426 \r\n", ends: true},
		{head: "499 \r\n", ends: true},
		{head: "408 \r\n"},
		{head: "425 \r\n"},
		{head: "429 \r\nRetry-After: 120\r\n", least: 2 * time.Minute},
		{head: "200 \r\n"},
		{head: "302 \r\nLocation: /\r\n"},
		{head: "500 \r\n"},
		{head: "503 \r\nRetry-After: 0\r\n"},
		{head: "503 \r\nRetry-After: Sat, 01 Jan 2000 00:05:00 GMT\r\n", least: 5 * time.Minute},
		{head: "503 \r\nRetry-After: Fri, 31 Dec 1999 00:00:00 GMT\r\n"},
		{head: "503 \r\nRetry-After: 86400\r\n", least: time.Hour},
		{head: "503 \r\nRetry-After: 18446744073709551615\r\n", least: time.Hour},
		{head: "503 \r\nRetry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\n", least: time.Hour},
		{head: "503 \r\nRetry-After: soon\r\n"},
		{head: "503 \r\nRetry-After: -5\r\n"},
	} {
		t.Run(strings.ReplaceAll(tt.head, "\r\n", ";"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				codes := make(chan frame.CloseCode, 100)
				n := &network{t: t, scripts: []script{answer("HTTP/1.1 " + tt.head + "Content-Length: 0\r\n\r\n")}, more: closedPeer(codes)}
				ctx, cancel := context.WithCancel(t.Context())
				begin := time.Now()
				err := conn.Redial(ctx, "ws://h/", n.options(), func(c *conn.Conn) {
					if wait := time.Since(begin); wait < tt.least || wait >= tt.least+500*time.Millisecond {
						t.Errorf("waited %v; want %v or a little more", wait, tt.least)
					}
					cancel()
				})
				refused, ok := errors.AsType[*conn.RefusedError](err)
				if ok != tt.ends || ok && fmt.Sprint(refused.Status) != tt.head[:3] {
					t.Errorf("Redial() = %v", err)
				}
			})
		})
	}
}

// TestRedialUnusable: what the caller got wrong is returned at once.
func TestRedialUnusable(t *testing.T) {
	n := &network{t: t}
	field := n.options()
	field.Header = http.Header{"Host": {"h"}}
	for _, tt := range []struct {
		url string
		o   *conn.DialOptions
		err error
	}{
		{"ws://h/#a", n.options(), conn.ErrURL},
		{"ftp://h/", nil, conn.ErrURL},
		{"ws://h//", n.options(), handshake.ErrTarget},
		{"ws://h/", field, handshake.ErrField},
	} {
		if err := conn.Redial(t.Context(), tt.url, tt.o, nil); !errors.Is(err, tt.err) || len(n.addresses) > 0 {
			t.Errorf("Redial(%q) = %v; want %v", tt.url, err, tt.err)
		}
	}
}

// TestRedialBroken: a server that breaks a rule may get better.
func TestRedialBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		codes := make(chan frame.CloseCode, 100)
		n := &network{t: t, scripts: []script{
			answer("HTTP/1.1 101 \r\n\r\n"), answer(switching + "Sec-WebSocket-Protocol: a\r\n\r\n"), answer("junk"),
		}, more: closedPeer(codes)}
		ctx, cancel := context.WithCancel(t.Context())
		if err := conn.Redial(ctx, "ws://h/", n.options(), func(*conn.Conn) { cancel() }); err != context.Canceled {
			t.Errorf("Redial() = %v; want %v", err, context.Canceled)
		}
	})
}

// TestRedialClose: how a connection is closed.
func TestRedialClose(t *testing.T) {
	cause := errors.New("enough")
	for _, tt := range []struct {
		name  string
		serve func(c *conn.Conn, cancel context.CancelCauseFunc)
		code  frame.CloseCode
	}{
		{"serve returns", func(*conn.Conn, context.CancelCauseFunc) {}, 1000},
		{"serve closes", func(c *conn.Conn, _ context.CancelCauseFunc) { c.Close(3000, "") }, 3000},
		{"serve gives up", func(c *conn.Conn, _ context.CancelCauseFunc) { c.CloseNow() }, 1006},
		{"ctx ends", func(c *conn.Conn, cancel context.CancelCauseFunc) {
			time.AfterFunc(time.Minute, func() { cancel(cause) })
			c.Discard(c.Context())
		}, 1001},
		{"ctx ends and serve does not read", func(c *conn.Conn, cancel context.CancelCauseFunc) { cancel(cause); <-c.Done() }, 1001},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				codes := make(chan frame.CloseCode, 100)
				n := &network{t: t, more: closedPeer(codes)}
				ctx, cancel := context.WithCancelCause(t.Context())
				var served []*conn.Conn
				err := conn.Redial(ctx, "ws://h/", n.options(), func(c *conn.Conn) {
					if served = append(served, c); len(served) == 2 {
						cancel(cause)
					}
					tt.serve(c, cancel)
				})
				if code := <-codes; err != cause || code != tt.code {
					t.Errorf("Redial() = %v after closing with %d first; want %v and %d", err, code, cause, tt.code)
				}
				for _, c := range served {
					if c.State() != conn.StateClosed {
						t.Errorf("State() = %v after Redial", c.State())
					}
				}
			})
		})
	}
}

func TestRedialPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		codes := make(chan frame.CloseCode, 100)
		n := &network{t: t, more: closedPeer(codes)}
		func() {
			defer func() {
				if v := recover(); v != "oops" {
					t.Errorf("recover() = %v; want oops", v)
				}
			}()
			conn.Redial(t.Context(), "ws://h/", n.options(), func(*conn.Conn) { panic("oops") })
		}()
		if code := <-codes; code != frame.CloseInternalError {
			t.Errorf("closed with %d; want 1011", code)
		}
	})
}

// TestRedialCanceled: ctx ends it while it dials and while it waits, at once.
func TestRedialCanceled(t *testing.T) {
	cause := errors.New("enough")
	for _, tt := range []struct {
		name  string
		more  script
		after time.Duration
	}{
		{"dialing", silent, 5 * time.Second},
		{"waiting", answer("HTTP/1.1 503 \r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n"), 30 * time.Second},
		{"before", silent, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &network{t: t, more: tt.more}
				ctx, cancel := context.WithCancelCause(t.Context())
				if tt.after == 0 {
					cancel(cause)
				}
				begin := time.Now()
				time.AfterFunc(tt.after, func() { cancel(cause) })
				err := conn.Redial(ctx, "ws://h/", n.options(), nil)
				if d := time.Since(begin); err != cause || d != tt.after {
					t.Errorf("Redial() = %v after %v; want %v after %v", err, d, cause, tt.after)
				}
			})
		})
	}
}

// TestRedialLog: each failure is a record that says why and how long it waits.
func TestRedialLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		codes := make(chan frame.CloseCode, 100)
		n := &network{t: t, scripts: []script{answer("HTTP/1.1 503 \r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n")}, more: closedPeer(codes)}
		ctx, cancel := context.WithCancel(t.Context())
		o := n.options()
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey || a.Key == "error" {
					return slog.Attr{}
				}
				return a
			},
		}))
		conn.Redial(ctx, "ws://h/", o, func(*conn.Conn) { cancel() })
		if got, want := log.String(), "level=WARN msg=\"websocket dial failed\" retry=1m0s\n"; got != want {
			t.Errorf("log mismatch (-want +got):\n%s", cmp.Diff(want, got))
		}
	})
}
