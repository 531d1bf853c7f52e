//go:build (!amd64 && !arm64) || purego

package mask

func accelerated() bool { return false }

func xor(p []byte, k Key) { xorGeneric(p, k) }

func xorTo(dst, src []byte, k Key) { xorToGeneric(dst, src, k) }
