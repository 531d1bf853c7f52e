package handshake

import "math"

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
	if l == (Limits{}) {
		return Limits{DefaultMaxSize, DefaultMaxLine, DefaultMaxFields}
	}
	fill := func(limit, byDefault int) int {
		switch {
		case limit < 0:
			return math.MaxInt
		case limit == 0:
			return byDefault
		}
		return limit
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
	req       Request
	resp      Response
	fields    Fields
	fewSpans  [24]span
	fewValues [24]string
}

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
	q := &p.req
	q.Method = head[:p.marks[0]]
	q.Target = head[p.marks[0]+1 : p.marks[1]]
	q.Proto = head[p.marks[1]+1:][:len("HTTP/1.1")]
	q.Host, q.Header, q.HasBody, q.Protocol = "", &p.fields, false, ""
	p.reset()
	if host := values(&p.fields, knownHost); len(host) == 1 {
		p.req.Host = host[0]
	}
	if p.req.Target[0] != '/' {
		if err := p.req.setOriginForm(); err != nil {
			return nil, 0, err
		}
	}
	if !leadsToOne(p.req.Target) { // scan has looked at its octets
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

// reset prepares p for another head. The result of the last one stays.
func (p *Parser) reset() {
	p.response, p.state, p.pos, p.line = false, inStart, 0, 0
	p.spans = p.spans[:0]
}

// setFields makes p.fields of the lines that were found in head.
func (p *Parser) setFields(head string) {
	n := len(p.spans)
	values := p.fewValues[:]
	if len(values) < n {
		values = make([]string, n)
	}
	p.fields.set(head, p.spans[:n:n], values[:n:n])
}
