package engineio_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"example.org/rfc6455/socketio/engineio"
)

// TestRequest: a session has the request that began it, as middleware left it.
func TestRequest(t *testing.T) {
	type key struct{}
	tests := []struct {
		name, pattern, target string
		change                func(r *http.Request) *http.Request
	}{
		{name: "as it came", pattern: "/engine.io/", target: "/engine.io/?EIO=4&transport=polling&q=%20a+b"},
		{name: "absolute", pattern: "/engine.io/", target: "http://example.com/engine.io/?EIO=4&transport=polling"},
		{name: "escaped", pattern: "/", target: "/a%2Fb/%C3%A4/?EIO=4&transport=polling"},
		{name: "path values", pattern: "/{tenant}/{rest...}", target: "/a%2Fb/c/d?EIO=4&transport=polling"},
		{name: "end of a path", pattern: "/{tenant}/{$}", target: "/a/?EIO=4&transport=polling"},
		{name: "changed", pattern: "/", target: "/engine.io/?EIO=4&transport=polling", change: func(r *http.Request) *http.Request {
			r.URL = &url.URL{Path: "x y", RawQuery: r.URL.RawQuery}
			r.Header["X-User"] = []string{"ann", "", "b\r\n"}
			r.RemoteAddr = "unknown"
			r.TLS = &tls.ConnectionState{ServerName: "example.com"}
			return r.WithContext(context.WithValue(r.Context(), key{}, "value"))
		}},
		{name: "HTTP/2", pattern: "/", target: "/engine.io/?EIO=4&transport=polling", change: func(r *http.Request) *http.Request {
			r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/2.0", 2, 0
			return r
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var want, got *http.Request
			server := &engineio.Server{
				Handler: func(s *engineio.Session) engineio.Receiver {
					got = s.Request()
					if s.Request() == got {
						t.Error("Request returned the same one twice")
					}
					if a := s.RemoteAddr(); a != got.RemoteAddr {
						t.Errorf("RemoteAddr() = %q, want %q", a, got.RemoteAddr)
					}
					return echoReceiver{}
				},
				Options: &engineio.Options{InsecureAnyOrigin: true},
			}
			mux := http.NewServeMux()
			mux.HandleFunc(tt.pattern, func(w http.ResponseWriter, r *http.Request) {
				if tt.change != nil {
					r = tt.change(r)
				}
				want = r
				server.ServeHTTP(w, r)
			})
			ctx, cancel := context.WithCancel(t.Context())
			r := httptest.NewRequestWithContext(ctx, "GET", tt.target, nil)
			r.Header.Add("Cookie", "a=1")
			r.Header.Add("Cookie", "b=2")
			mux.ServeHTTP(httptest.NewRecorder(), r)
			cancel()
			if got == nil {
				t.Fatal("no session")
			}
			if got.Body != http.NoBody || got.Context().Err() != nil || got.Context().Value(key{}) != want.Context().Value(key{}) {
				t.Errorf("Body %v, context %v with %v", got.Body, got.Context().Err(), got.Context().Value(key{}))
			}
			for _, name := range []string{"tenant", "rest"} {
				if g, w := got.PathValue(name), want.PathValue(name); g != w {
					t.Errorf("PathValue(%q) = %q, want %q", name, g, w)
				}
			}
			same := cmp.Options{
				cmpopts.IgnoreUnexported(http.Request{}, tls.ConnectionState{}),
				cmpopts.IgnoreFields(http.Request{}, "Body"),
			}
			if diff := cmp.Diff(want, got, same); diff != "" {
				t.Errorf("request mismatch (-want +got):\n%s", diff)
			}
		})
	}
}
