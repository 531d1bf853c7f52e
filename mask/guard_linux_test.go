package mask_test

import (
	"bytes"
	"syscall"
	"testing"

	"example.org/rfc6455/mask"
)

// guarded returns n octets between two pages that cannot be touched.
func guarded(t *testing.T, n int) []byte {
	t.Helper()
	page := syscall.Getpagesize()
	b, err := syscall.Mmap(-1, 0, page+n+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(b) })
	for _, p := range [][]byte{b[:page], b[page+n:]} {
		if err := syscall.Mprotect(p, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return b[page : page+n]
}

// TestNothingBeside has payloads that begin or end where memory does: a load or
// store of an octet beside them would be a fault.
func TestNothingBeside(t *testing.T) {
	const k = mask.Key(0x84c3a251)
	size := syscall.Getpagesize()
	a, b := guarded(t, size), guarded(t, size)
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
