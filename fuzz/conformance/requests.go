package conformance

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// A requestCase is a case of one changed request.
type requestCase struct {
	id, about string
	outcome   outcome
	change    func(r *request)
}

// requestCases are about what a server makes of requests (Sections 4.2.1, 4.2.2
// and 4.4).
func requestCases() []*Case {
	var cases []*Case
	for _, group := range [][]requestCase{goodRequests(), fieldRequests(), keyRequests(), versionRequests(), listRequests(), httpRequests(), contentRequests()} {
		for _, r := range group {
			cases = append(cases, &Case{
				ID:     "handshake/" + r.id,
				About:  "Sends a request " + r.about + ".",
				Expect: r.outcome.expect(),
				Peers:  Servers,
				open:   requests(r.outcome, r.change),
			})
		}
	}
	return append(cases, rawRequestCases()...)
}

func goodRequests() []requestCase {
	set := func(name string, lines ...string) func(*request) {
		return func(r *request) { r.change(name, lines...) }
	}
	add := func(lines ...string) func(*request) {
		return func(r *request) { r.fields = append(r.fields, lines...) }
	}
	fold := func(change func(string) string) func(*request) {
		return func(r *request) {
			for i, line := range r.fields {
				name, value, _ := strings.Cut(line, ":")
				r.fields[i] = change(name) + ":" + value
			}
		}
	}
	const (
		must     = "this is all that Section 4.2.1 asks for."
		caseless = "names of fields, and the tokens of Upgrade and Connection, are compared without case (Section 4.2.1)."
		listed   = "Connection is a list, over all its lines (Section 4.2.1; RFC 9110, Section 5.3)."
		unknown  = "a server ignores what it does not know (Sections 4.2.1 and 9.1)."
	)
	return []requestCase{
		{"4.2.1/plain", "with the fields of an opening handshake", mustOpen(must), func(*request) {}},
		{"4.2.2/rfc-sample-key", "with the key of Section 1.3", mustOpen("the answer is s3pPLMBiTxaQ9kYGzzhZRbK+xOo= (Section 4.2.2)."),
			set("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")},
		{"4.2.1/names-lower-case", "with the names of all fields in lower case", mustOpen(caseless), fold(strings.ToLower)},
		{"4.2.1/names-upper-case", "with the names of all fields in upper case", mustOpen(caseless), fold(strings.ToUpper)},
		{"4.2.1/tokens-mixed-case", "with Upgrade: WebSocket and Connection: uPGRADE", mustOpen(caseless), func(r *request) {
			r.change("Upgrade", "Upgrade: WebSocket")
			r.change("Connection", "Connection: uPGRADE")
		}},
		{"4.2.1/connection-list", "with Connection: keep-alive, Upgrade", mustOpen(listed), set("Connection", "Connection: keep-alive, Upgrade")},
		{"4.2.1/connection-list-without-space", "with Connection: keep-alive,Upgrade", mustOpen(listed), set("Connection", "Connection: keep-alive,Upgrade")},
		{"4.2.1/connection-two-lines", "with two lines of Connection", mustOpen(listed), set("Connection", "Connection: keep-alive", "Connection: Upgrade")},
		{"4.2.1/upgrade-list", "with Upgrade: h2c, websocket", shouldOpen("Upgrade is a list of protocols (RFC 9110, Section 7.8)."), set("Upgrade", "Upgrade: h2c, websocket")},
		{"4.2.1/white-space", "with tabs and spaces around the values", mustOpen("they are no part of a value (RFC 9112, Section 5.1)."), func(r *request) {
			for i, line := range r.fields {
				name, value, _ := strings.Cut(line, ": ")
				r.fields[i] = name + ": \t " + value + "\t "
			}
		}},
		{"4.2.1/white-space-none", "without a space after the colons", mustOpen("it is optional (RFC 9112, Section 5.1)."), func(r *request) {
			for i, line := range r.fields {
				r.fields[i] = strings.Replace(line, ": ", ":", 1)
			}
		}},
		{"4.2.1/unknown-fields", "with 20 more fields", mustOpen(unknown), func(r *request) {
			for i := range 20 {
				r.fields = append(r.fields, "X-Conformance-"+strconv.Itoa(i)+": a, b; c=\"d\"")
			}
		}},
		{"4.2.1/cookie-4KiB", "with a Cookie of 4 KiB", mustOpen("browsers send as much."), add("Cookie: c=" + strings.Repeat("x", 4<<10))},
		{"4.2.1/absolute-form", "whose target is a whole URI", shouldOpen("a server accepts the absolute form (RFC 9112, Section 3.2.2)."), func(r *request) {
			r.target = "http://" + strings.TrimPrefix(r.fields[0], "Host: ") + r.target
		}},
		{"9.1/unknown-extension", "that offers an extension which nobody knows", mustOpen(unknown), add("Sec-WebSocket-Extensions: x-conformance; a=1; b=\"2\"; c")},
		{"9.1/unknown-extensions-two-lines", "that offers two such extensions on two lines", mustOpen(unknown),
			add("Sec-WebSocket-Extensions: x-conformance-1", "Sec-WebSocket-Extensions: x-conformance-2, x-conformance-3; q")},
		{"4.2.2/subprotocol", "that asks for a subprotocol", shouldOpen("a server agrees to it, or goes on without (Section 4.2.2)."), add("Sec-WebSocket-Protocol: conformance.example")},
		{"4.2.2/subprotocols-two-lines", "that asks for three subprotocols on two lines", shouldOpen("the lines are one list (Section 11.3.4)."),
			add("Sec-WebSocket-Protocol: a.example, b.example", "Sec-WebSocket-Protocol: c.example")},
		{"4.2.1/expect-continue", "with Expect: 100-continue", outcome{OK, OK, nil, nil, "a server ignores the expectation or refuses with 417 (RFC 9110, Section 10.1.1)."},
			add("Expect: 100-continue")},
	}
}

func fieldRequests() []requestCase {
	set := func(name string, lines ...string) func(*request) {
		return func(r *request) { r.change(name, lines...) }
	}
	const (
		upgrade    = "Upgrade must have the value websocket (Section 4.2.1)."
		connection = "Connection must have the token Upgrade (Section 4.2.1)."
		host       = "there is exactly one Host (Section 4.2.1; RFC 9112, Section 3.2)."
	)
	return []requestCase{
		{"4.2.1/upgrade-missing", "without Upgrade", mustRefuse(upgrade, 426, 400), set("Upgrade")},
		{"4.2.1/upgrade-other", "with Upgrade: h2c", mustRefuse(upgrade, 400, 426), set("Upgrade", "Upgrade: h2c")},
		{"4.2.1/upgrade-longer", "with Upgrade: websockets", mustRefuse(upgrade, 400, 426), set("Upgrade", "Upgrade: websockets")},
		{"4.2.1/upgrade-version", "with Upgrade: websocket/13", shouldRefuse(upgrade, 400, 426), set("Upgrade", "Upgrade: websocket/13")},
		{"4.2.1/connection-missing", "without Connection", mustRefuse(connection, 400, 426), set("Connection")},
		{"4.2.1/connection-other", "with Connection: keep-alive", mustRefuse(connection, 400, 426), set("Connection", "Connection: keep-alive")},
		{"4.2.1/connection-longer", "with Connection: notupgraded", mustRefuse(connection, 400, 426), set("Connection", "Connection: notupgraded")},
		{"4.2.1/host-missing", "without Host", mustRefuse(host, 400), set("Host")},
		{"4.2.1/host-twice", "with two lines of Host", mustRefuse(host, 400), func(r *request) { r.fields = append(r.fields, "Host: other.example") }},
		{"4.2.1/host-empty", "with an empty Host", shouldRefuse(host, 400), set("Host", "Host:")},
		{"4.2.1/host-malformed", "with Host: a b", mustRefuse(host, 400), set("Host", "Host: a b")},
		{"10.2/origin-foreign", "of a page of another origin", outcome{OK, OK, nil, nil,
			"a server that browsers are to use refuses with 403, any other may open (Section 10.2)."},
			set("Origin", "Origin: https://foreign.example")},
		{"10.2/origin-twice", "with two lines of Origin", shouldRefuse("a request has one origin (Section 4.1).", 403, 400),
			set("Origin", "Origin: http://a.example", "Origin: http://b.example")},
	}
}

func keyRequests() []requestCase {
	const exactly = "there is exactly one key, the base64 of 16 octets (Sections 4.2.1 and 11.3.1)."
	const sample = "dGhlIHNhbXBsZSBub25jZQ=="
	set := func(lines ...string) func(*request) {
		for i, line := range lines {
			lines[i] = strings.TrimSuffix("Sec-WebSocket-Key: "+line, " ")
		}
		return func(r *request) { r.change("Sec-WebSocket-Key", lines...) }
	}
	var cases []requestCase
	for _, k := range []struct {
		name, about string
		keys        []string
	}{
		{"missing", "without a key", nil},
		{"empty", "with an empty key", []string{""}},
		{"twice", "with two keys", []string{sample, "AQIDBAUGBwgJCgsMDQ4PEA=="}},
		{"list", "with two keys in a list", []string{sample + ", " + sample}},
		{"15-octets", "with a key of 15 octets", []string{"dGhlIHNhbXBsZSBub25j"}},
		{"17-octets", "with a key of 17 octets", []string{"dGhlIHNhbXBsZSBub25jZSE="}},
		{"not-base64", "with a key of 24 characters that are not base64", []string{"!!!!!!!!!!!!!!!!!!!!!!=="}},
		{"unpadded", "with a key without padding", []string{"dGhlIHNhbXBsZSBub25jZQ"}},
		{"url-alphabet", "with a key in the alphabet for URLs", []string{"-_-_-_-_-_-_-_-_-_-_-w=="}},
		{"inner-space", "with a key that has a space in it", []string{"dGhlIHNhbXBs ZSBub25jZQ=="}},
	} {
		cases = append(cases, requestCase{"4.2.1/key-" + k.name, k.about, mustRefuse(exactly, 400), set(k.keys...)})
	}
	return append(cases, requestCase{"4.2.1/key-not-canonical", "with a key whose unused bits are not zero",
		shouldRefuse("encoders set these bits to zero (RFC 4648, Section 3.5).", 400), set("dGhlIHNhbXBsZSBub25jZR==")})
}

func versionRequests() []requestCase {
	const exactly = "the version is 13; a server that does not speak the client's says which it does (Sections 4.2.1 and 4.4)."
	set := func(lines ...string) func(*request) {
		for i, line := range lines {
			lines[i] = strings.TrimSuffix("Sec-WebSocket-Version: "+line, " ")
		}
		return func(r *request) { r.change("Sec-WebSocket-Version", lines...) }
	}
	refuse := mustRefuse(exactly, 426, 400).with("Sec-WebSocket-Version")
	draft := shouldRefuse("version 8 is that of a draft, which some servers still speak (Section 4.4).", 426, 400).with("Sec-WebSocket-Version")
	return []requestCase{
		{"4.4/version-missing", "without Sec-WebSocket-Version", refuse, set()},
		{"4.4/version-empty", "with an empty Sec-WebSocket-Version", refuse, set("")},
		{"4.4/version-8", "for version 8", draft, set("8")},
		{"4.4/version-12", "for version 12", refuse, set("12")},
		{"4.4/version-14", "for version 14", refuse, set("14")},
		{"4.4/version-0", "for version 0", refuse, set("0")},
		{"4.4/version-255", "for version 255", refuse, set("255")},
		{"4.4/version-013", "for version 013", refuse, set("013")},
		{"4.4/version-text", "for version thirteen", refuse, set("thirteen")},
		{"4.4/version-list", "for versions 13, 8", refuse, set("13, 8")},
		{"4.4/version-twice", "with two lines of Sec-WebSocket-Version", refuse, set("13", "14")},
	}
}

func listRequests() []requestCase {
	add := func(lines ...string) func(*request) {
		return func(r *request) { r.fields = append(r.fields, lines...) }
	}
	const (
		grammar = "who receives an extension list that does not conform to the grammar fails the connection (Section 9.1)."
		tokens  = "subprotocols are different tokens (Sections 4.1 and 11.3.4)."
	)
	var cases []requestCase
	for _, e := range []struct{ name, value string }{
		{"no-name", ";a=1"},
		{"no-parameter", "x-conformance;"},
		{"no-value", "x-conformance; a="},
		{"open-quote", `x-conformance; a="b`},
		{"quote-not-token", `x-conformance; a="b c"`},
		{"two-values", "x-conformance; a=b c"},
		{"not-token", "x-conf@rmance"},
	} {
		cases = append(cases, requestCase{"9.1/extension-" + e.name, "with Sec-WebSocket-Extensions: " + e.value, mustRefuse(grammar, 400), add("Sec-WebSocket-Extensions: " + e.value)})
	}
	for _, p := range []struct{ name, value string }{
		{"not-token", "a b"},
		{"quoted", `"a"`},
		{"separator", "a/b"},
		{"repeated", "a.example, a.example"},
		{"empty", ","},
	} {
		cases = append(cases, requestCase{"4.2.1/subprotocol-" + p.name, "with Sec-WebSocket-Protocol: " + p.value, shouldRefuse(tokens, 400), add("Sec-WebSocket-Protocol: " + p.value)})
	}
	return cases
}

func httpRequests() []requestCase {
	const (
		get    = "the method is GET (Section 4.2.1)."
		proto  = "the version of HTTP is at least 1.1 (Section 4.2.1)."
		target = "the request-target is a path or an http URI (Section 4.2.1; RFC 9112, Section 3.2)."
		lines  = "two readers of such a head could disagree about it (RFC 9112, Sections 2.2 and 5)."
	)
	method := func(m string) func(*request) { return func(r *request) { r.method = m } }
	version := func(v string) func(*request) { return func(r *request) { r.proto = v } }
	to := func(t string) func(*request) { return func(r *request) { r.target = t } }
	add := func(lines ...string) func(*request) {
		return func(r *request) { r.fields = append(r.fields, lines...) }
	}
	return []requestCase{
		{"4.2.1/method-post", "with the method POST", mustRefuse(get, 405, 400).with("Allow"), method("POST")},
		{"4.2.1/method-put", "with the method PUT", mustRefuse(get, 405, 400).with("Allow"), method("PUT")},
		{"4.2.1/method-head", "with the method HEAD", mustRefuse(get, 405, 400).with("Allow"), method("HEAD")},
		{"4.2.1/method-lower-case", "with the method get", mustRefuse(get, 405, 400, 501), method("get")},
		{"4.2.1/http-1.0", "in HTTP/1.0", mustRefuse(proto, 426, 505, 400), version("HTTP/1.0")},
		{"4.2.1/http-2.0", "in HTTP/2.0 as text", mustRefuse(proto, 505, 400), version("HTTP/2.0")},
		{"4.2.1/http-1.2", "in HTTP/1.2", outcome{OK, OK, nil, nil, "1.2 is no version, but not less than 1.1 (Section 4.2.1)."}, version("HTTP/1.2")},
		{"4.2.1/http-malformed", "in HTTP/one", mustRefuse(proto, 400, 505), version("HTTP/one")},
		{"4.2.1/target-asterisk", "whose target is *", mustRefuse(target, 400, 404), to("*")},
		{"4.2.1/target-authority", "whose target is example.com:80", mustRefuse(target, 400, 404), to("example.com:80")},
		{"4.2.1/target-relative", "whose target has no slash", mustRefuse(target, 400, 404), to("chat")},
		{"4.2.1/target-space", "whose target has a space in it", mustRefuse(target, 400, 404), func(r *request) { r.target += " x" }},
		{"4.2.1/target-fragment", "whose target has a fragment", shouldRefuse("a URI has no fragment here (Section 3).", 400, 404), func(r *request) { r.target += "#x" }},
		{"4.2.1/line-folded", "with a folded field line", shouldRefuse(lines, 400), add("X-Folded: a", " b")},
		{"4.2.1/name-space", "with a space before a colon", mustRefuse("RFC 9112, Section 5.1, says so.", 400), add("X-Space : a")},
		{"4.2.1/name-empty", "with a field that has no name", mustRefuse(lines, 400), add(": a")},
		{"4.2.1/name-not-token", "with a field X(y)", shouldRefuse(lines, 400), add("X(y): a")},
		{"4.2.1/no-colon", "with a line that has no colon", mustRefuse(lines, 400), add("nothing")},
		{"4.2.1/value-nul", "with NUL in a value", shouldRefuse(lines, 400), add("X-Nul: a\x00b")},
		{"4.2.1/value-cr", "with a bare CR in a value", shouldRefuse(lines, 400), add("X-Cr: a\rb")},
		{"4.2.1/value-lf", "with a bare LF as the end of a line", shouldRefuse(lines, 400), add("X-Lf: a\nX-After: b")},
		{"4.2.1/line-cr-cr-lf", "with CR CR LF at the end of a line", shouldRefuse(lines, 400), add("X-Cr: a\r")},
	}
}

// glued is a masked text frame, with the key 00000000, that looks like content.
const glued = "\x81\x86\x00\x00\x00\x00unsafe"

func contentRequests() []requestCase {
	const (
		content = "such a request has no content, and nobody could tell it from frames (Section 4.1)."
		framing = "nobody could tell where the content ends (RFC 9112, Section 6)."
	)
	with := func(after string, lines ...string) func(*request) {
		return func(r *request) {
			r.fields = append(r.fields, lines...)
			r.after = after
		}
	}
	return []requestCase{
		{"4.1/content-length", "with a content of 12 octets", shouldRefuse(content, 400), with(glued, "Content-Length: 12")},
		{"4.1/chunked", "with chunked content", shouldRefuse(content, 400), with("c\r\n"+glued+"\r\n0\r\n\r\n", "Transfer-Encoding: chunked")},
		{"4.1/content-length-negative", "with Content-Length: -1", mustRefuse(framing, 400), with("", "Content-Length: -1")},
		{"4.1/content-length-plus", "with Content-Length: +12", mustRefuse(framing, 400), with(glued, "Content-Length: +12")},
		{"4.1/content-length-differs", "with Content-Length: 0 and Content-Length: 12", mustRefuse(framing, 400), with(glued, "Content-Length: 0", "Content-Length: 12")},
		{"4.1/content-length-and-chunked", "with Content-Length: 0 and chunked content", mustRefuse(framing, 400),
			with("c\r\n"+glued+"\r\n0\r\n\r\n", "Content-Length: 0", "Transfer-Encoding: chunked")},
	}
}

// rawRequestCases are about requests that do not come as they should, or are
// none.
func rawRequestCases() []*Case {
	const wait = 15 * time.Second
	good := mustOpen("where TCP cuts a head means nothing.")
	noise := mustRefuse("this is no request (Section 4.2.1).", 400)
	plain := func(s *session) string { return plainRequest(&s.offer).String() }
	cases := []*Case{{
		ID:     "handshake/4.2.1/octet-by-octet",
		About:  "Sends a request octet by octet, with 5 milliseconds after each.",
		Expect: good.expect(),
		open:   func(s *session) error { return s.ask(good, s.slowly(5*time.Millisecond), plain(s)) },
	}, {
		ID:     "handshake/4.2.1/pipelined-after-refusal",
		About:  "Sends a request without a key, and behind it at once a good one.",
		Expect: "The first is refused with 400, and the second is never answered with 101: it may be content of the first that somebody smuggles.",
		open:   pipelined,
	}, {
		ID:     "handshake/4.2.1/head-64KiB",
		About:  "Sends a request with a field of 64 KiB.",
		Expect: "For information: whether the server refuses it, which should be with 431.",
		info:   true,
		open: func(s *session) error {
			r := plainRequest(&s.offer)
			r.fields = append(r.fields, "X-Large: "+strings.Repeat("x", 64<<10))
			return s.probe(r.String(), s.scale(openingTimeout))
		},
	}, {
		ID:     "handshake/4.2.1/1000-fields",
		About:  "Sends a request with 1000 fields.",
		Expect: "For information: whether the server refuses it, which should be with 431.",
		info:   true,
		open: func(s *session) error {
			r := plainRequest(&s.offer)
			for i := range 1000 {
				r.fields = append(r.fields, "X-"+strconv.Itoa(i)+": x")
			}
			return s.probe(r.String(), s.scale(openingTimeout))
		},
	}, {
		ID:     "handshake/10.4/silence",
		About:  "Connects and sends nothing for 15 seconds.",
		Expect: "For information: how long the server waits for a request.",
		info:   true,
		long:   true,
		open:   func(s *session) error { return s.probe("", wait) },
	}, {
		ID:     "handshake/10.4/half-request",
		About:  "Sends half a request and then nothing for 15 seconds.",
		Expect: "For information: how long the server waits for the rest.",
		info:   true,
		long:   true,
		open: func(s *session) error {
			octets := plain(s)
			return s.probe(octets[:len(octets)/2], wait)
		},
	}}
	for _, n := range []struct{ name, about, octets string }{
		{"tls", "Sends a TLS ClientHello", "\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03" + strings.Repeat("\x5a", 32) + "\x00\x00\x04\x13\x01\x13\x02\x01\x00\r\n\r\n"},
		{"http2", "Sends the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"},
		{"frame", "Sends a text frame instead of a request", glued + "\r\n\r\n"},
		{"random", "Sends 256 octets of noise", between(0, 0xff, "") + "\r\n\r\n"},
	} {
		cases = append(cases, &Case{
			ID:     "handshake/4.2.1/noise-" + n.name,
			About:  n.about + ".",
			Expect: noise.expect(),
			open:   func(s *session) error { return s.ask(noise, s.write, n.octets) },
		})
	}
	for _, c := range cases {
		c.Peers = Servers
	}
	return cases
}

// pipelined sends a bad request and a good one.
func pipelined(s *session) error {
	if err := s.connect(); err != nil {
		return err
	}
	bad, good := plainRequest(&s.offer), plainRequest(&s.offer).String()
	bad.without("Sec-WebSocket-Key")
	octets := bad.String() + good
	s.log.add(Sent, []byte(octets), int64(len(octets)), "two requests")
	if err := s.write([]byte(octets)); err != nil {
		return err
	}
	s.judgeClosing(OK, "there was no connection to close")
	r := s.readResponse()
	if r.err == nil && r.Status == 101 {
		return fmt.Errorf("the server opened the connection without a key")
	}
	if err := s.refused(mustRefuse("there is no key (Section 4.2.1).", 400), r); err != nil {
		return err
	}
	s.nc.SetReadDeadline(time.Now().Add(s.timeout))
	more, _ := io.ReadAll(s.nc) // until the deadline or the end
	if strings.Contains(string(r.rest)+string(more), "HTTP/1.1 101 ") {
		s.tolerate("the server answered the request behind the one that it refused")
	}
	return nil
}

// probe sends octets, and says what the server does within a time.
func (s *session) probe(octets string, wait time.Duration) error {
	if err := s.connect(); err != nil {
		return err
	}
	if octets != "" {
		s.log.add(Sent, []byte(octets), int64(len(octets)), "request")
	}
	if err := s.write([]byte(octets)); err != nil {
		return err
	}
	began := time.Now()
	s.nc.SetReadDeadline(began.Add(wait))
	buf := make([]byte, 4<<10)
	n, err := s.nc.Read(buf)
	after := time.Since(began).Round(10 * time.Millisecond)
	line, _, _ := strings.Cut(string(buf[:n]), "\r\n")
	switch {
	case n > 0:
		s.log.add(Received, buf[:n], int64(n), "response")
		s.inform("the server answered %q after %v", line, after)
	case after >= wait:
		s.inform("the server still waits after %v", wait)
	default:
		s.inform("the server ended TCP after %v: %v", after, err)
	}
	return nil
}
