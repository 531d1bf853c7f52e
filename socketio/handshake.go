package socketio

import (
	"strings"
	"time"
)

// A Handshake is what is known of how a client connected, with the names that
// Node's servers give it in JSON.
type Handshake struct {
	// Headers are the fields of the request that began the session, with their
	// names in lower case and all values of one name in one text.
	Headers map[string]string `json:"headers"`
	// Time is when the socket was connected, as a text, and Issued in
	// milliseconds since 1970.
	Time   string `json:"time"`
	Issued int64  `json:"issued"`
	// Address is that of the client, without its port.
	Address string `json:"address"`
	// XDomain says whether the page was of an origin at all, and Secure whether
	// the request came over TLS.
	XDomain bool `json:"xdomain"`
	Secure  bool `json:"secure"`
	// URL and Query are those of the request. Of a name that comes twice the
	// first value counts.
	URL   string            `json:"url"`
	Query map[string]string `json:"query"`
	// Auth is what the client sent to join the namespace: decode it with
	// [parser.Value.Decode]. It is an object or null.
	Auth Value `json:"auth"`
}

// Handshake returns how the client connected.
func (s *Socket) Handshake() Handshake {
	h := Handshake{
		Headers: map[string]string{}, Query: map[string]string{},
		Address: host(s.engine.RemoteAddr()),
	}
	issued := time.Unix(0, s.issued)
	h.Issued, h.Time = issued.UnixMilli(), issued.Format(time.RFC1123Z)
	if s.auth != nil {
		h.Auth = *s.auth
	}
	r := s.Request()
	for name, values := range r.Header {
		h.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	h.Headers["host"] = r.Host
	for name, values := range r.URL.Query() {
		h.Query[name] = values[0]
	}
	h.XDomain = r.Header.Get("Origin") != ""
	h.Secure = r.TLS != nil
	h.URL = r.URL.RequestURI()
	return h
}
