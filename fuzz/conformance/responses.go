package conformance

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"example.org/rfc6455/handshake"
)

// A reply is the response of an opening handshake, to be made wrong.
type reply struct {
	status string // the whole line
	fields []string
	before string // octets before it
	closes bool   // whether the tester ends its side of TCP after it
}

// plainReply returns the response that opens the connection.
func plainReply(r *handshake.Request) *reply {
	p := &reply{
		status: "HTTP/1.1 101 Switching Protocols",
		fields: []string{
			"Upgrade: websocket",
			"Connection: Upgrade",
			"Sec-WebSocket-Accept: " + handshake.Accept(r.Key()),
		},
	}
	if offered, _ := r.Subprotocols(); len(offered) > 0 {
		p.fields = append(p.fields, "Sec-WebSocket-Protocol: "+offered[0])
	}
	return p
}

func (r *reply) String() string {
	return r.before + r.status + "\r\n" + strings.Join(append(r.fields, "", ""), "\r\n")
}

// change replaces the lines of a field by others.
func (r *reply) change(name string, lines ...string) {
	q := request{fields: r.fields}
	q.change(name, lines...)
	r.fields = q.fields
}

// A responseCase is a case of one changed response.
type responseCase struct {
	id, about string
	outcome   outcome
	change    func(r *reply)
}

// responseCases are about what a client makes of responses (Section 4.1).
func responseCases() []*Case {
	var cases []*Case
	for _, group := range [][]responseCase{goodResponses(), acceptResponses(), fieldResponses(), statusResponses(), listResponses(), headResponses()} {
		for _, r := range group {
			cases = append(cases, &Case{
				ID:     "handshake/" + r.id,
				About:  "Answers with a response " + r.about + ".",
				Expect: strings.Replace(r.outcome.expect(), "The server refuses", "The client fails the connection", 1),
				Peers:  Clients,
				open:   responds(r.outcome, r.change),
			})
		}
	}
	return append(cases, rawResponseCases()...)
}

func goodResponses() []responseCase {
	set := func(name string, lines ...string) func(*reply) {
		return func(r *reply) { r.change(name, lines...) }
	}
	add := func(lines ...string) func(*reply) {
		return func(r *reply) { r.fields = append(r.fields, lines...) }
	}
	const (
		must     = "this is all that Section 4.2.2 asks of a response."
		caseless = "names of fields, and the values of Upgrade and Connection, are compared without case (Section 4.1)."
		interim  = "an interim response comes before another one (RFC 9110, Section 15.2)."
	)
	fold := func(change func(string) string) func(*reply) {
		return func(r *reply) {
			for i, line := range r.fields {
				name, value, _ := strings.Cut(line, ":")
				r.fields[i] = change(name) + ":" + value
			}
		}
	}
	return []responseCase{
		{"4.1/response-plain", "with the fields of an opening handshake", mustOpen(must), func(*reply) {}},
		{"4.1/response-names-lower-case", "with the names of all fields in lower case", mustOpen(caseless), fold(strings.ToLower)},
		{"4.1/response-names-upper-case", "with the names of all fields in upper case", mustOpen(caseless), fold(strings.ToUpper)},
		{"4.1/response-tokens-mixed-case", "with Upgrade: WebSocket and Connection: uPGRADE", mustOpen(caseless), func(r *reply) {
			r.change("Upgrade", "Upgrade: WebSocket")
			r.change("Connection", "Connection: uPGRADE")
		}},
		{"4.1/response-connection-list", "with Connection: keep-alive, Upgrade", mustOpen("Connection is a list (Section 4.1)."), set("Connection", "Connection: keep-alive, Upgrade")},
		{"4.1/response-reason-other", "with the reason phrase Yes Please", mustOpen("the phrase means nothing (RFC 9112, Section 4)."), func(r *reply) { r.status = "HTTP/1.1 101 Yes Please" }},
		{"4.1/response-reason-empty", "with an empty reason phrase", mustOpen("the phrase may be empty (RFC 9112, Section 4)."), func(r *reply) { r.status = "HTTP/1.1 101 " }},
		{"4.1/response-more-fields", "with Date, Server, Set-Cookie and unknown fields", mustOpen("a client ignores what it does not know."),
			add("Date: Mon, 01 Jan 2024 00:00:00 GMT", "Server: conformance", "Set-Cookie: a=b; Path=/", "X-Conformance: \"a, b\"; c")},
		{"4.1/response-white-space", "with tabs and spaces around the values", mustOpen("they are no part of a value (RFC 9112, Section 5.1)."), func(r *reply) {
			for i, line := range r.fields {
				name, value, _ := strings.Cut(line, ": ")
				r.fields[i] = name + ": \t " + value + " \t"
			}
		}},
		{"4.1/response-after-100", "after 100 Continue", shouldOpen(interim), func(r *reply) { r.before = "HTTP/1.1 100 Continue\r\n\r\n" }},
		{"4.1/response-after-103", "after 103 Early Hints", shouldOpen(interim), func(r *reply) { r.before = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" }},
	}
}

func acceptResponses() []responseCase {
	const exactly = "the accept value answers the key, or the client fails the connection (Section 4.1)."
	var cases []responseCase
	for _, a := range []struct {
		name, about string
		values      func(right string) []string
	}{
		{"missing", "without an accept value", func(string) []string { return nil }},
		{"empty", "with an empty accept value", func(string) []string { return []string{""} }},
		{"of-another-key", "with the accept value of another key", func(string) []string { return []string{handshake.Accept(handshake.NewKey())} }},
		{"lower-case", "with the accept value in lower case", func(right string) []string { return []string{strings.ToLower(right) + "x"} }},
		{"cut-short", "with the accept value cut short", func(right string) []string { return []string{right[:20]} }},
		{"unpadded", "with the accept value without padding", func(right string) []string { return []string{strings.TrimRight(right, "=")} }},
		{"twice", "with two accept values, of which one is right", func(right string) []string { return []string{right, handshake.Accept(handshake.NewKey())} }},
		{"list", "with a list of two accept values, of which one is right", func(right string) []string { return []string{right + ", " + handshake.Accept(handshake.NewKey())} }},
	} {
		o := mustRefuse(exactly)
		if a.name == "twice" {
			o = shouldRefuse("the field is there once (Section 11.3.3).")
		}
		cases = append(cases, responseCase{"4.1/accept-" + a.name, a.about, o, func(r *reply) {
			_, right, _ := strings.Cut(r.fields[2], ": ")
			var lines []string
			for _, v := range a.values(right) {
				lines = append(lines, "Sec-WebSocket-Accept: "+v)
			}
			r.change("Sec-WebSocket-Accept", lines...)
		}})
	}
	return cases
}

func fieldResponses() []responseCase {
	set := func(name string, lines ...string) func(*reply) {
		return func(r *reply) { r.change(name, lines...) }
	}
	const (
		upgrade    = "Upgrade is websocket, or the client fails the connection (Section 4.1)."
		connection = "Connection has the token Upgrade, or the client fails the connection (Section 4.1)."
	)
	return []responseCase{
		{"4.1/response-upgrade-missing", "without Upgrade", mustRefuse(upgrade), set("Upgrade")},
		{"4.1/response-upgrade-other", "with Upgrade: h2c", mustRefuse(upgrade), set("Upgrade", "Upgrade: h2c")},
		{"4.1/response-upgrade-longer", "with Upgrade: websockets", mustRefuse(upgrade), set("Upgrade", "Upgrade: websockets")},
		{"4.1/response-connection-missing", "without Connection", mustRefuse(connection), set("Connection")},
		{"4.1/response-connection-other", "with Connection: keep-alive", mustRefuse(connection), set("Connection", "Connection: keep-alive")},
		{"4.1/response-connection-longer", "with Connection: notupgraded", mustRefuse(connection), set("Connection", "Connection: notupgraded")},
	}
}

func statusResponses() []responseCase {
	const only = "a status other than 101 opens nothing (Section 4.1)."
	var cases []responseCase
	for _, status := range []string{"200 OK", "204 No Content", "301 Moved Permanently", "307 Temporary Redirect", "400 Bad Request",
		"401 Unauthorized", "403 Forbidden", "404 Not Found", "426 Upgrade Required", "500 Internal Server Error", "503 Service Unavailable"} {
		cases = append(cases, responseCase{"4.1/status-" + status[:3], "that is like an opening one, but has the status " + status, mustRefuse(only), func(r *reply) {
			r.status = "HTTP/1.1 " + status
			r.closes = true
			if status[0] == '3' {
				r.fields = append(r.fields, "Location: ws://127.0.0.1:1/")
			}
		}})
	}
	return append(cases,
		responseCase{"4.1/response-http-1.0", "in HTTP/1.0", shouldRefuse("an upgrade needs HTTP/1.1 (RFC 9110, Section 7.8)."), func(r *reply) { r.status = "HTTP/1.0 101 Switching Protocols" }},
		responseCase{"4.1/response-http-2.0", "in HTTP/2.0 as text", shouldRefuse("an upgrade needs HTTP/1.1 (RFC 9110, Section 7.8)."), func(r *reply) { r.status = "HTTP/2.0 101 Switching Protocols" }},
	)
}

func listResponses() []responseCase {
	add := func(lines ...string) func(*reply) {
		return func(r *reply) { r.fields = append(r.fields, lines...) }
	}
	const (
		unasked = "what the client did not ask for fails the connection (Section 4.1)."
		content = "a response with 101 has no content (RFC 9110, Section 15.2; RFC 9112, Section 6)."
	)
	return []responseCase{
		{"4.1/subprotocol-unasked", "with a subprotocol that was not asked for", mustRefuse(unasked), func(r *reply) {
			r.change("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: unasked.example")
		}},
		{"4.1/subprotocol-two-unasked", "with two subprotocols that were not asked for", mustRefuse(unasked), func(r *reply) {
			r.change("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: unasked.example, other.example")
		}},
		{"4.1/extension-unasked", "with an extension that was not offered", mustRefuse(unasked), add("Sec-WebSocket-Extensions: x-unasked")},
		{"9.1/extension-malformed", "with Sec-WebSocket-Extensions: ;;=", mustRefuse("who receives a malformed list fails the connection (Section 9.1)."), add("Sec-WebSocket-Extensions: ;;=")},
		{"4.1/response-content-length", "with Content-Length: 5", shouldRefuse(content), add("Content-Length: 5")},
		{"4.1/response-chunked", "with Transfer-Encoding: chunked", shouldRefuse(content), add("Transfer-Encoding: chunked")},
	}
}

func headResponses() []responseCase {
	add := func(lines ...string) func(*reply) {
		return func(r *reply) { r.fields = append(r.fields, lines...) }
	}
	const lines = "two readers of such a head could disagree about it (RFC 9112, Sections 2.2, 4 and 5)."
	return []responseCase{
		{"4.1/status-line-malformed", "whose status line is HTTP/1.1 101x", shouldRefuse(lines), func(r *reply) { r.status = "HTTP/1.1 101x Switching Protocols" }},
		{"4.1/status-line-other-protocol", "whose status line begins with ICY", mustRefuse(lines), func(r *reply) { r.status = "ICY 101 Switching Protocols" }},
		{"4.1/response-line-folded", "with a folded field line", shouldRefuse(lines), add("X-Folded: a", " b")},
		{"4.1/response-name-space", "with a space before a colon", shouldRefuse(lines), add("X-Space : a")},
		{"4.1/response-no-colon", "with a line that has no colon", shouldRefuse(lines), add("nothing")},
		{"4.1/response-value-nul", "with NUL in a value", shouldRefuse(lines), add("X-Nul: a\x00b")},
		{"4.1/response-value-lf", "with a bare LF as the end of a line", shouldRefuse(lines), add("X-Lf: a\nX-After: b")},
	}
}

// responds answers with a response that change has changed, and judges what the
// client makes of it.
func responds(o outcome, change func(r *reply)) step {
	return func(s *session) error {
		if s.invalid != nil {
			return s.accept(nil)
		}
		r := plainReply(s.request)
		change(r)
		var frames []byte
		if o.open != OK {
			// A client that takes the connection as open shows it by echoing.
			frames = text("is this open?").append(nil, s.role, &s.keys)
			if r.closes {
				r.fields = append(r.fields, fmt.Sprintf("Content-Length: %d", len(frames)))
			}
		}
		octets := append([]byte(r.String()), frames...)
		s.log.add(Sent, octets, int64(len(octets)), "response, and the octets after it")
		if err := s.write(octets); err != nil {
			return err
		}
		s.begin(s.early)
		if r.closes {
			s.w.closeWrite()
		}
		if o.open == OK {
			return s.clientOpens(o)
		}
		return s.clientRefuses(o)
	}
}

// clientOpens expects that the client has taken the connection as open.
func (s *session) clientOpens(o outcome) error {
	if err := s.sendAll(text("Hello")); err != nil {
		return err
	}
	e, err := s.next(s.deadline)
	if err == nil {
		s.unread = append(s.unread, e)
	}
	if err == nil && e.kind == gotEnd && o.refuse != Failed {
		s.tolerate("the client refused; %s", o.why)
		return nil
	}
	if err := s.receive(textEcho("Hello")); err != nil {
		return fmt.Errorf("%w; %s", err, o.why)
	}
	return closes(s)
}

// clientRefuses expects that the client ends TCP, and answers nothing.
func (s *session) clientRefuses(o outcome) error {
	s.judgeClosing(OK, "there was no connection to close")
	e, err := s.next(time.Now().Add(2 * s.timeout))
	switch {
	case errors.Is(err, errSilent):
		if o.open == Tolerable {
			s.tolerate("the client left TCP open; %s", o.why)
			return nil
		}
		return fmt.Errorf("the client left TCP open; %s", o.why)
	case err != nil:
		return err
	case e.kind == gotEnd:
		return nil
	case e.kind == gotClose:
		s.code = e.code
		s.tolerate("the client sent a Close frame with %s on a connection that was never open", codeName(e.code))
		return nil
	case o.open == Tolerable && e.kind == gotMessage:
		s.tolerate("the client took the connection as open; %s", o.why)
		return closes(s)
	}
	return fmt.Errorf("%s on a connection that was never open; %s", s.tell(e), o.why)
}

// rawResponseCases are about the request of the client, and responses that do
// not come as they should.
func rawResponseCases() []*Case {
	good := mustOpen("where TCP cuts a head means nothing.")
	const wait = 15 * time.Second
	cases := []*Case{{
		ID:     "handshake/4.1/request",
		About:  "Looks at the request.",
		Expect: "It obeys every rule of Section 4.1: GET in HTTP/1.1, Host, Upgrade, Connection, version 13 and a key of 16 octets.",
		steps:  []step{closes},
	}, {
		ID:     "handshake/4.1/fresh-key",
		About:  "Compares the key with those of the client's other requests.",
		Expect: "It is another one: the key is chosen at random for each connection (Section 4.1).",
		open: func(s *session) error {
			if s.keyUsed {
				return fmt.Errorf("the client has used the key %s before", s.request.Key())
			}
			return opened(s)
		},
		steps: []step{closes},
	}, {
		ID:     "handshake/4.1/response-octet-by-octet",
		About:  "Answers with a response octet by octet, with 5 milliseconds after each.",
		Expect: good.expect(),
		open: func(s *session) error {
			if s.invalid != nil {
				return s.accept(nil)
			}
			octets := []byte(plainReply(s.request).String())
			s.log.add(Sent, octets, int64(len(octets)), "response")
			if err := s.slowly(5 * time.Millisecond)(octets); err != nil {
				return err
			}
			s.begin(s.early)
			return s.clientOpens(good)
		},
	}, {
		ID:     "handshake/4.1/response-noise",
		About:  "Answers with 256 octets of noise.",
		Expect: "The client ends TCP: this is no response (Section 4.1).",
		open: func(s *session) error {
			octets := []byte(between(0, 0xff, "") + "\r\n\r\n")
			s.log.add(Sent, octets, int64(len(octets)), "octets instead of a response")
			if err := s.write(octets); err != nil {
				return err
			}
			s.begin(nil)
			return s.clientRefuses(mustRefuse("this is no response (Section 4.1)."))
		},
	}, {
		ID:     "handshake/10.4/endless-head",
		About:  "Answers with a response whose fields never end, up to 4 MiB.",
		Expect: "For information: how much the client reads before it fails the connection.",
		info:   true,
		open:   endless("HTTP/1.1 101 Switching Protocols\r\n", "X-Endless: "+strings.Repeat("x", 1000)+"\r\n"),
	}, {
		ID:     "handshake/10.4/endless-line",
		About:  "Answers with a status line that never ends, up to 4 MiB.",
		Expect: "For information: how much the client reads before it fails the connection.",
		info:   true,
		open:   endless("HTTP/1.1 101 ", strings.Repeat("x", 1000)),
	}, {
		ID:     "handshake/10.4/no-response",
		About:  "Does not answer the request for 15 seconds.",
		Expect: "For information: how long the client waits.",
		info:   true,
		long:   true,
		open: func(s *session) error {
			began := time.Now()
			s.begin(nil)
			_, err := s.next(began.Add(wait))
			switch {
			case errors.Is(err, errSilent):
				s.inform("the client still waits after %v", wait)
			case err != nil:
				return err
			default:
				s.inform("the client ended TCP after %v", time.Since(began).Round(10*time.Millisecond))
			}
			return nil
		},
	}}
	for _, c := range cases {
		c.Peers = Clients
	}
	return cases
}

// endless sends a head that does not end, and says how much of it was sent when
// the client ended TCP.
func endless(begin, more string) step {
	return func(s *session) error {
		s.begin(nil)
		octets := []byte(begin)
		s.log.add(Sent, append(octets, more...), int64(len(begin)), "the beginning of a response")
		sent := 0
		for sent < 4*mib {
			s.nc.SetWriteDeadline(time.Now().Add(s.timeout))
			n, err := s.nc.Write(octets)
			sent += n
			if err != nil {
				s.inform("the client took no more after %d octets: %v", sent, err)
				return nil
			}
			octets = []byte(strings.Repeat(more, 16))
			if e, ok := s.w.pop(); ok && e.kind == gotEnd {
				s.inform("the client ended TCP after %d octets", sent)
				return nil
			}
		}
		s.inform("the client still reads after %d octets", sent)
		return nil
	}
}
