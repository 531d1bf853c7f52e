//go:build !purego

package frame_test

import (
	"testing"

	"example.org/rfc6455/frame"
)

// TestUTF8WithoutAVX2 is for processors that lack it.
func TestUTF8WithoutAVX2(t *testing.T) {
	defer frame.SetAVX2(frame.SetAVX2(false))
	t.Run("boundaries", TestUTF8)
	t.Run("random", TestUTF8Random)
	t.Run("everywhere", TestUTF8Everywhere)
}
