package conn

import (
	"context"
	"iter"
	"net"
	"net/http"
	"sync"

	"example.org/rfc6455/frame"
)

// A SlowPolicy says what [Hub.Broadcast] does with a message for a connection
// for which Options.MaxQueuedSize or Options.MaxQueuedFrames is used up.
type SlowPolicy uint8

const (
	// SlowClose closes the connection with 1008.
	SlowClose SlowPolicy = iota
	// SlowDropNewest does not send this message to it.
	SlowDropNewest
	// SlowDropOldest drops messages of earlier broadcasts that wait for it.
	SlowDropOldest
)

func (p SlowPolicy) String() string {
	switch p {
	case SlowClose:
		return "close"
	case SlowDropNewest:
		return "drop newest"
	case SlowDropOldest:
		return "drop oldest"
	}
	return "SlowPolicy(?)"
}

// A Hub is a set of live connections: those that were accepted with it as
// AcceptOptions.Hub, and those that were added. They leave it when they end. A
// connection may be in several hubs, such as one for each room of a chat.
//
// The zero value is an empty hub without limits. The fields must be set before
// the hub is used. Its methods may be called concurrently. A Hub must not be
// copied.
type Hub struct {
	// MaxConns and MaxConnsPerHost limit the connections accepted, in all and
	// from one remote host; more are refused with 503. Zero means no limit.
	MaxConns, MaxConnsPerHost int

	// Slow is for connections that take messages more slowly than they are
	// broadcast.
	Slow SlowPolicy

	mu       sync.Mutex
	members  []*place       // of connections
	reserved int            // places of handshakes in progress
	hosts    map[string]int // how many places each host has, if they are counted
	changed  chan struct{}  // closed when reserved sinks; nil if nobody waits
	closed   bool           // whether Shutdown was called
	draining int            // how many calls of it wait for handshakes in progress

	bursting  bursting
	pacemaker pacemaker // of connections accepted with the hub
}

// Add adds a connection until it ends, or Remove is called. It is closed with
// 1001 if the hub was shut down. Adding it again changes nothing.
func (h *Hub) Add(c *Conn) { (&place{hub: h}).join(c, false) }

// Remove takes a connection out of the hub, if it is in it.
func (h *Hub) Remove(c *Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := c.unlink(h); p != nil {
		p.drop()
	}
}

// Len returns the number of connections.
func (h *Hub) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.members)
}

// All returns an iterator over the connections that are in the hub when it
// begins, in no particular order.
func (h *Hub) All() iter.Seq[*Conn] {
	return func(yield func(*Conn) bool) {
		h.mu.Lock()
		conns := h.conns()
		h.mu.Unlock()
		for _, c := range conns {
			if !yield(c) {
				return
			}
		}
	}
}

// conns returns the connections, in a slice for the caller. It needs mu.
func (h *Hub) conns() []*Conn {
	conns := make([]*Conn, len(h.members))
	for i, p := range h.members {
		conns[i] = p.conn
	}
	return conns
}

// A Shutdown says how the connections of a hub ended.
type Shutdown struct {
	// Clean is how many ended with a closing handshake, Cut how many did not.
	Clean, Cut int
	// Frames and Octets are what had been queued for them and did not leave.
	Frames, Octets int
}

// Shutdown closes all connections with 1001 after what is queued for them, and
// returns when they have ended, which takes Options.CloseTimeout at most. From
// now on new ones are refused; those whose handshake is being answered are waited
// for. When ctx ends before, the connections that are left are cut off and the
// error is its cause.
//
// [http.Server.Shutdown] does not know the connections that were accepted from
// it: call Shutdown beside it, or by way of [http.Server.RegisterOnShutdown],
// which does not wait for it.
func (h *Hub) Shutdown(ctx context.Context) (Shutdown, error) {
	var closing sync.WaitGroup
	conns := map[*Conn]bool{}
	h.mu.Lock()
	h.closed = true
	h.draining++
	for {
		for _, p := range h.members {
			if c := p.conn; !conns[c] {
				conns[c] = true
				closing.Go(func() { shutDown(ctx, c) })
			}
		}
		if h.reserved == 0 || !h.awaitPlace(ctx) {
			break
		}
	}
	h.draining--
	h.mu.Unlock()
	closing.Wait()
	var s Shutdown
	for c := range conns {
		stats := c.Stats()
		s.Frames += stats.QueuedFrames
		s.Octets += stats.QueuedOctets
		if c.ended.Load().Err == nil && stats.QueuedFrames == 0 {
			s.Clean++
		} else {
			s.Cut++
		}
	}
	if ctx.Err() != nil {
		return s, canceled("shutdown", ctx)
	}
	return s, nil
}

// shutDown closes c, and cuts it off when ctx ends.
func shutDown(ctx context.Context, c *Conn) {
	stop := context.AfterFunc(ctx, func() { c.CloseNow() })
	defer stop()
	c.Close(frame.CloseGoingAway, "")
	<-c.Done()
}

// awaitPlace waits until a reservation has ended, and reports false when ctx ends
// before. It needs mu, which it gives up meanwhile.
func (h *Hub) awaitPlace(ctx context.Context) bool {
	if h.changed == nil {
		h.changed = make(chan struct{})
	}
	changed := h.changed
	h.mu.Unlock()
	defer h.mu.Lock()
	select {
	case <-changed:
		return true
	case <-ctx.Done():
		return false
	}
}

// What a hub answers to a handshake.
var (
	errFull     = unavailable("too many connections")
	errShutdown = unavailable("the server is shutting down")
)

func unavailable(body string) *RefusedError {
	return &RefusedError{
		Status: http.StatusServiceUnavailable,
		Header: http.Header{"Retry-After": {"5"}},
		Body:   body,
	}
}

// hostOf returns the host of a remote address.
func hostOf(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	return host
}

// reserve keeps a place for the handshake of a client of that host, which is empty
// if hosts are not counted.
func (h *Hub) reserve(host string) (*place, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, errShutdown
	case h.MaxConns > 0 && len(h.members)+h.reserved >= h.MaxConns:
		return nil, errFull
	case h.MaxConnsPerHost > 0 && h.hosts[host] >= h.MaxConnsPerHost:
		return nil, errFull
	}
	h.reserved++
	p := &place{hub: h}
	if h.MaxConnsPerHost > 0 {
		p.host = host
		if h.hosts == nil {
			h.hosts = map[string]int{}
		}
		h.hosts[host]++
	}
	return p, nil
}
