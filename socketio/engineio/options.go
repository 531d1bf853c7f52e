package engineio

import (
	"crypto/tls"
	"log/slog"
	"net/http"
	"time"

	"example.org/rfc6455/conn"
)

// A Transport carries the packets of a session.
type Transport string

const (
	// Polling is requests of HTTP: a GET is held until there is something to
	// send, a POST brings what the client sends.
	Polling Transport = "polling"
	// WebSocket is a connection of RFC 6455.
	WebSocket Transport = "websocket"
)

// NoLimit, as a limit or a timeout, turns it off; so does any other negative value.
const NoLimit = -1

// Options configures a [Server]. Nil and the zero value both mean the defaults,
// which are safe against a hostile peer.
type Options struct {
	// PingInterval is the time between two pings of the heartbeat, and PingTimeout
	// limits the wait for the answer. In revision 3, where the client pings, it is
	// given up after both. A peer is judged only while the session is read: a slow
	// Receiver is not taken for a dead peer. Zero means 25 and 20 seconds.
	PingInterval, PingTimeout time.Duration

	// UpgradeTimeout limits an upgrade from polling to WebSocket, after which the
	// session goes on polling. Zero means 10 seconds.
	UpgradeTimeout time.Duration

	// BodyTimeout limits the wait for the body of a request. Zero means 10
	// seconds.
	BodyTimeout time.Duration

	// WriteTimeout limits the wait for the peer to take a polling response, or 1
	// KiB over a WebSocket. Zero means 10 seconds.
	WriteTimeout time.Duration

	// CloseTimeout limits the wait for a poll whose answer closes the session.
	// Zero means 30 seconds.
	CloseTimeout time.Duration

	// MaxPayload limits what a client sends at once, in octets: the body of a
	// request, or a message of a WebSocket. Zero means 1,000,000.
	MaxPayload int

	// MaxPackets limits the packets in the body of a request. Zero means 1024.
	MaxPackets int

	// MaxQueuedSize and MaxQueuedPackets limit what waits for a client that takes
	// it more slowly than it is sent, in octets and in packets. Zero means 1 MiB
	// and 1024.
	MaxQueuedSize, MaxQueuedPackets int

	// MaxSessions and MaxSessionsPerHost limit the sessions in all and from one
	// remote host; more are refused with 503. Zero means 100,000 in all, and no
	// limit for a host.
	MaxSessions, MaxSessionsPerHost int

	// Transports are those a session may use. Nil means both.
	Transports []Transport

	// NoUpgrade keeps a session that began with polling there.
	NoUpgrade bool

	// EIO3 accepts clients of revision 3, such as those of Socket.IO 2.
	EIO3 bool

	// JSONP accepts clients of revision 3 that poll by script elements, which only
	// browsers without cross-origin requests need.
	JSONP bool

	// Origins are patterns of the origins whose pages may connect besides those
	// of the request's own host, such as "https://app.example.com" or
	// "*.example.com": see [handshake.NewOrigins]. They hold for every request,
	// of either transport. Clients that are not browsers send no Origin and are
	// not held back.
	Origins []string

	// InsecureAnyOrigin lets every page on the web connect with the cookies of
	// its visitor. It is for services that neither use cookies nor trust the
	// network a visitor is in.
	InsecureAnyOrigin bool

	// CORS has browsers show responses to the pages of other origins that may
	// connect, which polling needs and a WebSocket does not. Nil means not to.
	CORS *CORS

	// Cookie is set to the id of a session by the response that begins a polling
	// one. A proxy can tell by it which server a session is on. An empty Name
	// means "io", with the path /, HttpOnly and SameSite=Lax. Nil means none.
	Cookie *http.Cookie

	// AllowRequest decides about each request for a new session. An error refuses
	// it; a [*RefusedError] chooses the text that the client is told. Nil allows
	// all.
	AllowRequest func(r *http.Request) error

	// Principal returns whom a request is from, such as a user by a cookie. The
	// requests of a session must all be from the one who began it; others are
	// refused with 403. Nil means that knowing the id of a session is enough.
	Principal func(r *http.Request) string

	// NewID returns the id of a new session: unique and hard to guess, of at most
	// 128 octets that need no escape in a query. An error refuses the session. Nil
	// means 120 random bits.
	NewID func(r *http.Request) (string, error)

	// InitialHeaders and Headers may add fields to responses: the former to the
	// first of a session, the latter to every one that is not a refusal. Both see
	// polling responses and those that open a WebSocket.
	InitialHeaders, Headers func(h http.Header, r *http.Request)

	// OnConnectionError is told of each request that is refused.
	OnConnectionError func(e *ConnectionError)

	// OnUpgrade is called when a session has moved from polling to a WebSocket.
	OnUpgrade func(s *Session)

	// CompressionMinSize is from how many octets on a polling response is
	// compressed by gzip, for clients that accept that. Zero means 1024, negative
	// never.
	CompressionMinSize int

	// Compression is what to agree on with the peer for permessage-deflate (RFC
	// 7692). Nil means not to compress what goes over a WebSocket.
	Compression *conn.Compression

	// Logger gets a record for a Receiver that panicked. Nil means none.
	Logger *slog.Logger
}

// CORS says what browsers may do with responses to pages of other origins (Fetch
// Standard, Section 3.2). Which origins, Options.Origins tells, and Options.
// InsecureAnyOrigin for all. The zero value lets pages read them, without cookies.
type CORS struct {
	// Credentials lets pages send cookies and authorization.
	Credentials bool
	// Methods are those of a preflight's answer. Nil means GET, HEAD, PUT, PATCH,
	// POST and DELETE.
	Methods []string
	// AllowedHeaders are the fields that a page may set. Nil means whatever it
	// asks for.
	AllowedHeaders []string
	// ExposedHeaders are the fields of responses that a page may read. Nil means
	// the usual ones.
	ExposedHeaders []string
	// MaxAge is how long a browser may remember the answer to a preflight. Zero
	// means that it is not told.
	MaxAge time.Duration
}

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
