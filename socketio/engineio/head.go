package engineio

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"iter"
	"net/http"
	"net/url"
	"strings"
)

// A head is what a session keeps of the request that began it, from which a request
// is made again for who asks. The request itself takes several times the memory, and
// a session that is idle has little else.
type head struct {
	text string               // fields, as keep appends them; on a client the first one alone
	ctx  context.Context      // whose values the request's has; nil on a client
	tls  *tls.ConnectionState // of the request
}

// keep returns what is kept of r, which is from somebody with that principal.
func keep(r *http.Request, principal string) head {
	b := appendField(make([]byte, 0, 512), r.RemoteAddr)
	u := r.URL.String()
	if u == r.RequestURI {
		u = "" // nobody has changed it
	}
	for _, s := range []string{principal, r.Method, r.RequestURI, u, r.Proto, r.Host, r.Pattern} {
		b = appendField(b, s)
	}
	for name := range wildcards(r.Pattern) {
		b = appendField(b, r.PathValue(name))
	}
	for name, values := range r.Header {
		for _, v := range values {
			b = appendField(appendField(b, name), v)
		}
	}
	return head{string(b), r.Context(), r.TLS}
}

// appendField appends a field of a head, behind its length.
func appendField(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// cutField returns the first field, and what follows it.
func cutField(text string) (field, rest string) {
	var n, shift uint
	for i := range len(text) {
		c := text[i]
		n |= uint(c&0x7f) << shift
		if c < 0x80 {
			text = text[i+1:]
			break
		}
		shift += 7
	}
	return text[:n], text[n:]
}

// remote returns the address of the peer.
func (h *head) remote() string {
	addr, _ := cutField(h.text)
	return addr
}

// principal returns whose the request was, by Options.Principal.
func (h *head) principal() string {
	_, rest := cutField(h.text)
	principal, _ := cutField(rest)
	return principal
}

// request returns the request without its body, and with a context that does not end
// with it.
func (h *head) request() *http.Request {
	rest := h.text
	next := func() (field string) {
		field, rest = cutField(rest)
		return field
	}
	r := (&http.Request{Header: http.Header{}, Body: http.NoBody, TLS: h.tls}).WithContext(context.WithoutCancel(h.ctx))
	r.RemoteAddr, _, r.Method, r.RequestURI = next(), next(), next(), next()
	// What could be parsed before can be again.
	if u := next(); u != "" {
		r.URL, _ = url.Parse(u)
	} else {
		r.URL, _ = url.ParseRequestURI(r.RequestURI)
	}
	r.Proto, r.Host, r.Pattern = next(), next(), next()
	r.ProtoMajor, r.ProtoMinor, _ = http.ParseHTTPVersion(r.Proto)
	for name := range wildcards(r.Pattern) {
		r.SetPathValue(name, next())
	}
	for rest != "" {
		name := next()
		r.Header[name] = append(r.Header[name], next())
	}
	return r
}

// wildcards returns the names of the path values that a pattern of [http.ServeMux]
// has.
func wildcards(pattern string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			_, rest, ok := strings.Cut(pattern, "{")
			if !ok {
				return
			}
			var name string
			name, pattern, _ = strings.Cut(rest, "}")
			if name != "$" && !yield(strings.TrimSuffix(name, "...")) {
				return
			}
		}
	}
}
