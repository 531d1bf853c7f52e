package frame_test

import (
	"testing"

	"example.org/rfc6455/frame"
)

// TestSequence walks all sequences of up to five frames. Whether a frame is
// allowed follows from the data frames before it that were.
func TestSequence(t *testing.T) {
	const fin = frame.FIN
	headers := []frame.Header{
		{Opcode: frame.OpText},
		{Opcode: frame.OpText, Flags: fin},
		{Opcode: frame.OpBinary},
		{Opcode: frame.OpBinary, Flags: fin},
		{Opcode: frame.OpContinuation},
		{Opcode: frame.OpContinuation, Flags: fin},
		{Opcode: frame.OpClose, Flags: fin},
		{Opcode: frame.OpPing, Flags: fin},
		{Opcode: frame.OpPong, Flags: fin},
	}
	var walk func(s frame.Sequence, accepted []frame.Header, depth int)
	walk = func(s frame.Sequence, accepted []frame.Header, depth int) {
		open, opcode := false, frame.OpContinuation
		for _, h := range accepted {
			switch h.Opcode {
			case frame.OpText, frame.OpBinary:
				opcode = h.Opcode
				fallthrough
			case frame.OpContinuation:
				open = h.Flags&fin == 0
			}
		}
		if s.Open() != open || s.Opcode() != opcode {
			t.Fatalf("after %v: Open() = %t, Opcode() = %v; want %t, %v", accepted, s.Open(), s.Opcode(), open, opcode)
		}
		if depth == 0 {
			return
		}
		for _, h := range headers {
			var want error
			switch {
			case h.Opcode == frame.OpContinuation && !open:
				want = frame.ErrUnexpectedContinuation
			case (h.Opcode == frame.OpText || h.Opcode == frame.OpBinary) && open:
				want = frame.ErrExpectedContinuation
			}
			next := s
			if err := next.Next(h); err != want {
				t.Fatalf("after %v: Next(%v) = %v, want %v", accepted, h, err, want)
			}
			if want != nil {
				if next != s {
					t.Fatalf("after %v: Next(%v) failed and changed %v to %v", accepted, h, s, next)
				}
				continue
			}
			walk(next, append(accepted, h), depth-1)
		}
	}
	walk(frame.Sequence{}, nil, 5)
}
