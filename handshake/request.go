package handshake

// A Header holds the fields of a request or response. Values returns the lines of
// the field called name in the order they came, without white space around them;
// names are compared without case. http.Header of net/http is one, [*Fields] is
// ours. The package asks in the spelling that http.Header stores, and does not
// modify the result.
type Header interface {
	Values(name string) []string
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
	upgrade := values(r.Header, knownUpgrade)
	switch {
	case len(upgrade) == 0:
		return errNoUpgrade
	case !hasToken(upgrade, "websocket", true):
		return ErrUpgrade
	case !hasToken(values(r.Header, knownConnection), "upgrade", false):
		return errConnection
	case !r.hasVersion():
		return ErrVersion
	}
	if key := values(r.Header, knownKey); len(key) != 1 || !ValidKey(key[0]) {
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
	authority, ok := r.authority()
	if !ok {
		return "", "", false
	}
	return splitAuthority(authority)
}

// authority returns the one host of r, with its port, and whether there is one.
func (r *Request) authority() (authority string, ok bool) {
	lines := values(r.Header, knownHost)
	switch {
	case len(lines) > 1:
		return "", false
	case len(lines) == 1 && r.Host == "":
		return lines[0], true
	case len(lines) == 1 && r.Host != lines[0]:
		return "", false
	}
	return r.Host, true
}

// hasContent reports whether h frames content, or tries to (RFC 9112, Section 6).
// A single Content-Length of 0 says that there is none.
func hasContent(h Header) bool {
	if len(values(h, knownTransferEncoding)) > 0 {
		return true
	}
	length := values(h, knownContentLength)
	return len(length) > 1 || len(length) == 1 && length[0] != "0"
}

// hasVersion reports whether the version is 13, and said once.
func (r *Request) hasVersion() bool {
	version := values(r.Header, knownVersion)
	return len(version) == 1 && version[0] == "13"
}

// validateOffers checks the grammar of the two lists.
func (r *Request) validateOffers() error {
	if !walkSubprotocols(values(r.Header, knownProtocol), func(string) {}) {
		return ErrSubprotocol
	}
	lines := values(r.Header, knownExtensions)
	if len(lines) > 0 && !walkExtensions(lines, func(bool, Param) {}) {
		return ErrExtension
	}
	return nil
}

// Key returns the Sec-WebSocket-Key, or "" if there is none.
func (r *Request) Key() string {
	if key := values(r.Header, knownKey); len(key) > 0 {
		return key[0]
	}
	return ""
}

// Subprotocols returns the subprotocols that the client asks for, the one it
// prefers first (RFC 6455, Section 11.3.4). The error is [ErrSubprotocol]; there is
// none once [Request.Validate] has returned nil.
func (r *Request) Subprotocols() ([]string, error) {
	var names []string
	if !walkSubprotocols(values(r.Header, knownProtocol), func(name string) { names = append(names, name) }) {
		return nil, ErrSubprotocol
	}
	return names, nil
}

// Extensions returns the extensions that the client offers, the one it prefers
// first, as [ParseExtensions] does. The error is [ErrExtension]; there is none once
// [Request.Validate] has returned nil.
func (r *Request) Extensions() ([]Extension, error) {
	return ParseExtensions(values(r.Header, knownExtensions))
}

// Origin returns the origin of the request; the zero value if it does not tell.
// The error is [ErrOrigin], if there are several or [ParseOrigin] refuses it.
func (r *Request) Origin() (Origin, error) {
	switch lines := values(r.Header, knownOrigin); len(lines) {
	case 0:
		return Origin{}, nil
	case 1:
		return ParseOrigin(lines[0])
	}
	return Origin{}, ErrOrigin
}
