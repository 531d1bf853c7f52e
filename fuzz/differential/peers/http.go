package peers

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
)

// An httpServer is a server of net/http whose connections are tapes. A handler is
// given the run that its request belongs to.
type httpServer struct {
	conns chan net.Conn
}

func serveHTTP(handler func(w http.ResponseWriter, req *http.Request, r *run)) *httpServer {
	s := &httpServer{conns: make(chan net.Conn)}
	server := http.Server{
		ErrorLog: log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, httpConnKey{}, c)
		},
		ConnState: func(c net.Conn, state http.ConnState) {
			if state == http.StateHijacked {
				c.(*httpConn).hijacked = true
			}
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			c := req.Context().Value(httpConnKey{}).(*httpConn)
			c.handled = make(chan struct{})
			defer close(c.handled)
			c.guard(func() { handler(w, req, c.run) })
			if c.hijacked {
				c.Close() // what is not, net/http closes
			}
		}),
	}
	go server.Serve(s)
	return s
}

type httpConnKey struct{}

// An httpConn is a tape as a server of net/http sees it. Its fields belong to the
// goroutine of the connection until the tape has ended.
type httpConn struct {
	*tape
	*run
	hijacked bool
	handled  chan struct{} // closed when the handler, if any was called, has returned
}

// play is a role of a [Peer].
func (s *httpServer) play(r *run) {
	c := &httpConn{tape: r.tape, run: r}
	s.conns <- c
	<-r.tape.ended
	if c.handled != nil {
		<-c.handled
	}
}

// Accept implements [net.Listener].
func (s *httpServer) Accept() (net.Conn, error) { return <-s.conns, nil }

// Close implements [net.Listener].
func (s *httpServer) Close() error { return nil }

// Addr implements [net.Listener].
func (s *httpServer) Addr() net.Addr { return (*tape)(nil).LocalAddr() }
