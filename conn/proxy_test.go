package conn_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/handshake"
	"github.com/google/go-cmp/cmp"
)

// parse returns a URL that is known to be good.
func parse(t testing.TB, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestProxyConnect: what goes to an HTTP proxy, and that a connection comes of it.
func TestProxyConnect(t *testing.T) {
	tests := []struct {
		name, url, proxy string
		header           http.Header
		address, want    string
	}{
		{name: "http", url: "ws://h/", proxy: "http://p", address: "tcp p:80",
			want: "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n"},
		{name: "port", url: "ws://h:81/", proxy: "http://p:3128/", address: "tcp p:3128",
			want: "CONNECT h:81 HTTP/1.1\r\nHost: h:81\r\n\r\n"},
		{name: "IPv6", url: "ws://[2001:db8::1]/", proxy: "http://[2001:db8::2]", address: "tcp [2001:db8::2]:80",
			want: "CONNECT [2001:db8::1]:80 HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n"},
		{name: "wss", url: "wss://h/", proxy: "http://p", address: "tcp p:80",
			want: "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"},
		{name: "https", url: "ws://h/", proxy: "https://p", address: "tcp p:443",
			want: "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n"},
		{name: "https for wss", url: "wss://h/", proxy: "https://p:8443", address: "tcp p:8443",
			want: "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"},
		{name: "credentials", url: "ws://h/", proxy: "http://Aladdin:open%20sesame@p", header: http.Header{"X-A": {"1", "2"}}, address: "tcp p:80",
			want: "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\nX-A: 1\r\nX-A: 2\r\n\r\n"},
		{name: "credentials of both kinds", url: "ws://h/", proxy: "http://u:p@p", header: http.Header{"proxy-authorization": {"Bearer x"}}, address: "tcp p:80",
			want: "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\nProxy-Authorization: Bearer x\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool := x509.NewCertPool()
				serverCert, _ := certificate(t, "h", time.Hour, pool)
				proxyCert, config := certificate(t, "p", time.Hour, pool)
				var got string
				play := answer(switching + "\r\n\x81\x05hello")
				if strings.HasPrefix(tt.url, "wss") {
					play = overTLS(serverCert, play)
				}
				inside := play
				play = func(t testing.TB, nc net.Conn) {
					got = readHead(t, nc)
					io.WriteString(nc, "HTTP/1.1 103 \r\n\r\nHTTP/1.0 200 Connection established\r\nContent-Length: 9\r\n\r\n")
					inside(t, nc)
				}
				if strings.HasPrefix(tt.proxy, "https") {
					play = overTLS(proxyCert, play)
				}
				c, n, err := dialScript(t, tt.url, &conn.DialOptions{
					TLS: config, ProxyHeader: tt.header, Proxy: http.ProxyURL(parse(t, tt.proxy)),
				}, play)
				if err != nil {
					t.Fatal(err)
				}
				defer c.CloseNow()
				if _, p, err := c.ReadMessage(t.Context()); string(p) != "hello" || err != nil {
					t.Errorf("ReadMessage() = _, %q, %v; want hello", p, err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("request mismatch (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff([]string{tt.address}, n.addresses); diff != "" {
					t.Errorf("addresses mismatch (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestProxyChoice: what DialOptions.Proxy is asked, and what it can answer.
func TestProxyChoice(t *testing.T) {
	no := errors.New("no")
	for _, tt := range []struct {
		name, url, asked string
		proxy            *url.URL
		err, want        error
		addresses        int
	}{
		{name: "ws", url: "ws://u:p@h:81/a?b", asked: "http://h:81/a?b", addresses: 1},
		{name: "wss", url: "wss://h/", asked: "https://h/", proxy: &url.URL{Scheme: "http", Host: "p"}, addresses: 1},
		{name: "error", url: "ws://h/", asked: "http://h/", err: no, want: no},
		{name: "scheme", url: "ws://h/", asked: "http://h/", proxy: &url.URL{Scheme: "ftp", Host: "p"}, want: conn.ErrURL},
		{name: "socks4", url: "ws://h/", asked: "http://h/", proxy: &url.URL{Scheme: "socks4", Host: "p"}, want: conn.ErrURL},
		{name: "no host", url: "ws://h/", asked: "http://h/", proxy: &url.URL{Scheme: "http"}, want: conn.ErrURL},
		{name: "port", url: "ws://h/", asked: "http://h/", proxy: &url.URL{Scheme: "http", Host: "p:0"}, want: conn.ErrURL},
		{name: "name in brackets", url: "ws://h/", asked: "http://h/", proxy: &url.URL{Scheme: "http", Host: "[p]"}, want: conn.ErrURL},
		{name: "CR LF in the zone", url: "ws://h/", asked: "http://h/", proxy: &url.URL{Scheme: "http", Host: "[fe80::1%\r\n]"}, want: conn.ErrURL},
		{name: "zone", url: "ws://[fe80::1%25en1]/", asked: "http://[fe80::1%25en1]/", proxy: &url.URL{Scheme: "http", Host: "p"}, want: conn.ErrURL},
		{name: "K11 CR LF in the name", url: "ws://h/", asked: "http://h/", proxy: &url.URL{Scheme: "http", Host: "p", User: url.UserPassword("a\r\nX: y", "b")}, want: conn.ErrURL},
		{name: "K11 CR LF in the password", url: "ws://h/", asked: "http://h/", proxy: &url.URL{Scheme: "https", Host: "p", User: url.UserPassword("a", "b\r\n")}, want: conn.ErrURL},
		{name: "SOCKS name too long", url: "ws://h/", asked: "http://h/", proxy: &url.URL{Scheme: "socks5", Host: "p", User: url.UserPassword(strings.Repeat("a", 256), "b")}, want: conn.ErrURL},
		{name: "SOCKS password too long", url: "ws://h/", asked: "http://h/", proxy: &url.URL{Scheme: "socks5", Host: "p", User: url.UserPassword("a", strings.Repeat("b", 256))}, want: conn.ErrURL},
		{name: "SOCKS password missing", url: "ws://h/", asked: "http://h/", proxy: &url.URL{Scheme: "socks5", Host: "p", User: url.User("a")}, want: conn.ErrURL},
		{name: "SOCKS host too long", url: "ws://" + strings.Repeat("a", 256) + "/", asked: "http://" + strings.Repeat("a", 256) + "/", proxy: &url.URL{Scheme: "socks5", Host: "p"}, want: conn.ErrURL},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				type key struct{}
				n := &network{t: t}
				_, err := conn.Dial(context.WithValue(t.Context(), key{}, 1), tt.url, &conn.DialOptions{
					NetDial: n.dial,
					Proxy: func(r *http.Request) (*url.URL, error) {
						if r.URL.String() != tt.asked || r.Method != "GET" || r.Context().Value(key{}) != 1 {
							t.Errorf("Proxy(%s %s); want GET %s, with the context", r.Method, r.URL, tt.asked)
						}
						return tt.proxy, tt.err
					},
				})
				if len(n.addresses) != tt.addresses || tt.want != nil && !errors.Is(err, tt.want) {
					t.Errorf("Dial() = %v after %q; want %v", err, n.addresses, tt.want)
				}
			})
		})
	}
	t.Run("ProxyHeader", func(t *testing.T) {
		for _, name := range []string{"A\r\nB", "Host", "Content-Length"} {
			_, n, err := dialScript(t, "ws://h/", &conn.DialOptions{
				Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: "p"}), ProxyHeader: http.Header{name: {"1"}}})
			if !errors.Is(err, handshake.ErrField) || len(n.addresses) != 0 {
				t.Errorf("Dial() with %q = %v; want %v", name, err, handshake.ErrField)
			}
		}
	})
}

// TestK11Proxy: a hostile HTTP proxy.
func TestK11Proxy(t *testing.T) {
	answered := func(response string) script {
		return func(t testing.TB, nc net.Conn) {
			readHead(t, nc)
			io.WriteString(nc, response)
		}
	}
	for _, tt := range []struct {
		name    string
		url     string
		server  script
		err     error
		refused int // the status
	}{
		{name: "407", server: answered("HTTP/1.1 407 \r\nProxy-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno"), refused: 407},
		{name: "redirect", server: answered("HTTP/1.1 302 \r\nLocation: ws://h/\r\nContent-Length: 0\r\n\r\n"), refused: 302},
		{name: "101", server: answered("HTTP/1.1 101 \r\n\r\n"), refused: 101},
		{name: "200 with junk", server: answered("HTTP/1.1 200 \r\n\r\njunk"), err: handshake.ErrHeader},
		{name: "200 with junk before TLS", url: "wss://h/", server: answered("HTTP/1.1 200 \r\n\r\njunk, more of it"), err: errAny},
		{name: "not HTTP", server: answered("junk"), err: handshake.ErrHeader},
		{name: "endless fields", server: answered("HTTP/1.1 200 \r\n" + strings.Repeat("A: b\r\n", 1000)), err: handshake.ErrTooLarge},
		{name: "endless reason", server: answered("HTTP/1.1 200 " + strings.Repeat("a", 20<<10)), err: handshake.ErrTooLarge},
		{name: "closes midway", server: func(t testing.TB, nc net.Conn) {
			answered("HTTP/1.1 200 \r\nA:")(t, nc)
			nc.(*conntest.End).CloseWrite()
		}, err: io.ErrUnexpectedEOF},
		{name: "closes at once", server: func(t testing.TB, nc net.Conn) { nc.(*conntest.End).CloseWrite() }, err: io.ErrUnexpectedEOF},
		{name: "resets", server: func(t testing.TB, nc net.Conn) { nc.(*conntest.End).Reset() }, err: errAny},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if tt.url == "" {
					tt.url = "ws://h/"
				}
				_, n, err := dialScript(t, tt.url, &conn.DialOptions{
					MaxRedirects: 5, Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: "p"}),
				}, tt.server)
				refused, ok := errors.AsType[*conn.RefusedError](err)
				switch {
				case tt.refused != 0:
					if !ok || refused.Status != tt.refused {
						t.Errorf("Dial() = %v; want a RefusedError with %d", err, tt.refused)
					}
				case err == nil, tt.err != errAny && !errors.Is(err, tt.err):
					t.Errorf("Dial() = %v; want %v", err, tt.err)
				}
				if len(n.addresses) != 1 {
					t.Errorf("dialed %q", n.addresses)
				}
			})
		})
	}
	t.Run("https with another name", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			cert, config := certificate(t, "h", time.Hour, x509.NewCertPool())
			config.ServerName = "h" // of the server, not of the proxy
			_, _, err := dialScript(t, "ws://h/", &conn.DialOptions{TLS: config, Proxy: http.ProxyURL(&url.URL{Scheme: "https", Host: "p"})},
				overTLS(cert, silent))
			if err == nil {
				t.Error("Dial() = nil")
			}
		})
	})
}

// errAny stands for an error that is not ours to tell.
var errAny = errors.New("any")

// TestProxyEarly: octets glued to the 200 are the first of the tunnel.
func TestProxyEarly(t *testing.T) {
	for _, tt := range []struct{ name, url, early string }{
		{"nothing", "ws://h/", ""},
		{"interim response", "ws://h/", "HTTP/1.1 103 \r\n\r\n"},
		{"half an interim response", "ws://h/", "HTTP/1.1 103 \r\n"},
		{"TLS warning", "wss://h/", "\x15\x03\x01\x00\x02\x01\x5a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cert, config := certificate(t, "h", time.Hour, x509.NewCertPool())
				open := switching + "\r\n\x81\x05hello"
				if tt.name == "half an interim response" {
					open = "\r\n" + open
				}
				inside := answer(open)
				if tt.url == "wss://h/" {
					inside = overTLS(cert, inside)
				}
				c, _, err := dialScript(t, tt.url, &conn.DialOptions{TLS: config, Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: "p"})},
					func(t testing.TB, nc net.Conn) {
						readHead(t, nc)
						io.WriteString(nc, "HTTP/1.1 200 \r\n\r\n"+tt.early)
						inside(t, nc)
					})
				if err != nil {
					t.Fatal(err)
				}
				defer c.CloseNow()
				if _, p, err := c.ReadMessage(t.Context()); string(p) != "hello" || err != nil {
					t.Errorf("ReadMessage() = _, %q, %v; want hello", p, err)
				}
			})
		})
	}
	t.Run("TLS given up", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			cert, config := certificate(t, "h", time.Hour, x509.NewCertPool())
			_, _, err := dialScript(t, "wss://h/", &conn.DialOptions{TLS: config, Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: "p"})},
				func(t testing.TB, nc net.Conn) {
					readHead(t, nc)
					io.WriteString(nc, "HTTP/1.1 200 \r\n\r\n\x15\x03\x01\x00\x02\x01\x5a")
					overTLS(cert, silent)(t, nc)
				})
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Dial() = %v; want %v", err, context.DeadlineExceeded)
			}
		})
	})
}

// TestProxyEnvironment: the environment is read once in a process, so each case
// is one of its own.
func TestProxyEnvironment(t *testing.T) {
	urls := []string{"ws://a.example/", "wss://a.example/", "ws://b.example/", "ws://localhost/", "wss://127.0.0.1/", "ws://[::1]/"}
	if os.Getenv("CONN_TEST_PROXY") != "" {
		for _, u := range urls {
			conn.Dial(t.Context(), u, &conn.DialOptions{NetDial: func(_ context.Context, _, address string) (net.Conn, error) {
				fmt.Printf("dialed %s\n", address)
				return nil, errAny
			}})
		}
		return
	}
	for _, tt := range []struct {
		name        string
		environment []string
		want        []string
	}{
		{"none", nil, []string{"a.example:80", "a.example:443", "b.example:80", "localhost:80", "127.0.0.1:443", "[::1]:80"}},
		{"HTTP_PROXY", []string{"HTTP_PROXY=http://p:1"}, []string{"p:1", "a.example:443", "p:1", "localhost:80", "127.0.0.1:443", "[::1]:80"}},
		{"SOCKS and NO_PROXY", []string{"HTTP_PROXY=socks5://p", "HTTPS_PROXY=q:3", "NO_PROXY=b.example"},
			[]string{"p:1080", "q:3", "b.example:80", "localhost:80", "127.0.0.1:443", "[::1]:80"}},
		{"ALL_PROXY", []string{"ALL_PROXY=socks5://p:1"}, []string{"a.example:80", "a.example:443", "b.example:80", "localhost:80", "127.0.0.1:443", "[::1]:80"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProxyEnvironment$")
			for _, v := range os.Environ() {
				if name, _, _ := strings.Cut(strings.ToUpper(v), "="); !strings.HasSuffix(name, "_PROXY") {
					cmd.Env = append(cmd.Env, v)
				}
			}
			cmd.Env = append(append(cmd.Env, "CONN_TEST_PROXY=1", "GORACE=atexit_sleep_ms=0"), tt.environment...)
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for line := range strings.Lines(string(out)) {
				if address, ok := strings.CutPrefix(strings.TrimSpace(line), "dialed "); ok {
					got = append(got, address)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("addresses mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

// TestProxyWrite: a proxy that cannot be written to.
func TestProxyWrite(t *testing.T) {
	for _, scheme := range []string{"http", "https", "socks5"} {
		a, b := conntest.Pipe(0)
		defer b.Close()
		nc := conntest.Inject(a, conntest.Faults{Write: conntest.Flow{Then: conntest.Fail}})
		_, err := conn.Dial(t.Context(), "ws://h/", &conn.DialOptions{
			Proxy:   http.ProxyURL(&url.URL{Scheme: scheme, Host: "p"}),
			NetDial: func(context.Context, string, string) (net.Conn, error) { return nc, nil },
		})
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("Dial() by way of %s = %v; want %v", scheme, err, syscall.EIO)
		}
		if _, err := nc.Write([]byte{0}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the connection is not closed: %v", err)
		}
	}
}
