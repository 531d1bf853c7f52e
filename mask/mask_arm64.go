//go:build !purego

package mask

// xor is xorGeneric, in assembly.
//
//go:noescape
func xor(p []byte, k Key)

// xorTo is xorToGeneric, in assembly.
//
//go:noescape
func xorTo(dst, src []byte, k Key)
