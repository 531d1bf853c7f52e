package engineio

import (
	"context"
	"net/http"

	"example.org/rfc6455/socketio/engineio/codec"
)

// A Receiver is the application's end of a session.
type Receiver interface {
	// Message is called for each message that came, in order, one call after the
	// other. Text is valid UTF-8. Until it returns the session is not read: a
	// WebSocket is left alone, a polling request is not answered. See
	// [Session.Release] for a Message that has to wait for the peer.
	//
	// The data is valid until Message returns or Release is called, and may be
	// modified. A panic closes the session, and is logged.
	Message(s *Session, binary bool, data []byte)

	// Closed is called exactly once, on a goroutine of its own, when the session
	// has ended or is closing. No call of Message begins after it, but one may
	// still be running. The error says more, or is nil.
	Closed(s *Session, reason CloseReason, err error)
}

// A Session is a session of either side. Its methods may be called from any
// goroutine at any time.
type Session struct{}

// ID returns the id that the server gave the session. Who knows it can use the
// session: it must not be shown to anybody, nor be logged.
func (s *Session) ID() string { return "" }

// Protocol returns the revision of Engine.IO that the session speaks.
func (s *Session) Protocol() codec.Revision { return 0 }

// Transport returns the transport in use.
func (s *Session) Transport() Transport { return "" }

// Request returns the request that began the session on a server, without its
// body, and nil on a client. It must not be modified.
func (s *Session) Request() *http.Request { return nil }

// RemoteAddr returns the address of the peer as [http.Request] has it; on a client
// it is the host of the URL.
func (s *Session) RemoteAddr() string { return "" }

// Context returns a context that is canceled when the session has ended or is
// closing, with an error that matches net.ErrClosed as its cause. On a server it
// has the values of the request's context.
func (s *Session) Context() context.Context { return nil }

// Send sends messages without waiting: all of them, in their order and with no
// other message between them, or with an error none. What the peer does not take
// at once is queued. The messages of one goroutine arrive in its order.
//
// The error is [ErrQueueFull], [ErrSeparator], [ErrClosed] or
// [frame.ErrInvalidUTF8].
func (s *Session) Send(ps ...*Packet) error { return nil }

// Writable reports whether a message that is sent now leaves at once: whether
// nothing is queued, and a WebSocket is open or a poll is waiting. Messages that are
// worth nothing later need not be sent otherwise.
func (s *Session) Writable() bool { return false }

// Release lets the session go on receiving while the call of Message that is in
// progress has not returned: the next call comes on another goroutine, at the same
// time as the rest of this one. A Message that waits for something the peer has
// still to send must call it, and must not use its data afterwards. For a polling
// session the request that brought the message is answered.
//
// It is for the one call of Message in progress, to be called once by what runs in
// it: a second time it would release the next one. Without a call in progress it
// does nothing.
func (s *Session) Release() {}

// Close ends the session after what was sent before, and returns without waiting
// for that. The reason is what the Receiver is told; empty means [ForcedClose]. The
// peer is not told any. After the first call it does nothing.
//
// A WebSocket is closed with a closing handshake. A polling session is closed by
// the answer to its poll; if there is none, one is waited for up to
// Options.CloseTimeout. During an upgrade Close waits for its outcome.
func (s *Session) Close(reason CloseReason) {}

// Stats returns how much waits for the peer, and after the end what was not sent. It
// waits for nothing and may be called for each message.
func (s *Session) Stats() Stats { return Stats{} }

// Stats counts what is queued in a session.
type Stats struct {
	QueuedPackets int
	QueuedOctets  int
}
