package engineio

import (
	"context"
	"crypto/tls"
	"log/slog"
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

	// HTTP is used for polling. Nil means a client of the package's own. Its Jar is
	// not used.
	HTTP *http.Client

	// TLS configures wss and https; it is cloned. Nil means the defaults.
	TLS *tls.Config

	// Timeout limits Dial as a whole. Zero means 20 seconds.
	Timeout time.Duration

	// RequestTimeout limits each polling request beyond the time that the server
	// may hold it. Zero means 20 seconds.
	RequestTimeout time.Duration

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
// an empty path means /engine.io/. Its query is part of each request.
//
// It returns when the session is open, on the first transport; an upgrade goes on
// behind it. When ctx ends before, the error is its cause; afterwards ctx does not
// matter. The error is a [*RefusedError] if the server refuses, and otherwise says
// what could not be done.
func Dial(ctx context.Context, url string, o *DialOptions) (*Session, error) { return nil, nil }
