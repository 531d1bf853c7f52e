package handshake_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"example.org/rfc6455/handshake"
)

func TestParseOrigin(t *testing.T) {
	type origin = handshake.Origin
	tests := []struct {
		name, in string
		want     origin // the zero value is ErrOrigin
	}{
		{name: "https", in: "https://example.com", want: origin{"https", "example.com", ""}},
		{name: "port", in: "http://localhost:8080", want: origin{"http", "localhost", "8080"}},
		{name: "upper case", in: "HTTPS://Example.COM", want: origin{"https", "example.com", ""}},
		{name: "default port spelled", in: "https://example.com:443", want: origin{"https", "example.com", ""}},
		{name: "default port of the other scheme", in: "https://example.com:80", want: origin{"https", "example.com", "80"}},
		{name: "empty port", in: "http://example.com:", want: origin{"http", "example.com", ""}},
		{name: "trailing dot", in: "https://example.com.", want: origin{"https", "example.com.", ""}},
		{name: "punycode", in: "https://xn--bcher-kva.example", want: origin{"https", "xn--bcher-kva.example", ""}},
		{name: "IPv4", in: "http://127.0.0.1:3000", want: origin{"http", "127.0.0.1", "3000"}},
		{name: "IPv6", in: "http://[2001:DB8::1]:3000", want: origin{"http", "[2001:db8::1]", "3000"}},
		{name: "underscore", in: "http://my_app", want: origin{"http", "my_app", ""}},
		{name: "browser extension", in: "chrome-extension://abcdefghijklmnop", want: origin{"chrome-extension", "abcdefghijklmnop", ""}},
		{name: "unknown scheme has no default port", in: "app://x:80", want: origin{"app", "x", "80"}},
		{name: "scheme of all kinds", in: "a1+-.://x", want: origin{"a1+-.", "x", ""}},

		{name: "empty", in: ""},
		{name: "null", in: "null"},
		{name: "no scheme", in: "example.com"},
		{name: "empty scheme", in: "://example.com"},
		{name: "scheme begins with a digit", in: "1http://example.com"},
		{name: "scheme with an underscore", in: "a_b://example.com"},
		{name: "scheme with a space", in: " http://example.com"},
		{name: "no slashes", in: "http:example.com"},
		{name: "file", in: "file://"},
		{name: "path", in: "https://example.com/"},
		{name: "query", in: "https://example.com?x"},
		{name: "fragment", in: "https://example.com#x"},
		{name: "user information", in: "https://user@example.com"},
		{name: "user information and port", in: "https://example.com:443@evil.example"},
		{name: "unicode", in: "https://b\u00fccher.example"},
		{name: "two", in: "https://example.com https://example.org"},
		{name: "two as a list", in: "https://example.com, https://example.org"},
		{name: "empty label first", in: "https://.example.com"},
		{name: "dot", in: "https://."},
		{name: "no host", in: "https://:443"},
		{name: "port 0", in: "https://example.com:0"},
		{name: "port 65536", in: "https://example.com:65536"},
		{name: "port 99999", in: "https://example.com:99999"},
		{name: "port of six digits", in: "https://example.com:100000"},
		{name: "port with a leading zero", in: "https://example.com:0443"},
		{name: "port with a sign", in: "https://example.com:+443"},
		{name: "IPv6 not closed", in: "https://[::1"},
		{name: "IPv6 empty", in: "https://[]"},
		{name: "IPv6 zone", in: "https://[fe80::1%25eth0]"},
		{name: "IPv6 and junk", in: "https://[::1]x"},
		{name: "bare IPv6", in: "https://::1"},
		{name: "wildcard", in: "https://*.example.com"},
		{name: "line", in: "https://example.com\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := handshake.ParseOrigin(tt.in)
			if got != tt.want || (err == nil) != (tt.want != origin{}) {
				t.Fatalf("ParseOrigin(%q) = %+v, %v; want %+v", tt.in, got, err, tt.want)
			}
			if err != nil && !errors.Is(err, handshake.ErrOrigin) {
				t.Errorf("ParseOrigin(%q) = _, %v; want ErrOrigin", tt.in, err)
			}
		})
	}
}

func TestOriginsCheck(t *testing.T) {
	tests := []struct {
		name     string
		patterns []string
		origins  []string
		host     string // example.com if empty
		ok       bool
	}{
		// The default rule.
		{name: "none", ok: true},
		{name: "same", origins: []string{"https://example.com"}, ok: true},
		{name: "same, scheme not compared", origins: []string{"http://example.com"}, ok: true},
		{name: "foreign", origins: []string{"https://evil.example"}},
		{name: "null", origins: []string{"null"}},
		{name: "empty", origins: []string{""}},
		{name: "two", origins: []string{"https://example.com", "https://example.com"}},
		{name: "upper case", origins: []string{"https://EXAMPLE.com"}, ok: true},
		{name: "upper case Host", origins: []string{"https://example.com"}, host: "Example.Com", ok: true},
		{name: "trailing dot", origins: []string{"https://example.com."}},
		{name: "trailing dot in Host", origins: []string{"https://example.com"}, host: "example.com."},
		{name: "trailing dot in both", origins: []string{"https://example.com."}, host: "example.com.", ok: true},
		{name: "punycode", origins: []string{"https://xn--bcher-kva.example"}, host: "xn--bcher-kva.example", ok: true},
		{name: "punycode foreign", origins: []string{"https://xn--exmple-cua.com"}},
		{name: "unicode", origins: []string{"https://ex\u00e4mple.com"}},
		{name: "Kelvin sign", origins: []string{"https://\u212aing.example"}, host: "king.example"},
		{name: "default port spelled in Origin", origins: []string{"https://example.com:443"}, ok: true},
		{name: "default port spelled in Host", origins: []string{"https://example.com"}, host: "example.com:443", ok: true},
		{name: "default port of the other scheme", origins: []string{"https://example.com:80"}},
		{name: "port of the other scheme in Host", origins: []string{"http://example.com"}, host: "example.com:443"},
		{name: "same port", origins: []string{"http://example.com:8080"}, host: "example.com:8080", ok: true},
		{name: "other port", origins: []string{"http://example.com:8080"}, host: "example.com:8081"},
		{name: "other port than none", origins: []string{"http://example.com:8080"}},
		{name: "unknown scheme", origins: []string{"app://example.com"}, ok: true},
		{name: "user information", origins: []string{"https://example.com@evil.example"}},
		{name: "user information before", origins: []string{"https://evil.example@example.com"}},
		{name: "subdomain", origins: []string{"https://a.example.com"}},
		{name: "suffix", origins: []string{"https://notexample.com"}},
		{name: "prefix", origins: []string{"https://example.com.evil.example"}},
		{name: "IPv6", origins: []string{"http://[::1]:80"}, host: "[::1]", ok: true},
		{name: "invalid Host", origins: []string{"https://example.com"}, host: "example.com,evil.example"},

		// Patterns are for more.
		{name: "default rule with patterns", patterns: []string{"a.example"}, origins: []string{"https://example.com"}, ok: true},
		{name: "not the pattern", patterns: []string{"a.example"}, origins: []string{"https://b.example"}},
		{name: "null with patterns", patterns: []string{"a.example"}, origins: []string{"null"}},
		{name: "second pattern", patterns: []string{"a.example", "b.example"}, origins: []string{"https://b.example"}, ok: true},
		{name: "exact", patterns: []string{"https://app.example"}, origins: []string{"https://app.example"}, ok: true},
		{name: "exact, upper case", patterns: []string{"HTTPS://App.Example"}, origins: []string{"https://app.example"}, ok: true},
		{name: "exact, default port", patterns: []string{"https://app.example:443"}, origins: []string{"https://app.example"}, ok: true},
		{name: "exact, other scheme", patterns: []string{"https://app.example"}, origins: []string{"http://app.example"}},
		{name: "exact, other port", patterns: []string{"https://app.example"}, origins: []string{"https://app.example:8443"}},
		{name: "exact, port left out", patterns: []string{"https://app.example:8443"}, origins: []string{"https://app.example"}},
		{name: "exact, subdomain", patterns: []string{"https://app.example"}, origins: []string{"https://x.app.example"}},
		{name: "any scheme", patterns: []string{"app.example"}, origins: []string{"ionic://app.example"}, ok: true},
		{name: "any scheme, port", patterns: []string{"app.example:443"}, origins: []string{"https://app.example"}, ok: true},
		{name: "any scheme, other port", patterns: []string{"app.example:443"}, origins: []string{"http://app.example"}},
		{name: "subdomains", patterns: []string{"*.app.example"}, origins: []string{"https://x.app.example"}, ok: true},
		{name: "subdomains, deeper", patterns: []string{"*.app.example"}, origins: []string{"https://x.y.app.example"}, ok: true},
		{name: "subdomains, not itself", patterns: []string{"*.app.example"}, origins: []string{"https://app.example"}},
		{name: "subdomains, not a suffix", patterns: []string{"*.app.example"}, origins: []string{"https://evilapp.example"}},
		{name: "subdomains, empty label", patterns: []string{"*.app.example"}, origins: []string{"https://.app.example"}},
		{name: "subdomains, port", patterns: []string{"https://*.app.example:8443"}, origins: []string{"https://x.app.example:8443"}, ok: true},
		{name: "subdomains, other port", patterns: []string{"https://*.app.example:8443"}, origins: []string{"https://x.app.example"}},
		{name: "any port", patterns: []string{"http://localhost:*"}, origins: []string{"http://localhost:5173"}, ok: true},
		{name: "any port, default", patterns: []string{"http://localhost:*"}, origins: []string{"http://localhost"}, ok: true},
		{name: "any port, other scheme", patterns: []string{"http://localhost:*"}, origins: []string{"https://localhost"}},
		{name: "any port, IPv6", patterns: []string{"http://[::1]:*"}, origins: []string{"http://[::1]:5173"}, ok: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			policy, err := handshake.NewOrigins(tt.patterns...)
			if err != nil {
				t.Fatalf("NewOrigins(%q) = _, %v", tt.patterns, err)
			}
			r := validRequest()
			if tt.host != "" {
				r.Host = tt.host
			} else {
				r.Host = "example.com"
			}
			r.Header.(http.Header)["Origin"] = tt.origins
			var want error
			if !tt.ok {
				want = handshake.ErrOrigin
			}
			if err := policy.Check(r); !errors.Is(err, want) {
				t.Errorf("Check of %q at %q with %q = %v, want %v", tt.origins, r.Host, tt.patterns, err, want)
			}
			if tt.patterns == nil {
				if err := (*handshake.Origins)(nil).Check(r); !errors.Is(err, want) {
					t.Errorf("Check of %q at %q with nil = %v, want %v", tt.origins, r.Host, err, want)
				}
			}
		})
	}
}

// A request that names several hosts is of no origin's own.
func TestOriginsCheckHosts(t *testing.T) {
	r := validRequest()
	h := r.Header.(http.Header)
	h["Origin"], h["Host"] = []string{"https://" + r.Host}, []string{r.Host, r.Host}
	if err := (*handshake.Origins)(nil).Check(r); !errors.Is(err, handshake.ErrOrigin) {
		t.Errorf("Check = %v, want ErrOrigin", err)
	}
}

func TestNewOriginsErrors(t *testing.T) {
	for _, pattern := range []string{
		"", "*", "*:*", "*.", "*.*", "*.*.example", "a*.example", "https://*", "https://", "://a.example",
		"1://a.example", ".a.example", "https://.a.example",
		"https://a.example/", "https://a.example/path", "https://user@a.example", "a.example:0", "a.example:x",
		"a.example:*0", "a.example:80:*", "a.example::*", "*.[::1]", "a b", "b\u00fccher.example", "a,b",
	} {
		_, err := handshake.NewOrigins("good.example", pattern)
		if !errors.Is(err, handshake.ErrPattern) {
			t.Errorf("NewOrigins(%q) = _, %v; want ErrPattern", pattern, err)
		} else if !strings.Contains(err.Error(), pattern) {
			t.Errorf("%q does not name %q", err, pattern)
		}
	}
}

// FuzzParseOrigin: the result written out parses to itself, and allows no other
// origin as a pattern.
func FuzzParseOrigin(f *testing.F) {
	for _, s := range []string{
		"https://example.com", "HTTP://Example.COM:80", "https://[::1]:8443", "null", "https://user@example.com",
		"https://example.com.", "chrome-extension://abc", "file://", "https://*.example.com:*",
	} {
		f.Add(s, "https://example.org")
	}
	f.Fuzz(func(t *testing.T, s, other string) {
		o, err := handshake.ParseOrigin(s)
		if err != nil {
			if err != handshake.ErrOrigin || o != (handshake.Origin{}) {
				t.Fatalf("ParseOrigin(%q) = %+v, %v", s, o, err)
			}
			return
		}
		text := o.Scheme + "://" + o.Host
		if o.Port != "" {
			text += ":" + o.Port
		}
		if again, err := handshake.ParseOrigin(text); again != o || err != nil {
			t.Fatalf("ParseOrigin(%q) = %+v, %v; want %+v from %q", text, again, err, o, s)
		}
		policy, err := handshake.NewOrigins(text)
		if err != nil {
			t.Fatalf("NewOrigins(%q) = _, %v", text, err)
		}
		r := validRequest()
		r.Host = "!" // not the host of any origin
		for _, origin := range []string{s, other} {
			r.Header.(http.Header)["Origin"] = []string{origin}
			same, _ := handshake.ParseOrigin(origin)
			if err := policy.Check(r); (err == nil) != (same == o) {
				t.Fatalf("pattern %q, origin %q: %v", text, origin, err)
			}
		}
	})
}
