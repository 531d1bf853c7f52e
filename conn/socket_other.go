//go:build !unix

package conn

import "io"

// newSocket returns nil: this system has no sockets that are read and written
// without waiting.
func newSocket(io.ReadWriter) socket { return nil }
