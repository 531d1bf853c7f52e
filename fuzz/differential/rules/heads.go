package rules

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/differential/script"
)

var (
	requestLine = regexp.MustCompile(`^([!#$%&'*+.^_|~0-9A-Za-z\x60-]+) (\S+) HTTP/(\d\.\d)$`)
	statusLine  = regexp.MustCompile(`^HTTP/(\d\.\d) (\d{3}) `)
	interim     = regexp.MustCompile(`^HTTP/1\.1 10[023-9] .*\r\n\r\n`)
	token       = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
	extension   = regexp.MustCompile(`^[!#$%&'*+.^_|~0-9A-Za-z\x60-]+([ \t]*;[ \t]*[!#$%&'*+.^_|~0-9A-Za-z\x60-]+(=([!#$%&'*+.^_|~0-9A-Za-z\x60-]+|"[!#$%&'*+.^_|~0-9A-Za-z\x60-]+"))?)*$`)
)

// marks returns what is unusual in the head of a script. apart takes a line that
// begins with a space for a field of its own, not for the rest of the one before.
func marks(s *script.Script, apart bool) []ID {
	var all []ID
	mark := func(ids ...ID) { all = append(all, ids...) }
	text := s.Head
	for {
		if after, ok := strings.CutPrefix(text, "\r\n"); ok {
			mark(EmptyLineFirst)
			text = after
		} else if s.Role == frame.Client && interim.MatchString(text) {
			mark(Interim)
			_, text, _ = strings.Cut(text, "\r\n\r\n")
		} else {
			break
		}
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		var ok bool
		if lines[i], ok = strings.CutSuffix(line, "\r"); !ok && i < len(lines)-1 {
			mark(BareLF)
		}
		if strings.Contains(lines[i], "\r") {
			mark(BareCR)
		}
	}
	if s.Role == frame.Client {
		mark(statusMarks(lines[0])...)
	} else {
		mark(requestMarks(lines[0])...)
	}
	fields := map[string][]string{}
	last := ""
	for i, line := range lines[1:] {
		if line == "" {
			break
		}
		if strings.ContainsFunc(line, func(c rune) bool { return c < ' ' && c != '\t' && c != '\r' || c == 0x7f }) {
			mark(FieldValue)
		}
		if line[0] == ' ' {
			if i == 0 {
				mark(FoldFirst)
			} else {
				mark(Fold)
			}
			if v := fields[last]; !apart && v != nil {
				v[len(v)-1] = strings.TrimSpace(v[len(v)-1] + " " + strings.TrimSpace(line))
				continue
			}
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			mark(NoColon)
			continue
		}
		switch trimmed := strings.TrimSpace(name); {
		case trimmed != name && line[0] != ' ':
			mark(SpaceColon)
			if apart {
				name = trimmed
			}
		case strings.Contains(trimmed, " "):
			mark(FieldNameSpace)
		case !token.MatchString(trimmed):
			mark(FieldName)
		default:
			name = trimmed
		}
		if strings.HasSuffix(value, "\t") && strings.EqualFold(name, "connection") {
			mark(ConnectionTab)
		}
		value = strings.Trim(value, " \t")
		last = strings.ToLower(name)
		fields[last] = append(fields[last], value)
	}
	mark(listMarks("upgrade", "websocket", fields["upgrade"])...)
	mark(listMarks("connection", "upgrade", fields["connection"])...)
	mark(bodyMarks(s.Role, fields)...)
	if s.Role == frame.Server && len(fields["expect"]) > 0 {
		mark(Expect)
	}
	if len(fields["connection"]) > 1 && slices.Contains(fields["connection"], "close") {
		mark(ConnectionClose)
	}
	if s.Role == frame.Client {
		mark(acceptMarks(fields["sec-websocket-accept"])...)
	} else {
		mark(hostMarks(fields["host"], slices.Contains(all, HTTP10))...)
		mark(versionMarks(fields["sec-websocket-version"])...)
		mark(keyMarks(fields["sec-websocket-key"])...)
	}
	mark(protocolMarks(s.Role, fields["sec-websocket-protocol"])...)
	mark(extensionMarks(s.Role, fields["sec-websocket-extensions"])...)
	if uri, ok := strings.CutPrefix(strings.SplitN(lines[0]+"  ", " ", 3)[1], "http://"); ok && s.Role == frame.Server {
		if authority, _, _ := strings.Cut(uri, "/"); !slices.Contains(fields["host"], authority) && !slices.Contains(fields["host"], authority+":80") {
			mark(TargetHost)
			all = slices.DeleteFunc(all, func(id ID) bool { return id == HostEmpty }) // which Host does not matter
		}
	}
	if h := fields["host"]; slices.Contains(all, TargetStar) && len(h) > 0 && strings.Contains(h[0], ":") {
		mark(TargetStarHost)
	}
	slices.Sort(all)
	return slices.Compact(all)
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
	switch m[3] {
	case "1.1":
	case "1.0":
		all = append(all, HTTP10)
	case "0.9":
		all = append(all, HTTP09)
	case "1.2":
		all = append(all, HTTP12)
	default:
		all = append(all, HTTPOther)
	}
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
	var all []ID
	switch m[1] {
	case "1.1":
	case "1.0":
		all = append(all, HTTP10)
	case "0.9":
		all = append(all, HTTP09)
	case "1.2":
		all = append(all, HTTP12)
	default:
		all = append(all, HTTPOther)
	}
	if m[2] != "101" {
		all = append(all, StatusOther)
	}
	return all
}

// listMarks are those of a field that is a list with a token in it (RFC 9110,
// Section 5.6.1).
func listMarks(field, want string, lines []string) []ID {
	has := func(list string) bool {
		return slices.ContainsFunc(strings.Split(list, ","), func(e string) bool { return strings.EqualFold(strings.TrimSpace(e), want) })
	}
	all := strings.Join(lines, ",")
	suffix := ""
	malformed := slices.ContainsFunc(strings.Split(all, ","), func(e string) bool { return strings.ContainsAny(strings.TrimSpace(e), "; ") })
	switch {
	case len(lines) == 0:
		suffix = listMissing
	case all == "":
		suffix = listBlank
	case has(all) && malformed:
		suffix = listMalformed
	case !has(all) && strings.HasPrefix(strings.ToLower(all), want+";"):
		suffix = listParameter
	case !has(all) && strings.Contains(strings.ToLower(all), want):
		suffix = listSubstring
	case !has(all):
		suffix = listOther
	case len(lines) > 1 && !slices.ContainsFunc(lines, func(l string) bool { return !has(l) }):
		suffix = listSame
	case len(lines) > 1 && strings.EqualFold(lines[0], want):
		suffix = listFirst
	case len(lines) > 1:
		suffix = listLater
	case strings.HasPrefix(all, ",") || strings.HasSuffix(all, ","):
		suffix = listEmpty
	case strings.Contains(all, ","):
		suffix = listElements
	default:
		return nil
	}
	return []ID{ID(field + suffix)}
}

func bodyMarks(role frame.Role, fields map[string][]string) []ID {
	te, lengths := fields["transfer-encoding"], fields["content-length"]
	distinct := slices.Compact(slices.Clone(lengths))
	n := int64(-1)
	if len(distinct) > 0 {
		u, err := strconv.ParseUint(distinct[0], 10, 63)
		if err != nil || len(distinct) > 1 {
			return []ID{BodySyntax}
		}
		n = int64(u)
	}
	switch {
	case len(te) > 0 && len(lengths) > 0:
		return []ID{BodyTwice}
	case len(te) > 0 || n > 0:
		return []ID{Body}
	case n == 0 && role == frame.Client:
		return []ID{BodyZero}
	}
	return nil
}

func acceptMarks(lines []string) []ID {
	switch {
	case len(lines) == 0:
		return []ID{AcceptMissing}
	case lines[0] != script.Accept:
		return []ID{AcceptWrong}
	case len(lines) > 1 && lines[1] != lines[0]:
		return []ID{AcceptTwo}
	case len(lines) > 1:
		return []ID{AcceptTwice}
	}
	return nil
}

func hostMarks(lines []string, http10 bool) []ID {
	switch {
	case len(lines) == 0 && http10:
		return []ID{HostMissing10}
	case len(lines) == 0:
		return []ID{HostMissing}
	case len(lines) > 1:
		return []ID{HostTwice}
	case lines[0] == "":
		return []ID{HostEmpty}
	case strings.Contains(lines[0], " "):
		return []ID{HostInvalid}
	}
	return nil
}

func versionMarks(lines []string) []ID {
	switch {
	case len(lines) == 0:
		return []ID{VersionMissing}
	case len(lines) > 1 && lines[0] == "13":
		return []ID{VersionFirst}
	case len(lines) > 1 && slices.Contains(lines, "13"):
		return []ID{VersionLater}
	case lines[0] == "13":
		return nil
	case lines[0] == "8":
		return []ID{VersionEight}
	case lines[0] == "013" || lines[0] == "+13" || lines[0] == "13.0":
		return []ID{VersionNumber}
	case slices.Contains(strings.Split(lines[0], ", "), "13"):
		return []ID{VersionList}
	}
	return []ID{VersionOther}
}

func keyMarks(lines []string) []ID {
	if len(lines) == 0 || lines[0] == "" && len(lines) == 1 {
		return []ID{KeyMissing}
	}
	if len(lines) > 1 {
		all := []ID{KeyTwice}
		for i := range lines {
			all = append(all, keyMarks(lines[i:i+1])...)
		}
		return all
	}
	key := lines[0]
	strict, err := base64.StdEncoding.Strict().DecodeString(key)
	lenient, lenientErr := base64.StdEncoding.DecodeString(key)
	switch {
	case err == nil && len(strict) == 16:
		return nil
	case lenientErr == nil && len(lenient) == 16:
		return []ID{KeyBits}
	case len(key) == 24:
		return []ID{Key24}
	}
	return []ID{KeyShape}
}

func protocolMarks(role frame.Role, lines []string) []ID {
	if len(lines) == 0 {
		return nil
	}
	list := strings.Join(lines, ",")
	switch {
	case list == "":
		return []ID{ProtocolEmpty}
	case role == frame.Client && lines[0] == "":
		return []ID{ProtocolEmpty}
	case role == frame.Client:
		return []ID{ProtocolUnasked}
	}
	var all []ID
	seen := map[string]bool{}
	for e := range strings.SplitSeq(list, ",") {
		e = strings.TrimSpace(e)
		switch {
		case e == "":
			all = append(all, ProtocolElement)
		case !token.MatchString(e):
			all = append(all, ProtocolToken)
		case seen[e]:
			all = append(all, ProtocolDuplicate)
		}
		seen[e] = true
	}
	if len(lines) > 1 {
		all = append(all, ProtocolLines)
	} else if len(seen) > 1 && len(all) == 0 {
		return []ID{ProtocolSeveral}
	}
	return all
}

func extensionMarks(role frame.Role, lines []string) []ID {
	if len(lines) == 0 {
		return nil
	}
	list := strings.Join(lines, ",")
	if list == "" {
		return []ID{ExtensionEmpty}
	}
	var deflate []ID
	if role == frame.Client && strings.Contains(list, "permessage-deflate") {
		deflate = []ID{ExtensionDeflate}
	}
	for e := range strings.SplitSeq(list, ",") {
		if !extension.MatchString(strings.TrimSpace(e)) {
			return append(deflate, ExtensionSyntax)
		}
	}
	if deflate != nil {
		return deflate
	}
	if role == frame.Client {
		return []ID{ExtensionUnasked}
	}
	return nil
}

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
