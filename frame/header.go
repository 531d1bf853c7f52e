package frame

import (
	"encoding/binary"
	"log/slog"
	"math"

	"example.org/rfc6455/mask"
)

// MaxHeaderSize is the size in octets of the longest header: 2 of flags,
// opcode and short length, 8 of length, 4 of masking key.
const MaxHeaderSize = 14

// MaxControlPayload is the longest payload of a control frame, in octets (RFC
// 6455, Section 5.5).
const MaxControlPayload = 125

// Values of the 7-bit length that announce a longer one.
const (
	len16 = 126 // in the next 2 octets
	len64 = 127 // in the next 8 octets
)

// maskBit stands before the 7-bit length of a masked frame.
const maskBit = 0x80

// A Header is what precedes the payload of a frame (RFC 6455, Section 5.2).
type Header struct {
	Flags  Flags
	Opcode Opcode
	Key    mask.Key // zero and without meaning unless Flags has MASK
	Length int64    // of the payload, in octets; not negative
}

// ParseHeader decodes the header at the start of b (RFC 6455, Section 5.2).
//
// It returns the header and its size n in octets, 2 to [MaxHeaderSize]. As with
// [bufio.SplitFunc], n == 0 and a nil error ask for a longer b; a b of
// [MaxHeaderSize] octets is always long enough.
//
// The error is [ErrLengthNotMinimal] or [ErrLengthOverflow], reported as soon
// as b is long enough to tell. ErrLengthNotMinimal comes with the h and n that
// there would be without it, for callers who tolerate it: n == 0 then asks for
// a longer b as ever.
//
// ParseHeader checks the encoding only: see [Header.Validate] for what a header
// may say. It does not retain b.
func ParseHeader(b []byte) (h Header, n int, err error) {
	if len(b) < 2 {
		return Header{}, 0, nil
	}
	h.Flags = Flags(b[0]&0xf0 | b[1]>>7) // FIN RSV1 RSV2 RSV3 0 0 0 MASK
	h.Opcode = Opcode(b[0] & 0x0f)
	n = 2
	switch length := b[1] & 0x7f; length {
	case len16:
		if len(b) < n+2 {
			return Header{}, 0, nil
		}
		h.Length = int64(binary.BigEndian.Uint16(b[n:]))
		if h.Length < len16 {
			err = ErrLengthNotMinimal
		}
		n += 2
	case len64:
		if len(b) < n+8 {
			return Header{}, 0, partialLen64(b[n:])
		}
		h.Length = int64(binary.BigEndian.Uint64(b[n:]))
		if h.Length < 0 {
			return Header{}, 0, ErrLengthOverflow
		}
		if h.Length <= math.MaxUint16 {
			err = ErrLengthNotMinimal
		}
		n += 8
	default:
		h.Length = int64(length)
	}
	if h.Flags.Has(MASK) {
		if len(b) < n+4 {
			return Header{}, 0, err
		}
		h.Key = mask.Key(binary.LittleEndian.Uint32(b[n:]))
		n += 4
	}
	return h, n, err
}

// partialLen64 returns the error that the first octets of a 64-bit length show.
func partialLen64(b []byte) error {
	if len(b) > 0 && b[0] > 0x7f {
		return ErrLengthOverflow
	}
	if len(b) >= 6 && [6]byte(b) == [6]byte{} {
		return ErrLengthNotMinimal // at most 65535, whatever follows
	}
	return nil
}

// Size returns the number of octets that [Header.AppendBinary] appends, 2 to
// [MaxHeaderSize], provided that h can be encoded.
func (h Header) Size() int {
	n := 2
	switch {
	case h.Length > math.MaxUint16:
		n += 8
	case h.Length >= len16:
		n += 2
	}
	if h.Flags.Has(MASK) {
		n += 4
	}
	return n
}

// AppendBinary encodes h, the length in its shortest form as Section 5.2 asks.
// It implements [encoding.BinaryAppender]. The key counts only if Flags has
// MASK.
//
// The result is appended to b; b may be nil. The error is [ErrHeader]; then b
// is returned as it was.
func (h Header) AppendBinary(b []byte) ([]byte, error) {
	if h.Length < 0 || h.Opcode > maxOpcode || h.Flags&^allFlags != 0 {
		return b, ErrHeader
	}
	// Each of the six forms is appended at once, as it looks for room but once.
	first, n, k := byte(h.Flags&^MASK)|byte(h.Opcode), h.Length, h.Key
	if !h.Flags.Has(MASK) {
		switch {
		case n < len16:
			return append(b, first, byte(n)), nil
		case n <= math.MaxUint16:
			return append(b, first, len16, byte(n>>8), byte(n)), nil
		}
		return append(b, first, len64,
			byte(n>>56), byte(n>>48), byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n)), nil
	}
	switch {
	case n < len16:
		return append(b, first, maskBit|byte(n), byte(k), byte(k>>8), byte(k>>16), byte(k>>24)), nil
	case n <= math.MaxUint16:
		return append(b, first, maskBit|len16, byte(n>>8), byte(n), byte(k), byte(k>>8), byte(k>>16), byte(k>>24)), nil
	}
	return append(b, first, maskBit|len64,
		byte(n>>56), byte(n>>48), byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n),
		byte(k), byte(k>>8), byte(k>>16), byte(k>>24)), nil
}

// LogValue implements [slog.LogValuer]. The masking key is left out.
func (h Header) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("opcode", h.Opcode.String()),
		slog.String("flags", h.Flags.String()),
		slog.Int64("length", h.Length),
	)
}
