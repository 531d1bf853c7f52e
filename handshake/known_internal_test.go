package handshake

import (
	"strings"
	"testing"
)

// TestKnownField: a field is known by its name in any case, and not if the name has
// another octet somewhere, or two that differ in the same bits.
func TestKnownField(t *testing.T) {
	const tokens = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	for k, known := range knownNames {
		for i := range known {
			for _, c := range []byte(tokens) {
				for j := range known[:i+1] {
					name := []byte(known)
					name[i] = c
					if j < i {
						name[j] ^= known[i] ^ c
					}
					if !strings.ContainsRune(tokens, rune(name[j])) {
						continue
					}
					if got, same := knownField(string(name)), strings.EqualFold(string(name), known); (int(got) == k) != same {
						t.Fatalf("knownField(%q) = %d; %q is %d", name, got, known, k)
					}
				}
			}
		}
	}
}
