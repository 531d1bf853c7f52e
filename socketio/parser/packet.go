package parser

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf8"
)

// A Type says what a packet is for. The packets that the protocol calls
// BINARY_EVENT and BINARY_ACK are an [Event] and an [Ack] with attachments.
type Type uint8

const (
	// Connect asks to join a namespace or confirms it. Its payload is an object
	// or missing.
	Connect Type = iota
	// Disconnect leaves a namespace. It has no payload.
	Disconnect
	// Event is an event: its payload is an array of the name and the arguments.
	Event
	// Ack answers an event: its payload is an array of arguments.
	Ack
	// ConnectError refuses a Connect. Its payload is an object with a message,
	// in revision 4 of the protocol any value.
	ConnectError
)

// attached is by how much the digit of an Event or an Ack with attachments is
// greater.
const attached = 3

func (t Type) String() string {
	switch t {
	case Connect:
		return "CONNECT"
	case Disconnect:
		return "DISCONNECT"
	case Event:
		return "EVENT"
	case Ack:
		return "ACK"
	case ConnectError:
		return "CONNECT_ERROR"
	}
	return "Type(" + strconv.Itoa(int(t)) + ")"
}

// MaxID is the largest id of an acknowledgement: beyond it, the numbers of
// JavaScript are no longer exact.
const MaxID = 1<<53 - 1

// A Packet is a packet of Socket.IO. The zero value is a Connect to the main
// namespace.
//
// The payload is set with [Packet.SetArgs], [Packet.SetPayload] and
// [Packet.SetData], which check it: what a packet holds is always valid. It is
// read with [Packet.Values]. A packet may be read concurrently.
type Packet struct {
	// Type says what the packet is for.
	Type Type
	// HasID says whether ID matters: in an Event, that an acknowledgement is
	// asked for.
	HasID bool
	// ID joins an Event and its Ack. At most [MaxID].
	ID uint64
	// Namespace is what the packet is about. Empty means "/", the main one.
	Namespace string

	data        []byte // JSON, or empty
	attachments [][]byte
}

// Data returns the payload as JSON, with placeholders for the attachments, or
// nil if there is none. The caller must not modify it. It is valid as long as
// the packet: see [Decoder].
func (p *Packet) Data() []byte { return p.data }

// Attachments returns the binary parts of the payload. The caller must not
// modify them.
func (p *Packet) Attachments() [][]byte { return p.attachments }

// SetData sets the payload to JSON whose placeholders stand for the attachments,
// after checking that Type may have it: see [Reason] for what is checked, and
// [Limits]. An empty data means none. A nil l means the default limits.
//
// The packet refers to data and attachments, which must not be modified while it
// is in use.
func (p *Packet) SetData(data []byte, attachments [][]byte, l *Limits) error {
	limits := l.WithDefaults()
	if len(attachments) > 0 {
		switch {
		case p.Type != Event && p.Type != Ack:
			return fail(ErrPayload, 0)
		case len(attachments) > limits.MaxAttachments:
			return fail(ErrTooManyAttachments, 0)
		}
	}
	size := len(data)
	for _, a := range attachments {
		size += len(a)
	}
	if size > limits.MaxSize {
		return fail(ErrTooBig, 0)
	}
	if r, offset := checkData(p.Type, data, len(attachments), &limits); r != 0 {
		return fail(r, offset)
	}
	p.data, p.attachments = data, attachments
	return nil
}

// checkData checks the payload of a packet.
func checkData(t Type, data []byte, attachments int, l *Limits) (Reason, int) {
	switch {
	case len(data) == 0 && attachments > 0:
		return ErrPlaceholder, 0 // nowhere for them
	case len(data) > 0:
		if r, offset := scan(data, attachments, l); r != 0 {
			return r, offset
		}
	}
	return checkKind(t, data, l.MaxEventName)
}

// checkKind checks that data, which is valid, is what the type wants.
func checkKind(t Type, data []byte, maxName int) (Reason, int) {
	if len(data) == 0 {
		if t == Event || t == ConnectError {
			return ErrPayload, 0
		}
		return 0, 0
	}
	i := skipSpace(data, 0)
	switch {
	case t == Disconnect,
		t == Connect && data[i] != '{',
		// A number would be taken for an ack id, null for nothing.
		t == ConnectError && (isDigit(data[i]) || data[i] == '-' || data[i] == 'n'),
		(t == Event || t == Ack) && data[i] != '[':
		return ErrPayload, i
	case t == Event:
		i = skipSpace(data, i+1)
		return checkName(data[i:], maxName), i
	}
	return 0, 0
}

// checkName checks the name of an event, which is the value at the start of b or,
// in an empty array, the bracket that closes it.
func checkName(b []byte, limit int) Reason {
	if b[0] != '"' {
		if b[0] == '-' || isDigit(b[0]) {
			if skip(b, 0) > limit {
				return ErrEventName
			}
			return 0
		}
		return ErrEventName
	}
	q := b[:skip(b, 0)]
	if len(q) == 2 || len(q)-2 > limit {
		return ErrEventName
	}
	name := q[1 : len(q)-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		name = []byte(unquote(q))
	}
	// A switch on the converted slice does not allocate.
	if Reserved(string(name)) {
		return ErrReservedEvent
	}
	return 0
}

// Reserved reports whether an event of that name would be taken for one of the
// library itself. Such a packet is neither sent nor accepted.
func Reserved(name string) bool {
	switch name {
	case "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener":
		return true
	}
	return false
}

// unquote returns the text of a JSON string that has passed the scanner.
func unquote(q []byte) string {
	if s := q[1 : len(q)-1]; bytes.IndexByte(s, '\\') < 0 {
		return string(s)
	}
	var s string
	json.Unmarshal(q, &s) // cannot fail
	return s
}

// EventName returns the name of an event, for a number its digits, and "" for any
// other packet.
func (p *Packet) EventName() string { return string(p.AppendEventName(nil)) }

// AppendEventName appends what EventName returns to dst, which may be nil.
func (p *Packet) AppendEventName(dst []byte) []byte {
	if p.Type != Event || len(p.data) == 0 {
		return dst
	}
	i := skipSpace(p.data, skipSpace(p.data, 0)+1)
	name := p.data[i:skip(p.data, i)]
	switch {
	case name[0] != '"':
		return append(dst, name...)
	case bytes.IndexByte(name, '\\') >= 0:
		return append(dst, unquote(name)...)
	}
	return append(dst, name[1:len(name)-1]...)
}

// Values appends the values of the payload to dst, which may be nil: the
// arguments of an Event, without its name, and of an Ack, and the one value of
// any other packet. They are valid as long as the packet.
func (p *Packet) Values(dst []Value) []Value {
	if len(p.data) == 0 {
		return dst
	}
	if p.Type != Event && p.Type != Ack {
		return append(dst, Value{trim(p.data), nil})
	}
	name := p.Type == Event
	for e := range elements(p.data) {
		if !name {
			dst = append(dst, Value{e, p.attachments})
		}
		name = false
	}
	return dst
}

// AppendArg adds a string to the arguments of an Event or an Ack; to any other
// packet it adds nothing. What the payload was before is left as it is.
func (p *Packet) AppendArg(s string) {
	if len(p.data) == 0 || p.Type != Event && p.Type != Ack {
		return
	}
	end := bytes.LastIndexByte(p.data, ']')
	list := trim(p.data[:end])
	data := append(make([]byte, 0, len(list)+len(s)+4), list...)
	if len(list) > 1 {
		data = append(data, ',')
	}
	p.data = append(AppendString(data, s), ']')
}

// Clone returns a copy of a packet that shares nothing with it, to be kept.
func (p *Packet) Clone() Packet {
	c := *p
	c.data = slices.Clone(p.data)
	c.attachments = slices.Clone(p.attachments)
	for i, a := range c.attachments {
		c.attachments[i] = slices.Clone(a)
	}
	return c
}

// AppendText appends the text message of the packet to dst; dst may be nil. The
// attachments follow it as binary messages. The error is [ErrPacketType],
// [ErrNamespace], [ErrAckID] or, for a payload that Type does not have,
// [ErrPayload] or another one about the payload; then dst is returned as it was.
func (p *Packet) AppendText(dst []byte) ([]byte, error) {
	if err := p.Check(); err != nil {
		return dst, err
	}
	return append(p.appendHead(dst), p.data...), nil
}

// appendHead appends what comes before the payload.
func (p *Packet) appendHead(dst []byte) []byte {
	t := '0' + byte(p.Type)
	if n := len(p.attachments); n == 0 {
		dst = append(dst, t)
	} else {
		dst = strconv.AppendInt(append(dst, t+attached), int64(n), 10)
		dst = append(dst, '-')
	}
	if p.Namespace != "" && p.Namespace != "/" {
		dst = append(append(dst, p.Namespace...), ',')
	}
	if p.HasID {
		dst = strconv.AppendUint(dst, p.ID, 10)
	}
	return dst
}

// Check reports whether the packet can be encoded. The error is that of
// [Packet.AppendText].
func (p *Packet) Check() error {
	if err := p.checkHead(); err != nil {
		return err
	}
	if len(p.attachments) > 0 && p.Type != Event && p.Type != Ack {
		return fail(ErrPayload, 0)
	}
	// Type may have been changed after the payload was set.
	if r, _ := checkKind(p.Type, p.data, len(p.data)); r != 0 {
		return fail(r, 0)
	}
	return nil
}

// checkHead checks what comes before the payload.
func (p *Packet) checkHead() error {
	switch {
	case p.Type > ConnectError:
		return fail(ErrPacketType, 0)
	case p.Namespace != "" && p.Namespace[0] != '/', !isNamespace(p.Namespace):
		return fail(ErrNamespace, 0)
	case p.HasID && (p.ID > MaxID || p.Type != Event && p.Type != Ack):
		return fail(ErrAckID, 0)
	}
	return nil
}

// isNamespace reports whether s can be written: a comma would end it.
func isNamespace(s string) bool {
	for i := range len(s) {
		if s[i] == ',' || s[i] < ' ' {
			return false
		}
	}
	return utf8.ValidString(s)
}
