package engineio_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

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

// TestRequestContext: the context of a session has the values of the request's,
// whoever put them there, and does not end with it.
func TestRequestContext(t *testing.T) {
	type key string
	tests := []struct {
		name  string
		keys  []key // that have their name as their value
		serve func(*httptest.Server)
		wrap  func(context.Context) context.Context
	}{
		{name: "none"},
		{name: "of the server", keys: []key{"base"}, serve: func(s *httptest.Server) {
			s.Config.BaseContext = func(net.Listener) context.Context {
				return context.WithValue(context.Background(), key("base"), "base")
			}
		}},
		{name: "of the connection", keys: []key{"conn"}, serve: func(s *httptest.Server) {
			s.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
				return context.WithValue(ctx, key("conn"), "conn")
			}
		}},
		{name: "of middleware", keys: []key{"a", "b"}, wrap: func(ctx context.Context) context.Context {
			ctx, cancel := context.WithCancel(context.WithValue(ctx, key("a"), "a"))
			defer cancel()
			ctx, cancel = context.WithTimeout(context.WithValue(ctx, key("b"), "b"), time.Hour)
			defer cancel()
			return ctx
		}},
		{name: "another address", wrap: func(ctx context.Context) context.Context {
			return context.WithValue(ctx, http.LocalAddrContextKey, &net.UnixAddr{Name: "x"})
		}},
		{name: "an address twice", wrap: func(ctx context.Context) context.Context {
			return context.WithValue(ctx, http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv6loopback, Port: 1, Zone: "z"})
		}},
		{name: "no address", wrap: func(ctx context.Context) context.Context {
			return context.WithValue(ctx, http.LocalAddrContextKey, &net.TCPAddr{Port: 1})
		}},
		{name: "a context of its own", keys: []key{"own"}, wrap: func(ctx context.Context) context.Context {
			return ownContext{context.WithValue(ctx, key("own"), "own")}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sessions := make(chan *engineio.Session, 1)
			var want context.Context
			server := &engineio.Server{Handler: func(s *engineio.Session) engineio.Receiver {
				sessions <- s
				return echoReceiver{}
			}}
			front := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if tt.wrap != nil {
					r = r.WithContext(tt.wrap(r.Context()))
				}
				want = r.Context()
				server.ServeHTTP(w, r)
			}))
			if tt.serve != nil {
				tt.serve(front)
			}
			front.Start()
			defer front.Close()
			a, err := http.Get(front.URL + "/engine.io/?EIO=4&transport=polling")
			if err != nil {
				t.Fatal(err)
			}
			a.Body.Close()
			s := <-sessions
			for name, got := range map[string]context.Context{"Request": s.Request().Context(), "Session": s.Context()} {
				if got.Err() != nil {
					t.Errorf("the context of %s has ended", name)
				}
				if g, w := got.Value(http.ServerContextKey), want.Value(http.ServerContextKey); g != w || g == nil {
					t.Errorf("the server in the context of %s is %v, want %v", name, g, w)
				}
				if diff := cmp.Diff(want.Value(http.LocalAddrContextKey), got.Value(http.LocalAddrContextKey)); diff != "" {
					t.Errorf("the address in the context of %s (-want +got):\n%s", name, diff)
				}
				for _, k := range tt.keys {
					if v := got.Value(k); v != string(k) {
						t.Errorf("the value of %s in the context of %s is %v", k, name, v)
					}
				}
			}
			s.Close("")
			if s.Context().Err() == nil {
				t.Error("the session's context has not ended with it")
			}
		})
	}
}

// An ownContext is a context that no package knows.
type ownContext struct{ context.Context }
