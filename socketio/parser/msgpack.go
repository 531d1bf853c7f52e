package parser

import "math"

// Msgpack is the parser of socket.io-msgpack-parser 3: one binary message of
// MessagePack for each packet, attachments included. Clients must be made with
// that parser, too.
//
// Packets hold JSON all the same. What MessagePack has more becomes what
// JSON.stringify makes of it: a date its string in ISO 8601, undefined nothing in
// a map and null in a list, NaN and the infinities null.
var Msgpack Parser = msgpackParser{}

type msgpackParser struct{}

func (msgpackParser) Encode(dst []Message, p *Packet) ([]Message, error) {
	if err := p.Check(); err != nil {
		return dst, err
	}
	w := packer{dst: make([]byte, 0, len(p.data)+len(p.Namespace)+32), attachments: p.attachments}
	members := 2
	if p.data != nil {
		members++
	}
	if p.HasID {
		members++
	}
	w.dst = append(w.dst, 0x80|byte(members))
	w.string("type")
	w.dst = append(w.dst, byte(p.Type))
	if p.data != nil {
		w.string("data")
		w.value(trim(p.data))
	}
	if p.HasID {
		w.string("id")
		w.uint(p.ID)
	}
	w.string("nsp")
	if p.Namespace == "" {
		w.string("/")
	} else {
		w.string(p.Namespace)
	}
	return append(dst, Message{Binary: true, Data: w.dst}), nil
}

func (msgpackParser) NewDecoder(l *Limits) Decoder { return msgpackDecoder{l} }

type msgpackDecoder struct{ limits *Limits }

func (msgpackDecoder) Pending() bool { return false }

func (d msgpackDecoder) Decode(binary bool, data []byte) (Packet, bool, error) {
	limits := d.limits.WithDefaults()
	switch {
	case !binary:
		return Packet{}, false, fail(ErrPacketType, 0)
	case len(data) > limits.MaxSize:
		return Packet{}, false, fail(ErrTooBig, limits.MaxSize)
	}
	u := unpacker{b: data, depth: limits.MaxDepth, elements: limits.MaxElements, blobs: limits.MaxAttachments}
	p, err := u.packet(&limits)
	if err != nil {
		return Packet{}, false, err
	}
	// JSON may be longer than MessagePack, by a bounded factor.
	limits.MaxSize = math.MaxInt
	if err := p.SetData(u.data, u.attachments, &limits); err != nil {
		return Packet{}, false, err
	}
	return p, true, nil
}

// The first octets of values in MessagePack that have one of their own.
const (
	mpNil      = 0xc0
	mpFalse    = 0xc2
	mpTrue     = 0xc3
	mpBin8     = 0xc4
	mpExt8     = 0xc7
	mpFloat32  = 0xca
	mpFloat64  = 0xcb
	mpUint8    = 0xcc
	mpInt8     = 0xd0
	mpFixExt1  = 0xd4
	mpFixExt16 = 0xd8
	mpStr8     = 0xd9
	mpStr32    = 0xdb
	mpArray16  = 0xdc
	mpMap16    = 0xde
)
