package engineio

import (
	"bytes"
	"sync/atomic"
	"unicode/utf8"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/socketio/engineio/codec"
)

// A Packet is a message to be sent: encoded once, in each form that is needed, and
// shared by any number of sessions. It does not change, and any number of
// goroutines may use it.
type Packet struct {
	wire         []byte // the type, then the data: as text, or in the octets of revision 3
	binary       bool
	uncompressed bool
	invalid      bool // whether it is text that is not UTF-8
	separated    bool // whether it is text with codec.Separator

	// The forms it has over a WebSocket. Text has the first one alone.
	prepared [4]atomic.Pointer[conn.Prepared]
}

// NewPacket returns a message, of text or of octets. It does not retain data.
//
// Text must be valid UTF-8: otherwise [Session.Send] returns
// [frame.ErrInvalidUTF8].
func NewPacket(binary bool, data []byte) *Packet {
	wire := make([]byte, 1+len(data))
	copy(wire[1:], data)
	if binary {
		wire[0] = byte(codec.Message)
		return &Packet{wire: wire, binary: true}
	}
	wire[0] = '0' + byte(codec.Message)
	return &Packet{
		wire:      wire,
		invalid:   !utf8.Valid(data),
		separated: bytes.IndexByte(data, codec.Separator) >= 0,
	}
}

// NewUncompressedPacket is [NewPacket] for a message that is not compressed
// although others are, as a mixture of secrets and of what others chose should not
// be. A polling response with such a message in it is not compressed.
func NewUncompressedPacket(binary bool, data []byte) *Packet {
	p := NewPacket(binary, data)
	p.uncompressed = true
	return p
}

// newPacket returns a packet of any type, with text that needs no check.
func newPacket(t codec.Type, data string) *Packet {
	return &Packet{wire: codec.AppendText(nil, codec.V4, codec.Packet{Type: t, Data: []byte(data)})}
}

// raw returns the packet as package codec has it.
func (p *Packet) raw() codec.Packet {
	if p.binary {
		return codec.Packet{Type: codec.Message, Binary: true, Data: p.wire[1:]}
	}
	return codec.Packet{Type: codec.Type(p.wire[0] - '0'), Data: p.wire[1:]}
}

// The packets without data of their own.
var (
	closePacket   = newPacket(codec.Close, "")
	pingPacket    = newPacket(codec.Ping, "")
	pongPacket    = newPacket(codec.Pong, "")
	noopPacket    = newPacket(codec.Noop, "")
	upgradePacket = newPacket(codec.Upgrade, "")
	probePing     = newPacket(codec.Ping, probe)
	probePong     = newPacket(codec.Pong, probe)
)

// probe is what a ping and its pong carry that ask whether a transport works.
const probe = "probe"

// A form is how a session takes packets.
type form struct {
	revision codec.Revision
	base64   bool // whether octets must be text
}

// index returns where the message that p is in this form is kept.
func (f form) index(p *Packet) int {
	i := 0
	if p.binary {
		if f.revision == codec.V3 {
			i |= 1
		}
		if f.base64 {
			i |= 2
		}
	}
	return i
}

// message returns p as a message of a WebSocket. It is valid.
func (p *Packet) message(f form) *conn.Prepared {
	kept := &p.prepared[f.index(p)]
	if m := kept.Load(); m != nil {
		return m
	}
	op, wire := frame.OpText, p.wire
	switch {
	case !p.binary:
	case f.base64:
		wire = codec.AppendText(nil, f.revision, p.raw())
	default:
		op = frame.OpBinary
		if f.revision == codec.V4 {
			wire = wire[1:]
		}
	}
	prepare := conn.Prepare
	if p.uncompressed {
		prepare = conn.PrepareUncompressed
	}
	m, _ := prepare(op, wire) // its text is valid
	kept.Store(m)
	return m
}

// messages returns packets as messages of a WebSocket.
func messages(f form, ps []*Packet) []*conn.Prepared {
	ms := make([]*conn.Prepared, len(ps))
	for i, p := range ps {
		ms[i] = p.message(f)
	}
	return ms
}

// packets returns packets for a payload.
func packets(ps []*Packet) []codec.Packet {
	raw := make([]codec.Packet, len(ps))
	for i, p := range ps {
		raw[i] = p.raw()
	}
	return raw
}
