package conntest

import (
	"context"
	"net"
	"sync"
	"syscall"
)

// backlog is how many connections wait to be accepted.
const backlog = 128

// A Listener is a [net.Listener] in memory, whose connections are made by its
// method Dial: servers and clients meet over it without a network, inside a
// synctest bubble, too. Its methods may be called concurrently.
type Listener struct {
	conns chan *End
	done  chan struct{} // closed by Close
	once  sync.Once
}

// Listen returns a listener. One that is used in a synctest bubble must be made
// in it.
func Listen() *Listener {
	return &Listener{conns: make(chan *End, backlog), done: make(chan struct{})}
}

// Dial returns the first end of a new [Pipe], whose second one Accept returns.
// As on a network it does not wait for that, unless 128 connections wait
// already. The network and the address are not looked at, so that Dial can stand
// for [net.Dialer.DialContext].
//
// The error is the cause of ctx, or matches [syscall.ECONNREFUSED] when the
// listener is closed.
func (l *Listener) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	a, b := Pipe(0)
	select {
	case <-l.done:
		return nil, l.opError("dial", syscall.ECONNREFUSED)
	default:
	}
	select {
	case l.conns <- b:
		select {
		case <-l.done:
			l.refuse() // Close may not have seen it
		default:
		}
		return a, nil
	case <-l.done:
		return nil, l.opError("dial", syscall.ECONNREFUSED)
	case <-ctx.Done():
		return nil, l.opError("dial", context.Cause(ctx))
	}
}

// Accept waits for the next connection. The error matches [net.ErrClosed].
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case <-l.done:
		return nil, l.opError("accept", net.ErrClosed)
	default:
	}
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, l.opError("accept", net.ErrClosed)
	}
}

// Close ends Accept and Dial, and resets the connections that were not accepted.
// Those that were are left alone. A second Close fails with [net.ErrClosed].
func (l *Listener) Close() error {
	err := l.opError("close", net.ErrClosed)
	l.once.Do(func() {
		close(l.done)
		err = nil
	})
	l.refuse()
	return err
}

// refuse resets the connections that wait.
func (l *Listener) refuse() {
	for {
		select {
		case c := <-l.conns:
			c.Reset()
		default:
			return
		}
	}
}

// Addr returns the address of the ends that Accept returns, a [*net.TCPAddr].
func (l *Listener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 2} }

func (l *Listener) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Addr: l.Addr(), Err: err}
}
