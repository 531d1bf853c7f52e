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
	return acceptConn(ctx, ctx, nc, o)
}

// acceptConn is AcceptConn with another context for the values.
func acceptConn(ctx, values context.Context, nc net.Conn, o *AcceptOptions) (*Conn, error) {
	var remote string
	if addr := nc.RemoteAddr(); addr != nil {
		remote = addr.String()
	}
	a := newAcceptance(o, remote, nil)
	if a.options.HandshakeTimeout > 0 {
		nc.SetDeadline(time.Now().Add(a.options.HandshakeTimeout))
	}
	a.stop = context.AfterFunc(ctx, func() { nc.SetDeadline(past) })
	c, err := a.receive(ctx, values, nc)
	if err != nil && !a.stop() && ctx.Err() != nil {
		return nil, canceled("accept", ctx)
	}
	return c, err
}

// receive does the handshake on nc, which it closes if that fails.
func (a *acceptance) receive(ctx, values context.Context, nc net.Conn) (*Conn, error) {
	b, early, err := a.readRequest(nc)
	defer func() { putBuffer(b) }()
	if err == nil {
		b, err = a.prepare(b[:0], nil)
	}
	if err == nil {
		return a.open(ctx, values, nc, b, early)
	}
	defer closeNow(nc)
	if _, broken := errors.AsType[*handshake.Error](err); a.request == nil && !broken {
		return nil, fmt.Errorf("conn: accept: %w", err)
	}
	r := a.refusal(err)
	b, err2 := handshake.AppendRefusal(b[:0], r.Status, handshake.Lines(r.Header), r.Body)
	if err2 != nil {
		b, _ = handshake.AppendRefusal(b[:0], http.StatusInternalServerError, nil, "")
	}
	linger(nc, b)
	return nil, err
}

// readRequest reads the head of the request, and returns what came after it and
// a buffer of getBuffer.
func (a *acceptance) readRequest(nc net.Conn) (b, early []byte, err error) {
	var p handshake.Parser
	b = getBuffer(smallInbox)
	for {
		b = growBuffer(b, 1, handshake.DefaultMaxSize+1)
		n, err := nc.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if n == 0 && err != nil {
			return b, nil, err
		}
		if n == 0 {
			continue
		}
		r, n, err := p.ParseRequest(b)
		if err != nil {
			return b, nil, err
		}
		if n > 0 {
			a.request = r
			return b, slices.Clone(b[n:]), nil
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
