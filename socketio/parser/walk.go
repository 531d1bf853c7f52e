package parser

import (
	"bytes"
	"iter"
)

// What is below walks JSON that has passed the scanner.

// skip returns where the value ends that begins at b[i].
func skip(b []byte, i int) int {
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '[', '{':
		for depth := 0; ; i++ {
			switch b[i] {
			case '"':
				i = skipString(b, i) - 1
			case '[', '{':
				depth++
			case ']', '}':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
	}
	for i < len(b) && b[i] != ',' && b[i] != ']' && b[i] != '}' && !isSpace(b[i]) {
		i++
	}
	return i
}

func skipString(b []byte, i int) int {
	if n := bytes.IndexByte(b[i+1:], '"'); bytes.IndexByte(b[i+1:i+1+n], '\\') < 0 {
		return i + n + 2
	}
	for i = skipPlain(b, i+1); b[i] != '"'; i++ {
		if b[i] == '\\' {
			i = skipPlain(b, i+2) - 1
		}
	}
	return i + 1
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}

// elements returns the elements of an array.
func elements(b []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		i := skipSpace(b, skipSpace(b, 0)+1)
		for b[i] != ']' {
			end := skip(b, i)
			if !yield(b[i:end:end]) {
				return
			}
			if i = skipSpace(b, end); b[i] == ',' {
				i = skipSpace(b, i+1)
			}
		}
	}
}

// members returns the names, with their quotes, and the values of an object.
func members(b []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		i := skipSpace(b, skipSpace(b, 0)+1)
		for b[i] != '}' {
			end := skipString(b, i)
			name := b[i:end]
			i = skipSpace(b, skipSpace(b, end)+1) // the colon
			end = skip(b, i)
			if !yield(name, b[i:end:end]) {
				return
			}
			if i = skipSpace(b, end); b[i] == ',' {
				i = skipSpace(b, i+1)
			}
		}
	}
}

// placeholder returns which attachment the value at the start of b stands for, or
// -1. It looks no farther than it must: objects are nested.
func placeholder(b []byte) int {
	if b[0] != '{' {
		return -1
	}
	is, num := false, -1
	i := skipSpace(b, 1)
	for b[i] == '"' {
		end := skipString(b, i)
		name := b[i:end]
		i = skipSpace(b, skipSpace(b, end)+1) // the colon
		if b[i] != 't' && !isDigit(b[i]) {
			return -1
		}
		end = skip(b, i)
		switch {
		case isString(name, "_placeholder"):
			is = b[i] == 't'
		case isString(name, "num"):
			num = index(b[i:end])
		default:
			return -1
		}
		if i = skipSpace(b, end); b[i] == ',' {
			i = skipSpace(b, i+1)
		}
	}
	if !is {
		return -1
	}
	return num
}

// trim returns b without white space around it.
func trim(b []byte) []byte { return bytes.Trim(b, " \t\r\n") }
