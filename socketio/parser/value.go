package parser

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A Value is a value of a payload, not yet decoded. The zero value is that of an
// argument that was not sent, and like null.
//
// It is valid as long as its packet; [Value.Clone] keeps it. It may be passed on
// as an argument of another packet, and is then written as it came.
type Value struct {
	raw         []byte // valid JSON, or nil
	attachments [][]byte
}

var valueType = reflect.TypeFor[Value]()

// MakeValue returns the value of a JSON text whose placeholders stand for the
// attachments. It refers to both. The error is that of [Packet.SetData]. A nil l
// means the default limits.
func MakeValue(data []byte, attachments [][]byte, l *Limits) (Value, error) {
	limits := l.WithDefaults()
	if r, offset := scan(data, len(attachments), &limits); r != 0 {
		return Value{}, fail(r, offset)
	}
	return Value{trim(data), attachments}, nil
}

// Clone returns a copy that shares nothing with v.
func (v Value) Clone() Value {
	v.raw = slices.Clone(v.raw)
	v.attachments = slices.Clone(v.attachments)
	for i, a := range v.attachments {
		v.attachments[i] = slices.Clone(a)
	}
	return v
}

// IsNull reports whether v is null or was not sent.
func (v Value) IsNull() bool { return len(v.raw) == 0 || string(v.raw) == "null" }

// String returns the JSON text of v, with placeholders, for logs.
func (v Value) String() string {
	if v.raw == nil {
		return "null"
	}
	return string(v.raw)
}

// Text returns the string that v is, and reports whether it is one.
func (v Value) Text() (s string, ok bool) {
	if len(v.raw) == 0 || v.raw[0] != '"' {
		return "", false
	}
	return unquote(v.raw), true
}

// MarshalJSON returns the JSON text of v with attachments as base64, as
// encoding/json writes a []byte.
func (v Value) MarshalJSON() ([]byte, error) {
	if v.raw == nil {
		return []byte("null"), nil
	}
	return v.replace(nil, func(dst, attachment []byte) []byte {
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), attachment), '"')
	}), nil
}

// UnmarshalJSON stores a copy of the JSON text b, so that a Value may be a field.
func (v *Value) UnmarshalJSON(b []byte) error {
	*v = Value{raw: slices.Clone(b)}
	return nil
}

// Decode stores v in what dst points to, as [json.Unmarshal] does, with two
// additions: an attachment is stored in a []byte or an any, wherever it is in the
// value, and a [*Value] takes anything.
//
// In a type that implements json.Unmarshaler, and in a string, an attachment is
// a string of base64. The octets of an attachment are not copied: all that
// decode the same value share them and must not modify them.
//
// The error is [ErrArgument]; what dst points to may have been modified.
func (v Value) Decode(dst any) error {
	if len(v.raw) == 0 {
		v.raw = []byte("null")
	}
	switch d := dst.(type) {
	case *string:
		if s, ok := v.Text(); ok {
			*d = s
			return nil
		}
	case *Value:
		*d = v
		return nil
	case *json.RawMessage:
		if len(v.attachments) == 0 {
			*d = append((*d)[:0], v.raw...)
			return nil
		}
	case *int:
		if n, err := strconv.Atoi(string(v.raw)); err == nil {
			*d = n
			return nil
		}
	}
	if len(v.attachments) == 0 {
		if err := json.Unmarshal(v.raw, dst); err != nil {
			return failArgument(err)
		}
		return nil
	}
	r := reflect.ValueOf(dst)
	if r.Kind() != reflect.Pointer || r.IsNil() {
		return failArgument(&json.InvalidUnmarshalError{Type: reflect.TypeOf(dst)})
	}
	if err := v.decode(r.Elem()); err != nil {
		return failArgument(err)
	}
	return nil
}

// part returns the value of which raw is the text and which is inside v.
func (v Value) part(raw []byte) Value { return Value{raw, v.attachments} }

// decode is Decode for a value with attachments.
func (v Value) decode(dst reflect.Value) error {
	t := dst.Type()
	num := placeholder(v.raw)
	switch {
	case t == valueType:
		dst.Set(reflect.ValueOf(v))
		return nil
	case num >= 0 && isBlob(t):
		dst.SetBytes(v.attachments[num])
		return nil
	case t.Kind() == reflect.Interface && t.NumMethod() == 0:
		a, err := v.any()
		if a == nil {
			dst.SetZero()
		} else {
			dst.Set(reflect.ValueOf(a))
		}
		return err
	case decodesItself(t) || num >= 0 && t.Kind() != reflect.Pointer:
		return v.unmarshal(dst)
	}
	switch kind := v.raw[0]; {
	case t.Kind() == reflect.Pointer && kind != 'n':
		if dst.IsNil() {
			dst.Set(reflect.New(t.Elem()))
		}
		return v.decode(dst.Elem())
	case t.Kind() == reflect.Struct && kind == '{':
		return v.structure(dst)
	case t.Kind() == reflect.Map && kind == '{':
		return v.object(dst)
	case t.Kind() == reflect.Slice && kind == '[':
		dst.SetLen(0)
		for e := range elements(v.raw) {
			dst.Grow(1)
			dst.SetLen(dst.Len() + 1)
			dst.Index(dst.Len() - 1).SetZero()
			if err := v.part(e).decode(dst.Index(dst.Len() - 1)); err != nil {
				return err
			}
		}
		if dst.IsNil() {
			dst.Set(reflect.MakeSlice(t, 0, 0))
		}
		return nil
	case t.Kind() == reflect.Array && kind == '[':
		dst.SetZero()
		i := 0
		for e := range elements(v.raw) {
			if i == dst.Len() {
				break
			}
			if err := v.part(e).decode(dst.Index(i)); err != nil {
				return err
			}
			i++
		}
		return nil
	}
	return v.unmarshal(dst)
}

// unmarshal leaves a value to the JSON package.
func (v Value) unmarshal(dst reflect.Value) error {
	b, _ := v.MarshalJSON()
	return json.Unmarshal(b, dst.Addr().Interface())
}

// any returns v as values of types that the JSON package chooses.
func (v Value) any() (any, error) {
	if num := placeholder(v.raw); num >= 0 {
		return v.attachments[num], nil
	}
	switch v.raw[0] {
	case '{':
		m := map[string]any{}
		for name, value := range members(v.raw) {
			e, err := v.part(value).any()
			if err != nil {
				return nil, err
			}
			m[unquote(name)] = e
		}
		return m, nil
	case '[':
		list := []any{}
		for raw := range elements(v.raw) {
			e, err := v.part(raw).any()
			if err != nil {
				return nil, err
			}
			list = append(list, e)
		}
		return list, nil
	}
	var a any
	err := json.Unmarshal(v.raw, &a)
	return a, err
}

// object decodes an object into a map.
func (v Value) object(dst reflect.Value) error {
	t := dst.Type()
	if dst.IsNil() {
		dst.Set(reflect.MakeMap(t))
	}
	// The JSON package knows what keys there may be.
	keys := reflect.New(reflect.MapOf(t.Key(), reflect.TypeFor[struct{}]()))
	for name, value := range members(v.raw) {
		keys.Elem().SetZero()
		if err := json.Unmarshal(slices.Concat([]byte("{"), name, []byte(":{}}")), keys.Interface()); err != nil {
			return err
		}
		e := reflect.New(t.Elem()).Elem()
		if err := v.part(value).decode(e); err != nil {
			return err
		}
		for k := range keys.Elem().Seq() {
			dst.SetMapIndex(k, e)
		}
	}
	return nil
}

// structure decodes an object into a struct. Members that it does not have are
// passed over.
func (v Value) structure(dst reflect.Value) error {
	fields := fieldsOf(dst.Type())
	for name, value := range members(v.raw) {
		f := find(fields, unquote(name))
		if f == nil {
			continue
		}
		fv := dst
		for _, i := range f.index {
			if fv.Kind() == reflect.Pointer {
				if fv.IsNil() {
					fv.Set(reflect.New(fv.Type().Elem()))
				}
				fv = fv.Elem()
			}
			fv = fv.Field(i)
		}
		if f.quoted && value[0] != 'n' {
			if value[0] != '"' {
				return errors.New("json: a field with the option string has a value that is none")
			}
			value = []byte(unquote(value))
			if err := json.Unmarshal(value, fv.Addr().Interface()); err != nil {
				return err
			}
			continue
		}
		if err := v.part(value).decode(fv); err != nil {
			return err
		}
	}
	return nil
}

// find returns the field of that name, or else one of which only the case of the
// letters differs.
func find(fields []field, name string) *field {
	for i := range fields {
		if fields[i].name == name {
			return &fields[i]
		}
	}
	for i := range fields {
		if strings.EqualFold(fields[i].name, name) {
			return &fields[i]
		}
	}
	return nil
}

// replace appends the text of v with what put appends for each attachment.
func (v Value) replace(dst []byte, put func(dst, attachment []byte) []byte) []byte {
	if len(v.attachments) == 0 {
		return append(dst, v.raw...)
	}
	start := 0 // of what has not been appended yet
	for i := 0; i < len(v.raw); {
		switch v.raw[i] {
		case '"':
			i = skipString(v.raw, i)
			continue
		case '{':
			if num := placeholder(v.raw[i:]); num >= 0 {
				dst = put(append(dst, v.raw[start:i]...), v.attachments[num])
				i = skip(v.raw, i)
				start = i
				continue
			}
		}
		i++
	}
	return append(dst, v.raw[start:]...)
}
