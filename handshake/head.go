package handshake

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"strings"
)

// The default [Limits].
const (
	DefaultMaxSize   = 16 << 10
	DefaultMaxLine   = 8 << 10
	DefaultMaxFields = 100
)

// Limits bounds a head. Zero means the default, negative means no limit.
type Limits struct {
	// MaxSize limits the head, in octets, with the empty line that ends it.
	// Zero means [DefaultMaxSize], 16 KiB.
	MaxSize int

	// MaxLine limits a line, in octets with its CR LF. Zero means
	// [DefaultMaxLine], 8 KiB.
	MaxLine int

	// MaxFields limits the number of field lines. Zero means
	// [DefaultMaxFields], 100.
	MaxFields int
}

// withDefaults returns l with a positive number in every field.
func (l Limits) withDefaults() Limits {
	fill := func(limit, byDefault int) int {
		if limit < 0 {
			return math.MaxInt
		}
		return cmp.Or(limit, byDefault)
	}
	return Limits{
		MaxSize:   fill(l.MaxSize, DefaultMaxSize),
		MaxLine:   fill(l.MaxLine, DefaultMaxLine),
		MaxFields: fill(l.MaxFields, DefaultMaxFields),
	}
}

// A Parser parses the heads of HTTP/1.1 messages: everything up to and with the
// empty line (RFC 9112, Section 2.1). The zero value is ready, with the default
// limits. A Parser must not be copied, nor used concurrently.
//
// A head may arrive in pieces. The methods take all of it that has arrived and
// answer n == 0 and a nil error to ask for more; the next call must be for the
// same head, made longer by at least one octet. What was looked at is not looked
// at again, and the first octet that no acceptable head can have there is an
// error, so that TLS or noise is refused long before a limit. After an error, and
// after a head, the Parser is as before the first call and may be used again: for
// the response after an interim one, or, from a pool, for another connection.
//
// It is strict where leniency would let two readers of the same octets disagree:
// lines end with CR LF, there is none before the start line and none is folded, no
// space comes before the colon, names are tokens and values have no control octets
// (RFC 9112, Sections 2.2, 5.1 and 5.2).
type Parser struct {
	Limits Limits // not to be changed within a head

	response bool // what is being parsed
	state    state
	pos      int    // what comes before was checked; 0 <= line <= pos
	line     int    // where the line at pos begins
	marks    [2]int // where the first two parts of the start line end
	spans    []span // the field lines that have begun

	// The result, and where it is kept. Requests of browsers have 12 to 20
	// fields.
	req        Request
	resp       Response
	fields     Fields
	fewSpans   [24]span
	fewStrings [2 * 24]string
}

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

// ParseRequest parses the head of a request at the start of b, and returns it with
// its size n in octets; what follows it in b is the caller's, early frames most
// likely. As with [bufio.SplitFunc], n == 0 and a nil error ask for a longer b. b
// is not retained. r is valid until the next call of a method of p, its strings
// for ever; r.Header is a [*Fields].
//
// A request-target in absolute-form is accepted if its authority is that of Host,
// and r.Target is its path and query. r.Host is empty if there is no single Host.
// Nothing else is checked: see [Request.Validate].
//
// The error is of class [ErrHeader], [ErrTarget], [ErrProto], [ErrHost] or
// [ErrTooLarge], or, for the method CONNECT, whose target has a form of its own,
// [ErrMethod].
func (p *Parser) ParseRequest(b []byte) (r *Request, n int, err error) {
	if p.response {
		p.reset()
	}
	if n, err = p.scan(b); n == 0 || err != nil {
		return nil, 0, err
	}
	head := string(b[:n])
	p.setFields(head)
	p.req = Request{
		Method: head[:p.marks[0]],
		Target: head[p.marks[0]+1 : p.marks[1]],
		Proto:  head[p.marks[1]+1:][:len("HTTP/1.1")],
		Header: &p.fields,
	}
	p.reset()
	if host := p.fields.Values(fieldHost); len(host) == 1 {
		p.req.Host = host[0]
	}
	if p.req.Target[0] != '/' {
		if err := p.req.setOriginForm(); err != nil {
			return nil, 0, err
		}
	}
	if !validTarget(p.req.Target) {
		return nil, 0, ErrTarget
	}
	return &p.req, n, nil
}

// ParseResponse parses the head of a response at the start of b, as
// [Parser.ParseRequest] parses requests. Nothing but the grammar is checked: see
// [Response.Validate].
//
// The error is of class [ErrHeader], [ErrProto] or [ErrTooLarge].
func (p *Parser) ParseResponse(b []byte) (r *Response, n int, err error) {
	if !p.response {
		p.reset()
		p.response = true
	}
	if n, err = p.scan(b); n == 0 || err != nil {
		return nil, 0, responseError(err)
	}
	head := string(b[:n])
	p.setFields(head)
	status := head[p.marks[0]+1:]
	p.resp = Response{
		Proto:  head[:p.marks[0]],
		Status: int(status[0]-'0')*100 + int(status[1]-'0')*10 + int(status[2]-'0'),
		Reason: head[p.marks[0]+len(" 101 ") : p.marks[1]],
		Header: &p.fields,
	}
	p.reset()
	return &p.resp, n, nil
}

// responseError returns what a client says in place of err: there is no status.
func responseError(err error) error {
	switch e, _ := err.(*Error); {
	case e == nil:
		return nil
	case e.Unwrap() == ErrHeader:
		return errResponseHeader
	case e == ErrProto:
		return errResponseProto
	}
	return errResponseTooLarge
}

// setOriginForm replaces a target in absolute-form by its origin-form (RFC 9112,
// Section 3.2.2).
func (r *Request) setOriginForm() error {
	scheme, rest, _ := strings.Cut(r.Target, "://")
	scheme = strings.ToLower(scheme)
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	host, port, ok := splitAuthority(rest[:end])
	if !ok || defaultPort(scheme) == "" {
		return ErrTarget
	}
	wantHost, wantPort, ok := r.host()
	if !ok || !equalFold(host, wantHost) || effectivePort(scheme, port) != effectivePort(scheme, wantPort) {
		return ErrHost
	}
	if r.Target = rest[end:]; r.Target == "" || r.Target[0] == '?' {
		r.Target = "/" + r.Target
	}
	return nil
}

// reset prepares p for another head. The result of the last one stays.
func (p *Parser) reset() {
	p.response, p.state, p.pos, p.line = false, inStart, 0, 0
	p.spans = p.spans[:0]
}

// setFields makes p.fields of the lines that were found in head.
func (p *Parser) setFields(head string) {
	n := len(p.spans)
	s := p.fewStrings[:]
	if len(s) < 2*n {
		s = make([]string, 2*n)
	}
	p.fields = Fields{names: s[:n:n], values: s[n : 2*n : 2*n]}
	for i, at := range p.spans {
		p.fields.names[i] = head[at.line:at.colon]
		p.fields.values[i] = trimSpace(head[at.colon+1 : at.end])
	}
}

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
