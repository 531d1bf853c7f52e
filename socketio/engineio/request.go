package engineio

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"example.org/rfc6455/handshake"
	"example.org/rfc6455/socketio/engineio/codec"
)

// An exchange is a request and the answer to it.
type exchange struct {
	server *Server
	w      http.ResponseWriter
	r      *http.Request
	query  query
	first  bool // whether the answer is the first of a session
}

// A query is what the query of a request says.
type query struct {
	revision  codec.Revision // 0 if it is none of ours
	transport Transport
	id        string // of the session; empty asks for a new one
	base64    bool   // whether the client takes no octets
	jsonp     bool   // whether the answer is a script
	index     uint64 // of the script's callback
}

// parseQuery parses the query of a request. A name that comes twice has no value that
// we know.
func parseQuery(raw string) (q query, ok bool) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return q, false
	}
	one := func(name string) string {
		if v := values[name]; len(v) == 1 {
			return v[0]
		}
		return strings.Join(values[name], ",")
	}
	switch one("EIO") {
	case "4":
		q.revision = codec.V4
	case "3", "":
		q.revision = codec.V3
	}
	q.transport = Transport(one("transport"))
	q.id = one("sid")
	q.base64 = values.Has("b64")
	if q.revision == codec.V3 && values.Has("j") {
		q.jsonp = true
		if q.index, err = strconv.ParseUint(one("j"), 10, 64); err != nil {
			return q, false
		}
	}
	return q, true
}

// webSocket reports whether r asks for a WebSocket.
func webSocket(r *http.Request) bool {
	return r.Header.Get("Upgrade") != "" || extendedConnect(r)
}

// extendedConnect reports whether r asks for a WebSocket over HTTP/2 (RFC 8441).
func extendedConnect(r *http.Request) bool {
	return r.Method == http.MethodConnect && r.ProtoMajor >= 2
}

// tooLarge reports whether the head of a request is larger than what a session may
// keep of it.
func tooLarge(r *http.Request) bool {
	n := len(r.RequestURI)
	for name, values := range r.Header {
		for _, v := range values {
			n += len(name) + len(v) + len(": \r\n")
		}
	}
	return n > handshake.DefaultMaxSize
}

// check applies the rules for every request of either transport.
func (e *exchange) check() (*refusal, error) {
	s := e.server
	if tooLarge(e.r) {
		return refuseTooLarge, nil
	}
	var ok bool
	if e.query, ok = parseQuery(e.r.URL.RawQuery); !ok {
		return refuseRequest, nil
	}
	if !slices.Contains(s.options.Transports, e.query.transport) {
		return refuseTransport, nil
	}
	if no, err := e.checkOrigin(); no != nil {
		return no, err
	}
	if upgrade := webSocket(e.r); upgrade != (e.query.transport == WebSocket) {
		return refuseTransportHandshake, nil
	}
	return nil, nil
}

// checkOrigin applies the policy of origins.
func (e *exchange) checkOrigin() (*refusal, error) {
	s := e.server
	if s.options.InsecureAnyOrigin {
		return nil, nil
	}
	if s.originsErr != nil {
		return refuseOrigin, s.originsErr
	}
	r := &handshake.Request{Host: e.r.Host, Header: e.r.Header}
	if err := s.origins.Check(r); err != nil {
		if _, malformed := r.Origin(); malformed != nil && e.r.Header.Get("Origin") != "null" {
			return refuseMalformedOrigin, err
		}
		return refuseOrigin, err
	}
	return nil, nil
}

// checkSession applies the rules for a request of a session.
func (e *exchange) checkSession(s *Session) *refusal {
	switch {
	case s == nil:
		return refuseSession
	case e.query.revision != s.revision:
		return refuseProtocolMismatch
	case e.server.options.Principal != nil && e.server.options.Principal(e.r) != s.head.principal():
		return refusePrincipal
	}
	return nil
}

// checkHandshake applies the rules for a request for a new session.
func (e *exchange) checkHandshake() (*refusal, error) {
	o := &e.server.options
	switch {
	case e.r.Method != http.MethodGet && !extendedConnect(e.r):
		return refuseMethod, nil
	case e.query.revision == 0 || e.query.revision == codec.V3 && !o.EIO3:
		return refuseProtocol, nil
	case e.query.jsonp && !o.JSONP:
		return refuseRequest, nil
	case o.AllowRequest == nil:
		return nil, nil
	}
	err := o.AllowRequest(e.r)
	if err == nil {
		return nil, nil
	}
	return forbidden(err), err
}

// host returns whose sessions are counted together, of those from an address.
func host(addr string) string {
	h, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return h
}
