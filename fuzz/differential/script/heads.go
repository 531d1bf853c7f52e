package script

import (
	"regexp"
	"slices"
	"strings"

	"example.org/rfc6455/frame"
)

// A head is an opening handshake that is being made up: the start line and the
// fields, each a line without its end.
type head struct {
	start string
	lines []string
	end   string // of a line
}

func parseHead(s string) head {
	lines := strings.Split(strings.TrimSuffix(s, "\r\n\r\n"), "\r\n")
	return head{lines[0], lines[1:], "\r\n"}
}

func (h *head) String() string {
	return h.start + h.end + strings.Join(h.lines, h.end) + h.end + h.end
}

// replace puts lines where that of a field is.
func (h *head) replace(name string, lines ...string) {
	i := slices.IndexFunc(h.lines, func(line string) bool {
		have, _, _ := strings.Cut(line, ":")
		return strings.EqualFold(strings.TrimSpace(have), name)
	})
	if i < 0 {
		h.lines = append(h.lines, lines...)
		return
	}
	h.lines = slices.Replace(h.lines, i, i+1, lines...)
}

// fields replaces a field by one line for each value.
func (h *head) fields(name string, values ...string) {
	lines := make([]string, len(values))
	for i, v := range values {
		lines[i] = name + ": " + v
	}
	h.replace(name, lines...)
}

// head makes up an opening handshake with one thing that is unusual, or two.
func (g *generator) head() string {
	h := parseHead((&Script{Role: g.role}).Opening())
	change, n := g.request, 10
	if g.role == frame.Client {
		change, n = g.response, 7
	}
	first := g.IntN(n)
	change(&h, first)
	if second := g.IntN(n); second != first && g.oneIn(4) {
		change(&h, second)
	}
	return h.String()
}

// values are fields of either head in several lines, one after the other.
var (
	upgradeValues = [][]string{
		{}, {""}, {"WebSocket"}, {"WEBSOCKET"}, {"websocket, h2c"}, {"h2c,websocket"}, {"websocket", "h2c"}, {"h2c"},
		{"websocket/13"}, {"xwebsocket"}, {"websocket13"}, {"websocket;q=1"}, {",websocket"}, {"websocket", "websocket"},
		{"h2c", "websocket"}, {"websocket;q=1, websocket"},
	}
	connectionValues = [][]string{
		{}, {""}, {"upgrade"}, {"UPGRADE"}, {"keep-alive, Upgrade"}, {"Upgrade,keep-alive"}, {"keep-alive", "Upgrade"}, {"keep-alive"},
		{"close"}, {"notupgraded"}, {"Upgraded"}, {"Upgrade;q=1"}, {",Upgrade,"}, {"Upgrade", "Upgrade"},
		{"Upgrade", "keep-alive"}, {"Upgrade", "close"}, {"Upgrade;q=1, Upgrade"},
	}
)

// request changes something in a request (Section 4.2.1).
func (g *generator) request(h *head, what int) {
	switch what {
	case 0:
		h.start = one(g, "POST", "get", "HEAD", "PUT", "OPTIONS") + " /chat HTTP/1.1"
	case 1:
		h.start = "GET /chat " + one(g, "HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "http/1.1", "HTTP/1.1 ", "HTTP/11", "")
	case 2:
		h.start = "GET " + one(g, "http://server.example.com/chat", "/", "/chat?a=b%20c", "*", "chat", "/a%zz", "/chat#x", "/ä") + " HTTP/1.1"
	case 3:
		h.fields("Host", one(g, [][]string{
			{}, {""}, {"server.example.com", "server.example.com"}, {"server.example.com", "other.example.com"},
			{"a b"}, {"server.example.com:80"}, {"[::1]"},
		}...)...)
	case 4:
		h.fields("Upgrade", one(g, upgradeValues...)...)
	case 5:
		h.fields("Connection", one(g, connectionValues...)...)
	case 6:
		h.fields("Sec-WebSocket-Version", one(g, [][]string{
			{}, {""}, {"8"}, {"7"}, {"0"}, {"12"}, {"14"}, {"013"}, {"+13"}, {"13.0"}, {"13, 13"}, {"13", "13"}, {"8, 13"}, {"13, 8"}, {"8", "13"}, {"256"}, {"x"},
		}...)...)
	case 7:
		h.fields("Sec-WebSocket-Key", one(g, [][]string{
			{}, {""}, {Key, Key}, {Key, "AAAAAAAAAAAAAAAAAAAAAA=="},
			{"dGhlIHNhbXBsZSBub25j"}, {"dGhlIHNhbXBsZSBub25jZTE="}, {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}, {"AA=="},
			{"-_-_-_-_-_-_-_-_-_-_-w=="}, {"dGhlIHNhbXBsZSBub25jZQ"}, {"dGhlIHNhbXBsZSBub25jZR=="}, {"dGhlIHNhbXBs ZSBub25jZQ=="},
			{"!!!!!!!!!!!!!!!!!!!!!!=="}, {"x"}, {"dGhlIHNhbXBsZSBub25jZQ==,"}, {"dGhlIHNhbXBsZSBub25jZQ==x"},
		}...)...)
	case 8:
		g.option(h)
	case 9:
		g.syntax(h)
	}
}

// response changes something in a response (Section 4.1).
func (g *generator) response(h *head, what int) {
	switch what {
	case 0:
		h.start = one(g, "HTTP/1.1 101 ", "HTTP/1.1 101", "HTTP/1.1 101 Web Socket Protocol Handshake",
			"HTTP/1.0 101 Switching Protocols", "HTTP/1.2 101 Switching Protocols", "HTTP/2.0 101 Switching Protocols", "HTTP/1.1  101 Switching Protocols",
			"HTTP/1.1 0101 Switching Protocols", "HTTP/1.1 200 OK", "HTTP/1.1 204 No Content", "HTTP/1.1 301 Moved Permanently", "HTTP/1.1 401 Unauthorized",
			"HTTP/1.1 426 Upgrade Required", "HTTP/1.1 503 Service Unavailable", "http/1.1 101 Switching Protocols", "ICY 101 OK")
	case 1:
		h.fields("Upgrade", one(g, upgradeValues...)...)
	case 2:
		h.fields("Connection", one(g, connectionValues...)...)
	case 3:
		h.fields("Sec-WebSocket-Accept", one(g, [][]string{
			{}, {""}, {Accept, Accept}, {Accept, "AAAAAAAAAAAAAAAAAAAAAAAAAAA="}, {"AAAAAAAAAAAAAAAAAAAAAAAAAAA="}, {Accept + "="}, {"x" + Accept},
			{`"` + Accept + `"`}, {Accept + ", " + Accept}, {"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
		}...)...)
	case 4:
		g.option(h)
	case 5:
		g.syntax(h)
	case 6:
		h.start = one(g, "HTTP/1.1 100 Continue", "HTTP/1.1 103 Early Hints") + "\r\n\r\n" + h.start
	}
}

// option adds a field that may be there, or is about a body.
func (g *generator) option(h *head) {
	lines := one(g, [][]string{
		{"Sec-WebSocket-Protocol: chat, superchat"}, {"Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Protocol: superchat"},
		{"Sec-WebSocket-Protocol: a b"}, {"Sec-WebSocket-Protocol: "}, {"Sec-WebSocket-Protocol: chat, chat"}, {`Sec-WebSocket-Protocol: "chat"`},
		{"Sec-WebSocket-Protocol: chat"}, {"Sec-WebSocket-Protocol: ,chat"},
		{"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"}, {"Sec-WebSocket-Extensions: x-unknown; a=b, x-other"},
		{`Sec-WebSocket-Extensions: x-unknown; a="b`}, {"Sec-WebSocket-Extensions: ;;"}, {"Sec-WebSocket-Extensions: a b"}, {"Sec-WebSocket-Extensions: "},
		{`Sec-WebSocket-Extensions: x-unknown; a="b c"`}, {"Sec-WebSocket-Extensions: permessage-deflate", "Sec-WebSocket-Extensions: x-unknown"},
		{"Content-Length: 0"}, {"Content-Length: 5"}, {"Content-Length: +5"}, {"Content-Length: 5", "Content-Length: 6"},
		{"Transfer-Encoding: chunked"}, {"Transfer-Encoding: chunked", "Content-Length: 5"}, {"Expect: 100-continue"},
		{"Cookie: a=b; c=d"}, {"X-Empty:"}, {"Accept-Language: en"},
	}...)
	// Two bodies would leave too much to chance.
	if bodyField.MatchString(h.String()) && bodyField.MatchString(lines[0]) {
		return
	}
	h.lines = append(h.lines, lines...)
}

var (
	bodyField   = regexp.MustCompile(`(?i)(Content-Length|Transfer-Encoding) ?:`)
	codingField = regexp.MustCompile(`(?i)^Transfer-Encoding ?:`)
)

// syntax changes how fields are written (RFC 9112, Sections 2.2 and 5).
func (g *generator) syntax(h *head) {
	if len(h.lines) == 0 {
		return
	}
	i := g.IntN(len(h.lines))
	name, value, _ := strings.Cut(h.lines[i], ": ")
	switch g.IntN(12) {
	case 0:
		h.lines[i] = strings.ToLower(name) + ": " + value
	case 1:
		h.lines[i] = strings.ToUpper(name) + ": " + value
	case 2:
		h.lines[i] = name + ":" + value
	case 3:
		h.lines[i] = name + ": \t" + value + " \t"
	case 4:
		h.lines[i] = name + " : " + value
	case 5:
		h.lines[i] = name + ":\r\n " + value // an obsolete line folding
	case 6:
		h.end = "\n"
	case 7:
		if i > 0 && codingField.MatchString(h.lines[i-1]) {
			return // the fold would make another coding of it, which some do not know
		}
		h.lines[i] = " " + h.lines[i]
	case 8:
		h.lines = slices.Insert(h.lines, i, one(g, ": empty", "no colon", "b@d: name", "Bad Name: x", "X-É: x", "X-Quote\"d: x"))
	case 9:
		h.lines = slices.Insert(h.lines, i, one(g, "X-Value: a\x00b", "X-Value: a\x01b", "X-Value: a\x7fb", "X-Value: a\rb", "X-Value: a\r\rb", "X-Value: a\nb: c"))
	case 10:
		h.lines = slices.Insert(h.lines, i, one(g, "X-Value: \x80\xff", "X-Value: ä", "X-Value: a\tb", "X-Value: \""))
	case 11:
		h.start = "\r\n" + h.start
	}
}
