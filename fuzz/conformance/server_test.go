package conformance_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/fuzz/conformance"
	"example.org/rfc6455/handshake"
)

// TestServerErrors: what Server says when nothing can be tested.
func TestServerErrors(t *testing.T) {
	refused := errors.New("refused")
	silent := conntest.Listen() // nobody accepts
	forbids := conntest.Listen()
	s := &conn.Server{Handler: echo, Options: &conn.AcceptOptions{OnRequest: func(*handshake.Request) (conn.Answer, error) {
		return conn.Answer{}, &conn.RefusedError{Status: 403}
	}}}
	go s.Serve(forbids)
	defer s.Shutdown(t.Context())
	tests := []struct {
		url  string
		dial func(ctx context.Context, network, address string) (net.Conn, error)
		want string
	}{
		{"ftp://example.com/", nil, "not ws or wss"},
		{"ws:///", nil, "no host"},
		{"ws://a b/", nil, "invalid character"},
		{"ws://example.com/", func(context.Context, string, string) (net.Conn, error) { return nil, refused }, "cannot connect: refused"},
		{"ws://example.com/", silent.Dial, "did not answer the request within 500ms"},
		{"ws://example.com/", forbids.Dial, "status 403"},
		{"wss://example.com/", silent.Dial, "cannot connect"},
	}
	for _, tt := range tests {
		o := &conformance.Options{Run: []string{"1.1.1"}, Dial: tt.dial, Timeout: 100 * time.Millisecond}
		r, err := conformance.Server(t.Context(), tt.url, o)
		if r != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Server(%q) = %v, %v; want an error with %q", tt.url, r, err, tt.want)
		}
	}
}

// TestServerOptions: the name, the request and the results as they come.
func TestServerOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := conntest.Listen()
		var mu sync.Mutex
		var requests []string
		s := &conn.Server{Handler: echo, Options: &conn.AcceptOptions{OnRequest: func(r *handshake.Request) (conn.Answer, error) {
			mu.Lock()
			defer mu.Unlock()
			requests = append(requests, r.Target+" "+r.Host+" "+strings.Join(r.Header.Values("Cookie"), ""))
			return conn.Answer{Header: http.Header{"Server": {"tested/1.0"}}}, nil
		}}}
		go s.Serve(l)
		var told []string
		for _, agent := range []string{"", "mine"} {
			report, err := conformance.Server(t.Context(), "http://example.com:81/chat?room=1", &conformance.Options{
				Run: []string{"2.1", "2.2"}, Agent: agent, Dial: l.Dial, Parallel: 1,
				Header:   http.Header{"Cookie": {"a=b"}},
				OnResult: func(r *conformance.Report, res *conformance.Result) { told = append(told, r.Agent+" "+res.Case.Known) },
			})
			if err != nil || len(report.Results) != 2 || report.Ended.Sub(report.Began) != 2*time.Second {
				t.Errorf("Server returned %+v, %v", report, err)
			}
		}
		s.Shutdown(t.Context())
		if want := []string{"tested/1.0 2.1", "tested/1.0 2.2", "mine 2.1", "mine 2.2"}; !slices.Equal(told, want) {
			t.Errorf("OnResult was told %q, want %q", told, want)
		}
		for _, r := range requests {
			if r != "/chat?room=1 example.com:81 a=b" {
				t.Errorf("request %q", r)
			}
		}
	})
}

// TestCanceled: a run ends with its context, and has what was done by then.
func TestCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := conntest.Listen()
		go listenAs(l, "", nil)
		defer l.Close()
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		report, err := conformance.Server(ctx, "ws://example.com", &conformance.Options{
			Run: []string{"1.1.*", "2.*"}, Dial: l.Dial, Parallel: 1,
			OnResult: func(_ *conformance.Report, res *conformance.Result) {
				if res.Case.Known == "1.1.8" {
					time.AfterFunc(time.Second/2, func() { cancel(cause) })
				}
			},
		})
		if !errors.Is(err, cause) || len(report.Results) != 8 {
			t.Errorf("%d results, %v; want 8 and %v", len(report.Results), err, cause)
		}
	})
}

// TestServerDies: cases that find no server any more have failed.
func TestServerDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := conntest.Listen()
		go listenAs(l, "", nil)
		report, err := conformance.Server(t.Context(), "ws://example.com", &conformance.Options{
			Run: []string{"1.1.*"}, Dial: l.Dial, Parallel: 1,
			OnResult: func(*conformance.Report, *conformance.Result) { l.Close() },
		})
		if err != nil || len(report.Results) != 8 || report.Count("", conformance.Failed) != 7 {
			t.Fatalf("Server returned %+v, %v; want 7 of 8 failed", report, err)
		}
		if why := report.Results[7].Why; !strings.HasPrefix(why, "cannot connect: ") {
			t.Errorf("the last has failed with %q", why)
		}
	})
}
