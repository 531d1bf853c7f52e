//go:build !purego

package frame

import "example.org/rfc6455/mask"

// hasAVX2 is asked by the assembly, which does nothing without.
var hasAVX2 = mask.Accelerated()
