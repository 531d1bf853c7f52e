package parser

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// A scanner checks JSON in one pass and without an allocation: its grammar, its
// depth, the number of its values and its placeholders. What has passed it can be
// walked without looking for errors.
type scanner struct {
	b        []byte
	i        int // 0 <= i <= len(b)
	depth    int // how many levels may still be opened
	elements int // how many values may still come
	high     byte
	seen     []bool // for each attachment, whether a placeholder stands for it; nil if there are none
}

// scan checks that b is one JSON value with a placeholder for each of as many
// attachments.
func scan(b []byte, attachments int, l *Limits) (Reason, int) {
	s := scanner{b: b, depth: l.MaxDepth, elements: l.MaxElements}
	if attachments > 0 {
		s.seen = make([]bool, attachments)
	}
	if r := s.value(); r != 0 {
		return r, s.i
	}
	if s.space(); s.i < len(b) {
		return ErrJSON, s.i
	}
	if s.high >= utf8.RuneSelf && !utf8.Valid(b) {
		return ErrJSON, 0
	}
	for _, seen := range s.seen {
		if !seen {
			return ErrPlaceholder, s.i
		}
	}
	return 0, 0
}

func (s *scanner) space() {
	for s.i < len(s.b) && isSpace(s.b[s.i]) {
		s.i++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// next passes over white space and returns the octet after it, 0 at the end.
func (s *scanner) next() byte {
	s.space()
	if s.i == len(s.b) {
		return 0
	}
	return s.b[s.i]
}

func (s *scanner) value() Reason {
	c := s.next()
	if s.elements <= 0 {
		return ErrTooManyElements
	}
	s.elements--
	switch c {
	case '"':
		return s.string()
	case '[', '{':
		if s.depth <= 0 {
			return ErrDepth
		}
		s.depth--
		s.i++
		r := Reason(0)
		if c == '[' {
			r = s.array()
		} else {
			r = s.object()
		}
		s.depth++
		return r
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	}
	return s.number()
}

func (s *scanner) literal(word string) Reason {
	if !bytes.HasPrefix(s.b[s.i:], []byte(word)) {
		return ErrJSON
	}
	s.i += len(word)
	return 0
}

// array scans what follows a bracket.
func (s *scanner) array() Reason {
	if s.next() == ']' {
		s.i++
		return 0
	}
	for {
		if r := s.value(); r != 0 {
			return r
		}
		switch s.next() {
		case ',':
			s.i++
		case ']':
			s.i++
			return 0
		default:
			return ErrJSON
		}
	}
}

// object scans what follows a brace.
func (s *scanner) object() Reason {
	if s.next() == '}' {
		s.i++
		return 0
	}
	placeholder, num, keys := false, -1, 0
	for {
		if s.next() != '"' {
			return ErrJSON
		}
		start := s.i
		if r := s.string(); r != 0 {
			return r
		}
		key := s.b[start:s.i]
		if s.next() != ':' {
			return ErrJSON
		}
		s.i++
		s.space()
		start = s.i
		if r := s.value(); r != 0 {
			return r
		}
		keys++
		if s.seen != nil {
			switch v := s.b[start:s.i]; {
			case isString(key, "_placeholder"):
				placeholder = string(v) == "true"
			case isString(key, "num"):
				num = index(v)
			}
		}
		switch s.next() {
		case ',':
			s.i++
			continue
		case '}':
			s.i++
		default:
			return ErrJSON
		}
		break
	}
	if placeholder {
		if keys != 2 || num < 0 || num >= len(s.seen) || s.seen[num] {
			return ErrPlaceholder
		}
		s.seen[num] = true
	}
	return 0
}

// isString reports whether the JSON string q, with its quotes, is s.
func isString(q []byte, s string) bool {
	if bytes.IndexByte(q, '\\') < 0 {
		return string(q[1:len(q)-1]) == s
	}
	var u string
	return json.Unmarshal(q, &u) == nil && u == s
}

// index returns the value of a JSON number of few digits, or -1.
func index(v []byte) int {
	if len(v) == 0 || len(v) > 6 || v[0] == '0' && len(v) > 1 {
		return -1
	}
	n := 0
	for _, c := range v {
		if !isDigit(c) {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// string scans a string from its opening quote.
func (s *scanner) string() Reason {
	for i := skipPlain(s.b, s.i+1); i < len(s.b); i++ {
		switch c := s.b[i]; {
		case c == '"':
			s.i = i + 1
			return 0
		case c == '\\':
			s.i = i + 1
			if !s.escape() {
				return ErrJSON
			}
			i = skipPlain(s.b, s.i+1) - 1
		case c < ' ':
			s.i = i
			return ErrJSON
		default:
			s.high |= c
		}
	}
	s.i = len(s.b)
	return ErrJSON
}

// skipPlain passes over octets that a string can have as they are, eight at a time,
// from b[i] on, and returns where it stopped.
func skipPlain[T string | []byte](b T, i int) int {
	const each, high = 0x0101010101010101, 0x8080808080808080
	for ; len(b)-i >= 8; i += 8 {
		w := b[i : i+8]
		v := uint64(w[0]) | uint64(w[1])<<8 | uint64(w[2])<<16 | uint64(w[3])<<24 |
			uint64(w[4])<<32 | uint64(w[5])<<40 | uint64(w[6])<<48 | uint64(w[7])<<56
		// The high bit of an octet becomes set if it is beyond ASCII, below a space,
		// a quote or a backslash. A borrow may set others, too, but never alone.
		if (v|(v-' '*each)|((v^'"'*each)-each)|((v^'\\'*each)-each))&high != 0 {
			return i
		}
	}
	return i
}

// escape scans what follows a backslash up to its last octet.
func (s *scanner) escape() bool {
	if s.i == len(s.b) {
		return false
	}
	switch s.b[s.i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			if s.i++; s.i == len(s.b) || !isHex(s.b[s.i]) {
				return false
			}
		}
		return true
	}
	return false
}

func isHex(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

// digits passes over digits and reports whether there was one.
func (s *scanner) digits() bool {
	start := s.i
	for s.i < len(s.b) && isDigit(s.b[s.i]) {
		s.i++
	}
	return s.i > start
}

// accept passes over one of the octets if it comes next.
func (s *scanner) accept(a, b byte) bool {
	if s.i < len(s.b) && (s.b[s.i] == a || s.b[s.i] == b) {
		s.i++
		return true
	}
	return false
}

func (s *scanner) number() Reason {
	s.accept('-', '-')
	if !s.accept('0', '0') && !s.digits() {
		return ErrJSON
	}
	if s.accept('.', '.') && !s.digits() {
		return ErrJSON
	}
	if s.accept('e', 'E') {
		s.accept('+', '-')
		if !s.digits() {
			return ErrJSON
		}
	}
	return 0
}
