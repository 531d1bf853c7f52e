package conformance

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.org/rfc6455/frame"
)

// faultCases are floods, slow peers and resets (Sections 7.1.1 and 10.4).
func faultCases() []*Case {
	const (
		bounded = "Everything is answered, or the connection fails with 1008 or 1009: a peer bounds what it does for another (Section 10.4)."
		others  = "A new connection works as before, and nothing of the message that was cut off comes back (Section 7.1.1)."
		T       = frame.OpText
	)
	return []*Case{{
		ID:    "faults/10.4/10000-pings",
		About: "Sends 10,000 pings in a single write, then a text message.", Expect: bounded,
		limit: 10 * time.Second,
		steps: []step{sendMade(func() []raw { return pings(10000) }), bounds(pongsUpTo(10000)), send(text("still there")), bounds(receive(textEcho("still there"))), closes},
	}, {
		ID:    "faults/10.4/10000-pongs",
		About: "Sends 10,000 pongs of 125 octets that nobody asked for, then a text message.", Expect: bounded,
		limit: 10 * time.Second,
		steps: []step{sendMade(func() []raw {
			return append(slices.Repeat([]raw{pong(strings.Repeat("x", 125))}, 10000), text("still there"))
		}), bounds(receive(textEcho("still there"))), closes},
	}, {
		ID:     "faults/10.4/pings-unread",
		About:  "Sends up to 8 MiB of pings without reading, until the peer takes no more, then reads everything and sends a text message.",
		Expect: bounded + " A peer that stops reading meanwhile has bounded it, too.",
		limit:  10 * time.Second,
		steps:  []step{pingsUnread, bounds(receive(textEcho("still there"))), closes},
	}, {
		ID:    "faults/10.4/4096-fragments-of-1-octet",
		About: "Sends a text message of 4096 octets in fragments of one octet.", Expect: bounded,
		limit: 10 * time.Second,
		steps: []step{sendMade(func() []raw { return fragments(T, []byte(strings.Repeat("x", 4096)), 1) }), bounds(receive(textEcho(strings.Repeat("x", 4096)))), closes},
	}, {
		ID:     "faults/10.4/100000-empty-fragments",
		About:  "Sends a text message in 100,000 empty fragments.",
		Expect: "For information: whether the peer takes them all, or fails the connection, which should be with 1008.",
		info:   true,
		limit:  10 * time.Second,
		steps: []step{sendMade(func() []raw {
			return slices.Concat([]raw{first(T, "")}, slices.Repeat([]raw{middle("")}, 100000), []raw{last("done")})
		}), countUntilClose},
	}, {
		ID:     "faults/10.4/slow-octets",
		About:  "Sends a text frame of 16 octets, one every 50 milliseconds.",
		Expect: wantEcho,
		limit:  2 * time.Second,
		steps:  []step{slowText("sixteen octets..", 50*time.Millisecond), receive(textEcho("sixteen octets..")), closes},
	}, {
		ID:     "faults/10.4/slow-reader",
		About:  "Sends 64 binary messages of 16 KiB and reads nothing for 2 seconds, then everything.",
		Expect: "All come back: a slow reader only holds up its own connection.",
		limit:  10 * time.Second,
		steps:  []step{slowReader(64, 16*kib), closes},
	}, {
		ID:    "faults/7.1.1/reset-in-frame",
		About: "Resets TCP in the middle of a text frame.", Expect: others, Peers: Servers,
		steps: []step{beginText("cut off here", 6), resetAndReturn, closes},
	}, {
		ID:    "faults/7.1.1/reset-in-message",
		About: "Resets TCP between two fragments of a message.", Expect: others, Peers: Servers,
		steps: []step{send(first(T, "cut off")), resetAndReturn, closes},
	}, {
		ID:    "faults/7.1.1/reset-after-echo",
		About: "Sends a message and resets TCP when it has come back.", Expect: others, Peers: Servers,
		steps: []step{send(text("Hello")), receive(textEcho("Hello")), resetAndReturn, closes},
	}, {
		ID:    "faults/7.1.1/reset-in-closing-handshake",
		About: "Sends a Close frame and resets TCP at once.", Expect: others, Peers: Servers,
		steps: []step{send(closeCode(1000, "")), resetAndReturn, closes},
	}, {
		ID:    "faults/4.1/reset-in-handshake",
		About: "Sends half a request and resets TCP.", Expect: others, Peers: Servers,
		open:  resetInRequest,
		steps: []step{send(text("Hello")), receive(textEcho("Hello")), closes},
	}}
}

// sendMade sends frames in a single write, which are many and made only then.
func sendMade(frames func() []raw) step {
	return func(s *session) error { return s.sendAll(frames()...) }
}

// pings returns pings whose payloads count from 0.
func pings(n int) []raw {
	var frames []raw
	for i := range n {
		frames = append(frames, ping(strconv.Itoa(i)))
	}
	return frames
}

// bounds is a step that a Close frame with 1008 or 1009 may cut short.
func bounds(body step) step {
	return func(s *session) error {
		s.bounded = true
		err := body(s)
		s.bounded = false
		return err
	}
}

// enough reports whether e is a Close frame that says so.
func (e event) enough() bool {
	return e.kind == gotClose && (e.code == frame.ClosePolicyViolation || e.code == frame.CloseMessageTooBig)
}

// bound takes an event that says that the peer has had enough. It reports whether
// e is one; then the case is done.
func (s *session) bound(e event) (done bool, err error) {
	switch {
	case e.kind == gotEnd:
		s.tolerate("the %s %s without a Close frame, which should say 1008 (Section 7.4.1)", s.peer(), ending(e.err))
		return true, nil
	case e.enough():
		s.bounded = false
		s.unread = append(s.unread, e)
		s.inform("the %s had enough, and sent a Close frame with %s", s.peer(), codeName(e.code))
		return true, s.failed([]frame.CloseCode{e.code})
	}
	return false, nil
}

// pingsUnread sends pings without reading the pongs.
func pingsUnread(s *session) error {
	s.w.pause()
	var b []byte
	for len(b) < 64*kib {
		b = ping(strings.Repeat("x", 125)).append(b, s.role, &s.keys)
	}
	s.log.add(Sent, b, int64(len(b)), "pings of 125 octets, again and again")
	sent, stuck := 0, false
	for !stuck && sent < 8*mib {
		s.nc.SetWriteDeadline(time.Now().Add(s.timeout))
		n, err := s.nc.Write(b)
		sent += n
		stuck = errors.Is(err, os.ErrDeadlineExceeded)
		if stuck {
			s.pending = b[n:]
		} else if err != nil {
			break
		}
	}
	s.log.note("%d octets of pings were sent", sent)
	s.w.resume()
	if err := s.write(s.pending); err != nil {
		return err
	}
	s.pending = nil
	if err := s.sendAll(text("still there")); err != nil {
		return err
	}
	for {
		e, err := s.next(s.deadline)
		if err != nil {
			return fmt.Errorf("after %d octets of pings: %w", sent, err)
		}
		if e.kind != gotPong {
			s.unread = append(s.unread, e)
			return nil
		}
	}
}

// slowText sends a text frame octet by octet.
func slowText(payload string, pause time.Duration) step {
	return func(s *session) error {
		err := s.slowly(pause)(s.encode(nil, text(payload)))
		s.await()
		return err
	}
}

// slowReader sends n messages of the given size before it reads the echoes.
func slowReader(n, size int) step {
	return func(s *session) error {
		s.w.pause()
		f := data(frame.OpBinary, make([]byte, size))
		sending := make(chan error, 1)
		go func() {
			var err error
			for i := 0; i < n && err == nil; i++ {
				err = s.sendAll(f)
			}
			sending <- err
		}()
		err := s.sleep(2 * time.Second)
		s.w.resume()
		if err := errors.Join(<-sending, err); err != nil {
			return err
		}
		for range n {
			if err := s.receive(echoOf(f)); err != nil {
				return err
			}
		}
		return nil
	}
}

// resetAndReturn resets TCP and opens another connection, on which the peer has
// to echo.
func resetAndReturn(s *session) error {
	s.w.reset()
	<-s.w.done
	s.pending, s.closeSent = nil, false
	s.log.note("the tester connects again")
	for _, step := range []step{opened, send(text("again")), receive(textEcho("again"))} {
		if err := step(s); err != nil {
			return err
		}
	}
	return nil
}

// resetInRequest resets TCP in the middle of a request, and opens a connection.
func resetInRequest(s *session) error {
	if err := s.connect(); err != nil {
		return err
	}
	octets := plainRequest(&s.offer).String()
	octets = octets[:len(octets)/2]
	s.log.add(Sent, []byte(octets), int64(len(octets)), "half a request")
	if err := s.write([]byte(octets)); err != nil {
		return err
	}
	s.log.note("the tester resets TCP, and connects again")
	resetConn(s.nc)
	return opened(s)
}
