package engineio

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"example.org/rfc6455/frame"
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
	// has ended or is closing. No call of Message is made after it, but the last one
	// may still be running, or only just begin to. The error says more, or is nil.
	Closed(s *Session, reason CloseReason, err error)
}

// A source reads packets of a session. One at a time does.
type source interface {
	// run reads and hands over what there is, on the goroutine that is the source's
	// from now on, until the session or the source has ended, or another goroutine
	// is told to run it.
	run()
}

// Release lets the session go on receiving while the call of Message that is in
// progress has not returned: the next call comes on another goroutine, at the same
// time as the rest of this one. A Message that waits for something the peer has
// still to send must call it, and must not use its data afterwards. For a polling
// session the request that brought the message is answered.
//
// It is for the one call of Message in progress, to be called once by what runs in
// it: a second time it would release the next one. Without a call in progress it
// does nothing.
func (s *Session) Release() {
	s.mu.Lock()
	src := s.caller
	s.caller = nil
	s.mu.Unlock()
	if src != nil {
		go src.run()
	}
}

// errDirection is a ping of the side that has to answer pings, or an answer to none
// of ours.
var errDirection = errors.New("engineio: heartbeat in the wrong direction")

// receive takes a packet that src has read. It reports whether src is to go on: not
// after the end, nor when another goroutine does because of Release.
func (s *Session) receive(src source, p codec.Packet) bool {
	s.mu.Lock()
	if s.state != open {
		if s.state == closing && p.Type == codec.Close && !s.up.running() {
			s.finish() // both sides have said so
		}
		s.mu.Unlock()
		return false
	}
	if s.beat.received(p.Type) {
		s.alarms.set(s, s.beat.due)
	}
	if p.Type == codec.Message {
		s.caller = src
		s.calls++
		call := s.calls
		s.mu.Unlock()
		return s.message(call, p)
	}
	defer s.mu.Unlock()
	switch p.Type {
	case codec.Ping:
		if s.beat.pings {
			s.failLocked(TransportError, errDirection)
			return false
		}
		// One pong answers all pings; who does not poll cannot pile them up.
		if s.conn != nil || !slices.Contains(s.queue.packets, pongPacket) {
			s.control(pongPacket)
		}
	case codec.Pong:
		if !s.beat.pings {
			s.failLocked(TransportError, errDirection)
			return false
		}
	case codec.Close:
		s.failLocked(TransportClose, nil)
		return false
	case codec.Noop:
	default: // a handshake or an upgrade that nobody asked for
		s.failLocked(ParseError, fmt.Errorf("engineio: unexpected packet: %v", p.Type))
		return false
	}
	return true
}

// message hands a message to the receiver, as the call with this number. It reports
// what receive does.
func (s *Session) message(call uint64, p codec.Packet) (again bool) {
	defer func() {
		v := recover()
		s.mu.Lock()
		defer s.mu.Unlock()
		if again = s.caller != nil && s.calls == call; again {
			s.caller = nil
		}
		if v != nil {
			s.panicked(v)
			again = false
			s.failLocked(ForcedClose, fmt.Errorf("engineio: Message panicked: %v", v))
			if s.conn != nil {
				go s.conn.Close(frame.CloseInternalError, "")
			}
		}
	}()
	s.receiver.Message(s, p.Binary, p.Data)
	return
}

// panicked logs a panic of the application.
func (s *Session) panicked(v any) {
	s.logger.Error("engine.io receiver panicked", "remote", s.RemoteAddr(), "panic", v, "stack", string(debug.Stack()))
}
