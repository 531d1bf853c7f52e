package conn

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"

	"example.org/rfc6455/handshake"
)

// A proxy is what stands between us and the server.
type proxy struct {
	secure  bool
	host    string
	address string
	request []byte  // CONNECT, unless it speaks SOCKS
	socks   *socks5 // nil unless it does
}

// proxy returns the proxy for the server; nil if there is none.
func (d *dialing) proxy(ctx context.Context) (*proxy, error) {
	choose := d.o.Proxy
	if choose == nil {
		choose = http.ProxyFromEnvironment
	}
	web := d.to.web
	r := http.Request{Method: http.MethodGet, URL: &web, Host: d.offer.Host, Header: http.Header{}}
	u, err := choose(r.WithContext(ctx))
	if u == nil || err != nil {
		return nil, err
	}
	if d.to.name() != d.to.host {
		return nil, urlError("its zone means nothing to a proxy")
	}
	var p proxy
	var standard string
	switch u.Scheme {
	case "http":
		standard = "80"
	case "https":
		standard, p.secure = "443", true
	case "socks5", "socks5h":
		standard = "1080"
	default:
		return nil, urlError("its scheme is not that of a proxy")
	}
	host, port, err := hostPort(u, standard)
	if err != nil {
		return nil, err
	}
	p.host, p.address = host, net.JoinHostPort(host, port)
	if standard == "1080" {
		p.socks, err = newSOCKS5(u.User, d.to.host, d.to.port)
	} else {
		p.request, err = d.connectRequest(u.User)
	}
	return &p, err
}

// connectRequest returns the request for a tunnel to the server (RFC 9110,
// Section 9.3.6).
func (d *dialing) connectRequest(user *url.Userinfo) ([]byte, error) {
	fields := http.Header{}
	for name, value := range handshake.Lines(d.o.ProxyHeader) {
		fields.Add(name, value)
	}
	if _, ok := fields["Proxy-Authorization"]; user != nil && !ok {
		v, err := basic(user)
		if err != nil {
			return nil, err
		}
		fields.Set("Proxy-Authorization", v)
	}
	b := []byte("CONNECT " + d.to.address() + " HTTP/1.1\r\nHost: " + d.to.address() + "\r\n")
	b, err := handshake.AppendFields(b, handshake.Lines(fields))
	if err != nil {
		return nil, err
	}
	return append(b, "\r\n"...), nil
}

// tunnel makes nc, a connection to p, one to the server. It returns the octets
// that the server sent already.
func (d *dialing) tunnel(ctx context.Context, nc net.Conn, p *proxy) (_ net.Conn, early []byte, err error) {
	if p.secure {
		d.stage = "TLS handshake with the proxy"
		config := d.tlsConfig()
		config.ServerName, _, _ = strings.Cut(p.host, "%")
		config.EncryptedClientHelloConfigList = nil // it is the server's
		if nc, err = d.startTLS(ctx, nc, config); err != nil {
			return nil, nil, err
		}
	}
	if p.socks != nil {
		d.stage = "SOCKS5"
		return nc, nil, p.socks.open(nc)
	}
	d.stage = "CONNECT"
	if _, err := nc.Write(p.request); err != nil {
		return nil, nil, err
	}
	heads := headReader{r: nc, buf: getBuffer(0), trace: &httptrace.ClientTrace{}}
	defer heads.release()
	r, err := heads.final()
	if err != nil {
		return nil, nil, err
	}
	if r.Status/100 != 2 {
		return nil, nil, &RefusedError{Status: r.Status, Header: httpHeader(r), Body: heads.body(nc)}
	}
	return nc, bytes.Clone(heads.rest()), nil
}

// A prefixed is a connection of which some octets were read already.
type prefixed struct {
	net.Conn
	prefix []byte
}

// NetConn returns the connection below, as that of a [*tls.Conn] does.
func (c *prefixed) NetConn() net.Conn { return c.Conn }

func (c *prefixed) Read(p []byte) (int, error) {
	if len(c.prefix) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.prefix)
	c.prefix = c.prefix[n:]
	return n, nil
}
