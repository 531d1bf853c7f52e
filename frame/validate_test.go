package frame_test

import (
	"fmt"
	"math"
	"testing"

	"example.org/rfc6455/frame"
)

// TestValidate judges every combination of flags, opcode, role and extension
// bits, with lengths around the limit, by the rules as Section 5 words them.
func TestValidate(t *testing.T) {
	set := func(f, bit frame.Flags) bool { return f&bit != 0 }
	rules := []struct {
		err    error
		broken func(h frame.Header, receiver frame.Role, ext frame.Flags) bool
	}{
		{frame.ErrReservedBits, func(h frame.Header, _ frame.Role, ext frame.Flags) bool {
			for _, bit := range []frame.Flags{frame.RSV1, frame.RSV2, frame.RSV3} {
				if set(h.Flags, bit) && !set(ext, bit) {
					return true
				}
			}
			return set(h.Flags, frame.RSV1) && (h.Opcode == frame.OpContinuation || h.Opcode > frame.OpBinary)
		}},
		{frame.ErrReservedOpcode, func(h frame.Header, _ frame.Role, _ frame.Flags) bool {
			return h.Opcode >= 3 && h.Opcode <= 7 || h.Opcode > 10
		}},
		{frame.ErrControlFragmented, func(h frame.Header, _ frame.Role, _ frame.Flags) bool {
			return h.Opcode >= 8 && !set(h.Flags, frame.FIN)
		}},
		{frame.ErrControlTooLong, func(h frame.Header, _ frame.Role, _ frame.Flags) bool {
			return h.Opcode >= 8 && h.Length > 125
		}},
		{frame.ErrMaskRequired, func(h frame.Header, receiver frame.Role, _ frame.Flags) bool {
			return receiver == frame.Server && !set(h.Flags, frame.MASK)
		}},
		{frame.ErrMaskForbidden, func(h frame.Header, receiver frame.Role, _ frame.Flags) bool {
			return receiver == frame.Client && set(h.Flags, frame.MASK)
		}},
	}
	seen := map[error]int{}
	for bits := range 32 {
		flags := frame.Flags(bits&0x1e<<3 | bits&1)
		for op := range frame.Opcode(17) {
			for _, length := range []int64{0, 125, 126, math.MaxInt64} {
				for _, receiver := range []frame.Role{frame.Server, frame.Client} {
					for _, ext := range []frame.Flags{0, frame.RSV1, frame.RSV2, frame.RSV3, 0x70} {
						h := frame.Header{Flags: flags, Opcode: op, Length: length}
						var want error
						for _, r := range rules {
							if r.broken(h, receiver, ext) {
								want = r.err
								break
							}
						}
						seen[want]++
						if err := h.Validate(receiver, ext); err != want {
							t.Errorf("%+v.Validate(%v, %v) = %v, want %v", h, receiver, ext, err, want)
						}
					}
				}
			}
		}
	}
	if len(seen) != len(rules)+1 {
		t.Errorf("only %d results seen: %v", len(seen), seen)
	}
}

func BenchmarkValidate(b *testing.B) {
	for _, op := range []frame.Opcode{frame.OpText, frame.OpPing} {
		b.Run(fmt.Sprintf("opcode=%v", op), func(b *testing.B) {
			h := frame.Header{Flags: frame.FIN | frame.MASK, Opcode: op, Length: 5}
			b.ReportAllocs()
			for b.Loop() {
				if err := h.Validate(frame.Server, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
