package mask_test

import (
	"bytes"
	"testing"

	"example.org/rfc6455/internal/guarded"
	"example.org/rfc6455/mask"
)

// TestNothingBeside has payloads that begin or end where memory does: a load or
// store of an octet beside them would be a fault.
func TestNothingBeside(t *testing.T) {
	const k = mask.Key(0x84c3a251)
	a, b := guarded.Page(t), guarded.Page(t)
	size := len(a)
	plain := noise(size)
	for n := range min(maxLen, size) + 1 {
		for _, at := range []int{0, size - n} {
			p, q := a[at:][:n:n], b[size-n-at:][:n:n] // q at the other end
			want := reference(plain[:n], k)
			copy(p, plain)
			mask.Copy(q, p, k)
			mask.Apply(p, k)
			if !bytes.Equal(p, want) || !bytes.Equal(q, want) {
				t.Fatalf("%d octets at %d of %d are masked wrongly", n, at, size)
			}
		}
	}
}
