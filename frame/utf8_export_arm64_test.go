//go:build !purego

package frame

// left reports whether valid leaves texts of n octets to the words of Go.
func left(n int) bool { return n < 16 || n == 17 || n == 18 }
