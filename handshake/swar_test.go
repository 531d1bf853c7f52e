package handshake_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"example.org/rfc6455/handshake"
)

const (
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	digits  = "0123456789"
)

// eachOctet calls f with every octet at every place of strings of up to 20
// octets, which are otherwise filled with x.
func eachOctet(f func(s string, c byte)) {
	for n := 1; n <= 20; n++ {
		for at := range n {
			for c := range 256 {
				f(strings.Repeat("x", at)+string([]byte{byte(c)})+strings.Repeat("x", n-at-1), byte(c))
			}
		}
	}
}

// TestNameOctets (RFC 9110, Section 5.6.2).
func TestNameOctets(t *testing.T) {
	var p handshake.Parser
	eachOctet(func(s string, c byte) {
		want := strings.IndexByte(letters+digits+"!#$%&'*+-.^_`|~", c) >= 0
		if c == ':' {
			want = s[0] != ':' // what follows is the value
		}
		_, n, err := p.ParseRequest([]byte("GET / HTTP/1.1\r\n" + s + ": value\r\n\r\n"))
		if (n > 0) != want || (err == nil) != want {
			t.Errorf("a field called %q: n = %d, error %v; valid: %t", s, n, err, want)
		}
	})
}

// TestValueOctets (RFC 9110, Section 5.5).
func TestValueOctets(t *testing.T) {
	var p handshake.Parser
	eachOctet(func(s string, c byte) {
		want := c == '\t' || c >= ' ' && c != 0x7f
		r, n, err := p.ParseRequest([]byte("GET / HTTP/1.1\r\nName:" + s + "\r\n\r\n"))
		if (n > 0) != want || (err == nil) != want {
			t.Errorf("a field value %q: n = %d, error %v; valid: %t", s, n, err, want)
		}
		if want {
			if got := r.Header.Values("name"); len(got) != 1 || got[0] != strings.Trim(s, " \t") {
				t.Errorf("a field value %q is parsed as %q", s, got)
			}
		}
	})
}

// TestValidKeyOctets compares with encoding/base64, which skips line ends.
func TestValidKeyOctets(t *testing.T) {
	for at := range len(sampleKey) {
		for c := range 256 {
			key := []byte(sampleKey)
			key[at] = byte(c)
			nonce, err := base64.StdEncoding.Strict().DecodeString(string(key))
			want := err == nil && len(nonce) == 16 && c != '\r' && c != '\n'
			if got := handshake.ValidKey(string(key)); got != want {
				t.Errorf("ValidKey(%q) = %t, want %t", key, got, want)
			}
		}
	}
}
