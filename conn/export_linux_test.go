package conn

import (
	"io"
	"net"
)

// sharedPoller is that of Polled.
var sharedPoller poller

// Polled returns nc as a [Server] reads it on this system. It takes ownership of nc.
func Polled(nc net.Conn) io.ReadWriteCloser {
	d := sharedPoller.pollable(nc)
	if d == nil {
		panic("no descriptors are left")
	}
	if err := sharedPoller.add(d); err != nil {
		panic(err)
	}
	return d
}
