package interop_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// idle is how long the proxies let a connection to /idle and /heartbeat be silent.
const idle = time.Second

// The proxies listen on two sockets in their directory, plain.sock and tls.sock,
// and pass everything on.
var proxies = []struct {
	name   string
	args   func(dir string) []string
	config string // with DIR, IDLE, SERVER and LIVELY
}{
	{"nginx", func(dir string) []string { return []string{"-p", dir, "-c", filepath.Join(dir, "config")} }, `
daemon off;
master_process off;
pid pid;
error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path body;
	proxy_temp_path proxy;
	fastcgi_temp_path fastcgi;
	uwsgi_temp_path uwsgi;
	scgi_temp_path scgi;
	server {
		listen unix:DIR/plain.sock;
		listen unix:DIR/tls.sock ssl;
		ssl_certificate pem;
		ssl_certificate_key pem;
		proxy_http_version 1.1;
		proxy_set_header Upgrade $http_upgrade;
		proxy_set_header Connection upgrade;
		proxy_set_header Host $http_host;
		location / {
			proxy_pass http://SERVER;
		}
		location /idle {
			proxy_pass http://SERVER;
			proxy_read_timeout IDLE;
		}
		location /heartbeat {
			proxy_pass http://LIVELY;
			proxy_read_timeout IDLE;
		}
		# The configuration of somebody who has not heard of WebSocket yet.
		location /forgotten {
			proxy_pass http://SERVER;
			proxy_http_version 1.0;
			proxy_set_header Connection close;
		}
	}
}
`},
	{"haproxy", func(dir string) []string { return []string{"-db", "-f", filepath.Join(dir, "config")} }, `
defaults
	mode http
	timeout connect 20s
	timeout client 20s
	timeout server 20s
frontend front
	bind unix@DIR/plain.sock
	bind unix@DIR/tls.sock ssl crt DIR/pem
	use_backend idle if { path /idle }
	use_backend lively if { path /heartbeat }
	use_backend forgotten if { path /forgotten }
	default_backend server
backend server
	server one SERVER
backend idle
	timeout tunnel IDLE
	server one SERVER
backend lively
	timeout tunnel IDLE
	server one LIVELY
backend forgotten
	http-request del-header Upgrade
	server one SERVER
`},
}

// host is the name that clients know the proxies by.
const host = "app.test"

// A proxy is a reverse proxy in front of our server.
type proxy struct {
	server *server // without a heartbeat
	lively *server // of /heartbeat, with one
	pongs  <-chan struct{}
	dial   func(ctx context.Context, socket string) (net.Conn, error)
	tls    *tls.Config
}

// connect connects our client through the proxy, and returns both ends.
func (p *proxy) connect(t *testing.T, url string, header http.Header) (client, server *conn.Conn) {
	t.Helper()
	client = dial(t, url, p.options(header))
	return client, p.server.next(t)
}

// options are for a connection through the proxy.
func (p *proxy) options(header http.Header) *conn.DialOptions {
	return &conn.DialOptions{
		Header: header,
		TLS:    p.tls,
		NetDial: func(ctx context.Context, _, address string) (net.Conn, error) {
			if strings.HasSuffix(address, ":443") {
				return p.dial(ctx, "tls.sock")
			}
			return p.dial(ctx, "plain.sock")
		},
	}
}

// TestProxies: connections work as they do without a proxy.
func TestProxies(t *testing.T) {
	for _, test := range proxies {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			needProgram(t, test.name)
			pongs := make(chan struct{}, 1000)
			certificate := newCertificate(t, host)
			p := &proxy{
				server: serveHTTP(t, conn.AcceptOptions{Options: conn.Options{PingInterval: conn.NoLimit}}),
				lively: serve(t, conn.AcceptOptions{Options: conn.Options{
					PingInterval: idle / 10,
					PongTimeout:  conn.NoLimit,
					Hooks:        &conn.Hooks{OnPong: func(*conn.Conn, time.Duration) { pongs <- struct{}{} }},
				}}),
				pongs: pongs,
				tls:   &tls.Config{RootCAs: certificate.pool},
			}

			dir := tempDir(t)
			values := strings.NewReplacer("DIR", dir, "IDLE", fmt.Sprint(idle), "SERVER", p.server.addr, "LIVELY", p.lively.addr)
			writeFile(t, dir, "config", values.Replace(test.config))
			writeFile(t, dir, "pem", certificate.pem)
			ended, _ := startProcess(t, exec.Command(test.name, test.args(dir)...))
			p.dial = func(ctx context.Context, socket string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, socket))
			}
			await(t, test.name+" to listen", ended, func() bool {
				nc, err := p.dial(t.Context(), "tls.sock")
				if err == nil {
					nc.Close()
				}
				return err == nil
			})

			t.Run("messages", func(t *testing.T) { testProxyMessages(t, p) })
			t.Run("the client closes", func(t *testing.T) { testProxyClose(t, p, frame.Client) })
			t.Run("the server closes", func(t *testing.T) { testProxyClose(t, p, frame.Server) })
			t.Run("the server breaks off", func(t *testing.T) { testProxyBreakOff(t, p) })
			t.Run("early octets", func(t *testing.T) { testProxyEarly(t, p) })
			t.Run("the server refuses", func(t *testing.T) { testProxyRefuse(t, p) })
			t.Run("the proxy forgets the upgrade", func(t *testing.T) { testProxyForgotten(t, p) })
			t.Run("the proxy closes on idle", func(t *testing.T) { testProxyIdle(t, p) })
			t.Run("the heartbeat keeps it open", func(t *testing.T) { testProxyHeartbeat(t, p) })
			t.Run("TLS ends at the proxy", func(t *testing.T) { testProxyTLS(t, p) })
		})
	}
}

// testProxyMessages: messages of all sizes pass, both ways.
func testProxyMessages(t *testing.T, p *proxy) {
	client, server := p.connect(t, "ws://"+host+"/ws?x=1", nil)
	if got := server.Target(); got != "/ws?x=1" {
		t.Errorf("Target() = %q", got)
	}
	for _, size := range []int{0, 125, 126, 65535, 65536, 1 << 20} {
		for _, ends := range [][2]*conn.Conn{{client, server}, {server, client}} {
			var written = make(chan error, 1)
			go func() { written <- ends[0].WriteMessage(t.Context(), frame.OpText, []byte(text(size))) }()
			wantMessage(t, ends[1], frame.OpText, text(size))
			if err := <-written; err != nil {
				t.Fatal(err)
			}
		}
	}
}

// testProxyClose: the other end sees code and reason.
func testProxyClose(t *testing.T, p *proxy, by frame.Role) {
	for _, code := range []frame.CloseCode{1000, 1001, 1013, 4999, frame.CloseNoStatusReceived} {
		reason := "because"
		if code == frame.CloseNoStatusReceived {
			reason = ""
		}
		closing, other := p.connect(t, "ws://"+host+"/", nil)
		if by == frame.Server {
			closing, other = other, closing
		}
		done := make(chan error, 1)
		go func() { done <- closing.Close(code, reason) }()
		if end := wantClosed(t, other, conn.CloseError{Code: code, Reason: reason, By: conn.Peer}); end.Err != nil {
			t.Errorf("%v: %v", code, end)
		}
		if err := <-done; err != nil {
			t.Errorf("Close(%v): %v", code, err)
		}
	}
}

// testProxyBreakOff: a server that breaks off is 1006 for the client.
func testProxyBreakOff(t *testing.T, p *proxy) {
	client, server := p.connect(t, "ws://"+host+"/", nil)
	server.CloseNow()
	wantClosed(t, client, conn.CloseError{Code: frame.CloseAbnormalClosure, By: conn.Network})
}

// testProxyEarly: what is sent together with the handshake arrives, from either
// end.
func testProxyEarly(t *testing.T, p *proxy) {
	nc, err := p.dial(t.Context(), "plain.sock")
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(patience))
	io.WriteString(nc, "GET / HTTP/1.1\r\nHost: "+host+"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"+
		"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58") // RFC 6455, Section 5.7
	server := p.server.next(t)
	wantMessage(t, server, frame.OpText, "Hello")

	client, server := p.connect(t, "ws://"+host+"/", nil)
	write(t, server, frame.OpText, "welcome")
	go server.Close(4000, "and bye")
	wantMessage(t, client, frame.OpText, "welcome")
	wantClosed(t, client, conn.CloseError{Code: 4000, Reason: "and bye", By: conn.Peer})
}

// testProxyRefuse: the client sees the answer of the server.
func testProxyRefuse(t *testing.T, p *proxy) {
	refused := wantRefused(t, "ws://"+host+"/refuse", p.options(nil))
	if refused.Status != http.StatusUnauthorized || refused.Body != "who is it" {
		t.Errorf("Dial: %#v", refused)
	}
}

// wantRefused dials in vain.
func wantRefused(t *testing.T, url string, o *conn.DialOptions) *conn.RefusedError {
	t.Helper()
	c, err := conn.Dial(t.Context(), url, o)
	if err == nil {
		c.CloseNow()
		t.Fatalf("Dial(%s) succeeded", url)
	}
	refused, ok := errors.AsType[*conn.RefusedError](err)
	if !ok {
		t.Fatalf("Dial(%s): %v; want a RefusedError", url, err)
	}
	return refused
}

// testProxyForgotten: a proxy that is not configured for upgrades makes our server
// ask for one (RFC 9110, Section 15.5.22).
func testProxyForgotten(t *testing.T, p *proxy) {
	if refused := wantRefused(t, "ws://"+host+"/forgotten", p.options(nil)); refused.Status != http.StatusUpgradeRequired {
		t.Errorf("Dial: %v; want %d", refused, http.StatusUpgradeRequired)
	}
}

// testProxyIdle: a proxy ends what it thinks is idle without a Close frame, which
// both ends are told.
func testProxyIdle(t *testing.T, p *proxy) {
	client, server := p.connect(t, "ws://"+host+"/idle", nil)
	for _, c := range []*conn.Conn{client, server} {
		if end := wantClosed(t, c, conn.CloseError{Code: frame.CloseAbnormalClosure, By: conn.Network}); !errors.Is(end, io.ErrUnexpectedEOF) && !errors.Is(end, syscall.ECONNRESET) {
			t.Errorf("%v; want ErrUnexpectedEOF or ECONNRESET", end)
		}
	}
}

// testProxyHeartbeat: the heartbeat of the server keeps a silent connection open.
func testProxyHeartbeat(t *testing.T, p *proxy) {
	client := dial(t, "ws://"+host+"/heartbeat", p.options(nil))
	go p.lively.next(t).Discard(t.Context())
	read := make(chan error, 1)
	go func() {
		_, _, err := client.ReadMessage(t.Context())
		read <- err
	}()
	for range 15 {
		select {
		case <-p.pongs:
		case err := <-read:
			t.Fatalf("ReadMessage: %v", err)
		case <-time.After(patience):
			t.Fatal("no pong came")
		}
	}
	if err := client.Close(frame.CloseNormalClosure, ""); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// testProxyTLS: the server sees a request without TLS whose Origin has https and
// whose Host has no port. It is of the same host all the same, and other hosts
// are not.
func testProxyTLS(t *testing.T, p *proxy) {
	client, server := p.connect(t, "wss://"+host+"/", http.Header{"Origin": {"https://" + host}})
	write(t, client, frame.OpText, "over TLS")
	wantMessage(t, server, frame.OpText, "over TLS")
	for _, origin := range []string{"https://evil.test", "https://" + host + ":8443", "null"} {
		if refused := wantRefused(t, "wss://"+host+"/", p.options(http.Header{"Origin": {origin}})); refused.Status != http.StatusForbidden {
			t.Errorf("Origin %s: %v", origin, refused)
		}
	}
}
