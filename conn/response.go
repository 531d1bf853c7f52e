package conn

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"time"

	"example.org/rfc6455/handshake"
)

const (
	// maxInterim is how many interim responses come before the final one.
	maxInterim = 8
	// maxRefusal is how much is kept of the content of a refusal, and
	// refusalTimeout how long is waited for it.
	maxRefusal     = 1 << 10
	refusalTimeout = time.Second
)

// A headReader reads the heads of responses, and no more than comes along.
type headReader struct {
	r      io.Reader
	trace  *httptrace.ClientTrace
	parser handshake.Parser
	buf    []byte // of getBuffer: what came from the head read last
	head   int    // size of that head; 0 <= head <= len(buf)
	began  bool   // whether an octet came
}

// final reads up to the response that is not an interim one (RFC 9110, Section
// 15.2).
func (h *headReader) final() (*handshake.Response, error) {
	for range maxInterim + 1 {
		r, err := h.next()
		if err != nil || !r.Interim() {
			return r, err
		}
		if h.trace.Got1xxResponse != nil {
			if err := h.trace.Got1xxResponse(r.Status, textproto.MIMEHeader(httpHeader(r))); err != nil {
				return nil, err
			}
		}
	}
	return nil, fmt.Errorf("more than %d interim responses: %w", maxInterim, handshake.ErrStatus)
}

// next reads one head, whose size the parser limits.
func (h *headReader) next() (*handshake.Response, error) {
	h.buf = h.buf[:copy(h.buf, h.rest())]
	h.head = 0
	for {
		if len(h.buf) > 0 {
			if !h.began && h.trace.GotFirstResponseByte != nil {
				h.trace.GotFirstResponseByte()
			}
			h.began = true
			r, n, err := h.parser.ParseResponse(h.buf)
			if n > 0 || err != nil {
				h.head = n
				return r, err
			}
		}
		h.buf = growBuffer(h.buf, 1, handshake.DefaultMaxSize)
		n, err := h.r.Read(h.buf[len(h.buf):cap(h.buf)])
		h.buf = h.buf[:len(h.buf)+n]
		if n == 0 && err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
}

// rest returns what came behind the head. It is valid until the next call of a
// method.
func (h *headReader) rest() []byte { return h.buf[h.head:] }

func (h *headReader) release() {
	putBuffer(h.buf)
	h.buf = nil
}

// body returns the beginning of the content behind the head, which came from nc.
// Whatever is wrong with it, the refusal is the error that counts.
func (h *headReader) body(nc net.Conn) string {
	nc.SetReadDeadline(time.Now().Add(refusalTimeout))
	r, err := http.ReadResponse(bufio.NewReader(io.MultiReader(bytes.NewReader(h.buf), nc)), nil)
	if err != nil {
		return ""
	}
	// Its Close would wait for the end of the content.
	b, _ := io.ReadAll(io.LimitReader(r.Body, maxRefusal))
	return string(b)
}

// httpHeader returns the fields of a response that was parsed.
func httpHeader(r *handshake.Response) http.Header {
	h := http.Header{}
	fields, _ := r.Header.(*handshake.Fields)
	for name, value := range fields.All() {
		h.Add(name, value)
	}
	return h
}
