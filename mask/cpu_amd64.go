//go:build !purego

package mask

// cpuid executes the instruction of that name for a leaf and its subleaf 0.
func cpuid(leaf uint32) (eax, ebx, ecx, edx uint32)

// xgetbv returns the low half of the extended control register 0: what the
// operating system saves. It must not be called without OSXSAVE.
func xgetbv() (eax uint32)

// supportsAVX2 reports whether the instructions of AVX2 may be used: the processor has
// them, and the operating system saves the vector registers they work on. It asks as
// the manuals of Intel and AMD say.
func supportsAVX2(cpuid func(leaf uint32) (eax, ebx, ecx, edx uint32), xgetbv func() uint32) bool {
	const (
		osxsave = 1 << 27 // leaf 1, ecx: xgetbv may be used
		avx     = 1 << 28 // leaf 1, ecx
		avx2    = 1 << 5  // leaf 7, ebx
		ymm     = 1<<1 | 1<<2
	)
	if most, _, _, _ := cpuid(0); most < 7 {
		return false
	}
	if _, _, ecx, _ := cpuid(1); ecx&(osxsave|avx) != osxsave|avx {
		return false
	}
	if xgetbv()&ymm != ymm {
		return false
	}
	_, ebx, _, _ := cpuid(7)
	return ebx&avx2 != 0
}
