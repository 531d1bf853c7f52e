package engineio

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"iter"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
)

// A head is what a session keeps of the request that began it, from which a request
// is made again for who asks. The request itself takes several times the memory, and
// a session that is idle has little else.
type head struct {
	text string               // fields, as keep appends them; on a client the first one alone
	ctx  context.Context      // whose values the request's has, but for one in text; nil on a client
	tls  *tls.ConnectionState // of the request
}

// keep returns what is kept of r, which is from somebody with that principal.
func keep(r *http.Request, principal string) head {
	b := appendField(make([]byte, 0, 512), r.RemoteAddr)
	u := r.URL.String()
	if u == r.RequestURI {
		u = "" // nobody has changed it
	}
	ctx, local := strip(r.Context())
	for _, s := range []string{principal, local, r.Method, r.RequestURI, u, r.Proto, r.Host, r.Pattern} {
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
	return head{string(b), ctx, r.TLS}
}

// The types of the contexts that net/http makes.
var (
	typeCancel = reflect.TypeOf(func() context.Context {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		return ctx
	}())
	typeValue = reflect.TypeOf(context.WithValue(context.Background(), http.LocalAddrContextKey, nil))
)

// strip returns the context whose values ctx has, without those that net/http makes for
// each connection and each request, and the one value of those, which is the address of
// this side. They take twice as much as a session keeps otherwise of a short request.
// Of what is not as in the net/http of this Go nothing is taken away.
func strip(ctx context.Context) (rest context.Context, local string) {
	for reflect.TypeOf(ctx) == typeCancel {
		parent := within(ctx)
		if parent == nil {
			return ctx, ""
		}
		ctx = parent
	}
	addr, ok := ctx.Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok || reflect.TypeOf(ctx) != typeValue {
		return ctx, ""
	}
	parent := within(ctx)
	if parent == nil || parent.Value(http.LocalAddrContextKey) != nil || !addr.AddrPort().IsValid() {
		return ctx, ""
	}
	return parent, addr.String()
}

// within returns the context of which ctx was made, or nil if that is not known.
func within(ctx context.Context) context.Context {
	f := reflect.ValueOf(ctx).Elem().FieldByName("Context")
	if !f.IsValid() || !f.CanInterface() {
		return nil
	}
	parent, _ := f.Interface().(context.Context)
	return parent
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

// context returns a context with the values of the request's, which does not end.
func (h *head) context() context.Context {
	_, rest := cutField(h.text)
	_, rest = cutField(rest)
	local, _ := cutField(rest)
	ctx := context.WithoutCancel(h.ctx)
	if local == "" {
		return ctx
	}
	addr, _ := netip.ParseAddrPort(local) // which is what it was
	return context.WithValue(ctx, http.LocalAddrContextKey, net.TCPAddrFromAddrPort(addr))
}

// request returns the request without its body, and with a context that does not end
// with it.
func (h *head) request() *http.Request {
	rest := h.text
	next := func() (field string) {
		field, rest = cutField(rest)
		return field
	}
	r := (&http.Request{Header: http.Header{}, Body: http.NoBody, TLS: h.tls}).WithContext(h.context())
	r.RemoteAddr, _, _, r.Method, r.RequestURI = next(), next(), next(), next(), next()
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
