package conformance

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

// openingTimeout is how long an opening handshake may take when Options.Timeout
// is a second.
const openingTimeout = 5 * time.Second

// opened does an opening handshake that has to succeed.
func opened(s *session) error { return openedWith()(s) }

// openedWith does an opening handshake that has to succeed, with frames glued to
// the tester's part of it.
func openedWith(frames ...raw) step {
	return func(s *session) error {
		if s.role == frame.Server {
			return s.accept(frames)
		}
		if err := s.connect(); err != nil {
			return err
		}
		s.offer.Extensions = offers(s.c.deflate)
		b, err := handshake.AppendRequest(nil, &s.offer)
		if err != nil {
			return fmt.Errorf("the request cannot be made: %w", err)
		}
		s.log.add(Sent, b, int64(len(b)), "request")
		for _, f := range frames {
			b = s.encode(b, f)
		}
		if err := s.write(b); err != nil {
			return err
		}
		return s.establish(s.readResponse())
	}
}

// connect dials the server.
func (s *session) connect() (err error) {
	if s.nc, err = s.dial(s.ctx); err != nil {
		return fmt.Errorf("cannot connect: %w", err)
	}
	return nil
}

// A response is what a server answered to a request: the head, and what came
// with it. Without a head, err says how TCP ended or that nothing came.
type response struct {
	*handshake.Response
	rest []byte
	err  error
}

// readResponse reads the final response.
func (s *session) readResponse() response {
	var p handshake.Parser
	s.nc.SetReadDeadline(time.Now().Add(s.scale(openingTimeout)))
	var b []byte
	buf := make([]byte, 4<<10)
	for interims := 0; ; {
		r, n, err := p.ParseResponse(b)
		switch {
		case err != nil:
			s.log.add(Received, b, int64(len(b)), "response")
			return response{err: fmt.Errorf("the response is malformed: %w", err)}
		case n > 0 && r.Interim() && interims < 8:
			s.log.add(Received, b[:n], int64(n), "interim response, status %d", r.Status)
			interims++
			b = b[n:]
			continue
		case n > 0:
			s.log.add(Received, b[:n], int64(n), "response, status %d", r.Status)
			if values := r.Header.Values("Server"); len(values) > 0 {
				s.server = values[0]
			}
			s.nc.SetReadDeadline(time.Time{})
			return response{Response: r, rest: b[n:]}
		}
		n, err = s.nc.Read(buf)
		b = append(b, buf[:n]...)
		if n == 0 && err != nil {
			if len(b) > 0 {
				s.log.add(Received, b, int64(len(b)), "part of a response")
			}
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				s.log.note("the end of TCP: %v", err)
			}
			return response{err: err}
		}
	}
}

// establish checks a response that has to open the connection.
func (s *session) establish(r response) error {
	switch {
	case errors.Is(r.err, os.ErrDeadlineExceeded):
		return fmt.Errorf("the server did not answer the request within %v", s.scale(openingTimeout))
	case errors.Is(r.err, io.EOF):
		return errors.New("the server ended TCP instead of answering the request")
	case r.err != nil:
		return fmt.Errorf("no answer to the request: %w", r.err)
	}
	if err := r.Validate(&s.offer); err != nil {
		return fmt.Errorf("the response does not open the connection: status %d, %w", r.Status, err)
	}
	if err := s.confirm(r.Response); err != nil {
		return err
	}
	s.begin(r.rest)
	return nil
}

// begin begins the WebSocket connection.
func (s *session) begin(early []byte) {
	s.w = newWire(s.nc, s.role, early, s.startDeflate(), s.log)
	s.await()
}

// accept answers the request of the client with a response that opens the
// connection, and frames glued to it.
func (s *session) accept(frames []raw) error {
	var b []byte
	for _, f := range frames {
		b = s.encode(b, f)
	}
	return s.acceptWith(b)
}

// acceptWith is accept with octets, which have been logged.
func (s *session) acceptWith(glued []byte) error {
	if s.invalid != nil {
		b, _ := handshake.AppendRefusal(nil, 400, nil, s.invalid.Error()+"\n")
		s.log.add(Sent, b, int64(len(b)), "response")
		s.write(b)
		return fmt.Errorf("the request breaks a rule: %w", s.invalid)
	}
	var subprotocol string
	if offered, _ := s.request.Subprotocols(); len(offered) > 0 {
		subprotocol = offered[0]
	}
	extensions, err := s.answer()
	if err != nil {
		return err
	}
	b, err := handshake.AppendResponse(nil, s.request.Key(), subprotocol, extensions, nil)
	if err != nil {
		return fmt.Errorf("the response cannot be made: %w", err)
	}
	s.log.add(Sent, b, int64(len(b)), "response, status 101")
	if err := s.write(append(b, glued...)); err != nil {
		return err
	}
	s.begin(s.early)
	return nil
}
