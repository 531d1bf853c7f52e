package engineio

import (
	"context"
	"errors"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/socketio/engineio/codec"
)

// A reader reads a session that is on a WebSocket.
//
// A goroutine's stack grows with what is done for a message, and does not become as
// small again as one needs that only waits. So that idle sessions have small ones, the
// rest is left to a new goroutine behind the first message, with which a client mostly
// says hello, and behind a heartbeat if there was another message since the last one.
type reader struct {
	s     *Session
	c     *conn.Conn
	hello bool // whether the first message has come
	grown bool // whether a message has come to this goroutine
}

func (r *reader) run() {
	r.grown = false
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
		if r.outgrown(p.Type) {
			go r.run()
			return
		}
	}
}

// outgrown reports whether the goroutine is to make room for one with a small stack,
// behind a packet.
func (r *reader) outgrown(t codec.Type) bool {
	if t == codec.Message {
		first := !r.hello
		r.hello, r.grown = true, true
		return first
	}
	return r.grown && (t == codec.Ping || t == codec.Pong)
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
