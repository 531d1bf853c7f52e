package engineio

import (
	"runtime"
	"time"
)

// tick does what is due: for the heartbeat, or when no poll came to be told that the
// session is closing.
func (s *Session) tick() {
	now := time.Now()
	runtime.Gosched() // behind all that could run
	queued := time.Since(now)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == closing && !s.up.running() {
		s.finish()
	}
	if s.state != open {
		return
	}
	if s.conn != nil && s.beat.pings { // a part of a long message is a sign of life, too
		octets := s.conn.Stats().Received.Octets
		if s.heard != unheard && octets != s.heard {
			s.beat.heard = true
		}
		s.heard = octets
	}
	deaf := s.caller != nil || s.link != nil && s.link.reading() || s.overloaded(now, queued)
	switch s.beat.expired(now, deaf, s.conn != nil) {
	case ping:
		s.control(pingPacket)
	case bury:
		s.ends(PingTimeout, nil)
		s.finish()
		if s.conn != nil {
			go s.conn.CloseNow()
		}
		return
	}
	s.alarms.set(s, s.beat.due)
}

// hops is about how often goroutines wait for their turn between a ping and its pong,
// with a wide margin.
const hops = 64

// overloaded reports whether this process has too much to do for peers to be judged:
// whether a timer was late or a goroutine was queued for long, now or not long ago, at
// this session or another one of the same server.
func (s *Session) overloaded(now time.Time, queued time.Duration) bool {
	since := now.Sub(s.began)
	if s.beat.late(now) || hops*queued > s.beat.timeout {
		s.busy.Store(int64(since))
		return true
	}
	last := time.Duration(s.busy.Load())
	return last > 0 && since-last < s.beat.interval+s.beat.timeout
}
