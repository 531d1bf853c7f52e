package frame_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/frame"
)

// sentinels are the errors of a receiver, by name.
var sentinels = map[string]error{
	"ErrReservedBits":           frame.ErrReservedBits,
	"ErrReservedOpcode":         frame.ErrReservedOpcode,
	"ErrLengthNotMinimal":       frame.ErrLengthNotMinimal,
	"ErrLengthOverflow":         frame.ErrLengthOverflow,
	"ErrMaskRequired":           frame.ErrMaskRequired,
	"ErrMaskForbidden":          frame.ErrMaskForbidden,
	"ErrControlTooLong":         frame.ErrControlTooLong,
	"ErrControlFragmented":      frame.ErrControlFragmented,
	"ErrUnexpectedContinuation": frame.ErrUnexpectedContinuation,
	"ErrExpectedContinuation":   frame.ErrExpectedContinuation,
	"ErrClosePayload":           frame.ErrClosePayload,
	"ErrCloseCode":              frame.ErrCloseCode,
	"ErrInvalidUTF8":            frame.ErrInvalidUTF8,
}

// A received frame is a header and what was accepted of the unmasked payload.
type received struct {
	Header  frame.Header
	Payload []byte
}

// String is the form that testdata/vectors.txt has after "frame: ".
func (r received) String() string {
	s := fmt.Sprintf("%v %v %d %x", r.Header.Flags, r.Header.Opcode, r.Header.Length, r.Payload)
	return strings.TrimSpace(s)
}

// receive decodes chunks as they come, as an endpoint does: payloads of text
// messages and of Close frames are checked too. A payload that is not UTF-8
// ends before the octet at fault. The number of octets before the offending
// frame's header is at.
func receive(t testing.TB, d *frame.Decoder, chunks [][]byte) (frames []received, at int, err error) {
	t.Helper()
	var text frame.UTF8
	var window []byte
	var p frame.Piece
	for {
		n, err := d.Next(window, &p)
		if err != nil {
			if n != 0 {
				t.Fatalf("Next = _, %d, %v; want 0 octets with an error", n, err)
			}
			if _, again := d.Next(window, &p); again != err {
				t.Fatalf("Next after %v: %v", err, again)
			}
			return frames, at, err
		}
		if n == 0 {
			if len(chunks) == 0 {
				return frames, at, nil
			}
			window, chunks = append(bytes.Clone(window), chunks[0]...), chunks[1:]
			continue
		}
		window = window[n:]
		at += n
		if p.First() {
			frames = append(frames, received{Header: p.Header})
		} else if len(p.Payload) == 0 {
			t.Fatalf("Next gave an empty piece after the first: %+v", p)
		}
		r := &frames[len(frames)-1]
		if p.Header != r.Header || p.Offset != int64(len(r.Payload)) {
			t.Fatalf("piece %+v does not follow %d octets of %+v", p, len(r.Payload), r.Header)
		}
		if p.Last() != (d.Remaining() == 0) {
			t.Fatalf("piece %+v: Last() = %t with %d octets remaining", p, p.Last(), d.Remaining())
		}
		switch {
		case !p.Header.Opcode.IsControl() && d.Opcode() == frame.OpText && p.Header.Flags&frame.RSV1 == 0:
			if p.First() && p.Header.Opcode == frame.OpText {
				text = frame.UTF8{}
			}
			valid := text.Next(p.Payload)
			r.Payload = append(r.Payload, p.Payload[:valid]...)
			if valid < len(p.Payload) || p.Last() && !d.Open() && !text.Complete() {
				return frames, 0, frame.ErrInvalidUTF8
			}
		case p.Header.Opcode == frame.OpClose:
			r.Payload = append(r.Payload, p.Payload...)
			if p.Last() {
				if _, _, err := frame.ParseClose(r.Payload); err != nil {
					return frames, 0, err
				}
			}
		default:
			r.Payload = append(r.Payload, p.Payload...)
		}
	}
}

// each returns p in chunks of n octets.
func each(p []byte, n int) (chunks [][]byte) {
	for len(p) > 0 {
		m := min(n, len(p))
		chunks, p = append(chunks, p[:m:m]), p[m:]
	}
	return chunks
}

type vector struct {
	name   string
	role   frame.Role
	ext    frame.Flags
	expect error
	frames string // one a line
	wire   []byte
}

func readVectors(t testing.TB) (vectors []vector) {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	roles := map[string]frame.Role{"server": frame.Server, "client": frame.Client}
	for block := range strings.SplitSeq(string(text), "\n\n") {
		var v vector
		for line := range strings.Lines(block) {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "#") || line == "" {
				continue
			}
			key, value, ok := strings.Cut(line, ": ")
			if !ok {
				v.wire = append(v.wire, unhex(t, line)...)
				continue
			}
			switch key {
			case "name":
				v.name = value
			case "receiver":
				if v.role, ok = roles[value]; !ok {
					t.Fatalf("%s: no role %q", v.name, value)
				}
			case "extensions":
				if value != "RSV1" {
					t.Fatalf("%s: no extension %q", v.name, value)
				}
				v.ext = frame.RSV1
			case "expect":
				if v.expect, ok = sentinels[value]; !ok && value != "ok" {
					t.Fatalf("%s: no error %q", v.name, value)
				}
			case "frame":
				head, payload := value, ""
				if f := strings.Fields(value); len(f) == 4 {
					head, payload = strings.Join(f[:3], " "), " "+hex.EncodeToString(unhex(t, f[3]))
				}
				v.frames += head + payload + "\n"
			default:
				t.Fatalf("%s: what is %q?", v.name, line)
			}
		}
		if v.name != "" {
			vectors = append(vectors, v)
		}
	}
	if len(vectors) < 100 {
		t.Fatalf("testdata/vectors.txt has only %d vectors", len(vectors))
	}
	return vectors
}

// unhex decodes hex with spaces; "00*256" is an octet 256 times.
func unhex(t testing.TB, s string) (p []byte) {
	t.Helper()
	for field := range strings.FieldsSeq(s) {
		field, times, _ := strings.Cut(field, "*")
		octets, err := hex.DecodeString(field)
		if err != nil {
			t.Fatal(err)
		}
		n := 1
		if times != "" {
			if n, err = strconv.Atoi(times); err != nil {
				t.Fatal(err)
			}
		}
		p = append(p, bytes.Repeat(octets, n)...)
	}
	return p
}

// TestVectors decodes each vector at once, octet by octet (long ones in
// chunks) and cut in two at every place near its beginning.
func TestVectors(t *testing.T) {
	for _, v := range readVectors(t) {
		t.Run(v.name+"/"+v.role.String(), func(t *testing.T) {
			cuts := map[string][][]byte{
				"at once":      {v.wire},
				"in pieces":    each(v.wire, 1+len(v.wire)/1000),
				"with nothing": {{}, v.wire, {}},
			}
			for i := range min(len(v.wire), 300) {
				cuts[fmt.Sprintf("cut at %d", i)] = [][]byte{v.wire[:i:i], v.wire[i:]}
			}
			_, atOnce, _ := receive(t, &frame.Decoder{Role: v.role, Extensions: v.ext}, [][]byte{bytes.Clone(v.wire)})
			for cut, chunks := range cuts {
				d := &frame.Decoder{Role: v.role, Extensions: v.ext}
				got, at, err := receive(t, d, chunks)
				if err != v.expect {
					t.Fatalf("%s: error %v, want %v", cut, err, v.expect)
				}
				var lines strings.Builder
				for _, r := range got {
					fmt.Fprintln(&lines, r)
				}
				if diff := cmp.Diff(v.frames, lines.String()); diff != "" {
					t.Fatalf("%s: frames mismatch (-want +got):\n%s", cut, diff)
				}
				if at != atOnce {
					t.Fatalf("%s: the error comes after %d octets, at once after %d", cut, at, atOnce)
				}
			}
		})
	}
}
