package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"time"

	"example.org/rfc6455/handshake"
)

const (
	// headTimeout limits how long a client may take for the head of its first
	// request, and for TLS before it.
	headTimeout = 10 * time.Second
	// lingerTimeout and lingerSize limit what a refused client may still send
	// while it reads why.
	lingerTimeout = 500 * time.Millisecond
	lingerSize    = 256 << 10
)

// A front is the listener of a server of net/http. It serves the connections that
// begin with a WebSocket handshake itself: package handshake is strict where
// net/http reads a head in more than one way, and hands out the bare socket. All
// others go to the server as they came. A connection that changes its mind and
// asks for an upgrade later is served by net/http, too.
type front struct {
	net.Listener
	handler http.Handler // of handshakes
	log     *slog.Logger

	plain  chan net.Conn
	failed chan error // of the listener
	ctx    context.Context
	cancel context.CancelFunc
}

// newFront begins to accept connections from l.
func newFront(l net.Listener, handler http.Handler, log *slog.Logger) *front {
	f := &front{Listener: l, handler: handler, log: log, plain: make(chan net.Conn), failed: make(chan error)}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	go f.run()
	return f
}

// Close closes the listener, and the connections whose first request has not come
// yet.
func (f *front) Close() error {
	f.cancel()
	return f.Listener.Close()
}

// Accept returns the next connection that is not a WebSocket handshake.
func (f *front) Accept() (net.Conn, error) {
	select {
	case nc := <-f.plain:
		return nc, nil
	case err := <-f.failed:
		return nil, err
	case <-f.ctx.Done():
		return nil, net.ErrClosed
	}
}

// run accepts connections until the front is closed. Errors are for the server to
// judge, which asks again after those that pass.
func (f *front) run() {
	for {
		nc, err := f.Listener.Accept()
		if err == nil {
			go f.serve(nc)
			continue
		}
		select {
		case f.failed <- err:
		case <-f.ctx.Done():
			return
		}
	}
}

// serve finds out what a connection begins with.
func (f *front) serve(nc net.Conn) {
	defer func() {
		if v := recover(); v != nil {
			f.log.Error("handshake panicked", "panic", v, "stack", string(debug.Stack()))
			nc.Close()
		}
	}()
	stop := context.AfterFunc(f.ctx, func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(headTimeout))
	if tc, ok := nc.(*tls.Conn); ok {
		// net/http speaks HTTP/2, and when TLS has failed it tells the log, and
		// those who speak none.
		if tc.HandshakeContext(f.ctx) != nil || tc.ConnectionState().NegotiatedProtocol == "h2" {
			stop()
			nc.SetDeadline(time.Time{})
			f.pass(tc)
			return
		}
	}
	b, head, err := readHead(nc)
	if !stop() || err != nil {
		nc.Close()
		return
	}
	nc.SetDeadline(time.Time{})
	if isHandshake(head) {
		f.open(nc, b)
	} else {
		f.pass(replay(nc, b))
	}
}

// pass hands a connection to the server.
func (f *front) pass(nc net.Conn) {
	select {
	case f.plain <- nc:
	case <-f.ctx.Done():
		nc.Close()
	}
}

// readHead reads until the head of a request is complete, as far as anybody could
// see it, and returns all octets and the head. The head is empty if there is none
// within the limits: it is for net/http to say so. The error is a deadline.
func readHead(nc net.Conn) (b, head []byte, err error) {
	b = make([]byte, 0, 2<<10)
	for len(b) <= handshake.DefaultMaxSize {
		if len(b) == cap(b) {
			b = append(b, make([]byte, len(b))...)[:len(b)]
		}
		had := len(b)
		n, err := nc.Read(b[had:cap(b)])
		b = b[:had+n]
		if end := endOfHead(b, max(had-2, 0)); end > 0 {
			return b, b[:end], nil
		}
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			return nil, nil, err
		}
		if err != nil {
			return b, nil, nil
		}
	}
	return b, nil, nil
}

// endOfHead returns where the first empty line ends whose line before ends at from
// or later, or 0 if there is none.
func endOfHead(b []byte, from int) int {
	for {
		i := bytes.IndexByte(b[from:], '\n')
		if i < 0 {
			return 0
		}
		from += i + 1
		switch rest := b[from:]; {
		case bytes.HasPrefix(rest, []byte("\n")):
			return from + 1
		case bytes.HasPrefix(rest, []byte("\r\n")):
			return from + 2
		}
	}
}

// isHandshake reports whether a head asks for an upgrade to WebSocket, in whatever
// way somebody may read it.
func isHandshake(head []byte) bool {
	head = bytes.ToLower(head)
	return bytes.Contains(head, []byte("\nupgrade:")) && bytes.Contains(head, []byte("websocket"))
}

// replay returns nc with octets that are read again before those that come.
func replay(nc net.Conn, b []byte) net.Conn {
	r := &replayed{Conn: nc, octets: b}
	if tc, ok := nc.(*tls.Conn); ok {
		return &replayedTLS{r, tc}
	}
	return r
}

// A replayed is a connection of which octets have been read.
type replayed struct {
	net.Conn
	octets []byte
}

func (r *replayed) Read(p []byte) (int, error) {
	if len(r.octets) == 0 {
		return r.Conn.Read(p)
	}
	n := copy(p, r.octets)
	r.octets = r.octets[n:]
	return n, nil
}

// CloseWrite ends this side of the connection alone, as net/http and package conn
// do so that the last octets arrive.
func (r *replayed) CloseWrite() error {
	if c, ok := r.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return errors.ErrUnsupported
}

// A replayedTLS tells net/http that it speaks TLS.
type replayedTLS struct {
	*replayed
	tls *tls.Conn
}

func (r *replayedTLS) ConnectionState() tls.ConnectionState { return r.tls.ConnectionState() }

// open serves a handshake whose octets, and perhaps more, are b.
func (f *front) open(nc net.Conn, b []byte) {
	r, n, err := newRequest(nc, b)
	if err != nil {
		f.log.Info("handshake refused", "remote", nc.RemoteAddr().String(), "status", err.Status(), "error", err)
		refusal, _ := handshake.AppendRefusal(nil, err.Status(), err.Fields(), http.StatusText(err.Status())+": "+err.Error()+"\n")
		linger(nc, refusal)
		return
	}
	w := &handshakeWriter{nc: nc, early: b[n:], header: http.Header{}}
	f.handler.ServeHTTP(w, r)
	if !w.hijacked {
		linger(nc, w.response(r))
	}
}

// linger writes the last octets of a connection and closes it so that they arrive:
// closing it with octets of the peer unread could destroy them.
func linger(nc net.Conn, last []byte) {
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(lingerTimeout))
	if _, err := nc.Write(last); err != nil {
		return
	}
	if c, ok := nc.(interface{ CloseWrite() error }); ok && c.CloseWrite() == nil {
		io.CopyN(io.Discard, nc, lingerSize)
	}
}

// newRequest parses the request of a handshake by the strict rules of package
// handshake, and returns the size of its head.
func newRequest(nc net.Conn, b []byte) (*http.Request, int, *handshake.Error) {
	var p handshake.Parser
	parsed, n, err := p.ParseRequest(b)
	if e, ok := errors.AsType[*handshake.Error](err); ok {
		return nil, 0, e
	}
	if n == 0 {
		return nil, 0, handshake.ErrHeader
	}
	u, err := url.ParseRequestURI(parsed.Target)
	if err != nil {
		return nil, 0, handshake.ErrTarget
	}
	r := &http.Request{
		Method: parsed.Method, URL: u, RequestURI: parsed.Target,
		Proto: parsed.Proto, ProtoMajor: 1, ProtoMinor: 1,
		Host: parsed.Host, Header: http.Header{}, Body: http.NoBody,
		RemoteAddr: nc.RemoteAddr().String(),
	}
	for name, value := range parsed.Header.(*handshake.Fields).All() {
		r.Header.Add(name, value)
	}
	r.Header.Del("Host") // where net/http has it not either
	if tc, ok := nc.(*tls.Conn); ok {
		state := tc.ConnectionState()
		r.TLS = &state
	}
	return r, n, nil
}

// A handshakeWriter is the [http.ResponseWriter] of a handshake: it gives up its
// connection, or collects a response.
type handshakeWriter struct {
	nc       net.Conn
	early    []byte // what came after the request
	hijacked bool
	header   http.Header
	status   int // 0 before it is known
	body     bytes.Buffer
}

func (w *handshakeWriter) Header() http.Header { return w.header }

func (w *handshakeWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *handshakeWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// Hijack implements [http.Hijacker].
func (w *handshakeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.hijacked = true
	r := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(w.early), w.nc), len(w.early))
	r.Peek(len(w.early)) // as net/http, which has read them
	return w.nc, bufio.NewReadWriter(r, bufio.NewWriterSize(w.nc, 1)), nil
}

// response returns the octets of the response to r, which ends the connection.
func (w *handshakeWriter) response(r *http.Request) []byte {
	w.WriteHeader(http.StatusOK)
	w.header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	response := http.Response{
		StatusCode: w.status, ProtoMajor: 1, ProtoMinor: 1, Request: r, Close: true,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()),
	}
	var b bytes.Buffer
	response.Write(&b) // a buffer takes everything
	return b.Bytes()
}
