package conn

import (
	"log/slog"
	"math"
	"time"

	"example.org/rfc6455/frame"
)

// NoLimit, as a limit or a timeout in [Options], turns it off; so does any other
// negative value.
const NoLimit = -1

// Options configures a [Conn]. A nil *Options and the zero value both mean the
// defaults, which are safe against a hostile peer. The struct is copied.
type Options struct {
	// MaxMessageSize limits a received message, in octets after decompression.
	// A longer one fails the connection with 1009 as soon as its length is
	// known, before its payload is read; one that is compressed, before there
	// are more octets of it. Zero means 1 MiB.
	MaxMessageSize int64

	// MemoryBudget limits what the messages of all connections that have it take
	// while they come. Nil means one that is shared by all connections of the
	// process without another.
	MemoryBudget *MemoryBudget

	// MaxControlRate limits the control frames received in a second, on
	// average; five times as many may come at once. More fail the connection
	// with 1008. Zero means 1000.
	MaxControlRate int

	// MaxQueuedSize and MaxQueuedFrames limit what waits for a peer that reads
	// more slowly than this side sends, in octets and in frames: a writer
	// beyond them blocks, a [Hub] applies its policy. Zero means 1 MiB and
	// 1024.
	MaxQueuedSize   int
	MaxQueuedFrames int

	// StallTimeout limits the wait for the next octet of a message that has
	// begun. Zero means 30 seconds.
	StallTimeout time.Duration

	// MessageTimeout limits the waiting for one message from its first octet
	// to its last; time in which nobody reads does not count. Zero means 60
	// seconds, or no limit when MaxMessageSize is off.
	MessageTimeout time.Duration

	// WriteTimeout limits the wait for the peer to take 1 KiB of what is
	// written, or the rest of it; over TLS, and where a write that its deadline
	// ended cannot be continued, 16 KiB. Beyond it the connection has failed,
	// which may take an eighth longer. Zero means 10 seconds.
	WriteTimeout time.Duration

	// PingInterval is the time between the pings of the heartbeat. Zero means
	// 25 seconds for a server and no heartbeat for a client. The first ping
	// is sent one interval after the opening handshake.
	PingInterval time.Duration

	// PongTimeout limits the wait for any octet of the peer after a ping of the
	// heartbeat, whether or not others follow it meanwhile. The answer is judged only while a goroutine reads: a slow
	// handler is not taken for a dead peer. Zero means 20 seconds.
	PongTimeout time.Duration

	// CloseTimeout limits the closing of a connection from the first Close
	// frame to the end of TCP (RFC 6455, Section 7.1.1). Zero means 5 seconds.
	CloseTimeout time.Duration

	// HandshakeTimeout limits the opening handshake, from the connection to the
	// last octet of the response. Zero means 10 seconds.
	HandshakeTimeout time.Duration

	// Compression is what to agree on with the peer for permessage-deflate (RFC
	// 7692). Nil means to send and to accept no compressed messages. It must not
	// be modified afterwards.
	Compression *Compression

	// TolerateNonMinimalLength accepts data frames whose length is encoded in
	// more octets than it needs, which Section 5.2 forbids.
	TolerateNonMinimalLength bool

	// Hooks are called as the connection lives; nil means none.
	Hooks *Hooks

	// Logger gets a record for a connection that opened, was refused, ended or
	// whose handler panicked, and never a payload. Nil means none.
	Logger *slog.Logger
}

// withDefaults returns a copy with every field filled in. What is off has
// become a limit that nothing exceeds, or a timeout of zero.
func (o *Options) withDefaults(role frame.Role) Options {
	var f Options
	if o != nil {
		f = *o
	}
	message, ping := time.Minute, time.Duration(NoLimit)
	if f.MaxMessageSize < 0 {
		message = NoLimit
	}
	if role == frame.Server {
		ping = 25 * time.Second
	}
	limit(&f.MaxMessageSize, 1<<20, math.MaxInt64)
	if f.MemoryBudget == nil {
		f.MemoryBudget = &standardBudget
	}
	limit(&f.MaxControlRate, 1000, math.MaxInt32)
	limit(&f.MaxQueuedSize, 1<<20, math.MaxInt)
	limit(&f.MaxQueuedFrames, 1024, math.MaxInt)
	limit(&f.StallTimeout, 30*time.Second, 0)
	limit(&f.MessageTimeout, message, 0)
	limit(&f.WriteTimeout, 10*time.Second, 0)
	limit(&f.PingInterval, ping, 0)
	limit(&f.PongTimeout, 20*time.Second, 0)
	limit(&f.CloseTimeout, 5*time.Second, 0)
	limit(&f.HandshakeTimeout, 10*time.Second, 0)
	if f.Hooks == nil {
		f.Hooks = &noHooks
	}
	if f.Logger == nil {
		f.Logger = noLog
	}
	return f
}

// What options without hooks and logger share.
var (
	noHooks Hooks
	noLog   = slog.New(slog.DiscardHandler)
)

// limit fills in a limit: standard where it is zero, off where it is negative.
func limit[T int | int64 | time.Duration](v *T, standard, off T) {
	if *v == 0 {
		*v = standard
	}
	if *v < 0 {
		*v = off
	}
}
