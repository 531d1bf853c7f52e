package parser

import "slices"

// A Message is a message of Engine.IO, of which a packet has one or more.
type Message struct {
	// Binary says whether the message is binary rather than text.
	Binary bool
	// Data is what is in it.
	Data []byte
}

// A Parser is a way to write packets as messages. [JSON] is the usual one; both
// sides must use the same.
type Parser interface {
	// Encode appends the messages of p to dst, which may be nil. They may refer
	// to what p holds, which must not be modified as long as they are in use.
	// After an error dst is returned as it was.
	Encode(dst []Message, p *Packet) ([]Message, error)

	// NewDecoder returns a decoder for the messages of one peer. A nil l means
	// the default limits. It refers to l, which must not be modified.
	NewDecoder(l *Limits) Decoder
}

// A Decoder puts packets together. Its methods must not be called concurrently.
type Decoder interface {
	// Decode takes the next message. If the message completes a packet, ok is
	// true. The packet is then valid as long as data: use [Packet.Clone] to keep
	// it. Its attachments are copies that the decoder does not use again.
	//
	// The error is a [*PacketError]. After it the decoder is of no more use: the
	// peer does not follow the protocol.
	Decode(binary bool, data []byte) (p Packet, ok bool, err error)

	// Pending reports whether a packet has begun of which attachments are
	// missing.
	Pending() bool
}

// JSON is the parser of the protocol: a text message for each packet, and a
// binary message for each of its attachments.
var JSON Parser = jsonParser{}

type jsonParser struct{}

func (jsonParser) Encode(dst []Message, p *Packet) ([]Message, error) {
	text, err := p.AppendText(make([]byte, 0, len(p.Namespace)+len(p.data)+24))
	if err != nil {
		return dst, err
	}
	dst = append(dst, Message{Data: text})
	for _, a := range p.attachments {
		dst = append(dst, Message{Binary: true, Data: a})
	}
	return dst, nil
}

func (jsonParser) NewDecoder(l *Limits) Decoder { return &jsonDecoder{limits: l} }

type jsonDecoder struct {
	limits  *Limits
	pending *pending // nil while no attachment is awaited
}

// A pending packet waits for attachments.
type pending struct {
	packet  Packet
	missing int
	size    int // octets so far
}

func (d *jsonDecoder) Pending() bool { return d.pending != nil }

func (d *jsonDecoder) Decode(binary bool, data []byte) (Packet, bool, error) {
	if binary {
		return d.attach(data)
	}
	if d.pending != nil {
		d.pending = nil
		return Packet{}, false, fail(ErrExpectedAttachment, 0)
	}
	var defaults Limits
	p, attachments, err := parse(data, d.limits.filled(&defaults))
	if err != nil {
		return Packet{}, false, err
	}
	if attachments == 0 {
		return p, true, nil
	}
	p.data = slices.Clone(p.data)
	d.pending = &pending{p, attachments, len(data)}
	return Packet{}, false, nil
}

// attach adds an attachment to the packet that waits for it.
func (d *jsonDecoder) attach(data []byte) (Packet, bool, error) {
	w := d.pending
	if w == nil {
		return Packet{}, false, fail(ErrUnexpectedAttachment, 0)
	}
	if w.size += len(data); w.size > d.limits.WithDefaults().MaxSize {
		d.pending = nil
		return Packet{}, false, fail(ErrTooBig, 0)
	}
	// An empty attachment is not nil: that would be the null of JSON.
	w.packet.attachments = append(w.packet.attachments, append(make([]byte, 0, len(data)), data...))
	if w.missing--; w.missing > 0 {
		return Packet{}, false, nil
	}
	d.pending = nil
	return w.packet, true, nil
}
