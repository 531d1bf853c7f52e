package reference_test

import (
	"bytes"
	"compress/flate"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/fuzz/internal/reference"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReceive(t *testing.T) {
	server := reference.Receiver{Server: true, MaxMessage: 1000}
	client := reference.Receiver{MaxMessage: 1000}
	deflated := reference.Receiver{Deflate: true, MaxMessage: 1000}
	text := func(s string) reference.Message { return reference.Message{Text: true, Payload: s} }
	failed := func(codes ...int) reference.End { return reference.End{How: reference.Failed, Codes: codes} }
	lost := reference.End{How: reference.Lost}
	for _, tt := range []struct {
		name string
		r    reference.Receiver
		wire string // hex
		want reference.Outcome
	}{
		{"RFC 5.7 text", client, "8105 48656c6c6f", reference.Outcome{Messages: []reference.Message{text("Hello")}, End: lost}},
		{"RFC 5.7 masked text", server, "8185 37fa213d 7f9f4d5158", reference.Outcome{Messages: []reference.Message{text("Hello")}, End: lost}},
		{"RFC 5.7 fragments around a ping", client, "0103 48656c 8902 6869 8002 6c6f",
			reference.Outcome{Messages: []reference.Message{text("Hello")}, Pings: []string{"hi"}, End: lost}},
		{"RFC 7692 7.2.3.1", deflated, "c107 f248cdc9c90700", reference.Outcome{Messages: []reference.Message{text("Hello")}, End: lost}},
		{"RFC 7692 7.2.3.2", deflated, "c107 f248cdc9c90700 c105 f200110000",
			reference.Outcome{Messages: []reference.Message{text("Hello"), text("Hello")}, End: lost}},
		{"RFC 7692 7.2.3.3", deflated, "c10b 000500faff48656c6c6f00", reference.Outcome{Messages: []reference.Message{text("Hello")}, End: lost}},
		{"RFC 7692 7.2.3.4", deflated, "c108 f348cdc9c9070000", reference.Outcome{Messages: []reference.Message{text("Hello")}, End: lost}},
		{"RFC 7692 7.2.3.5", deflated, "c10d f248050000 00ffffcac9c90700", reference.Outcome{Messages: []reference.Message{text("Hello")}, End: lost}},
		{"broken compressed data", deflated, "c201 06", reference.Outcome{End: failed(1007)}},
		{"unmasked to a server", server, "8100", reference.Outcome{End: failed(1002)}},
		{"masked to a client", client, "818000000000", reference.Outcome{End: failed(1002)}},
		{"reserved bit", client, "c100", reference.Outcome{End: failed(1002)}},
		{"125 in 16 bits", client, "827e007d", reference.Outcome{End: failed(1002)}},
		{"64th bit, seen early", client, "827f80", reference.Outcome{End: failed(1002)}},
		{"65535 in 64 bits, seen early", client, "827f000000000000", reference.Outcome{End: failed(1002)}},
		{"over the limit", client, "827e03e9", reference.Outcome{End: failed(1009)}},
		{"half a header", client, "827e03", reference.Outcome{End: lost}},
		{"impossible octet", client, "8103 41ff", reference.Outcome{End: failed(1007)}},
		{"half a character at the end", client, "8101 c3", reference.Outcome{End: failed(1007)}},
		{"half a character so far", client, "0101 c3", reference.Outcome{End: lost}},
		{"close", client, "8805 03e9 627965 8100", reference.Outcome{End: reference.End{How: reference.Closed, Code: 1001, Reason: "bye"}}},
		{"empty close", client, "8800", reference.Outcome{End: reference.End{How: reference.Closed, Code: 1005}}},
		{"close of one octet", client, "8801 03", reference.Outcome{End: failed(1002)}},
		{"close with 1005", client, "8802 03ed", reference.Outcome{End: failed(1002)}},
		{"close with no UTF-8", client, "8803 03e8ff", reference.Outcome{End: failed(1007)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.r.Receive(unhex(t, tt.wire))); diff != "" {
				t.Errorf("Receive(%s) mismatch (-want +got):\n%s", tt.wire, diff)
			}
		})
	}
}

// The two texts of the standard library and of RFC 3629 are the same: all of up
// to three octets, and what decides beyond that.
func TestText(t *testing.T) {
	check := func(p []byte) {
		good, complete := reference.Text(p)
		if valid := good == len(p) && complete; valid != utf8.Valid(p) {
			t.Fatalf("Text(%x) = %d, %t; utf8.Valid says %t", p, good, complete, !valid)
		}
	}
	for v := range 1 << 16 {
		check([]byte{byte(v >> 8), byte(v)})
		for _, last := range []byte{0, 0x7f, 0x80, 0xbf, 0xc0} {
			check([]byte{byte(v >> 8), byte(v), last})
			check([]byte{0xf0 + byte(v>>8&7), byte(v), 0x80, last})
		}
	}
}

// What compress/flate makes comes back.
func TestInflate(t *testing.T) {
	text := []byte(strings.Repeat("the quick brown fox jumps over the lazy dog ", 30) + "\x00\xff")
	for _, level := range []int{flate.HuffmanOnly, flate.NoCompression, flate.BestSpeed, flate.BestCompression} {
		var wire bytes.Buffer
		w, err := flate.NewWriter(&wire, level)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(text)
		w.Flush()
		src := bytes.TrimSuffix(wire.Bytes(), []byte("\x00\x00\xff\xff"))
		if out, p := reference.Inflate(1<<15, nil, src); p != reference.Good || !bytes.Equal(out, text) {
			t.Errorf("level %d: Inflate = %d octets, %v; want %d", level, len(out), p, len(text))
		}
		if out, p := reference.Inflate(1<<15, nil, src[:len(src)/2]); p != reference.More || !bytes.HasPrefix(text, out) {
			t.Errorf("level %d: Inflate of half = %d octets, %v", level, len(out), p)
		}
	}
}

func ExampleReceiver_Receive() {
	client := reference.Receiver{MaxMessage: 1 << 20}
	o := client.Receive([]byte("\x01\x03Hel\x89\x00\x80\x02lo\x83\x00"))
	fmt.Printf("%q, %d ping, %s with %v\n", o.Messages[0].Payload, len(o.Pings), o.End.How, o.End.Codes)
	// Output: "Hello", 1 ping, failed with [1002]
}
