package conn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"example.org/rfc6455/frame"
)

// A Server runs a handler for each connection, over net/http as an
// [http.Handler] or on listeners of its own without it. On Linux it takes plain
// sockets away from package net as [Accept] does.
//
// The fields must be set before it is used. Its methods may be called
// concurrently. A Server must not be copied.
type Server struct {
	// Handler serves one connection, on a goroutine of its own. When it returns
	// the connection is closed with 1000, if it is not closed yet. When it
	// panics, the connection is closed with 1011 and the panic is logged.
	Handler func(c *Conn)

	// OnMessage, if Handler is nil, gets the messages of a connection instead, one
	// after the other. The payload is valid until it returns. While it has not, the
	// connection is not read, so a peer that sends more waits. When it panics, the
	// connection is closed with 1011 and the panic is logged. Options.Hooks tell of
	// the beginning and the end of connections.
	OnMessage func(c *Conn, m Message)

	// EventDriven serves the connections of OnMessage without a goroutine for each,
	// which takes a fraction of the memory. While messages are handed out there are
	// goroutines that do it, each for one connection after the other; one whose
	// OnMessage blocks holds up no other connection. Nothing else is different.
	//
	// That needs Linux and a plain TCP or Unix socket. Connections over TLS or HTTP/2
	// have a goroutine all the same; on other systems, and with Handler, all have,
	// which is logged once.
	EventDriven bool

	// Options configures the handshakes and the connections. Nil means the
	// defaults. The server keeps a Hub of its own if there is none.
	Options *AcceptOptions

	once      sync.Once
	options   AcceptOptions // of once
	own       Hub
	poller    poller
	mu        sync.Mutex
	listeners map[net.Listener]context.CancelFunc
	closed    bool
}

// init returns the options in use.
func (s *Server) init() *AcceptOptions {
	s.once.Do(func() {
		if s.Options != nil {
			s.options = *s.Options
		}
		if s.options.Hub == nil {
			s.options.Hub = &s.own
		}
		s.options.filled = new(s.options.Options.withDefaults(frame.Server))
		switch {
		case !s.EventDriven:
		case s.Handler != nil:
			s.logger().Warn("websocket server not event-driven: it has a Handler")
		case !canPoll:
			s.logger().Warn("websocket server not event-driven: the system has no epoll")
		default:
			s.poller.handle = s.OnMessage
		}
		if canPoll {
			s.options.poller = &s.poller
		}
	})
	return &s.options
}

// Hub returns the set of the connections being served.
func (s *Server) Hub() *Hub { return s.init().Hub }

// ServeHTTP accepts the connection as [Accept] does, and returns while the
// handler runs; over HTTP/2, where its return ends the stream, after it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := Accept(w, r, s.init())
	switch {
	case err != nil:
	case r.ProtoMajor >= 2:
		s.serve(c)
	default:
		s.start(c, false)
	}
}

// Serve accepts connections from l as [AcceptConn] does until Shutdown is
// called or l fails. It closes l. The error is [http.ErrServerClosed] after
// Shutdown, otherwise that of l.
func (s *Server) Serve(l net.Listener) error {
	defer l.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if !s.track(l, cancel) {
		return http.ErrServerClosed
	}
	defer s.untrack(l)
	all := &arrivals{timeout: s.options.filled.HandshakeTimeout}
	defer all.close()
	var delay time.Duration
	for crowd := s.newCrowd(l); ; {
		nc, err := l.Accept()
		switch {
		case err == nil:
			delay = 0
			go s.accept(all, nc)
			crowd.follow(ctx, all, nc)
		case ctx.Err() != nil:
			return http.ErrServerClosed
		case !isTemporary(err):
			return fmt.Errorf("conn: serve: %w", err)
		default:
			// Out of descriptors, most likely: connections that end give some back.
			delay = min(max(2*delay, 5*time.Millisecond), time.Second)
			s.logger().Warn("websocket accept failed", "error", err, "retry", delay)
			select {
			case <-time.After(delay):
			case <-ctx.Done():
			}
		}
	}
}

// isTemporary reports whether Accept may succeed again: it ran out of
// descriptors or memory, or a client gave up early.
func isTemporary(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.ECONNRESET} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// accept does a handshake. The handler runs on another goroutine, whose stack the
// handshake has not grown.
func (s *Server) accept(all *arrivals, nc net.Conn) {
	if c := s.greet(all, nc); c != nil {
		_, inCrowd := nc.(*descriptor)
		s.start(c, inCrowd)
	}
}

// greet is AcceptConn, and returns nil if there is no connection.
func (s *Server) greet(all *arrivals, nc net.Conn) *Conn {
	a := newAcceptance(&s.options)
	defer s.recoverHook(a)
	a.nc = nc
	all.enter(&a.arrival, nc)
	err := a.receive()
	if err == nil {
		err = a.prepare(nil)
	}
	c, _ := a.conclude(context.Background(), err)
	a.arrival.leave()
	a.release()
	return c
}

// recoverHook ends a handshake in which a hook panics.
func (s *Server) recoverHook(a *acceptance) {
	if v := recover(); v != nil {
		s.logger().Error("websocket handshake panicked", "panic", v, "stack", string(debug.Stack()))
		a.arrival.leave()
		a.giveUp()
		a.nc.Close()
	}
}

// start has a connection served, on this goroutine if that is for it alone.
func (s *Server) start(c *Conn, alone bool) {
	d := c.visits
	switch {
	case d == nil || !d.polled() || s.poller.handle == nil:
		go s.serve(c)
	case alone:
		d.begin()
	default:
		d.due() // for what has come
	}
}

// serve runs the handler.
func (s *Server) serve(c *Conn) {
	defer c.recoverHandler()
	if s.Handler != nil {
		s.Handler(c)
	} else {
		s.handOut(c)
	}
	c.Close(frame.CloseNormalClosure, "")
}

// handOut hands out messages until the connection has ended.
func (s *Server) handOut(c *Conn) {
	for {
		op, p, err := c.ReadMessage(context.Background())
		if err != nil {
			return
		}
		s.OnMessage(c, Message{op, p})
	}
}

// recoverHandler closes a connection whose handler panics.
func (c *Conn) recoverHandler() {
	if v := recover(); v != nil {
		c.options.Logger.Error("websocket handler panicked", "conn", c, "panic", v, "stack", string(debug.Stack()))
		c.Close(frame.CloseInternalError, "")
	}
}

// Shutdown stops Serve and closes the connections being served: see
// [Hub.Shutdown], whose result it returns.
func (s *Server) Shutdown(ctx context.Context) (Shutdown, error) {
	s.init()
	s.mu.Lock()
	s.closed = true
	for l, cancel := range s.listeners {
		cancel()
		l.Close()
	}
	s.mu.Unlock()
	return s.options.Hub.Shutdown(ctx)
}

// track notes a listener for Shutdown, unless that was called.
func (s *Server) track(l net.Listener, cancel context.CancelFunc) bool {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if s.listeners == nil {
		s.listeners = map[net.Listener]context.CancelFunc{}
	}
	s.listeners[l] = cancel
	return true
}

func (s *Server) untrack(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

func (s *Server) logger() *slog.Logger {
	return cmp.Or(s.options.Logger, noLog)
}
