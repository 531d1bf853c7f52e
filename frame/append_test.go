package frame_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"testing"
	"testing/cryptotest"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/mask"
)

func TestAppendFrame(t *testing.T) {
	for _, tt := range []struct {
		name    string
		h       frame.Header
		payload string
		want    string // hex
		err     error
	}{
		{"RFC 5.7 text", frame.Header{Flags: frame.FIN, Opcode: frame.OpText}, "Hello", "810548656c6c6f", nil},
		{"RFC 5.7 masked text", frame.Header{Flags: frame.FIN | frame.MASK, Opcode: frame.OpText, Key: 0x3d21fa37}, "Hello", "818537fa213d7f9f4d5158", nil},
		{"length is the payload's", frame.Header{Flags: frame.FIN, Opcode: frame.OpPing, Length: 99}, "", "8900", nil},
		{"negative length does not count", frame.Header{Opcode: frame.OpText, Length: -1}, "a", "010161", nil},
		{"key without MASK", frame.Header{Opcode: frame.OpBinary, Key: 1}, "a", "020161", nil},
		{"opcode of five bits", frame.Header{Opcode: 16}, "a", "", frame.ErrHeader},
		{"no flag", frame.Header{Flags: 2}, "a", "", frame.ErrHeader},
	} {
		t.Run(tt.name, func(t *testing.T) {
			payload := []byte(tt.payload)
			got, err := frame.AppendFrame([]byte{0xaa}, tt.h, payload)
			if hex.EncodeToString(got) != "aa"+tt.want || err != tt.err {
				t.Errorf("AppendFrame(aa, %+v, %q) = %x, %v; want aa%s, %v", tt.h, tt.payload, got, err, tt.want, tt.err)
			}
			if string(payload) != tt.payload {
				t.Errorf("AppendFrame changed the payload to %q", payload)
			}
		})
	}
}

// TestAppendMessage compares the frames, as a receiver sees them, in both
// roles. The wire of small ones is literal too.
func TestAppendMessage(t *testing.T) {
	for _, tt := range []struct {
		name    string
		h       frame.Header
		payload string
		size    int
		wire    string // without masking
	}{
		{"one frame", frame.Header{Opcode: frame.OpText}, "Hello", 0, "8105 48656c6c6f"},
		{"negative size", frame.Header{Opcode: frame.OpText}, "Hello", -1, "8105 48656c6c6f"},
		{"fits", frame.Header{Opcode: frame.OpText}, "Hello", 5, "8105 48656c6c6f"},
		{"two fragments", frame.Header{Opcode: frame.OpText}, "Hello", 3, "0103 48656c 8002 6c6f"},
		{"a multiple of size", frame.Header{Opcode: frame.OpBinary}, "Hell", 2, "0202 4865 8002 6c6c"},
		{"octets", frame.Header{Opcode: frame.OpBinary}, "abc", 1, "0201 61 0001 62 8001 63"},
		{"empty", frame.Header{Opcode: frame.OpText}, "", 3, "8100"},
		{"empty, one frame", frame.Header{Opcode: frame.OpBinary}, "", 0, "8200"},
		{"RSV1 on the first", frame.Header{Flags: frame.RSV1, Opcode: frame.OpText}, "Hello", 2, "4102 4865 0002 6c6c 8001 6f"},
		{"RSV1 on the only", frame.Header{Flags: frame.RSV1, Opcode: frame.OpText}, "Hello", 0, "c105 48656c6c6f"},
		{"RSV2 and RSV3 on all", frame.Header{Flags: frame.RSV2 | frame.RSV3, Opcode: frame.OpText}, "Hello", 3, "3103 48656c b002 6c6f"},
		{"other fields do not count", frame.Header{Flags: 0x8f, Opcode: frame.OpText, Key: 7, Length: -1}, "Hello", 3, "0103 48656c 8002 6c6f"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := unhex(t, tt.wire)
			got, err := frame.AppendMessage([]byte("x"), tt.h, []byte(tt.payload), tt.size, nil)
			if !bytes.Equal(got, append([]byte("x"), want...)) || err != nil {
				t.Errorf("AppendMessage = %x, %v; want 78%x", got, err, want)
			}

			cryptotest.SetGlobalRandom(t, 1)
			got, err = frame.AppendMessage(nil, tt.h, []byte(tt.payload), tt.size, new(mask.Keys))
			if err != nil {
				t.Fatal(err)
			}
			masked, _, err := receive(t, &frame.Decoder{Role: frame.Server, Extensions: 0x70}, [][]byte{got})
			if err != nil {
				t.Fatal(err)
			}
			plain, _, err := receive(t, &frame.Decoder{Role: frame.Client, Extensions: 0x70}, [][]byte{want})
			if err != nil {
				t.Fatal(err)
			}
			seen := map[mask.Key]bool{}
			for i, r := range masked {
				if seen[r.Header.Key] {
					t.Errorf("key %#x comes twice", r.Header.Key)
				}
				seen[r.Header.Key] = true
				masked[i].Header.Flags &^= frame.MASK
				masked[i].Header.Key = 0
			}
			if diff := cmp.Diff(plain, masked); diff != "" {
				t.Errorf("masked frames mismatch (-want +got):\n%s", diff)
			}
		})
	}
	for _, op := range []frame.Opcode{frame.OpContinuation, 3, frame.OpClose, frame.OpPing, 16} {
		got, err := frame.AppendMessage([]byte("x"), frame.Header{Opcode: op}, []byte("abc"), 1, nil)
		if string(got) != "x" || err != frame.ErrHeader {
			t.Errorf("AppendMessage with opcode %v = %q, %v; want x, %v", op, got, err, frame.ErrHeader)
		}
	}
}

func TestTransform(t *testing.T) {
	plain := frame.Header{Flags: frame.FIN, Opcode: frame.OpText, Length: 5}
	masked := frame.Header{Flags: frame.FIN | frame.MASK, Opcode: frame.OpText, Key: 0x3d21fa37, Length: 5}
	other := masked
	other.Key = 0x04030201
	for _, tt := range []struct {
		name    string
		from    frame.Header
		payload string // hex
		to      frame.Header
		want    string // hex
	}{
		{"masked to plain", masked, "7f9f4d5158", plain, "8105 48656c6c6f"},
		{"plain to masked", plain, "48656c6c6f", masked, "8185 37fa213d 7f9f4d5158"},
		{"another key", masked, "7f9f4d5158", other, "8185 01020304 49676f686e"},
		{"no change", masked, "7f9f4d5158", masked, "8185 37fa213d 7f9f4d5158"},
		{"another frame", plain, "48656c6c6f", frame.Header{Flags: frame.RSV1, Opcode: frame.OpBinary, Key: 9, Length: 77}, "4205 48656c6c6f"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			payload, want := unhex(t, tt.payload), append([]byte("x"), unhex(t, tt.want)...)
			for i := range len(payload) + 1 { // the rest follows in a second piece
				got, k, err := frame.Transform([]byte("x"), tt.from, payload[:i], tt.to)
				if err != nil {
					t.Fatal(err)
				}
				rest := bytes.Clone(payload[i:])
				mask.Apply(rest, k)
				if got = append(got, rest...); !bytes.Equal(got, want) {
					t.Errorf("Transform of %d octets, then the rest, gives %x, want %x", i, got, want)
				}
			}
		})
	}
	for _, tt := range []struct {
		from, to frame.Header
		payload  string
		err      error
	}{
		{plain, plain, "Hello!", frame.ErrPayload},
		{frame.Header{Length: -1}, plain, "", frame.ErrPayload},
		{plain, frame.Header{Opcode: 16}, "Hello", frame.ErrHeader},
	} {
		got, k, err := frame.Transform([]byte("x"), tt.from, []byte(tt.payload), tt.to)
		if string(got) != "x" || k != 0 || err != tt.err {
			t.Errorf("Transform(x, %+v, %q, %+v) = %q, %v, %v; want x, 0, %v", tt.from, tt.payload, tt.to, got, k, err, tt.err)
		}
	}
}

// FuzzAppendMessage: a receiver gets the message back, in the fewest fragments,
// from either role.
func FuzzAppendMessage(f *testing.F) {
	f.Add([]byte("Hello"), 2, true)
	f.Add([]byte{}, 1, false)
	f.Add(bytes.Repeat([]byte{0xfe}, 300), 150, true)
	f.Fuzz(func(t *testing.T, payload []byte, size int, masked bool) {
		d := &frame.Decoder{Role: frame.Client}
		var keys *mask.Keys
		if masked {
			d.Role, keys = frame.Server, new(mask.Keys)
		}
		wire, err := frame.AppendMessage(nil, frame.Header{Opcode: frame.OpBinary}, payload, size, keys)
		if err != nil {
			t.Fatal(err)
		}
		frames, _, err := receive(t, d, [][]byte{wire})
		if err != nil || d.Open() || d.Remaining() != 0 {
			t.Fatalf("error %v, open %t, %d octets remaining", err, d.Open(), d.Remaining())
		}
		var got []byte
		for _, r := range frames {
			got = append(got, r.Payload...)
		}
		if !bytes.Equal(got, payload) {
			t.Errorf("the message became %x, was %x", got, payload)
		}
		want := 1
		if size > 0 && len(payload) > 0 {
			want = (len(payload)-1)/size + 1
		}
		if len(frames) != want {
			t.Errorf("%d frames, want %d", len(frames), want)
		}
	})
}

// FuzzTransform: what a proxy passes on, and back again, is the frame as it
// was, and its receiver sees the same payload.
func FuzzTransform(f *testing.F) {
	f.Add([]byte("Hello"), uint32(0x3d21fa37), uint32(0), 3)
	f.Add(bytes.Repeat([]byte{1, 2, 3}, 70), uint32(0xffffffff), uint32(0x01020304), 100)
	f.Fuzz(func(t *testing.T, payload []byte, key1, key2 uint32, cut int) {
		header := func(key uint32) frame.Header { // 0 for an unmasked frame
			h := frame.Header{Flags: frame.FIN, Opcode: frame.OpBinary, Key: mask.Key(key), Length: int64(len(payload))}
			if key != 0 {
				h.Flags |= frame.MASK
			}
			return h
		}
		from, to := header(key1), header(key2)
		before, _ := frame.AppendFrame(nil, from, payload)
		want, _ := frame.AppendFrame(nil, to, payload)

		cut = min(max(cut, 0), len(payload))
		body := before[from.Size():]
		got, k, err := frame.Transform(nil, from, body[:cut], to)
		if err != nil {
			t.Fatal(err)
		}
		n := len(got)
		got = append(got, body[cut:]...)
		mask.Apply(got[n:], k)
		if !bytes.Equal(got, want) {
			t.Fatalf("Transform gives %x, want %x", got, want)
		}
		if back, _, err := frame.Transform(nil, to, got[to.Size():], from); err != nil || !bytes.Equal(back, before) {
			t.Fatalf("Transform back gives %x, %v; want %x", back, err, before)
		}
	})
}

func TestEncodingAllocs(t *testing.T) {
	h := frame.Header{Flags: frame.FIN | frame.MASK, Opcode: frame.OpText, Key: 0x3d21fa37, Length: 1000}
	payload, buf := make([]byte, 1000), make([]byte, 0, 2000)
	var keys mask.Keys
	var u frame.UTF8
	check := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	for name, f := range map[string]func(){
		"AppendBinary":  func() { _, err := h.AppendBinary(buf); check(err) },
		"AppendFrame":   func() { _, err := frame.AppendFrame(buf, h, payload); check(err) },
		"AppendMessage": func() { _, err := frame.AppendMessage(buf, h, payload, 100, &keys); check(err) },
		"AppendClose":   func() { _, err := frame.AppendClose(buf, frame.CloseGoingAway, "bye"); check(err) },
		"Transform":     func() { _, _, err := frame.Transform(buf, h, payload, h); check(err) },
		"ParseHeader":   func() { _, _, err := frame.ParseHeader(payload); check(err) },
		"ParseClose":    func() { _, _, err := frame.ParseClose(nil); check(err) },
		"Validate":      func() { check(h.Validate(frame.Server, 0)) },
		"UTF8.Next":     func() { u.Next(payload) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times, want 0", name, n)
		}
	}
}

func BenchmarkAppendFrame(b *testing.B) {
	for _, role := range []frame.Role{frame.Server, frame.Client} {
		for _, size := range []int{16, 125, 1 << 10, 16 << 10} {
			b.Run(fmt.Sprintf("sender=%v/size=%d", role, size), func(b *testing.B) {
				h := frame.Header{Flags: frame.FIN, Opcode: frame.OpBinary}
				if role == frame.Client {
					h.Flags |= frame.MASK
				}
				var keys mask.Keys
				payload, buf := make([]byte, size), make([]byte, 0, size+frame.MaxHeaderSize)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					if role == frame.Client {
						h.Key = keys.Next()
					}
					if wire, err := frame.AppendFrame(buf, h, payload); err != nil || len(wire) < size {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
