package script

import "encoding/binary"

// A Frame is a frame as it is on the wire, whatever the rules say about it
// (RFC 6455, Section 5.2).
type Frame struct {
	FIN    bool
	RSV    byte // RSV1 to RSV3, as a number of three bits
	Opcode byte // 0 to 15

	Masked bool
	Key    [4]byte

	// Size is how many octets the length takes besides the 7 bits: 0, 2 or 8.
	Size int
	// Length is the length that the header tells.
	Length uint64

	// Payload is unmasked, and shorter than Length if the octets end before.
	Payload []byte
}

// HeaderSize returns how many octets the header takes.
func (f *Frame) HeaderSize() int {
	n := 2 + f.Size
	if f.Masked {
		n += 4
	}
	return n
}

// Minimal reports whether Length could not be encoded in fewer octets.
func (f *Frame) Minimal() bool { return f.Size == minimalSize(f.Length) }

func minimalSize(length uint64) int {
	switch {
	case length < 126:
		return 0
	case length < 1<<16:
		return 2
	}
	return 8
}

// Append appends the frame to b: its header and as much of a payload as there is.
func (f *Frame) Append(b []byte) []byte {
	first := f.RSV<<4 | f.Opcode
	if f.FIN {
		first |= 0x80
	}
	var second byte
	if f.Masked {
		second = 0x80
	}
	switch f.Size {
	case 0:
		b = append(b, first, second|byte(f.Length))
	case 2:
		b = binary.BigEndian.AppendUint16(append(b, first, second|126), uint16(f.Length))
	default:
		b = binary.BigEndian.AppendUint64(append(b, first, second|127), f.Length)
	}
	if f.Masked {
		b = append(b, f.Key[:]...)
	}
	start := len(b)
	b = append(b, f.Payload...)
	f.mask(b[start:])
	return b
}

func (f *Frame) mask(p []byte) {
	if f.Masked {
		for i := range p {
			p[i] ^= f.Key[i%4]
		}
	}
}

// ParseFrame returns the frame at the start of b and how many octets of b it
// takes; n is 0 if the header is not complete. It does not modify b, and the
// payload is a copy.
func ParseFrame(b []byte) (f Frame, n int) {
	if len(b) < 2 {
		return Frame{}, 0
	}
	f = Frame{FIN: b[0]&0x80 != 0, RSV: b[0] >> 4 & 7, Opcode: b[0] & 15, Masked: b[1]&0x80 != 0}
	f.Length = uint64(b[1] & 0x7f)
	switch f.Length {
	case 126:
		f.Size = 2
	case 127:
		f.Size = 8
	}
	n = f.HeaderSize()
	if len(b) < n {
		return Frame{}, 0
	}
	switch f.Size {
	case 2:
		f.Length = uint64(binary.BigEndian.Uint16(b[2:]))
	case 8:
		f.Length = binary.BigEndian.Uint64(b[2:])
	}
	if f.Masked {
		f.Key = [4]byte(b[n-4:])
	}
	rest := b[n:]
	rest = rest[:min(f.Length, uint64(len(rest)))]
	f.Payload = append([]byte(nil), rest...)
	f.mask(f.Payload)
	return f, n + len(rest)
}
