package conn

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"time"

	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

// maxRedirects is how many redirects are followed at most.
const maxRedirects = 5

// DialOptions configures [Dial], [DialConn] and [Redial]. A nil *DialOptions and
// the zero value both mean the defaults. It is not modified, and may be used by
// several calls at a time.
type DialOptions struct {
	// Options configures the connection. Its HandshakeTimeout limits all of a
	// dial: connecting, proxy, TLS, request, response and redirects.
	Options

	// Subprotocols are the names to ask for, the preferred one first (RFC 6455,
	// Section 1.9); see [Conn.Subprotocol] for the server's choice. Empty asks
	// for none.
	Subprotocols []string

	// Header holds more fields of the request, such as Origin, Cookie or
	// Authorization. Those of the handshake itself cannot be given: that is
	// [handshake.ErrField].
	Header http.Header

	// Host is the value of the Host field, for a server that is reached under
	// another name. Empty means the host of the URL. TLS still checks the host
	// of the URL: see TLS.
	Host string

	// Jar supplies the cookies of the request, besides those in Header, and is
	// given those of the response. It sees http for ws and https for wss. Nil
	// means none.
	Jar http.CookieJar

	// TLS configures wss; it is cloned. Nil and an empty ServerName mean to
	// check the certificate for the host of the URL. NextProtos is always
	// http/1.1. An https proxy is reached with it, too, except that its
	// certificate is checked for the host of the proxy.
	TLS *tls.Config

	// NetDial connects to the server, or to the proxy if there is one: network is
	// tcp, address a host and port. It must return when ctx ends. With it a
	// connection can go over a Unix socket, or anything else that is a [net.Conn].
	// Nil means [net.Dialer.DialContext].
	NetDial func(ctx context.Context, network, address string) (net.Conn, error)

	// Proxy chooses the proxy of a request, whose URL has http for ws and https
	// for wss. The schemes of a proxy are http and https (CONNECT, RFC 9110,
	// Section 9.3.6), socks5 and socks5h (RFC 1928; both leave it to the proxy
	// to resolve names), and its user information is what it is told (RFC 7617,
	// RFC 1929). A nil URL means none.
	//
	// A nil function means [http.ProxyFromEnvironment]: HTTP_PROXY for ws,
	// HTTPS_PROXY for wss, either of any scheme above, except for the hosts in
	// NO_PROXY and for loopback; ALL_PROXY is not looked at, and the environment
	// is read once. http.ProxyURL(nil) switches proxies off.
	Proxy func(*http.Request) (*url.URL, error)

	// ProxyHeader holds more fields of the CONNECT request. It is restricted as
	// Header is.
	ProxyHeader http.Header

	// MaxRedirects is how many redirects [Dial] follows, at most 5. Zero means
	// none: a redirect is a [*RefusedError]. They are never followed from wss to
	// ws. To another origin (RFC 6454) go neither Authorization and Cookie of
	// Header, nor Host and the user information of the URL; other fields do.
	MaxRedirects int

	// OnResponse is called with the response that opens the connection, after
	// it was checked. An error of it ends the dial. r is valid until it returns,
	// the strings in it for ever. Nil means none.
	OnResponse func(r *handshake.Response) error
}

// Dial connects to the server of a WebSocket URI and does the opening handshake
// (RFC 6455, Sections 3 and 4.1). The scheme of url is ws or wss, or http or https
// for the same. User information in it becomes Basic authorization, unless Header
// has an Authorization. The caller must close the connection.
//
// When ctx ends the dial ends at once; after it ctx does not matter. An
// [httptrace.ClientTrace] in ctx is told of GetConn, DNS, connecting, TLS,
// GotConn, WroteHeaders, WroteRequest, GotFirstResponseByte and Got1xxResponse.
//
// The error is a [*RefusedError] if the server answers with a status other than
// 101. It is [ErrURL], [deflate.ErrWindowBits] or a [*handshake.Error] whose Status
// is not 0, for a URL or an option that cannot be used; then no connection was
// made. Otherwise it tells how far the dial came, and wraps a [*handshake.Error] or
// [deflate.ErrAnswer] for a broken rule, the
// [context.Cause] if ctx ended, [context.DeadlineExceeded] after
// Options.HandshakeTimeout, a *RefusedError if the proxy refused, or the error of
// the network or of TLS.
func Dial(ctx context.Context, url string, o *DialOptions) (*Conn, error) {
	d, err := newDialing(ctx, url, o)
	if err != nil {
		return nil, err
	}
	ctx, cancel := d.limit(ctx)
	defer cancel()
	for {
		c, err := d.dial(ctx)
		if err != errMoved {
			return c, err
		}
	}
}

// DialConn does the opening handshake of [Dial] over nc, as whatever the caller
// made it: there is no TLS unless nc does it, no proxy, and no redirect is
// followed. The error is that of Dial. DialConn takes ownership of nc, and closes
// it when it returns an error.
func DialConn(ctx context.Context, nc net.Conn, url string, o *DialOptions) (*Conn, error) {
	d, err := newDialing(ctx, url, o)
	if err != nil {
		nc.Close()
		return nil, err
	}
	d.redirects = 0
	ctx, cancel := d.limit(ctx)
	defer cancel()
	return d.upgrade(ctx, nc, nil)
}

// A dialing is one call of [Dial] or [DialConn].
type dialing struct {
	o         *DialOptions
	options   *Options // with defaults
	trace     *httptrace.ClientTrace
	redirects int // that may still be followed

	to     location
	host   string      // DialOptions.Host, while it is for that location
	header http.Header // DialOptions.Header, as far as it is

	offer   handshake.Offer
	request []byte // of getBuffer
	stage   string // what is being done, for errors
}

// newDialing prepares a dial. Its errors are those of the caller.
func newDialing(ctx context.Context, url string, o *DialOptions) (*dialing, error) {
	o = cmp.Or(o, &DialOptions{})
	options := o.Options.withDefaults(frame.Client)
	d := &dialing{
		o:         o,
		options:   &options,
		trace:     cmp.Or(httptrace.ContextClientTrace(ctx), &httptrace.ClientTrace{}),
		redirects: min(max(o.MaxRedirects, 0), maxRedirects),
		host:      o.Host,
		header:    make(http.Header, len(o.Header)+2),
	}
	for name, value := range handshake.Lines(o.Header) {
		d.header.Add(name, value)
	}
	if options.Compression != nil {
		if err := options.Compression.Validate(); err != nil {
			return nil, fmt.Errorf("conn: dial: %w", err)
		}
	}
	var err error
	if d.to, err = locate(noBase, url); err != nil {
		return nil, err
	}
	return d, d.prepare()
}

// noBase is what a URL that must be absolute is relative to.
var noBase = &url.URL{}

// errHandshakeTimeout is the cause when Options.HandshakeTimeout is over.
var errHandshakeTimeout = fmt.Errorf("longer than Options.HandshakeTimeout: %w", context.DeadlineExceeded)

// limit returns ctx with the timeout of the handshake.
func (d *dialing) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if d.options.HandshakeTimeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, d.options.HandshakeTimeout, errHandshakeTimeout)
}

// fail says how far the dial came. If it was ended by ctx, that is the reason for
// err.
func (d *dialing) fail(ctx context.Context, err error) error {
	if t, ok := ctx.Deadline(); ok && !time.Now().Before(t) {
		<-ctx.Done() // others with the same deadline may have been quicker
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return fmt.Errorf("conn: dial: %s: %w", d.stage, err)
}

// prepare makes the request, so that what cannot be sent is known before there is
// a connection.
func (d *dialing) prepare() error {
	extra := maps.Clone(d.header)
	if _, ok := extra["Authorization"]; d.to.user != nil && !ok {
		v, err := basic(d.to.user)
		if err != nil {
			return err
		}
		extra.Set("Authorization", v)
	}
	if d.o.Jar != nil {
		var r http.Request
		r.Header = http.Header{}
		for _, c := range d.o.Jar.Cookies(&d.to.web) {
			r.AddCookie(c)
		}
		// RFC 6265, Section 5.4: there is one Cookie field at most.
		if cookies := slices.Concat(extra["Cookie"], r.Header["Cookie"]); len(cookies) > 0 {
			extra.Set("Cookie", strings.Join(cookies, "; "))
		}
	}
	d.offer = handshake.Offer{
		Target:       d.to.target(),
		Host:         cmp.Or(d.host, d.to.authority()),
		Key:          handshake.NewKey(),
		Subprotocols: d.o.Subprotocols,
		Extra:        handshake.Lines(extra),
	}
	if d.options.Compression != nil {
		d.offer.Extensions = []handshake.Extension{d.options.Compression.Offer()}
	}
	d.stage = "request"
	request, err := handshake.AppendRequest(getBuffer(0), &d.offer)
	if err != nil {
		putBuffer(request)
		return d.fail(context.Background(), err)
	}
	d.request = request
	return nil
}

// dial connects to the server and does the handshake.
func (d *dialing) dial(ctx context.Context) (*Conn, error) {
	if d.trace.GetConn != nil {
		d.trace.GetConn(d.to.address())
	}
	nc, early, err := d.connect(ctx)
	if err != nil {
		return nil, d.fail(ctx, err)
	}
	return d.upgrade(ctx, nc, early)
}

// connect returns a connection to the server, by way of a proxy if there is one
// and with TLS if the URL wants it, and the octets that came from it already.
func (d *dialing) connect(ctx context.Context) (nc net.Conn, early []byte, err error) {
	d.stage = "proxy"
	proxy, err := d.proxy(ctx)
	if err != nil {
		return nil, nil, err
	}
	d.stage = "connect"
	address, netDial := d.to.address(), d.o.NetDial
	if proxy != nil {
		address = proxy.address
	}
	if netDial == nil {
		netDial = new(net.Dialer).DialContext
	}
	raw, err := netDial(ctx, "tcp", address)
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { closeNow(raw) })
	defer stop()
	nc = raw
	if proxy != nil {
		nc, early, err = d.tunnel(ctx, raw, proxy)
	}
	if err == nil && d.to.secure() {
		if len(early) > 0 {
			nc, early = &prefixed{Conn: nc, prefix: early}, nil
		}
		d.stage = "TLS handshake"
		config := d.tlsConfig()
		config.ServerName = cmp.Or(config.ServerName, d.to.name())
		nc, err = d.startTLS(ctx, nc, config)
	}
	if err != nil {
		closeNow(raw)
		return nil, nil, err
	}
	return nc, early, nil
}

// tlsConfig returns a copy of DialOptions.TLS.
func (d *dialing) tlsConfig() *tls.Config {
	config := cmp.Or(d.o.TLS.Clone(), &tls.Config{})
	config.NextProtos = []string{"http/1.1"} // RFC 6455 is about no other
	return config
}

func (d *dialing) startTLS(ctx context.Context, nc net.Conn, config *tls.Config) (net.Conn, error) {
	if d.trace.TLSHandshakeStart != nil {
		d.trace.TLSHandshakeStart()
	}
	c := tls.Client(nc, config)
	err := c.HandshakeContext(ctx)
	if d.trace.TLSHandshakeDone != nil {
		d.trace.TLSHandshakeDone(c.ConnectionState(), err)
	}
	return c, err
}

// upgrade does the handshake over nc, of which early came already, and closes nc
// unless it returns a connection.
func (d *dialing) upgrade(ctx context.Context, nc net.Conn, early []byte) (*Conn, error) {
	stop := context.AfterFunc(ctx, func() { closeNow(nc) })
	h, err := d.exchange(nc, early)
	if err == nil && stop() {
		c := newConn(nc, frame.Client, &h, d.options, context.Background())
		c.begin(nil)
		return c, nil
	}
	stop()
	closeNow(nc)
	if _, refused := err.(*RefusedError); refused || err == errMoved {
		return nil, err
	}
	return nil, d.fail(ctx, err)
}

// exchange writes the request and reads the response. A status other than 101 is
// a bare *RefusedError, or errMoved for a redirect that is followed.
func (d *dialing) exchange(nc net.Conn, early []byte) (h Handshake, err error) {
	if d.trace.GotConn != nil {
		d.trace.GotConn(httptrace.GotConnInfo{Conn: nc})
	}
	d.stage = "request"
	_, err = nc.Write(d.request)
	putBuffer(d.request)
	d.request = nil
	if err == nil && d.trace.WroteHeaders != nil {
		d.trace.WroteHeaders()
	}
	if d.trace.WroteRequest != nil {
		d.trace.WroteRequest(httptrace.WroteRequestInfo{Err: err})
	}
	if err != nil {
		return h, err
	}

	d.stage = "response"
	heads := headReader{r: nc, buf: append(getBuffer(len(early)), early...), trace: d.trace}
	defer heads.release()
	r, err := heads.final()
	if err != nil {
		return h, err
	}
	if cookies := r.Header.Values("Set-Cookie"); d.o.Jar != nil && len(cookies) > 0 {
		d.o.Jar.SetCookies(&d.to.web, (&http.Response{Header: http.Header{"Set-Cookie": cookies}}).Cookies())
	}
	if r.Status != http.StatusSwitchingProtocols {
		refused := &RefusedError{Status: r.Status, Header: httpHeader(r)}
		if d.follows(r.Status) {
			return h, d.redirect(refused)
		}
		refused.Body = heads.body(nc)
		return h, refused
	}
	if err := r.Validate(&d.offer); err != nil {
		return h, err
	}
	if err := d.confirm(r, &h); err != nil {
		return h, err
	}
	if d.o.OnResponse != nil {
		if err := d.o.OnResponse(r); err != nil {
			return h, err
		}
	}
	h.Target = d.offer.Target
	h.Subprotocol = strings.Clone(r.Subprotocol()) // not all of the head
	if rest := heads.rest(); len(rest) > 0 {
		h.Early = append(getBuffer(len(rest)), rest...)
	}
	return h, nil
}

// confirm notes in h which extensions were agreed on.
func (d *dialing) confirm(r *handshake.Response, h *Handshake) error {
	agreed, err := r.Extensions()
	for _, e := range agreed { // of those offered: permessage-deflate at most
		params, err := d.options.Compression.Confirm(e)
		if err != nil {
			return err
		}
		h.Deflate = &params
		e = handshake.Extension{Name: deflate.Name, Params: slices.Clone(e.Params)}
		for i, p := range e.Params {
			e.Params[i] = handshake.Param{Name: strings.Clone(p.Name), Value: strings.Clone(p.Value)} // not all of the head
		}
		h.Extensions = append(h.Extensions, e)
	}
	return err
}

// follows reports whether a response with status is a redirect to be followed.
func (d *dialing) follows(status int) bool {
	switch status {
	case 301, 302, 303, 307, 308:
		return d.redirects > 0
	}
	return false
}

// errMoved says that the dial goes on at another location.
var errMoved = errors.New("conn: moved")

// redirect makes the dial one to where refused points, and returns errMoved. If
// it cannot, refused is part of the error.
func (d *dialing) redirect(refused *RefusedError) error {
	d.stage = "redirect"
	lines := refused.Header["Location"]
	if len(lines) != 1 {
		return fmt.Errorf("not exactly one Location: %w", refused)
	}
	to, err := locate(&d.to.web, lines[0])
	switch {
	case err != nil:
		return fmt.Errorf("Location: %v: %w", err, refused) // not the caller's ErrURL
	case to.user != nil:
		return fmt.Errorf("Location has user information: %w", refused)
	case d.to.secure() && !to.secure():
		return fmt.Errorf("Location has a weaker scheme: %w", refused)
	case d.to.sameOrigin(&to):
		to.user = d.to.user
	default:
		d.host = ""
		d.header.Del("Authorization")
		d.header.Del("Cookie")
	}
	d.to = to
	d.redirects--
	if err := d.prepare(); err != nil {
		return fmt.Errorf("Location: %v: %w", err, refused)
	}
	return errMoved
}
