//go:build !purego

package mask

import "example.org/rfc6455/internal/cpu"

// hasAVX2 chooses between the assembly and the generic functions. It does so in
// the assembly: a function of Go between the two would cost a second call, half
// of what a short payload takes.
var hasAVX2 = cpu.AVX2

// xor is xorGeneric, in assembly.
//
//go:noescape
func xor(p []byte, k Key)

// xorTo is xorToGeneric, in assembly.
//
//go:noescape
func xorTo(dst, src []byte, k Key)
