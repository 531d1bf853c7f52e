package conn

import (
	"context"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
	"example.org/rfc6455/mask"
)

// A Handshake is what an opening handshake agreed on.
type Handshake struct {
	// Target is the request-target: the path and query of a server's resource.
	Target string

	// Subprotocol is the one in use; empty means none.
	Subprotocol string

	// Extensions are those in use, as the server's answer has them. They are
	// for [Conn.Extensions] alone: permessage-deflate is in use if Deflate says
	// so.
	Extensions []handshake.Extension

	// Deflate is what was agreed on for permessage-deflate (RFC 7692). Nil means
	// that it is not in use. See [deflate.Config] for how to agree.
	Deflate *deflate.Params

	// Early holds octets of the peer that came together with its part of the
	// handshake. They are read before those of the stream.
	Early []byte

	// Data is whatever the hook of [AcceptOptions] wants to keep with the
	// connection, such as the user it is for.
	Data any
}

// A Conn is a WebSocket connection of either role.
//
// One goroutine at a time may read: call [Conn.ReadMessage],
// [Conn.AppendMessage], [Conn.NextReader] and what is built on them; another
// one meanwhile gets [ErrConcurrentRead]. All other methods may be called from
// any goroutine at any time.
//
// Pings are answered, pongs seen and Close frames noticed inside the reading
// methods, so a connection must be read until an error comes; use
// [Conn.Discard] when no messages are expected.
//
// Every connection must be closed, with [Conn.Close] or [Conn.CloseNow]. A
// Conn must not be copied.
type Conn struct {
	options *Options // with defaults
	opened  time.Time
	target  string
	agreed  *agreement // on what is not so for most connections; nil if nothing is

	t         transport
	visits    *descriptor // of a Server on a plain socket; nil for others
	readBrake brake

	// The reader's.
	*intake        // nil between two reads, if there is nothing in it
	serial  uint64 // of the message that was begun last
	rate    rate   // of the control frames that have come

	out        outbox
	writeBrake brake
	keys       *mask.Keys // of a client; guarded by out.mu

	// What is small lies together, as do all fields so that none are padded: a
	// process may have very many connections.
	role    frame.Role
	phase   phase         // guarded by mu
	done    bool          // whether all is done that belongs to the end; guarded by mu
	evicted atomic.Bool   // whether the message being read has to make room for others
	seat    seat          // whose taker the reader is
	waits   atomic.Uint32 // how often the reader began or ended a wait for the peer: odd while it waits

	shared sharedCounters // of received
	stalls atomic.Int64   // since when a charged message waits for its next octet, 1 being when opened; zero if none does
	ended  atomic.Pointer[CloseError]

	mu        sync.Mutex // guards what follows
	ending    *ending    // nil before the first sign of the end; made before seat is closing, and then for anybody to see
	heartbeat heartbeat
	places    *place     // in hubs, one behind the other
	followers *followers // nil before there were any
}

// New returns a connection over a stream on which an opening handshake has been
// done, in the given role. Use it for a handshake of one's own, for HTTP/2 and
// for tunnels; [Accept], [AcceptConn] and [Dial] do the handshake, too.
//
// The stream should have SetReadDeadline and SetWriteDeadline, as a [net.Conn]
// has. Otherwise it is closed where a deadline is needed: then a canceled
// context, too, ends the connection. If it has CloseWrite, that is used to
// deliver the last frame before the stream is closed. Closing the stream must
// unblock its methods.
//
// A nil o means the defaults. New takes ownership of rwc and of h.Early.
func New(rwc io.ReadWriteCloser, role frame.Role, h Handshake, o *Options) *Conn {
	options := o.withDefaults(role)
	c := newConn(rwc, role, &h, &options, context.Background())
	c.begin(nil)
	return c
}

// newConn returns a connection whose options have been filled in, for begin. Its
// context has the values of ctx, and does not end with it.
func newConn(rwc io.ReadWriteCloser, role frame.Role, h *Handshake, o *Options, ctx context.Context) *Conn {
	c := &Conn{
		role:    role,
		options: o,
		opened:  time.Now(),
		target:  h.Target,
		agreed:  newAgreement(h, ctx),
	}
	c.t = newTransport(rwc)
	if d, ok := rwc.(*descriptor); ok {
		c.visits = d
		d.conn = c
	}
	c.takeIntake()
	if h.Deflate != nil {
		c.startCompression(h.Deflate)
	}
	if role == frame.Client {
		c.keys = new(mask.Keys)
	}
	if c.t.socket == nil && o.WriteTimeout > 0 {
		c.out.watch = new(watch)
	}
	c.out.queue = &noQueue
	c.out.options = o
	c.out.chunks = c.t.socket == nil
	if n := len(h.Early); n > 0 {
		c.in.buf, c.in.w = h.Early, n
		c.received.octets = uint64(n)
		c.publish()
	}
	return c
}

// begin begins the connection. It shares the pacemaker with others, if that is not nil.
func (c *Conn) begin(p *pacemaker) {
	if c.options.Hooks.OnOpen != nil {
		c.options.Hooks.OnOpen(c)
	}
	if l := c.options.Logger; l.Enabled(context.Background(), slog.LevelDebug) {
		l.Debug("websocket open", "conn", c)
	}
	c.startHeartbeat(p)
}

// now returns the time since the connection was opened, by a clock that is not
// set.
func (c *Conn) now() time.Duration { return time.Since(c.opened) }

// Role returns the side that this process is.
func (c *Conn) Role() frame.Role { return c.role }

// State returns where the connection stands. It may have moved on already.
func (c *Conn) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.phase.state()
}

// Target returns the request-target of the opening handshake: the path and
// query that the client asked for.
func (c *Conn) Target() string { return c.target }

// Subprotocol returns the subprotocol in use; empty means none (RFC 6455,
// Section 1.9).
func (c *Conn) Subprotocol() string { return c.agreed.orNone().subprotocol }

// Extensions returns the extensions in use, in their order (RFC 6455, Section
// 9.1). The caller must not modify the result.
func (c *Conn) Extensions() []handshake.Extension { return c.agreed.orNone().extensions }

// Opened returns when the opening handshake was done.
func (c *Conn) Opened() time.Time { return c.opened }

// Data returns what the hook of [AcceptOptions] kept with the connection.
func (c *Conn) Data() any { return c.agreed.orNone().data }

// LocalAddr returns the address of this side, or nil if the stream has none.
func (c *Conn) LocalAddr() net.Addr {
	if a, ok := c.t.stream.(interface{ LocalAddr() net.Addr }); ok {
		return a.LocalAddr()
	}
	return nil
}

// RemoteAddr returns the address of the peer, or nil if the stream has none.
// Behind a proxy it is the proxy's.
func (c *Conn) RemoteAddr() net.Addr {
	if a, ok := c.t.stream.(interface{ RemoteAddr() net.Addr }); ok {
		return a.RemoteAddr()
	}
	return nil
}

// Done returns a channel that is closed when the connection has ended.
func (c *Conn) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.follow().done.wait(c.done)
}

// Err returns how the connection ended, a [*CloseError], or nil while it has
// not.
func (c *Conn) Err() error {
	if err := c.ended.Load(); err != nil {
		return err
	}
	return nil
}

// LogValue describes the connection for a log record.
func (c *Conn) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("role", c.role.String())}
	if a := c.RemoteAddr(); a != nil {
		attrs = append(attrs, slog.String("remote", a.String()))
	}
	if c.target != "" {
		attrs = append(attrs, slog.String("target", c.target))
	}
	if p := c.Subprotocol(); p != "" {
		attrs = append(attrs, slog.String("subprotocol", p))
	}
	return slog.GroupValue(attrs...)
}
