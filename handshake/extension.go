package handshake

import "strings"

// MaxOffers is the number of extensions of a list that [ParseExtensions] keeps.
const MaxOffers = 16

// An Extension is one element of Sec-WebSocket-Extensions: an offer in a request,
// an agreement in a response (RFC 6455, Section 9.1).
type Extension struct {
	Name   string
	Params []Param
}

// A Param is a parameter of an [Extension]. An empty Value means that there is
// none: a value that is there has at least one octet.
type Param struct {
	Name, Value string
}

// ParseExtensions parses the list that the lines of Sec-WebSocket-Extensions add
// up to (RFC 6455, Section 9.1), in order. A quoted value comes unquoted. Names
// are neither folded nor looked up, and a parameter may come twice: what to make
// of that is the business of the extension.
//
// The whole list is checked, but only its first [MaxOffers] elements are
// returned. The time is linear in the length of lines. No lines are no
// extensions; the error is [ErrExtension].
func ParseExtensions(lines []string) ([]Extension, error) {
	if len(lines) == 0 {
		return nil, nil
	}
	names, values := 0, 0
	if !walkExtensions(lines, func(first bool, _ Param) {
		if first {
			names++
		} else if names <= MaxOffers {
			values++
		}
	}) {
		return nil, ErrExtension
	}
	list := make([]Extension, 0, min(names, MaxOffers))
	params := make([]Param, 0, values)
	names = 0
	walkExtensions(lines, func(first bool, p Param) {
		if first {
			names++
		}
		switch {
		case names > MaxOffers:
		case first:
			list = append(list, Extension{Name: p.Name})
		default:
			params = append(params, p)
			e := &list[len(list)-1]
			n := len(e.Params) + 1
			e.Params = params[len(params)-n : len(params) : len(params)]
		}
	})
	return list, nil
}

// AppendExtensions appends list as the value of Sec-WebSocket-Extensions, with
// values as tokens. The result is appended to dst; dst may be nil. The error is
// [ErrField], for a name or value that is not a token; dst is then returned as it
// was.
func AppendExtensions(dst []byte, list []Extension) ([]byte, error) {
	b := dst
	for i, e := range list {
		if !isToken(e.Name) {
			return dst, errSendExtension
		}
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, e.Name...)
		for _, p := range e.Params {
			if !isToken(p.Name) {
				return dst, errSendExtension
			}
			b = append(append(b, "; "...), p.Name...)
			if p.Value == "" {
				continue
			}
			if !isToken(p.Value) {
				return dst, errSendExtension
			}
			b = append(append(b, '='), p.Value...)
		}
	}
	return b, nil
}

var errSendExtension = fieldError("Sec-WebSocket-Extensions", "name or value not a token")

// Negotiate returns the extensions a server agrees to: it shows accept the offers
// in order, and takes what accept answers to the first one of each name that it
// does not decline. A name is not offered to accept again once it is agreed to,
// so that later offers are fallbacks (RFC 6455, Section 9.1).
func Negotiate(offers []Extension, accept func(offer Extension) (answer Extension, ok bool)) []Extension {
	var agreed []Extension
	for _, offer := range offers {
		if hasExtension(agreed, offer.Name) {
			continue
		}
		if answer, ok := accept(offer); ok {
			agreed = append(agreed, answer)
		}
	}
	return agreed
}

// hasExtension reports whether list has an extension called name.
func hasExtension(list []Extension, name string) bool {
	for _, e := range list {
		if e.Name == name {
			return true
		}
	}
	return false
}

// walkExtensions calls visit for every name and parameter of the list that lines
// add up to, with first set for the name of an extension. It reports whether the
// list is well-formed and not empty (RFC 6455, Section 9.1).
func walkExtensions(lines []string, visit func(first bool, p Param)) bool {
	found := false
	for _, s := range lines {
		first := true
		for {
			s = skipSpace(s)
			if first && (s == "" || s[0] == ',') { // RFC 9110, Section 5.6.1.2: ignore
				if s == "" {
					break
				}
				s = s[1:]
				continue
			}
			p, rest, ok := nextParam(s)
			if !ok || first && p.Value != "" {
				return false
			}
			visit(first, p)
			found = true
			if rest == "" {
				break
			}
			if rest[0] != ',' && rest[0] != ';' {
				return false
			}
			first, s = rest[0] == ',', rest[1:]
		}
	}
	return found
}

// nextParam cuts a token with an optional value off s, and the white space after
// it.
func nextParam(s string) (p Param, rest string, ok bool) {
	p.Name, rest = cutToken(s)
	rest = skipSpace(rest)
	if p.Name == "" || rest == "" || rest[0] != '=' {
		return p, rest, p.Name != ""
	}
	rest = skipSpace(rest[1:])
	if strings.HasPrefix(rest, `"`) {
		p.Value, rest = cutQuoted(rest)
	} else {
		p.Value, rest = cutToken(rest)
	}
	return p, skipSpace(rest), p.Value != ""
}

// skipSpace returns s without optional white space before it.
func skipSpace(s string) string {
	for s != "" && isSpace(s[0]) {
		s = s[1:]
	}
	return s
}

// cutToken cuts a token off s; it is empty if s does not begin with one.
func cutToken(s string) (token, rest string) {
	i := 0
	for i < len(s) && classes[s[i]]&tokenChar != 0 {
		i++
	}
	return s[:i], s[i:]
}

// cutQuoted cuts a quoted-string off s, which begins with the quote, and returns
// the token in it; that is empty if there is anything else in it (RFC 6455,
// Section 9.1: after unescaping, the value MUST conform to the 'token' ABNF).
func cutQuoted(s string) (token, rest string) {
	token, rest = cutToken(s[1:])
	if strings.HasPrefix(rest, `"`) {
		return token, rest[1:]
	}
	b := []byte(token)
	for len(rest) >= 2 && rest[0] != '"' {
		if rest[0] == '\\' {
			rest = rest[1:]
		}
		if classes[rest[0]]&tokenChar == 0 {
			return "", rest
		}
		b, rest = append(b, rest[0]), rest[1:]
	}
	if !strings.HasPrefix(rest, `"`) {
		return "", rest
	}
	return string(b), rest[1:]
}
