//go:build (!amd64 && !arm64) || purego

package frame

import "example.org/rfc6455/mask"

// valid leaves everything to the words of Go.
func valid([]byte) int { return 0 }

// unmaskValid leaves everything to mask.Apply and the words of Go.
func unmaskValid([]byte, mask.Key) (n, done int) { return 0, 0 }
