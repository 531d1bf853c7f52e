package conn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"example.org/rfc6455/handshake"
)

const (
	// lingerTimeout limits how long a refused client may take to read why.
	lingerTimeout = 500 * time.Millisecond
	// lingerSize is how many octets it may send meanwhile.
	lingerSize = 256 << 10
)

// AcceptConn is [Accept] on a connection of which nothing has been read: the
// client's request is received and parsed without net/http, within
// Options.HandshakeTimeout and the limits of [handshake.Limits]. For TLS, nc is
// a [*crypto/tls.Conn].
//
// AcceptConn takes ownership of nc: after an error the request, if it could be
// read, has been answered and nc is closed. When ctx ends the error is its
// cause; the connection's context has its values. The error is otherwise as of
// Accept.
func AcceptConn(ctx context.Context, nc net.Conn, o *AcceptOptions) (*Conn, error) {
	a := newAcceptance(o)
	a.nc = nc
	if a.options.HandshakeTimeout > 0 {
		nc.SetDeadline(time.Now().Add(a.options.HandshakeTimeout))
		a.timed = true
	}
	if ctx.Done() != nil {
		a.stop = context.AfterFunc(ctx, func() { nc.SetDeadline(past) })
	}
	err := a.receive()
	if err == nil {
		err = a.prepare(nil)
	}
	c, err := a.conclude(ctx, err)
	if err != nil && a.stop != nil && !a.stop() && ctx.Err() != nil {
		err = canceled("accept", ctx)
	}
	a.release()
	return c, err
}

// What a handshake does is in functions one after the other, so that a goroutine can do
// it with the 2 KiB of stack that it begins with: receive, prepare and conclude.

// receive reads and judges the request.
func (a *acceptance) receive() error {
	if err := a.readRequest(); err != nil {
		return err
	}
	return a.agree()
}

// conclude answers, and begins the connection unless the handshake has failed with err:
// then it closes nc.
func (a *acceptance) conclude(ctx context.Context, err error) (*Conn, error) {
	if err == nil {
		err = a.reserve()
	}
	if err != nil {
		return nil, a.turnDown(err)
	}
	rwc, err := a.open(ctx, a.nc)
	if err != nil {
		return nil, err
	}
	return a.begin(ctx, rwc), nil
}

// turnDown answers a request that led to err, if there was one, and closes the
// connection. It returns the error to return.
func (a *acceptance) turnDown(err error) error {
	defer closeNow(a.nc)
	if _, broken := errors.AsType[*handshake.Error](err); a.request == nil && !broken {
		return fmt.Errorf("conn: accept: %w", err)
	}
	r := a.refusal(err)
	b, err2 := handshake.AppendRefusal(a.buf[:0], r.Status, handshake.Lines(r.Header), r.Body)
	if err2 != nil {
		b, _ = handshake.AppendRefusal(a.buf[:0], http.StatusInternalServerError, nil, "")
	}
	linger(a.nc, b)
	return err
}

// readRequest reads the head of the request, and what comes with it.
func (a *acceptance) readRequest() error {
	a.parser = parserPool.Get().(*handshake.Parser)
	a.buf = getBuffer(smallInbox)
	for {
		a.buf = growBuffer(a.buf, 1, handshake.DefaultMaxSize+1)
		n, err := a.nc.Read(a.buf[len(a.buf):cap(a.buf)])
		a.buf = a.buf[:len(a.buf)+n]
		if n == 0 && err != nil {
			a.parser = nil // it may be in the middle of a head
			return err
		}
		if n == 0 {
			continue
		}
		r, n, err := a.parser.ParseRequest(a.buf)
		if err != nil {
			return err
		}
		if n > 0 {
			a.request = r
			a.early = slices.Clone(a.buf[n:])
			return nil
		}
	}
}

// linger writes the last octets of a connection so that they arrive: closing it
// while octets of the peer are unread could destroy them.
func linger(nc net.Conn, last []byte) {
	// The closing alert of TLS has a deadline of its own.
	cut := time.AfterFunc(lingerTimeout, func() { closeNow(nc) })
	defer cut.Stop()
	nc.SetDeadline(time.Now().Add(lingerTimeout))
	if _, err := nc.Write(last); err != nil {
		return
	}
	if c, ok := nc.(interface{ CloseWrite() error }); ok && c.CloseWrite() == nil {
		io.CopyN(io.Discard, nc, lingerSize)
	}
}
