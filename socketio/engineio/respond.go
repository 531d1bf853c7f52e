package engineio

import (
	"bytes"
	"compress/gzip"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// writeChunk is how many octets of an answer the peer has to take in
// Options.WriteTimeout.
const writeChunk = 16 << 10

// A body is that of an answer.
type body struct {
	contentType string
	octets      []byte
	compress    bool // whether it may be
}

// patient lets the request take longer than the timeouts of net/http.
func (e *exchange) patient() {
	http.NewResponseController(e.w).SetReadDeadline(time.Time{})
}

// respond answers with 200. The error is that of the network.
func (e *exchange) respond(b body) error {
	o := &e.server.options
	h := e.w.Header()
	e.addHeaders()
	h.Set("Content-Type", b.contentType)
	h.Set("Cache-Control", "no-store")
	if e.query.jsonp {
		h.Set("X-Content-Type-Options", "nosniff")
	}
	if agent := e.r.UserAgent(); strings.Contains(agent, ";MSIE") || strings.Contains(agent, "Trident/") {
		h.Set("X-XSS-Protection", "0") // its filter looks for scripts in what was sent
	}
	octets := b.octets
	if b.compress && len(octets) >= o.CompressionMinSize {
		h.Add("Vary", "Accept-Encoding")
		if acceptsGzip(e.r.Header) {
			h.Set("Content-Encoding", "gzip")
			octets = compress(octets)
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(octets)))

	return e.write(octets)
}

// write writes the body of an answer, whose length is known. Deadlines of net/http, if
// there are any, are those of shorter answers.
func (e *exchange) write(octets []byte) error {
	control := http.NewResponseController(e.w)
	defer control.SetWriteDeadline(time.Time{})
	for chunk := range slices.Chunk(octets, writeChunk) {
		if d := e.server.options.WriteTimeout; d > 0 {
			control.SetWriteDeadline(time.Now().Add(d))
		} else {
			control.SetWriteDeadline(time.Time{})
		}
		if _, err := e.w.Write(chunk); err != nil {
			return err
		}
	}
	if err := control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// addHeaders adds the fields of the hooks.
func (e *exchange) addHeaders() {
	o := &e.server.options
	if e.first && o.InitialHeaders != nil {
		o.InitialHeaders(e.w.Header(), e.r)
	}
	if o.Headers != nil {
		o.Headers(e.w.Header(), e.r)
	}
}

// acceptsGzip reports whether an answer may be compressed by gzip (RFC 9110, Section
// 12.5.3).
func acceptsGzip(h http.Header) bool {
	others := false
	for _, line := range h.Values("Accept-Encoding") {
		for coding := range strings.SplitSeq(line, ",") {
			name, parameter, _ := strings.Cut(coding, ";")
			q := strings.ReplaceAll(strings.ToLower(parameter), " ", "")
			refused := strings.HasPrefix(q, "q=") && strings.Trim(q[2:], "0.") == ""
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "gzip", "x-gzip":
				return !refused
			case "*":
				others = !refused
			}
		}
	}
	return others
}

// gzipWriters are kept: one takes some hundred KiB to make.
var gzipWriters = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // a valid level
	return w
}}

func compress(octets []byte) []byte {
	var b bytes.Buffer
	w := gzipWriters.Get().(*gzip.Writer)
	w.Reset(&b)
	w.Write(octets) // into memory there are no errors
	w.Close()
	gzipWriters.Put(w)
	return b.Bytes()
}
