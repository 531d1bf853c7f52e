package frame

// A Sequence checks what a frame may be after the frames before it (RFC 6455,
// Section 5.4). The zero value is ready for the first frame of a connection.
type Sequence struct {
	opcode Opcode // of the message begun last
	open   bool   // whether it lacks its last fragment
}

// Next takes the header of the next frame, which has passed [Header.Validate].
// Control frames may stand anywhere and change nothing.
//
// The error is [ErrUnexpectedContinuation] or [ErrExpectedContinuation]; then
// the sequence is as it was before.
func (s *Sequence) Next(h Header) error {
	if h.Opcode.IsControl() {
		return nil
	}
	if (h.Opcode == OpContinuation) != s.open {
		if s.open {
			return ErrExpectedContinuation
		}
		return ErrUnexpectedContinuation
	}
	if !s.open {
		s.opcode = h.Opcode
	}
	s.open = !h.Flags.Has(FIN)
	return nil
}

// Opcode returns the opcode of the message to which the last data frame
// belongs, [OpText] or [OpBinary]. Before the first it is [OpContinuation].
func (s *Sequence) Opcode() Opcode { return s.opcode }

// Open reports whether a message was begun that lacks its last fragment.
func (s *Sequence) Open() bool { return s.open }
