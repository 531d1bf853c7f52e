package conn_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

type tlsState = tls.ConnectionState

// certificate returns a server's certificate for name, valid for that long, and
// the configuration of a client that trusts those in pool, which it joins.
func certificate(t testing.TB, name string, valid time.Duration, pool *x509.CertPool) (tls.Certificate, *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-2 * time.Hour),
		NotAfter:     time.Now().Add(valid),
		DNSNames:     []string{name},
		IPAddresses:  []net.IP{net.ParseIP("fe80::1")},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, &tls.Config{RootCAs: pool}
}

// overTLS plays a script inside TLS.
func overTLS(cert tls.Certificate, inside script, protocols ...string) script {
	return func(t testing.TB, nc net.Conn) {
		c := tls.Server(nc, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: protocols})
		if c.Handshake() == nil {
			inside(t, c)
		}
	}
}

func TestDialTLS(t *testing.T) {
	hello := answer(switching + "\r\n\x81\x05hello")
	for _, tt := range []struct {
		name, url, host string
		valid           time.Duration
		change          func(*tls.Config)
		protocols       []string
		fails           bool
	}{
		{name: "wss", url: "wss://h/", valid: time.Hour},
		{name: "https", url: "https://h:444/", valid: time.Hour},
		{name: "zone", url: "wss://[fe80::1%25en1]/", valid: time.Hour},
		{name: "another name", url: "wss://g/", valid: time.Hour, change: func(c *tls.Config) { c.ServerName = "h" }},
		{name: "Host field", url: "wss://h/", host: "g", valid: time.Hour},
		{name: "http/1.1 only", url: "wss://h/", valid: time.Hour, protocols: []string{"http/1.1"}},
		{name: "h2 or http/1.1", url: "wss://h/", valid: time.Hour, protocols: []string{"h2", "http/1.1"}, change: func(c *tls.Config) { c.NextProtos = []string{"h2"} }},
		{name: "K11 wrong host", url: "wss://g/", valid: time.Hour, fails: true},
		{name: "K11 wrong host with a Host field", url: "wss://g/", host: "h", valid: time.Hour, fails: true},
		{name: "K11 expired", url: "wss://h/", valid: -time.Hour, fails: true},
		{name: "K11 not trusted", url: "wss://h/", valid: time.Hour, change: func(c *tls.Config) { c.RootCAs = x509.NewCertPool() }, fails: true},
		{name: "K11 another protocol", url: "wss://h/", valid: time.Hour, protocols: []string{"acme-tls/1"}, fails: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cert, config := certificate(t, "h", tt.valid, x509.NewCertPool())
				if tt.change != nil {
					tt.change(config)
				}
				before := config.Clone()
				c, _, err := dialScript(t, tt.url, &conn.DialOptions{TLS: config, Host: tt.host}, overTLS(cert, hello, tt.protocols...))
				if (err != nil) != tt.fails {
					t.Fatalf("Dial() = %v", err)
				}
				if config.ServerName != before.ServerName || len(config.NextProtos) != len(before.NextProtos) {
					t.Error("the configuration was changed")
				}
				if err == nil {
					defer c.CloseNow()
					if _, p, err := c.ReadMessage(t.Context()); string(p) != "hello" || err != nil {
						t.Errorf("ReadMessage() = _, %q, %v; want hello", p, err)
					}
				}
			})
		})
	}
	t.Run("K11 h2 all the same", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			cert, config := certificate(t, "h", time.Hour, x509.NewCertPool())
			settings := func(t testing.TB, nc net.Conn) { io.WriteString(nc, "\x00\x00\x00\x04\x00\x00\x00\x00\x00") }
			_, _, err := dialScript(t, "wss://h/", &conn.DialOptions{TLS: config}, overTLS(cert, settings, "h2"))
			if !errors.Is(err, handshake.ErrHeader) {
				t.Errorf("Dial() = %v; want %v", err, handshake.ErrHeader)
			}
		})
	})
	t.Run("plain server", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			_, _, err := dialScript(t, "wss://h/", nil, func(t testing.TB, nc net.Conn) { nc.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) })
			if _, ok := errors.AsType[tls.RecordHeaderError](err); !ok {
				t.Errorf("Dial() = %v; want a tls.RecordHeaderError", err)
			}
		})
	})
}

// TestDialConnTLS: the caller's TLS is used, and given up without waiting for a
// server that does not read.
func TestDialConnTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cert, config := certificate(t, "h", time.Hour, x509.NewCertPool())
		config.ServerName = "h"
		for _, inside := range []script{answer(switching + "\r\n"), silent} {
			n := &network{t: t, scripts: []script{overTLS(cert, inside)}}
			nc, err := n.dial(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			c, err := conn.DialConn(t.Context(), tls.Client(nc, config), "wss://h/", nil)
			if err == nil {
				c.CloseNow()
			} else if d := time.Since(begin); d != 10*time.Second {
				t.Errorf("DialConn() = %v after %v; want 10s", err, d)
			}
		}
	})
}

// TestDialServer: the whole of it over loopback, with a Server.
func TestDialServer(t *testing.T) {
	cert, config := certificate(t, "localhost", time.Hour, x509.NewCertPool())
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	s := conn.Server{
		Options: &conn.AcceptOptions{Subprotocols: []string{"echo"}},
		Handler: func(c *conn.Conn) {
			for m, err := range c.Messages(c.Context()) {
				if err != nil || c.WriteMessage(c.Context(), m.Opcode, m.Payload) != nil {
					return
				}
			}
		},
	}
	go s.Serve(l)
	defer s.Shutdown(t.Context())
	_, port, _ := net.SplitHostPort(l.Addr().String())
	u := url.URL{Scheme: "wss", Host: net.JoinHostPort("localhost", port), Path: "/x"}
	connected := 0
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		ConnectDone: func(network, address string, err error) { connected++ },
	})
	c, err := conn.Dial(ctx, u.String(), &conn.DialOptions{
		TLS: config, Subprotocols: []string{"other", "echo"}, Header: http.Header{"Origin": {"https://" + u.Host}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if connected == 0 {
		t.Error("the trace was not told of the connection")
	}
	if c.Subprotocol() != "echo" {
		t.Errorf("Subprotocol() = %q; want echo", c.Subprotocol())
	}
	if err := c.WriteMessage(t.Context(), frame.OpText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if op, p, err := c.ReadMessage(t.Context()); op != frame.OpText || string(p) != "hello" || err != nil {
		t.Errorf("ReadMessage() = %v, %q, %v; want text, hello, nil", op, p, err)
	}
	if err := c.Close(frame.CloseNormalClosure, ""); err != nil {
		t.Error(err)
	}
}
