package handshake

import (
	"encoding/binary"
	"math/bits"
)

// A span is where a field line is: line <= colon < end.
type span struct{ line, colon, end int }

// state says what is expected at Parser.pos.
type state uint8

const (
	inStart   state = iota // method, or the version of a response
	inTarget               // request-target
	inVersion              // version of a request
	inStatus               // status of a response and the space after it
	inReason               // reason phrase
	atStartLF              // LF after the start line
	atField                // first octet of a field line, or CR of the empty line
	inName                 // field name
	inValue                // field value
	atFieldLF              // LF after a field line
	atEndLF                // LF of the empty line
	atEnd                  // nothing: the head is complete
)

// scan looks at what it has not seen of b, and returns the size of the head if all
// of it is there. After an error p is reset.
func (p *Parser) scan(b []byte) (n int, err error) {
	if p.pos > len(b) {
		p.reset() // not the same head
	}
	if p.spans == nil {
		p.spans = p.fewSpans[:0]
	}
	limits := p.Limits.withDefaults()
	for p.state != atEnd {
		// A limit is reached when the octet that it ends with has come, and
		// neither sooner nor later: where b was cut must not matter.
		end, limited := len(b), false
		if end >= limits.MaxSize {
			end, limited = limits.MaxSize, true
		}
		if end-p.line >= limits.MaxLine {
			end, limited = p.line+limits.MaxLine, true
		}
		switch {
		case p.pos == end && !limited:
			return 0, nil
		case p.pos == end:
			err = p.tooLarge()
		case p.state >= atField:
			err = p.scanField(b[:end], limits.MaxFields)
		case p.response:
			err = p.scanStatusLine(b[:end])
		default:
			err = p.scanRequestLine(b[:end])
		}
		if err != nil {
			p.reset()
			return 0, err
		}
	}
	return p.pos, nil
}

// tooLarge returns the error for a limit that ends at p.pos.
func (p *Parser) tooLarge() error {
	if p.state < atField && !p.response {
		return errLineTooLong
	}
	return ErrTooLarge
}

// scanRequestLine goes on in a request line (RFC 9112, Section 3), by at least one
// octet of those that b has after p.pos.
func (p *Parser) scanRequestLine(b []byte) error {
	switch p.state {
	case inStart:
		if p.pos == 0 && p.requestLine(b) {
			return nil
		}
		if p.pos = skipToken(b, p.pos); p.pos == len(b) {
			return nil
		}
		if b[p.pos] != ' ' || p.pos == 0 {
			return errStartLine
		}
		if string(b[:p.pos]) == "CONNECT" {
			return ErrMethod
		}
		p.endPart(0, inTarget)
	case inTarget:
		if p.pos == p.marks[0]+1 && !beginsTarget(b[p.pos]) {
			return ErrTarget
		}
		if p.pos = skip(b, p.pos, targetChar); p.pos == len(b) {
			return nil
		}
		switch b[p.pos] {
		case ' ':
			p.endPart(1, inVersion)
		case '\r': // HTTP/0.9 had no version
			return ErrProto
		default:
			return ErrTarget
		}
	case inVersion:
		if ended, err := p.scanVersion(b, p.marks[1]+1); !ended {
			return err
		}
		return p.endLine(b)
	case atStartLF:
		return p.scanLF(b)
	}
	return nil
}

// requestLine takes the request line if it is what nearly every handshake has: all
// there, GET, a path and HTTP/1.1.
func (p *Parser) requestLine(b []byte) bool {
	const method, version = "GET ", " HTTP/1.1\r\n"
	if len(b) <= len(method) || string(b[:len(method)]) != method || b[len(method)] != '/' {
		return false
	}
	end := skip(b, len(method), targetChar)
	if len(b)-end < len(version) || string(b[end:end+len(version)]) != version {
		return false
	}
	p.marks = [2]int{len(method) - 1, end}
	p.pos = end + len(version)
	p.line, p.state = p.pos, atField
	return true
}

// scanStatusLine goes on in a status line (RFC 9112, Section 4), by at least one
// octet of those that b has after p.pos.
func (p *Parser) scanStatusLine(b []byte) error {
	switch p.state {
	case inStart:
		if ended, err := p.scanVersion(b, 0); !ended {
			return err
		}
		if b[p.pos] != ' ' {
			return errStartLine
		}
		p.endPart(0, inStatus)
	case inStatus:
		for i, c := range b[p.pos:] {
			switch n := p.pos + i - p.marks[0]; { // 1 to 3 in the status
			case n == 4 && c == ' ':
				p.pos += i + 1
				p.state = inReason
				return nil
			case n == 4 || n == 1 && c == '0' || classes[c]&digitChar == 0:
				return errStartLine
			}
		}
		p.pos = len(b)
	case inReason:
		if p.pos = skipValue(b, p.pos); p.pos == len(b) {
			return nil
		}
		p.marks[1] = p.pos
		return p.endLine(b)
	case atStartLF:
		return p.scanLF(b)
	}
	return nil
}

// scanField goes on in the field lines and the empty line after them (RFC 9112,
// Section 5), by at least one octet of those that b has after p.pos.
func (p *Parser) scanField(b []byte, maxFields int) error {
	switch p.state {
	case atField:
		if p.wholeFields(b, maxFields); p.pos == len(b) {
			return nil
		}
		switch c := b[p.pos]; {
		case c == '\r':
			p.pos++
			p.state = atEndLF
			return nil
		case isSpace(c):
			return errFold
		case len(p.spans) >= maxFields:
			return ErrTooLarge
		}
		p.spans = append(p.spans, span{line: p.pos})
		p.state = inName
		fallthrough
	case inName:
		if p.pos = skipToken(b, p.pos); p.pos == len(b) {
			return nil
		}
		at := &p.spans[len(p.spans)-1]
		if b[p.pos] != ':' || p.pos == at.line {
			return errName
		}
		at.colon = p.pos
		p.pos++
		p.state = inValue
		fallthrough
	case inValue:
		if p.pos = skipValue(b, p.pos); p.pos == len(b) {
			return nil
		}
		if b[p.pos] != '\r' {
			return errValue
		}
		p.spans[len(p.spans)-1].end = p.pos
		p.pos++
		if p.state = atFieldLF; p.pos == len(b) {
			return nil
		}
		fallthrough
	case atFieldLF:
		return p.scanLF(b)
	case atEndLF:
		if b[p.pos] != '\n' {
			return errLineEnd
		}
		p.pos++
		p.state = atEnd
	}
	return nil
}

// wholeFields takes the field lines that are all there and right, and leaves the
// first other one to the states of scanField.
func (p *Parser) wholeFields(b []byte, maxFields int) {
	line := p.pos
	for len(p.spans) < maxFields {
		colon := skipToken(b, line)
		if colon == line || colon == len(b) || b[colon] != ':' {
			break
		}
		end := skipValue(b, colon+1)
		if end+2 > len(b) || b[end] != '\r' || b[end+1] != '\n' {
			break
		}
		p.spans = append(p.spans, span{line, colon, end})
		line = end + 2
	}
	p.pos, p.line = line, line
}

// scanVersion goes on in an HTTP version, which begins at start (RFC 9112, Section
// 2.3), and reports whether an octet follows it.
func (p *Parser) scanVersion(b []byte, start int) (ended bool, err error) {
	const shape = "HTTP/0.0"
	for p.pos < min(len(b), start+len(shape)) {
		want := shape[p.pos-start]
		if c := b[p.pos]; c != want && (want != '0' || classes[c]&digitChar == 0) {
			return false, errStartLine
		}
		p.pos++
	}
	if p.pos < start+len(shape) {
		return false, nil
	}
	if v := b[start+len("HTTP/"):]; v[0] != '1' || v[2] > '1' {
		return false, ErrProto
	}
	return p.pos < len(b), nil
}

// endPart ends part i of the start line before the space at p.pos.
func (p *Parser) endPart(i int, next state) {
	p.marks[i] = p.pos
	p.pos++
	p.state = next
}

// endLine takes the CR at p.pos that ends the start line.
func (p *Parser) endLine(b []byte) error {
	if b[p.pos] != '\r' {
		return errLineEnd
	}
	p.pos++
	p.state = atStartLF
	return nil
}

// scanLF takes the LF at p.pos, after which there are fields.
func (p *Parser) scanLF(b []byte) error {
	if b[p.pos] != '\n' {
		return errLineEnd
	}
	p.pos++
	p.line = p.pos
	p.state = atField
	return nil
}

// skip returns the index of the first octet of b, from i on, that is not of class,
// or len(b) if all are.
func skip(b []byte, i int, class uint8) int {
	for i < len(b) && classes[b[i]]&class != 0 {
		i++
	}
	return i
}

// skipToken is skip for tokenChar, eight octets at a time as far as they are
// letters and hyphens, of which the names of fields are made.
func skipToken(b []byte, i int) int {
	for len(b)-i >= 8 {
		if other := notNames(binary.LittleEndian.Uint64(b[i:])); other != 0 {
			i += bits.TrailingZeros64(other) / 8
			break
		}
		i += 8
	}
	return skip(b, i, tokenChar)
}

// skipValue is skip for valueChar, eight octets at a time.
func skipValue(b []byte, i int) int {
	for len(b)-i >= 8 {
		other := notText(binary.LittleEndian.Uint64(b[i:]))
		if other == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(other) / 8
		if b[i] != '\t' {
			return i
		}
		i++
	}
	return skip(b, i, valueChar)
}

// beginsTarget reports whether c is the first octet of a request-target that a
// handshake may have: a slash, or a letter of http, https, ws or wss.
func beginsTarget(c byte) bool {
	switch c {
	case '/', 'h', 'H', 'w', 'W':
		return true
	}
	return false
}
