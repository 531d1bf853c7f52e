package conn_test

import (
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"github.com/google/go-cmp/cmp"
)

// said plays one side of a conversation: octets in hexadecimal, in turn those
// that must come and those to answer with.
func said(turns ...string) script {
	return func(t testing.TB, nc net.Conn) {
		for i, turn := range turns {
			b, err := hex.DecodeString(turn)
			if err != nil {
				t.Error(err)
			}
			if i%2 == 1 {
				nc.Write(b)
				continue
			}
			got := make([]byte, len(b))
			if n, err := io.ReadFull(nc, got); err != nil || string(got) != string(b) {
				t.Errorf("the proxy got %x, %v; want %s", got[:n], err, turn)
				return
			}
		}
	}
}

func TestSOCKS5(t *testing.T) {
	const bound = "05000001c000020104d2" // 192.0.2.1:1234
	user := url.UserPassword("me", "secret")
	for _, tt := range []struct {
		name, url string
		scheme    string
		user      *url.Userinfo
		turns     []string
	}{
		{name: "name", url: "ws://h.example:81/", turns: []string{"050100", "0500", "050100030968" + "2e6578616d706c65" + "0051", bound}},
		{name: "socks5h", scheme: "socks5h", url: "ws://h/", turns: []string{"050100", "0500", "05010003" + "0168" + "0050", bound}},
		{name: "IPv4", url: "ws://192.0.2.7/", turns: []string{"050100", "0500", "05010001c00002070050", bound}},
		{name: "IPv6", url: "ws://[2001:db8::1]:65535/", turns: []string{"050100", "0500", "05010004" + "20010db8000000000000000000000001" + "ffff", bound}},
		{name: "bound to IPv6", url: "ws://h/", turns: []string{"050100", "0500", "0501000301680050", "05000004" + "20010db8000000000000000000000001" + "0001"}},
		{name: "bound to a name", url: "ws://h/", turns: []string{"050100", "0500", "0501000301680050", "05000003" + "0478787878" + "0001"}},
		{name: "bound to an empty name", url: "ws://h/", turns: []string{"050100", "0500", "0501000301680050", "05000003" + "00" + "0001"}},
		{name: "wss", url: "wss://h/", turns: []string{"050100", "0500", "05010003016801bb", bound}},
		{name: "password", url: "ws://h/", user: user, turns: []string{"05020002", "0502", "01026d6506736563726574", "0100", "0501000301680050", bound}},
		{name: "password not wanted", url: "ws://h/", user: user, turns: []string{"05020002", "0500", "0501000301680050", bound}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cert, config := certificate(t, "h", time.Hour, x509.NewCertPool())
				inside := answer(switching + "\r\n\x81\x05hello")
				if strings.HasPrefix(tt.url, "wss") {
					inside = overTLS(cert, inside)
				}
				if tt.scheme == "" {
					tt.scheme = "socks5"
				}
				c, n, err := dialScript(t, tt.url, &conn.DialOptions{
					TLS: config, Proxy: http.ProxyURL(&url.URL{Scheme: tt.scheme, Host: "p", User: tt.user}),
				}, func(t testing.TB, nc net.Conn) {
					said(tt.turns...)(t, nc)
					inside(t, nc)
				})
				if err != nil {
					t.Fatal(err)
				}
				defer c.CloseNow()
				if _, p, err := c.ReadMessage(t.Context()); string(p) != "hello" || err != nil {
					t.Errorf("ReadMessage() = _, %q, %v; want hello", p, err)
				}
				if diff := cmp.Diff([]string{"tcp p:1080"}, n.addresses); diff != "" {
					t.Errorf("addresses mismatch (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestSOCKS5Errors: a SOCKS proxy that refuses, or speaks otherwise.
func TestSOCKS5Errors(t *testing.T) {
	for _, tt := range []struct {
		name  string
		user  *url.Userinfo
		turns []string
	}{
		{name: "version 4", turns: []string{"050100", "0400"}},
		{name: "HTTP", turns: []string{"050100", "48545450"}},
		{name: "no method", turns: []string{"050100", "05ff"}},
		{name: "method not offered", turns: []string{"050100", "0502"}},
		{name: "GSSAPI", turns: []string{"050100", "0501"}},
		{name: "password refused", user: url.UserPassword("a", "b"), turns: []string{"05020002", "0502", "0101610162", "0101"}},
		{name: "password version", user: url.UserPassword("a", "b"), turns: []string{"05020002", "0502", "0101610162", "0500"}},
		{name: "general failure", turns: []string{"050100", "0500", "0501000301680050", "05010001000000000000"}},
		{name: "refused", turns: []string{"050100", "0500", "0501000301680050", "05050001000000000000"}},
		{name: "failure 9", turns: []string{"050100", "0500", "0501000301680050", "05090001000000000000"}},
		{name: "failure 255", turns: []string{"050100", "0500", "0501000301680050", "05ff0001000000000000"}},
		{name: "reply version", turns: []string{"050100", "0500", "0501000301680050", "04000001000000000000"}},
		{name: "reserved octet", turns: []string{"050100", "0500", "0501000301680050", "05000101000000000000"}},
		{name: "address type", turns: []string{"050100", "0500", "0501000301680050", "05000002000000000000"}},
		{name: "silence", turns: []string{"050100", "05"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, _, err := dialScript(t, "ws://h/", &conn.DialOptions{Proxy: http.ProxyURL(&url.URL{Scheme: "socks5", Host: "p", User: tt.user})}, said(tt.turns...))
				if err == nil || errors.Is(err, conn.ErrURL) {
					t.Errorf("Dial() = %v", err)
				}
			})
		})
	}
	// The end after any number of octets is an error that says so.
	const talk = "0502" + "0100" + "05000003" + "0161" + "0001"
	for n := range len(talk) / 2 {
		synctest.Test(t, func(t *testing.T) {
			_, _, err := dialScript(t, "ws://h/", &conn.DialOptions{Proxy: http.ProxyURL(&url.URL{Scheme: "socks5", Host: "p", User: url.UserPassword("a", "b")})},
				func(t testing.TB, nc net.Conn) {
					said("", talk[:2*n])(t, nc)
					nc.(*conntest.End).CloseWrite()
				})
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("after %d octets Dial() = %v; want %v", n, err, io.ErrUnexpectedEOF)
			}
		})
	}
}
