package engineio

import (
	"errors"
	"fmt"
	"net"
	"net/http"
)

// A CloseReason says why a session ended, in the words of Node's server.
type CloseReason string

const (
	// TransportClose is a peer that closed the session or its connection.
	TransportClose CloseReason = "transport close"
	// TransportError is a connection that failed or broke a rule: two polls at
	// once, a poll that was given up, a malformed frame.
	TransportError CloseReason = "transport error"
	// PingTimeout is a peer that the heartbeat found gone.
	PingTimeout CloseReason = "ping timeout"
	// ParseError is a packet that could not be decoded, or may not be sent.
	ParseError CloseReason = "parse error"
	// ForcedClose is this side: [Session.Close].
	ForcedClose CloseReason = "forced close"
)

var (
	// ErrQueueFull is what [Session.Send] did not send because too much waits
	// for the peer already. The session goes on.
	ErrQueueFull = errors.New("engineio: too much is queued for the peer")

	// ErrSeparator is a text message with the octet 0x1e, which in revision 4
	// cannot be sent by polling: it separates packets. The session goes on.
	ErrSeparator = errors.New("engineio: a text message with the octet 0x1e cannot be sent by polling")

	// ErrClosed is the use of a session that has ended, or is closing. It matches
	// net.ErrClosed.
	ErrClosed = fmt.Errorf("engineio: %w", net.ErrClosed)
)

// An ErrorCode says why a request was refused. Its number and text are what the
// client is told.
type ErrorCode int

const (
	// UnknownTransport is a transport that does not exist, is not enabled, or is
	// not named.
	UnknownTransport ErrorCode = iota
	// UnknownSession is an id of a session that does not exist, any more perhaps.
	UnknownSession
	// BadHandshakeMethod is a session that is asked for by another method than
	// GET.
	BadHandshakeMethod
	// BadRequest is everything that has no code of its own.
	BadRequest
	// Forbidden is a client that may not connect.
	Forbidden
	// UnsupportedProtocol is a revision of the protocol that is not spoken.
	UnsupportedProtocol
)

// String returns the text that the client is told.
func (c ErrorCode) String() string {
	switch c {
	case UnknownTransport:
		return "Transport unknown"
	case UnknownSession:
		return "Session ID unknown"
	case BadHandshakeMethod:
		return "Bad handshake method"
	case BadRequest:
		return "Bad request"
	case Forbidden:
		return "Forbidden"
	case UnsupportedProtocol:
		return "Unsupported protocol version"
	}
	return fmt.Sprintf("ErrorCode(%d)", int(c))
}

// A RefusedError is a request that was refused. A server's hook returns one to
// choose the answer; a client gets one from [Dial].
type RefusedError struct {
	// Status is the HTTP status; a server's hook leaves it 0. A client sees 200
	// if the answer was no handshake.
	Status int
	// Code is the reason; a server's hook leaves it 0 and means [Forbidden].
	Code ErrorCode
	// Message is the text. Empty means that of Code.
	Message string
}

func (e *RefusedError) Error() string {
	text := e.Message
	if text == "" {
		text = e.Code.String()
	}
	return fmt.Sprintf("engineio: refused with status %d: %s", e.Status, text)
}

// A ConnectionError is a request that a server refused, for its
// [Options.OnConnectionError].
type ConnectionError struct {
	// Request is the request, valid until the hook returns.
	Request *http.Request
	// Code and Message are what the client was told.
	Code    ErrorCode
	Message string
	// Context says more than Code.
	Context ErrorContext
	// Err is the cause, or nil.
	Err error
}

// An ErrorContext says what was wrong with a request, in the words of Node's
// server where that has one.
type ErrorContext string

const (
	ContextTransport           ErrorContext = "TRANSPORT_UNKNOWN"         // no such transport
	ContextSession             ErrorContext = "SESSION_UNKNOWN"           // no such session
	ContextMethod              ErrorContext = "BAD_METHOD"                // no session is made or used that way
	ContextOrigin              ErrorContext = "INVALID_ORIGIN"            // a page that may not connect
	ContextTransportMismatch   ErrorContext = "TRANSPORT_MISMATCH"        // not the transport of the session
	ContextProtocolMismatch    ErrorContext = "PROTOCOL_MISMATCH"         // not the revision of the session
	ContextProtocolUnsupported ErrorContext = "PROTOCOL_UNSUPPORTED"      // not a revision that is spoken
	ContextTransportHandshake  ErrorContext = "TRANSPORT_HANDSHAKE_ERROR" // no opening handshake of a WebSocket
	ContextID                  ErrorContext = "ID_GENERATION_ERROR"       // Options.NewID failed
	ContextForbidden           ErrorContext = "FORBIDDEN"                 // Options.AllowRequest said no
	ContextPrincipal           ErrorContext = "PRINCIPAL_MISMATCH"        // the session is somebody else's
	ContextOverload            ErrorContext = "OVERLOAD"                  // too many sessions, or shutting down
	ContextRequest             ErrorContext = "BAD_REQUEST"               // anything else: head too large, malformed query
)
