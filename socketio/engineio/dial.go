package engineio

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"time"

	"example.org/rfc6455/conn"
)

// DialOptions configures [Dial]. It is not modified, and may be used by several
// calls at a time.
type DialOptions struct {
	// Handler is called when the session is open, and returns the receiver of its
	// messages. It may send already.
	Handler func(s *Session) Receiver

	// Transports are those to use, in this order: the next one is tried when one
	// cannot be connected, if TryAllTransports is set. Nil means polling, then
	// WebSocket.
	Transports       []Transport
	TryAllTransports bool

	// NoUpgrade keeps a session that began with polling there.
	NoUpgrade bool

	// EIO3 speaks revision 3, to servers of Socket.IO 2.
	EIO3 bool

	// Header holds more fields of each request, such as Cookie or Authorization.
	Header http.Header

	// Jar keeps cookies; nil means a jar of the session's own, so that proxies that
	// tell sessions by a cookie work.
	Jar http.CookieJar

	// HTTP is used for polling, except that its Jar is not and that redirects are
	// not followed. Nil means a client of the session's own.
	HTTP *http.Client

	// TLS configures wss and, unless HTTP is set, https; it is cloned. Nil means the
	// defaults.
	TLS *tls.Config

	// NetDial connects a WebSocket and, unless HTTP is set, for polling: see
	// [conn.DialOptions]. Nil means [net.Dialer.DialContext].
	NetDial func(ctx context.Context, network, address string) (net.Conn, error)

	// Timeout limits Dial as a whole. Zero means 20 seconds.
	Timeout time.Duration

	// RequestTimeout limits each polling request that sends packets; the heartbeat
	// limits the others. Zero means 20 seconds.
	RequestTimeout time.Duration

	// UpgradeTimeout limits an upgrade from polling to WebSocket, after which the
	// session goes on polling. Zero means 10 seconds.
	UpgradeTimeout time.Duration

	// MaxPayload limits what the server sends at once, in octets: a response, or a
	// message of a WebSocket. Zero means 16 MiB.
	MaxPayload int

	// MaxPackets limits the packets in a response. Zero means 16384.
	MaxPackets int

	// MaxQueuedSize and MaxQueuedPackets limit what waits to be sent, in octets and
	// in packets. Zero means 1 MiB and 1024.
	MaxQueuedSize, MaxQueuedPackets int

	// Compression is what to agree on with the peer for permessage-deflate (RFC
	// 7692). Nil means not to compress what goes over a WebSocket.
	Compression *conn.Compression

	// Logger gets a record for a Receiver that panicked. Nil means none.
	Logger *slog.Logger
}

// Dial begins a session with a server. The scheme of url is http, https, ws or wss;
// an empty path means /engine.io/. Its query is part of each request. A nil o, or
// one without a Handler, has messages passed over.
//
// It returns when the session is open, on the first transport; an upgrade goes on
// behind it. When ctx ends before, the error is its cause; afterwards ctx does not
// matter. The error is a [*RefusedError] if the server refuses, [conn.ErrURL] for a
// URL that cannot be used, and otherwise says what could not be done.
func Dial(ctx context.Context, url string, o *DialOptions) (*Session, error) {
	d, err := newDialer(url, o)
	if err != nil {
		return nil, err
	}
	if d.options.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.options.Timeout)
		defer cancel()
	}
	var failed error
	for _, t := range d.options.Transports {
		s, err := d.dial(ctx, t)
		if err == nil {
			return s, nil
		}
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		failed = errors.Join(failed, fmt.Errorf("engineio: dial by %s: %w", t, err))
		if !d.options.TryAllTransports || ctx.Err() != nil {
			break
		}
	}
	d.forget(nil)
	return nil, failed
}

// withDefaults returns a copy with every field filled in, as that of [Options].
func (o *DialOptions) withDefaults() DialOptions {
	var f DialOptions
	if o != nil {
		f = *o
	}
	limit(&f.Timeout, 20*time.Second, 0)
	limit(&f.RequestTimeout, 20*time.Second, 0)
	limit(&f.UpgradeTimeout, 10*time.Second, 0)
	limit(&f.MaxPayload, 16<<20, math.MaxInt32)
	limit(&f.MaxPackets, 16384, math.MaxInt)
	limit(&f.MaxQueuedSize, 1<<20, math.MaxInt)
	limit(&f.MaxQueuedPackets, 1024, math.MaxInt)
	if len(f.Transports) == 0 {
		f.Transports = []Transport{Polling, WebSocket}
	}
	if f.Handler == nil {
		f.Handler = func(*Session) Receiver { return deaf{} }
	}
	if f.Logger == nil {
		f.Logger = slog.New(slog.DiscardHandler)
	}
	return f
}
