package engineio

import (
	"time"

	"example.org/rfc6455/frame"
)

// begin calls the handler and opens the session. The heartbeat's first interval
// begins at the handshake.
func (s *Session) begin(now time.Time) {
	s.beat.start(now)
	receiver := s.handle()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.receiver = receiver
	if s.state != opening { // closed by the handler
		s.tell()
		return
	}
	s.state = open
	s.alarms.set(s, s.beat.due)
	if s.link != nil && len(s.queue.packets) > 0 {
		s.link.flush()
	}
}

// farewell closes a session that was closed before its handler returned.
func (s *Session) farewell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.state == closing:
		s.sayGoodbye()
	case s.state == closed && s.conn != nil:
		go s.conn.CloseNow()
	}
}

// handle calls the handler, which must neither panic nor return nil.
func (s *Session) handle() (r Receiver) {
	defer func() {
		if v := recover(); v != nil {
			s.panicked(v)
		}
		if r == nil {
			r = deaf{}
			s.Close(ForcedClose)
		}
	}()
	return s.handler(s)
}

// deaf is the receiver of a session whose handler returned none.
type deaf struct{}

func (deaf) Message(*Session, bool, []byte)      {}
func (deaf) Closed(*Session, CloseReason, error) {}

// Close ends the session after what was sent before, and returns without waiting
// for that. The reason is what the Receiver is told; empty means [ForcedClose]. The
// peer is not told any. After the end it does nothing.
//
// A WebSocket is closed with a closing handshake. A polling session is closed by
// the answer to its poll; if there is none, one is waited for up to
// Options.CloseTimeout. During an upgrade Close waits for its outcome.
func (s *Session) Close(reason CloseReason) {
	if reason == "" {
		reason = ForcedClose
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state >= closing {
		return
	}
	began := s.state == open
	s.ends(reason, nil)
	if began {
		s.sayGoodbye()
	}
}

// sayGoodbye tells the peer that the session is closing, as soon as that can be
// done. It needs mu.
func (s *Session) sayGoodbye() {
	if s.role == frame.Client && !s.up.is(probed) {
		s.stopUpgrade() // the client can still do without
	}
	switch {
	case s.up.running():
	case s.conn != nil:
		s.finish()
		go s.conn.Close(frame.CloseNoStatusReceived, "")
	case s.link != nil:
		if s.closeTimeout > 0 {
			s.alarms.set(s, time.Now().Add(s.closeTimeout))
		}
		s.link.close()
	}
}

// ends is the end for the application: the state is closing from now on. It needs mu,
// and a state before that.
func (s *Session) ends(reason CloseReason, err error) {
	began := s.state == open
	s.state, s.end = closing, &ending{reason, err}
	s.ws.Store(nil)
	if s.life != nil {
		s.life.cancel(s.cause())
	}
	if began {
		s.alarms.stop(s)
		s.tell()
	}
}

// tell tells the receiver of the end. It needs mu.
func (s *Session) tell() {
	go func() {
		defer func() {
			if v := recover(); v != nil {
				s.panicked(v)
			}
		}()
		s.receiver.Closed(s, s.end.reason, s.end.err)
	}()
}

// finish is the end for the peer. It needs mu, and state closing.
func (s *Session) finish() {
	s.state = closed
	s.alarms.stop(s)
	if s.link != nil {
		s.link.stop()
	}
	s.stopUpgrade()
	s.forget(s)
}

// fail ends the session at once, unless it has ended already. The caller closes the
// WebSocket, if there is one.
func (s *Session) fail(reason CloseReason, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failLocked(reason, err)
}

// failLocked is fail for who has mu.
func (s *Session) failLocked(reason CloseReason, err error) {
	if s.state < closing {
		s.ends(reason, err)
	}
	if s.state < closed {
		s.finish()
	}
}

// over reports whether the session has ended for the application.
func (s *Session) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state >= closing
}
