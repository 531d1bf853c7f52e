//go:build !purego

package frame

import "example.org/rfc6455/internal/cpu"

// hasAVX2 is asked by the assembly, which does nothing without.
var hasAVX2 = cpu.AVX2
