package rules

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/differential/script"
)

const tchar = "[!#$%&'*+.^_`|~0-9A-Za-z-]"

var (
	requestLine = regexp.MustCompile(`^(` + tchar + `+) (\S+) HTTP/(\d\.\d)$`)
	statusLine  = regexp.MustCompile(`^HTTP/(\d\.\d) (\d{3}) `)
	interim     = regexp.MustCompile(`^HTTP/1\.1 10[023-9] .*\r\n\r\n`)
	token       = regexp.MustCompile(`^` + tchar + `+$`)
	extension   = regexp.MustCompile(`^` + tchar + `+([ \t]*;[ \t]*` + tchar + `+(=(` + tchar + `+|"` + tchar + `+"))?)*$`)
)

// head judges the opening handshake.
func (r *reader) head() {
	found := marks(r.script, r.has(FieldsApart))
	var refused []int
	for _, id := range found {
		status := Topics[id].Status
		if h, ok := r.habit(id); ok {
			status = h.Status
		}
		if status != 101 {
			refused = append(refused, status)
		}
		switch id {
		case Body, BodyTwice, BodySyntax:
			// What of the octets is taken for the body is a matter of luck.
			r.Unclear = r.script.Role == frame.Server
		}
	}
	switch {
	case len(refused) == 0:
		return
	case r.script.Role == frame.Client:
		refused = []int{0}
	case len(found) > 1:
		// One of them, or whatever the library says of both.
		refused = append(refused, 400)
		for _, id := range found {
			refused = append(refused, Topics[id].Status)
		}
		refused = slices.DeleteFunc(refused, func(status int) bool { return status == 101 })
	}
	r.Statuses = refused
}

// A head is an opening handshake that is being read. found is what is unusual in it.
type head struct {
	role   frame.Role
	found  []ID
	fields map[string][]string // by their names in lower case

	// apart is whether a line that begins with a space is a field of its own, not
	// the rest of the one before.
	apart bool
}

func (h *head) mark(ids ...ID) { h.found = append(h.found, ids...) }

// marks returns what is unusual in the opening handshake of a script.
func marks(s *script.Script, apart bool) []ID {
	h := &head{role: s.Role, fields: make(map[string][]string), apart: apart}
	lines := h.lines(s.Head)
	if h.role == frame.Client {
		h.mark(statusMarks(lines[0])...)
	} else {
		h.mark(requestMarks(lines[0])...)
	}
	h.parse(lines[1:])
	h.mark(listMarks("upgrade", "websocket", h.fields["upgrade"])...)
	h.mark(listMarks("connection", "upgrade", h.fields["connection"])...)
	if c := h.fields["connection"]; len(c) > 1 && slices.Contains(c, "close") && !slices.Contains(h.found, HTTP10) {
		h.mark(ConnectionClose)
	}
	h.mark(bodyMarks(h.role, h.fields)...)
	h.mark(protocolMarks(h.role, h.fields["sec-websocket-protocol"])...)
	h.mark(extensionMarks(h.role, h.fields["sec-websocket-extensions"])...)
	if h.role == frame.Client {
		h.mark(acceptMarks(h.fields["sec-websocket-accept"])...)
	} else {
		h.mark(versionMarks(h.fields["sec-websocket-version"])...)
		h.mark(keyMarks(h.fields["sec-websocket-key"])...)
		if len(h.fields["expect"]) > 0 {
			h.mark(Expect)
		}
		h.host(lines[0])
	}
	slices.Sort(h.found)
	return slices.Compact(h.found)
}

// lines cuts what comes before the start line off, and the rest into lines.
func (h *head) lines(text string) []string {
	for {
		if after, ok := strings.CutPrefix(text, "\r\n"); ok {
			h.mark(EmptyLineFirst)
			text = after
		} else if h.role == frame.Client && interim.MatchString(text) {
			h.mark(Interim)
			_, text, _ = strings.Cut(text, "\r\n\r\n")
		} else {
			break
		}
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		var ok bool
		if lines[i], ok = strings.CutSuffix(line, "\r"); !ok && i < len(lines)-1 {
			h.mark(BareLF)
		}
		if strings.Contains(lines[i], "\r") {
			h.mark(BareCR)
		}
	}
	return lines
}

// parse reads the fields, up to an empty line.
func (h *head) parse(lines []string) {
	last := ""
	for i, line := range lines {
		if line == "" {
			return
		}
		if strings.ContainsFunc(line, func(c rune) bool { return c < ' ' && c != '\t' && c != '\r' || c == 0x7f }) {
			h.mark(FieldValue)
		}
		if line[0] == ' ' {
			if i == 0 {
				h.mark(FoldFirst)
			} else {
				h.mark(Fold)
			}
			if v := h.fields[last]; !h.apart && v != nil {
				v[len(v)-1] = strings.TrimSpace(v[len(v)-1] + " " + strings.TrimSpace(line))
				continue
			}
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			h.mark(NoColon)
			continue
		}
		name = h.name(name, line[0] == ' ')
		if strings.HasSuffix(value, "\t") && name == "connection" && strings.HasSuffix(strings.ToLower(strings.TrimSpace(value)), "upgrade") {
			h.mark(ConnectionTab)
		}
		last = name
		h.fields[name] = append(h.fields[name], strings.Trim(value, " \t"))
	}
}

// name judges the name of a field and returns it as implementations look it up.
func (h *head) name(name string, folded bool) string {
	trimmed := strings.TrimSpace(name)
	switch {
	case trimmed != name && !folded:
		h.mark(SpaceColon)
		if !h.apart {
			trimmed = name // which is another one
		}
	case strings.Contains(trimmed, " "):
		h.mark(FieldNameSpace)
	case !token.MatchString(trimmed):
		h.mark(FieldName)
	}
	return strings.ToLower(trimmed)
}

// host judges Host, and what the target says of it.
func (h *head) host(start string) {
	hosts := h.fields["host"]
	m := requestLine.FindStringSubmatch(start)
	if m != nil && strings.HasPrefix(m[2], "http://") {
		authority, _, _ := strings.Cut(strings.TrimPrefix(m[2], "http://"), "/")
		if len(hosts) == 1 && hosts[0] != authority && hosts[0] != authority+":80" {
			h.mark(TargetHost)
			if hosts[0] == "" {
				return // it does not matter
			}
		}
	}
	if m != nil && m[2] == "*" && len(hosts) == 1 && strings.Contains(hosts[0], ":") {
		h.mark(TargetStarHost)
	}
	h.mark(hostMarks(hosts, m != nil && m[3] == "1.0")...)
}

func requestMarks(line string) []ID {
	m := requestLine.FindStringSubmatch(line)
	if m == nil {
		return []ID{RequestLine}
	}
	var all []ID
	if m[1] == "get" {
		all = append(all, MethodCase)
	} else if m[1] != "GET" {
		all = append(all, Method)
	}
	all = append(all, httpMarks(m[3])...)
	_, err := url.PathUnescape(m[2])
	switch {
	case m[2] == "*":
		all = append(all, TargetStar)
	case m[2][0] != '/' && !strings.HasPrefix(m[2], "http://"):
		all = append(all, Target)
	case err != nil:
		all = append(all, TargetEscape)
	case strings.Contains(m[2], "#"):
		all = append(all, TargetFragment)
	case strings.ContainsFunc(m[2], func(c rune) bool { return c > 0x7e }):
		all = append(all, TargetOctets)
	}
	return all
}

func httpMarks(version string) []ID {
	switch version {
	case "1.1":
		return nil
	case "1.0":
		return []ID{HTTP10}
	case "0.9":
		return []ID{HTTP09}
	case "1.2":
		return []ID{HTTP12}
	}
	return []ID{HTTPOther}
}

func statusMarks(line string) []ID {
	m := statusLine.FindStringSubmatch(line)
	switch {
	case m != nil:
	case line == "HTTP/1.1 101":
		return []ID{StatusNoSpace}
	case strings.HasPrefix(line, "HTTP/1.1  101 "):
		return []ID{StatusSpaces}
	case strings.HasPrefix(line, "HTTP/1.1 0101 "):
		return []ID{StatusDigits}
	default:
		return []ID{StatusLine}
	}
	all := httpMarks(m[1])
	if m[2] != "101" {
		all = append(all, StatusOther)
	}
	return all
}
