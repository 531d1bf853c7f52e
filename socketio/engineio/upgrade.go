package engineio

import (
	"context"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/socketio/engineio/codec"
)

// An upgrade is the way of a session from polling to a WebSocket. Nil is none.
type upgrade struct {
	phase upgradePhase
	conn  *conn.Conn  // from probing on
	timer *time.Timer // likewise; nil without a limit
}

// An upgradePhase is how far an upgrade has come.
type upgradePhase uint8

const (
	connecting upgradePhase = iota // the opening handshake of the WebSocket
	probing                        // a ping has still to show that the WebSocket works
	probed                         // it works: the client stops polling before it moves
)

// running reports whether there is an upgrade.
func (u *upgrade) running() bool { return u != nil }

// is reports whether there is an upgrade in that phase.
func (u *upgrade) is(p upgradePhase) bool { return u != nil && u.phase == p }

// to reports whether there is an upgrade to c, which is nil as long as it is
// connecting.
func (u *upgrade) to(c *conn.Conn) bool { return u != nil && u.conn == c }

// stopUpgrade ends an upgrade, if there is one. The WebSocket is closed. It needs mu.
func (s *Session) stopUpgrade() {
	if s.up != nil && s.up.conn != nil {
		go s.up.conn.Close(frame.CloseNoStatusReceived, "")
	}
	s.endUpgrade()
}

// endUpgrade is the end of an upgrade, however it ended. It needs mu.
func (s *Session) endUpgrade() {
	if s.up != nil && s.up.timer != nil {
		s.up.timer.Stop()
	}
	s.up = nil
}

// beginUpgrade begins an upgrade, if the session polls and has none yet.
func (s *Session) beginUpgrade() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != open || s.link == nil || s.up.running() {
		return false
	}
	s.up = &upgrade{phase: connecting}
	return true
}

// upgrading notes the WebSocket of an upgrade. From now on time runs. It reports
// false if the session has ended.
func (s *Session) upgrading(c *conn.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.up.running() {
		return false
	}
	s.up.phase, s.up.conn = probing, c
	if s.upgradeTimeout > 0 {
		s.up.timer = time.AfterFunc(s.upgradeTimeout, func() {
			s.stay(c)
			c.Close(frame.CloseNoStatusReceived, "")
		})
	}
	return true
}

// stay ends the upgrade to a WebSocket, if it has not ended: the session goes on
// polling.
func (s *Session) stay(c *conn.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.up.to(c) {
		return
	}
	s.endUpgrade()
	if s.state == closing {
		s.sayGoodbye()
	}
}

// upgradeTo is the server's side of an upgrade to c. If that succeeds the goroutine
// reads the session from then on; base64 says that the client takes no octets.
func (s *Session) upgradeTo(c *conn.Conn, base64 bool) {
	if s.upgrading(c) && s.expect(c, codec.Ping, probe) && s.answerProbe(c) &&
		s.expect(c, codec.Upgrade, "") && s.move(c, base64) {
		go (&reader{s: s, c: c}).run()
		return
	}
	s.stay(c)
	c.Close(frame.CloseNoStatusReceived, "")
}

// expect reads a packet and reports whether it is the one that has to come.
func (s *Session) expect(c *conn.Conn, t codec.Type, data string) bool {
	op, b, err := c.ReadMessage(context.Background())
	if err != nil || op != frame.OpText {
		return false
	}
	p, err := codec.ParseText(s.revision, b)
	return err == nil && !p.Binary && p.Type == t && string(p.Data) == data
}

// pollGrace is how long a poll that waits when the WebSocket has been probed is left
// waiting: one that was sent after the client had moved may have overtaken that.
const pollGrace = 20 * time.Millisecond

// answerProbe says that the WebSocket works, and ends a poll that is waiting so that
// the client can stop polling.
func (s *Session) answerProbe(c *conn.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.up.to(c) {
		return false
	}
	s.up.phase = probed
	c.Post(probePong.message(form{revision: s.revision}))
	p := s.link.(*polling)
	if h := p.get; h != nil {
		time.AfterFunc(pollGrace, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if p.get == h {
				p.wake(noopPacket)
			}
		})
	}
	return true
}

// move moves the session to c, with what is queued. It returns when the requests
// that were received before have been handed over, so that what comes over c follows
// them.
func (s *Session) move(c *conn.Conn, base64 bool) bool {
	s.mu.Lock()
	if !s.up.to(c) {
		s.mu.Unlock()
		return false
	}
	p := s.link.(*polling)
	if p.get != nil { // against the rules, or sent after the move
		p.wake(nil)
	}
	if p.settle(); !s.up.to(c) {
		s.mu.Unlock()
		return false
	}
	s.endUpgrade()
	s.attach(c, base64)
	ending := s.state == closing
	if ending {
		s.finish()
	}
	s.mu.Unlock()
	if ending {
		return false
	}
	if s.upgraded != nil {
		s.upgraded(s)
	}
	return p.acquire(context.Background())
}
