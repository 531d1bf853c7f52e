package conformance

import (
	"fmt"
	"strings"

	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

// negotiationCases are about the parameters of permessage-deflate (RFC 7692,
// Sections 5 and 7.1).
func negotiationCases() []*Case {
	return append(offerCases(), answerCases()...)
}

// exchange are steps in which messages go to and fro, compressed.
var exchange = []step{
	sendDeflated(frame.OpText, "Hello, Hello, Hello!", 0), receive(textEcho("Hello, Hello, Hello!")),
	sendDeflated(frame.OpText, "Hello, Hello, Hello!", 5), receive(textEcho("Hello, Hello, Hello!")),
	closes,
}

// offerCases show offers to a server.
func offerCases() []*Case {
	const (
		declined = "The server goes on without the extension: an offer with a parameter that is unknown, repeated or has no valid value " +
			"is declined (RFC 7692, Section 7.1). Refusing the handshake is tolerable."
		agreed = "The server agrees, and messages come back (RFC 7692). Declining is tolerable where it agrees to a plain offer: "
		mixed  = "one of the offers is to be declined, the other is good (RFC 7692, Section 5). Refusing the handshake is tolerable."
	)
	var cases []*Case
	for _, bad := range []struct{ name, parameters string }{
		{"unknown", "x_conformance"},
		{"unknown-value", "x_conformance=10"},
		{"server-alone-value", serverAlone + "=1"},
		{"client-alone-value", clientAlone + "=true"},
		{"server-alone-twice", serverAlone + "; " + serverAlone},
		{"client-alone-twice", clientAlone + "; " + clientAlone},
		{"server-bits-twice", serverBits + "=10; " + serverBits + "=10"},
		{"client-bits-twice", clientBits + "; " + clientBits + "=10"},
		{"server-bits-none", serverBits},
		{"server-bits-7", serverBits + "=7"},
		{"server-bits-16", serverBits + "=16"},
		{"server-bits-0", serverBits + "=0"},
		{"server-bits-010", serverBits + "=010"},
		{"server-bits-plus", serverBits + "=+10"},
		{"server-bits-text", serverBits + "=ten"},
		{"server-bits-huge", serverBits + "=4294967306"},
		{"client-bits-7", clientBits + "=7"},
		{"client-bits-16", clientBits + "=16"},
		{"client-bits-08", clientBits + "=08"},
		{"client-bits-text", clientBits + "=true"},
	} {
		cases = append(cases, &Case{
			ID:     "negotiation/7692.7.1/offer-" + bad.name,
			About:  fmt.Sprintf("Offers %s; %s.", deflate.Name, bad.parameters),
			Expect: declined,
			open:   declines(deflate.Name + "; " + bad.parameters),
			steps:  []step{send(text("Hello")), receive(textEcho("Hello")), closes},
		})
	}
	add := func(name, why string, want terms, open step, lines []string) {
		cases = append(cases, &Case{
			ID:      "negotiation/7692." + name,
			About:   fmt.Sprintf("Offers %s.", strings.Join(lines, ", and on another line ")),
			Expect:  agreed + why,
			deflate: []terms{want},
			open:    open,
			steps:   exchange,
		})
	}
	good := func(name, why string, want terms, lines ...string) { add(name, why, want, offering(lines), lines) }
	either := func(name string, lines ...string) { add(name, mixed, terms{}, offeringEither(lines), lines) }
	const name = deflate.Name
	good("7.1/offer-plain", "all parameters are optional, and client_max_window_bits stays out of the answer (Section 7.1.2.2).", terms{}, name)
	good("7.1/offer-server-alone", "server_no_context_takeover is in the answer (Section 7.1.1.1).", terms{peerAlone: true}, name+"; "+serverAlone)
	good("7.1/offer-client-alone", "the client promises not to refer to earlier messages (Section 7.1.1.2).", terms{alone: true}, name+"; "+clientAlone)
	good("7.1/offer-everything", "all four parameters together are an offer.", terms{alone: true, bits: 12, peerAlone: true, peerBits: 11},
		fmt.Sprintf("%s; %s; %s=12; %s; %s=11", name, clientAlone, clientBits, serverAlone, serverBits))
	for n := deflate.MinWindowBits; n <= deflate.MaxWindowBits; n++ {
		good(fmt.Sprintf("7.1.2.1/offer-server-bits-%d", n), "the answer has server_max_window_bits with a value no larger (Section 7.1.2.1).",
			terms{peerBits: n}, fmt.Sprintf("%s; %s=%d", name, serverBits, n))
		good(fmt.Sprintf("7.1.2.2/offer-client-bits-%d", n), "the value is a hint, which the answer may repeat or lower (Section 7.1.2.2).",
			terms{bits: n}, fmt.Sprintf("%s; %s=%d", name, clientBits, n))
	}
	good("7.1/offer-quoted", "a value may be quoted (RFC 6455, Section 9.1).", terms{peerBits: 10}, fmt.Sprintf(`%s; %s="10"`, name, serverBits))
	good("7.1/offer-white-space", "white space around separators means nothing (RFC 6455, Section 9.1).", terms{peerAlone: true},
		fmt.Sprintf(" %s ;%s\t;  %s ", name, serverAlone, clientBits))
	good("5/offer-after-unknown", "what a server does not know it ignores (RFC 6455, Section 9.1).", terms{}, "x-conformance; a=b, "+name)
	good("5/offer-two-lines", "the lines are one list (RFC 6455, Section 9.1).", terms{}, "x-conformance; a=b", name)
	either("5/offer-after-bad", name+"; "+serverBits+"=16, "+name)
	either("5/offer-after-bad-line", name+"; x_conformance", name)
	good("5/offer-twice", "it is agreed to once (Section 5).", terms{}, name+", "+name)
	for _, c := range cases {
		c.Peers = Servers
	}
	return cases
}

// askFor sends a request that offers what the lines say.
func (s *session) askFor(lines []string) (response, error) {
	if err := s.connect(); err != nil {
		return response{}, err
	}
	r := plainRequest(&s.offer)
	for _, line := range lines {
		r.fields = append(r.fields, "Sec-WebSocket-Extensions: "+line)
	}
	s.offer.Extensions = []handshake.Extension{{Name: deflate.Name}}
	octets := r.String()
	s.log.add(Sent, []byte(octets), int64(len(octets)), "request")
	if err := s.write([]byte(octets)); err != nil {
		return response{}, err
	}
	return s.readResponse(), nil
}

// declines opens a connection with an offer that no server may agree to.
func declines(line string) step {
	return func(s *session) error {
		r, err := s.askFor([]string{line})
		if err != nil {
			return err
		}
		if r.err == nil && r.Status != 101 {
			s.tolerate("the server refused the handshake with status %d, where declining the offer would do", r.Status)
			s.judgeClosing(OK, "there was no connection to close")
			return errDone
		}
		if r.err == nil {
			if list, _ := r.Extensions(); len(list) > 0 {
				return fmt.Errorf("the server agrees to %q upon an offer that is to be declined (RFC 7692, Section 7.1)", extensionList(list))
			}
		}
		return s.establish(r)
	}
}

// offering opens a connection with an offer that a server can agree to.
func offering(lines []string) step {
	return func(s *session) error {
		r, err := s.askFor(lines)
		if err != nil {
			return err
		}
		return s.agrees(r, lines)
	}
}

// offeringEither is offering, where the server may also refuse the handshake.
func offeringEither(lines []string) step {
	return func(s *session) error {
		r, err := s.askFor(lines)
		if err != nil {
			return err
		}
		if r.err == nil && r.Status == 400 {
			s.judgeClosing(OK, "there was no connection to close")
			return s.wouldAgree()
		}
		return s.agrees(r, lines)
	}
}

// agrees takes the response to an offer that a server can agree to.
func (s *session) agrees(r response, lines []string) error {
	if r.err == nil {
		list, _ := r.Extensions()
		if len(list) > 0 && has(list[0], clientBits) && !strings.Contains(strings.Join(lines, ","), clientBits) {
			return fmt.Errorf("the answer %q has %s, which was not offered (RFC 7692, Section 7.1.2.2)", extensionList(list), clientBits)
		}
	}
	if err := s.establish(r); err != nil || s.agreed != nil {
		return err
	}
	if err := closes(s); err != nil {
		return err
	}
	s.w.close()
	return s.wouldAgree()
}

// wouldAgree makes it tolerable that the server has declined an offer if it agrees
// to a plain one.
func (s *session) wouldAgree() error {
	s.nc.Close()
	s.log.note("the tester connects again, with a plain offer")
	r, err := s.askFor([]string{terms{}.offer().Name + "; " + clientBits})
	if err != nil {
		return err
	}
	s.nc.Close()
	if r.err != nil {
		return fmt.Errorf("no answer to a plain offer: %w", r.err)
	}
	if list, _ := r.Extensions(); len(list) == 0 {
		s.verdict, s.why = Unimplemented, "the server does not agree to permessage-deflate"
	} else {
		s.tolerate("the server declined, though it agrees to a plain offer")
	}
	return errDone
}

// answerCases show answers to a client.
func answerCases() []*Case {
	const (
		bad    = "a parameter that is unknown, repeated or has no valid value fails the connection (RFC 7692, Section 7.1)."
		beyond = "an answer that does not keep to the offer fails the connection (RFC 7692, Sections 5.1 and 7.1)."
	)
	name := deflate.Name
	var cases []*Case
	for _, a := range []struct{ name, list string }{
		{"unknown", name + "; x_conformance"},
		{"server-alone-value", name + "; " + serverAlone + "=1"},
		{"client-alone-value", name + "; " + clientAlone + "=1"},
		{"server-alone-twice", name + "; " + serverAlone + "; " + serverAlone},
		{"server-bits-twice", name + "; " + serverBits + "=10; " + serverBits + "=10"},
		{"server-bits-none", name + "; " + serverBits},
		{"server-bits-7", name + "; " + serverBits + "=7"},
		{"server-bits-16", name + "; " + serverBits + "=16"},
		{"server-bits-010", name + "; " + serverBits + "=010"},
		{"client-bits-none", name + "; " + clientBits},
		{"client-bits-7", name + "; " + clientBits + "=7"},
		{"client-bits-16", name + "; " + clientBits + "=16"},
		{"client-bits-text", name + "; " + clientBits + "=ten"},
		{"twice", name + ", " + name},
	} {
		cases = append(cases, &Case{
			ID:     "negotiation/7692.7.1/answer-" + a.name,
			About:  fmt.Sprintf("Answers with a response that agrees to %s.", a.list),
			Expect: "The client fails the connection: " + bad,
			open:   responds(mustRefuse(bad), func(r *reply) { r.fields = append(r.fields, "Sec-WebSocket-Extensions: "+a.list) }),
		})
	}
	for _, a := range []struct {
		name, about string
		o           outcome
		answer      func(offer handshake.Extension) string // the parameters; empty if the offer forbids nothing
	}{
		{"client-bits-unoffered", "has client_max_window_bits, if the client does not offer it", mustRefuse(beyond), func(o handshake.Extension) string {
			if has(o, clientBits) {
				return ""
			}
			return "; " + clientBits + "=10"
		}},
		{"client-bits-larger", "has a larger client_max_window_bits than the client offers, if that has a value below 15", mustRefuse(beyond), func(o handshake.Extension) string {
			return larger(o, clientBits)
		}},
		{"server-bits-larger", "has a larger server_max_window_bits than the client offers, if that is below 15", mustRefuse(beyond), func(o handshake.Extension) string {
			return larger(o, serverBits)
		}},
		{"server-alone-missing", "has no server_no_context_takeover, if the client offers it", shouldRefuse(beyond), func(o handshake.Extension) string {
			if !has(o, serverAlone) {
				return ""
			}
			return "; " + clientAlone
		}},
	} {
		cases = append(cases, &Case{
			ID:     "negotiation/7692.7.1/answer-" + a.name,
			About:  "Answers with a response that " + a.about + ".",
			Expect: strings.Replace(a.o.expect(), "The server refuses", "The client fails the connection", 1),
			open:   answersBeyond(a.o, a.answer),
			steps:  []step{closes},
		})
	}
	cases = append(cases, &Case{
		ID:      "negotiation/7692.7.1/offer",
		About:   "Looks at the offer of the client, and agrees to it without a parameter of its own.",
		Expect:  "The offer obeys every rule of RFC 7692, Section 7.1, and messages come back.",
		deflate: []terms{{}},
		steps:   exchange,
	})
	for _, c := range cases {
		c.Peers = Clients
	}
	return cases
}

// larger returns parameters of an answer with one more window bit than the offer
// has, or "" if there can be none.
func larger(offer handshake.Extension, name string) string {
	for _, p := range offer.Params {
		for n := deflate.MinWindowBits; n < deflate.MaxWindowBits; n++ {
			if p.Name == name && p.Value == fmt.Sprint(n) {
				return fmt.Sprintf("; %s=%d", name, n+1)
			}
		}
	}
	return ""
}

// answersBeyond answers the offer of the client with more than it allows. If that
// cannot be, it opens the connection without the extension.
func answersBeyond(o outcome, answer func(offer handshake.Extension) string) step {
	return func(s *session) error {
		offered, _ := s.request.Extensions()
		for _, e := range offered {
			if e.Name != deflate.Name {
				continue
			}
			if parameters := answer(e); parameters != "" {
				change := func(r *reply) {
					r.fields = append(r.fields, "Sec-WebSocket-Extensions: "+deflate.Name+parameters)
				}
				if err := responds(o, change)(s); err != nil {
					return err
				}
				return errDone
			}
			s.inform("the offer %q leaves no room for such an answer", extensionList([]handshake.Extension{e}))
			return opened(s)
		}
		s.verdict, s.why = Unimplemented, "the client does not offer permessage-deflate"
		return opened(s)
	}
}
