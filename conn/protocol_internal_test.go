package conn

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/frame"
)

// newProtocol returns the protocol of a role with a small limit.
func newProtocol(role frame.Role) *protocol {
	p := &protocol{}
	p.frames.Role = role
	p.limits = limits{maxSize: 1 << 10}
	return p
}

// events gives octets to p, in pieces that end at the offsets cuts, and returns
// what they mean. Pieces of a message in progress are put together, as they may
// come in any number.
func events(p *protocol, octets []byte, cuts ...int) (all []string, err error) {
	var message []byte
	opened := false
	var left []byte
	start := 0
	for _, end := range append(slices.Clone(cuts), len(octets)) {
		b := append(left, octets[start:end]...)
		start = end
		for {
			var ev event
			n, err := p.next(b, &ev)
			b = b[n:]
			if err != nil {
				return all, err // how much of a message came before is a matter of the cuts
			}
			switch ev.kind {
			case eventNone:
			case eventData:
				if ev.begin == opened {
					return append(all, fmt.Sprintf("begin = %v inside a message: %v", ev.begin, opened)), nil
				}
				message, opened = append(message, ev.payload...), !ev.end
				if ev.end {
					all = append(all, fmt.Sprintf("%v %x", ev.opcode, message))
					message = nil
				}
			case eventPing:
				all = append(all, fmt.Sprintf("ping %x", ev.payload))
			case eventPong:
				all = append(all, fmt.Sprintf("pong %x", ev.payload))
			case eventClose:
				all = append(all, fmt.Sprintf("close %d %x", ev.code, ev.payload))
				return all, nil
			}
			if ev.kind == eventNone {
				break
			}
		}
		left = bytes.Clone(b)
	}
	if opened {
		all = append(all, fmt.Sprintf("part %x", message))
	}
	return all, nil
}

// encodeFrames returns the octets of frames as a role sends them.
func encodeFrames(t testing.TB, sender frame.Role, frames []frame.Header, payloads []string) []byte {
	t.Helper()
	var b []byte
	for i, h := range frames {
		if sender == frame.Client {
			h.Flags |= frame.MASK
			h.Key = 0x3d21fa37
		}
		var err error
		if b, err = frame.AppendFrame(b, h, []byte(payloads[i])); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// Every way to cut a conversation into three gives the same events.
func TestProtocolCuts(t *testing.T) {
	h := func(flags frame.Flags, op frame.Opcode) frame.Header { return frame.Header{Flags: flags, Opcode: op} }
	tests := []struct {
		name     string
		frames   []frame.Header
		payloads []string
		want     []string
		err      error
	}{
		{
			name: "conversation",
			frames: []frame.Header{h(frame.FIN, frame.OpText), h(0, frame.OpBinary), h(frame.FIN, frame.OpPing), h(0, frame.OpContinuation),
				h(frame.FIN, frame.OpPong), h(frame.FIN, frame.OpContinuation), h(frame.FIN, frame.OpClose), h(frame.FIN, frame.OpText)},
			payloads: []string{"é", "\xff", "ping", "", "", "\xfe", "\x03\xe8bye", "late"},
			want:     []string{"text c3a9", "ping 70696e67", "pong ", "binary fffe", "close 1000 627965"},
		},
		{
			name:     "16-bit length",
			frames:   []frame.Header{h(frame.FIN, frame.OpText)},
			payloads: []string{strings.Repeat("é", 64)},
			want:     []string{"text " + strings.Repeat("c3a9", 64)},
		},
		{
			name:     "text that is none",
			frames:   []frame.Header{h(0, frame.OpText), h(frame.FIN, frame.OpPing), h(frame.FIN, frame.OpContinuation)},
			payloads: []string{"a\xe2", "", "\x82\x28"},
			want:     []string{"ping "},
			err:      frame.ErrInvalidUTF8,
		},
		{
			name:     "reserved opcode",
			frames:   []frame.Header{h(frame.FIN, frame.OpText), h(frame.FIN, 3)},
			payloads: []string{"a", "b"},
			want:     []string{"text 61"},
			err:      frame.ErrReservedOpcode,
		},
		{
			name:     "too big",
			frames:   []frame.Header{h(0, frame.OpBinary), h(0, frame.OpContinuation)},
			payloads: []string{"a", strings.Repeat("b", 1<<10)},
			err:      ErrMessageTooBig,
		},
		{
			name:     "close code",
			frames:   []frame.Header{h(frame.FIN, frame.OpClose)},
			payloads: []string{"\x03\xec"},
			err:      frame.ErrCloseCode,
		},
		{
			name:     "part",
			frames:   []frame.Header{h(0, frame.OpText), h(0, frame.OpContinuation)},
			payloads: []string{"a", "b"},
			want:     []string{"part 6162"},
		},
	}
	for _, tt := range tests {
		for _, role := range []frame.Role{frame.Server, frame.Client} {
			t.Run(tt.name+"/"+role.String(), func(t *testing.T) {
				octets := encodeFrames(t, role^frame.Client, tt.frames, tt.payloads)
				last := min(len(octets), 200)
				for i := range last + 1 {
					for j := i; j <= last; j++ {
						got, err := events(newProtocol(role), octets, i, j)
						if diff := cmp.Diff(tt.want, got); diff != "" || err != tt.err {
							t.Fatalf("cut at %d and %d: error %v, want %v; events mismatch (-want +got):\n%s", i, j, err, tt.err, diff)
						}
					}
				}
			})
		}
	}
}

// Lengths that are over a limit, or none at all, cost no memory.
func TestProtocolAllocs(t *testing.T) {
	for _, head := range []string{"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", "\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", "\x82\x7f\x00\x00\x00\x01\x00\x00\x00\x00"} {
		octets := []byte(head)
		var p protocol
		n := testing.AllocsPerRun(100, func() {
			p = protocol{}
			p.frames.Role = frame.Client
			p.limits = limits{maxSize: 1 << 20}
			var ev event
			if _, err := p.next(octets, &ev); err == nil {
				t.Fatalf("%x: no error", head)
			}
		})
		if n != 0 {
			t.Errorf("%x: %v allocations", head, n)
		}
	}
}

// isDocumented reports whether err is one of those that protocol.next returns.
func isDocumented(err error) bool {
	_, ofFrame := errors.AsType[*frame.Error](err)
	_, ofConn := errors.AsType[*Error](err)
	return ofFrame || ofConn
}

// FuzzProtocol: however octets are cut, they mean the same, up to the same error,
// and nothing but a documented error comes out.
func FuzzProtocol(f *testing.F) {
	f.Add([]byte("\x81\x05Hello"), true, uint64(1))
	f.Add([]byte("\x01\x03Hel\x89\x02hi\x80\x02lo\x88\x02\x03\xe8"), true, uint64(2))
	f.Add([]byte("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x89\x80\x00\x00\x00\x00"), false, uint64(3))
	f.Add([]byte("\x82\x7e\x00\x7e"+strings.Repeat("*", 126)), true, uint64(4))
	f.Add([]byte("\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00"), true, uint64(5))
	f.Add([]byte("\x81\x04\xf0\x9f\x90\xb1\x01\x02\xe2\x82\x80\x01\x28"), true, uint64(6))
	f.Fuzz(func(t *testing.T, octets []byte, client bool, seed uint64) {
		role := frame.Server
		if client {
			role = frame.Client
		}
		whole, wholeErr := events(newProtocol(role), octets)
		if wholeErr != nil && !isDocumented(wholeErr) {
			t.Fatalf("error = %v", wholeErr)
		}
		rng := rand.New(rand.NewPCG(seed, 0))
		var cuts []int
		for at := rng.IntN(8); at < len(octets); at += rng.IntN(8) {
			cuts = append(cuts, at)
		}
		cutUp, cutErr := events(newProtocol(role), octets, cuts...)
		if diff := cmp.Diff(whole, cutUp); diff != "" || wholeErr != cutErr {
			t.Fatalf("cut at %v: error %v, at once %v; events mismatch (-at once +cut):\n%s", cuts, cutErr, wholeErr, diff)
		}
	})
}
