package engineio

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strconv"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/socketio/engineio/codec"
)

// DialOptions configures [Dial]. It is not modified, and may be used by several
// calls at a time.
type DialOptions struct {
	// Handler is called when the session is open, and returns the receiver of its
	// messages. It may send already.
	Handler func(s *Session) Receiver

	// Transports are those to use, in this order: the next one is tried when one
	// cannot be connected, if TryAllTransports is set. Nil means polling, then
	// WebSocket.
	Transports       []Transport
	TryAllTransports bool

	// NoUpgrade keeps a session that began with polling there.
	NoUpgrade bool

	// EIO3 speaks revision 3, to servers of Socket.IO 2.
	EIO3 bool

	// Header holds more fields of each request, such as Cookie or Authorization.
	Header http.Header

	// Jar keeps cookies; nil means a jar of the session's own, so that proxies that
	// tell sessions by a cookie work.
	Jar http.CookieJar

	// HTTP is used for polling, except that its Jar is not and that redirects are
	// not followed. Nil means a client of the session's own.
	HTTP *http.Client

	// TLS configures wss and, unless HTTP is set, https; it is cloned. Nil means the
	// defaults.
	TLS *tls.Config

	// NetDial connects a WebSocket and, unless HTTP is set, for polling: see
	// [conn.DialOptions]. Nil means [net.Dialer.DialContext].
	NetDial func(ctx context.Context, network, address string) (net.Conn, error)

	// Timeout limits Dial as a whole. Zero means 20 seconds.
	Timeout time.Duration

	// RequestTimeout limits each polling request that sends packets; the heartbeat
	// limits the others. Zero means 20 seconds.
	RequestTimeout time.Duration

	// UpgradeTimeout limits an upgrade from polling to WebSocket, after which the
	// session goes on polling. Zero means 10 seconds.
	UpgradeTimeout time.Duration

	// MaxPayload limits what the server sends at once, in octets: a response, or a
	// message of a WebSocket. Zero means 16 MiB.
	MaxPayload int

	// MaxPackets limits the packets in a response. Zero means 16384.
	MaxPackets int

	// MaxQueuedSize and MaxQueuedPackets limit what waits to be sent, in octets and
	// in packets. Zero means 1 MiB and 1024.
	MaxQueuedSize, MaxQueuedPackets int

	// Compression is what to agree on with the peer for permessage-deflate (RFC
	// 7692). Nil means not to compress what goes over a WebSocket.
	Compression *conn.Compression

	// Logger gets a record for a Receiver that panicked. Nil means none.
	Logger *slog.Logger
}

// Dial begins a session with a server. The scheme of url is http, https, ws or wss;
// an empty path means /engine.io/. Its query is part of each request. A nil o, or
// one without a Handler, has messages passed over.
//
// It returns when the session is open, on the first transport; an upgrade goes on
// behind it. When ctx ends before, the error is its cause; afterwards ctx does not
// matter. The error is a [*RefusedError] if the server refuses, [conn.ErrURL] for a
// URL that cannot be used, and otherwise says what could not be done.
func Dial(ctx context.Context, url string, o *DialOptions) (*Session, error) {
	d, err := newDialer(url, o)
	if err != nil {
		return nil, err
	}
	if d.options.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.options.Timeout)
		defer cancel()
	}
	var failed error
	for _, t := range d.options.Transports {
		s, err := d.dial(ctx, t)
		if err == nil {
			return s, nil
		}
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		failed = errors.Join(failed, fmt.Errorf("engineio: dial by %s: %w", t, err))
		if !d.options.TryAllTransports || ctx.Err() != nil {
			break
		}
	}
	d.forget(nil)
	return nil, failed
}

// withDefaults returns a copy with every field filled in, as that of [Options].
func (o *DialOptions) withDefaults() DialOptions {
	var f DialOptions
	if o != nil {
		f = *o
	}
	limit(&f.Timeout, 20*time.Second, 0)
	limit(&f.RequestTimeout, 20*time.Second, 0)
	limit(&f.UpgradeTimeout, 10*time.Second, 0)
	limit(&f.MaxPayload, 16<<20, math.MaxInt32)
	limit(&f.MaxPackets, 16384, math.MaxInt)
	limit(&f.MaxQueuedSize, 1<<20, math.MaxInt)
	limit(&f.MaxQueuedPackets, 1024, math.MaxInt)
	if len(f.Transports) == 0 {
		f.Transports = []Transport{Polling, WebSocket}
	}
	if f.Handler == nil {
		f.Handler = func(*Session) Receiver { return deaf{} }
	}
	if f.Logger == nil {
		f.Logger = slog.New(slog.DiscardHandler)
	}
	return f
}

// A dialer makes the requests of one session.
type dialer struct {
	options  DialOptions // with defaults
	settings settings
	revision codec.Revision
	url      url.URL // with http or https
	http     *http.Client
	own      *http.Transport // of http, if it is the session's own
}

func newDialer(raw string, o *DialOptions) (*dialer, error) {
	d := &dialer{options: o.withDefaults(), revision: codec.V4}
	if d.options.EIO3 {
		d.revision = codec.V3
	}
	if err := d.parseURL(raw); err != nil {
		return nil, err
	}
	if d.options.Jar == nil {
		d.options.Jar, _ = cookiejar.New(nil) // has no errors
	}
	if d.options.HTTP != nil {
		c := *d.options.HTTP
		d.http = &c
	} else {
		d.own = &http.Transport{
			Proxy:             http.ProxyFromEnvironment,
			DialContext:       d.options.NetDial,
			TLSClientConfig:   d.options.TLS.Clone(),
			ForceAttemptHTTP2: true,
		}
		d.http = &http.Client{Transport: d.own}
	}
	d.http.Jar = d.options.Jar
	d.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	d.settings = settings{
		role:             frame.Client,
		maxQueuedPackets: d.options.MaxQueuedPackets,
		maxQueued:        d.options.MaxQueuedSize,
		maxPayload:       d.options.MaxPayload,
		maxPackets:       d.options.MaxPackets,
		writeTimeout:     10 * time.Second,
		upgradeTimeout:   d.options.UpgradeTimeout,
		closeTimeout:     10 * time.Second,
		handler:          d.options.Handler,
		forget:           d.forget,
		logger:           d.options.Logger,
		began:            time.Now(),
	}
	return d, nil
}

// forget lets the connections end that are kept for more requests.
func (d *dialer) forget(*Session) {
	if d.own != nil {
		d.own.CloseIdleConnections()
	}
}

func (d *dialer) parseURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return fmt.Errorf("engineio: dial: %w", conn.ErrURL)
	}
	switch u.Scheme {
	case "http", "ws":
		u.Scheme = "http"
	case "https", "wss":
		u.Scheme = "https"
	default:
		return fmt.Errorf("engineio: dial: %w: scheme", conn.ErrURL)
	}
	if u.Path == "" {
		u.Path = "/engine.io/"
	}
	u.Fragment = ""
	d.url = *u
	return nil
}

// target returns the URL of a request.
func (d *dialer) target(t Transport, id string) string {
	u := d.url
	q := u.Query()
	q.Set("EIO", strconv.Itoa(int(d.revision)))
	q.Set("transport", string(t))
	q.Del("sid")
	if id != "" {
		q.Set("sid", id)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// dial begins a session by one transport.
func (d *dialer) dial(ctx context.Context, t Transport) (*Session, error) {
	switch t {
	case Polling:
		return d.dialPolling(ctx)
	case WebSocket:
		return d.dialWebSocket(ctx)
	}
	return nil, errors.ErrUnsupported
}

// session returns the session that a server's first packet begins.
func (d *dialer) session(p codec.Packet) (s *Session, w welcome, err error) {
	if p.Type != codec.Open {
		return nil, w, &RefusedError{Status: http.StatusOK, Code: BadRequest, Message: "no handshake"}
	}
	if err := json.Unmarshal(p.Data, &w); err != nil {
		return nil, w, fmt.Errorf("engineio: handshake: %w", err)
	}
	// Beyond a day in milliseconds a server means that it has no heartbeat.
	const day = 24 * 60 * 60 * 1000
	if w.ID == "" || w.PingInterval <= 0 || w.PingTimeout <= 0 {
		return nil, w, &RefusedError{Status: http.StatusOK, Code: BadRequest, Message: "incomplete handshake"}
	}
	s = &Session{settings: &d.settings, id: w.ID, revision: d.revision, remote: d.url.Host}
	s.beat = heartbeat{
		interval: time.Duration(min(w.PingInterval, day)) * time.Millisecond,
		timeout:  time.Duration(min(w.PingTimeout, day)) * time.Millisecond,
		pings:    d.revision == codec.V3,
	}
	return s, w, nil
}

// dialWebSocket begins a session on a WebSocket.
func (d *dialer) dialWebSocket(ctx context.Context) (*Session, error) {
	c, err := d.connect(ctx, "")
	if err != nil {
		return nil, err
	}
	s, err := d.welcome(ctx, c)
	if err != nil {
		c.CloseNow()
		return nil, err
	}
	s.begin(time.Now())
	s.mu.Lock()
	s.attach(c, false)
	s.mu.Unlock()
	s.farewell()
	go (&reader{s, c}).run()
	return s, nil
}

// welcome reads the server's first packet from a WebSocket.
func (d *dialer) welcome(ctx context.Context, c *conn.Conn) (*Session, error) {
	op, b, err := c.ReadMessage(ctx)
	if err != nil {
		return nil, err
	}
	p, err := parseMessage(d.revision, op, b)
	if err != nil {
		return nil, err
	}
	s, _, err := d.session(p)
	return s, err
}

// connect opens a WebSocket, for a session that has an id already or for a new one.
func (d *dialer) connect(ctx context.Context, id string) (*conn.Conn, error) {
	c, err := conn.Dial(ctx, d.target(WebSocket, id), &conn.DialOptions{
		Options: connOptions(&d.settings, d.options.Compression),
		Header:  d.options.Header,
		Jar:     d.options.Jar,
		TLS:     d.options.TLS,
		NetDial: d.options.NetDial,
	})
	if r, ok := errors.AsType[*conn.RefusedError](err); ok {
		return nil, &RefusedError{Status: r.Status, Code: BadRequest, Message: cmp.Or(r.Body, BadRequest.String())}
	}
	return c, err
}

// upgrades reports whether a session that polls is to move to a WebSocket.
func (d *dialer) upgrades(w welcome) bool {
	return !d.options.NoUpgrade && slices.Contains(d.options.Transports, WebSocket) && slices.Contains(w.Upgrades, WebSocket)
}
