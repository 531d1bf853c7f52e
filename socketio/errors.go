package socketio

import (
	"errors"
	"fmt"
	"net"
	"runtime/debug"

	"example.org/rfc6455/socketio/engineio"
	"example.org/rfc6455/socketio/parser"
)

// An Error is told to the peer. Any other error is logged, and the peer is told
// no more than that there was one.
//
// From middleware of a namespace it becomes the error of the client's
// connect_error event. From a handler, it becomes the answer to the event, if the
// client asked for one: an object with the members error, which is Message, and
// data.
type Error struct {
	// Message is a text.
	Message string `json:"message"`
	// Data is anything that can be sent, or nil.
	Data any `json:"data,omitempty"`
}

func (e *Error) Error() string { return "socketio: " + e.Message }

// internalError is what the peer is told of an error that is not its business.
var internalError = &Error{Message: "internal error"}

// public returns what the peer is told of an error.
func public(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return internalError
}

var (
	// ErrDisconnected is the use of a socket that is not connected, or is no
	// longer. It matches net.ErrClosed.
	ErrDisconnected = fmt.Errorf("socketio: the socket is not connected: %w", net.ErrClosed)

	// ErrAckTimeout is an acknowledgement that did not come in time.
	ErrAckTimeout = errors.New("socketio: operation has timed out")

	// ErrTooManyAcks is a socket of which Server.MaxPendingAcks acknowledgements
	// are awaited already.
	ErrTooManyAcks = errors.New("socketio: too many acknowledgements are awaited")

	// ErrTooManyRooms is a socket that is in Server.MaxRooms rooms already.
	ErrTooManyRooms = errors.New("socketio: the socket is in too many rooms")

	// ErrQueueFull is a packet that was not sent because too much waits for the
	// client already.
	ErrQueueFull = engineio.ErrQueueFull

	// ErrHandler is a function that cannot handle an event, for which an error
	// that wraps it has the reason.
	ErrHandler = errors.New("socketio: not a handler")

	// ErrAnswered is an event that has been answered already.
	ErrAnswered = errors.New("socketio: the event has been answered already")

	// ErrNamespace is the name of a namespace that cannot be used.
	ErrNamespace error = parser.ErrNamespace

	// ErrShutdown is the use of a server that was shut down.
	ErrShutdown = fmt.Errorf("socketio: the server was shut down: %w", net.ErrClosed)

	// ErrUnsupported is what several namespaces cannot do as one. It matches
	// errors.ErrUnsupported.
	ErrUnsupported = fmt.Errorf("socketio: not for a parent namespace: %w", errors.ErrUnsupported)
)

// A HandlerError says that an event was not handled as it should be.
type HandlerError struct {
	// Event is the name.
	Event string
	// Err is the error of the handler; a [*ArgumentError]; or a [*PanicError].
	Err error
}

func (e *HandlerError) Error() string {
	return fmt.Sprintf("socketio: event %q: %v", e.Event, e.Err)
}

// Unwrap returns Err.
func (e *HandlerError) Unwrap() error { return e.Err }

// An ArgumentError is an argument that the handler does not take.
type ArgumentError struct {
	// Index is how many arguments come before it.
	Index int
	// Err is the error of the decoder.
	Err error
}

func (e *ArgumentError) Error() string { return fmt.Sprintf("argument %d: %v", e.Index, e.Err) }

// Unwrap returns Err.
func (e *ArgumentError) Unwrap() error { return e.Err }

// A PanicError is the panic of a handler. The socket goes on.
type PanicError struct {
	// Value is that of the panic, and Stack where it was.
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// A Fault says in a word for machines why a client was cut off or not let in,
// where the client itself is not told. Those of a packet are in addition to the
// ones below: a [parser.Reason] as text, such as "too-many-attachments".
type Fault string

// What clients do that the protocol does not allow.
const (
	// NotConnected is a packet for a namespace that the client has not joined.
	NotConnected Fault = "not-connected"
	// AlreadyConnected is a second request to join a namespace.
	AlreadyConnected Fault = "already-connected"
	// UnexpectedPacket is a packet that only servers send.
	UnexpectedPacket Fault = "unexpected-packet"
	// ConnectTimeout is a client that did not join a namespace in time.
	ConnectTimeout Fault = "connect-timeout"
	// AttachmentTimeout is a packet whose attachments did not come in time.
	AttachmentTimeout Fault = "attachment-timeout"
	// SlowConsumer is a client for which more waits than may.
	SlowConsumer Fault = "slow-consumer"
	// TooManyNamespaces is a request to join more namespaces than a client may,
	// which is refused; it goes on.
	TooManyNamespaces Fault = "too-many-namespaces"
)

// A FaultError says which client was cut off, and why.
type FaultError struct {
	// Fault is why.
	Fault Fault
	// Namespace is where, if that matters.
	Namespace string
	// Session is that of the client.
	Session *engineio.Session
	// Err is the error of the parser, or nil.
	Err error
}

func (e *FaultError) Error() string { return "socketio: client cut off: " + string(e.Fault) }

// Unwrap returns Err.
func (e *FaultError) Unwrap() error { return e.Err }

// A Reason says why a socket was disconnected, in the words of Node's server.
type Reason string

// Why a socket was disconnected. The first five are those of the session.
const (
	TransportClose            = Reason(engineio.TransportClose)
	TransportError            = Reason(engineio.TransportError)
	PingTimeout               = Reason(engineio.PingTimeout)
	ParseError                = Reason(engineio.ParseError)
	ForcedClose               = Reason(engineio.ForcedClose)
	ServerShuttingDown        = Reason("server shutting down")
	ForcedServerClose         = Reason("forced server close")
	ClientNamespaceDisconnect = Reason("client namespace disconnect")
	ServerNamespaceDisconnect = Reason("server namespace disconnect")
)

// recoverable reports whether a client that was disconnected for r may come back
// to the state of its socket.
func (r Reason) recoverable() bool {
	switch r {
	case TransportClose, TransportError, PingTimeout, ForcedClose, ServerShuttingDown, ForcedServerClose:
		return true
	}
	return false
}

// newPanicError returns the error for a panic, in the function that recovers it.
func newPanicError(v any) *PanicError { return &PanicError{v, debug.Stack()} }
