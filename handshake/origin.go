package handshake

import (
	"strconv"
	"strings"
)

// An Origin is the web origin of a request (RFC 6454): the page whose script opens
// the connection. The zero value means that there is none, as from a client that
// is not a browser.
type Origin struct {
	// Scheme and Host are in lower case. An IPv6 address has its brackets.
	Scheme, Host string

	// Port is empty if it is the default of Scheme.
	Port string
}

// ParseOrigin parses the value of an Origin field: a scheme, a host and an optional
// port. Everything else, null, user information, a path and octets beyond ASCII
// included, is [ErrOrigin].
//
// A dot at the end of the host is part of it, as it is for browsers:
// https://example.com. and https://example.com are different origins.
func ParseOrigin(s string) (Origin, error) {
	scheme, authority, ok := strings.Cut(s, "://")
	if !ok || !isScheme(scheme) {
		return Origin{}, ErrOrigin
	}
	host, port, ok := splitAuthority(authority)
	if !ok {
		return Origin{}, ErrOrigin
	}
	o := Origin{Scheme: strings.ToLower(scheme), Host: strings.ToLower(host), Port: port}
	if port == defaultPort(o.Scheme) {
		o.Port = ""
	}
	return o, nil
}

// isScheme reports whether s is a URI scheme (RFC 3986, Section 3.1).
func isScheme(s string) bool {
	if s == "" || lower(s[0])-'a' >= 26 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; classes[c]&hostChar == 0 && c != '+' || c == '_' {
			return false
		}
	}
	return true
}

// Origins is the policy of a server for the Origin of a request (RFC 6455, Section
// 10.2). Nil and the zero value are the default rule of [Origins.Check] alone. A
// policy does not change: it may be used concurrently.
type Origins struct {
	patterns []originPattern
}

// originPattern allows the origins that agree with it in all three respects.
type originPattern struct {
	scheme string // "" is any
	host   string // with a dot before it: what a host ends with
	port   string // "" is the default port, "*" any
}

// NewOrigins returns a policy that allows what the default rule allows, and the
// origins that one of the patterns describes. A pattern is
//
//	[scheme "://"] ["*."] host [":" (port | "*")]
//
// Without a scheme, every scheme will do. A host after "*." stands for its
// subdomains, at any depth, but not for itself. Without a port the origin's must
// be the default one of its scheme; ":*" stands for every port. Letters may be in
// either case. Examples:
//
//	https://app.example.com
//	*.example.com
//	https://*.example.com:8443
//	http://localhost:*
//
// The error is [ErrPattern], also for "*" alone: no pattern allows every host.
func NewOrigins(patterns ...string) (*Origins, error) {
	o := &Origins{patterns: make([]originPattern, 0, len(patterns))}
	for _, s := range patterns {
		p, ok := parsePattern(strings.ToLower(s))
		if !ok {
			return nil, &Error{class: ErrPattern, status: 500, text: "malformed origin pattern " + strconv.Quote(s)}
		}
		o.patterns = append(o.patterns, p)
	}
	return o, nil
}

// parsePattern parses s as [NewOrigins] describes.
func parsePattern(s string) (p originPattern, ok bool) {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		rest = s
	} else if p.scheme = scheme; !isScheme(scheme) {
		return p, false
	}
	rest, subdomains := strings.CutPrefix(rest, "*.")
	rest, anyPort := strings.CutSuffix(rest, ":*")
	p.host, p.port, ok = splitAuthority(rest)
	if anyPort {
		ok = ok && !strings.HasSuffix(rest, ":") && p.port == ""
		p.port = "*"
	}
	if subdomains {
		ok = ok && p.host[0] != '['
		p.host = "." + p.host
	}
	return p, ok
}

// match reports whether p allows o.
func (p *originPattern) match(o Origin) bool {
	if p.scheme != "" && p.scheme != o.Scheme {
		return false
	}
	switch p.port {
	case "*":
	case "":
		if o.Port != "" {
			return false
		}
	default:
		if p.port != effectivePort(o.Scheme, o.Port) {
			return false
		}
	}
	if p.host[0] == '.' {
		return len(o.Host) > len(p.host) && strings.HasSuffix(o.Host, p.host)
	}
	return p.host == o.Host
}

// Check returns nil if o allows the Origin of r, and otherwise [ErrOrigin]. It
// does not allocate for an origin in lower case.
//
// A request without an Origin is allowed: browsers always send one, and others
// could send what they like. Several, or one that [ParseOrigin] refuses, are not
// allowed. By the default rule an origin is allowed if its host and port are those
// of the Host of r: hosts compared without case, a port left out being the default
// one of the origin's scheme. Schemes are not compared, because TLS may end at a
// proxy. Any other origin must be described by a pattern of o.
func (o *Origins) Check(r *Request) error {
	if r.ownOrigin() {
		return nil
	}
	return o.check(r)
}

// ownOrigin reports whether the origin of r is its Host, letter for letter, as that of
// nearly every page is that connects to where it came from.
func (r *Request) ownOrigin() bool {
	lines := values(r.Header, knownOrigin)
	if len(lines) != 1 {
		return false
	}
	host, ok := r.authority()
	if !ok {
		return false
	}
	scheme, ok := strings.CutSuffix(lines[0], host)
	if !ok {
		return false
	}
	if scheme, ok = strings.CutSuffix(scheme, "://"); !ok || !isScheme(scheme) {
		return false
	}
	_, _, ok = splitAuthority(host)
	return ok
}

// check is Check for any origin.
func (o *Origins) check(r *Request) error {
	if len(values(r.Header, knownOrigin)) == 0 {
		return nil
	}
	origin, err := r.Origin()
	if err != nil || origin == (Origin{}) {
		return err
	}
	if host, port, ok := r.host(); ok && equalFold(host, origin.Host) &&
		effectivePort(origin.Scheme, port) == effectivePort(origin.Scheme, origin.Port) {
		return nil
	}
	if o != nil {
		for i := range o.patterns {
			if o.patterns[i].match(origin) {
				return nil
			}
		}
	}
	return ErrOrigin
}
