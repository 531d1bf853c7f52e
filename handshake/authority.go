package handshake

import "strings"

// splitAuthority splits a host with an optional port (RFC 3986, Section 3.2),
// such as the value of Host. A host is a name of letters, digits, hyphens, dots,
// but not first, and underscores, an IPv4 address or an IPv6 address in brackets,
// which stay; a port is 1 to 65535 without leading zeros, or "" if there is none.
// User information is not allowed.
func splitAuthority(s string) (host, port string, ok bool) {
	if strings.HasPrefix(s, "[") {
		i := strings.IndexByte(s, ']')
		if i < 0 || !isIPv6(s[1:i]) {
			return "", "", false
		}
		host, port = s[:i+1], s[i+1:]
	} else {
		i := strings.IndexByte(s, ':')
		if i < 0 {
			i = len(s)
		}
		host, port = s[:i], s[i:]
		if !all(host, hostChar) || host[0] == '.' {
			return "", "", false
		}
	}
	switch {
	case port == "" || port == ":":
		return host, "", true
	case port[0] == ':' && isPort(port[1:]):
		return host, port[1:], true
	}
	return "", "", false
}

// isIPv6 reports whether s may be an IPv6 address without a zone. Addresses are
// compared as text, so that no more than their octets matters.
func isIPv6(s string) bool {
	for i := range len(s) {
		if s[i] != ':' && s[i] != '.' && classes[s[i]]&hexChar == 0 {
			return false
		}
	}
	return s != ""
}

// isPort reports whether s is a number from 1 to 65535 without leading zeros.
func isPort(s string) bool {
	return all(s, digitChar) && s[0] != '0' && (len(s) < 5 || len(s) == 5 && s <= "65535")
}

// defaultPort returns the port that scheme implies, or "" if we know none.
func defaultPort(scheme string) string {
	switch scheme {
	case "http", "ws":
		return "80"
	case "https", "wss":
		return "443"
	}
	return ""
}

// effectivePort returns port, or the default port of scheme if port is empty.
func effectivePort(scheme, port string) string {
	if port == "" {
		return defaultPort(scheme)
	}
	return port
}
