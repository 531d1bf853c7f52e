package script_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/differential/script"
)

func TestSent(t *testing.T) {
	tests := []struct {
		name string
		role frame.Role
		wire string // hex
		want script.Outcome
	}{
		{"nothing", frame.Server, "", script.Outcome{At: -1}},
		{"pongs and Close", frame.Server, "8a0178 8a00 880203e8", script.Outcome{Pongs: []string{"x", ""}, Close: 1000, At: 5}},
		{"empty Close", frame.Client, "8880 00000000", script.Outcome{Close: frame.CloseNoStatusReceived, At: 0}},
		{"a code that must not be sent", frame.Server, "880203ed", script.Outcome{Close: 1005, At: 0}},
		{"data", frame.Server, "810178", script.Outcome{Stray: "text", At: -1}},
		{"half a code", frame.Server, "880103", script.Outcome{Stray: "close", At: 0}},
		{"Close twice", frame.Server, "8800 8800", script.Outcome{Close: frame.CloseNoStatusReceived, Stray: script.StrayClose, At: 0}},
		{"no mask", frame.Client, "8a00", script.Outcome{Stray: script.StrayMask, At: -1}},
		{"a mask", frame.Server, "8a80 00000000", script.Outcome{Stray: script.StrayMask, At: -1}},
		{"not minimal", frame.Server, "8a7e0000", script.Outcome{Stray: "a header that is not canonical", At: -1}},
		{"half a frame", frame.Server, "8a0278", script.Outcome{Stray: "half a frame", At: -1}},
		{"reason", frame.Server, "880303e8ff", script.Outcome{Close: 1000, Stray: script.StrayReason, At: 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wire, err := hex.DecodeString(strings.ReplaceAll(tt.wire, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			var got script.Outcome
			got.Sent(tt.role, wire, func(offset int) int { return offset })
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Sent(%s) mismatch (-want +got):\n%s", tt.wire, diff)
			}
		})
	}
}

func TestDiff(t *testing.T) {
	o := script.Outcome{Status: 101, Messages: []script.Message{{Opcode: frame.OpText, Payload: "a"}}, Pongs: []string{"b"}, Close: 1000, At: 3}
	p := script.Outcome{Status: 400, Stray: "text", Crash: "hangs", At: 4}
	all := script.Status | script.Messages | script.Pongs | script.Close | script.Stray | script.At | script.Crash
	if got := o.Diff(&p); got != all {
		t.Errorf("Diff = %b, want %b", got, all)
	}
	unknown := o
	unknown.At = -1
	if got := o.Diff(&unknown); got != 0 {
		t.Errorf("Diff with an unknown At = %b", got)
	}
}
