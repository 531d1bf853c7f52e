package handshake

import "strings"

// setOriginForm replaces a target in absolute-form by its origin-form (RFC 9112,
// Section 3.2.2).
func (r *Request) setOriginForm() error {
	scheme, rest, _ := strings.Cut(r.Target, "://")
	scheme = strings.ToLower(scheme)
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	host, port, ok := splitAuthority(rest[:end])
	if !ok || defaultPort(scheme) == "" {
		return ErrTarget
	}
	wantHost, wantPort, ok := r.host()
	if !ok || !equalFold(host, wantHost) || effectivePort(scheme, port) != effectivePort(scheme, wantPort) {
		return ErrHost
	}
	if r.Target = rest[end:]; r.Target == "" || r.Target[0] == '?' {
		r.Target = "/" + r.Target
	}
	return nil
}

// validTarget reports whether s is a request-target in origin-form (RFC 9112,
// Section 3.2.1) that leads to one place only: no authority in it for somebody
// else's parser, no dot segments, no percent sign without two hexadecimal digits.
// Octets that browsers leave unescaped in URLs may be in it although RFC 3986 does
// not have them.
func validTarget(s string) bool {
	return all(s, targetChar) && leadsToOne(s)
}

// leadsToOne is validTarget for octets that targets may have.
func leadsToOne(s string) bool {
	if s == "" || s[0] != '/' || len(s) > 1 && s[1] == '/' {
		return false
	}
	if isPlain(s) {
		return true
	}
	path, _, _ := strings.Cut(s, "?")
	for found := true; found; {
		_, path, found = strings.Cut(path, "/")
		if beginsDots(path) {
			return false
		}
	}
	for i := strings.IndexByte(s, '%'); i >= 0; i = strings.IndexByte(s, '%') {
		if len(s) < i+3 || !all(s[i+1:i+3], hexChar) {
			return false
		}
		s = s[i+3:]
	}
	return true
}

// isPlain reports whether no segment of s begins with a dot, escaped or not, and
// every percent sign has its digits. The query is taken for segments too.
func isPlain(s string) bool {
	slash := false
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '.' && slash:
			return false
		case c == '%' && (len(s) < i+3 || !all(s[i+1:i+3], hexChar) || slash && equalFold(s[i+1:i+3], "2e")):
			return false
		}
		slash = c == '/'
	}
	return true
}

// beginsDots reports whether path begins with a segment that is "." or "..",
// escaped or not.
func beginsDots(path string) bool {
	dots := 0
	for path != "" && path[0] != '/' {
		switch {
		case path[0] == '.':
			path = path[1:]
		case len(path) >= 3 && equalFold(path[:3], "%2e"):
			path = path[3:]
		default:
			return false
		}
		dots++
	}
	return dots == 1 || dots == 2
}
