package handshake

import "iter"

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
