package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/socketio"
	"example.org/rfc6455/socketio/engineio"
)

// socketOptions are the flags of serve for Engine.IO and Socket.IO.
type socketOptions struct {
	pingInterval, pingTimeout time.Duration
	connectTimeout            time.Duration
	maxPayload                size
	eio3                      bool
	client                    string
}

// sessionPaths are what begins with HTTP.
var sessionPaths = []struct{ path, summary string }{
	{"/engine.io/", "the same message back, over Engine.IO"},
	{"/socket.io/", "message-back, acknowledgements and a chat over Socket.IO"},
	{"/chat.html", "a page for that chat"},
}

func (o *socketOptions) flags(fs *flag.FlagSet) {
	*o = socketOptions{pingInterval: 25 * time.Second, pingTimeout: 20 * time.Second, connectTimeout: 45 * time.Second, maxPayload: 1e6}
	fs.DurationVar(&o.pingInterval, "sio-ping-interval", o.pingInterval, "Engine.IO, Socket.IO: the time between two pings")
	fs.DurationVar(&o.pingTimeout, "sio-ping-timeout", o.pingTimeout, "how long a client may take to answer one")
	fs.DurationVar(&o.connectTimeout, "sio-connect-timeout", o.connectTimeout, "how long a client may take to join a namespace")
	fs.Var(&o.maxPayload, "sio-max-payload", "the most that is taken at once, in `octets`")
	fs.BoolVar(&o.eio3, "sio-eio3", false, "accept clients of Socket.IO 2 as well, which speak revision 3 of Engine.IO")
	fs.StringVar(&o.client, "sio-client", "", "serve the official client from a `folder` that has socket.io.js, such as the dist\nof the npm package socket.io-client, and use it in /chat.html")
}

// check returns what is wrong with the flags.
func (o *socketOptions) check() error {
	switch {
	case o.pingInterval <= 0 || o.pingTimeout <= 0 || o.connectTimeout <= 0:
		return errors.New("-sio-ping-interval, -sio-ping-timeout and -sio-connect-timeout must be more than 0, such as 300ms")
	case o.maxPayload <= 0:
		return errors.New("-sio-max-payload must be more than 0, such as 1MiB")
	case o.client != "":
		if _, err := os.Stat(o.client + "/socket.io.js"); err != nil {
			return errors.New("-sio-client has no socket.io.js: " + err.Error())
		}
	}
	return nil
}

// engine returns the options of the sessions.
func (o *serveOptions) engine(log *slog.Logger, path string, compression *conn.Compression) *engineio.Options {
	log = log.With("path", path)
	options := &engineio.Options{
		PingInterval: o.sio.pingInterval, PingTimeout: o.sio.pingTimeout,
		MaxPayload: int(o.sio.maxPayload), EIO3: o.sio.eio3, JSONP: o.sio.eio3,
		Origins: o.origins, InsecureAnyOrigin: o.anyOrigin, Compression: compression, Logger: log,
		OnUpgrade: func(s *engineio.Session) { log.Debug("upgraded", "remote", s.RemoteAddr(), "session", redact(s)) },
		OnConnectionError: func(e *engineio.ConnectionError) {
			log.Info("request refused", "remote", e.Request.RemoteAddr, "code", int(e.Code), "error", e.Message, "context", string(e.Context))
		},
	}
	if len(o.origins) > 0 || o.anyOrigin {
		options.CORS = &engineio.CORS{}
	}
	return options
}

// redact returns enough of a session's id to tell it from others: the whole is a
// secret.
func redact(s *engineio.Session) string { return s.ID()[:min(4, len(s.ID()))] + "…" }

// newEngineEcho returns the server of /engine.io/, which sends back each message,
// text as text and binary as binary.
func newEngineEcho(o *engineio.Options, log *slog.Logger) *engineio.Server {
	return &engineio.Server{Options: o, Handler: func(s *engineio.Session) engineio.Receiver {
		log := log.With("path", "/engine.io/", "remote", s.RemoteAddr(), "session", redact(s))
		log.Info("session open", "revision", int(s.Protocol()), "transport", string(s.Transport()))
		return engineEcho{log}
	}}
}

type engineEcho struct{ log *slog.Logger }

func (e engineEcho) Message(s *engineio.Session, binary bool, data []byte) {
	e.log.Debug("message", "binary", binary, "octets", len(data))
	if err := s.Send(engineio.NewPacket(binary, data)); errors.Is(err, engineio.ErrQueueFull) {
		s.Close(engineio.TransportError)
	}
}

func (e engineEcho) Closed(_ *engineio.Session, reason engineio.CloseReason, err error) {
	attrs := []any{"reason", string(reason)}
	if err != nil {
		attrs = append(attrs, "error", err)
	}
	e.log.Info("session closed", attrs...)
}

// newSocketIO returns the server of /socket.io/: what the tests of the protocol
// ask of a server, and a chat.
func newSocketIO(o *serveOptions, engine *engineio.Options, log *slog.Logger) *socketio.Server {
	log = log.With("path", "/socket.io/")
	io := &socketio.Server{Engine: engine, ConnectTimeout: o.sio.connectTimeout, Logger: log}
	if o.sio.client != "" {
		io.Files = os.DirFS(o.sio.client)
	}
	io.OnFault = func(e *socketio.FaultError) { log.Info("client cut off", "error", e) }
	for _, name := range []string{"/", "/custom"} {
		io.Of(name).OnConnect(func(s *socketio.Socket) {
			log := log.With("namespace", name, "remote", s.Session().RemoteAddr(), "session", redact(s.Session()))
			log.Info("socket open", "revision", int(s.Session().Protocol()), "transport", string(s.Session().Transport()))
			s.OnDisconnect(func(reason socketio.Reason, err error) { log.Info("socket closed", "reason", string(reason)) })
			s.OnAny(func(e *socketio.Event) { log.Debug("event", "name", e.Name, "arguments", len(e.Args)) })
			tellAuth(s)
		})
	}
	io.OnConnect(func(s *socketio.Socket) {
		s.On("message", func(args ...socketio.Value) { s.Emit("message-back", list(args)...) })
		s.On("message-with-ack", func(ack socketio.Ack, args ...socketio.Value) { ack(list(args)...) })
		s.On("chat message", func(args ...socketio.Value) { io.Emit("chat message", list(args)...) })
		// Others must not be told what they do not expect.
		s.Once("enter", func() {
			s.Join("chat")
			s.OnDisconnect(func(socketio.Reason, error) { io.To("chat").Emit("user disconnected") })
		})
	})
	return io
}

// authDelay is between the answer to a client that joins a namespace and what tellAuth
// sends: tests that wait for one message after the other miss the second of two that
// are read at once.
const authDelay = 5 * time.Millisecond

// tellAuth sends a client what it sent to join the namespace.
func tellAuth(s *socketio.Socket) {
	time.Sleep(authDelay)
	var auth any = struct{}{}
	if sent := s.Handshake().Auth; !sent.IsNull() {
		auth = sent
	}
	s.Emit("auth", auth)
}

// list returns arguments to be sent on as they came.
func list(values []socketio.Value) []any {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	return args
}

// shutdownSessions closes the sessions of both servers.
func (s *server) shutdownSessions(ctx context.Context) error {
	return errors.Join(s.socketIO.Shutdown(ctx), s.engineIO.Shutdown(ctx))
}
