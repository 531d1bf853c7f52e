package frame_test

import (
	"strings"
	"syscall"
	"testing"

	"example.org/rfc6455/frame"
)

// TestUTF8NothingBeside has texts that begin or end where memory does: a load or
// store of an octet beside them would be a fault.
func TestUTF8NothingBeside(t *testing.T) {
	page := guardedPage(t)
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
