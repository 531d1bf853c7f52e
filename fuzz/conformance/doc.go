// Package conformance tests WebSocket servers and clients against RFC 6455.
package conformance
