package frame

import (
	"slices"

	"example.org/rfc6455/mask"
)

// AppendFrame encodes the frame with header h and the given payload, whose
// length it uses in place of h.Length. If h has MASK the payload is masked with
// h.Key on the way. Whether the frame obeys the rules is not checked: see
// [Header.Validate].
//
// The result is appended to dst; dst may be nil, and its spare capacity must
// not overlap payload. AppendFrame does not retain payload. The error is
// [ErrHeader]; then dst is returned as it was.
func AppendFrame(dst []byte, h Header, payload []byte) ([]byte, error) {
	h.Length = int64(len(payload))
	dst, err := h.AppendBinary(dst)
	if err != nil {
		return dst, err
	}
	if !h.Flags.Has(MASK) {
		return append(dst, payload...), nil
	}
	dst, _ = appendMasked(dst, payload, h.Key)
	return dst, nil
}

// AppendMessage encodes a whole message of opcode h.Opcode in frames of at most
// size octets of payload (RFC 6455, Section 5.4); size <= 0 means one frame. An
// empty message is one empty frame; no other frame is empty.
//
// FIN is set on the last frame and RSV1 may be set on the first (RFC 7692,
// Section 6), the other reserved bits of h are on all. Keys supplies the
// masking keys; a nil keys, a server's, leaves the frames unmasked. The other
// flags, Key and Length of h do not count.
//
// The result is appended to dst; dst may be nil, and its spare capacity must
// not overlap payload. AppendMessage does not retain payload. The error is
// [ErrHeader], if h.Opcode is neither [OpText] nor [OpBinary]; then dst is
// returned as it was.
func AppendMessage(dst []byte, h Header, payload []byte, size int, keys *mask.Keys) ([]byte, error) {
	if h.Opcode != OpText && h.Opcode != OpBinary {
		return dst, ErrHeader
	}
	h.Flags &= rsv
	if keys != nil {
		h.Flags |= MASK
	}
	if size <= 0 {
		size = len(payload)
	}
	for {
		fragment := payload[:min(size, len(payload))]
		payload = payload[len(fragment):]
		if len(payload) == 0 {
			h.Flags |= FIN
		}
		if keys != nil {
			h.Key = keys.Next()
		}
		dst, _ = AppendFrame(dst, h, fragment) // opcode and flags were made valid above
		if len(payload) == 0 {
			return dst, nil
		}
		h.Opcode = OpContinuation
		h.Flags &^= RSV1
	}
}

// Transform encodes a frame that a proxy passes on: from is its header as
// received and payload its payload as received, or the beginning of it; to is
// the header to send, with any other flags, opcode and key. from.Length is used
// in place of to.Length. The payload goes from the masking of from to that of
// to in a single pass, with the XOR of both keys.
//
// The key returned does the same for the octets after payload, by [mask.Apply]
// or [mask.Copy].
//
// The result is appended to dst; dst may be nil, and its spare capacity must
// not overlap payload. Transform does not retain payload. The error is
// [ErrHeader], or [ErrPayload] if payload is longer than from.Length; then dst
// is returned as it was.
func Transform(dst []byte, from Header, payload []byte, to Header) ([]byte, mask.Key, error) {
	if int64(len(payload)) > from.Length {
		return dst, 0, ErrPayload
	}
	to.Length = from.Length
	dst, err := to.AppendBinary(dst)
	if err != nil {
		return dst, 0, err
	}
	var k mask.Key
	if from.Flags.Has(MASK) {
		k ^= from.Key
	}
	if to.Flags.Has(MASK) {
		k ^= to.Key
	}
	dst, k = appendMasked(dst, payload, k)
	return dst, k, nil
}

// appendMasked appends p, masked with k on the way, and returns the key for
// what follows.
func appendMasked(dst, p []byte, k mask.Key) ([]byte, mask.Key) {
	n := len(dst)
	dst = slices.Grow(dst, len(p))[:n+len(p)]
	return dst, mask.Copy(dst[n:], p, k)
}
