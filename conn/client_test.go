package conn_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
	"github.com/google/go-cmp/cmp"
)

var errNobody = errors.New("nobody listens")

// A script plays the server, or the proxy, of one connection. What comes after it
// is read until the client closes: one that does not is a deadlock of the bubble,
// which fails the test.
type script func(t testing.TB, nc net.Conn)

// A network connects in memory. It plays its scripts in order.
type network struct {
	t         testing.TB
	scripts   []script
	more      script   // when those are played; nil fails the dial
	addresses []string // that were dialed
}

func (n *network) dial(_ context.Context, network, address string) (net.Conn, error) {
	n.addresses = append(n.addresses, network+" "+address)
	play := n.more
	if i := len(n.addresses) - 1; i < len(n.scripts) {
		play = n.scripts[i]
	}
	if play == nil {
		return nil, errNobody
	}
	client, server := conntest.Pipe(0)
	var played sync.WaitGroup
	played.Go(func() {
		defer server.Close()
		play(n.t, server)
		io.Copy(io.Discard, server)
	})
	n.t.Cleanup(played.Wait)
	return client, nil
}

// dialScript dials a URL of a server that plays the scripts. There is no proxy
// unless o has one.
func dialScript(t testing.TB, url string, o *conn.DialOptions, scripts ...script) (*conn.Conn, *network, error) {
	t.Helper()
	n := &network{t: t, scripts: scripts}
	var options conn.DialOptions
	if o != nil {
		options = *o
	}
	options.NetDial = n.dial
	if options.Proxy == nil {
		options.Proxy = http.ProxyURL(nil)
	}
	c, err := conn.Dial(t.Context(), url, &options)
	if (c == nil) != (err != nil) {
		t.Fatalf("Dial(%q) = %v, %v", url, c, err)
	}
	return c, n, err
}

// readHead reads the head of a request, and nothing behind it.
func readHead(t testing.TB, nc net.Conn) string {
	var head []byte
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		var b [1]byte
		if _, err := nc.Read(b[:]); err != nil {
			t.Errorf("request ended after %q: %v", head, err)
			return ""
		}
		head = append(head, b[0])
	}
	return string(head)
}

// field returns the value of a field in a head.
func field(head, name string) string {
	_, v, _ := strings.Cut(head, "\r\n"+name+": ")
	v, _, _ = strings.Cut(v, "\r\n")
	return v
}

const switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n"

// answer reads a request and writes a response. In it {accept} is the answer to
// the key.
func answer(response string) script {
	return func(t testing.TB, nc net.Conn) {
		key := field(readHead(t, nc), "Sec-WebSocket-Key")
		io.WriteString(nc, strings.ReplaceAll(response, "{accept}", handshake.Accept(key)))
	}
}

// silent reads and never says anything.
func silent(testing.TB, net.Conn) {}

func TestDialRequest(t *testing.T) {
	const fixed = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	jar.SetCookies(&url.URL{Scheme: "http", Host: "h"}, []*http.Cookie{{Name: "a", Value: "1"}, {Name: "b", Value: "2", Path: "/b"}})
	jar.SetCookies(&url.URL{Scheme: "https", Host: "h"}, []*http.Cookie{{Name: "c", Value: "3", Secure: true}})

	tests := []struct {
		name, url     string
		o             conn.DialOptions
		address, want string
	}{
		{name: "host", url: "ws://h", address: "tcp h:80", want: "GET / HTTP/1.1\r\nHost: h\r\n" + fixed},
		{name: "path and query", url: "ws://h/a%20b?c=d&%0D%0A", address: "tcp h:80", want: "GET /a%20b?c=d&%0D%0A HTTP/1.1\r\nHost: h\r\n" + fixed},
		{name: "query alone", url: "ws://h?c", address: "tcp h:80", want: "GET /?c HTTP/1.1\r\nHost: h\r\n" + fixed},
		{name: "empty query", url: "ws://h/?", address: "tcp h:80", want: "GET /? HTTP/1.1\r\nHost: h\r\n" + fixed},
		{name: "dot segments", url: "ws://h/a/../b", address: "tcp h:80", want: "GET /b HTTP/1.1\r\nHost: h\r\n" + fixed},
		{name: "http", url: "http://h:8080/", address: "tcp h:8080", want: "GET / HTTP/1.1\r\nHost: h:8080\r\n" + fixed},
		{name: "scheme in capitals", url: "WS://H/", address: "tcp H:80", want: "GET / HTTP/1.1\r\nHost: H\r\n" + fixed},
		{name: "standard port", url: "ws://h:80/", address: "tcp h:80", want: "GET / HTTP/1.1\r\nHost: h\r\n" + fixed},
		{name: "port of wss", url: "ws://h:443/", address: "tcp h:443", want: "GET / HTTP/1.1\r\nHost: h:443\r\n" + fixed},
		{name: "empty port", url: "ws://h:/", address: "tcp h:80", want: "GET / HTTP/1.1\r\nHost: h\r\n" + fixed},
		{name: "port with zeros", url: "ws://h:0081/", address: "tcp h:81", want: "GET / HTTP/1.1\r\nHost: h:81\r\n" + fixed},
		{name: "IPv4", url: "ws://192.0.2.1:1/", address: "tcp 192.0.2.1:1", want: "GET / HTTP/1.1\r\nHost: 192.0.2.1:1\r\n" + fixed},
		{name: "IPv6", url: "ws://[2001:db8::1]/", address: "tcp [2001:db8::1]:80", want: "GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\n" + fixed},
		{name: "IPv6 zone", url: "ws://[fe80::1%25en1]:81/", address: "tcp [fe80::1%en1]:81", want: "GET / HTTP/1.1\r\nHost: [fe80::1]:81\r\n" + fixed},
		{name: "user information", url: "ws://Aladdin:open%20sesame@h/", address: "tcp h:80", want: "GET / HTTP/1.1\r\nHost: h\r\n" + fixed +
			"Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"},
		{name: "user without password", url: "ws://u@h/", address: "tcp h:80", want: "GET / HTTP/1.1\r\nHost: h\r\n" + fixed +
			"Authorization: Basic dTo=\r\n"},
		{name: "user information and Authorization", url: "ws://u:p@h/", address: "tcp h:80",
			o:    conn.DialOptions{Header: http.Header{"authorization": {"Bearer x"}}},
			want: "GET / HTTP/1.1\r\nHost: h\r\n" + fixed + "Authorization: Bearer x\r\n"},
		{name: "options", url: "ws://h/", address: "tcp h:80",
			o: conn.DialOptions{
				Host:         "other:81",
				Subprotocols: []string{"chat", "superchat"},
				Header:       http.Header{"Origin": {"http://example.com"}, "X-A": {"1", "2"}},
			},
			want: "GET / HTTP/1.1\r\nHost: other:81\r\n" + fixed +
				"Sec-WebSocket-Protocol: chat, superchat\r\nOrigin: http://example.com\r\nX-A: 1\r\nX-A: 2\r\n"},
		{name: "cookies", url: "ws://h/b", address: "tcp h:80",
			o:    conn.DialOptions{Jar: jar, Header: http.Header{"Cookie": {"x=y", "z"}}},
			want: "GET /b HTTP/1.1\r\nHost: h\r\n" + fixed + "Cookie: x=y; z; b=2; a=1\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got string
				c, n, err := dialScript(t, tt.url, &tt.o, func(t testing.TB, nc net.Conn) {
					got = readHead(t, nc)
					io.WriteString(nc, strings.Replace(switching, "{accept}", handshake.Accept(field(got, "Sec-WebSocket-Key")), 1)+"\r\n")
				})
				if err != nil {
					t.Fatal(err)
				}
				defer c.CloseNow()
				key := field(got, "Sec-WebSocket-Key")
				if !handshake.ValidKey(key) {
					t.Errorf("Sec-WebSocket-Key: %q", key)
				}
				if diff := cmp.Diff(tt.want+"\r\n", strings.Replace(got, key, "{key}", 1)); diff != "" {
					t.Errorf("request mismatch (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff([]string{tt.address}, n.addresses); diff != "" {
					t.Errorf("addresses mismatch (-want +got):\n%s", diff)
				}
				target, _, _ := strings.Cut(strings.TrimPrefix(tt.want, "GET "), " ")
				if c.Target() != target || c.Role() != frame.Client {
					t.Errorf("Target() = %q, Role() = %v; want %q, client", c.Target(), c.Role(), target)
				}
			})
		})
	}
}

// TestK6Silence: HandshakeTimeout covers every stage, with a background context.
func TestK6Silence(t *testing.T) {
	blocked := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	socks := http.ProxyURL(&url.URL{Scheme: "socks5", Host: "p"})
	proxy := http.ProxyURL(&url.URL{Scheme: "http", Host: "p"})
	for _, tt := range []struct {
		name, url string
		o         conn.DialOptions
		server    script
	}{
		{name: "connect", url: "ws://h/", o: conn.DialOptions{NetDial: blocked}},
		{name: "SOCKS5", url: "ws://h/", o: conn.DialOptions{Proxy: socks}, server: silent},
		{name: "CONNECT", url: "ws://h/", o: conn.DialOptions{Proxy: proxy}, server: silent},
		{name: "CONNECT, endless interim", url: "ws://h/", o: conn.DialOptions{Proxy: proxy}, server: answer("HTTP/1.1 100 \r\n\r\n")},
		{name: "TLS", url: "wss://h/", server: silent},
		{name: "request", url: "ws://h/", o: conn.DialOptions{Header: http.Header{"A": {strings.Repeat("a", 128<<10)}}},
			server: func(testing.TB, net.Conn) { time.Sleep(time.Minute) }},
		{name: "response", url: "ws://h/", server: silent},
		{name: "an octet each second", url: "ws://h/", server: func(t testing.TB, nc net.Conn) {
			for i := range len(switching) {
				time.Sleep(time.Second)
				io.WriteString(nc, switching[i:i+1])
			}
		}},
	} {
		for _, timeout := range []time.Duration{0, 3 * time.Second} {
			t.Run(tt.name+"/timeout="+timeout.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					n := &network{t: t, scripts: []script{tt.server}}
					o := tt.o
					o.HandshakeTimeout = timeout
					if o.NetDial == nil {
						o.NetDial = n.dial
					}
					if o.Proxy == nil {
						o.Proxy = http.ProxyURL(nil)
					}
					begin := time.Now()
					_, err := conn.Dial(context.Background(), tt.url, &o)
					want := timeout
					if timeout == 0 {
						want = 10 * time.Second
					}
					if d := time.Since(begin); !errors.Is(err, context.DeadlineExceeded) || d != want {
						t.Errorf("Dial() = %v after %v; want %v after %v", err, d, context.DeadlineExceeded, want)
					}
				})
			})
		}
	}
}

// TestDialCanceled: the dial ends with ctx, at once and with its cause; the
// timeout can be off.
func TestDialCanceled(t *testing.T) {
	cause := errors.New("enough")
	for _, tt := range []struct {
		name, url string
		server    script
	}{
		{"TLS", "wss://h/", silent},
		{"response", "ws://h/", silent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &network{t: t, scripts: []script{tt.server}}
				ctx, cancel := context.WithCancelCause(t.Context())
				begin := time.Now()
				time.AfterFunc(time.Hour, func() { cancel(cause) })
				_, err := conn.Dial(ctx, tt.url, &conn.DialOptions{
					Options: conn.Options{HandshakeTimeout: conn.NoLimit},
					NetDial: n.dial, Proxy: http.ProxyURL(nil)})
				if d := time.Since(begin); !errors.Is(err, cause) || d != time.Hour {
					t.Errorf("Dial() = %v after %v; want %v after 1h", err, d, cause)
				}
			})
		})
	}
	t.Run("with the last octet", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			n := &network{t: t, scripts: []script{answer(switching + "\r\n")}}
			ctx, cancel := context.WithCancelCause(t.Context())
			_, err := conn.Dial(ctx, "ws://h/", &conn.DialOptions{
				NetDial: n.dial, Proxy: http.ProxyURL(nil),
				OnResponse: func(*handshake.Response) error { cancel(cause); return nil }})
			if !errors.Is(err, cause) {
				t.Errorf("Dial() = %v; want %v", err, cause)
			}
		})
	})
}

// TestDialContextAfter: neither ctx nor the timeout reach beyond the dial.
func TestDialContextAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{t: t, scripts: []script{func(t testing.TB, nc net.Conn) {
			answer(switching+"\r\n")(t, nc)
			time.Sleep(time.Hour)
			nc.Write([]byte{0x81, 2, 'h', 'i'})
		}}}
		ctx, cancel := context.WithCancel(t.Context())
		c, err := conn.Dial(ctx, "ws://h/", &conn.DialOptions{NetDial: n.dial, Proxy: http.ProxyURL(nil)})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		cancel()
		if _, p, err := c.ReadMessage(t.Context()); string(p) != "hi" || err != nil {
			t.Errorf("ReadMessage() = _, %q, %v; want hi", p, err)
		}
	})
}

// TestK7Redirects: off by default, never weaker, at most five, credentials to the
// same origin only.
func TestK7Redirects(t *testing.T) {
	found := func(location string) script {
		return answer("HTTP/1.1 302 Found\r\nLocation: " + location + "\r\n\r\n")
	}
	loop := []script{found("/1"), found("/2"), found("/3"), found("/4"), found("/5"), found("/6")}
	open := answer(switching + "\r\n")
	tests := []struct {
		name, url string
		max       int
		scripts   []script
		addresses []string
		target    string // of the connection; empty if it is refused
	}{
		{name: "off", url: "ws://h/", scripts: []script{found("ws://g/")}, addresses: []string{"tcp h:80"}},
		{name: "negative", url: "ws://h/", max: -1, scripts: []script{found("ws://g/")}, addresses: []string{"tcp h:80"}},
		{name: "absolute", url: "ws://h/", max: 1, scripts: []script{found("http://g:81/x?y"), open}, addresses: []string{"tcp h:80", "tcp g:81"}, target: "/x?y"},
		{name: "relative", url: "ws://h:81/a/b?c", max: 1, scripts: []script{found("../d"), open}, addresses: []string{"tcp h:81", "tcp h:81"}, target: "/d"},
		{name: "without a scheme", url: "ws://h/", max: 1, scripts: []script{found("//g/"), open}, addresses: []string{"tcp h:80", "tcp g:80"}, target: "/"},
		{name: "301, 303, 307, 308", url: "ws://h/", max: 9, scripts: []script{
			answer("HTTP/1.1 301 \r\nLocation: /1\r\n\r\n"),
			answer("HTTP/1.1 303 \r\nLocation: /2\r\n\r\n"),
			answer("HTTP/1.1 307 \r\nLocation: /3\r\n\r\n"),
			answer("HTTP/1.1 308 \r\nLocation: /4\r\n\r\n"),
			open}, addresses: []string{"tcp h:80", "tcp h:80", "tcp h:80", "tcp h:80", "tcp h:80"}, target: "/4"},
		{name: "300", url: "ws://h/", max: 5, scripts: []script{answer("HTTP/1.1 300 \r\nLocation: /\r\nContent-Length: 0\r\n\r\n")}, addresses: []string{"tcp h:80"}},
		{name: "loop", url: "ws://h/", max: 2, scripts: loop, addresses: []string{"tcp h:80", "tcp h:80", "tcp h:80"}},
		{name: "loop of 1000", url: "ws://h/", max: 1000, scripts: loop, addresses: []string{"tcp h:80", "tcp h:80", "tcp h:80", "tcp h:80", "tcp h:80", "tcp h:80"}},
		{name: "file", url: "ws://h/", max: 5, scripts: []script{found("file:///etc/passwd")}, addresses: []string{"tcp h:80"}},
		{name: "fragment", url: "ws://h/", max: 5, scripts: []script{found("/#a")}, addresses: []string{"tcp h:80"}},
		{name: "user information", url: "ws://h/", max: 5, scripts: []script{found("ws://u:p@h/")}, addresses: []string{"tcp h:80"}},
		{name: "two slashes", url: "ws://h/", max: 5, scripts: []script{found("ws://h//g")}, addresses: []string{"tcp h:80"}},
		{name: "no Location", url: "ws://h/", max: 5, scripts: []script{answer("HTTP/1.1 302 \r\n\r\n")}, addresses: []string{"tcp h:80"}},
		{name: "two Locations", url: "ws://h/", max: 5, scripts: []script{found("/\r\nLocation: /")}, addresses: []string{"tcp h:80"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, n, err := dialScript(t, tt.url, &conn.DialOptions{MaxRedirects: tt.max}, tt.scripts...)
				if diff := cmp.Diff(tt.addresses, n.addresses); diff != "" {
					t.Errorf("addresses mismatch (-want +got):\n%s", diff)
				}
				if refused, ok := errors.AsType[*conn.RefusedError](err); tt.target == "" && (!ok || refused.Status/100 != 3) {
					t.Errorf("Dial() = %v; want a RefusedError with the redirect", err)
				}
				if errors.Is(err, conn.ErrURL) {
					t.Errorf("Dial() = %v, as if it were the caller's URL", err)
				}
				if err == nil {
					if c.Target() != tt.target {
						t.Errorf("Target() = %q; want %q", c.Target(), tt.target)
					}
					c.CloseNow()
				}
			})
		})
	}

	t.Run("wss to ws", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			cert, roots := certificate(t, "h", time.Hour, x509.NewCertPool())
			_, n, err := dialScript(t, "wss://h/", &conn.DialOptions{MaxRedirects: 5, TLS: roots}, overTLS(cert, found("ws://h/")))
			if refused, ok := errors.AsType[*conn.RefusedError](err); !ok || refused.Status != 302 || len(n.addresses) != 1 {
				t.Errorf("Dial() = %v after %q; want a RefusedError with 302", err, n.addresses)
			}
		})
	})

	t.Run("credentials", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var heads []string
			to := func(response string) script {
				return func(t testing.TB, nc net.Conn) {
					head := readHead(t, nc)
					heads = append(heads, head)
					io.WriteString(nc, strings.ReplaceAll(response, "{accept}", handshake.Accept(field(head, "Sec-WebSocket-Key"))))
				}
			}
			c, _, err := dialScript(t, "ws://u:p@h/", &conn.DialOptions{
				MaxRedirects: 5, Host: "v",
				Header: http.Header{"cookie": {"a=b"}, "X-Other": {"c"}},
			},
				to("HTTP/1.1 302 \r\nLocation: ws://H:80/1\r\n\r\n"),
				to("HTTP/1.1 302 \r\nLocation: ws://g/2\r\n\r\n"),
				to("HTTP/1.1 302 \r\nLocation: ws://h/3\r\n\r\n"),
				to(switching+"\r\n"))
			if err != nil {
				t.Fatal(err)
			}
			c.CloseNow()
			type fields struct{ host, authorization, cookie, other string }
			var got []fields
			for _, h := range heads {
				got = append(got, fields{field(h, "Host"), field(h, "Authorization"), field(h, "Cookie"), field(h, "X-Other")})
			}
			want := []fields{{"v", "Basic dTpw", "a=b", "c"}, {"v", "Basic dTpw", "a=b", "c"}, {"g", "", "", "c"}, {"h", "", "", "c"}}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(fields{})); diff != "" {
				t.Errorf("fields mismatch (-want +got):\n%s", diff)
			}
		})
	})
}

// TestK8Early: a frame glued to the 101 is delivered, however the octets come.
func TestK8Early(t *testing.T) {
	const frames = "\x81\x05hello\x89\x00\x82\x01\xff"
	for split := range len(frames) + 1 {
		synctest.Test(t, func(t *testing.T) {
			c, _, err := dialScript(t, "ws://h/", nil, func(t testing.TB, nc net.Conn) {
				answer(switching+"\r\n"+frames[:split])(t, nc)
				synctest.Wait()
				io.WriteString(nc, frames[split:])
			})
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			for _, want := range []string{"hello", "\xff"} {
				if _, p, err := c.ReadMessage(t.Context()); string(p) != want || err != nil {
					t.Errorf("split at %d: ReadMessage() = _, %q, %v; want %q", split, p, err, want)
				}
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		long := strings.Repeat("x", 40<<10) // longer than any buffer for the head
		c, _, err := dialScript(t, "ws://h/", nil, answer(switching+"\r\n\x81\x7e\xa0\x00"+long))
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		if _, p, err := c.ReadMessage(t.Context()); string(p) != long || err != nil {
			t.Errorf("ReadMessage() = _, %d octets, %v; want %d", len(p), err, len(long))
		}
	})
}

// TestK9Masked: a masked frame of the server fails the connection with 1002.
func TestK9Masked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := make(chan []byte, 1)
		c, _, err := dialScript(t, "ws://h/", nil, func(t testing.TB, nc net.Conn) {
			answer(switching+"\r\n\x81\x82\x01\x02\x03\x04ik")(t, nc)
			p, _ := io.ReadAll(nc)
			closed <- p
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		if _, p, err := c.ReadMessage(t.Context()); p != nil || !errors.Is(err, frame.ErrMaskForbidden) {
			t.Errorf("ReadMessage() = _, %q, %v; want %v", p, err, frame.ErrMaskForbidden)
		}
		b := <-closed
		if len(b) != 8 || b[0] != 0x88 || b[1] != 0x82 || b[6]^b[2] != 0x03 || b[7]^b[3] != 0xea {
			t.Errorf("the server got %x; want a masked Close frame with 1002", b)
		}
	})
}

func TestDialOptionErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    conn.DialOptions
		err  error
	}{
		{"own field", conn.DialOptions{Header: http.Header{"sec-websocket-key": {"x"}}}, handshake.ErrField},
		{"Host as a field", conn.DialOptions{Header: http.Header{"Host": {"x"}}}, handshake.ErrField},
		{"Content-Length", conn.DialOptions{Header: http.Header{"Content-Length": {"5"}}}, handshake.ErrField},
		{"CR LF in a field", conn.DialOptions{Header: http.Header{"X": {"a\r\nY: b"}}}, handshake.ErrField},
		{"space in a name", conn.DialOptions{Header: http.Header{"X Y": {"a"}}}, handshake.ErrField},
		{"Host", conn.DialOptions{Host: "a b"}, handshake.ErrHost},
		{"subprotocol", conn.DialOptions{Subprotocols: []string{"a b"}}, handshake.ErrField},
		{"subprotocol twice", conn.DialOptions{Subprotocols: []string{"a", "a"}}, handshake.ErrField},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, n, err := dialScript(t, "ws://h/", &tt.o)
			if !errors.Is(err, tt.err) || len(n.addresses) != 0 {
				t.Errorf("Dial() = %v after %q; want %v", err, n.addresses, tt.err)
			}
		})
	}
}

// TestDialCookies: every final response can set cookies.
func TestDialCookies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		var sent []string
		script := func(response string) script {
			return func(t testing.TB, nc net.Conn) {
				head := readHead(t, nc)
				sent = append(sent, field(head, "Cookie"))
				io.WriteString(nc, strings.ReplaceAll(response, "{accept}", handshake.Accept(field(head, "Sec-WebSocket-Key"))))
			}
		}
		c, _, err := dialScript(t, "ws://h/", &conn.DialOptions{Jar: jar, MaxRedirects: 1},
			script("HTTP/1.1 302 \r\nLocation: /x\r\nSet-Cookie: a=1; Path=/\r\n\r\n"),
			script(switching+"Set-Cookie: b=2; HttpOnly\r\nset-cookie: c=3\r\n\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		c.CloseNow()
		if _, _, err = dialScript(t, "ws://h/", &conn.DialOptions{Jar: jar},
			script("HTTP/1.1 403 \r\nSet-Cookie: a=4; Path=/\r\nContent-Length: 0\r\n\r\n")); err == nil {
			t.Fatal("Dial() = nil; want a RefusedError")
		}
		if diff := cmp.Diff([]string{"", "a=1", "a=1; b=2; c=3"}, sent); diff != "" {
			t.Errorf("cookies mismatch (-want +got):\n%s", diff)
		}
		if c := jar.Cookies(&url.URL{Scheme: "http", Host: "h", Path: "/"}); len(c) != 3 || c[0].Value != "4" {
			t.Errorf("the jar holds %v; want a=4 first", c)
		}
	})
}

func TestDialOnResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		o := &conn.DialOptions{OnResponse: func(r *handshake.Response) error {
			got = append(got, r.Header.Values("X-Served-By")...)
			return nil
		}}
		c, _, err := dialScript(t, "ws://h/", o, answer(switching+"X-Served-By: a\r\n\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		c.CloseNow()
		if _, _, err := dialScript(t, "ws://h/", o, answer("HTTP/1.1 500 \r\nX-Served-By: b\r\nContent-Length: 0\r\n\r\n")); err == nil {
			t.Error("Dial() = nil; want a RefusedError")
		}
		if diff := cmp.Diff([]string{"a"}, got); diff != "" {
			t.Errorf("responses mismatch (-want +got):\n%s", diff)
		}
		no := errors.New("no")
		o.OnResponse = func(*handshake.Response) error { return no }
		if _, _, err := dialScript(t, "ws://h/", o, answer(switching+"\r\n")); !errors.Is(err, no) {
			t.Errorf("Dial() = %v; want %v", err, no)
		}
	})
}

// TestDialTrace: an httptrace is told what happens, in order.
func TestDialTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cert, roots := certificate(t, "h", time.Hour, x509.NewCertPool())
		var got []string
		add := func(s string) { got = append(got, s) }
		stop := errors.New("stop")
		var verdict error
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			GetConn:              func(a string) { add("GetConn " + a) },
			TLSHandshakeStart:    func() { add("TLSHandshakeStart") },
			TLSHandshakeDone:     func(s tlsState, err error) { add("TLSHandshakeDone " + s.NegotiatedProtocol) },
			GotConn:              func(i httptrace.GotConnInfo) { add("GotConn " + i.Conn.RemoteAddr().String()) },
			WroteHeaders:         func() { add("WroteHeaders") },
			WroteRequest:         func(i httptrace.WroteRequestInfo) { add("WroteRequest " + strconv.FormatBool(i.Err == nil)) },
			GotFirstResponseByte: func() { add("GotFirstResponseByte") },
			Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
				add("Got1xxResponse " + strconv.Itoa(code) + " " + h.Get("Link"))
				return verdict
			},
		})
		for _, verdict = range []error{nil, stop} {
			n := &network{t: t, scripts: []script{overTLS(cert, answer("HTTP/1.1 103 \r\nlink: <a>\r\n\r\n"+switching+"\r\n"), "http/1.1")}}
			c, err := conn.Dial(ctx, "wss://h/", &conn.DialOptions{NetDial: n.dial, Proxy: http.ProxyURL(nil), TLS: roots})
			if !errors.Is(err, verdict) {
				t.Fatalf("Dial() = %v; want %v", err, verdict)
			}
			if err == nil {
				c.CloseNow()
			}
			want := []string{"GetConn h:443", "TLSHandshakeStart", "TLSHandshakeDone http/1.1", "GotConn 192.0.2.2:2", "WroteHeaders",
				"WroteRequest true", "GotFirstResponseByte", "Got1xxResponse 103 <a>"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("trace mismatch (-want +got):\n%s", diff)
			}
			got = nil
		}
	})
}

// A counted counts the calls of Write and Close.
type counted struct {
	net.Conn
	writes, closes atomic.Int32
}

func (c *counted) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

func (c *counted) Close() error {
	c.closes.Add(1)
	return c.Conn.Close()
}

// TestDialConn: the step over any net.Conn, which it owns.
func TestDialConn(t *testing.T) {
	for _, tt := range []struct {
		name, url string
		o         *conn.DialOptions
		server    script
		refused   bool
	}{
		{name: "open", url: "wss://h/", server: answer(switching + "\r\n")},
		{name: "URL", url: "ws://h/#", server: silent, refused: true},
		{name: "option", url: "ws://h/", o: &conn.DialOptions{Host: " "}, server: silent, refused: true},
		{name: "redirect", url: "ws://h/", o: &conn.DialOptions{MaxRedirects: 5}, server: answer("HTTP/1.1 302 \r\nLocation: /\r\n\r\n"), refused: true},
		{name: "timeout", url: "ws://h/", server: silent, refused: true},
		{name: "end", url: "ws://h/", server: func(t testing.TB, nc net.Conn) { nc.(*conntest.End).CloseWrite() }, refused: true},
		{name: "end in the middle", url: "ws://h/", server: func(t testing.TB, nc net.Conn) {
			answer(switching)(t, nc)
			nc.(*conntest.End).CloseWrite()
		}, refused: true},
		{name: "reset", url: "ws://h/", server: func(t testing.TB, nc net.Conn) { nc.(*conntest.End).Reset() }, refused: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &network{t: t, scripts: []script{tt.server}}
				nc, err := n.dial(t.Context(), "", "")
				if err != nil {
					t.Fatal(err)
				}
				counted := &counted{Conn: nc}
				c, err := conn.DialConn(t.Context(), counted, tt.url, tt.o)
				if (err != nil) != tt.refused || (counted.closes.Load() > 0) != tt.refused {
					t.Fatalf("DialConn() = %v with %d calls of Close; want refused %t", err, counted.closes.Load(), tt.refused)
				}
				if n := counted.writes.Load(); n > 1 {
					t.Errorf("the request went in %d writes", n)
				}
				if err == nil {
					c.CloseNow()
				}
			})
		})
	}
}

// TestDialWrite: a request that cannot be written is an error, which a trace sees.
func TestDialWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := conntest.Pipe(0)
		defer b.Close()
		var wrote error
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			WroteRequest: func(i httptrace.WroteRequestInfo) { wrote = i.Err },
		})
		nc := conntest.Inject(a, conntest.Faults{Write: conntest.Flow{After: 20, Then: conntest.Fail}})
		if _, err := conn.DialConn(ctx, nc, "ws://h/", nil); err == nil || !errors.Is(err, wrote) {
			t.Errorf("DialConn() = %v; want %v", err, wrote)
		}
	})
}

// TestDialUnix: NetDial reaches a Unix socket.
func TestDialUnix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Skip(err)
	}
	var s conn.Server
	s.Handler = func(c *conn.Conn) {
		c.WriteMessage(c.Context(), frame.OpText, []byte(c.Target()))
		c.Discard(c.Context())
	}
	go s.Serve(l)
	defer s.Shutdown(t.Context())
	c, err := conn.Dial(t.Context(), "ws://localhost/a?b", &conn.DialOptions{
		NetDial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(frame.CloseNormalClosure, "")
	if _, p, err := c.ReadMessage(t.Context()); string(p) != "/a?b" || err != nil {
		t.Errorf("ReadMessage() = _, %q, %v", p, err)
	}
}

// TestDialNetwork: errors of the network come through, the deadline of a real
// one as that of the context.
func TestDialNetwork(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = conn.Dial(t.Context(), "ws://"+l.Addr().String(), &conn.DialOptions{Options: conn.Options{HandshakeTimeout: time.Nanosecond}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Dial() = %v; want %v", err, context.DeadlineExceeded)
	}
	no := os.ErrPermission
	_, err = conn.Dial(t.Context(), "ws://127.0.0.1:1/", &conn.DialOptions{
		NetDial: func(context.Context, string, string) (net.Conn, error) { return nil, no },
	})
	if !errors.Is(err, no) {
		t.Errorf("Dial() = %v; want %v", err, no)
	}
}
