package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/handshake"
)

const aboutServe = `Listen for WebSocket connections and echo what clients send. Stop it with Ctrl-C
or SIGTERM: every connection is closed with 1001. A second signal ends it at once.`

// serveOptions are the flags of serve.
type serveOptions struct {
	addr       string
	tls        bool
	cert, key  string
	origins    []string
	anyOrigin  bool
	maxMessage size
	deflate    string
	grace      time.Duration
	log        string
	verbose    bool
	sio        socketOptions
}

func newServeFlags(env *environment, o *serveOptions) *flagSet {
	o.addr = "127.0.0.1:8080"
	if port := env.getenv("PORT"); port != "" {
		o.addr = net.JoinHostPort("127.0.0.1", port)
	}
	o.maxMessage = 16 << 20
	o.deflate = "off"
	o.log = "text"
	fs := newFlagSet("serve", aboutServe)
	fs.StringVar(&o.addr, "addr", o.addr, "listen on `host:port`; :8080 is every interface, port 0 any free port;\nthe environment variable PORT changes the port of the default")
	fs.BoolVar(&o.tls, "tls", false, "speak TLS with a self-signed certificate for localhost and the host of -addr,\nwhich is kept for the next time and made anew before its 90 days are over.\nWith GODEBUG=http2xconnect=1 in the environment clients may use HTTP/2 (RFC 8441)")
	fs.StringVar(&o.cert, "cert", "", "speak TLS with the certificate, and its chain, in a PEM `file`; needs -key")
	fs.StringVar(&o.key, "key", "", "the PEM `file` with the private key of -cert")
	fs.Func("origin", "let pages of these origins connect, besides those of the server's own host:\na `pattern` such as https://app.example.com, *.example.com or http://localhost:*,\nor '*' for every page on the web; may be repeated", o.addOrigin)
	fs.Var(&o.maxMessage, "max-message", "the longest message that is taken, in `octets`, also as 64KiB, 16MiB or 1GiB;\na longer one closes the connection with 1009. The default is large because\nconformance suites send messages of 16 MiB. /chat takes 64 KiB at most")
	fs.Var(choice{&o.deflate, []string{"off", "on"}}, "deflate", "`off|on`: whether to compress messages. On any path a client may ask for something else:\n?deflate=off|on|noctx&swb=8..15&cwb=8..15&level=fast|good&minsize=OCTETS, where noctx is\non without context takeover, and swb and cwb are the window bits of server and client")
	fs.DurationVar(&o.grace, "grace", 10*time.Second, "after the first signal, how long connections may take to close;\na peer that does not answer is given up after 5 seconds in any case")
	fs.Var(choice{&o.log, []string{"text", "json"}}, "log", "the `format` of the log on standard error: text or json")
	fs.BoolVar(&o.verbose, "v", false, "log each message and pong, too, and each plain HTTP request")
	o.sio.flags(fs.FlagSet)
	return fs
}

// addOrigin is the flag -origin.
func (o *serveOptions) addOrigin(pattern string) error {
	if pattern == "*" {
		o.anyOrigin = true
		return nil
	}
	if _, err := handshake.NewOrigins(pattern); err != nil {
		return errors.New("want [scheme://]host[:port], where host may begin with *. and port be *, or '*' alone for every origin")
	}
	o.origins = append(o.origins, pattern)
	return nil
}

// check returns what is wrong with flags that do not fit together.
func (o *serveOptions) check() error {
	switch _, port, err := net.SplitHostPort(o.addr); {
	case err != nil || port == "":
		return fmt.Errorf("-addr %q is not host:port; for example 127.0.0.1:8080, or :8080 for every interface", o.addr)
	case o.cert != "" && o.key == "":
		return errors.New("-cert needs -key, the file with the private key; for a self-signed certificate use -tls alone")
	case o.key != "" && o.cert == "":
		return errors.New("-key needs -cert, the file with the certificate; for a self-signed certificate use -tls alone")
	case o.grace < 0:
		return fmt.Errorf("-grace %v is negative; use 0 to end without waiting", o.grace)
	}
	return o.sio.check()
}

// runServe serves until a signal comes.
func runServe(env *environment, args []string) int {
	var o serveOptions
	if code, ok := newServeFlags(env, &o).parse(env, args); !ok {
		return code
	}
	if err := o.check(); err != nil {
		return usageError(env, "%v", err)
	}
	log := newLogger(env.stderr, o.log, o.verbose)
	code, err := serve(env, &o, log)
	if err != nil {
		if o.log == "json" {
			log.Error("cannot serve", "error", err)
		} else {
			fmt.Fprintf(env.stderr, "wsecho: %v\n", err)
		}
	}
	return code
}

// serve listens, serves and drains. It returns the exit code, and the error if
// that is exitError.
func serve(env *environment, o *serveOptions, log *slog.Logger) (int, error) {
	id, err := identify(o, env.configDir, time.Now())
	if err != nil {
		return exitError, err
	}
	l, err := listen(o.addr)
	if err != nil {
		return exitError, err
	}
	addr := l.Addr()
	if id != nil {
		// Unless net/http may open WebSocket connections in HTTP/2, that would
		// only mislead clients that prefer it.
		protocols := []string{"http/1.1"}
		if strings.Contains(env.getenv("GODEBUG"), "http2xconnect=1") {
			protocols = []string{"h2", "http/1.1"}
		}
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{*id.certificate}, NextProtos: protocols})
	}
	s := newServer(o, log)
	failed := make(chan error, 1)
	go func() { failed <- s.serve(l) }()
	announce(env.stderr, o, log, s.endpoints, addr, id)
	select {
	case err := <-failed:
		return exitError, fmt.Errorf("stopped accepting connections: %w", err)
	case signal := <-env.signals:
		return drain(env.signals, s, o.grace, log.With("signal", signal.String())), nil
	}
}

// errGrace is why connections are cut off.
var errGrace = errors.New("the time of -grace is over")

// drain closes all connections, within the time of grace unless another signal
// comes. It returns the exit code.
func drain(signals <-chan os.Signal, s *server, grace time.Duration, log *slog.Logger) int {
	log.Info("closing", "connections", s.conns.Len(), "grace", grace.String())
	ctx, cancel := context.WithTimeoutCause(context.Background(), grace, errGrace)
	defer cancel()
	var result conn.Shutdown
	var err error
	done := make(chan struct{})
	go func() {
		result, err = s.shutdown(ctx)
		close(done)
	}()
	select {
	case <-done:
	case <-signals:
		log.Warn("second signal: ended at once", "connections", s.conns.Len())
		return exitInterrupt
	}
	attrs := []any{"closed", result.Clean, "cut_off", result.Cut}
	if result.Frames > 0 {
		attrs = append(attrs, "undelivered_frames", result.Frames, "undelivered_octets", result.Octets)
	}
	if err != nil && result.Cut > 0 {
		log.Warn("stopped", append(attrs, "error", err)...)
		return exitTimeout
	}
	log.Info("stopped", attrs...)
	return exitOK
}
