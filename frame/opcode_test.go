package frame_test

import (
	"testing"

	"example.org/rfc6455/frame"
)

func TestRoleString(t *testing.T) {
	for role, want := range map[frame.Role]string{frame.Server: "server", frame.Client: "client", 2: "role 2"} {
		if got := role.String(); got != want {
			t.Errorf("Role(%d).String() = %q, want %q", uint8(role), got, want)
		}
	}
}

// TestOpcode goes through the table of RFC 6455, Section 5.2.
func TestOpcode(t *testing.T) {
	const (
		control  = 1
		reserved = 2
	)
	for op, want := range map[frame.Opcode]struct {
		text string
		kind int
	}{
		0:   {"continuation", 0},
		1:   {"text", 0},
		2:   {"binary", 0},
		3:   {"opcode 3", reserved},
		4:   {"opcode 4", reserved},
		5:   {"opcode 5", reserved},
		6:   {"opcode 6", reserved},
		7:   {"opcode 7", reserved},
		8:   {"close", control},
		9:   {"ping", control},
		10:  {"pong", control},
		11:  {"opcode 11", control | reserved},
		12:  {"opcode 12", control | reserved},
		13:  {"opcode 13", control | reserved},
		14:  {"opcode 14", control | reserved},
		15:  {"opcode 15", control | reserved},
		16:  {"opcode 16", reserved},
		255: {"opcode 255", control | reserved},
	} {
		if got := op.String(); got != want.text {
			t.Errorf("Opcode(%d).String() = %q, want %q", uint8(op), got, want.text)
		}
		if got := op.IsControl(); got != (want.kind&control != 0) {
			t.Errorf("Opcode(%d).IsControl() = %t", uint8(op), got)
		}
		if got := op.IsReserved(); got != (want.kind&reserved != 0) {
			t.Errorf("Opcode(%d).IsReserved() = %t", uint8(op), got)
		}
	}
}

func TestFlags(t *testing.T) {
	for f, want := range map[frame.Flags]string{
		0:                       "0",
		frame.FIN:               "FIN",
		frame.MASK:              "MASK",
		frame.FIN | frame.MASK:  "FIN|MASK",
		0xf1:                    "FIN|RSV1|RSV2|RSV3|MASK",
		0x0e:                    "0xe",
		frame.RSV1 | 0x02:       "RSV1|0x2",
		frame.RSV2 | frame.RSV3: "RSV2|RSV3",
	} {
		if got := f.String(); got != want {
			t.Errorf("Flags(%#x).String() = %q, want %q", uint8(f), got, want)
		}
	}
	const f = frame.FIN | frame.MASK
	for g, want := range map[frame.Flags]bool{
		0: true, frame.FIN: true, f: true, frame.RSV1: false, frame.FIN | frame.RSV1: false,
	} {
		if got := f.Has(g); got != want {
			t.Errorf("(%v).Has(%v) = %t", f, g, got)
		}
	}
}
