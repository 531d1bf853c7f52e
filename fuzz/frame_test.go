package fuzz_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/internal/reference"
	"example.org/rfc6455/mask"
)

// errOf is the error for a rule that is broken.
var errOf = map[reference.Rule]error{
	"":                               nil,
	reference.LengthOverflow:         frame.ErrLengthOverflow,
	reference.LengthNotMinimal:       frame.ErrLengthNotMinimal,
	reference.ReservedBits:           frame.ErrReservedBits,
	reference.ReservedOpcode:         frame.ErrReservedOpcode,
	reference.ControlFragmented:      frame.ErrControlFragmented,
	reference.ControlTooLong:         frame.ErrControlTooLong,
	reference.MaskForbidden:          frame.ErrMaskForbidden,
	reference.MaskRequired:           frame.ErrMaskRequired,
	reference.UnexpectedContinuation: frame.ErrUnexpectedContinuation,
	reference.ExpectedContinuation:   frame.ErrExpectedContinuation,
}

// headerOf returns f as package frame has it.
func headerOf(f *reference.Frame) frame.Header {
	h := frame.Header{Opcode: frame.Opcode(f.Opcode), Length: int64(f.Length)}
	for _, bit := range []struct {
		set  bool
		flag frame.Flags
	}{{f.FIN, frame.FIN}, {f.RSV1, frame.RSV1}, {f.RSV2, frame.RSV2}, {f.RSV3, frame.RSV3}, {f.Masked, frame.MASK}} {
		if bit.set {
			h.Flags |= bit.flag
		}
	}
	for i, c := range f.Key {
		h.Key |= mask.Key(c) << (8 * i)
	}
	return h
}

// addStreams seeds a target that takes the octets of a stream.
func addStreams(f *testing.F, server bool, add func(octets []byte)) {
	for _, s := range streams {
		if s.server == server {
			add(unhex(f, s.hex))
		}
	}
}

// FuzzHeader: ParseHeader says of octets what Section 5.2 says, of every
// beginning of them too, and a header is encoded to the octets that it was
// decoded from.
func FuzzHeader(f *testing.F) {
	for _, server := range []bool{false, true} {
		addStreams(f, server, func(octets []byte) { f.Add(octets) })
	}
	fuzz(f, func(t *testing.T, b []byte) {
		for i := range min(len(b), frame.MaxHeaderSize) + 1 {
			want, size, broken := reference.Header(b[:i])
			h, n, err := frame.ParseHeader(b[:i])
			if n != size || err != errOf[broken] {
				t.Fatalf("ParseHeader(%x) = %+v, %d, %v; want %d, %q", b[:i], h, n, err, size, broken)
			}
			if n == 0 {
				continue
			}
			if h != headerOf(&want) {
				t.Fatalf("ParseHeader(%x) = %+v; want %+v", b[:i], h, headerOf(&want))
			}
			if err != nil {
				if h.Size() >= n {
					t.Fatalf("ParseHeader(%x): %v, but %d octets are the fewest", b[:i], err, h.Size())
				}
				continue
			}
			again, err := h.AppendBinary(nil)
			if err != nil || !bytes.Equal(again, b[:n]) || h.Size() != n {
				t.Fatalf("%+v of size %d encodes to %x, %v; was %x", h, h.Size(), again, err, b[:n])
			}
		}
	})
}

// FuzzHeaderRules: any Header is encoded and decoded to the same, or refused if it
// says what no octets can; Validate and Sequence give the verdict of Sections 5.1,
// 5.2, 5.4 and 5.5 in both roles; and its words tell it apart from others.
func FuzzHeaderRules(f *testing.F) {
	f.Add(uint8(0x80), uint8(1), uint32(0), int64(5))
	f.Add(uint8(0x81), uint8(2), uint32(0x3d21fa37), int64(126))
	f.Add(uint8(0xf1), uint8(9), uint32(1), int64(125))
	f.Add(uint8(0x80), uint8(10), uint32(1), int64(math.MaxInt64))
	f.Add(uint8(0x40), uint8(0), uint32(0), int64(65536))
	f.Add(uint8(0x0e), uint8(8), uint32(0), int64(-1))
	f.Add(uint8(0x00), uint8(16), uint32(0), int64(0))
	f.Add(uint8(0x00), uint8(8), uint32(0), int64(0))
	for op := range uint8(16) {
		f.Add(uint8(0x80), op, uint32(0), int64(0))
		f.Add(uint8(0x01), op, uint32(0), int64(1))
		f.Add(uint8(0x80), op, uint32(0), int64(126))
	}
	fuzz(f, func(t *testing.T, flags, opcode uint8, key uint32, length int64) {
		h := frame.Header{Flags: frame.Flags(flags), Opcode: frame.Opcode(opcode), Length: length}
		if h.Flags.Has(frame.MASK) {
			h.Key = mask.Key(key)
		}
		checkWords(t, h)
		wire, err := h.AppendBinary([]byte("x"))
		if length < 0 || opcode > 15 || flags&0x0e != 0 {
			if err != frame.ErrHeader || string(wire) != "x" {
				t.Fatalf("%+v encodes to %x, %v", h, wire, err)
			}
			legal := opcode < 16 && flags&0x0e == 0 // but for the length, which is that of the payload
			if dst, err := frame.AppendFrame([]byte("x"), h, nil); (err == nil) != legal || !legal && string(dst) != "x" {
				t.Fatalf("AppendFrame(x, %+v) = %x, %v", h, dst, err)
			}
			if _, _, err := frame.Transform(nil, frame.Header{}, nil, h); (err == nil) != legal {
				t.Fatalf("Transform to %+v: %v", h, err)
			}
			return
		}
		want, size, broken := reference.Header(wire[1:])
		if err != nil || size != len(wire)-1 || broken != "" || headerOf(&want) != h {
			t.Fatalf("%+v encodes to %x, %v, which is %+v, %q", h, wire, err, want, broken)
		}
		for _, r := range []reference.Receiver{{}, {Server: true}, {Deflate: true}, {Server: true, Deflate: true}} {
			role, ext := frame.Client, frame.Flags(0)
			if r.Server {
				role = frame.Server
			}
			if r.Deflate {
				ext = frame.RSV1
			}
			// The rules between frames come last, so that either state shows those
			// of one header.
			err := h.Validate(role, ext)
			for _, open := range []bool{false, true} {
				got := err
				var s frame.Sequence
				if open {
					s.Next(frame.Header{Opcode: frame.OpText})
				}
				if got == nil {
					got = s.Next(h)
				}
				if want := errOf[r.Judge(&want, open)]; got != want {
					t.Fatalf("%v receives %+v with a message open (%t): %v; want %v", role, h, open, got, want)
				}
				if got == nil && !h.Opcode.IsControl() {
					open = !h.Flags.Has(frame.FIN)
				}
				if s.Open() != open {
					t.Fatalf("after %+v: open is %t; want %t", h, s.Open(), open)
				}
			}
		}
	})
}

// The words for opcodes and flags.
var (
	opcodeWords = []string{"continuation", "text", "binary", "", "", "", "", "", "close", "ping", "pong"}
	flagWords   = map[string]frame.Flags{"FIN": 0x80, "RSV1": 0x40, "RSV2": 0x20, "RSV3": 0x10, "MASK": 1}
)

// checkWords checks what a log shows of h.
func checkWords(t *testing.T, h frame.Header) {
	word := "opcode " + strconv.Itoa(int(h.Opcode))
	if int(h.Opcode) < len(opcodeWords) && opcodeWords[h.Opcode] != "" {
		word = opcodeWords[h.Opcode]
	}
	if h.Opcode.String() != word || h.Opcode.IsReserved() != strings.HasPrefix(word, "opcode ") {
		t.Fatalf("opcode %d is %q, reserved %t; want %q", h.Opcode, h.Opcode, h.Opcode.IsReserved(), word)
	}
	text := h.Flags.String()
	var flags frame.Flags
	for name := range strings.SplitSeq(text, "|") {
		rest, _ := strconv.ParseUint(name, 0, 8)
		flags |= flagWords[name] | frame.Flags(rest)
	}
	if flags != h.Flags {
		t.Fatalf("flags %#x are %q", uint8(h.Flags), text)
	}
	want := []slog.Attr{slog.String("opcode", word), slog.String("flags", text), slog.Int64("length", h.Length)}
	if got := h.LogValue().Group(); !slices.EqualFunc(got, want, slog.Attr.Equal) {
		t.Fatalf("log value %v; want %v", got, want)
	}
	role := frame.Role(h.Opcode)
	if s := role.String(); (s == "server") != (role == frame.Server) || (s == "client") != (role == frame.Client) {
		t.Fatalf("role %d is %q", role, s)
	}
}

// FuzzServerFrames: however the octets of a client are cut, the Decoder of a server
// gives the frames that Section 5 makes of them, up to the first rule broken.
func FuzzServerFrames(f *testing.F) { fuzzFrames(f, true) }

// FuzzClientFrames is [FuzzServerFrames] for the octets of a server.
func FuzzClientFrames(f *testing.F) { fuzzFrames(f, false) }

func fuzzFrames(f *testing.F, server bool) {
	for options := range uint8(4) {
		addStreams(f, server, func(octets []byte) { f.Add(octets, options, []byte{1, 1, 2, 5}) })
	}
	fuzz(f, func(t *testing.T, octets []byte, options uint8, cuts []byte) {
		r := reference.Receiver{Server: server, Deflate: options&1 != 0, NonMinimal: options&2 != 0}
		want, broken, at := r.Frames(octets)
		for _, cuts := range [][]byte{nil, cuts, bytes.Repeat([]byte{1}, len(octets))} {
			checkDecoder(t, r, pieces(bytes.Clone(octets), cuts), want, errOf[broken], at)
		}
	})
}

// checkDecoder gives chunks to a Decoder and expects the frames, and an error of
// the frame that begins at an octet.
func checkDecoder(t *testing.T, r reference.Receiver, chunks [][]byte, want []reference.Frame, wantErr error, wantAt int) {
	d := frame.Decoder{Role: frame.Client, TolerateNonMinimal: r.NonMinimal}
	if r.Server {
		d.Role = frame.Server
	}
	if r.Deflate {
		d.Extensions = frame.RSV1
	}
	var got []reference.Frame
	var window []byte
	var err error
	at := 0
	for err == nil {
		var p frame.Piece
		var n int
		n, err = d.Next(window, &p)
		if n == 0 {
			if err == nil && len(chunks) > 0 {
				window, chunks = append(window, chunks[0]...), chunks[1:]
				continue
			}
			break
		}
		window = window[n:]
		at += n
		if p.First() {
			got = append(got, reference.Frame{Length: uint64(p.Header.Length)})
		}
		g := &got[len(got)-1]
		if len(got) > len(want) || p.Header != headerOf(&want[len(got)-1]) || p.Offset != int64(len(g.Payload)) {
			t.Fatalf("piece %+v of frame %d; want %+v", p, len(got), want)
		}
		g.Payload = append(g.Payload, p.Payload...)
		if p.Last() != g.IsWhole() || d.Remaining() != p.Header.Length-int64(len(g.Payload)) {
			t.Fatalf("piece %+v, last %t, %d remaining; %d octets have come", p, p.Last(), d.Remaining(), len(g.Payload))
		}
		if cap(p.Payload) != len(p.Payload) {
			t.Fatalf("an append to a payload of %d octets writes into the %d behind it", len(p.Payload), cap(p.Payload)-len(p.Payload))
		}
	}
	if err != wantErr || len(got) != len(want) || err != nil && at != wantAt {
		t.Fatalf("%d frames, %v after %d octets; want %d, %v after %d", len(got), err, at, len(want), wantErr, wantAt)
	}
	opcode, open := 0, false
	for i, w := range want {
		if !bytes.Equal(got[i].Payload, w.Payload) {
			t.Fatalf("frame %d has the payload %x; want %x", i, got[i].Payload, w.Payload)
		}
		if !w.IsControl() {
			open = !w.FIN
			if w.Opcode != 0 {
				opcode = w.Opcode
			}
		}
	}
	if d.Opcode() != frame.Opcode(opcode) || d.Open() != open {
		t.Fatalf("opcode %v, open %t; want %d, %t", d.Opcode(), d.Open(), opcode, open)
	}
	if err == nil {
		return
	}
	var p frame.Piece
	if n, again := d.Next(window, &p); n != 0 || again != err {
		t.Fatalf("Next after %v: %d, %v", err, n, again)
	}
	if e, ok := errors.AsType[*frame.Error](err); !ok || e.CloseCode() != frame.CloseProtocolError || !strings.HasPrefix(e.Error(), "frame: ") {
		t.Fatalf("error %v", err)
	}
}

// FuzzAppendMessage: a receiver gets the message back, in the fewest fragments that
// the size allows, FIN on the last alone and RSV1 on the first, from either role, with
// a fresh masking key for each from a client.
func FuzzAppendMessage(f *testing.F) {
	f.Add([]byte("Hello"), uint8(1), 2, true)
	f.Add([]byte{}, uint8(2), 1, false)
	f.Add(octets(300), uint8(0x42), 150, true)
	f.Add(octets(70000), uint8(2), 0, false)
	f.Add([]byte("x"), uint8(9), 0, false)
	fuzz(f, func(t *testing.T, payload []byte, first uint8, size int, masked bool) {
		r := reference.Receiver{Server: masked, Deflate: true}
		h := frame.Header{Opcode: frame.Opcode(first & 15), Flags: frame.Flags(first & 0x40)}
		var keys *mask.Keys
		if masked {
			keys = new(mask.Keys)
		}
		before := bytes.Clone(payload)
		wire, err := frame.AppendMessage([]byte("x"), h, payload, size, keys)
		if !bytes.Equal(payload, before) {
			t.Fatal("AppendMessage changed the payload")
		}
		if h.Opcode != frame.OpText && h.Opcode != frame.OpBinary {
			if err != frame.ErrHeader || string(wire) != "x" {
				t.Fatalf("AppendMessage(x, %+v) = %q, %v", h, wire, err)
			}
			return
		}
		frames, broken, at := r.Frames(wire[1:])
		if err != nil || broken != "" || at != len(wire)-1 {
			t.Fatalf("%d octets became %x, %v: %q", len(payload), wire, err, broken)
		}
		want := 1
		if size > 0 && len(payload) > 0 {
			want = (len(payload)-1)/size + 1
		}
		if len(frames) != want {
			t.Fatalf("%d frames; want %d", len(frames), want)
		}
		// Three random keys are the same once in 2^64 times.
		if masked && want > 2 && frames[0].Key == frames[1].Key && frames[1].Key == frames[2].Key {
			t.Fatalf("all fragments have the key %x", frames[0].Key)
		}
		var got []byte
		for i, w := range frames {
			got = append(got, w.Payload...)
			opcode := 0
			if i == 0 {
				opcode = int(h.Opcode)
			}
			if w.Opcode != opcode || w.FIN != (i == want-1) || w.RSV1 != (i == 0 && h.Flags.Has(frame.RSV1)) || !w.IsWhole() {
				t.Fatalf("frame %d of %d is %+v", i, want, w)
			}
		}
		if !bytes.Equal(got, payload) {
			t.Fatalf("the message became %x; was %x", got, payload)
		}
	})
}

// FuzzTransform: what a proxy passes on, begun with any part of the payload, is the
// frame that its own encoder would make, and back again it is what it was.
func FuzzTransform(f *testing.F) {
	f.Add([]byte("Hello"), uint32(0x3d21fa37), uint32(0), 3)
	f.Add(octets(210), uint32(0xffffffff), uint32(0x01020304), 100)
	f.Add(octets(5), uint32(0), uint32(0), -1)
	fuzz(f, func(t *testing.T, payload []byte, one, two uint32, cut int) {
		header := func(key uint32) frame.Header { // zero for a frame that is not masked
			h := frame.Header{Flags: frame.FIN, Opcode: frame.OpBinary, Length: int64(len(payload))}
			if key != 0 {
				h.Flags |= frame.MASK
				h.Key = mask.Key(key)
			}
			return h
		}
		encode := func(h frame.Header) []byte {
			wire, err := frame.AppendFrame(nil, h, payload)
			if err != nil {
				t.Fatal(err)
			}
			frames, broken, at := reference.Receiver{Server: h.Key != 0}.Frames(wire)
			if len(frames) != 1 || broken != "" || at != len(wire) || headerOf(&frames[0]) != h || !bytes.Equal(frames[0].Payload, payload) {
				t.Fatalf("%+v encodes to %x", h, wire)
			}
			return wire
		}
		from, to := header(one), header(two)
		before, want := encode(from), encode(to)
		body := before[from.Size():]
		if cut < 0 {
			if dst, k, err := frame.Transform([]byte("x"), from, append(bytes.Clone(body), 0), to); err != frame.ErrPayload || k != 0 || string(dst) != "x" {
				t.Fatalf("Transform with an octet too many = %x, %v, %v", dst, k, err)
			}
		}
		cut = min(max(cut, 0), len(payload))
		got, k, err := frame.Transform(nil, from, body[:cut], to)
		if err != nil {
			t.Fatal(err)
		}
		n := len(got)
		got = append(got, body[cut:]...)
		mask.Apply(got[n:], k)
		if !bytes.Equal(got, want) {
			t.Fatalf("Transform gives %x; want %x", got, want)
		}
		if back, _, err := frame.Transform(nil, to, got[to.Size():], from); err != nil || !bytes.Equal(back, before) {
			t.Fatalf("Transform back gives %x, %v; want %x", back, err, before)
		}
	})
}

// FuzzUTF8: at every split the validator stops at the octet that the grammar of
// RFC 3629 stops at, and says that a text is complete where unicode/utf8 says that
// it is valid.
func FuzzUTF8(f *testing.F) {
	for _, s := range []string{
		"", "Hello", "κόσμε", "\xf0\x9f\x98\x80", "\xed\x9f\xbf\xee\x80\x80", "\xf4\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xed\xa0\x80", "\xc0\xaf", "\xc1\xbf",
		"\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf8\x88\x80\x80\x80", "a\x80", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xff", strings.Repeat("é", 40) + "\xff",
		strings.Repeat("a", 70) + "\xe2\x82\xac" + strings.Repeat("z", 31), strings.Repeat("a", 33) + "\xc3", strings.Repeat("日本語", 30) + "x",
		strings.Repeat("😀", 25), strings.Repeat("a", 31) + "\xf0\x9f\x98\x80" + strings.Repeat("b", 64) + "\xed\xbf\xbf",
	} {
		f.Add([]byte(s), uint8(1))
	}
	fuzz(f, func(t *testing.T, p []byte, size uint8) {
		good, _ := reference.Text(p)
		valid := make([]bool, len(p)+1) // whether so many octets are, as unicode/utf8 has it
		for i, size := 0, 0; ; i += size {
			valid[i] = true
			var r rune
			if r, size = utf8.DecodeRune(p[i:]); size == 0 || r == utf8.RuneError && size == 1 {
				break
			}
		}
		check := func(chunks ...[]byte) {
			var u frame.UTF8
			at := 0
			for _, c := range chunks {
				want := min(max(good-at, 0), len(c))
				if n := u.Next(c); n != want {
					t.Fatalf("%x: Next takes %d octets at %d; want %d", p, n, at, want)
				}
				at += len(c)
				if u.Complete() != valid[at] {
					t.Fatalf("%x: complete is %t after %d octets", p, u.Complete(), at)
				}
			}
		}
		check(p)
		for i := range min(len(p), 300) {
			check(p[:i], p[i:])
		}
		check(pieces(p, bytes.Repeat([]byte{1}, min(len(p), 300)))...)
		check(pieces(p, bytes.Repeat([]byte{size}, min(len(p), 300)))...)
	})
}

// FuzzUnmaskText: unmasking and validating in one pass leaves the octets that
// unmasking leaves, and stops where validating them stops, piece after piece.
func FuzzUnmaskText(f *testing.F) {
	for _, s := range []string{"", "Hello", "κόσμε", "\xed\xa0\x80", "\xf0\x9f\x98", strings.Repeat("日本語", 60), strings.Repeat("a", 200) + "\xc3", strings.Repeat("a", 100) + "\xff" + strings.Repeat("é", 90)} {
		f.Add([]byte(s), uint32(0x3d21fa37), []byte{1, 2, 3})
		f.Add([]byte(s), uint32(0), []byte{70, 66})
		f.Add([]byte(s), uint32(0x84c3a251), []byte(nil))
	}
	fuzz(f, func(t *testing.T, text []byte, key uint32, cuts []byte) {
		masked := bytes.Clone(text)
		mask.Apply(masked, mask.Key(key))
		good, _ := reference.Text(text)
		var u frame.UTF8
		at, k := 0, mask.Key(key)
		for _, p := range pieces(masked, cuts) {
			n := u.Unmask(p, k)
			if want := min(max(good-at, 0), len(p)); n != want {
				t.Fatalf("%x: Unmask takes %d octets at %d; want %d", text, n, at, want)
			}
			k = k.Rotate(len(p))
			at += len(p)
			if !bytes.Equal(masked[:at], text[:at]) {
				t.Fatalf("%x becomes %x after %d octets", text, masked, at)
			}
			if u.Complete() != utf8.Valid(text[:at]) {
				t.Fatalf("%x: complete is %t after %d octets", text, u.Complete(), at)
			}
		}
	})
}

// FuzzClose: the payload of a Close frame means what Sections 5.5.1 and 7.4 say,
// and what is accepted is encoded to the same octets. A reason to be sent is cut at
// the last character that fits.
func FuzzClose(f *testing.F) {
	for _, s := range []string{"", "03", "03e8", "03e9 627965", "03e8 eda080", "03ed", "0bb8 61", "1387", "1388", "03e8 c3"} {
		f.Add(unhex(f, s))
	}
	f.Add([]byte("\x0b\xb8" + strings.Repeat("a", 122) + "\xf0\x9f\x98\x80"))
	f.Add([]byte("\x0b\xb8" + strings.Repeat("a", 121) + "é"))
	f.Add([]byte(strings.Repeat("a", 119) + "\xf0\x9f\x98\x80" + "é"))
	f.Add([]byte(strings.Repeat("é", 63)))
	for code := 995; code < 1020; code++ {
		f.Add([]byte{byte(code >> 8), byte(code)})
	}
	fuzz(f, func(t *testing.T, p []byte) {
		code, reason, err := frame.ParseClose(p)
		want, wantReason, failure := reference.Close(p)
		if len(p) > frame.MaxControlPayload {
			want, wantReason, failure = 0, "", 1002
		}
		got := 0
		if e, ok := errors.AsType[*frame.Error](err); ok {
			got = int(e.CloseCode())
		}
		if int(code) != want || string(reason) != wantReason || got != failure || err != nil && got == 0 {
			t.Fatalf("ParseClose(%x) = %v, %q, %v; want %d, %q, failure %d", p, code, reason, err, want, wantReason, failure)
		}
		if err == nil {
			if again, err := frame.AppendClose(nil, code, string(reason)); err != nil || !bytes.Equal(again, p) {
				t.Fatalf("%v with reason %q encodes to %x, %v; was %x", code, reason, again, err, p)
			}
		}
		if len(p) >= 2 {
			checkCode(t, frame.CloseCode(int(p[0])<<8|int(p[1])))
		}

		wire, err := frame.AppendClose([]byte("x"), frame.CloseGoingAway, string(p))
		if good, complete := reference.Text(p); good < len(p) || !complete {
			if err != frame.ErrInvalidUTF8 || string(wire) != "x" {
				t.Fatalf("AppendClose(x, 1001, %q) = %x, %v", p, wire, err)
			}
			return
		}
		cut := len(p)
		for cut > frame.MaxCloseReason || !utf8.Valid(p[:cut]) {
			cut--
		}
		if want := "x\x03\xe9" + string(p[:cut]); err != nil || string(wire) != want {
			t.Fatalf("AppendClose(x, 1001, %q) = %q, %v; want %q", p, wire, err, want)
		}
	})
}

// checkCode checks a close code by itself.
func checkCode(t *testing.T, code frame.CloseCode) {
	_, _, failure := reference.Close([]byte{byte(code >> 8), byte(code)})
	if code.Valid() != (failure == 0) {
		t.Fatalf("%d.Valid() = %t", code, code.Valid())
	}
	named := code >= 1000 && code <= 1015 && code != 1004
	if s := code.String(); !strings.HasPrefix(s, fmt.Sprint(int(code))) || strings.Contains(s, " ") != named {
		t.Fatalf("close code %d is %q", int(code), s)
	}
	for reason, want := range map[string]bool{"": code == frame.CloseNoStatusReceived || failure == 0, "a": failure == 0} {
		if p, err := frame.AppendClose(nil, code, reason); (err == nil) != want || err != nil && err != frame.ErrCloseCode {
			t.Fatalf("AppendClose(nil, %v, %q) = %x, %v", code, reason, p, err)
		}
	}
}
