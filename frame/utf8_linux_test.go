package frame_test

import (
	"strings"
	"testing"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/internal/guarded"
)

// TestUTF8NothingBeside has texts that begin or end where memory does: a load or
// store of an octet beside them would be a fault.
func TestUTF8NothingBeside(t *testing.T) {
	page := guarded.Page(t)
	for _, sample := range []string{"a", "é", "世", "😀", strings.Repeat("a", 200) + "é"} {
		text := []byte(strings.Repeat(sample, 700))
		for n := range 600 {
			for _, at := range []int{0, len(page) - n} {
				p := page[at:][:n:n]
				copy(p, text)
				want := firstImpossible(p)
				var u, v frame.UTF8
				if got := u.Next(p); got != want {
					t.Fatalf("Next(%d octets of %q at %d) = %d, want %d", n, sample, at, got, want)
				}
				if got := v.Unmask(p, 0); got != want {
					t.Fatalf("Unmask(%d octets of %q at %d) = %d, want %d", n, sample, at, got, want)
				}
			}
		}
	}
}
