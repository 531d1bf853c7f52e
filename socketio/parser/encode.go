package parser

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// SetArgs sets the payload to a list of arguments; that of an Event begins with
// its name, a string. They are encoded as [json.Marshal] does, but for two
// things: a []byte becomes an attachment, wherever it is in the argument, and
// the characters <, > and & are written as they are.
//
// A nil []byte is null. What implements json.Marshaler or
// encoding.TextMarshaler is encoded by it, octets inside included. The
// attachments are in the order in which the arguments are written: fields in
// that of the struct, maps in that of their keys.
//
// The packet refers to each []byte, which must not be modified while the packet
// is in use; it does not retain anything else. The error is [ErrArgument],
// [ErrEventName], [ErrReservedEvent] or, for a JSON text among the arguments
// that has a placeholder of its own beside attachments, [ErrPlaceholder]. How
// much a packet may hold is the peer's business: there are no limits here, but
// that nothing may be nested in itself ([ErrDepth]).
func (p *Packet) SetArgs(args ...any) error {
	size := len("[]")
	for _, a := range args {
		switch a := a.(type) {
		case string:
			size += len(a) + len(`"",`)
		case Value:
			size += len(a.raw) + len(`,`)
		default:
			size += 64 // about as much
		}
	}
	e := encoder{dst: make([]byte, 0, size)}
	if err := e.list(p.Type, args); err != nil {
		return err
	}
	p.data, p.attachments = e.dst, e.attachments
	return nil
}

// AppendArgs is SetArgs and [Packet.AppendText] in one, for a packet that is sent once:
// it appends the text message that the packet would have with these arguments to dst,
// which may be nil, and returns what would be its attachments. The packet stays as it
// is. The error is that of either; then dst is returned as it was.
func (p *Packet) AppendArgs(dst []byte, args ...any) (text []byte, attachments [][]byte, err error) {
	q := Packet{Type: p.Type, HasID: p.HasID, ID: p.ID, Namespace: p.Namespace}
	if err := q.checkHead(); err != nil {
		return dst, nil, err
	}
	e := encoder{dst: q.appendHead(dst)}
	if err := e.list(p.Type, args); err != nil {
		return dst, nil, err
	}
	if e.attachments == nil {
		return e.dst, nil, nil
	}
	q.data, q.attachments = slices.Clone(e.dst[e.start:]), e.attachments
	return append(q.appendHead(dst), q.data...), e.attachments, nil
}

// list appends the arguments of a packet of type t.
func (e *encoder) list(t Type, args []any) error {
	e.start = len(e.dst)
	e.dst = append(e.dst, '[')
	for i, a := range args {
		if i > 0 {
			e.dst = append(e.dst, ',')
		}
		if err := e.value(a); err != nil {
			return failArgument(err)
		}
	}
	e.dst = append(e.dst, ']')
	data := e.dst[e.start:]
	if r, offset := checkKind(t, data, math.MaxInt); r != 0 {
		return fail(r, offset)
	}
	if e.attachments != nil {
		if t != Event && t != Ack {
			return fail(ErrPayload, 0)
		}
		// A JSON text of the application's may have placeholders that it was
		// sent, and that now would stand for one of these attachments.
		if r, offset := scan(data, len(e.attachments), unlimited); r != 0 {
			return fail(r, offset)
		}
	}
	return nil
}

// SetPayload sets the payload of a Connect or a ConnectError to one value, as
// [json.Marshal] encodes it. The error is [ErrArgument], or [ErrPayload] if Type
// does not have such a payload.
func (p *Packet) SetPayload(v any) error {
	data, err := appendJSON(nil, v)
	if err != nil {
		return failArgument(err)
	}
	if r, offset := checkKind(p.Type, data, math.MaxInt); r != 0 {
		return fail(r, offset)
	}
	p.data, p.attachments = data, nil
	return nil
}

// maxNesting is how deeply values may be nested: what is nested in itself has no
// end.
const maxNesting = 1000

// unlimited has the limits of what this side made itself.
var unlimited = &Limits{MaxDepth: 10 * maxNesting, MaxElements: math.MaxInt}

// An encoder writes values as JSON and takes the attachments out of them.
type encoder struct {
	dst         []byte
	attachments [][]byte
	depth       int
	start       int // where in dst the payload begins
}

// value appends an argument. The first cases are those of most arguments; they
// need no reflection.
func (e *encoder) value(a any) error {
	switch a := a.(type) {
	case nil:
		e.dst = append(e.dst, "null"...)
	case string:
		e.dst = AppendString(e.dst, a)
	case bool:
		e.dst = strconv.AppendBool(e.dst, a)
	case int:
		e.dst = strconv.AppendInt(e.dst, int64(a), 10)
	case int64:
		e.dst = strconv.AppendInt(e.dst, a, 10)
	case []byte:
		e.blob(a)
	case json.RawMessage:
		if a == nil {
			e.dst = append(e.dst, "null"...)
			return nil
		}
		if r, offset := scan(a, 0, unlimited); r != 0 {
			return fail(r, offset)
		}
		e.dst = append(e.dst, trim(a)...)
	case Value:
		e.raw(a)
	default:
		return e.reflect(reflect.ValueOf(a))
	}
	return nil
}

// blob appends the placeholder of an attachment.
func (e *encoder) blob(b []byte) {
	if b == nil {
		e.dst = append(e.dst, "null"...)
		return
	}
	e.dst = append(e.dst, `{"_placeholder":true,"num":`...)
	e.dst = strconv.AppendInt(e.dst, int64(len(e.attachments)), 10)
	e.dst = append(e.dst, '}')
	e.attachments = append(e.attachments, b)
}

// raw appends a value that came in another packet, with its attachments.
func (e *encoder) raw(v Value) {
	if v.raw == nil {
		e.dst = append(e.dst, "null"...)
		return
	}
	e.dst = v.replace(e.dst, func(dst, attachment []byte) []byte {
		e.dst = dst
		e.blob(attachment)
		return e.dst
	})
}

// appendJSON appends what the JSON package makes of v.
func appendJSON(dst []byte, v any) ([]byte, error) {
	b := bytes.NewBuffer(dst)
	j := json.NewEncoder(b)
	j.SetEscapeHTML(false)
	if err := j.Encode(v); err != nil {
		return dst, err
	}
	return b.Bytes()[:b.Len()-1], nil // without the new line
}

// reflect appends any other value.
func (e *encoder) reflect(v reflect.Value) error {
	t := v.Type()
	if isPlain(t) {
		return e.json(v)
	}
	if t == valueType {
		e.raw(v.Interface().(Value))
		return nil
	}
	if v.CanAddr() && encodesItself(reflect.PointerTo(t)) {
		return e.json(v.Addr())
	}
	if e.depth++; e.depth > maxNesting {
		return fail(ErrDepth, len(e.dst)-e.start)
	}
	defer func() { e.depth-- }()
	switch t.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return e.value(nil)
		}
		return e.reflect(v.Elem())
	case reflect.Slice:
		if isBlob(t) {
			e.blob(v.Bytes())
			return nil
		}
		if v.IsNil() {
			return e.value(nil)
		}
		return e.array(v)
	case reflect.Array:
		return e.array(v)
	case reflect.Map:
		if v.IsNil() {
			return e.value(nil)
		}
		return e.object(v)
	}
	return e.structure(v) // nothing else can hold an attachment
}

func (e *encoder) json(v reflect.Value) error {
	var err error
	e.dst, err = appendJSON(e.dst, v.Interface())
	return err
}

func (e *encoder) array(v reflect.Value) error {
	e.dst = append(e.dst, '[')
	for i := range v.Len() {
		if i > 0 {
			e.dst = append(e.dst, ',')
		}
		if err := e.reflect(v.Index(i)); err != nil {
			return err
		}
	}
	e.dst = append(e.dst, ']')
	return nil
}

// object appends a map, sorted by its keys.
func (e *encoder) object(v reflect.Value) error {
	type entry struct {
		key   string
		value reflect.Value
	}
	entries := make([]entry, 0, v.Len())
	for k, value := range v.Seq2() {
		key, err := keyText(k)
		if err != nil {
			return err
		}
		entries = append(entries, entry{key, value})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	e.dst = append(e.dst, '{')
	for i, entry := range entries {
		if i > 0 {
			e.dst = append(e.dst, ',')
		}
		e.dst = append(AppendString(e.dst, entry.key), ':')
		if err := e.reflect(entry.value); err != nil {
			return err
		}
	}
	e.dst = append(e.dst, '}')
	return nil
}

// keyText returns the name that the key of a map becomes.
func keyText(k reflect.Value) (string, error) {
	if k.Kind() == reflect.String {
		return k.String(), nil
	}
	if m, ok := k.Interface().(interface{ MarshalText() ([]byte, error) }); ok {
		text, err := m.MarshalText()
		return string(text), err
	}
	if k.CanInt() || k.CanUint() {
		return fmt.Sprint(k), nil
	}
	return "", &json.UnsupportedTypeError{Type: k.Type()}
}

// structure appends a struct as an object of its fields.
func (e *encoder) structure(v reflect.Value) error {
	e.dst = append(e.dst, '{')
	first := true
	for _, f := range fieldsOf(v.Type()) {
		fv, err := v.FieldByIndexErr(f.index)
		if err != nil || f.omitEmpty && isEmpty(fv) || f.omitZero && isZero(fv) {
			continue // the error is a nil pointer to an embedded struct
		}
		if !first {
			e.dst = append(e.dst, ',')
		}
		first = false
		e.dst = append(AppendString(e.dst, f.name), ':')
		if f.quoted {
			err = e.quoted(fv)
		} else {
			err = e.reflect(fv)
		}
		if err != nil {
			return err
		}
	}
	e.dst = append(e.dst, '}')
	return nil
}

// quoted appends a scalar as a string of its JSON.
func (e *encoder) quoted(v reflect.Value) error {
	b, err := appendJSON(nil, v.Interface())
	switch {
	case err != nil:
		return err
	case string(b) == "null":
		e.dst = append(e.dst, b...)
	default:
		e.dst = AppendString(e.dst, string(b))
	}
	return nil
}

// AppendString appends s to dst as a string of JSON, with its quotes; dst may be
// nil. What is not UTF-8 becomes U+FFFD.
func AppendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0 // of what has not been appended yet
	for i := 0; ; {
		if i = skipPlain(s, i); i == len(s) {
			break
		}
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(append(dst, s[start:i]...), "\ufffd"...)
				start = i + 1
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}
