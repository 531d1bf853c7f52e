package handshake_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"testing/cryptotest"

	"example.org/rfc6455/handshake"
)

// The key and its answer in RFC 6455, Section 1.3.
const (
	sampleKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	sampleAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

func TestAccept(t *testing.T) {
	tests := []struct{ name, key, want string }{
		{name: "RFC 6455 1.3", key: sampleKey, want: sampleAccept},
		{name: "empty", key: "", want: "Kfh9QIsMVZcl6xEPYxPHzW8SZ8w="},
		{name: "longer than a key", key: strings.Repeat("A", 100), want: "WXqNWiGhe0+utGv47+HlLjR7KVw="},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := handshake.Accept(tt.key); got != tt.want {
				t.Errorf("Accept(%q) = %q, want %q", tt.key, got, tt.want)
			}
			if got := string(handshake.AppendAccept([]byte("x"), tt.key)); got != "x"+tt.want {
				t.Errorf("AppendAccept(x, %q) = %q, want %q", tt.key, got, "x"+tt.want)
			}
		})
	}
}

func TestValidKey(t *testing.T) {
	tests := []struct {
		name, key string
		want      bool
	}{
		{name: "RFC 6455 1.3", key: sampleKey, want: true},
		{name: "zeros", key: "AAAAAAAAAAAAAAAAAAAAAA==", want: true},
		{name: "ones", key: "/////////////////////w==", want: true},
		{name: "plus", key: "++++++++++++++++++++++==", want: false},
		{name: "plus canonical", key: "+++++++++++++++++++++g==", want: true},
		{name: "empty", key: ""},
		{name: "15 octets", key: "AAAAAAAAAAAAAAAAAAAA"},
		{name: "17 octets", key: "AAAAAAAAAAAAAAAAAAAAAAA="},
		{name: "17 octets in 24 characters", key: "AAAAAAAAAAAAAAAAAAAAAAE="},
		{name: "18 octets", key: "AAAAAAAAAAAAAAAAAAAAAAAA"},
		{name: "URL alphabet", key: "__-_____________________"},
		{name: "URL alphabet padded", key: "_____________________w=="},
		{name: "no padding", key: "dGhlIHNhbXBsZSBub25jZQ"},
		{name: "inner space", key: "dGhlIHNhbXBs ZSBub25jZQ="},
		{name: "inner space of the right length", key: "dGhlIHNhb BsZSBub25jZQ=="},
		{name: "inner padding", key: "dGhlIHNhb=BsZSBub25jZQ=="},
		{name: "trailing bits not zero", key: "dGhlIHNhbXBsZSBub25jZR=="},
		{name: "trailing newline", key: sampleKey + "\n"},
		{name: "beyond ASCII", key: "dGhlIHNhbX\xff\xffZSBub25jZQ=="},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := handshake.ValidKey(tt.key); got != tt.want {
				t.Errorf("ValidKey(%q) = %v, want %v", tt.key, got, tt.want)
			}
			nonce, err := base64.StdEncoding.Strict().DecodeString(tt.key)
			if got := err == nil && len(nonce) == 16 && len(tt.key) == 24; got != tt.want {
				t.Errorf("encoding/base64 says %v of %q, want %v", got, tt.key, tt.want)
			}
		})
	}
}

func TestNewKey(t *testing.T) {
	cryptotest.SetGlobalRandom(t, 1)
	seen := make(map[string]bool)
	for range 1000 {
		key := handshake.NewKey()
		if !handshake.ValidKey(key) || seen[key] {
			t.Fatalf("NewKey() = %q, which is invalid or not new", key)
		}
		seen[key] = true
	}
}

func BenchmarkAppendAccept(b *testing.B) {
	var buf [28]byte
	b.ReportAllocs()
	for b.Loop() {
		if got := handshake.AppendAccept(buf[:0], sampleKey); len(got) != 28 {
			b.Fatalf("%q", got)
		}
	}
}
