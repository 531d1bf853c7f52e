//go:build !linux

package conn

import (
	"io"
	"net"
)

// Polled returns nc as a [Server] reads it on this system.
func Polled(nc net.Conn) io.ReadWriteCloser { return nc }
