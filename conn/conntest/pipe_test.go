package conntest_test

import (
	"net"
	"testing"

	"golang.org/x/net/nettest"

	"example.org/rfc6455/conn/conntest"
)

func TestPipeNetConn(t *testing.T) {
	tests := []struct {
		name   string
		buffer int // at least a round trip of the suite, 13 octets
	}{
		{"default", 0},
		{"small", 100},
	}
	for _, tt := range tests {
		t.Run(tt.name+"/a b", func(t *testing.T) {
			nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
				a, b := conntest.Pipe(tt.buffer)
				return a, b, func() { a.Close(); b.Close() }, nil
			})
		})
		t.Run(tt.name+"/b a", func(t *testing.T) {
			nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
				a, b := conntest.Pipe(tt.buffer)
				return b, a, func() { a.Close(); b.Close() }, nil
			})
		})
	}
}
