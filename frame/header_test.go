package frame_test

import (
	"bytes"
	"encoding"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/frame"
)

var _ encoding.BinaryAppender = frame.Header{}

// headers are pairs of a header and its only encoding.
var headers = []struct {
	name string
	wire string
	h    frame.Header
}{
	{"RFC 5.7 text", "8105", frame.Header{Flags: frame.FIN, Opcode: frame.OpText, Length: 5}},
	{"RFC 5.7 masked text", "818537fa213d", frame.Header{Flags: frame.FIN | frame.MASK, Opcode: frame.OpText, Key: 0x3d21fa37, Length: 5}},
	{"RFC 5.7 first fragment", "0103", frame.Header{Opcode: frame.OpText, Length: 3}},
	{"RFC 5.7 last fragment", "8002", frame.Header{Flags: frame.FIN, Length: 2}},
	{"RFC 5.7 ping", "8905", frame.Header{Flags: frame.FIN, Opcode: frame.OpPing, Length: 5}},
	{"RFC 5.7 masked pong", "8a8537fa213d", frame.Header{Flags: frame.FIN | frame.MASK, Opcode: frame.OpPong, Key: 0x3d21fa37, Length: 5}},
	{"RFC 5.7 256 octets", "827e0100", frame.Header{Flags: frame.FIN, Opcode: frame.OpBinary, Length: 256}},
	{"RFC 5.7 64 KiB", "827f0000000000010000", frame.Header{Flags: frame.FIN, Opcode: frame.OpBinary, Length: 65536}},
	{"no flags", "0000", frame.Header{}},
	{"all flags", "ff8001020304", frame.Header{Flags: 0xf1, Opcode: 15, Key: 0x04030201}},
	{"RSV1", "4100", frame.Header{Flags: frame.RSV1, Opcode: frame.OpText}},
	{"RSV2", "2100", frame.Header{Flags: frame.RSV2, Opcode: frame.OpText}},
	{"RSV3", "1100", frame.Header{Flags: frame.RSV3, Opcode: frame.OpText}},
	{"key of zeros", "818000000000", frame.Header{Flags: frame.FIN | frame.MASK, Opcode: frame.OpText}},
	{"125", "827d", frame.Header{Flags: frame.FIN, Opcode: frame.OpBinary, Length: 125}},
	{"126", "827e007e", frame.Header{Flags: frame.FIN, Opcode: frame.OpBinary, Length: 126}},
	{"127", "827e007f", frame.Header{Flags: frame.FIN, Opcode: frame.OpBinary, Length: 127}},
	{"65535", "827effff", frame.Header{Flags: frame.FIN, Opcode: frame.OpBinary, Length: 65535}},
	{"65536 masked", "82ff000000000001000037fa213d", frame.Header{Flags: frame.FIN | frame.MASK, Opcode: frame.OpBinary, Key: 0x3d21fa37, Length: 65536}},
	{"2^63-1", "827f7fffffffffffffff", frame.Header{Flags: frame.FIN, Opcode: frame.OpBinary, Length: math.MaxInt64}},
}

func TestHeader(t *testing.T) {
	for _, tt := range headers {
		t.Run(tt.name, func(t *testing.T) {
			wire := unhex(t, tt.wire)
			for _, behind := range []string{"", "ffffffffffff"} {
				got, n, err := frame.ParseHeader(append(bytes.Clone(wire), unhex(t, behind)...))
				if got != tt.h || n != len(wire) || err != nil {
					t.Errorf("ParseHeader(%s%s) = %+v, %d, %v; want %+v, %d, nil", tt.wire, behind, got, n, err, tt.h, len(wire))
				}
			}
			for i := range wire {
				if got, n, err := frame.ParseHeader(wire[:i]); got != (frame.Header{}) || n != 0 || err != nil {
					t.Errorf("ParseHeader(%x) = %+v, %d, %v; want zeros", wire[:i], got, n, err)
				}
			}
			got, err := tt.h.AppendBinary([]byte{0xaa})
			if hex.EncodeToString(got) != "aa"+tt.wire || err != nil {
				t.Errorf("%+v.AppendBinary(aa) = %x, %v; want aa%s", tt.h, got, err, tt.wire)
			}
			if n := tt.h.Size(); n != len(wire) {
				t.Errorf("%+v.Size() = %d, want %d", tt.h, n, len(wire))
			}
		})
	}
}

// TestParseHeaderErrors: each prefix of wire that already shows the error
// reports it, shorter ones ask for more. A length that is only too long comes
// with the header, once that is complete.
func TestParseHeaderErrors(t *testing.T) {
	text := frame.Header{Flags: frame.FIN, Opcode: frame.OpText}
	masked := frame.Header{Flags: frame.FIN | frame.MASK, Opcode: frame.OpPing, Key: 0x04030201, Length: 5}
	length := func(h frame.Header, n int64) frame.Header { h.Length = n; return h }
	for _, tt := range []struct {
		name  string
		wire  string
		from  int // the shortest prefix that shows the error
		whole frame.Header
		err   error
	}{
		{"0 in 16 bits", "817e0000", 4, text, frame.ErrLengthNotMinimal},
		{"125 in 16 bits", "817e007d", 4, length(text, 125), frame.ErrLengthNotMinimal},
		{"5 in 16 bits masked", "89fe000501020304", 4, masked, frame.ErrLengthNotMinimal},
		{"0 in 64 bits", "817f0000000000000000", 8, text, frame.ErrLengthNotMinimal},
		{"126 in 64 bits", "817f000000000000007e", 8, length(text, 126), frame.ErrLengthNotMinimal},
		{"65535 in 64 bits", "817f000000000000ffff", 8, length(text, 65535), frame.ErrLengthNotMinimal},
		{"5 in 64 bits masked", "89ff000000000000000501020304", 8, masked, frame.ErrLengthNotMinimal},
		{"2^63", "827f8000000000000000", 3, frame.Header{}, frame.ErrLengthOverflow},
		{"2^64-1 masked", "82ffffffffffffffffff01020304", 3, frame.Header{}, frame.ErrLengthOverflow},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wire := unhex(t, tt.wire)
			for i := range wire {
				h, n, err := frame.ParseHeader(wire[:i])
				var want error
				if i >= tt.from {
					want = tt.err
				}
				if n != 0 || err != want {
					t.Errorf("ParseHeader(%x) = _, %d, %v; want 0, %v", wire[:i], n, err, want)
				}
				if h != (frame.Header{}) {
					t.Errorf("ParseHeader(%x) = %+v, want zeros", wire[:i], h)
				}
			}
			wantN := len(wire)
			if tt.err == frame.ErrLengthOverflow {
				wantN = 0
			}
			h, n, err := frame.ParseHeader(wire)
			if h != tt.whole || n != wantN || err != tt.err {
				t.Errorf("ParseHeader(%x) = %+v, %d, %v; want %+v, %d, %v", wire, h, n, err, tt.whole, wantN, tt.err)
			}
		})
	}
}

func TestAppendBinaryErrors(t *testing.T) {
	for _, h := range []frame.Header{
		{Length: -1},
		{Length: math.MinInt64},
		{Opcode: 16},
		{Opcode: 255},
		{Flags: 0x02},
		{Flags: frame.FIN | 0x08},
	} {
		if got, err := h.AppendBinary([]byte("a")); string(got) != "a" || err != frame.ErrHeader {
			t.Errorf("%+v.AppendBinary(a) = %q, %v; want a, %v", h, got, err, frame.ErrHeader)
		}
	}
	// A key without MASK is not encoded.
	if got, err := (frame.Header{Opcode: frame.OpText, Key: 7}).AppendBinary(nil); !bytes.Equal(got, []byte{1, 0}) || err != nil {
		t.Errorf("AppendBinary of a header with a key but no MASK = %x, %v; want 0100", got, err)
	}
}

func TestHeaderLogValue(t *testing.T) {
	h := frame.Header{Flags: frame.FIN | frame.MASK, Opcode: frame.OpText, Key: 0x3d21fa37, Length: 5}
	var log strings.Builder
	drop := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey {
			return slog.Attr{}
		}
		return a
	}
	slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: drop})).Info("", "frame", h)
	if diff := cmp.Diff("frame.opcode=text frame.flags=FIN|MASK frame.length=5\n", log.String()); diff != "" {
		t.Errorf("log line mismatch (-want +got):\n%s", diff)
	}
}

// FuzzParseHeader: a part of a header asks for more or has the error of the
// whole, encoding restores the octets, and only documented errors come out.
func FuzzParseHeader(f *testing.F) {
	for _, tt := range headers {
		f.Add(unhex(f, tt.wire))
	}
	for _, wire := range []string{"817e007d", "89ff000000000000000501020304", "827f8000000000000000"} {
		f.Add(unhex(f, wire))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := frame.ParseHeader(b)
		for i := range min(len(b), frame.MaxHeaderSize) {
			switch _, m, e := frame.ParseHeader(b[:i]); {
			case e != nil && e != err:
				t.Fatalf("ParseHeader(%x) fails with %v, the whole with %v", b[:i], e, err)
			case err == nil && i < n && m != 0:
				t.Fatalf("ParseHeader(%x) = _, %d, nil; the whole has %d octets", b[:i], m, n)
			}
		}
		switch {
		case err == frame.ErrLengthOverflow:
			if n != 0 {
				t.Fatalf("ParseHeader(%x) = _, %d, %v", b, n, err)
			}
		case n == 0:
			if len(b) >= frame.MaxHeaderSize {
				t.Fatalf("ParseHeader(%x) asks for more", b)
			}
		case err == frame.ErrLengthNotMinimal:
			if n <= h.Size() {
				t.Fatalf("ParseHeader(%x) = %+v, %d, %v; but %d octets are the fewest", b, h, n, err, h.Size())
			}
		case err != nil:
			t.Fatalf("ParseHeader(%x): %v", b, err)
		default:
			again, err := h.AppendBinary(nil)
			if err != nil || !bytes.Equal(again, b[:n]) || h.Size() != n {
				t.Fatalf("%+v of size %d encodes to %x, %v; was %x", h, h.Size(), again, err, b[:n])
			}
		}
	})
}

func BenchmarkParseHeader(b *testing.B) {
	for _, masked := range []bool{false, true} {
		for _, length := range []int64{5, 1 << 10, 1 << 20} {
			b.Run(fmt.Sprintf("length=%d/masked=%t", length, masked), func(b *testing.B) {
				h := frame.Header{Opcode: frame.OpBinary, Length: length}
				if masked {
					h.Flags |= frame.MASK
				}
				wire, err := h.AppendBinary(nil)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(wire)))
				b.ReportAllocs()
				for b.Loop() {
					if h, n, err := frame.ParseHeader(wire); err != nil || n != len(wire) || h.Length != length {
						b.Fatal(h, n, err)
					}
				}
			})
		}
	}
}

func BenchmarkAppendBinary(b *testing.B) {
	for _, masked := range []bool{false, true} {
		for _, length := range []int64{5, 1 << 10, 1 << 20} {
			b.Run(fmt.Sprintf("length=%d/masked=%t", length, masked), func(b *testing.B) {
				h := frame.Header{Flags: frame.FIN, Opcode: frame.OpBinary, Length: length}
				if masked {
					h.Flags |= frame.MASK
				}
				buf := make([]byte, 0, frame.MaxHeaderSize)
				b.SetBytes(int64(h.Size()))
				b.ReportAllocs()
				for b.Loop() {
					if wire, err := h.AppendBinary(buf); err != nil || len(wire) == 0 {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
