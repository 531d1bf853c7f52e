package conn

import (
	"example.org/rfc6455/frame"
	"example.org/rfc6455/mask"
)

// A protocol takes the octets of a peer and says what they mean: it decodes
// frames, puts messages and control frames together, inflates messages, judges
// UTF-8 as it comes and charges every limit. It does no I/O, knows no clock and
// keeps no slice between calls.
type protocol struct {
	frames frame.Decoder
	text   frame.UTF8
	limits limits

	inflater inflater

	// failed is what whole found wrong, for next to return.
	failed error

	// control holds a control frame's payload of which a part has come.
	control []byte // len(control) <= frame.MaxControlPayload
}

// An event is what the next octets of a peer mean.
type event struct {
	kind   kind
	opcode frame.Opcode // of the message, for eventData
	begin  bool         // whether payload begins a message
	end    bool         // whether payload ends it

	// payload is a part of the octets given, or of protocol.control: it is
	// valid until the next call. That of a compressed message is what was
	// appended to inflated; it may be empty although more follows.
	payload []byte

	// inflated is the caller's, of getBuffer or nil, for the payloads of
	// compressed messages.
	inflated []byte

	// code is that of a Close frame, whose reason is payload.
	code frame.CloseCode
}

type kind uint8

const (
	eventNone  kind = iota // more octets are needed
	eventData              // a piece of a message
	eventPing              // a ping to be answered with payload
	eventPong              // a pong
	eventClose             // a Close frame; the peer sends nothing after it
)

// next takes n octets from the start of b and says in ev what they mean. With
// eventNone more octets have to follow those of b that were not taken. The
// error is a [*frame.Error] or an [*Error]: the connection has to be failed
// with its code.
//
// next unmasks payloads in place.
func (p *protocol) next(b []byte, ev *event) (n int, err error) {
	ev.kind = eventNone
	if p.failed != nil {
		return 0, p.failed
	}
	for {
		var piece frame.Piece
		size, err := p.frames.Next(b[n:], &piece)
		if size == 0 || err != nil {
			return n, err
		}
		n += size
		if piece.Header.Opcode.IsControl() {
			err = p.controlPiece(&piece, ev)
		} else {
			err = p.dataPiece(&piece, ev)
		}
		if err != nil || ev.kind != eventNone || n == len(b) {
			return n, err
		}
	}
}

// whole takes a message that lies in one frame in the n octets at the start of b, as
// next would in more steps. With a nil payload there is none, or it is not as most
// are, and next has to look.
//
// whole unmasks the payload, a part of b, in place.
func (p *protocol) whole(b []byte) (op frame.Opcode, payload []byte, n int) {
	if p.midMessage() || p.failed != nil {
		return 0, nil, 0
	}
	h, n, err := frame.ParseHeader(b)
	masked := p.frames.Role == frame.Server
	flags := frame.FIN
	if masked {
		flags |= frame.MASK
	}
	if n == 0 || err != nil || h.Opcode != frame.OpBinary && h.Opcode != frame.OpText || h.Flags != flags ||
		h.Length > int64(len(b)-n) || h.Length > p.limits.maxSize {
		return 0, nil, 0
	}
	end := n + int(h.Length)
	payload = b[n:end:end]
	p.limits.compressed = false
	if h.Opcode == frame.OpBinary {
		if masked {
			mask.Apply(payload, h.Key)
		}
		return h.Opcode, payload, end
	}
	p.text = frame.UTF8{}
	if masked {
		n = p.text.Unmask(payload, h.Key)
	} else {
		n = p.text.Next(payload)
	}
	if n < len(payload) || !p.text.Complete() {
		p.failed = frame.ErrInvalidUTF8
		return 0, nil, 0
	}
	return h.Opcode, payload, end
}

func (p *protocol) dataPiece(piece *frame.Piece, ev *event) error {
	ev.begin = false
	if piece.First() {
		ev.begin = piece.Header.Opcode != frame.OpContinuation
		if ev.begin {
			p.text = frame.UTF8{}
			p.limits.compressed = piece.Header.Flags.Has(frame.RSV1)
		}
		if err := p.limits.fragment(ev.begin, piece.Header.Length); err != nil {
			return err
		}
	}
	ev.kind = eventData
	ev.opcode = p.frames.Opcode()
	ev.end = piece.Last() && !p.frames.Open()
	ev.payload = piece.Payload
	if p.compressed() {
		start := len(ev.inflated)
		var err error
		ev.inflated, err = p.inflater.append(ev.inflated, piece.Payload, ev.end, p.limits.maxSize)
		if err != nil {
			return err
		}
		ev.payload = ev.inflated[start:]
	}
	if ev.opcode == frame.OpText {
		if p.text.Next(ev.payload) < len(ev.payload) || ev.end && !p.text.Complete() {
			return frame.ErrInvalidUTF8
		}
	}
	return nil
}

func (p *protocol) controlPiece(piece *frame.Piece, ev *event) (err error) {
	payload := piece.Payload
	if !piece.First() || !piece.Last() {
		if piece.First() {
			p.control = p.control[:0]
		}
		p.control = append(p.control, payload...)
		payload = p.control
	}
	if !piece.Last() {
		return nil
	}
	ev.payload = payload
	switch piece.Header.Opcode {
	case frame.OpPing:
		ev.kind = eventPing
	case frame.OpPong:
		ev.kind = eventPong
	default:
		ev.kind = eventClose
		ev.code, ev.payload, err = frame.ParseClose(payload)
	}
	return err
}

// complete reports whether b, which next has not taken, begins with a whole frame.
func (p *protocol) complete(b []byte) bool {
	rest := p.frames.Remaining()
	if rest == 0 {
		h, n, _ := frame.ParseHeader(b)
		if n == 0 {
			return false
		}
		b, rest = b[n:], h.Length
	}
	return int64(len(b)) >= rest
}

// midFrame reports whether the payload of a frame is still to come.
func (p *protocol) midFrame() bool { return p.frames.Remaining() > 0 }

// midMessage reports whether a message was begun and is still to end.
func (p *protocol) midMessage() bool { return p.frames.Open() || p.midFrame() }

// compressed reports whether the message that was begun last is.
func (p *protocol) compressed() bool { return p.limits.compressed }
