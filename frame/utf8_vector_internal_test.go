//go:build (amd64 || arm64) && !purego

package frame

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestValidAccepts: the assembly leaves no text that is right to the words of
// Go, except for the lengths it cannot do. (That it accepts nothing else shows
// in the tests of UTF8.)
func TestValidAccepts(t *testing.T) {
	for _, sample := range []string{
		"a", "é", "世", "😀", "\u0080\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff",
		"aé世😀", strings.Repeat("a", 70) + "é", strings.Repeat("a", 200) + "😀", strings.Repeat("世", 50) + strings.Repeat("a", 300),
	} {
		text := []byte(strings.Repeat(sample, 1000))
		for n := range 1000 {
			if left(n) {
				continue
			}
			p := text[:n]
			for len(p) > 0 && !utf8.Valid(p) {
				p = p[:len(p)-1]
			}
			if got := valid(text[:n]); got != len(p) {
				t.Errorf("valid(%d octets of %.20q) = %d, want %d", n, sample, got, len(p))
			}
			if n < 4 {
				continue
			}
			q := bytes.Clone(text[:n])
			if got, done := unmaskValid(q, 0); got != len(p) || done != n {
				t.Errorf("unmaskValid(%d octets of %.20q) = %d, %d, want %d, %d", n, sample, got, done, len(p), n)
			}
		}
	}
}
