package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
	"example.org/rfc6455/socketio"
	"example.org/rfc6455/socketio/engineio"
)

// maxChat is the longest message of /chat, in octets. A member that reads
// slowly is given up when messages of 1 MiB wait for it, so one must be shorter.
const maxChat = 64 << 10

// An endpoint is a path that serves WebSocket connections.
type endpoint struct {
	path    string
	summary string
	options *conn.AcceptOptions
	handler func(*conn.Conn)
}

// A server serves the page and the endpoints.
type server struct {
	http      *http.Server
	endpoints []endpoint
	log       *slog.Logger
	conns     conn.Hub // all connections but those of the two below
	engineIO  *engineio.Server
	socketIO  *socketio.Server

	browsers lastConns

	compression *conn.Compression // unless a query says otherwise; nil for none

	mu      sync.Mutex
	closing bool           // whether shutdown was called
	active  sync.WaitGroup // handshakes and connections; mu guards adding
}

func newServer(o *serveOptions, log *slog.Logger) *server {
	s := &server{log: log}
	if o.deflate == "on" {
		s.compression = withContext()
	}
	options := &conn.AcceptOptions{
		Options: conn.Options{
			MaxMessageSize: int64(o.maxMessage),
			// A pong costs an echo server no more than the echo of a message,
			// of which there is no limit either: one for pings would protect
			// nothing, and trip tools that measure with them.
			MaxControlRate: conn.NoLimit,
		},
		Origins:           o.origins,
		InsecureAnyOrigin: o.anyOrigin,
		OnRequest:         firstSubprotocol,
		Hub:               &s.conns,
	}
	chatOptions := *options
	chatOptions.MaxMessageSize = min(options.MaxMessageSize, maxChat)
	s.endpoints = []endpoint{
		{"/echo", "the same message back", options, echo},
		{"/ws", "the same as /echo", options, echo},
		{"/time", "the time, every second", options, tellTime},
		{"/chat", "what one sends, all receive", &chatOptions, chat(new(conn.Hub))},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", s.notFound)
	s.engineIO = newEngineEcho(o.engine(log, "/engine.io/", s.compression), log)
	s.socketIO = newSocketIO(o, o.engine(log, "/socket.io/", s.compression), log)
	mux.Handle("GET /{$}", s.browsers.cookie(newPage(pageHTML, "")))
	mux.Handle("GET /traffic", &s.browsers)
	mux.Handle("GET /chat.html", newChatPage(o.sio.client != ""))
	mux.Handle("/engine.io/", s.engineIO)
	mux.Handle("/socket.io/", s.socketIO)
	for _, e := range s.endpoints {
		mux.Handle(e.path, s.websocket(e))
	}
	s.http = &http.Server{
		Handler:           s.logged(mux),
		ReadHeaderTimeout: headTimeout,
		ReadTimeout:       30 * time.Second, // of plain requests, as the next
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    handshake.DefaultMaxSize,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	return s
}

// serve serves the connections of l until shutdown is called or l fails.
func (s *server) serve(l net.Listener) error {
	return s.http.Serve(newFront(l, s.http.Handler, s.log))
}

// firstSubprotocol agrees to whatever the client prefers: browsers fail a
// connection whose server agrees to none of theirs.
func firstSubprotocol(r *handshake.Request) (conn.Answer, error) {
	offered, err := r.Subprotocols()
	if err != nil || len(offered) == 0 {
		return conn.Answer{}, err
	}
	return conn.Answer{Subprotocol: offered[0]}, nil
}

// websocket accepts connections for an endpoint and serves each on a goroutine
// of its own, whose stack net/http has not grown; in HTTP/2 on that of its stream.
func (s *server) websocket(e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !wantsUpgrade(r) {
			explain(w, r, e)
			return
		}
		v := newVisit(s.log, r)
		compression, err := chooseCompression(r.URL.RawQuery, s.compression)
		if err != nil {
			w.Header().Set("Connection", "close")
			v.refused(http.StatusBadRequest, err)
			http.Error(w, "Bad Request: "+err.Error(), http.StatusBadRequest)
			return
		}
		if !s.enter() {
			http.Error(w, "The server is shutting down.", http.StatusServiceUnavailable)
			return
		}
		options := *e.options
		options.Hooks = v.hooks()
		options.Compression = compression
		c, err := conn.Accept(w, r, &options)
		if err != nil {
			s.active.Done()
			return
		}
		v.opened(c)
		s.browsers.opened(r, c)
		run := func() {
			defer s.active.Done()
			e.handler(c)
			c.Close(frame.CloseNormalClosure, "")
			v.closed(c)
		}
		if r.ProtoMajor >= 2 {
			run() // the stream ends with the handler
		} else {
			go run()
		}
	})
}

// wantsUpgrade tells a handshake, even a broken one, from a plain request.
func wantsUpgrade(r *http.Request) bool {
	return r.Header.Get("Upgrade") != "" || r.Method == http.MethodConnect
}

// explain answers a plain request for an endpoint.
func explain(w http.ResponseWriter, r *http.Request, e endpoint) {
	scheme := "ws"
	if r.TLS != nil {
		scheme = "wss"
	}
	w.Header().Set("Upgrade", "websocket")
	w.Header().Set("Connection", "Upgrade")
	http.Error(w, fmt.Sprintf("%s is a WebSocket endpoint: %s.\n"+
		"Connect to it with a WebSocket client at %s://%s%s,\nor open / in a browser for a page that does.",
		e.path, e.summary, scheme, r.Host, e.path), http.StatusUpgradeRequired)
}

// notFound answers a request for a path that does not exist with those that do.
func (s *server) notFound(w http.ResponseWriter, r *http.Request) {
	var b strings.Builder
	b.WriteString("There is nothing at this path. These are in use:\n\n  /            a page for browsers\n")
	for _, e := range s.endpoints {
		fmt.Fprintf(&b, "  %-13s%s\n", e.path, e.summary)
	}
	for _, e := range sessionPaths {
		fmt.Fprintf(&b, "  %-13s%s\n", e.path, e.summary)
	}
	if wantsUpgrade(r) {
		w.Header().Set("Connection", "close")
		newVisit(s.log, r).refused(http.StatusNotFound, errNoPath)
	}
	http.Error(w, strings.TrimSuffix(b.String(), "\n"), http.StatusNotFound)
}

var errNoPath = errors.New("no such path")

// logged logs plain requests.
func (s *server) logged(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !wantsUpgrade(r) {
			newVisit(s.log, r).requested(r.Method)
		}
		h.ServeHTTP(w, r)
	})
}

// enter counts a connection for shutdown, unless that was called.
func (s *server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.active.Add(1)
	}
	return !s.closing
}

// shutdown stops listening, closes all connections and returns when they have
// ended and were logged. When ctx ends before, the rest is cut off and the error
// is its cause.
func (s *server) shutdown(ctx context.Context) (conn.Shutdown, error) {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	var closing sync.WaitGroup
	closing.Go(func() {
		s.shutdownSessions(ctx)
		if s.http.Shutdown(ctx) != nil {
			s.http.Close()
		}
	})
	result, err := s.conns.Shutdown(ctx)
	closing.Wait()
	s.active.Wait()
	return result, err
}
