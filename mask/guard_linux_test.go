package mask_test

import (
	"bytes"
	"syscall"
	"testing"

	"example.org/rfc6455/mask"
)

// TestNothingBeside has payloads that begin or end where memory does: a load or
// store of an octet beside them would be a fault.
func TestNothingBeside(t *testing.T) {
	const k = mask.Key(0x84c3a251)
	a, b := guardedPage(t), guardedPage(t)
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

// guardedPage returns a page of memory between two pages that cannot be touched, until
// the test ends.
func guardedPage(t *testing.T) []byte {
	t.Helper()
	size := syscall.Getpagesize()
	b, err := syscall.Mmap(-1, 0, 3*size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(b) })
	for _, p := range [][]byte{b[:size], b[2*size:]} {
		if err := syscall.Mprotect(p, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return b[size : 2*size : 2*size]
}
