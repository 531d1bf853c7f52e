package codec

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"
)

// AppendJSONP appends a script that hands a payload to the callback of the page with
// the index, and returns the extended slice; dst may be nil. It does not retain
// payload, which must be valid UTF-8.
func AppendJSONP(dst []byte, index uint64, payload []byte) []byte {
	dst = append(dst, "___eio["...)
	dst = strconv.AppendUint(dst, index, 10)
	dst = append(dst, "]("...)
	// A string in JSON, as Marshal writes it, is one in JavaScript, too: it escapes
	// U+2028 and U+2029.
	quoted, _ := json.Marshal(string(payload)) // strings have no errors
	dst = append(dst, quoted...)
	return append(dst, ");"...)
}

// ParseJSONP returns the payload in the body of a JSONP request: a form with the one
// field d. The error is [ErrJSONP]. It does not retain body.
func ParseJSONP(body []byte) ([]byte, error) {
	value, found := bytes.CutPrefix(body, []byte("d="))
	if !found || bytes.IndexByte(value, '&') >= 0 {
		return nil, ErrJSONP
	}
	text, err := url.QueryUnescape(string(value))
	if err != nil {
		return nil, ErrJSONP
	}
	return unescapeLines([]byte(text)), nil
}

// unescapeLines undoes, in place, what a client does to have no line breaks in a
// form, which browsers would change: those of the payload are \n, and a \n of the
// payload is \\n. A backslash before a line break cannot be told from the latter.
func unescapeLines(b []byte) []byte {
	out := b[:0]
	for len(b) > 0 {
		switch {
		case bytes.HasPrefix(b, []byte(`\\n`)):
			out, b = append(out, `\n`...), b[3:]
		case bytes.HasPrefix(b, []byte(`\n`)):
			out, b = append(out, '\n'), b[2:]
		default:
			out, b = append(out, b[0]), b[1:]
		}
	}
	return out
}
