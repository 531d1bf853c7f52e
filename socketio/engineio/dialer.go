package engineio

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/socketio/engineio/codec"
)

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
	s = &Session{settings: &d.settings, id: w.ID, revision: d.revision, queue: new(queue), head: head{text: string(appendField(nil, d.url.Host))}}
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
	go (&reader{s: s, c: c}).run()
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

// get polls.
func (d *dialer) get(ctx context.Context, target string) ([]codec.Packet, error) {
	b, contentType, err := d.do(ctx, http.MethodGet, target, "", nil)
	switch {
	case err != nil:
		return nil, err
	case d.revision == codec.V3 && strings.HasPrefix(contentType, "application/octet-stream"):
		return codec.ParseBinaryPayload(b, d.settings.maxPackets)
	}
	return codec.ParsePayload(d.revision, b, d.settings.maxPackets)
}

// post sends a payload.
func (d *dialer) post(ctx context.Context, target, contentType string, payload []byte) error {
	_, _, err := d.do(ctx, http.MethodPost, target, contentType, payload)
	return err
}

// errTooLarge is a response that is longer than DialOptions.MaxPayload.
var errTooLarge = errors.New("engineio: response longer than DialOptions.MaxPayload")

// do sends a request and returns the body of the response.
func (d *dialer) do(ctx context.Context, method, target, contentType string, payload []byte) (b []byte, answerType string, err error) {
	r, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(payload))
	if err != nil {
		return nil, "", err
	}
	for name, values := range d.options.Header {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	response, err := d.http.Do(r)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the URL, which has the id of the session
		}
		return nil, "", err
	}
	defer response.Body.Close()
	most := int64(d.settings.maxPayload)
	b, err = io.ReadAll(io.LimitReader(response.Body, most+1))
	switch {
	case err != nil:
		return nil, "", err
	case int64(len(b)) > most:
		return nil, "", errTooLarge
	case response.StatusCode != http.StatusOK:
		return nil, "", refusedBy(response.StatusCode, b)
	}
	return b, response.Header.Get("Content-Type"), nil
}

// refusedBy is the error of a server's refusal.
func refusedBy(status int, b []byte) *RefusedError {
	r := RefusedError{Status: status, Code: BadRequest}
	var told struct {
		Code    ErrorCode
		Message string
	}
	if json.Unmarshal(b, &told) == nil {
		r.Code, r.Message = told.Code, told.Message
	}
	return &r
}
