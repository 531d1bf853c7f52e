package conn

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"

	"example.org/rfc6455/handshake"
)

// acceptHTTP2 answers an extended CONNECT that passed all checks (RFC 8441,
// Section 5), and begins the connection on its stream.
func (a *acceptance) acceptHTTP2(w http.ResponseWriter, r *http.Request) (*Conn, error) {
	maps.Copy(w.Header(), a.answer.Header)
	if a.answer.Subprotocol != "" {
		w.Header().Set("Sec-Websocket-Protocol", a.answer.Subprotocol)
	}
	if len(a.extensions) > 0 {
		value, _ := handshake.AppendExtensions(nil, a.extensions) // they are tokens
		w.Header().Set("Sec-Websocket-Extensions", string(value))
	}
	s := &http2Stream{
		body:    r.Body,
		w:       w,
		control: http.NewResponseController(w),
	}
	s.local, _ = r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if a, err := net.ResolveTCPAddr("tcp", r.RemoteAddr); err == nil {
		s.remote = a
	}
	// The timeouts of the server would end the stream.
	s.control.SetReadDeadline(time.Time{})
	s.control.SetWriteDeadline(time.Time{})
	w.WriteHeader(http.StatusOK)
	if err := s.control.Flush(); err != nil {
		a.giveUp()
		return nil, fmt.Errorf("conn: accept: %w", err)
	}
	context.AfterFunc(r.Context(), func() { s.Close() })
	return a.begin(r.Context(), s), nil
}

// An http2Stream is a stream of HTTP/2 as the handler of its request sees it,
// and is usable until that returns. It has no deadlines: one that expired would
// end it anyway.
type http2Stream struct {
	body          io.ReadCloser
	control       *http.ResponseController
	local, remote net.Addr

	use sync.Mutex // held by Write, and where Close waits for it
	w   http.ResponseWriter

	mu      sync.Mutex
	writing bool
	closed  bool
}

func (s *http2Stream) Read(p []byte) (int, error) { return s.body.Read(p) }

// Write fails after Close. It must not touch w after the handler has returned,
// where Close is called too late for that only by net/http itself.
func (s *http2Stream) Write(p []byte) (n int, err error) {
	s.use.Lock()
	defer s.use.Unlock()
	if !s.begin() {
		return 0, net.ErrClosed
	}
	defer s.end()
	defer func() {
		if recover() != nil {
			err = net.ErrClosed
		}
	}()
	if n, err = s.w.Write(p); err == nil {
		err = s.control.Flush()
	}
	return n, err
}

// begin reports whether Write may use w.
func (s *http2Stream) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing = !s.closed
	return s.writing
}

func (s *http2Stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing = false
}

// Close ends a Write in progress by resetting the stream. Otherwise the stream
// ends when the handler returns.
func (s *http2Stream) Close() error {
	s.mu.Lock()
	// Whoever lets the handler return has called Close, too, and waits here for
	// the one that was first: after that nobody touches the stream's deadline.
	if !s.closed && s.writing {
		s.control.SetWriteDeadline(past)
	}
	s.closed = true
	s.mu.Unlock()
	s.use.Lock()
	defer s.use.Unlock()
	return s.body.Close()
}

func (s *http2Stream) LocalAddr() net.Addr  { return s.local }
func (s *http2Stream) RemoteAddr() net.Addr { return s.remote }
