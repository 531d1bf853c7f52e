//go:build !purego

package frame

// SetAVX2 switches the assembly on or off and returns what it was before.
func SetAVX2(on bool) (before bool) {
	before, hasAVX2 = hasAVX2, on
	return before
}
