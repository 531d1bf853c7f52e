package conformance

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"example.org/rfc6455/handshake"
)

// A request is that of an opening handshake, to be made wrong.
type request struct {
	method, target, proto string
	fields                []string // whole lines
	after                 string   // octets after the head
}

// plainRequest returns the request that opens a connection.
func plainRequest(o *handshake.Offer) *request {
	r := &request{
		method: "GET",
		target: o.Target,
		proto:  "HTTP/1.1",
		fields: []string{
			"Host: " + o.Host,
			"Upgrade: websocket",
			"Connection: Upgrade",
			"Sec-WebSocket-Key: " + o.Key,
			"Sec-WebSocket-Version: 13",
		},
	}
	for name, value := range o.Extra {
		r.fields = append(r.fields, name+": "+value)
	}
	return r
}

func (r *request) String() string {
	return r.method + " " + r.target + " " + r.proto + "\r\n" + strings.Join(append(r.fields, "", ""), "\r\n") + r.after
}

// without removes the lines of a field.
func (r *request) without(name string) {
	r.fields = slices.DeleteFunc(r.fields, func(line string) bool {
		return len(line) > len(name) && line[len(name)] == ':' && strings.EqualFold(line[:len(name)], name)
	})
}

// change replaces the lines of a field by others.
func (r *request) change(name string, lines ...string) {
	r.without(name)
	r.fields = append(r.fields, lines...)
}

// An outcome is what a server may do with a request.
type outcome struct {
	open, refuse Verdict  // of opening the connection, and of refusing to
	statuses     []int    // of a refusal: others, and the end of TCP, are tolerable
	fields       []string // which a refusal should have
	why          string   // of an open that is not OK, or a refusal that is not
}

// mustOpen is a good request.
func mustOpen(why string) outcome { return outcome{OK, Failed, nil, nil, why} }

// shouldOpen is one that a server had better accept.
func shouldOpen(why string) outcome { return outcome{OK, Tolerable, nil, nil, why} }

// mustRefuse is one that no server may accept.
func mustRefuse(why string, statuses ...int) outcome { return outcome{Failed, OK, statuses, nil, why} }

// shouldRefuse is one that a server had better refuse.
func shouldRefuse(why string, statuses ...int) outcome {
	return outcome{Tolerable, OK, statuses, nil, why}
}

// with says which fields a refusal should have.
func (o outcome) with(fields ...string) outcome {
	o.fields = fields
	return o
}

// expect says it in words.
func (o outcome) expect() string {
	var s string
	switch {
	case o.open == OK && o.refuse == OK:
		return "Opening and refusing are both right: " + o.why
	case o.open == OK:
		s = "The connection opens, and a message comes back: "
		if o.refuse == Tolerable {
			s = "The connection opens, and a message comes back. Refusing is tolerable: "
		}
	default:
		s = "The server refuses"
		for i, status := range o.statuses {
			s += []string{" with status ", " or "}[min(i, 1)] + fmt.Sprint(status)
		}
		if o.open == Tolerable {
			s += ". Opening is tolerable"
		}
		s += ": "
	}
	return s + o.why
}

// requests does an opening handshake with a request that change has changed.
func requests(o outcome, change func(r *request)) step {
	return func(s *session) error {
		r := plainRequest(&s.offer)
		change(r)
		s.offer.Key = r.key()
		s.offer.Subprotocols = r.subprotocols()
		return s.ask(o, func(b []byte) error { return s.write(b) }, r.String())
	}
}

// values returns the values of the lines of a field.
func (r *request) values(field string) []string {
	var values []string
	for _, line := range r.fields {
		if name, value, _ := strings.Cut(line, ":"); strings.EqualFold(name, field) {
			values = append(values, strings.TrimSpace(value))
		}
	}
	return values
}

// key is the key of the request, which the response has to answer.
func (r *request) key() string { return strings.Join(r.values("Sec-WebSocket-Key"), ", ") }

// subprotocols are those that the response may choose from.
func (r *request) subprotocols() []string {
	var names []string
	for name := range strings.SplitSeq(strings.Join(r.values("Sec-WebSocket-Protocol"), ","), ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// ask sends octets as a request and judges what comes of it.
func (s *session) ask(o outcome, write func(b []byte) error, octets string) error {
	if err := s.connect(); err != nil {
		return err
	}
	s.log.add(Sent, []byte(octets), int64(len(octets)), "request")
	if err := write([]byte(octets)); err != nil {
		return err
	}
	r := s.readResponse()
	if r.err == nil && r.Status == 101 {
		switch o.open {
		case Failed:
			return fmt.Errorf("the server opened the connection; %s", o.why)
		case Tolerable:
			s.tolerate("the server opened the connection; %s", o.why)
		}
		if err := s.establish(r); err != nil {
			return err
		}
		if err := s.sendAll(text("Hello")); err != nil {
			return err
		}
		if err := s.receive(textEcho("Hello")); err != nil {
			return err
		}
		return closes(s)
	}
	s.judgeClosing(OK, "there was no connection to close")
	return s.refused(o, r)
}

// refused judges a refusal.
func (s *session) refused(o outcome, r response) error {
	switch {
	case errors.Is(r.err, os.ErrDeadlineExceeded):
		return fmt.Errorf("the server did not answer within %v", s.scale(openingTimeout))
	case o.refuse == Failed && r.err != nil:
		return fmt.Errorf("the server ended TCP without an answer; %s", o.why)
	case o.refuse == Failed:
		return fmt.Errorf("the server refused with status %d; %s", r.Status, o.why)
	case o.refuse == Tolerable:
		s.tolerate("the server refused; %s", o.why)
	case r.err != nil:
		s.tolerate("the server ended TCP without an answer")
	case len(o.statuses) > 0 && !slices.Contains(o.statuses, r.Status):
		s.tolerate("the server refused with status %d; %d says more", r.Status, o.statuses[0])
	}
	if r.err != nil {
		return nil
	}
	for _, name := range o.fields {
		if r.Status != o.statuses[0] {
			break
		}
		if len(r.Header.Values(name)) == 0 {
			s.tolerate("the refusal has no field %s, which tells the client what would do", name)
		}
	}
	if s.verdict == OK {
		s.inform("the server refused with status %d", r.Status)
	}
	return nil
}

// slowly writes octets one at a time, with a pause after each.
func (s *session) slowly(pause time.Duration) func(b []byte) error {
	return func(b []byte) error {
		for i := range b {
			if err := s.write(b[i : i+1]); err != nil {
				return err
			}
			if err := s.sleep(pause); err != nil {
				return err
			}
		}
		return nil
	}
}
