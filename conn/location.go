package conn

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// ErrURL is a URL that [Dial] cannot use, its own or that of a proxy. The error
// says why, without quoting what may be secret.
var ErrURL = errors.New("conn: URL cannot be used")

func urlError(why string) error { return fmt.Errorf("%w: %s", ErrURL, why) }

// A location is what a WebSocket URI says (RFC 6455, Section 3).
type location struct {
	web  url.URL       // with http for ws and https for wss, for those who know only these
	user *url.Userinfo // nil if there is none; not in web
	host string        // without the brackets of an IPv6 address, with its zone
	port string
}

// locate parses a URI, which may be relative to base.
func locate(base *url.URL, raw string) (l location, err error) {
	for i := range len(raw) {
		switch c := raw[i]; {
		case c == '#':
			return l, urlError("it has a fragment")
		case c <= ' ' || c >= 0x7f:
			return l, urlError("an octet in it must be escaped")
		}
	}
	u, err := base.Parse(raw)
	if err != nil {
		return l, urlError("it is not of the form ws://host:port/path?query") // err quotes it
	}
	l.web = url.URL{Host: u.Host, Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery, ForceQuery: u.ForceQuery}
	l.user = u.User
	standard := "80"
	switch u.Scheme {
	case "ws", "http":
		l.web.Scheme = "http"
	case "wss", "https":
		l.web.Scheme, standard = "https", "443"
	default:
		return l, urlError("its scheme is neither ws nor wss")
	}
	l.host, l.port, err = hostPort(u, standard)
	return l, err
}

// hostPort returns the host of u and its port, or else the standard one.
func hostPort(u *url.URL, standard string) (host, port string, err error) {
	host, port = u.Hostname(), standard
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if n == 0 || err != nil {
			return "", "", urlError("its port is not 1 to 65535")
		}
		port = strconv.FormatUint(n, 10)
	}
	if strings.HasPrefix(u.Host, "[") {
		// RFC 6874: the zone came escaped, and may now hold any octet.
		a, err := netip.ParseAddr(host)
		if err != nil || !a.Is6() || strings.ContainsFunc(a.Zone(), notPrintable) {
			return "", "", urlError("its host is not an IPv6 address")
		}
		return host, port, nil
	}
	if host == "" || strings.ContainsFunc(host, notHostname) {
		return "", "", urlError("its host is not a name or address")
	}
	return host, port, nil
}

func notPrintable(r rune) bool { return r <= ' ' || r >= 0x7f }

// notHostname reports whether a host cannot have r. Names in other scripts are
// given in their ASCII form (RFC 5890).
func notHostname(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return false
	}
	return r != '-' && r != '.' && r != '_'
}

func (l *location) secure() bool { return l.web.Scheme == "https" }

// target returns the request-target.
func (l *location) target() string { return l.web.RequestURI() }

// address returns where to connect to.
func (l *location) address() string { return net.JoinHostPort(l.host, l.port) }

// name returns the host without its zone, which means nothing to others (RFC
// 6874, Section 4).
func (l *location) name() string {
	name, _, _ := strings.Cut(l.host, "%")
	return name
}

// authority returns the value of Host, which has no default port (RFC 6455,
// Section 4.1).
func (l *location) authority() string {
	name := l.name()
	standard := "80"
	if l.secure() {
		standard = "443"
	}
	switch {
	case l.port != standard:
		return net.JoinHostPort(name, l.port)
	case strings.Contains(name, ":"):
		return "[" + name + "]"
	}
	return name
}

// sameOrigin reports whether l and m have the same origin (RFC 6454, Section 5).
func (l *location) sameOrigin(m *location) bool {
	return l.web.Scheme == m.web.Scheme && strings.EqualFold(l.host, m.host) && l.port == m.port
}

// basic returns the value of Authorization or Proxy-Authorization for user (RFC
// 7617, Section 2).
func basic(user *url.Userinfo) (string, error) {
	name := user.Username()
	password, _ := user.Password()
	control := func(r rune) bool { return r < ' ' || r == 0x7f }
	if strings.Contains(name, ":") || strings.ContainsFunc(name, control) || strings.ContainsFunc(password, control) {
		return "", urlError("its user information has control octets, or a colon in the name")
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password)), nil
}
