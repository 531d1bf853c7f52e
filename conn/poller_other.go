//go:build !linux

package conn

import (
	"errors"
	"net"
	"net/http"
)

const canPoll = false

// A poller is for systems that have an epoll.
type poller struct {
	handle    func(*Conn, Message)
	pacemaker pacemaker
}

func pollerOf(*http.Request, net.Conn) *poller { return nil }

func (*poller) pollable(net.Conn) *descriptor { return nil }
func (*poller) add(*descriptor) error         { return errors.ErrUnsupported }

// A descriptor is a connection of a poller.
type descriptor struct {
	net.Conn
	visits
}

func (*descriptor) late() error               { return nil }
func (*descriptor) polled() bool              { return false }
func (*descriptor) await()                    {}
func (*descriptor) leavePark()                {}
func (*descriptor) signal()                   {}
func (*descriptor) look([]byte) (int, error)  { return 0, errors.ErrUnsupported }
func (*descriptor) read(*inbox) (int, error)  { return 0, errors.ErrUnsupported }
func (*descriptor) write([]byte) (int, error) { return 0, errors.ErrUnsupported }
