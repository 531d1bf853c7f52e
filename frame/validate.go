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
	if bits := h.Flags & rsv; bits != 0 {
		if bits&^ext != 0 {
			return ErrReservedBits
		}
		if bits.Has(RSV1) && h.Opcode != OpText && h.Opcode != OpBinary {
			return ErrReservedBits
		}
	}
	if h.Opcode.IsReserved() {
		return ErrReservedOpcode
	}
	if h.Opcode.IsControl() {
		if !h.Flags.Has(FIN) {
			return ErrControlFragmented
		}
		if h.Length > MaxControlPayload {
			return ErrControlTooLong
		}
	}
	if h.Flags.Has(MASK) != (receiver != Client) {
		if receiver == Client {
			return ErrMaskForbidden
		}
		return ErrMaskRequired
	}
	return nil
}
