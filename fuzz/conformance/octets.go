package conformance

import (
	"encoding/binary"
	"math"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/mask"
)

// A raw is a frame to send, right or wrong.
type raw struct {
	flags   frame.Flags // FIN and reserved bits
	opcode  frame.Opcode
	payload []byte

	unlike   bool      // masked where it must not be, unmasked where it must be
	key      *mask.Key // instead of a fresh one
	form     int       // of the length: 7, 16 or 64 bits; 0 is the shortest
	declared uint64    // the length in the header, if it is not that of payload
}

func text(s string) raw                   { return raw{flags: frame.FIN, opcode: frame.OpText, payload: []byte(s)} }
func data(op frame.Opcode, p []byte) raw  { return raw{flags: frame.FIN, opcode: op, payload: p} }
func ping(s string) raw                   { return raw{flags: frame.FIN, opcode: frame.OpPing, payload: []byte(s)} }
func pong(s string) raw                   { return raw{flags: frame.FIN, opcode: frame.OpPong, payload: []byte(s)} }
func first(op frame.Opcode, s string) raw { return raw{opcode: op, payload: []byte(s)} }
func middle(s string) raw                 { return raw{opcode: frame.OpContinuation, payload: []byte(s)} }
func last(s string) raw {
	return raw{flags: frame.FIN, opcode: frame.OpContinuation, payload: []byte(s)}
}
func closing(payload string) raw {
	return raw{flags: frame.FIN, opcode: frame.OpClose, payload: []byte(payload)}
}
func closeCode(code int, reason string) raw {
	return closing(string([]byte{byte(code >> 8), byte(code)}) + reason)
}
func reservedOp(op frame.Opcode, s string) raw {
	return raw{flags: frame.FIN, opcode: op, payload: []byte(s)}
}

// rsv returns f with reserved bits: RSV1 is 4, RSV2 is 2, RSV3 is 1.
func (f raw) rsv(bits int) raw {
	f.flags |= frame.Flags(bits << 4)
	return f
}

// unfinished returns f without FIN.
func (f raw) unfinished() raw {
	f.flags &^= frame.FIN
	return f
}

// inverse returns f masked if it had to be unmasked, and the other way round.
func (f raw) inverse() raw {
	f.unlike = true
	return f
}

// lengthIn returns f with a length of 16 or 64 bits.
func (f raw) lengthIn(bits int) raw {
	f.form = bits
	return f
}

// declare returns f with another length in its header, of 64 bits.
func (f raw) declare(length uint64) raw {
	f.form, f.declared = 64, length
	return f
}

// masked returns f with a key that is not random.
func (f raw) masked(key mask.Key) raw {
	f.key = &key
	return f
}

// length is the length in the header.
func (f raw) length() uint64 {
	if f.declared != 0 {
		return f.declared
	}
	return uint64(len(f.payload))
}

// append encodes the frame as role sends it.
func (f raw) append(dst []byte, role frame.Role, keys *mask.Keys) []byte {
	length := f.length()
	form := f.form
	if form == 0 {
		switch {
		case length <= 125:
			form = 7
		case length <= math.MaxUint16:
			form = 16
		default:
			form = 64
		}
	}
	var bit byte
	masked := (role == frame.Client) != f.unlike
	if masked {
		bit = 0x80
	}
	dst = append(dst, byte(f.flags)&0xf0|byte(f.opcode))
	switch form {
	case 7:
		dst = append(dst, bit|byte(length))
	case 16:
		dst = binary.BigEndian.AppendUint16(append(dst, bit|126), uint16(length))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, bit|127), length)
	}
	if !masked {
		return append(dst, f.payload...)
	}
	key := keys.Next()
	if f.key != nil {
		key = *f.key
	}
	dst = binary.LittleEndian.AppendUint32(dst, uint32(key))
	at := len(dst)
	dst = append(dst, f.payload...)
	mask.Apply(dst[at:], key)
	return dst
}
