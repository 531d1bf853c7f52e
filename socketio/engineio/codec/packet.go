package codec

import (
	"bytes"
	"encoding/base64"
)

// standard is the base64 of binary packets in text.
var standard = base64.StdEncoding.Strict()

// AppendText appends p as a text message of a WebSocket, and returns the extended
// slice; dst may be nil. A binary packet is encoded in base64, for a peer that takes
// no octets. It does not retain p.Data.
func AppendText(dst []byte, r Revision, p Packet) []byte {
	if !p.Binary {
		return append(append(dst, '0'+byte(p.Type)), p.Data...)
	}
	dst = append(dst, 'b')
	if r == V3 {
		dst = append(dst, '0'+byte(p.Type))
	}
	return standard.AppendEncode(dst, p.Data)
}

// AppendBinary appends p, which must be binary, as a binary message of a WebSocket,
// and returns the extended slice; dst may be nil. It does not retain p.Data.
func AppendBinary(dst []byte, r Revision, p Packet) []byte {
	if r == V3 {
		dst = append(dst, byte(p.Type))
	}
	return append(dst, p.Data...)
}

// ParseText decodes a text message of a WebSocket, which must be valid UTF-8. Base64
// is decoded in place: it modifies b, and the result refers to b. The error is
// [ErrType] or [ErrBase64].
func ParseText(r Revision, b []byte) (Packet, error) {
	if len(b) == 0 {
		return Packet{}, ErrType
	}
	if b[0] == 'b' {
		return parseBase64(r, b[1:])
	}
	t := Type(b[0] - '0')
	if t > Noop {
		return Packet{}, ErrType
	}
	return Packet{Type: t, Data: b[1:]}, nil
}

// parseBase64 decodes what follows the b of a binary packet in text.
func parseBase64(r Revision, b []byte) (Packet, error) {
	if r == V3 {
		if len(b) == 0 || b[0] != '0'+byte(Message) {
			return Packet{}, ErrType
		}
		b = b[1:]
	}
	// Decode passes over line breaks.
	if bytes.ContainsAny(b, "\r\n") {
		return Packet{}, ErrBase64
	}
	n, err := standard.Decode(b, b)
	if err != nil {
		return Packet{}, ErrBase64
	}
	return Packet{Type: Message, Binary: true, Data: b[:n]}, nil
}

// ParseBinary decodes a binary message of a WebSocket. The result refers to b. The
// error is [ErrType].
func ParseBinary(r Revision, b []byte) (Packet, error) {
	if r == V3 {
		if len(b) == 0 || b[0] != byte(Message) {
			return Packet{}, ErrType
		}
		b = b[1:]
	}
	return Packet{Type: Message, Binary: true, Data: b}, nil
}
