package frame

import "strconv"

// A Role is the side of a connection that an endpoint has taken. The zero
// value is Server.
type Role uint8

// The two roles.
const (
	Server Role = iota // answers the opening handshake; receives masked frames
	Client             // begins the opening handshake; sends masked frames
)

// String returns "server" or "client".
func (r Role) String() string {
	switch r {
	case Server:
		return "server"
	case Client:
		return "client"
	}
	return "role " + strconv.Itoa(int(r))
}

// An Opcode says how to understand a frame's payload (RFC 6455, Section 5.2).
// It has four bits.
type Opcode uint8

// The opcodes of RFC 6455. [Opcode.IsReserved] reports the others.
const (
	OpContinuation Opcode = 0
	OpText         Opcode = 1
	OpBinary       Opcode = 2
	OpClose        Opcode = 8
	OpPing         Opcode = 9
	OpPong         Opcode = 10
)

// maxOpcode is the highest value that fits the four bits of an opcode.
const maxOpcode = 15

// IsControl reports whether op belongs to control frames, reserved ones
// included: its most significant bit is set (RFC 6455, Section 5.5).
func (op Opcode) IsControl() bool { return op&8 != 0 }

// IsReserved reports whether RFC 6455 gives op no meaning: 3 to 7, 11 to 15,
// and all that does not fit four bits.
func (op Opcode) IsReserved() bool {
	const defined = 1<<OpContinuation | 1<<OpText | 1<<OpBinary | 1<<OpClose | 1<<OpPing | 1<<OpPong
	return op > maxOpcode || defined>>op&1 == 0
}

// String returns the RFC's word for op, such as "text", or "opcode 3" for one
// that has none.
func (op Opcode) String() string {
	switch op {
	case OpContinuation:
		return "continuation"
	case OpText:
		return "text"
	case OpBinary:
		return "binary"
	case OpClose:
		return "close"
	case OpPing:
		return "ping"
	case OpPong:
		return "pong"
	}
	return "opcode " + strconv.Itoa(int(op))
}

// Flags are the bits of a header (RFC 6455, Section 5.2). FIN and the reserved
// bits have the places they have in the first octet of a frame.
type Flags uint8

// The bits of [Flags].
const (
	FIN  Flags = 0x80 // the last fragment of a message
	RSV1 Flags = 0x40 // for extensions; "compressed" in RFC 7692
	RSV2 Flags = 0x20 // for extensions
	RSV3 Flags = 0x10 // for extensions
	MASK Flags = 0x01 // the payload is masked
)

const (
	rsv      = RSV1 | RSV2 | RSV3
	allFlags = FIN | rsv | MASK
)

// Has reports whether all bits of g are set in f.
func (f Flags) Has(g Flags) bool { return f&g == g }

// String returns the names of the bits that are set, such as "FIN|MASK", or
// "0".
func (f Flags) String() string {
	if f == 0 {
		return "0"
	}
	var b []byte
	for _, bit := range [...]struct {
		flag Flags
		name string
	}{{FIN, "FIN"}, {RSV1, "RSV1"}, {RSV2, "RSV2"}, {RSV3, "RSV3"}, {MASK, "MASK"}} {
		if f.Has(bit.flag) {
			b = append(append(b, '|'), bit.name...)
		}
	}
	if rest := f &^ allFlags; rest != 0 {
		b = strconv.AppendUint(append(b, "|0x"...), uint64(rest), 16)
	}
	return string(b[1:])
}
