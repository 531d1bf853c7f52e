package conn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

// AcceptOptions configures the server's side of an opening handshake, and the
// connection that follows. A nil *AcceptOptions and the zero value are the
// defaults: pages of the same host only, no subprotocol.
type AcceptOptions struct {
	// Options configures the connection.
	Options

	// Origins are patterns of the origins whose pages may connect besides those
	// of the request's own host, such as "https://app.example.com" or
	// "*.example.com": see [handshake.NewOrigins]. Clients that are not browsers
	// send no Origin and are not held back.
	Origins []string

	// InsecureAnyOrigin lets every page on the web connect with the cookies of
	// its visitor. It is for services that neither use cookies nor trust the
	// network a visitor is in.
	InsecureAnyOrigin bool

	// Subprotocols are those that the server speaks, the preferred one first.
	// Without one in common with the client the connection has none.
	Subprotocols []string

	// RequireSubprotocol refuses a client without a subprotocol in common, with
	// 400.
	RequireSubprotocol bool

	// CompressionFor, if it is not nil, chooses what is used for a request
	// instead of Options.Compression, and nil for none: there are browsers that
	// are better served without. The request is valid until it returns.
	CompressionFor func(r *handshake.Request) *Compression

	// OnRequest sees each request that is a legal handshake of an allowed origin
	// and chooses the answer. Returning a [*RefusedError] refuses with its
	// status, fields and body, any other error with 500. The request is valid
	// until it returns. Nil answers with the zero Answer.
	OnRequest func(r *handshake.Request) (Answer, error)

	// Hub is the set that the connection joins until it ends. A hub that is full
	// or shut down refuses with 503. Nil means none.
	Hub *Hub

	filled *Options // Options with defaults, which connections may share; nil if nobody filled them in
	poller *poller  // of a Server; nil for none
}

// An Answer is what a hook chooses for the answer to a handshake.
type Answer struct {
	// Subprotocol is used instead of one of AcceptOptions.Subprotocols, if it
	// is not empty. The client must have offered it.
	Subprotocol string
	// Header holds more fields for the answer, such as Set-Cookie.
	Header http.Header
	// Data is kept with the connection: see [Conn.Data].
	Data any
}

// Accept does the server's part of an opening handshake that net/http has
// received (RFC 6455, Section 4.2) and returns the connection. After an error
// the request has been answered, and the handler should just return.
//
// Fields that were set in w.Header() are part of the answer. After Accept
// neither w nor r may be used. The timeouts of the http.Server no longer apply.
// The connection does not end when the handler returns, except over HTTP/2. On
// Linux it takes a plain TCP or Unix socket away from package net, which keeps
// much more of each: a [net.Conn] that somebody else has kept, as by
// [http.Server.ConnContext], is closed then. One inside another type is left as it
// is.
//
// Over HTTP/2 the handshake is an extended CONNECT (RFC 8441), which net/http
// lets through only with GODEBUG=http2xconnect=1 in the environment of the
// process. The handler must not return before the connection has ended. A
// pattern of [http.ServeMux] must not name the method GET.
//
// The error is a [*handshake.Error] or a [*RefusedError] for a request that was
// refused, matches [errors.ErrUnsupported] if w does not give up its
// connection, or comes from the hook or the network.
func Accept(w http.ResponseWriter, r *http.Request, o *AcceptOptions) (*Conn, error) {
	a := newAcceptance(o)
	defer a.release()
	a.received(r)
	err := a.agree()
	if err == nil && !a.http2 {
		a.buf = getBuffer(smallInbox)
		err = a.prepare(w.Header())
	}
	if err == nil {
		err = a.reserve()
	}
	if err != nil {
		refuse(w, a.refusal(err))
		return nil, err
	}
	if a.http2 {
		return a.acceptHTTP2(w, r)
	}
	nc, err := a.hijack(w)
	if err != nil {
		a.giveUp()
		refuse(w, a.refusal(err))
		return nil, err
	}
	if a.poller == nil {
		a.poller = pollerOf(r, nc)
	}
	rwc, err := a.open(r.Context(), nc)
	if err != nil {
		return nil, err
	}
	return a.begin(r.Context(), rwc), nil
}

// received takes the request that net/http has received.
func (a *acceptance) received(r *http.Request) {
	a.addr = r.RemoteAddr
	a.parsed = handshake.Request{
		Method:  r.Method,
		Target:  r.URL.RequestURI(),
		Proto:   r.Proto,
		Host:    r.Host,
		Header:  r.Header,
		HasBody: r.ContentLength != 0,
	}
	a.request = &a.parsed
	if a.http2 = r.ProtoMajor >= 2; a.http2 {
		a.request.Protocol = strings.Join(r.Header[":protocol"], ",")
	}
}

// hijack takes the connection over from net/http.
func (a *acceptance) hijack(w http.ResponseWriter) (net.Conn, error) {
	nc, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, notHijacked(w, err)
	}
	nc.SetDeadline(time.Time{})
	if a.options.HandshakeTimeout > 0 {
		nc.SetWriteDeadline(time.Now().Add(a.options.HandshakeTimeout))
		a.timed = true
	}
	early, _ := buffered.Reader.Peek(buffered.Reader.Buffered())
	a.early = slices.Clone(early)
	return nc, nil
}

// refuse answers a request with a refusal.
func refuse(w http.ResponseWriter, r *RefusedError) {
	h := w.Header()
	maps.Copy(h, r.Header)
	// What net/http looks for is a field that says nothing but close.
	h["Connection"] = []string{"close"}
	if h.Get("Upgrade") != "" {
		h["Connection"] = []string{"close", "upgrade"}
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Del("Content-Length")
	h.Del("Content-Encoding")
	w.WriteHeader(r.Status)
	io.WriteString(w, r.Body)
}

// notHijacked says why a ResponseWriter does not give up its connection, which
// only the one below all its wrappers knows.
func notHijacked(w http.ResponseWriter, err error) error {
	for {
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = u.Unwrap()
	}
	return fmt.Errorf("conn: accept: %T does not give up its connection: %w; "+
		"usual causes are http.TimeoutHandler, a middleware whose ResponseWriter has no Unwrap method, "+
		"and a server that is not net/http's or speaks HTTP/2", w, err)
}

// An acceptance is the server's side of one opening handshake.
type acceptance struct {
	o       *AcceptOptions
	options *Options           // with defaults; all that the connection keeps of this
	request *handshake.Request // nil while it could not be parsed
	parser  *handshake.Parser  // of parserPool, to which request belongs; nil over net/http
	parsed  handshake.Request  // which it is over net/http
	buf     []byte             // of getBuffer: the head of the request, and then the response
	early   []byte             // what came after the head
	nc      net.Conn           // nil over net/http
	addr    string             // where the request came from, over net/http
	http2   bool               // whether it is an extended CONNECT
	answer  Answer
	place   *place  // in o.Hub; nil without one
	poller  *poller // of the connection, if it is a plain socket; nil for none

	timed   bool        // whether nc has a deadline
	stop    func() bool // has the context end the handshake no longer, and reports whether it has not yet; nil if it does not
	arrival arrival     // of a Server's listener

	extensions []handshake.Extension // agreed on
	deflate    *deflate.Params       // of them, or nil
}

var (
	acceptancePool = sync.Pool{New: func() any { return new(acceptance) }}
	parserPool     = sync.Pool{New: func() any { return new(handshake.Parser) }}
)

// noOptions are those of who gives none.
var noOptions AcceptOptions

// newAcceptance returns one for release.
func newAcceptance(o *AcceptOptions) *acceptance {
	if o == nil {
		o = &noOptions
	}
	a := acceptancePool.Get().(*acceptance)
	a.o, a.options, a.poller = o, o.filled, o.poller
	if a.options == nil {
		a.options = shareOptions(o.Options.withDefaults(frame.Server))
	}
	return a
}

// lastOptions are those that shareOptions returned last.
var lastOptions atomic.Pointer[Options]

// shareOptions returns options that are the same for all connections of who accepts
// one after the other with the same ones.
func shareOptions(o Options) *Options {
	if last := lastOptions.Load(); last != nil && *last == o {
		return last
	}
	shared := new(o)
	lastOptions.Store(shared)
	return shared
}

// release gives back a and the request, which nobody needs any more.
func (a *acceptance) release() {
	if a.parser != nil {
		parserPool.Put(a.parser)
	}
	putBuffer(a.buf)
	*a = acceptance{}
	acceptancePool.Put(a)
}

// remote returns where the request came from.
func (a *acceptance) remote() string {
	if a.nc == nil {
		return a.addr
	}
	if addr := a.nc.RemoteAddr(); addr != nil {
		return addr.String()
	}
	return ""
}

// free has nothing end the handshake any more. It reports false if something has
// already.
func (a *acceptance) free() bool {
	switch {
	case a.stop != nil:
		return a.stop()
	case a.arrival.among != nil:
		return a.arrival.leave()
	}
	return true
}

// agree applies every rule to the request, and chooses what the connection has of what
// was offered.
func (a *acceptance) agree() error {
	if err := a.check(); err != nil {
		return err
	}
	if a.o.OnRequest != nil {
		var err error
		if a.answer, err = a.o.OnRequest(a.request); err != nil {
			return err
		}
	}
	if err := a.chooseSubprotocol(); err != nil {
		return err
	}
	return a.chooseExtensions()
}

// prepare makes buf the response that opens the connection. The header is of the
// response as others began it.
func (a *acceptance) prepare(header http.Header) (err error) {
	a.buf, err = handshake.AppendResponse(a.buf[:0], a.request.Key(), a.answer.Subprotocol, a.extensions, a.fields(header))
	return err
}

// reserve keeps a place in the hub.
func (a *acceptance) reserve() (err error) {
	h := a.o.Hub
	if h == nil {
		return nil
	}
	host := ""
	if h.MaxConnsPerHost > 0 {
		host = hostOf(a.remote())
	}
	a.place, err = h.reserve(host)
	return err
}

// fields yields the fields of the response besides our own: what others have
// set in header, and what the hook has chosen.
//
// It is apart because nearly no response has any, and its stack is not to be in that of
// all.
//
//go:noinline
func (a *acceptance) fields(header http.Header) iter.Seq2[string, string] {
	if len(header) == 0 && len(a.answer.Header) == 0 {
		return nil
	}
	return func(yield func(name, value string) bool) {
		for name, value := range handshake.Lines(header) {
			if !ours(name) && !yield(name, value) {
				return
			}
		}
		handshake.Lines(a.answer.Header)(yield)
	}
}

// check applies the rules of the RFC and that of the origin.
func (a *acceptance) check() error {
	if !strings.HasPrefix(a.request.Target, "/") {
		return handshake.ErrTarget // which net/http lets through
	}
	validate := a.request.Validate
	if a.http2 {
		validate = a.request.ValidateConnect
	}
	if err := validate(); err != nil || a.o.InsecureAnyOrigin {
		return err
	}
	var origins *handshake.Origins
	if len(a.o.Origins) > 0 {
		var err error
		if origins, err = handshake.NewOrigins(a.o.Origins...); err != nil {
			return err
		}
	}
	return origins.Check(a.request)
}

// chooseSubprotocol completes or checks the answer's subprotocol.
func (a *acceptance) chooseSubprotocol() error {
	offered, err := a.request.Subprotocols()
	if err != nil {
		return err
	}
	switch chosen := &a.answer.Subprotocol; {
	case *chosen == "":
		*chosen = handshake.Subprotocol(a.o.Subprotocols, offered)
	case !slices.Contains(offered, *chosen):
		return fmt.Errorf("conn: accept: the client did not offer the subprotocol %q", *chosen)
	}
	if a.answer.Subprotocol == "" && a.o.RequireSubprotocol {
		return &RefusedError{Status: http.StatusBadRequest, Body: "no subprotocol in common"}
	}
	return nil
}

// chooseExtensions agrees on permessage-deflate, if both sides want it.
func (a *acceptance) chooseExtensions() error {
	if a.o.CompressionFor != nil {
		own := new(*a.options)
		own.Compression = a.o.CompressionFor(a.request)
		a.options = own
	}
	if a.options.Compression == nil {
		return nil
	}
	return a.chooseCompression(a.options.Compression)
}

// chooseCompression agrees on permessage-deflate, if the client wants it.
func (a *acceptance) chooseCompression(compression *Compression) error {
	if err := compression.Validate(); err != nil {
		return fmt.Errorf("conn: accept: %w", err)
	}
	offers, err := a.request.Extensions()
	if err != nil {
		return err
	}
	a.extensions = handshake.Negotiate(offers, func(offer handshake.Extension) (handshake.Extension, bool) {
		answer, agreed, ok := compression.Accept(offer)
		if ok {
			a.deflate = &agreed
		}
		return answer, ok
	})
	return nil
}

// ours reports whether a field of a response is written by the handshake or
// describes content, which it has not.
func ours(name string) bool {
	name = http.CanonicalHeaderKey(name)
	switch name {
	case "Connection", "Upgrade", "Transfer-Encoding", "Trailer", "Keep-Alive":
		return true
	}
	return strings.HasPrefix(name, "Content-") || strings.HasPrefix(name, "Sec-Websocket-")
}

// refusal returns the answer to a request that is refused with err, and tells
// the hook and the log.
func (a *acceptance) refusal(err error) *RefusedError {
	var r RefusedError
	if given, ok := errors.AsType[*RefusedError](err); ok {
		r = *given
		r.Status = cmp.Or(r.Status, http.StatusForbidden)
	} else if e, ok := errors.AsType[*handshake.Error](err); ok {
		r.Status = e.Status()
		r.Header = http.Header{}
		for name, value := range e.Fields() {
			r.Header.Add(name, value)
		}
		if r.Status < http.StatusInternalServerError {
			r.Body = http.StatusText(r.Status) + ": " + strings.TrimPrefix(e.Error(), "handshake: ")
		}
	} else if errors.Is(err, errors.ErrUnsupported) {
		r.Status = http.StatusNotImplemented
	}
	if r.Status < 300 || r.Status > 599 || r.Status == http.StatusNotModified {
		r.Status = http.StatusInternalServerError // no others refuse
	}
	r.Body = cmp.Or(r.Body, http.StatusText(r.Status))
	if a.options.Hooks.OnRefuse != nil {
		a.options.Hooks.OnRefuse(Refusal{a.request, a.remote(), r.Status, err})
	}
	target := ""
	if a.request != nil {
		target = a.request.Target
	}
	a.options.Logger.Info("websocket refused", "remote", a.remote(), "target", target, "status", r.Status, "error", err)
	return &r
}

// open writes the response and returns what the connection goes on with.
func (a *acceptance) open(ctx context.Context, nc net.Conn) (io.ReadWriteCloser, error) {
	if _, err := nc.Write(a.buf); err != nil {
		a.giveUp()
		nc.Close()
		return nil, fmt.Errorf("conn: accept: %w", err)
	}
	// From here on the connection is not one that is still to be opened.
	if !a.free() {
		a.giveUp()
		nc.Close()
		return nil, canceled("accept", ctx)
	}
	if a.timed {
		nc.SetDeadline(time.Time{})
	}
	if a.poller != nil {
		if d := a.poller.pollable(nc); d != nil {
			return d, nil
		}
	}
	return nc, nil
}

// begin begins the connection on a stream on which the response was sent. Ctx supplies
// the values of its context.
func (a *acceptance) begin(ctx context.Context, rwc io.ReadWriteCloser) *Conn {
	c := a.newConn(ctx, rwc)
	switch {
	case a.o.Hub != nil:
		c.begin(&a.o.Hub.pacemaker)
	case a.poller != nil:
		c.begin(&a.poller.pacemaker)
	default:
		c.begin(nil)
	}
	if a.place != nil {
		a.place.join(c, true)
	}
	if d, ok := rwc.(*descriptor); ok && !d.polled() && c.Err() == nil {
		if err := a.poller.add(d); err != nil {
			c.options.Logger.Warn("websocket without an epoll", "conn", c, "error", err)
		}
	}
	return c
}

func (a *acceptance) newConn(ctx context.Context, rwc io.ReadWriteCloser) *Conn {
	return newConn(rwc, frame.Server, &Handshake{
		Target:      strings.Clone(a.request.Target), // not all of the head
		Subprotocol: strings.Clone(a.answer.Subprotocol),
		Extensions:  a.extensions,
		Deflate:     a.deflate,
		Early:       a.early,
		Data:        a.answer.Data,
	}, a.options, ctx)
}

// giveUp gives back the place in the hub.
func (a *acceptance) giveUp() {
	if a.place != nil {
		a.place.giveUp()
	}
}
