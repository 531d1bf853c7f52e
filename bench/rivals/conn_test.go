package rivals_test

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A stream is a server's side of a connection in memory. It reads the same
// octets again and again, and takes whatever is written.
type stream struct {
	wire    []byte // of the peer; nothing comes when it is empty
	at      int
	written int // octets
	closed  bool
}

func (s *stream) Read(p []byte) (int, error) {
	if s.closed || len(s.wire) == 0 {
		return 0, net.ErrClosed
	}
	n := copy(p, s.wire[s.at:])
	if s.at += n; s.at == len(s.wire) {
		s.at = 0
	}
	return n, nil
}

func (s *stream) Write(p []byte) (int, error) {
	s.written += len(p)
	return len(p), nil
}

func (s *stream) Close() error {
	s.closed = true
	return nil
}

func (*stream) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (*stream) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (*stream) SetDeadline(time.Time) error      { return nil }
func (*stream) SetReadDeadline(time.Time) error  { return nil }
func (*stream) SetWriteDeadline(time.Time) error { return nil }

// A hijacked response gives its stream to whoever asks.
type hijacked struct {
	*httptest.ResponseRecorder
	s *stream
}

func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.s, bufio.NewReadWriter(bufio.NewReaderSize(h.s, 4096), bufio.NewWriterSize(h.s, 4096)), nil
}

// upgrade returns a client's request on s, with an offer of extensions, and where
// to answer.
func upgrade(tb testing.TB, s *stream, extensions string) (http.ResponseWriter, *http.Request) {
	r := httptest.NewRequestWithContext(tb.Context(), "GET", "http://localhost/", nil)
	for name, value := range map[string]string{
		"Connection":               "Upgrade",
		"Upgrade":                  "websocket",
		"Sec-WebSocket-Version":    "13",
		"Sec-WebSocket-Key":        "dGhlIHNhbXBsZSBub25jZQ==",
		"Sec-WebSocket-Extensions": extensions,
	} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	return hijacked{httptest.NewRecorder(), s}, r
}
