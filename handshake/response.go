package handshake

import (
	"iter"
	"slices"
	"strconv"
)

// A Response is the response of an opening handshake (RFC 6455, Section 4.2.2) as
// a client sees it: the result of [Parser.ParseResponse], or filled in from a
// response that another HTTP implementation has parsed.
type Response struct {
	// Proto is the version of HTTP as text: HTTP/1.1.
	Proto string

	// Status is 101 if the server agrees, or 200 in HTTP/2.
	Status int

	// Reason is the reason phrase, for people.
	Reason string

	// Header holds the fields. Nil has none.
	Header Header
}

// Interim reports whether another response follows r on the connection (RFC 9110,
// Section 15.2). A client goes on parsing after it, but not for ever: eight are
// plenty.
func (r *Response) Interim() bool { return r.Status/100 == 1 && r.Status != 101 }

// Validate checks r against every rule for the answer to o over HTTP/1.1 (RFC 6455,
// Section 4.1). It does not check what the parameters of an extension mean.
//
// The error is of class, in the order of the checks, [ErrStatus], [ErrProto],
// [ErrUpgrade], [ErrAccept], [ErrBody], [ErrSubprotocol] or [ErrExtension].
func (r *Response) Validate(o *Offer) error {
	switch {
	case r.Status != 101:
		return ErrStatus
	case r.Proto != "HTTP/1.1":
		return errResponseProto
	case !hasToken(values(r.Header, knownUpgrade), "websocket", true):
		return errResponseUpgrade
	case !hasToken(values(r.Header, knownConnection), "upgrade", false):
		return errResponseConnection
	}
	var buf [acceptSize]byte
	accept := values(r.Header, knownAccept)
	if len(accept) != 1 || accept[0] != string(AppendAccept(buf[:0], o.Key)) {
		return ErrAccept
	}
	// RFC 9110, Sections 6.4.1 and 8.6: a 101 has no content, nor says its length.
	if len(values(r.Header, knownContentLength)) > 0 || len(values(r.Header, knownTransferEncoding)) > 0 {
		return errResponseBody
	}
	return r.validateAgreement(o)
}

// ValidateConnect checks r as [Response.Validate] does, as the answer to an
// extended CONNECT over HTTP/2 or HTTP/3 (RFC 8441, Section 5): the status is 2xx,
// and there is no Sec-WebSocket-Accept, Connection or Upgrade.
//
// The error is of class [ErrStatus], [ErrSubprotocol] or [ErrExtension].
func (r *Response) ValidateConnect(o *Offer) error {
	if r.Status/100 != 2 {
		return ErrStatus
	}
	return r.validateAgreement(o)
}

// validateAgreement checks that the server agreed to what was offered only.
func (r *Response) validateAgreement(o *Offer) error {
	switch lines := values(r.Header, knownProtocol); {
	case len(lines) == 0:
	case len(lines) > 1 || !slices.Contains(o.Subprotocols, lines[0]):
		return errResponseSubprotocol
	}
	agreed, err := r.Extensions()
	if err != nil {
		return err
	}
	for i, e := range agreed {
		if !hasExtension(o.Extensions, e.Name) || hasExtension(agreed[:i], e.Name) {
			return errResponseExtension
		}
	}
	return nil
}

// Subprotocol returns the subprotocol that the server chose, or "" if it chose
// none. It is one of the offer's once [Response.Validate] has returned nil.
func (r *Response) Subprotocol() string {
	if lines := values(r.Header, knownProtocol); len(lines) > 0 {
		return lines[0]
	}
	return ""
}

// Extensions returns the extensions that the server agreed to, in the order in
// which they apply, as [ParseExtensions] does. The error is of class
// [ErrExtension]; there is none once [Response.Validate] has returned nil.
func (r *Response) Extensions() ([]Extension, error) {
	list, err := ParseExtensions(values(r.Header, knownExtensions))
	if err != nil {
		return nil, errResponseExtension
	}
	return list, nil
}

// AppendResponse appends the response that opens the connection (RFC 6455, Section
// 4.2.2): the answer to key, the subprotocol unless it is empty, the extensions
// agreed to if any, and the extra fields, names and values, which may be nil; see
// [Lines] for those of an http.Header. The result is appended to dst; dst may be
// nil. Nothing else is retained. Without extra fields it does not allocate, apart
// from dst.
//
// Nothing that the client would take for more than one field can be sent. The
// error is [ErrKey], or [ErrField] for a subprotocol or extension that is not made
// of tokens, an extra field that this function writes itself or that frames
// content, a name that is not a token or a value with control octets; it names the
// field. dst is then returned as it was.
func AppendResponse(dst []byte, key, subprotocol string, extensions []Extension, extra iter.Seq2[string, string]) ([]byte, error) {
	if !ValidKey(key) {
		return dst, ErrKey
	}
	b := append(dst, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
	b = append(AppendAccept(b, key), "\r\n"...)
	b, err := appendAgreement(b, subprotocol, extensions, extra)
	if err != nil {
		return dst, err
	}
	return append(b, "\r\n"...), nil
}

// AppendRefusal appends the response that refuses a handshake, after which the
// server closes the connection: the status, 300 to 599 but not 304; Connection,
// Content-Length and Content-Type; the extra fields, names and values, which may be
// nil, such as [Error.Fields]; and the body as text, or the words of the status if
// it is empty. The result is appended to dst; dst may be nil.
//
// The error is [ErrStatus], or [ErrField] for an extra field that this function
// writes itself or that frames content, a name that is not a token or a value with
// control octets. dst is then returned as it was.
func AppendRefusal(dst []byte, status int, extra iter.Seq2[string, string], body string) ([]byte, error) {
	if status < 300 || status > 599 || status == 304 {
		return dst, ErrStatus
	}
	reason := statusText(status)
	if body == "" {
		body = reason + "\n"
	}
	b := append(dst, "HTTP/1.1 "...)
	b = append(strconv.AppendInt(b, int64(status), 10), ' ')
	b = append(append(b, reason...), "\r\nConnection: close"...)
	// RFC 9110, Section 7.8: who sends Upgrade MUST name it in Connection.
	if hasUpgrade(extra) {
		b = append(b, ", Upgrade"...)
	}
	b = append(b, "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: "...)
	b = append(strconv.AppendInt(b, int64(len(body)), 10), "\r\n"...)
	b, err := appendFields(b, extra, reservedInRefusal)
	if err != nil {
		return dst, err
	}
	return append(append(b, "\r\n"...), body...), nil
}

// hasUpgrade reports whether extra has an Upgrade field.
func hasUpgrade(extra iter.Seq2[string, string]) bool {
	if extra != nil {
		for name := range extra {
			if equalFold(name, fieldUpgrade) {
				return true
			}
		}
	}
	return false
}

// reservedInRefusal reports whether a field called name cannot be given to
// [AppendRefusal].
func reservedInRefusal(name string) bool {
	return equalFold(name, fieldConnection) || equalFold(name, fieldContentLength) ||
		equalFold(name, "Content-Type") || equalFold(name, fieldTransferEncoding)
}

// statusText returns the words of a status that refuses a handshake (RFC 9110,
// Section 15), or those of its hundred.
func statusText(status int) string {
	switch status {
	case 401:
		return "Unauthorized"
	case 403:
		return "Forbidden"
	case 404:
		return "Not Found"
	case 405:
		return "Method Not Allowed"
	case 408:
		return "Request Timeout"
	case 414:
		return "URI Too Long"
	case 426:
		return "Upgrade Required"
	case 429:
		return "Too Many Requests"
	case 431:
		return "Request Header Fields Too Large"
	case 501:
		return "Not Implemented"
	case 503:
		return "Service Unavailable"
	case 505:
		return "HTTP Version Not Supported"
	}
	switch status / 100 {
	case 3:
		return "Redirect"
	case 4:
		return "Bad Request"
	}
	return "Internal Server Error"
}
