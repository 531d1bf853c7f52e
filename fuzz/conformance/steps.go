package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.org/rfc6455/frame"
)

// settle is how long a peer is watched for what it must not do.
const settle = time.Second

// send sends frames in a single write.
func send(frames ...raw) step {
	return func(s *session) error { return s.sendAll(frames...) }
}

// sendEach sends each frame in a write of its own.
func sendEach(frames ...raw) step {
	return func(s *session) error {
		for _, f := range frames {
			if err := s.sendAll(f); err != nil {
				return err
			}
		}
		return nil
	}
}

// sendBy sends frames in writes of n octets.
func sendBy(n int, frames ...raw) step {
	return func(s *session) error {
		var b []byte
		for _, f := range frames {
			b = s.encode(b, f)
		}
		s.log.note("the octets above are sent %d at a time", n)
		for chunk := range slices.Chunk(b, n) {
			if err := s.write(chunk); err != nil {
				return err
			}
		}
		s.await()
		return nil
	}
}

// A want is an event that a peer owes.
type want struct {
	kind    kind
	opcode  frame.Opcode
	payload []byte
}

func echoOf(f raw) want      { return want{gotMessage, f.opcode, f.payload} }
func textEcho(s string) want { return want{gotMessage, frame.OpText, []byte(s)} }
func pongWith(s string) want { return want{gotPong, 0, []byte(s)} }

func (w want) String() string {
	if w.kind == gotPong {
		return fmt.Sprintf("a pong of %d octets%s", len(w.payload), excerpt(w.payload))
	}
	return fmt.Sprintf("a %v message of %d octets%s", w.opcode, len(w.payload), excerpt(w.payload))
}

func (w want) is(e event) bool {
	return e.kind == w.kind && e.opcode == w.opcode && bytes.Equal(e.payload, w.payload)
}

// receive expects events in this order, and no others.
func receive(wants ...want) step {
	return func(s *session) error {
		for _, w := range wants {
			if err := s.receive(w); err != nil {
				return err
			}
		}
		return nil
	}
}

func (s *session) receive(w want) error {
	e, err := s.next(s.deadline)
	switch {
	case errors.Is(err, errSilent):
		return fmt.Errorf("%v did not come within %v", w, s.patience())
	case err != nil:
		return err
	case !w.is(e):
		return fmt.Errorf("%s%s, where %v was due", s.tell(e), difference(e, w), w)
	}
	return nil
}

// difference says where a payload of the right kind and length goes wrong.
func difference(e event, w want) string {
	if e.kind != w.kind || len(e.payload) != len(w.payload) || len(w.payload) <= 64 {
		return ""
	}
	for i := range w.payload {
		if e.payload[i] != w.payload[i] {
			return fmt.Sprintf(" that differs from octet %d on", i)
		}
	}
	return ""
}

// quiet expects nothing to happen for d.
func quiet(d time.Duration) step {
	return func(s *session) error {
		e, err := s.next(time.Now().Add(d))
		switch {
		case err == nil:
			return fmt.Errorf("%s, where nothing was due", s.tell(e))
		case errors.Is(err, errSilent):
			return nil
		}
		return err
	}
}

// closes closes the connection with 1000, and expects the answer.
func closes(s *session) error {
	if err := s.sendAll(closeCode(1000, "")); err != nil {
		return err
	}
	return s.answered(frame.CloseNormalClosure)
}

// answersClose expects the answer to a Close frame that was sent: one with the
// first of the codes.
func answersClose(codes ...frame.CloseCode) step {
	return func(s *session) error { return s.answered(codes...) }
}

// answered expects a Close frame as an answer to ours. The first code is the best
// one; the others, and none, are tolerable.
func (s *session) answered(codes ...frame.CloseCode) error {
	e, err := s.next(s.deadline)
	switch {
	case errors.Is(err, errSilent):
		s.judgeClosing(Failed, "the %s did not answer the Close frame (Section 5.5.1)", s.peer())
		return nil
	case err != nil:
		return err
	case e.kind == gotEnd:
		s.judgeClosing(Failed, "the %s %s without answering the Close frame (Section 5.5.1)", s.peer(), ending(e.err))
		return nil
	case e.kind != gotClose:
		return fmt.Errorf("%s, where the answer to the Close frame was due", s.tell(e))
	}
	s.judgeCode(e.code, codes)
	return s.ends()
}

// fails expects that the peer fails the connection (Section 7.1.7) with the first
// of the codes, and does nothing else before: by itself or, after a Close frame
// that breaks a rule, instead of an ordinary answer.
func fails(codes ...frame.CloseCode) step {
	return func(s *session) error { return s.failed(codes) }
}

// echoesThenFails is fails after echoes, which are tolerably left out.
func echoesThenFails(code frame.CloseCode, wants ...want) step {
	return func(s *session) error {
		for i, w := range wants {
			e, err := s.next(s.deadline)
			switch {
			case err == nil && w.is(e):
				continue
			case err == nil:
				s.unread = append(s.unread, e)
			case !errors.Is(err, errSilent):
				return err
			}
			s.tolerate("only %d of %d messages that came before the error were echoed; they had been received whole", i, len(wants))
			break
		}
		return s.failed([]frame.CloseCode{code})
	}
}

func (s *session) failed(codes []frame.CloseCode) error {
	e, err := s.next(s.deadline)
	switch {
	case errors.Is(err, errSilent):
		s.judgeClosing(Failed, "the tester had to end the connection")
		return fmt.Errorf("the %s did not fail the connection within %v", s.peer(), s.patience())
	case err != nil:
		return err
	case e.kind == gotEnd:
		s.judgeClosing(Tolerable, "the %s %s without a Close frame, which should say %s (Section 7.1.7)", s.peer(), ending(e.err), codeName(codes[0]))
		return nil
	case e.kind != gotClose:
		return fmt.Errorf("%s, where it had to fail the connection", s.tell(e))
	}
	s.judgeCode(e.code, codes)
	if !s.closeSent {
		if err := s.sendAll(closing(string(e.payload))); err != nil {
			return err
		}
	}
	return s.ends()
}

// judgeCode judges the code of the peer's Close frame.
func (s *session) judgeCode(code frame.CloseCode, codes []frame.CloseCode) {
	s.code = code
	switch {
	case code == codes[0]:
	case slices.Contains(codes, code):
		s.judgeClosing(Tolerable, "the Close frame has %s; %s is more to the point", codeName(code), codeName(codes[0]))
	case code == frame.CloseNoStatusReceived:
		s.judgeClosing(Tolerable, "the Close frame has no code; it should be %s (Section 7.4)", codeName(codes[0]))
	default:
		s.judgeClosing(Failed, "the Close frame has %s; it has to be %s (Section 7.4)", codeName(code), codeName(codes[0]))
	}
}

// ends expects the end of TCP after both Close frames: a server has to begin it
// (Section 7.1.1).
func (s *session) ends() error {
	if s.role == frame.Server {
		s.w.closeWrite()
	}
	e, err := s.next(time.Now().Add(s.timeout))
	switch {
	case errors.Is(err, errSilent) && s.role == frame.Client:
		s.judgeClosing(Failed, "the server left TCP open after the closing handshake (Section 5.5.1)")
	case errors.Is(err, errSilent):
		s.judgeClosing(Tolerable, "the client left TCP open after the server had ended its side (Section 7.1.1)")
	case err != nil:
		return err
	case e.kind != gotEnd:
		return fmt.Errorf("%s after its Close frame (Section 5.5.1)", s.tell(e))
	}
	return nil
}
