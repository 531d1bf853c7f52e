//go:build (!amd64 && !arm64) || purego

package mask_test

import (
	"testing"

	"example.org/rfc6455/mask"
)

// TestAcceleratedNot: there is no assembly in this build.
func TestAcceleratedNot(t *testing.T) {
	if mask.Accelerated() {
		t.Error("Accelerated() = true")
	}
}
