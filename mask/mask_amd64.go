//go:build !purego

package mask

// hasAVX2 chooses between the assembly and the generic functions. It does so in
// the assembly: a function of Go between the two would cost a second call, half
// of what a short payload takes.
var hasAVX2 = supportsAVX2(cpuid, xgetbv)

func accelerated() bool { return hasAVX2 }

// xor is xorGeneric, in assembly.
//
//go:noescape
func xor(p []byte, k Key)

// xorTo is xorToGeneric, in assembly.
//
//go:noescape
func xorTo(dst, src []byte, k Key)
