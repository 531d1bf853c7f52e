package fuzz_test

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"example.org/rfc6455/handshake"
)

// The key and the answer to it of RFC 6455, Section 1.3.
const (
	sampleKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	sampleAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// requests are heads of requests to start from.
var requests = []string{
	"GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " + sampleKey +
		"\r\nOrigin: http://example.com\r\nSec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Version: 13\r\n\r\n",
	"GET / HTTP/1.1\r\nhost:a\r\nCONNECTION: keep-alive, upgrade\r\nupgrade: h2c/1, WebSocket\r\nsec-websocket-version:13\r\nsec-websocket-key:" + sampleKey +
		"\r\nsec-websocket-extensions: permessage-deflate; client_max_window_bits, x; a=\"b\"\r\n\r\n\x81\x80",
	"GET http://a:80/p?q#f HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET ws://A?q HTTP/1.1\r\nHost: a:80\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " + sampleKey + "\r\nSec-WebSocket-Version: 13\r\n\r\n",
	"GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n", "GET /\r\n", "PRI * HTTP/2.0\r\n\r\n", "\x16\x03\x01", "CONNECT a:1 HTTP/1.1\r\n\r\n", "get / HTTP/1.1\r\n\r\n",
	"GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", "GET /%zz HTTP/1.0\r\n\r\n", "GET //a/ HTTP/1.1\r\n\r\n", "GET /a/%2e. HTTP/1.1\r\n\r\n",
	"GET / HTTP/1.1\r\nA : b\r\n\r\n", "GET / HTTP/1.1\r\nA: b\n\r\n", "GET / HTTP/1.1\r\nA: \x00\r\n\r\n", "GET / HTTP/1.1\r\nA: b\x00\n\r\n", "GET / HTTP/1.2\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
	"GET / HTTP/1.1\r\n" + strings.Repeat("X:\r\n", 32) + "\r\n", "GET / HTTP/1.1\r\n" + strings.Repeat("X:\r\n", 33) + "\r\n", "GET /" + strings.Repeat("a", 300) + " HTTP/1.1\r\n\r\n",
	"GET / HTTP/1.1\r\n" + strings.Repeat("X: "+strings.Repeat("y", 100)+"\r\n", 12) + "\r\n",
	"GET / HTTP/1.1\r\nHost: [::1]:8080\r\nX: caf\xc3\xa9\t!\r\n\r\n",
}

// variants are a head with one thing changed: a line left out or given twice, a field
// added, or another start line.
func variants(head string, starts ...string) (list []string) {
	lines := strings.SplitAfter(strings.TrimSuffix(head, "\r\n"), "\r\n")
	all := strings.Join(lines, "")
	for _, start := range starts {
		list = append(list, start+strings.TrimPrefix(head, lines[0]))
	}
	for i, line := range lines[1:] {
		without := slices.Delete(slices.Clone(lines), i+1, i+2)
		list = append(list, strings.Join(without, "")+"\r\n", all+line+"\r\n")
	}
	for _, field := range []string{
		"Content-Length: 0", "Content-Length: 5", "Transfer-Encoding: chunked", "Sec-WebSocket-Extensions: a;=b", "Sec-WebSocket-Extensions: y",
		"Sec-WebSocket-Version: 8", "Sec-WebSocket-Protocol: other",
	} {
		list = append(list, all+field+"\r\n\r\n")
	}
	return list
}

// requestVariants and responseVariants are those of the first of each.
func requestVariants() []string {
	return variants(requests[0], "PUT /chat HTTP/1.1\r\n", "POST /chat HTTP/1.1\r\n", "GETS /chat HTTP/1.1\r\n", "Get /chat HTTP/1.1\r\n", "GET /chat HTTP/1.0\r\n")
}

func responseVariants() []string {
	return variants(responses[0], "HTTP/1.1 100 \r\n", "HTTP/1.1 102 \r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.0 101 \r\n")
}

// responses are heads of responses to start from.
var responses = []string{
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + sampleAccept + "\r\nSec-WebSocket-Protocol: chat\r\n\r\n",
	"HTTP/1.1 101 \r\nconnection:upgrade\r\nupgrade:WEBSOCKET\r\nsec-websocket-accept:" + sampleAccept + "\r\nsec-websocket-extensions:x;y=1\r\n\r\n\x81\x00",
	"HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nno", "HTTP/1.1 101\r\n\r\n", "HTTP/2 101 \r\n", "ICY 200 OK\r\n",
	"HTTP/1.1 101 \r\nX : y\r\n\r\n", "HTTP/1.1 012 \r\n\r\n", "HTTP/1.1 1010 \r\n\r\n", "HTTP/1.1 101 a\x7f\r\n\r\n", "HTTP/1.1 426 Upgrade Required\r\nA:b\r\n c\r\n\r\n",
}

// headLimits keep heads short enough to be looked at octet by octet.
var headLimits = handshake.Limits{MaxSize: 1024, MaxLine: 256, MaxFields: 32}

// fieldLines are the fields of a head, one a line.
func fieldLines(fields iter.Seq2[string, string]) (lines []string) {
	for name, value := range fields {
		lines = append(lines, name+": "+value)
	}
	return lines
}

// checkHead checks that a head keeps within headLimits, and that its fields are lines of
// it: names that are tokens with a colon behind them, values without control octets
// (RFC 9112, Section 5; RFC 9110, Section 5.5).
func checkHead(t *testing.T, head []byte, fields handshake.Header) {
	lines := strings.SplitAfter(string(head), "\r\n")
	// Behind the empty line, which is the last, there is nothing.
	if n := len(lines); n < 3 || lines[n-2] != "\r\n" || lines[n-1] != "" || len(head) > headLimits.MaxSize {
		t.Fatalf("a head of %d octets: %q", len(head), head)
	}
	lines = lines[:len(lines)-2]
	got := fieldLines(fields.(*handshake.Fields).All())
	if len(got) != len(lines)-1 || len(got) > headLimits.MaxFields {
		t.Fatalf("%d fields in %q", len(got), head)
	}
	for i, line := range lines {
		if len(line) > headLimits.MaxLine || strings.ContainsFunc(strings.TrimSuffix(line, "\r\n"), func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			t.Fatalf("line %q", line)
		}
		if i == 0 {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\r\n"), ":")
		if !ok || !tokenOnly.MatchString(name) || got[i-1] != name+": "+strings.Trim(value, " \t") {
			t.Fatalf("line %q is the field %q", line, got[i-1])
		}
	}
}

// FuzzRequestHead: a request's head is taken apart in the same way wherever its
// octets are cut, keeps within the limits, and is taken apart by net/http in the
// same way if it opens a connection. What is refused gets an answer that a client
// understands.
func FuzzRequestHead(f *testing.F) {
	for _, s := range slices.Concat(requests, requestVariants()) {
		f.Add([]byte(s))
	}
	fuzz(f, func(t *testing.T, b []byte) {
		whole := handshake.Parser{Limits: headLimits}
		r, n, err := whole.ParseRequest(b)
		if err != nil {
			if r != nil || n != 0 {
				t.Fatalf("ParseRequest = %v, %d, %v", r, n, err)
			}
			checkRefusal(t, err)
		}
		parts := handshake.Parser{Limits: headLimits}
		for i := range b {
			r2, n2, err2 := parts.ParseRequest(b[:i+1])
			if err2 == nil && n2 == 0 {
				continue
			}
			if err2 != err || n2 != n || n2 != 0 && n2 != i+1 {
				t.Fatalf("in parts ParseRequest = %d, %v after %d octets; at once %d, %v", n2, err2, i+1, n, err)
			}
			if err != nil {
				return
			}
			if r2.Method != r.Method || r2.Target != r.Target || r2.Proto != r.Proto || r2.Host != r.Host {
				t.Fatalf("in parts %+v; at once %+v", r2, r)
			}
			if diff := mismatch(fieldLines(r.Header.(*handshake.Fields).All()), fieldLines(r2.Header.(*handshake.Fields).All())); diff != "" {
				t.Fatalf("fields mismatch (-at once +in parts):\n%s", diff)
			}
			break
		}
		if n == 0 {
			return
		}
		checkHead(t, b[:n], r.Header)
		checkTarget(t, r.Target)
		err = r.Validate()
		if (err == nil) != opens(r) {
			t.Fatalf("%q: %v", b[:n], err)
		}
		if err == nil {
			checkRequest(t, r, b[:n])
		} else {
			checkRefusal(t, err)
		}
	})
}

// readerOf returns what net/http reads from, without much of a buffer.
func readerOf(p []byte) *bufio.Reader { return bufio.NewReaderSize(bytes.NewReader(p), len(p)) }

// checkRequest compares a request that opens a connection with what net/http makes
// of its head.
func checkRequest(t *testing.T, r *handshake.Request, head []byte) {
	h, err := http.ReadRequest(readerOf(head))
	if err != nil {
		t.Fatalf("net/http refuses %q: %v", head, err)
	}
	if h.Method != "GET" || h.Proto != "HTTP/1.1" || h.ContentLength > 0 || len(h.TransferEncoding) > 0 {
		t.Fatalf("%q is no handshake", head)
	}
	// An origin-form begins where the authority of an absolute-form ends.
	target := h.RequestURI
	if _, rest, ok := strings.Cut(target, "://"); ok && target[0] != '/' {
		target = rest[len(h.URL.Host):]
		if !strings.HasPrefix(target, "/") {
			target = "/" + target
		}
	}
	if r.Target != target {
		t.Fatalf("target %q of %q; net/http has %q", r.Target, head, target)
	}
	for _, name := range []string{"Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Origin"} {
		if diff := mismatch(h.Header.Values(name), r.Header.Values(name)); diff != "" {
			t.Fatalf("%s of %q mismatch (-net/http +ours):\n%s", name, head, diff)
		}
	}
	// A request that is filled in from net/http gets the same verdict.
	same := &handshake.Request{Method: h.Method, Target: h.RequestURI, Proto: h.Proto, Host: h.Host, Header: h.Header}
	if err := same.Validate(); err != nil && target == h.RequestURI {
		t.Fatalf("%q is refused from net/http: %v", head, err)
	}
}

// checkTarget checks that a request-target leads to one place only.
func checkTarget(t *testing.T, target string) {
	if !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "//") || strings.ContainsAny(target, " \"#<>") {
		t.Fatalf("target %q", target)
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		t.Fatalf("target %q: %v", target, err)
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		// An escaped slash is none of the path.
		if !strings.Contains(strings.ToLower(target), "%2f") && (segment == "." || segment == "..") {
			t.Fatalf("target %q has a dot segment", target)
		}
	}
}

// answered are the errors whose answer has been looked at.
var answered = map[*handshake.Error]bool{}

// checkRefusal checks that err can be answered, with the answer of a server.
func checkRefusal(t *testing.T, err error) {
	e, ok := errors.AsType[*handshake.Error](err)
	if !ok || e.Status() < 400 || e.Status() > 505 || !strings.HasPrefix(e.Error(), "handshake: ") {
		t.Fatalf("error %v", err)
	}
	if answered[e] {
		return
	}
	answered[e] = true
	b, err := handshake.AppendRefusal(nil, e.Status(), e.Fields(), "")
	if err != nil {
		t.Fatalf("%v cannot be answered: %v", e, err)
	}
	h, err := http.ReadResponse(readerOf(b), nil)
	if err != nil || h.StatusCode != e.Status() || h.ContentLength <= 0 || !h.Close {
		t.Fatalf("%v is answered with %q: %v", e, b, err)
	}
	for status, field := range map[int]string{405: "Allow", 426: "Upgrade"} {
		if e.Status() == status && h.Header.Get(field) == "" {
			t.Fatalf("%v is answered with %q without %s", e, b, field)
		}
	}
}

// FuzzResponseHead is [FuzzRequestHead] for the response, as a client sees it that
// asked for a subprotocol and an extension.
func FuzzResponseHead(f *testing.F) {
	for _, s := range slices.Concat(responses, responseVariants()) {
		f.Add([]byte(s))
	}
	offer := &handshake.Offer{Key: sampleKey, Subprotocols: []string{"chat"}, Extensions: []handshake.Extension{{Name: "x"}}}
	fuzz(f, func(t *testing.T, b []byte) {
		whole := handshake.Parser{Limits: headLimits}
		r, n, err := whole.ParseResponse(b)
		if e, ok := errors.AsType[*handshake.Error](err); err != nil && (!ok || e.Status() != 0 || r != nil || n != 0) {
			t.Fatalf("ParseResponse = %v, %d, %v", r, n, err)
		}
		parts := handshake.Parser{Limits: headLimits}
		for i := range b {
			r2, n2, err2 := parts.ParseResponse(b[:i+1])
			if err2 == nil && n2 == 0 {
				continue
			}
			if err2 != err || n2 != n || n2 != 0 && n2 != i+1 {
				t.Fatalf("in parts ParseResponse = %d, %v after %d octets; at once %d, %v", n2, err2, i+1, n, err)
			}
			if err == nil && (r2.Status != r.Status || r2.Reason != r.Reason || r2.Proto != r.Proto) {
				t.Fatalf("in parts %+v; at once %+v", r2, r)
			}
			break
		}
		if n == 0 {
			return
		}
		checkHead(t, b[:n], r.Header)
		if line := r.Proto + " " + strconv.Itoa(r.Status) + " " + r.Reason + "\r\n"; !bytes.HasPrefix(b, []byte(line)) || r.Status < 100 || r.Status > 999 {
			t.Fatalf("%q parsed to %+v", b, r)
		}
		if r.Interim() != (r.Status < 200 && r.Status != 101) {
			t.Fatalf("%d is interim: %t", r.Status, r.Interim())
		}
		err = r.Validate(offer)
		if err != nil {
			if e, ok := errors.AsType[*handshake.Error](err); !ok || e.Status() != 0 {
				t.Fatalf("Validate = %v", err)
			}
			return
		}
		h, err := http.ReadResponse(readerOf(b[:n]), nil)
		if err != nil {
			t.Fatalf("net/http refuses %q: %v", b[:n], err)
		}
		accept := h.Header.Values("Sec-WebSocket-Accept")
		subprotocols := h.Header.Values("Sec-WebSocket-Protocol")
		if h.StatusCode != 101 || !slices.Equal(accept, []string{sampleAccept}) ||
			len(subprotocols) > 1 || len(subprotocols) == 1 && subprotocols[0] != "chat" || r.Subprotocol() != h.Header.Get("Sec-WebSocket-Protocol") ||
			!hasTokenReference(h.Header.Values("Connection"), "upgrade") || !hasTokenReference(h.Header.Values("Upgrade"), "websocket") ||
			h.Header.Get("Content-Length") != "" || len(h.TransferEncoding) > 0 {
			t.Fatalf("%q opens a connection", b[:n])
		}
		if list, err := r.Extensions(); err != nil || len(list) > 1 || len(list) == 1 && list[0].Name != "x" {
			t.Fatalf("%q agrees to %v, %v", b[:n], list, err)
		}
	})
}

// The grammar of lists (RFC 9110, Sections 5.6.1, 5.6.2 and 7.8; RFC 6455, Section
// 9.1).
const tokenSyntax = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"

var (
	tokenOnly = regexp.MustCompile("^" + tokenSyntax + "$")
	versioned = regexp.MustCompile("^" + tokenSyntax + "(/" + tokenSyntax + ")?$")
	element   = regexp.MustCompile("^" + tokenSyntax + "([ \t]*;[ \t]*" + parameter + ")*$")
	aPart     = regexp.MustCompile(";[ \t]*(" + tokenSyntax + ")(?:[ \t]*=[ \t]*(?:(" + tokenSyntax + ")|\"(" + quoted + ")\"))?")
)

const (
	quoted    = "(?:\\\\?[!#$%&'*+\\-.^_`|~0-9A-Za-z])+"
	parameter = tokenSyntax + "([ \t]*=[ \t]*(" + tokenSyntax + "|\"" + quoted + "\"))?"
)

// elements are those of the list that lines add up to.
func elements(lines []string) (list []string) {
	for _, line := range lines {
		for e := range strings.SplitSeq(line, ",") {
			list = append(list, strings.Trim(e, " \t"))
		}
	}
	return list
}

// hasTokenReference reports whether token is in a list that is well-formed. For
// Upgrade its elements may have versions.
func hasTokenReference(lines []string, token string) bool {
	found := false
	syntax := tokenOnly
	if token == "websocket" {
		syntax = versioned
	}
	for _, e := range elements(lines) {
		if e != "" && !syntax.MatchString(e) {
			return false
		}
		found = found || len(e) == len(token) && strings.EqualFold(e, token)
	}
	return found
}

// inLines makes lines of s, a field value each, as a parser would yield them.
func inLines(s string) (lines []string) {
	for line := range strings.SplitSeq(s, "\n") {
		lines = append(lines, strings.Trim(line, " \t"))
	}
	return lines
}

// FuzzUpgradeFields: a request is an opening handshake if the lists of Connection
// and Upgrade have the tokens, the version is 13 and the key is 16 octets (RFC 6455,
// Section 4.2.1). A newline in the input begins another line of the field.
func FuzzUpgradeFields(f *testing.F) {
	f.Add("Upgrade", "websocket", "13", sampleKey, "a")
	f.Add("keep-alive , UPGRADE", "h2c/1.1,\nWebSocket", "13", sampleKey, "a:80")
	f.Add("notupgrade", "websocket/13", "8\n13", "dGhlIHNhbXBsZSBub25jZR==", "")
	f.Add("upgrade", "websocket", "13", sampleKey, "a\na")
	f.Add("upgrade", "websocket/13", "13", sampleKey, "a")
	f.Add("upgrade", "websocket", "13\n13", sampleKey, "a")
	f.Add("upgrade", "websocket", "13", sampleKey+"\n"+sampleKey, "a")
	f.Add("notupgraded", "websocket", "13", sampleKey, "a")
	f.Add("up grade, upgrade", "websocket;", "013", "", "[::1]:1")
	f.Add(",,upgrade,", " ,websocket", "13, 13", sampleKey+"\n"+sampleKey, "a\na")
	f.Add("upgrade", "websocket", "13", strings.Repeat("A", 23)+"=", "a") // 17 octets
	f.Add("upgrade", "websocket", "13", strings.Repeat("A", 24), "a")     // 18 octets
	f.Add("upgrade/1", "websocket,a/b/c", "13 ", "dGhlIHNhbXBsZSBub25jZQ", "a:0")
	fuzz(f, func(t *testing.T, connection, upgrade, version, key, host string) {
		header := http.Header{
			"Connection": inLines(connection), "Upgrade": inLines(upgrade), "Sec-Websocket-Version": inLines(version),
			"Sec-Websocket-Key": inLines(key), "Host": inLines(host),
		}
		r := &handshake.Request{Method: "GET", Target: "/", Proto: "HTTP/1.1", Header: header}
		want := opens(r)
		for _, host := range []string{"", header["Host"][0]} { // a server may know it twice
			r.Host = host
			if err := r.Validate(); (err == nil) != want {
				t.Fatalf("%q with host %q: %v; want a handshake: %t", header, host, err, want)
			}
		}
		if first := header["Sec-Websocket-Key"][0]; handshake.ValidKey(first) != isKey(first) {
			t.Fatalf("ValidKey(%q) = %t", first, !isKey(first))
		}
		sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		if got, want := handshake.Accept(key), base64.StdEncoding.EncodeToString(sum[:]); got != want {
			t.Fatalf("Accept(%q) = %q; want %q", key, got, want)
		}
	})
}

// opens reports whether r is an opening handshake (RFC 6455, Section 4.2.1).
func opens(r *handshake.Request) bool {
	host, length, version, key := r.Header.Values("Host"), r.Header.Values("Content-Length"), r.Header.Values("Sec-Websocket-Version"), r.Header.Values("Sec-Websocket-Key")
	_, subprotocols := listSubprotocols(r.Header.Values("Sec-Websocket-Protocol"))
	_, extensions := listExtensions(r.Header.Values("Sec-Websocket-Extensions"))
	return r.Method == "GET" && r.Proto == "HTTP/1.1" && len(host) == 1 && isHost(host[0]) &&
		len(r.Header.Values("Transfer-Encoding")) == 0 && (len(length) == 0 || len(length) == 1 && length[0] == "0") &&
		hasTokenReference(r.Header.Values("Upgrade"), "websocket") && hasTokenReference(r.Header.Values("Connection"), "upgrade") &&
		len(version) == 1 && version[0] == "13" && len(key) == 1 && isKey(key[0]) && subprotocols && extensions
}

// isKey reports whether s is the base64 of 16 octets.
func isKey(s string) bool {
	key, err := base64.StdEncoding.Strict().DecodeString(s)
	return err == nil && len(key) == 16 && !strings.ContainsAny(s, "\r\n")
}

// listSubprotocols returns the elements of 1#token without repetition; no lines are
// none.
func listSubprotocols(lines []string) (names []string, ok bool) {
	for _, e := range elements(lines) {
		if e == "" {
			continue
		}
		if !tokenOnly.MatchString(e) || slices.Contains(names, e) {
			return nil, false
		}
		names = append(names, e)
	}
	return names, len(lines) == 0 || len(names) > 0
}

// listExtensions returns the elements of extension-list; no lines are none.
func listExtensions(lines []string) (list []handshake.Extension, ok bool) {
	for _, e := range elements(lines) {
		if e == "" {
			continue
		}
		if !element.MatchString(e) {
			return nil, false
		}
		name, _, _ := strings.Cut(e, ";")
		x := handshake.Extension{Name: strings.TrimRight(name, " \t")}
		for _, m := range aPart.FindAllStringSubmatch(e, -1) {
			x.Params = append(x.Params, handshake.Param{Name: m[1], Value: m[2] + strings.ReplaceAll(m[3], `\`, "")})
		}
		list = append(list, x)
	}
	return list, len(lines) == 0 || len(list) > 0
}

var hostSyntax = regexp.MustCompile(`^([0-9A-Za-z_-][0-9A-Za-z._-]*|\[[0-9A-Fa-f:.]+\])(?::([1-9][0-9]{0,4})?)?$`)

// isHost reports whether s is a host with an optional port (RFC 9110, Section 7.2).
func isHost(s string) bool {
	m := hostSyntax.FindStringSubmatch(s)
	if m == nil {
		return false
	}
	port, _ := strconv.Atoi(m[2])
	return port <= 65535
}

// FuzzSubprotocols: the subprotocols asked for are the different tokens of the list
// that the lines add up to (RFC 6455, Section 11.3.4), and the server's preference
// decides among them.
func FuzzSubprotocols(f *testing.F) {
	f.Add("chat, superchat", "superchat")
	f.Add("a,b\nc", "x,c,a")
	f.Add("a,,b", "a")
	f.Add("a, a", "a")
	f.Add("a,A", "A")
	f.Add("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t", "t")
	f.Add("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,q", "")
	f.Add("\"a\"", "")
	fuzz(f, func(t *testing.T, s, preferred string) {
		lines := inLines(s)
		r := &handshake.Request{Header: http.Header{"Sec-Websocket-Protocol": lines}}
		names, err := r.Subprotocols()
		want, valid := listSubprotocols(lines)
		if !valid {
			if err != handshake.ErrSubprotocol || names != nil {
				t.Fatalf("Subprotocols of %q = %q, %v", lines, names, err)
			}
			return
		}
		if diff := mismatch(want, names); diff != "" || err != nil {
			t.Fatalf("Subprotocols of %q: %v, mismatch (-want +got):\n%s", lines, err, diff)
		}
		chosen := ""
		for p := range strings.SplitSeq(preferred, ",") {
			if chosen == "" && slices.Contains(want, p) {
				chosen = p
			}
		}
		if got := handshake.Subprotocol(strings.Split(preferred, ","), names); got != chosen {
			t.Fatalf("Subprotocol(%q, %q) = %q; want %q", preferred, names, got, chosen)
		}
	})
}

// FuzzExtensions: the extensions of a request are what the grammar of Section 9.1
// makes of the list that the lines add up to; written and parsed again they are the
// same.
func FuzzExtensions(f *testing.F) {
	for _, s := range []string{
		"permessage-deflate; client_max_window_bits", "permessage-deflate;server_no_context_takeover;client_no_context_takeover",
		`a; b="\1\0", c`, `a; b="`, ",,a,,", "a;;", "a=b", " \ta ; b = c\t,d ", "a\nb;c\n", "", "\n", `a;b="c,d"`, `a;b="c d"`, `a;b="\;"`, `a;b="c=d"`, `a;b=""`, `a;b="\"`, `a;b="c"d`,
		strings.Repeat("a;b=c,", 20), "a; b c", "a/b",
	} {
		f.Add(s)
	}
	fuzz(f, func(t *testing.T, s string) {
		lines := inLines(s)
		want, valid := listExtensions(lines)
		list, err := handshake.ParseExtensions(lines)
		if !valid {
			if err != handshake.ErrExtension || list != nil {
				t.Fatalf("ParseExtensions(%q) = %v, %v", lines, list, err)
			}
			return
		}
		want = want[:min(len(want), handshake.MaxOffers)]
		if diff := mismatch(want, list); diff != "" || err != nil {
			t.Fatalf("ParseExtensions(%q): %v, mismatch (-want +got):\n%s", lines, err, diff)
		}
		line, err := handshake.AppendExtensions([]byte("x"), list)
		if err != nil || line[0] != 'x' {
			t.Fatalf("%v cannot be sent: %q, %v", list, line, err)
		}
		again, err := handshake.ParseExtensions([]string{string(line[1:])})
		if diff := mismatch(list, again); diff != "" || err != nil {
			t.Fatalf("%q became %q, %v (-want +got):\n%s", lines, line, err, diff)
		}
	})
}

// one yields a single field.
func one(name, value string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) { yield(name, value) }
}

// mayBeExtra reports whether an application may add a field (RFC 9110, Section 5).
func mayBeExtra(name, value string) bool {
	lower := strings.ToLower(name)
	switch lower {
	case "host", "upgrade", "connection", "content-length", "transfer-encoding":
		return false
	}
	control := strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
	return tokenOnly.MatchString(name) && !strings.HasPrefix(lower, "sec-websocket-") && !control
}

// FuzzOffer: whatever an application puts into a request, it is refused or arrives
// as it is, and nothing else does; and the answer to it opens the connection of a
// client that offered it, no other.
func FuzzOffer(f *testing.F) {
	f.Add("/chat?a=b", "server.example.com", "chat", "x", "y", "1", "Origin", "http://example.com")
	f.Add("/", "a:80\r\nX: y", "chat, b", "x;y", "", "", "X", "y\r\nZ: z")
	f.Add("//", "a", "", "", "", "", "Sec-WebSocket-Key", sampleKey)
	f.Add("/a b", "[::1]", "c", "x", "y", "a b", "host", "b")
	f.Add("/../", "a:99999", "c", "x", "", "", "X", " y\t")
	f.Add("/a%2", "a", "c", "x", "y", "z", "Content-Length", "5")
	fuzz(f, func(t *testing.T, target, host, subprotocol, extension, param, value, field, text string) {
		o := &handshake.Offer{Target: target, Host: host, Key: sampleKey, Extra: one(field, text)}
		if subprotocol != "" {
			o.Subprotocols = []string{subprotocol}
		}
		if extension != "" {
			o.Extensions = []handshake.Extension{{Name: extension}}
			if param != "" {
				o.Extensions[0].Params = []handshake.Param{{Name: param, Value: value}}
			}
		}
		tokens := (subprotocol == "" || tokenOnly.MatchString(subprotocol)) &&
			(extension == "" || tokenOnly.MatchString(extension) && (param == "" || tokenOnly.MatchString(param) && (value == "" || tokenOnly.MatchString(value))))
		b, err := handshake.AppendRequest([]byte("x"), o)
		if err != nil {
			e, ok := errors.AsType[*handshake.Error](err)
			if !ok || string(b) != "x" {
				t.Fatalf("AppendRequest(x, %+v) = %q, %v", o, b, err)
			}
			if errors.Is(err, handshake.ErrField) && tokens && mayBeExtra(field, text) || errors.Is(err, handshake.ErrHost) && isHost(host) {
				t.Fatalf("AppendRequest(x, %+v) = %v", o, e)
			}
		} else {
			checkSent(t, o, b[1:], field, text, tokens)
		}
		checkAnswer(t, o, field, text, tokens)
	})
}

// checkSent checks the octets of a request.
func checkSent(t *testing.T, o *handshake.Offer, b []byte, field, text string, tokens bool) {
	p := handshake.Parser{Limits: handshake.Limits{MaxSize: -1, MaxLine: -1}}
	r, n, err := p.ParseRequest(b)
	if err != nil || n != len(b) || r.Target != o.Target || r.Host != o.Host || r.Key() != o.Key || !tokens || !mayBeExtra(field, text) {
		t.Fatalf("%+v becomes %q: %+v, %v", o, b, r, err)
	}
	if err := r.Validate(); err != nil {
		t.Fatalf("%+v becomes %q: %v", o, b, err)
	}
	names, _ := r.Subprotocols()
	list, _ := r.Extensions()
	if !slices.Equal(names, o.Subprotocols) || mismatch(o.Extensions, list) != "" {
		t.Fatalf("%+v becomes %q: %q, %v", o, b, names, list)
	}
	want := 6
	for _, more := range []bool{len(o.Subprotocols) > 0, len(o.Extensions) > 0} {
		if more {
			want++
		}
	}
	if got := r.Header.Values(field); r.Header.(*handshake.Fields).Len() != want || len(got) != 1 || got[0] != strings.Trim(text, " \t") {
		t.Fatalf("%q has %d fields, and %q is %q; want %d fields, and %q", b, r.Header.(*handshake.Fields).Len(), field, got, want, text)
	}
}

// checkAnswer checks the response and the refusal to o.
func checkAnswer(t *testing.T, o *handshake.Offer, field, text string, tokens bool) {
	subprotocol := ""
	if len(o.Subprotocols) > 0 {
		subprotocol = o.Subprotocols[0]
	}
	p := handshake.Parser{Limits: handshake.Limits{MaxSize: -1, MaxLine: -1}}
	b, err := handshake.AppendResponse([]byte("x"), o.Key, subprotocol, o.Extensions, o.Extra)
	if want := tokens && mayBeExtra(field, text); (err == nil) != want || err != nil && (string(b) != "x" || !errors.Is(err, handshake.ErrField)) {
		t.Fatalf("AppendResponse(x, %+v) = %q, %v; want an answer: %t", o, b, err, want)
	}
	if err == nil {
		r, n, err := p.ParseResponse(b[1:])
		if err != nil || n != len(b)-1 || r.Validate(o) != nil {
			t.Fatalf("the answer %q to %+v: %+v, %v", b, o, r, err)
		}
		for _, other := range []handshake.Offer{
			{Key: handshake.NewKey(), Subprotocols: o.Subprotocols, Extensions: o.Extensions},
			{Key: o.Key, Subprotocols: []string{subprotocol + "x"}, Extensions: o.Extensions},
			{Key: o.Key, Subprotocols: o.Subprotocols, Extensions: []handshake.Extension{{Name: "other" + subprotocol}}},
		} {
			same := other.Key == o.Key && (subprotocol == "" || slices.Equal(other.Subprotocols, o.Subprotocols)) &&
				(len(o.Extensions) == 0 || other.Extensions[0].Name == o.Extensions[0].Name)
			if (r.Validate(&other) == nil) != same {
				t.Fatalf("the answer %q to %+v is one to %+v: %t", b, o, other, !same)
			}
		}
	}
	b, err = handshake.AppendRefusal(nil, 403, o.Extra, text)
	if err != nil {
		return
	}
	h, err := http.ReadResponse(readerOf(b), nil)
	if err != nil || h.StatusCode != 403 || !slices.Equal(h.Header.Values(field), []string{strings.Trim(text, " \t")}) {
		t.Fatalf("refusal %q: %v", b, err)
	}
	var body bytes.Buffer
	body.ReadFrom(h.Body)
	if text != "" && body.String() != text {
		t.Fatalf("refusal with %q says %q", text, body.String())
	}
}

// FuzzOrigin: an Origin is taken apart as net/url does, written out it is the same,
// and as a pattern it allows itself alone. The default rule compares it with Host.
func FuzzOrigin(f *testing.F) {
	for _, s := range []string{
		"https://example.com", "HTTP://Example.COM:80", "https://[::1]:8443", "null", "https://user@example.com", "https://example.com.",
		"chrome-extension://abc", "file://", "https://*.example.com:*", "https://a/", "https://a:0", "https://a_b:65536", "://a",
	} {
		f.Add(s, "https://example.org", "example.com")
		f.Add(s, "https://example.com:443", "example.com:80")
	}
	fuzz(f, func(t *testing.T, s, other, host string) {
		o, err := handshake.ParseOrigin(s)
		if err != nil {
			if err != handshake.ErrOrigin || o != (handshake.Origin{}) {
				t.Fatalf("ParseOrigin(%q) = %+v, %v", s, o, err)
			}
			return
		}
		u, err := url.Parse(s)
		if err == nil && (u.Scheme != o.Scheme || !strings.EqualFold(u.Host, o.Host+strings.TrimPrefix(u.Host, hostOf(u))) || u.User != nil || u.Path != "" || u.RawQuery != "") {
			t.Fatalf("ParseOrigin(%q) = %+v; net/url has %+v", s, o, u)
		}
		authority := o.Host
		if o.Port != "" {
			authority += ":" + o.Port
		}
		if !isHost(authority) {
			t.Fatalf("ParseOrigin(%q) = %+v", s, o)
		}
		text := o.Scheme + "://" + authority
		if again, err := handshake.ParseOrigin(text); again != o || err != nil {
			t.Fatalf("ParseOrigin(%q) = %+v, %v; want %+v from %q", text, again, err, o, s)
		}
		policy, err := handshake.NewOrigins(text)
		if err != nil {
			t.Fatalf("NewOrigins(%q) = _, %v", text, err)
		}
		check := func(policy *handshake.Origins, origin, host string, want bool) {
			r := &handshake.Request{Host: host, Header: http.Header{"Origin": {origin}}}
			if err := policy.Check(r); (err == nil) != want || err != nil && err != handshake.ErrOrigin {
				t.Fatalf("origin %q to host %q with pattern %q: %v; want %t", origin, host, text, err, want)
			}
		}
		for _, origin := range []string{s, other} {
			same, _ := handshake.ParseOrigin(origin)
			check(policy, origin, "!", same == o)
		}
		if !isHost(host) {
			check(nil, s, host, false)
			return
		}
		m := hostSyntax.FindStringSubmatch(host)
		name, port := m[1], m[2]
		standard := map[string]string{"http": "80", "ws": "80", "https": "443", "wss": "443"}[o.Scheme]
		orStandard := func(port string) string {
			if port == "" {
				return standard
			}
			return port
		}
		check(nil, s, host, strings.EqualFold(name, o.Host) && orStandard(port) == orStandard(o.Port))
	})
}

// hostOf returns the host of u with its brackets.
func hostOf(u *url.URL) string {
	if strings.HasPrefix(u.Host, "[") {
		return "[" + u.Hostname() + "]"
	}
	return u.Hostname()
}
