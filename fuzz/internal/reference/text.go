package reference

// Text reads p as UTF-8 (RFC 3629, Section 4). It returns how many of the octets
// can be the beginning of a text, whatever follows them, and whether that
// beginning ends with a character.
func Text(p []byte) (good int, complete bool) {
	complete = true
	for good < len(p) {
		n := 0
		for _, form := range forms {
			if m := form.match(p[good:]); m > n {
				n, complete = m, m == len(form)
			}
		}
		if n == 0 {
			return good, true
		}
		good += n
		if !complete {
			return good, false
		}
	}
	return good, true
}

// A form is the syntax of one kind of character: a range for each octet.
type form []struct{ from, to byte }

// forms is the grammar of RFC 3629, Section 4: UTF8-1 to UTF8-4.
var forms = []form{
	{{0x00, 0x7f}},
	{{0xc2, 0xdf}, {0x80, 0xbf}},
	{{0xe0, 0xe0}, {0xa0, 0xbf}, {0x80, 0xbf}},
	{{0xe1, 0xec}, {0x80, 0xbf}, {0x80, 0xbf}},
	{{0xed, 0xed}, {0x80, 0x9f}, {0x80, 0xbf}},
	{{0xee, 0xef}, {0x80, 0xbf}, {0x80, 0xbf}},
	{{0xf0, 0xf0}, {0x90, 0xbf}, {0x80, 0xbf}, {0x80, 0xbf}},
	{{0xf1, 0xf3}, {0x80, 0xbf}, {0x80, 0xbf}, {0x80, 0xbf}},
	{{0xf4, 0xf4}, {0x80, 0x8f}, {0x80, 0xbf}, {0x80, 0xbf}},
}

// match returns how many octets of p fit f.
func (f form) match(p []byte) int {
	for i, r := range f {
		if i == len(p) || p[i] < r.from || p[i] > r.to {
			return i
		}
	}
	return len(f)
}

// Close reads the payload of a Close frame (Sections 5.5.1 and 7.4). The code is
// 1005 if there is none. With a failure the connection is to be failed with that
// code.
func Close(p []byte) (code int, reason string, failure int) {
	if len(p) == 0 {
		return 1005, "", 0 // Section 7.1.5
	}
	if len(p) == 1 {
		return 0, "", 1002
	}
	code = int(p[0])*256 + int(p[1])
	switch {
	case code == 1004, code == 1005, code == 1006, code == 1015: // Section 7.4.1
		return 0, "", 1002
	case code >= 1000 && code <= 1014: // the IANA registry
	case code >= 3000 && code <= 4999: // Section 7.4.2
	default:
		return 0, "", 1002
	}
	if good, complete := Text(p[2:]); good < len(p)-2 || !complete {
		return 0, "", 1007
	}
	return code, string(p[2:]), 0
}
