package mask_test

import (
	"testing"
	"testing/cryptotest"

	"example.org/rfc6455/mask"
)

// TestKeysNext: over many batches no key comes twice.
func TestKeysNext(t *testing.T) {
	cryptotest.SetGlobalRandom(t, 1)
	var keys mask.Keys
	seen := map[mask.Key]bool{}
	for i := range 1000 {
		k := keys.Next()
		if seen[k] {
			t.Fatalf("key %d, %#x, came before", i, k)
		}
		seen[k] = true
	}
}

// TestKeysBits: each bit of the key is drawn, none is constant.
func TestKeysBits(t *testing.T) {
	cryptotest.SetGlobalRandom(t, 1)
	var keys mask.Keys
	var ones, zeros mask.Key
	for range 1000 {
		k := keys.Next()
		ones, zeros = ones|k, zeros|^k
	}
	if ones != 0xffffffff || zeros != 0xffffffff {
		t.Errorf("bits seen set %#x and clear %#x in 1000 keys, want all", ones, zeros)
	}
}

func BenchmarkNewKey(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		mask.NewKey()
	}
}

func BenchmarkKeysNext(b *testing.B) {
	var keys mask.Keys
	b.ReportAllocs()
	for b.Loop() {
		keys.Next()
	}
}
