package handshake

// The sets of octets that the grammar is made of.
const (
	tokenChar  = 1 << iota // RFC 9110, Section 5.6.2
	valueChar              // RFC 9110, Section 5.5, with SP and HTAB
	targetChar             // see [Request].Target
	hostChar               // letters, digits, "-", "." and "_"
	digitChar
	hexChar
)

// classes tells the sets that an octet belongs to.
var classes = func() (t [256]uint8) {
	add := func(class uint8, octets string) {
		for i := range len(octets) {
			t[octets[i]] |= class
		}
	}
	const (
		digits  = "0123456789"
		letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	)
	add(tokenChar, digits+letters+"!#$%&'*+-.^_`|~")
	add(hostChar, digits+letters+"-._")
	add(digitChar, digits)
	add(hexChar, digits+"ABCDEFabcdef")
	for c := range t {
		if c == '\t' || c >= ' ' && c != 0x7f {
			t[c] |= valueChar
		}
		if c > ' ' && c < 0x7f {
			t[c] |= targetChar
		}
	}
	for _, c := range `"#<>` {
		t[c] &^= targetChar
	}
	return t
}()

// all reports whether s consists of at least one octet, all of them of class.
func all(s string, class uint8) bool {
	for i := range len(s) {
		if classes[s[i]]&class == 0 {
			return false
		}
	}
	return s != ""
}

// isToken reports whether s is a token (RFC 9110, Section 5.6.2).
func isToken(s string) bool { return all(s, tokenChar) }

// isSpace reports whether c is what optional white space is made of (RFC 9110,
// Section 5.6.3).
func isSpace(c byte) bool { return c == ' ' || c == '\t' }

// trimSpace returns s without optional white space at its ends.
func trimSpace(s string) string {
	for s != "" && isSpace(s[0]) {
		s = s[1:]
	}
	for s != "" && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// equalFold reports whether s and t are equal but for the case of ASCII letters.
// Unlike [strings.EqualFold] it does not take U+212A for a k.
func equalFold(s, t string) bool {
	if len(s) != len(t) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c != t[i] && lower(c) != lower(t[i]) {
			return false
		}
	}
	return true
}

// lower returns c, or the small letter of a capital one.
func lower(c byte) byte {
	if c-'A' < 26 {
		c |= 0x20
	}
	return c
}

// nextElement cuts the first element off a list without quoted strings (RFC
// 9110, Section 5.6.1). It may be empty; more tells whether a comma followed.
func nextElement(list string) (element, rest string, more bool) {
	for i := range len(list) {
		if list[i] == ',' {
			return trimSpace(list[:i]), list[i+1:], true
		}
	}
	return trimSpace(list), "", false
}

// hasToken reports whether the list that lines add up to is well-formed and has
// token as an element, compared without case. Empty elements do not count (RFC
// 9110, Section 5.6.1.2). With versions, an element may be a token, a slash and
// another token, as in Upgrade (RFC 9110, Section 7.8), which is not the token
// alone.
func hasToken(lines []string, token string, versions bool) bool {
	if len(lines) == 1 && equalFold(lines[0], token) {
		return true
	}
	found := false
	for _, list := range lines {
		for more := true; more; {
			var element string
			element, list, more = nextElement(list)
			switch {
			case element == "":
			case equalFold(element, token):
				found = true
			case isToken(element):
			case versions && isVersioned(element):
			default:
				return false
			}
		}
	}
	return found
}

// isVersioned reports whether s is a token, a slash and another token.
func isVersioned(s string) bool {
	for i := range len(s) {
		if s[i] == '/' {
			return isToken(s[:i]) && isToken(s[i+1:])
		}
	}
	return false
}
