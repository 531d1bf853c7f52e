package handshake

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
)

// GUID is what a server appends to the key before hashing it (RFC 6455, Section
// 1.3).
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

const (
	keySize    = 24 // base64 of 16 octets
	acceptSize = 28 // base64 of a SHA-1 sum
)

// NewKey returns a Sec-WebSocket-Key: the base64 of 16 random octets, new for
// every handshake (RFC 6455, Section 4.1). It may be called concurrently.
func NewKey() string {
	var nonce [16]byte
	rand.Read(nonce[:]) // never fails
	return base64.StdEncoding.EncodeToString(nonce[:])
}

// ValidKey reports whether key can be a Sec-WebSocket-Key: the one base64
// encoding of 16 octets, padded and with its unused bits zero (RFC 6455, Section
// 4.2.1; RFC 4648, Section 3.5).
func ValidKey(key string) bool {
	if len(key) != keySize || key[keySize-2:] != "==" {
		return false
	}
	if notBase64(word(key))|notBase64(word(key[8:]))|notBase64(word(key[keySize-10:])) != 0 {
		return false
	}
	switch key[keySize-3] { // 2 bits of the last octet and 4 of nothing
	case 'A', 'Q', 'g', 'w':
		return true
	}
	return false
}

// Accept returns the Sec-WebSocket-Accept that answers key (RFC 6455, Section
// 4.2.2). It does not check the key: see [ValidKey].
func Accept(key string) string {
	var buf [acceptSize]byte
	return string(AppendAccept(buf[:0], key))
}

// AppendAccept appends the Sec-WebSocket-Accept that answers key to dst, as
// [Accept] returns it. The result is appended to dst; dst may be nil.
func AppendAccept(dst []byte, key string) []byte {
	var buf [keySize + len(GUID)]byte
	sum := sha1.Sum(append(append(buf[:0], key...), GUID...))
	return base64.StdEncoding.AppendEncode(dst, sum[:])
}
