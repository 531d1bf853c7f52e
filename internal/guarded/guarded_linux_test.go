package guarded_test

import (
	"fmt"
	"runtime/debug"
	"testing"
	"unsafe"

	"example.org/rfc6455/internal/guarded"
)

// TestPage: all of it can be written, and nothing beside it.
func TestPage(t *testing.T) {
	p := guarded.Page(t)
	for i := range p {
		p[i] = byte(i)
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	for _, tt := range []struct {
		name  string
		touch func()
	}{
		{"before", func() { *before(p) = 1 }},
		{"behind", func() { *behind(p) = 1 }},
	} {
		if err := fault(tt.touch); err == nil {
			t.Errorf("an octet %s the page can be written", tt.name)
		}
	}
}

// fault returns what f panics with.
func fault(f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	f()
	return nil
}

// before and behind return the octets beside p.
func before(p []byte) *byte { return (*byte)(unsafe.Add(unsafe.Pointer(&p[0]), -1)) }
func behind(p []byte) *byte { return (*byte)(unsafe.Add(unsafe.Pointer(&p[0]), len(p))) }
