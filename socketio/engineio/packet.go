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
	packet       codec.Packet
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
	p := newPacket(codec.Message, string(data))
	if binary {
		p.packet.Binary = true
		return p
	}
	p.invalid = !utf8.Valid(data)
	p.separated = bytes.IndexByte(data, codec.Separator) >= 0
	return p
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
	return &Packet{packet: codec.Packet{Type: t, Data: []byte(data)}}
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
	if p.packet.Binary {
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
	op, wire := frame.OpText, []byte(nil)
	if p.packet.Binary && !f.base64 {
		op, wire = frame.OpBinary, codec.AppendBinary(nil, f.revision, p.packet)
	} else {
		wire = codec.AppendText(nil, f.revision, p.packet)
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
		raw[i] = p.packet
	}
	return raw
}
