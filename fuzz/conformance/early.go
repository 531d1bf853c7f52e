package conformance

import (
	"errors"

	"example.org/rfc6455/frame"
)

// earlyCases send octets together with the opening handshake (Section 4.1).
func earlyCases() []*Case {
	const (
		kept = "They are kept and come back: the connection was open when the server sent them (Section 4.1)."
		wait = "They are kept and come back. A client should wait for the response (Section 4.1), so refusing or failing is tolerable, " +
			"but not losing them while the connection goes on."
	)
	var cases []*Case
	for _, e := range []struct {
		name, about string
		frames      []raw
		wants       []want
	}{
		{"text", "a text message", []raw{text("early")}, []want{textEcho("early")}},
		{"three", "three text messages", []raw{text("one"), text("two"), text("three")}, []want{textEcho("one"), textEcho("two"), textEcho("three")}},
		{"fragment", "the first fragment of a message", []raw{first(frame.OpText, "ear")}, nil},
	} {
		rest := []step{closes}
		if e.wants == nil {
			rest = []step{send(last("ly")), receive(textEcho("early")), closes}
		}
		cases = append(cases, &Case{
			ID:     "early/4.1/with-response-" + e.name,
			About:  "Sends " + e.about + " in the same write as the response.",
			Expect: kept,
			Peers:  Clients,
			open:   openedWith(e.frames...),
			steps:  append([]step{receive(e.wants...)}, rest...),
		}, &Case{
			ID:     "early/4.1/with-request-" + e.name,
			About:  "Sends " + e.about + " in the same write as the request.",
			Expect: wait,
			Peers:  Servers,
			open:   openedEarly(e.frames...),
			steps:  append([]step{receiveEarly(e.wants...)}, rest...),
		})
	}
	return append(cases, &Case{
		ID:     "early/4.1/with-response-half-frame",
		About:  "Sends the first 4 octets of a text frame in the same write as the response.",
		Expect: kept,
		Peers:  Clients,
		open:   openedWithHalf("early"),
		steps:  []step{writePart(3), receive(textEcho("early")), closes},
	}, &Case{
		ID:     "early/4.1/with-response-close",
		About:  "Sends a Close frame with 1000 in the same write as the response.",
		Expect: "A Close frame comes back, and the connection ends (Section 5.5.1).",
		Peers:  Clients,
		open:   openedWith(closeCode(1000, "")),
		steps:  []step{answersClose(1000)},
	}, &Case{
		ID:     "early/4.1/with-response-bad-frame",
		About:  "Sends a frame with a reserved opcode in the same write as the response.",
		Expect: wantFailed + "early octets are judged like others (Section 5.2).",
		Peers:  Clients,
		open:   openedWith(reservedOp(3, "")),
		steps:  []step{fails(1002)},
	})
}

// openedEarly is openedWith, where a refusal is tolerable.
func openedEarly(frames ...raw) step {
	return func(s *session) error {
		if err := openedWith(frames...)(s); err != nil {
			s.tolerate("%v", err)
			s.judgeClosing(OK, "there was no connection to close")
			return errDone
		}
		return nil
	}
}

// receiveEarly is receive, where the end of the connection is tolerable.
func receiveEarly(wants ...want) step {
	return func(s *session) error {
		for _, w := range wants {
			e, err := s.next(s.deadline)
			if err != nil && !errors.Is(err, errSilent) {
				return err
			}
			if err == nil {
				s.unread = append(s.unread, e)
			}
			if err == nil && (e.kind == gotClose || e.kind == gotEnd) {
				s.tolerate("%s instead of reading what came early", s.tell(e))
				if err := endsSomehow(s); err != nil {
					return err
				}
				return errDone
			}
			if err := s.receive(w); err != nil {
				return err
			}
		}
		return nil
	}
}

// openedWithHalf glues the first four octets of a text frame to the response.
func openedWithHalf(payload string) step {
	return func(s *session) error {
		f := s.encode(nil, text(payload))
		s.pending = f[4:]
		s.log.note("the response is followed by 4 octets of it")
		return s.acceptWith(f[:4])
	}
}
