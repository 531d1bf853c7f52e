//go:build !purego

package mask_test

import (
	"testing"

	"example.org/rfc6455/mask"
)

// TestWithoutAVX2 is for processors that lack it.
func TestWithoutAVX2(t *testing.T) {
	defer mask.SetAVX2(mask.SetAVX2(false))
	t.Run("Apply", TestApply)
	t.Run("Copy", TestCopy)
	t.Run("CopyInPlace", TestCopyInPlace)
	t.Run("CopyShorter", TestCopyShorter)
	t.Run("Allocs", TestAllocs)
}
