//go:build !linux

package conn

import (
	"errors"
	"net"
	"syscall"
)

const canPoll = false

// A poller is for systems that have an epoll.
type poller struct{}

func (*poller) pollable(net.Conn, func(*Conn, Message)) *descriptor { return nil }
func (*poller) add(*visits) error                                   { return errors.ErrUnsupported }

// A descriptor is a connection of a poller.
type descriptor struct {
	net.Conn
	visits  *visits
	drained bool
}

func (*descriptor) has(n, size int)          {}
func (*descriptor) rawConn() syscall.RawConn { return nil }
