package handshake

import (
	"iter"
	"strings"
)

// A Header holds the fields of a request or response. Values returns the lines of
// the field called name in the order they came, without white space around them;
// names are compared without case. http.Header of net/http is one, [*Fields] is
// ours. The package asks in the spelling that http.Header stores, and does not
// modify the result.
type Header interface {
	Values(name string) []string
}

// The names of fields in the spelling of http.Header, which is asked without
// allocating for these alone.
const (
	fieldConnection       = "Connection"
	fieldContentLength    = "Content-Length"
	fieldHost             = "Host"
	fieldOrigin           = "Origin"
	fieldTransferEncoding = "Transfer-Encoding"
	fieldUpgrade          = "Upgrade"
	fieldAccept           = "Sec-Websocket-Accept"
	fieldExtensions       = "Sec-Websocket-Extensions"
	fieldKey              = "Sec-Websocket-Key"
	fieldProtocol         = "Sec-Websocket-Protocol"
	fieldVersion          = "Sec-Websocket-Version"
)

// values returns the lines of a field; a nil h has none.
func values(h Header, name string) []string {
	if h == nil {
		return nil
	}
	return h.Values(name)
}

// A Request is the request of an opening handshake (RFC 6455, Section 4.1) as a
// server sees it: the result of [Parser.ParseRequest], or filled in from a request
// that another HTTP implementation has parsed.
type Request struct {
	// Method is GET, or CONNECT in HTTP/2.
	Method string

	// Target is the request-target in origin-form: a path that begins with
	// exactly one slash and has no dot segments, and an optional query.
	Target string

	// Proto is the version of HTTP as text: HTTP/1.1.
	Proto string

	// Host is the value of the Host field. It may be empty if Header has that
	// field; where both have it they must agree. (net/http takes the field out of
	// its header, and refuses requests with several itself.)
	Host string

	// Header holds the fields. Nil has none.
	Header Header

	// HasBody says that the request has content although Header does not tell: a
	// server over net/http sets it if ContentLength is not zero.
	HasBody bool

	// Protocol is the pseudo-header field :protocol of an extended CONNECT (RFC
	// 8441, Section 4), only used by [Request.ValidateConnect].
	Protocol string
}

// Validate checks r against every rule for an opening handshake over HTTP/1.1 that
// a server must enforce (RFC 6455, Section 4.2.1), but not its Origin: see
// [Origins.Check]. It does not allocate for what clients really send.
//
// The error is of class, in the order of the checks, [ErrProto], [ErrMethod],
// [ErrHost], [ErrBody], [ErrUpgrade], [ErrVersion], [ErrKey], [ErrSubprotocol] or
// [ErrExtension].
func (r *Request) Validate() error {
	switch {
	case r.Proto == "HTTP/1.0":
		return errHTTP10
	case r.Proto != "HTTP/1.1":
		return ErrProto
	case r.Method != "GET":
		return ErrMethod
	}
	if _, _, ok := r.host(); !ok {
		return ErrHost
	}
	if r.HasBody || hasContent(r.Header) {
		return ErrBody
	}
	upgrade := values(r.Header, fieldUpgrade)
	switch {
	case len(upgrade) == 0:
		return errNoUpgrade
	case !hasToken(upgrade, "websocket", true):
		return ErrUpgrade
	case !hasToken(values(r.Header, fieldConnection), "upgrade", false):
		return errConnection
	case !r.hasVersion():
		return ErrVersion
	}
	if key := values(r.Header, fieldKey); len(key) != 1 || !ValidKey(key[0]) {
		return ErrKey
	}
	return r.validateOffers()
}

// ValidateConnect checks r as [Request.Validate] does, in the form that an opening
// handshake has over HTTP/2 and HTTP/3 (RFC 8441, Section 5; RFC 9220): the method
// is CONNECT, Protocol is websocket, and there is no key, Connection or Upgrade.
// Proto and HasBody are not looked at, because the stream of the connection is the
// content of the request. A server answers 200.
//
// The error is of class [ErrMethod], [ErrHost], [ErrUpgrade], [ErrVersion],
// [ErrSubprotocol] or [ErrExtension].
func (r *Request) ValidateConnect() error {
	if r.Method != "CONNECT" {
		return errMethodConnect
	}
	if _, _, ok := r.host(); !ok {
		return ErrHost
	}
	switch {
	case r.Protocol != "websocket":
		return errProtocol
	case !r.hasVersion():
		return errVersionConnect
	}
	return r.validateOffers()
}

// host returns the one host of r, and its port, and whether they are valid.
func (r *Request) host() (host, port string, ok bool) {
	authority := r.Host
	switch lines := values(r.Header, fieldHost); {
	case len(lines) > 1:
		return "", "", false
	case len(lines) == 1 && authority == "":
		authority = lines[0]
	case len(lines) == 1 && authority != lines[0]:
		return "", "", false
	}
	return splitAuthority(authority)
}

// hasContent reports whether h frames content, or tries to (RFC 9112, Section 6).
// A single Content-Length of 0 says that there is none.
func hasContent(h Header) bool {
	if len(values(h, fieldTransferEncoding)) > 0 {
		return true
	}
	length := values(h, fieldContentLength)
	return len(length) > 1 || len(length) == 1 && length[0] != "0"
}

// hasVersion reports whether the version is 13, and said once.
func (r *Request) hasVersion() bool {
	version := values(r.Header, fieldVersion)
	return len(version) == 1 && version[0] == "13"
}

// validateOffers checks the grammar of the two lists.
func (r *Request) validateOffers() error {
	if !walkSubprotocols(values(r.Header, fieldProtocol), func(string) {}) {
		return ErrSubprotocol
	}
	lines := values(r.Header, fieldExtensions)
	if len(lines) > 0 && !walkExtensions(lines, func(bool, Param) {}) {
		return ErrExtension
	}
	return nil
}

// Key returns the Sec-WebSocket-Key, or "" if there is none.
func (r *Request) Key() string {
	if key := values(r.Header, fieldKey); len(key) > 0 {
		return key[0]
	}
	return ""
}

// Subprotocols returns the subprotocols that the client asks for, the one it
// prefers first (RFC 6455, Section 11.3.4). The error is [ErrSubprotocol]; there is
// none once [Request.Validate] has returned nil.
func (r *Request) Subprotocols() ([]string, error) {
	var names []string
	if !walkSubprotocols(values(r.Header, fieldProtocol), func(name string) { names = append(names, name) }) {
		return nil, ErrSubprotocol
	}
	return names, nil
}

// Extensions returns the extensions that the client offers, the one it prefers
// first, as [ParseExtensions] does. The error is [ErrExtension]; there is none once
// [Request.Validate] has returned nil.
func (r *Request) Extensions() ([]Extension, error) {
	return ParseExtensions(values(r.Header, fieldExtensions))
}

// Origin returns the origin of the request; the zero value if it does not tell.
// The error is [ErrOrigin], if there are several or [ParseOrigin] refuses it.
func (r *Request) Origin() (Origin, error) {
	switch lines := values(r.Header, fieldOrigin); len(lines) {
	case 0:
		return Origin{}, nil
	case 1:
		return ParseOrigin(lines[0])
	}
	return Origin{}, ErrOrigin
}

// An Offer is what a client asks of a server: the variable parts of its request,
// and what the response is compared with.
type Offer struct {
	// Target is the request-target in origin-form, such as /chat?room=1: the
	// path and query of the URI (RFC 6455, Section 3).
	Target string

	// Host is the host of the URI, and its port unless that is the default.
	Host string

	// Key is the Sec-WebSocket-Key: see [NewKey].
	Key string

	// Subprotocols are the names the client asks for, the preferred one first:
	// different tokens. Empty asks for none.
	Subprotocols []string

	// Extensions are the offers, the preferred one first. Empty offers none.
	Extensions []Extension

	// Extra yields the names and values of more fields, such as Origin, Cookie
	// or Authorization; nil has none. See [Lines] for those of an http.Header.
	Extra iter.Seq2[string, string]
}

// AppendRequest appends the request of an opening handshake (RFC 6455, Section
// 4.1). The result is appended to dst; dst may be nil. o is not retained.
//
// Nothing that the server would take for more than one field can be sent. The
// error is of class [ErrTarget], [ErrHost] or [ErrKey], or it is [ErrField] for a
// subprotocol or extension that is not made of tokens, an extra field that this
// function writes itself or that frames content, a name that is not a token or a
// value with control octets; it names the field. dst is then returned as it was.
func AppendRequest(dst []byte, o *Offer) ([]byte, error) {
	if !validTarget(o.Target) {
		return dst, ErrTarget
	}
	if _, _, ok := splitAuthority(o.Host); !ok {
		return dst, ErrHost
	}
	if !ValidKey(o.Key) {
		return dst, ErrKey
	}
	b := append(append(append(dst, "GET "...), o.Target...), " HTTP/1.1\r\nHost: "...)
	b = append(append(b, o.Host...), "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "...)
	b = append(append(b, o.Key...), "\r\nSec-WebSocket-Version: 13\r\n"...)
	if len(o.Subprotocols) > 0 {
		if !walkSubprotocols(o.Subprotocols, func(string) {}) {
			return dst, errSendSubprotocol
		}
		b = append(b, "Sec-WebSocket-Protocol: "...)
		for i, name := range o.Subprotocols {
			if !isToken(name) {
				return dst, errSendSubprotocol
			}
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(b, name...)
		}
		b = append(b, "\r\n"...)
	}
	b, err := appendAgreement(b, "", o.Extensions, o.Extra)
	if err != nil {
		return dst, err
	}
	return append(b, "\r\n"...), nil
}

var errSendSubprotocol = fieldError("Sec-WebSocket-Protocol", "not a list of different tokens")

// appendAgreement appends the lines that requests and responses have alike.
func appendAgreement(b []byte, subprotocol string, extensions []Extension, extra iter.Seq2[string, string]) ([]byte, error) {
	if subprotocol != "" {
		if !isToken(subprotocol) {
			return nil, errSendSubprotocol
		}
		b = append(append(append(b, "Sec-WebSocket-Protocol: "...), subprotocol...), "\r\n"...)
	}
	if len(extensions) > 0 {
		var err error
		if b, err = AppendExtensions(append(b, "Sec-WebSocket-Extensions: "...), extensions); err != nil {
			return nil, err
		}
		b = append(b, "\r\n"...)
	}
	return appendFields(b, extra, reserved)
}

// reserved reports whether a field called name cannot be given as an extra one,
// because the handshake writes it or because it would frame content.
func reserved(name string) bool {
	const prefix = "Sec-WebSocket-"
	switch len(name) {
	case len(fieldHost):
		return equalFold(name, fieldHost)
	case len(fieldUpgrade):
		return equalFold(name, fieldUpgrade)
	case len(fieldConnection):
		return equalFold(name, fieldConnection)
	case len(fieldContentLength):
		if equalFold(name, fieldContentLength) {
			return true
		}
	case len(fieldTransferEncoding):
		if equalFold(name, fieldTransferEncoding) {
			return true
		}
	}
	return len(name) >= len(prefix) && equalFold(name[:len(prefix)], prefix)
}

// validTarget reports whether s is a request-target in origin-form (RFC 9112,
// Section 3.2.1) that leads to one place only: no authority in it for somebody
// else's parser, no dot segments, no percent sign without two hexadecimal digits.
// Octets that browsers leave unescaped in URLs may be in it although RFC 3986 does
// not have them.
func validTarget(s string) bool {
	if s == "" || s[0] != '/' || strings.HasPrefix(s, "//") || !all(s, targetChar) {
		return false
	}
	path, _, _ := strings.Cut(s, "?")
	for found := true; found; {
		_, path, found = strings.Cut(path, "/")
		if beginsDots(path) {
			return false
		}
	}
	for i := strings.IndexByte(s, '%'); i >= 0; i = strings.IndexByte(s, '%') {
		if len(s) < i+3 || !all(s[i+1:i+3], hexChar) {
			return false
		}
		s = s[i+3:]
	}
	return true
}

// beginsDots reports whether path begins with a segment that is "." or "..",
// escaped or not.
func beginsDots(path string) bool {
	dots := 0
	for path != "" && path[0] != '/' {
		switch {
		case path[0] == '.':
			path = path[1:]
		case len(path) >= 3 && equalFold(path[:3], "%2e"):
			path = path[3:]
		default:
			return false
		}
		dots++
	}
	return dots == 1 || dots == 2
}
