//go:build !purego

package frame

// SetAVX2 switches the assembly on or off and returns what it was before.
func SetAVX2(on bool) (before bool) {
	before, hasAVX2 = hasAVX2, on
	return before
}

// left reports whether valid leaves texts of n octets to the words of Go.
func left(n int) bool { return !hasAVX2 || n == 33 || n == 34 }
