package frame

// Validate checks what a header may say on its own, in a frame that an endpoint
// in the role receiver has received (RFC 6455, Sections 5.1, 5.2 and 5.5).
//
// ext holds the reserved bits that the negotiated extensions define. RSV1 is
// that of RFC 7692: even when defined it may stand on the first frame of a
// message only, not on control frames and continuations (Section 6 there).
//
// The error is one of [ErrReservedBits], [ErrReservedOpcode],
// [ErrControlFragmented], [ErrControlTooLong], [ErrMaskRequired] and
// [ErrMaskForbidden]; of several the first of this list.
func (h Header) Validate(receiver Role, ext Flags) error {
	if h.Opcode <= OpBinary && h.Flags&^FIN == MASK&^Flags(receiver) {
		return nil // as nearly all frames; this much can be inlined
	}
	return h.validate(receiver, ext)
}

// validate applies the rules one by one. What a client receives is not masked,
// and MASK is that bit of a Role that makes it a client.
func (h Header) validate(receiver Role, ext Flags) error {
	switch bits, control := h.Flags&rsv, h.Opcode.IsControl(); {
	case bits&^ext != 0, bits.Has(RSV1) && h.Opcode != OpText && h.Opcode != OpBinary:
		return ErrReservedBits
	case h.Opcode.IsReserved():
		return ErrReservedOpcode
	case control && !h.Flags.Has(FIN):
		return ErrControlFragmented
	case control && h.Length > MaxControlPayload:
		return ErrControlTooLong
	case h.Flags&MASK == MASK&^Flags(receiver):
		return nil
	case h.Flags.Has(MASK):
		return ErrMaskForbidden
	default:
		return ErrMaskRequired
	}
}
