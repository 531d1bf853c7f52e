package script

import (
	"encoding/binary"
	"math"

	"example.org/rfc6455/frame"
)

// notUTF8 are texts that are not UTF-8, or become it only with more octets
// (RFC 3629).
var notUTF8 = []string{
	"\x80", "\xbf", "a\x80b", "\xc0\x80", "\xc0\xaf", "\xc1\xbf", "\xc2", "\xdf", "\xc2a", "\xe0\x80\x80", "\xe0\x9f\xbf",
	"\xe0\xa0", "\xe2\x82", "\xe2\x82a", "\xed\xa0\x80", "\xed\xbf\xbf", "\xed\xa0\x80\xed\xb0\x80", "\xef\xbf", "\xf0\x80\x80\x80",
	"\xf0\x8f\xbf\xbf", "\xf0\x90\x80", "\xf0\x9f\x98", "\xf4\x90\x80\x80", "\xf4\x8f\xbf", "\xf5\x80\x80\x80", "\xf7\xbf\xbf\xbf",
	"\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80", "\xfe", "\xff", "Hello \xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
}

// mistake appends a frame that breaks a rule, or begins to.
func (g *generator) mistake() {
	masked := g.role == frame.Server
	data := byte(frame.OpText)
	if g.open {
		data = byte(frame.OpContinuation)
	}
	control := one(g, byte(frame.OpPing), byte(frame.OpPong), byte(frame.OpClose))
	f := Frame{FIN: !g.oneIn(4), Opcode: one(g, data, data, control), Masked: masked, Payload: []byte("oops")}
	if f.Opcode == byte(frame.OpClose) {
		f.Payload = []byte("\x03\xe8oops")
	}
	f.Length = uint64(len(f.Payload))

	switch g.IntN(15) {
	case 0: // Section 5.2: RSV1, RSV2, RSV3
		f.RSV = byte(1 + g.IntN(7))
	case 1: // Section 5.2: opcode
		f.Opcode = one[byte](g, 3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
	case 2: // Section 5.1
		f.Masked = !masked
	case 3: // Section 5.5: control frames are not fragmented
		f.FIN, f.Opcode = false, control
	case 4: // Section 5.5: nor longer than 125
		f.Opcode = control
		f.Payload = make([]byte, one(g, 126, 127, 200))
		copy(f.Payload, "\x03\xe8")
		f.Length, f.Size = uint64(len(f.Payload)), 2
	case 5: // Section 5.2: the minimal number of octets
		f.Size = one(g, 2, 8)
		if g.oneIn(3) {
			f.Payload = make([]byte, one(g, 0, 1, 125, 126, 1000))
			f.Length, f.Size = uint64(len(f.Payload)), 8
		}
	case 6: // Section 5.2: the most significant bit of a length is 0
		f.Size = 8
		f.Length = one[uint64](g, 1<<63, math.MaxUint64, 1<<63|5)
	case 7: // Section 10.4
		f.Size = 8
		f.Length = one[uint64](g, Limit+1, 1<<31, 1<<32, 1<<32+5, math.MaxInt64)
	case 8: // Section 5.4: the fragments of a message together
		f.Payload = make([]byte, max(0, Limit+1-g.size))
		f.Length = uint64(len(f.Payload))
		f.Size = minimalSize(f.Length)
		f.Opcode = data
	case 9: // Section 5.4: a continuation of nothing, or a message inside another
		f.Opcode = byte(frame.OpContinuation)
		if g.open {
			f.Opcode = one(g, byte(frame.OpText), byte(frame.OpBinary))
		}
	case 10: // Section 5.5.1: half a code
		f = Frame{FIN: true, Opcode: byte(frame.OpClose), Masked: masked, Length: 1, Payload: []byte{3}}
	case 11: // Section 7.4
		code := one[uint16](g, 0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
		f = Frame{FIN: true, Opcode: byte(frame.OpClose), Masked: masked, Payload: binary.BigEndian.AppendUint16(nil, code)}
		f.Length = uint64(len(f.Payload))
	case 12: // Section 5.5.1: a reason that is not UTF-8
		f = Frame{FIN: true, Opcode: byte(frame.OpClose), Masked: masked}
		f.Payload = append([]byte{0x03, 0xe8}, one(g, notUTF8...)...)
		f.Length = uint64(len(f.Payload))
	default: // Section 8.1
		f.FIN = !g.oneIn(2)
		f.Opcode = data
		f.Payload = append(g.part, one(g, notUTF8...)...)
		if g.oneIn(2) {
			f.Payload = append([]byte("Hello"), f.Payload...)
		}
		f.Length = uint64(len(f.Payload))
	}
	if f.Opcode < 3 {
		g.open = !f.FIN
		g.size += len(f.Payload)
		g.part = nil
	}
	g.raw(f)
}
