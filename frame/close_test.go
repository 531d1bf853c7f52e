package frame_test

import (
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf8"

	"example.org/rfc6455/frame"
)

// allowed are the codes that may stand in a Close frame, in ranges.
var allowed = [][2]int{{1000, 1003}, {1007, 1014}, {3000, 4999}}

func isAllowed(code int) bool {
	for _, r := range allowed {
		if code >= r[0] && code <= r[1] {
			return true
		}
	}
	return false
}

// TestCloseCodes (F19, F20) tries all there are, received and sent.
func TestCloseCodes(t *testing.T) {
	for i := range 1 << 16 {
		code, want := frame.CloseCode(i), isAllowed(i)
		if got := code.Valid(); got != want {
			t.Errorf("CloseCode(%d).Valid() = %t", i, got)
		}
		wire := []byte{byte(i >> 8), byte(i)}
		got, reason, err := frame.ParseClose(wire)
		sent, sendErr := frame.AppendClose(nil, code, "")
		switch {
		case want:
			if got != code || len(reason) != 0 || err != nil {
				t.Errorf("ParseClose(%x) = %v, %q, %v; want %d", wire, got, reason, err, i)
			}
			if string(sent) != string(wire) || sendErr != nil {
				t.Errorf("AppendClose(nil, %d) = %x, %v; want %x", i, sent, sendErr, wire)
			}
		default:
			if got != 0 || reason != nil || err != frame.ErrCloseCode {
				t.Errorf("ParseClose(%x) = %v, %q, %v; want %v", wire, got, reason, err, frame.ErrCloseCode)
			}
			wantErr := error(frame.ErrCloseCode)
			if code == frame.CloseNoStatusReceived {
				wantErr = nil // an empty payload
			}
			if len(sent) != 0 || sendErr != wantErr {
				t.Errorf("AppendClose(nil, %d) = %x, %v; want no octets, %v", i, sent, sendErr, wantErr)
			}
		}
	}
}

// TestCloseCodeNames compares with the IANA registry.
func TestCloseCodeNames(t *testing.T) {
	for code, want := range map[frame.CloseCode]string{
		frame.CloseNormalClosure:           "1000 normal closure",
		frame.CloseGoingAway:               "1001 going away",
		frame.CloseProtocolError:           "1002 protocol error",
		frame.CloseUnsupportedData:         "1003 unsupported data",
		1004:                               "1004",
		frame.CloseNoStatusReceived:        "1005 no status received",
		frame.CloseAbnormalClosure:         "1006 abnormal closure",
		frame.CloseInvalidFramePayloadData: "1007 invalid frame payload data",
		frame.ClosePolicyViolation:         "1008 policy violation",
		frame.CloseMessageTooBig:           "1009 message too big",
		frame.CloseMandatoryExtension:      "1010 mandatory extension",
		frame.CloseInternalError:           "1011 internal error",
		frame.CloseServiceRestart:          "1012 service restart",
		frame.CloseTryAgainLater:           "1013 try again later",
		frame.CloseBadGateway:              "1014 bad gateway",
		frame.CloseTLSHandshake:            "1015 TLS handshake",
		0:                                  "0",
		4999:                               "4999",
	} {
		if got := code.String(); got != want {
			t.Errorf("CloseCode(%d).String() = %q, want %q", uint16(code), got, want)
		}
	}
}

func TestParseClose(t *testing.T) {
	for _, tt := range []struct {
		name   string
		wire   string // hex
		code   frame.CloseCode
		reason string
		err    error
	}{
		{name: "empty", code: frame.CloseNoStatusReceived},
		{name: "one octet", wire: "03", err: frame.ErrClosePayload},
		{name: "code", wire: "03e8", code: 1000},
		{name: "reason", wire: "03e9 627965", code: 1001, reason: "bye"},
		{name: "longest reason", wire: "03e8 61*123", code: 1000, reason: strings.Repeat("a", 123)},
		{name: "too long", wire: "03e8 61*124", err: frame.ErrControlTooLong},
		{name: "surrogate", wire: "03e8 eda080", err: frame.ErrInvalidUTF8},
		{name: "half a code point", wire: "03e8 61*121 e282", err: frame.ErrInvalidUTF8},
		{name: "bad code and reason", wire: "03ed ff", err: frame.ErrCloseCode},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, reason, err := frame.ParseClose(unhex(t, tt.wire))
			if code != tt.code || string(reason) != tt.reason || err != tt.err {
				t.Errorf("ParseClose(%s) = %v, %q, %v; want %v, %q, %v", tt.wire, code, reason, err, tt.code, tt.reason, tt.err)
			}
		})
	}
}

func TestAppendClose(t *testing.T) {
	a := func(n int) string { return strings.Repeat("a", n) }
	for _, tt := range []struct {
		name   string
		code   frame.CloseCode
		reason string
		want   string // after "x"
		err    error
	}{
		{name: "no status", code: frame.CloseNoStatusReceived},
		{name: "no status with a reason", code: frame.CloseNoStatusReceived, reason: "bye", err: frame.ErrCloseCode},
		{name: "reason", code: 1001, reason: "bye", want: "\x03\xe9bye"},
		{name: "123 octets", code: 1000, reason: a(123), want: "\x03\xe8" + a(123)},
		{name: "124 octets", code: 1000, reason: a(124), want: "\x03\xe8" + a(123)},
		{name: "cut in 2 octets", code: 1000, reason: a(122) + "é", want: "\x03\xe8" + a(122)},
		{name: "cut in 3 octets, 1 over", code: 1000, reason: a(121) + "€", want: "\x03\xe8" + a(121)},
		{name: "cut in 4 octets, 1 over", code: 1000, reason: a(120) + "😀", want: "\x03\xe8" + a(120)},
		{name: "cut in 4 octets, 3 over", code: 1000, reason: a(122) + "😀", want: "\x03\xe8" + a(122)},
		{name: "cut between code points", code: 1000, reason: a(119) + "😀é", want: "\x03\xe8" + a(119) + "😀"},
		{name: "not UTF-8", code: 1000, reason: "a\xff", err: frame.ErrInvalidUTF8},
		{name: "not UTF-8 after the cut", code: 1000, reason: a(200) + "\xff", err: frame.ErrInvalidUTF8},
		{name: "code never sent", code: frame.CloseAbnormalClosure, err: frame.ErrCloseCode},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := frame.AppendClose([]byte("x"), tt.code, tt.reason)
			if string(got) != "x"+tt.want || err != tt.err {
				t.Errorf("AppendClose(x, %v, %q) = %q, %v; want %q, %v", tt.code, tt.reason, got, err, "x"+tt.want, tt.err)
			}
		})
	}
}

// FuzzClose: what is accepted is encoded to the same octets, and what is
// encoded is accepted with the longest beginning of the reason that fits.
func FuzzClose(f *testing.F) {
	for _, wire := range []string{"", "03", "03e8", "03e9 627965", "03e8 eda080", "03ed", "0bb8 61*124", "03e8 61*122 f09f9880"} {
		f.Add(unhex(f, wire))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		code, reason, err := frame.ParseClose(p)
		if err == nil {
			again, err := frame.AppendClose(nil, code, string(reason))
			if string(again) != string(p) || err != nil {
				t.Fatalf("ParseClose(%x) = %v, %q; encodes to %x, %v", p, code, reason, again, err)
			}
		} else if err != frame.ErrClosePayload && err != frame.ErrCloseCode && err != frame.ErrInvalidUTF8 && err != frame.ErrControlTooLong {
			t.Fatalf("ParseClose(%x): %v", p, err)
		}

		wire, err := frame.AppendClose(nil, frame.CloseGoingAway, string(p))
		if utf8.Valid(p) != (err == nil) {
			t.Fatalf("AppendClose(nil, 1001, %q): %v", p, err)
		}
		if err != nil {
			return
		}
		code, reason, err = frame.ParseClose(wire)
		if code != frame.CloseGoingAway || err != nil || !strings.HasPrefix(string(p), string(reason)) {
			t.Fatalf("reason %q becomes %v, %q, %v", p, code, reason, err)
		}
		if _, next := utf8.DecodeRune(p[len(reason):]); len(reason) < len(p) && len(reason)+next <= frame.MaxCloseReason {
			t.Fatalf("reason %s was cut to %d octets", hex.EncodeToString(p), len(reason))
		}
	})
}
