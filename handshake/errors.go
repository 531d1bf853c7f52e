package handshake

import (
	"iter"
	"strconv"
)

// An Error reports a rule of the opening handshake that was broken. The Err
// values of this package are its classes: match one with [errors.Is], and read
// what to answer from any of them with [errors.AsType].
//
// The text is for people. The peer gets the status, the [Error.Fields] and a
// short fixed body; see [AppendRefusal].
type Error struct {
	class  *Error // nil in a class itself
	status int
	field  string
	text   string
	answer []string // names and values in turn
}

// Error describes the broken rule and names the field at fault, if there is one.
func (e *Error) Error() string {
	switch {
	case e.field == "":
		return "handshake: " + e.text
	case !isToken(e.field): // whatever the application gave as a name
		return "handshake: " + strconv.Quote(e.field) + ": " + e.text
	}
	return "handshake: " + e.field + ": " + e.text
}

// Unwrap returns the class of e, one of the Err values, or nil if e is one.
func (e *Error) Unwrap() error {
	if e.class == nil {
		return nil
	}
	return e.class
}

// Status returns the HTTP status with which a server refuses the request. It is
// 500 for a mistake of the application, and 0 for what a client reports: there
// is nobody to answer then.
func (e *Error) Status() int { return e.status }

// Field returns the name of the header field at fault, or "" if the fault lies
// elsewhere.
func (e *Error) Field() string { return e.field }

// Fields yields the names and values of the fields that the refusal must carry:
// Allow with 405, Upgrade with 426, and Sec-WebSocket-Version where the version
// was refused. A server over net/http adds them to its own header, together with
// a Connection field that says close, and Upgrade if that field is among them.
func (e *Error) Fields() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for i := 0; i < len(e.answer); i += 2 {
			if !yield(e.answer[i], e.answer[i+1]) {
				return
			}
		}
	}
}

// What a server refuses, with the status it answers.
var (
	// ErrTooLarge is a head beyond a limit of [Limits]: 414 for the request
	// line, otherwise 431. Reported of a response it has status 0.
	ErrTooLarge = &Error{status: 431, text: "head too large"}

	// ErrHeader is a head that is not HTTP (RFC 9112, Sections 2 to 5): 400, or
	// 0 of a response.
	ErrHeader = &Error{status: 400, text: "malformed head"}

	// ErrTarget is a request-target that is malformed, or in a form that a
	// handshake does not use (RFC 9112, Section 3.2): 400.
	ErrTarget = &Error{status: 400, text: "request-target not acceptable"}

	// ErrProto is an HTTP version other than 1.1 (RFC 6455, Section 4.2.1): 426
	// for HTTP/1.0, otherwise 505. Reported of a response it has status 0.
	ErrProto = &Error{status: 505, text: "HTTP version not supported"}

	// ErrMethod is a method other than GET (RFC 6455, Section 4.2.1), or than
	// CONNECT in HTTP/2 (RFC 8441, Section 5): 405 with Allow.
	ErrMethod = &Error{status: 405, text: "method not allowed", answer: []string{"Allow", "GET"}}

	// ErrHost is a Host that is missing, empty, repeated, malformed or different
	// from the authority in the request-target (RFC 9112, Section 3.2): 400.
	ErrHost = &Error{status: 400, field: "Host", text: "not exactly one valid host"}

	// ErrBody is a message with content where there can be none (RFC 6455,
	// Section 4.1; RFC 9110, Section 15.2): 400. The octets after such a head
	// have no safe meaning: close the connection. Reported of a response it has
	// status 0.
	ErrBody = &Error{status: 400, text: "content not allowed"}

	// ErrUpgrade is a request for something other than the WebSocket protocol
	// (RFC 6455, Section 4.2.1): 426 with Upgrade if that field is missing, 501
	// for another :protocol in HTTP/2, otherwise 400. Reported of a response it
	// has status 0.
	ErrUpgrade = &Error{status: 400, field: "Upgrade", text: "not an upgrade to websocket"}

	// ErrVersion is a Sec-WebSocket-Version other than 13 (RFC 6455, Section
	// 4.4): 426 with Sec-WebSocket-Version and Upgrade; in HTTP/2, which has no
	// Upgrade, 400 with Sec-WebSocket-Version.
	ErrVersion = &Error{status: 426, field: "Sec-WebSocket-Version", text: "not exactly one, or not 13",
		answer: []string{"Upgrade", "websocket", "Sec-WebSocket-Version", "13"}}

	// ErrKey is a Sec-WebSocket-Key that is not exactly one canonical base64 of
	// 16 octets (RFC 6455, Section 4.2.1): 400.
	ErrKey = &Error{status: 400, field: "Sec-WebSocket-Key", text: "not exactly one base64 of 16 octets"}

	// ErrSubprotocol is a malformed Sec-WebSocket-Protocol (RFC 6455, Section
	// 11.3.4): 400. Reported of a response it also means a subprotocol that was
	// not asked for, and has status 0.
	ErrSubprotocol = &Error{status: 400, field: "Sec-WebSocket-Protocol", text: "not a list of different tokens"}

	// ErrExtension is a malformed Sec-WebSocket-Extensions (RFC 6455, Section
	// 9.1): 400. Reported of a response it also means an extension that was not
	// offered, and has status 0.
	ErrExtension = &Error{status: 400, field: "Sec-WebSocket-Extensions", text: "malformed list of extensions"}

	// ErrOrigin is an Origin that is malformed, repeated, null or not allowed
	// (RFC 6455, Section 10.2): 403.
	ErrOrigin = &Error{status: 403, field: "Origin", text: "origin not allowed"}
)

// What a client reports of a response, besides the above.
var (
	// ErrStatus is a status that does not open the connection, or one that
	// [AppendRefusal] cannot send.
	ErrStatus = &Error{text: "unexpected status"}

	// ErrAccept is a Sec-WebSocket-Accept that is missing, repeated or does not
	// answer the key (RFC 6455, Section 4.1).
	ErrAccept = &Error{field: "Sec-WebSocket-Accept", text: "not exactly the answer to the key"}
)

// What an application does wrong.
var (
	// ErrField is a field given by the application that cannot be sent: one that
	// belongs to the handshake itself, or a name, value, subprotocol or extension
	// that would not survive on the wire. Status 500.
	ErrField = &Error{status: 500, text: "field cannot be sent"}

	// ErrPattern is a malformed pattern given to [NewOrigins]. Status 500.
	ErrPattern = &Error{status: 500, text: "malformed origin pattern"}
)

// The particular cases that differ from their class.
var (
	errLineTooLong = &Error{class: ErrTooLarge, status: 414, text: "request line too long"}

	errStartLine = &Error{class: ErrHeader, status: 400, text: "malformed start line"}
	errFold      = &Error{class: ErrHeader, status: 400, text: "field line folded"}
	errName      = &Error{class: ErrHeader, status: 400, text: "field name not a token followed by a colon"}
	errValue     = &Error{class: ErrHeader, status: 400, text: "control octet in a field line"}
	errLineEnd   = &Error{class: ErrHeader, status: 400, text: "line not ended by CR LF"}

	errHTTP10 = &Error{class: ErrProto, status: 426, text: "HTTP version not supported",
		answer: []string{"Upgrade", "websocket"}}

	errNoUpgrade = &Error{class: ErrUpgrade, status: 426, field: "Upgrade", text: "field missing",
		answer: []string{"Upgrade", "websocket"}}
	errConnection = &Error{class: ErrUpgrade, status: 400, field: "Connection", text: "not an upgrade"}
	errProtocol   = &Error{class: ErrUpgrade, status: 501, text: "not a CONNECT for websocket"}

	errMethodConnect = &Error{class: ErrMethod, status: 405, text: "method not allowed",
		answer: []string{"Allow", "CONNECT"}}
	errVersionConnect = &Error{class: ErrVersion, status: 400, field: "Sec-WebSocket-Version",
		text: "not exactly one, or not 13", answer: []string{"Sec-WebSocket-Version", "13"}}
)

// What a client reports with a class that is a server's as well.
var (
	errResponseTooLarge    = &Error{class: ErrTooLarge, text: "head too large"}
	errResponseHeader      = &Error{class: ErrHeader, text: "malformed head"}
	errResponseProto       = &Error{class: ErrProto, text: "HTTP version not supported"}
	errResponseBody        = &Error{class: ErrBody, text: "content not allowed"}
	errResponseUpgrade     = &Error{class: ErrUpgrade, field: "Upgrade", text: "not an upgrade to websocket"}
	errResponseConnection  = &Error{class: ErrUpgrade, field: "Connection", text: "not an upgrade"}
	errResponseSubprotocol = &Error{class: ErrSubprotocol, field: "Sec-WebSocket-Protocol", text: "not one that was asked for"}
	errResponseExtension   = &Error{class: ErrExtension, field: "Sec-WebSocket-Extensions", text: "malformed or not offered"}
)

// fieldError reports that the application's field name cannot be sent.
func fieldError(name, text string) *Error {
	return &Error{class: ErrField, status: 500, field: name, text: text}
}
