package conn

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"

	"example.org/rfc6455/frame"
)

// An Error reports that the peer went beyond a limit of [Options], or sent a
// compressed message that cannot be inflated. It is one of the values below or
// wraps a [*deflate.Error]: match them with [errors.Is], read the close code with
// [errors.AsType]. A broken rule of the protocol is a [*frame.Error].
type Error struct {
	code  frame.CloseCode
	text  string
	cause error // a *deflate.Error, or nil
}

func (e *Error) Error() string {
	if e.cause != nil {
		return "conn: " + e.text + ": " + e.cause.Error()
	}
	return "conn: " + e.text
}

// Unwrap returns the [*deflate.Error] of a compressed message, or nil.
func (e *Error) Unwrap() error { return e.cause }

// CloseCode returns the code that the connection was failed with.
func (e *Error) CloseCode() frame.CloseCode { return e.code }

// The limits of [Options]. Each fails the connection.
var (
	// ErrMessageTooBig is a message longer than Options.MaxMessageSize.
	ErrMessageTooBig = &Error{code: frame.CloseMessageTooBig, text: "message longer than Options.MaxMessageSize"}
	// ErrMemoryBudget is a message for which Options.MemoryBudget has no room, or
	// that stalled while others needed it.
	ErrMemoryBudget = &Error{code: frame.CloseTryAgainLater, text: "messages of all connections together beyond Options.MemoryBudget"}
	// ErrTooManyFragments is a message in more fragments, or in more empty
	// ones, than its size can justify.
	ErrTooManyFragments = &Error{code: frame.ClosePolicyViolation, text: "too many fragments in a message"}
	// ErrTooManyControlFrames is a rate of control frames beyond
	// Options.MaxControlRate.
	ErrTooManyControlFrames = &Error{code: frame.ClosePolicyViolation, text: "more control frames than Options.MaxControlRate"}
	// ErrStalled is a message that stopped arriving for Options.StallTimeout,
	// or was waited for longer than Options.MessageTimeout.
	ErrStalled = &Error{code: frame.ClosePolicyViolation, text: "message stalled"}
)

// Why a connection ended although the peer broke no rule. They are found in a
// [*CloseError] with [errors.Is].
var (
	// ErrPongTimeout is a ping of the heartbeat without an answer.
	ErrPongTimeout = errors.New("conn: no answer to the heartbeat within Options.PongTimeout")
	// ErrWriteTimeout is a peer that takes less than 1 KiB of our octets in
	// Options.WriteTimeout.
	ErrWriteTimeout = errors.New("conn: the peer stopped reading for Options.WriteTimeout")
	// ErrCloseTimeout is a peer that did not answer our Close frame within
	// Options.CloseTimeout, or did not read so far that ours could leave.
	ErrCloseTimeout = errors.New("conn: no closing handshake within Options.CloseTimeout")
	// ErrCloseNow is a connection that was ended with [Conn.CloseNow].
	ErrCloseNow = errors.New("conn: closed without a closing handshake")
	// ErrSlowConsumer is a connection that a [Hub] ended because the frames
	// queued for it exceeded Options.MaxQueuedSize or Options.MaxQueuedFrames.
	ErrSlowConsumer = errors.New("conn: too many frames queued for the peer")
)

// ErrQueueFull is a message that was not sent because Options.MaxQueuedSize or
// Options.MaxQueuedFrames is used up by what waits for the peer. The connection
// goes on.
var ErrQueueFull = errors.New("conn: the peer does not read, and no more is queued for it")

// Misuse. The connection goes on.
var (
	// ErrConcurrentRead is a read while another goroutine is reading.
	ErrConcurrentRead = errors.New("conn: another goroutine is reading")
	// ErrWriterOpen is a message that found another one open, begun with
	// [Conn.NextWriter] and without progress for Options.WriteTimeout.
	ErrWriterOpen = errors.New("conn: a MessageWriter was left open; Close it before the next message")
	// ErrStillSent is a message, or a fragment, whose context has ended, but which
	// is sent all the same because what follows is compressed with references to
	// it.
	ErrStillSent = errors.New("conn: a compressed message cannot be taken back and is sent")
	// ErrWriterDone is a use of a [MessageWriter] after its Close.
	ErrWriterDone = errors.New("conn: the MessageWriter is closed")
	// ErrReaderDone is a use of a [MessageReader] after the next message was
	// asked for.
	ErrReaderDone = errors.New("conn: the MessageReader is of an earlier message")
	// ErrOpcode is a message that is neither text nor binary.
	ErrOpcode = errors.New("conn: a message is frame.OpText or frame.OpBinary")
	// ErrNoReader is a ping whose pong nobody was there to read: control
	// frames are handled inside the reading methods.
	ErrNoReader = errors.New("conn: a pong is seen only while a goroutine reads")
)

// errClosing is a write after our Close frame.
var errClosing = fmt.Errorf("conn: a Close frame was sent: %w", net.ErrClosed)

// A Party is one of those who can end a connection.
type Party uint8

const (
	// Network is a transport that ended or failed without a Close frame.
	Network Party = iota
	// Peer is the other side, by a Close frame.
	Peer
	// Local is this side: a method that closes, a broken rule or a limit.
	Local
)

func (p Party) String() string {
	switch p {
	case Network:
		return "network"
	case Peer:
		return "peer"
	case Local:
		return "this side"
	}
	return "Party(" + strconv.Itoa(int(p)) + ")"
}

// A CloseError says how a connection ended. Once it has, every method that
// needs it open returns the same *CloseError at once. It matches
// [net.ErrClosed] and whatever Err matches.
type CloseError struct {
	// Code and Reason are those of Section 7.1.5 and 7.1.6: what the peer's
	// Close frame said. Code is [frame.CloseNoStatusReceived] when that frame
	// was empty and [frame.CloseAbnormalClosure] when none came; when this side
	// failed the connection, they are what it sent.
	Code   frame.CloseCode
	Reason string

	// By is who began: Peer or Local when the first Close frame was theirs or
	// ours, Network when the transport ended first.
	By Party

	// Err is the cause: a [*frame.Error] or an [*Error] when the peer broke a
	// rule or a limit, one of the errors of this package, or the error of the
	// transport. It is nil after a closing handshake.
	Err error
}

func (e *CloseError) Error() string {
	s := "conn: closed by " + e.By.String() + ": " + e.Code.String()
	if e.Reason != "" {
		s += " " + strconv.Quote(e.Reason)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns net.ErrClosed and Err.
func (e *CloseError) Unwrap() []error {
	if e.Err == nil {
		return []error{net.ErrClosed}
	}
	return []error{net.ErrClosed, e.Err}
}

// Normal reports whether the connection ended as intended: after a closing
// handshake with [frame.CloseNormalClosure], [frame.CloseGoingAway] or no code.
func (e *CloseError) Normal() bool {
	switch e.Code {
	case frame.CloseNormalClosure, frame.CloseGoingAway, frame.CloseNoStatusReceived:
		return e.Err == nil
	}
	return false
}

// A RefusedError is an opening handshake that was refused with an HTTP status
// (RFC 6455, Section 4.2.2). A client gets one from [Dial]; a server's hook
// returns one to choose the answer.
type RefusedError struct {
	// Status is the HTTP status. For a server zero means 403.
	Status int
	// Header holds the fields of the answer; nil means none.
	Header http.Header
	// Body is the text of the answer, of which a client keeps the first KiB.
	Body string
}

func (e *RefusedError) Error() string {
	s := "conn: handshake refused: " + strconv.Itoa(e.Status)
	if t := http.StatusText(e.Status); t != "" {
		s += " " + t
	}
	if e.Body != "" {
		s += ": " + strconv.Quote(e.Body)
	}
	return s
}
