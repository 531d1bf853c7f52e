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
		if !p.skip(b, tokenChar) {
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
		if !p.skip(b, targetChar) {
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
		if !p.skipValue(b) {
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
		if !p.skip(b, tokenChar) {
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
		if !p.skipValue(b) {
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

// skip moves p.pos to the next octet that is not of class, and reports whether b
// has one.
func (p *Parser) skip(b []byte, class uint8) bool {
	i := p.pos
	for i < len(b) && classes[b[i]]&class != 0 {
		i++
	}
	p.pos = i
	return i < len(b)
}

// skipValue is skip for valueChar, eight octets at a time.
func (p *Parser) skipValue(b []byte) bool {
	const (
		ones = 0x0101010101010101
		high = 0x80 * ones
	)
	rest := b[p.pos:]
	for len(rest) >= 8 {
		v := binary.LittleEndian.Uint64(rest)
		del := v ^ 0x7f*ones
		// The high bit of octets of v below SP, and of those of del that are zero.
		// Above the lowest of them there may be false ones, by the borrow.
		found := ((v-0x20*ones)&^v | (del-ones)&^del) & high
		if found == 0 {
			rest = rest[8:]
			continue
		}
		rest = rest[bits.TrailingZeros64(found)/8:]
		if rest[0] != '\t' {
			p.pos = len(b) - len(rest)
			return true
		}
		rest = rest[1:]
	}
	p.pos = len(b) - len(rest)
	return p.skip(b, valueChar)
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
