package engineio

import (
	"log/slog"
	"math"
	"net/http"
	"slices"
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
// which are safe against a hostile peer. Its functions may be called concurrently; a
// nil one is not called.
type Options struct {
	// PingInterval is the time between two pings of the heartbeat, and PingTimeout
	// limits the wait for the answer. In revision 3, where the client pings, it is
	// given up after both. A peer is judged only while the session is read: a slow
	// Receiver is not taken for a dead peer. Zero means 25 and 20 seconds; they
	// cannot be off.
	PingInterval, PingTimeout time.Duration

	// UpgradeTimeout limits an upgrade from polling to WebSocket, after which the
	// session goes on polling. Zero means 10 seconds.
	UpgradeTimeout time.Duration

	// BodyTimeout limits the wait for the body of a request. Zero means 10
	// seconds.
	BodyTimeout time.Duration

	// WriteTimeout limits the wait for the peer to take 16 KiB of a polling response,
	// or 1 KiB over a WebSocket. Zero means 10 seconds.
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

	// Transports are those a session may use; others than the two above do not
	// exist. Nil means both.
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

// withDefaults returns a copy with every field filled in. What is off has become a
// limit that nothing exceeds, or a timeout of zero.
func (o *Options) withDefaults() Options {
	var f Options
	if o != nil {
		f = *o
	}
	period(&f.PingInterval, 25*time.Second)
	period(&f.PingTimeout, 20*time.Second)
	limit(&f.UpgradeTimeout, 10*time.Second, 0)
	limit(&f.BodyTimeout, 10*time.Second, 0)
	limit(&f.WriteTimeout, 10*time.Second, 0)
	limit(&f.CloseTimeout, 30*time.Second, 0)
	limit(&f.MaxPayload, 1_000_000, math.MaxInt32)
	limit(&f.MaxPackets, 1024, math.MaxInt)
	limit(&f.MaxQueuedSize, 1<<20, math.MaxInt)
	limit(&f.MaxQueuedPackets, 1024, math.MaxInt)
	limit(&f.MaxSessions, 100_000, math.MaxInt)
	limit(&f.MaxSessionsPerHost, math.MaxInt, math.MaxInt)
	limit(&f.CompressionMinSize, 1024, math.MaxInt)
	if f.Transports == nil {
		f.Transports = []Transport{Polling, WebSocket}
	}
	f.Transports = slices.DeleteFunc(slices.Clone(f.Transports), func(t Transport) bool { return t != Polling && t != WebSocket })
	if f.Logger == nil {
		f.Logger = slog.New(slog.DiscardHandler)
	}
	return f
}

// limit fills in a limit: standard where it is zero, off where it is negative.
func limit[T int | time.Duration](v *T, standard, off T) {
	if *v == 0 {
		*v = standard
	}
	if *v < 0 {
		*v = off
	}
}

// period fills in a time of the heartbeat, which cannot be off: at least a
// millisecond, which is what the handshake counts in.
func period(v *time.Duration, standard time.Duration) {
	if *v <= 0 {
		*v = standard
	}
	*v = max(*v, time.Millisecond)
}

// addLimit adds to a limit, which may be none.
func addLimit(limit, n int) int {
	if limit > math.MaxInt-n {
		return limit
	}
	return limit + n
}
