package frame_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/frame"
)

// TestDecoderPieces shows piece by piece what comes of octets that arrive in
// awkward parts.
func TestDecoderPieces(t *testing.T) {
	type piece struct {
		Payload     string
		Offset      int64
		First, Last bool
		Remaining   int64
		Opcode      frame.Opcode
		Open        bool
	}
	d := &frame.Decoder{Role: frame.Server}
	var got []piece
	var window []byte
	for _, chunk := range []string{
		"018537", "fa213d", "7f", "", "9f4d5158", // text without FIN, "Hello"
		"8980 00000000",                             // ping
		"8083 37fa213d", "5688", "42 8880 00000000", // "ar", "c"; Close
	} {
		window = append(window, unhex(t, chunk)...)
		for {
			var p frame.Piece
			n, err := d.Next(window, &p)
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				break
			}
			window = window[n:]
			got = append(got, piece{string(p.Payload), p.Offset, p.First(), p.Last(), d.Remaining(), d.Opcode(), d.Open()})
		}
	}
	want := []piece{
		{"", 0, true, false, 5, frame.OpText, true},
		{"H", 0, false, false, 4, frame.OpText, true},
		{"ello", 1, false, true, 0, frame.OpText, true},
		{"", 0, true, true, 0, frame.OpText, true}, // the ping does not change the message
		{"", 0, true, false, 3, frame.OpText, false},
		{"ar", 0, false, false, 1, frame.OpText, false},
		{"c", 2, false, true, 0, frame.OpText, false},
		{"", 0, true, true, 0, frame.OpText, false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pieces mismatch (-want +got):\n%s", diff)
	}
}

// TestDecoderPayloadInPlace: a payload is a part of b, which is not written
// beyond it, also by an append to the payload.
func TestDecoderPayloadInPlace(t *testing.T) {
	b := unhex(t, "818537fa213d 7f9f4d5158 818537fa213d 7f9f4d5158")
	behind := bytes.Clone(b[11:])
	d := &frame.Decoder{Role: frame.Server}
	var p frame.Piece
	n, err := d.Next(b, &p)
	if err != nil || n != 11 || string(p.Payload) != "Hello" || &p.Payload[0] != &b[6] {
		t.Fatalf("Next = %+v, %d, %v", p, n, err)
	}
	_ = append(p.Payload, "!!!!"...)
	if !bytes.Equal(b[11:], behind) {
		t.Errorf("octets behind the frame became %x, were %x", b[11:], behind)
	}

	n, err = d.Next(b[11:19], &p) // the payload to come has room in b
	if err != nil || n != 8 || string(p.Payload) != "He" {
		t.Fatalf("Next = %+v, %d, %v", p, n, err)
	}
	_ = append(p.Payload, "!!!!"...)
	if !bytes.Equal(b[19:], behind[8:]) {
		t.Errorf("octets behind the piece became %x, were %x", b[19:], behind[8:])
	}
}

// TestDecoderTolerateNonMinimal (F4): the option is for data frames; what it
// lets through is judged by the other rules.
func TestDecoderTolerateNonMinimal(t *testing.T) {
	for _, tt := range []struct {
		name   string
		wire   string
		frames []string
		err    error
	}{
		{"text in 16 bits", "817e0005 48656c6c6f", []string{"FIN text 5 48656c6c6f"}, nil},
		{"binary in 64 bits", "827f0000000000000002 0102 8900", []string{"FIN binary 2 0102", "FIN ping 0"}, nil},
		{"continuation in 16 bits", "0100 807e0000", []string{"0 text 0", "FIN continuation 0"}, nil},
		{"ping in 16 bits", "897e0000", nil, frame.ErrLengthNotMinimal},
		{"Close in 64 bits", "887f0000000000000000", nil, frame.ErrLengthNotMinimal},
		{"reserved control frame", "8b7e0000", nil, frame.ErrLengthNotMinimal},
		{"reserved opcode", "837e0000", nil, frame.ErrReservedOpcode},
		{"masked", "81fe0000 00000000", nil, frame.ErrMaskForbidden},
		{"overflow", "827f8000000000000000", nil, frame.ErrLengthOverflow},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wire := unhex(t, tt.wire)
			for i := range wire {
				d := &frame.Decoder{Role: frame.Client, TolerateNonMinimal: true}
				got, _, err := receive(t, d, [][]byte{wire[:i:i], wire[i:]})
				var lines []string
				for _, r := range got {
					lines = append(lines, r.String())
				}
				if err != tt.err {
					t.Errorf("cut at %d: error %v, want %v", i, err, tt.err)
				}
				if diff := cmp.Diff(tt.frames, lines); diff != "" {
					t.Errorf("cut at %d: frames mismatch (-want +got):\n%s", i, diff)
				}
			}
		})
	}
}

// TestDecoderCoalesced (F14): a thousand frames in one segment come out one by
// one.
func TestDecoderCoalesced(t *testing.T) {
	for _, role := range []frame.Role{frame.Server, frame.Client} {
		var wire []byte
		for i := range 1000 {
			h := frame.Header{Flags: frame.FIN, Opcode: frame.OpText, Key: 0x3d21fa37}
			if role == frame.Server {
				h.Flags |= frame.MASK
			}
			wire, _ = frame.AppendFrame(wire, h, fmt.Append(nil, i))
		}
		got, at, err := receive(t, &frame.Decoder{Role: role}, [][]byte{wire})
		if len(got) != 1000 || at != len(wire) || err != nil {
			t.Fatalf("%v: %d frames in %d octets of %d, %v", role, len(got), at, len(wire), err)
		}
		for i, r := range got {
			if want := fmt.Sprint(i); string(r.Payload) != want {
				t.Errorf("%v: frame %d has the payload %q", role, i, r.Payload)
			}
		}
	}
}

// TestDecoderPing (F18): payloads of all lengths come out as they are.
func TestDecoderPing(t *testing.T) {
	for n := range frame.MaxControlPayload + 1 {
		payload := bytes.Repeat([]byte{0xfe}, n)
		wire, _ := frame.AppendFrame(nil, frame.Header{Flags: frame.FIN | frame.MASK, Opcode: frame.OpPing, Key: 0x3d21fa37}, payload)
		got, _, err := receive(t, &frame.Decoder{Role: frame.Server}, each(wire, 7))
		if len(got) != 1 || !bytes.Equal(got[0].Payload, payload) || err != nil {
			t.Errorf("ping of %d octets: %v, %v", n, got, err)
		}
	}
}

// FuzzDecoder: cuts at random give what one call gives, and only documented
// errors come out. The first octets say who receives, with which options.
func FuzzDecoder(f *testing.F) {
	for _, v := range readVectors(f) {
		if len(v.wire) < 1000 {
			f.Add(uint8(v.role), uint8(v.ext), v.wire, []byte{1, 2, 3})
		}
	}
	f.Fuzz(func(t *testing.T, role, ext uint8, wire, cuts []byte) {
		decoder := func() *frame.Decoder {
			return &frame.Decoder{Role: frame.Role(role & 1), Extensions: frame.Flags(ext & 0x70), TolerateNonMinimal: ext&1 != 0}
		}
		want, wantAt, wantErr := receive(t, decoder(), [][]byte{wire})
		if _, ok := wantErr.(*frame.Error); wantErr != nil && !ok {
			t.Fatalf("error %v", wantErr)
		}
		var chunks [][]byte
		rest := wire
		for _, c := range cuts {
			n := min(int(c), len(rest))
			chunks, rest = append(chunks, rest[:n:n]), rest[n:]
		}
		for _, chunks := range [][][]byte{append(chunks, rest), each(wire, 1)} {
			got, at, err := receive(t, decoder(), chunks)
			if at != wantAt || err != wantErr {
				t.Errorf("in pieces: error %v after %d octets; at once %v after %d", err, at, wantErr, wantAt)
			}
			if diff := cmp.Diff(lines(want), lines(got)); diff != "" {
				t.Errorf("frames mismatch (-at once +in pieces):\n%s", diff)
			}
		}
	})
}

func lines(frames []received) string {
	var b strings.Builder
	for _, r := range frames {
		fmt.Fprintln(&b, r)
	}
	return b.String()
}

func TestDecoderAllocs(t *testing.T) {
	plain := unhex(t, "818537fa213d 7f9f4d5158")
	bad := unhex(t, "8100")
	b := make([]byte, len(plain))
	for name, f := range map[string]func(){
		"Next": func() {
			d := frame.Decoder{Role: frame.Server}
			var p frame.Piece
			copy(b, plain)
			if n, err := d.Next(b[:8], &p); n != 8 || err != nil {
				t.Error(n, err)
			}
			if n, err := d.Next(b[8:], &p); n != 3 || err != nil {
				t.Error(n, err)
			}
		},
		"Next with an error": func() {
			d := frame.Decoder{Role: frame.Server}
			var p frame.Piece
			if _, err := d.Next(bad, &p); err != frame.ErrMaskRequired {
				t.Error(err)
			}
		},
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times, want 0", name, n)
		}
	}
}

// BenchmarkDecoder decodes a read buffer's worth of frames with a payload of
// size octets each; a time is that of one frame.
func BenchmarkDecoder(b *testing.B) {
	for _, role := range []frame.Role{frame.Server, frame.Client} {
		for _, size := range []int{16, 125, 1 << 10, 16 << 10} {
			b.Run(fmt.Sprintf("receiver=%v/size=%d", role, size), func(b *testing.B) {
				h := frame.Header{Flags: frame.FIN, Opcode: frame.OpBinary, Key: 0x3d21fa37}
				if role == frame.Server {
					h.Flags |= frame.MASK
				}
				var wire []byte
				for len(wire) < 16<<10 {
					var err error
					if wire, err = frame.AppendFrame(wire, h, make([]byte, size)); err != nil {
						b.Fatal(err)
					}
				}
				d := frame.Decoder{Role: role}
				window := wire
				var p frame.Piece
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					n, err := d.Next(window, &p)
					if err != nil || len(p.Payload) != size {
						b.Fatal(n, err)
					}
					if window = window[n:]; len(window) == 0 {
						window = wire
					}
				}
			})
		}
	}
}
