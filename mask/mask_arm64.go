//go:build !purego

package mask

func accelerated() bool { return true } // every one has NEON

// xor is xorGeneric, in assembly.
//
//go:noescape
func xor(p []byte, k Key)

// xorTo is xorToGeneric, in assembly.
//
//go:noescape
func xorTo(dst, src []byte, k Key)
