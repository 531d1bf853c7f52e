package engineio

import (
	"context"
	"errors"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/socketio/engineio/codec"
)

// A reader reads a session that is on a WebSocket.
type reader struct {
	s *Session
	c *conn.Conn
}

func (r *reader) run() {
	for {
		op, b, err := r.c.ReadMessage(context.Background())
		if err != nil {
			r.s.fail(ended(err))
			return
		}
		p, err := parseMessage(r.s.revision, op, b)
		if err != nil {
			r.s.fail(ParseError, err)
		}
		if err != nil || !r.s.receive(r, p) {
			if r.s.over() {
				r.c.Close(frame.CloseNoStatusReceived, "")
			}
			return
		}
	}
}

// parseMessage decodes a message of a WebSocket.
func parseMessage(r codec.Revision, op frame.Opcode, b []byte) (codec.Packet, error) {
	if op == frame.OpText {
		return codec.ParseText(r, b)
	}
	return codec.ParseBinary(r, b)
}

// ended says why a session ends when its WebSocket has.
func ended(err error) (CloseReason, error) {
	c, ok := errors.AsType[*conn.CloseError](err)
	switch {
	case !ok:
		return TransportError, err
	case c.By == conn.Local || errors.Is(err, conn.ErrWriteTimeout):
		return TransportError, err
	case c.Normal():
		return TransportClose, nil
	}
	return TransportClose, err
}
