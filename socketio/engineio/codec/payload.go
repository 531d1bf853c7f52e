package codec

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// Separator stands between the packets of a payload of revision 4. A text packet
// that contains it cannot be sent in one.
const Separator = 0x1e

// AppendPayload appends packets as the text of a polling request or response, and
// returns the extended slice; dst may be nil. Binary packets are encoded in base64.
// It does not retain the packets' data.
//
// In revision 4 there must be at least one packet, and none may contain
// [Separator].
func AppendPayload(dst []byte, r Revision, ps ...Packet) []byte {
	if r == V3 {
		return appendPayload3(dst, ps)
	}
	for i, p := range ps {
		if i > 0 {
			dst = append(dst, Separator)
		}
		dst = AppendText(dst, r, p)
	}
	return dst
}

// appendPayload3 appends packets, each with its length before it.
func appendPayload3(dst []byte, ps []Packet) []byte {
	if len(ps) == 0 {
		return append(dst, "0:"...)
	}
	for _, p := range ps {
		n := 1 + utf16Length(p.Data)
		if p.Binary {
			n = 2 + standard.EncodedLen(len(p.Data))
		}
		dst = strconv.AppendInt(dst, int64(n), 10)
		dst = append(dst, ':')
		dst = AppendText(dst, V3, p)
	}
	return dst
}

// utf16Length returns how many code units UTF-8 becomes in UTF-16, which is how
// JavaScript counts.
func utf16Length(p []byte) int {
	n := 0
	for _, c := range p {
		switch {
		case c >= 0xf0: // begins a rune beyond U+FFFF, which is a pair of units
			n += 2
		case c < 0x80 || c >= 0xc0:
			n++
		}
	}
	return n
}

// ParsePayload decodes the text of a polling request or response, which holds no more
// packets than most. Base64 is decoded in place: it modifies b, and the packets refer to b.
//
// The error is [ErrUTF8], [ErrEmpty], [ErrLength] in revision 3, [ErrType],
// [ErrBase64] or [ErrTooManyPackets].
func ParsePayload(r Revision, b []byte, most int) ([]Packet, error) {
	switch {
	case !utf8.Valid(b):
		return nil, ErrUTF8
	case len(b) == 0:
		return nil, ErrEmpty
	case r == V3:
		return parsePayload3(b, most)
	}
	var ps []Packet
	for part := range bytes.SplitSeq(b, []byte{Separator}) {
		var err error
		if ps, err = appendText(ps, r, part, most); err != nil {
			return nil, err
		}
	}
	return ps, nil
}

// appendText decodes a packet and appends it, unless that makes more than most.
func appendText(ps []Packet, r Revision, b []byte, most int) ([]Packet, error) {
	if len(ps) >= most {
		return nil, ErrTooManyPackets
	}
	p, err := ParseText(r, b)
	return append(ps, p), err
}

// parsePayload3 decodes packets with their lengths.
func parsePayload3(b []byte, most int) ([]Packet, error) {
	if string(b) == "0:" {
		return nil, nil
	}
	var ps []Packet
	for len(b) > 0 {
		digits, rest, found := bytes.Cut(b, []byte{':'})
		if !found {
			return nil, ErrLength
		}
		units, ok := parseLength(digits, '0')
		if !ok {
			return nil, ErrLength
		}
		n, ok := utf16Prefix(rest, units)
		if !ok {
			return nil, ErrLength
		}
		var err error
		if ps, err = appendText(ps, V3, rest[:n:n], most); err != nil {
			return nil, err
		}
		b = rest[n:]
	}
	return ps, nil
}

// parseLength decodes a length of at least 1 without leading zeros. The digit zero
// is encoded as the given octet.
func parseLength(digits []byte, zero byte) (n int, ok bool) {
	const maxDigits = 9 // which an int of 32 bits holds
	if len(digits) == 0 || len(digits) > maxDigits || digits[0] == zero {
		return 0, false
	}
	for _, d := range digits {
		d -= zero
		if d > 9 {
			return 0, false
		}
		n = 10*n + int(d)
	}
	return n, true
}

// utf16Prefix returns the length of the prefix of b, which is valid UTF-8, that
// becomes so many code units in UTF-16.
func utf16Prefix(b []byte, units int) (n int, ok bool) {
	for n < len(b) && units > 0 {
		c := b[n]
		switch {
		case c < 0x80:
			n++
		case c < 0xe0:
			n += 2
		case c < 0xf0:
			n += 3
		default:
			n += 4
			units--
		}
		units--
	}
	return n, units == 0
}

// The octet before a packet in a binary payload says what it is.
const (
	textPacket   = 0
	binaryPacket = 1
	endOfLength  = 0xff
)

// AppendBinaryPayload appends packets as the binary body of a polling request or
// response of revision 3, and returns the extended slice; dst may be nil. It does not
// retain the packets' data.
func AppendBinaryPayload(dst []byte, ps ...Packet) []byte {
	for _, p := range ps {
		kind := byte(textPacket)
		if p.Binary {
			kind = binaryPacket
		}
		dst = append(dst, kind)
		start := len(dst)
		dst = strconv.AppendInt(dst, int64(1+len(p.Data)), 10)
		for i := range dst[start:] {
			dst[start+i] -= '0'
		}
		dst = append(dst, endOfLength)
		if p.Binary {
			dst = AppendBinary(dst, V3, p)
		} else {
			dst = AppendText(dst, V3, p)
		}
	}
	return dst
}

// ParseBinaryPayload decodes the binary body of a polling request or response of
// revision 3, which holds no more packets than most. They refer to b.
//
// The error is [ErrEmpty], [ErrLength], [ErrUTF8], [ErrType] or
// [ErrTooManyPackets].
func ParseBinaryPayload(b []byte, most int) ([]Packet, error) {
	if len(b) == 0 {
		return nil, ErrEmpty
	}
	var ps []Packet
	for len(b) > 0 {
		kind := b[0]
		digits, rest, found := bytes.Cut(b[1:], []byte{endOfLength})
		if !found {
			return nil, ErrLength
		}
		n, ok := parseLength(digits, 0)
		if !ok || n > len(rest) {
			return nil, ErrLength
		}
		if len(ps) >= most {
			return nil, ErrTooManyPackets
		}
		p, err := parseKind(kind, rest[:n:n])
		if err != nil {
			return nil, err
		}
		ps = append(ps, p)
		b = rest[n:]
	}
	return ps, nil
}

// parseKind decodes a packet of a binary payload.
func parseKind(kind byte, b []byte) (Packet, error) {
	switch {
	case kind == binaryPacket:
		return ParseBinary(V3, b)
	case kind != textPacket:
		return Packet{}, ErrType
	case !utf8.Valid(b):
		return Packet{}, ErrUTF8
	case b[0] == 'b': // octets have a form of their own here
		return Packet{}, ErrType
	}
	return ParseText(V3, b)
}
