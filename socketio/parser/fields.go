package parser

import (
	"cmp"
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"
)

var (
	marshaler       = reflect.TypeFor[json.Marshaler]()
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	unmarshaler     = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// encodesItself reports whether values of type t say themselves what their JSON
// is, and have no attachments.
func encodesItself(t reflect.Type) bool {
	if t.Kind() == reflect.Interface || t == valueType || t == reflect.PointerTo(valueType) {
		return false
	}
	return t.Implements(marshaler) || t.Implements(textMarshaler)
}

// decodesItself is encodesItself for decoding: the method has a pointer as its
// receiver.
func decodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(unmarshaler) || p.Implements(textUnmarshaler)
}

// isBlob reports whether values of type t are attachments.
func isBlob(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 &&
		!encodesItself(t) && !encodesItself(reflect.PointerTo(t.Elem()))
}

// plain caches whether no value of a type has an attachment in it: then the JSON
// package encodes it all.
var plain sync.Map // reflect.Type to bool

func isPlain(t reflect.Type) bool {
	if v, ok := plain.Load(t); ok {
		return v.(bool)
	}
	p := !mayHoldBlob(t, map[reflect.Type]bool{})
	plain.Store(t, p)
	return p
}

// mayHoldBlob walks a type. The types in seen are being looked at already.
func mayHoldBlob(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	if encodesItself(t) {
		return false
	}
	if t == valueType {
		return true
	}
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Slice:
		return isBlob(t) || mayHoldBlob(t.Elem(), seen)
	case reflect.Pointer, reflect.Array, reflect.Map:
		return mayHoldBlob(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if mayHoldBlob(t.Field(i).Type, seen) {
				return true
			}
		}
	}
	return false
}

// A field is a member of the object that a struct is in JSON.
type field struct {
	name      string
	index     []int
	typ       reflect.Type
	tagged    bool
	omitEmpty bool
	omitZero  bool
	quoted    bool
}

// structs caches the fields of types.
var structs sync.Map // reflect.Type to []field

// fieldsOf returns the fields of a struct in their order, by the rules of
// encoding/json: of fields of one name that with the shortest way to it counts,
// and of those the one with a tag.
func fieldsOf(t reflect.Type) []field {
	if f, ok := structs.Load(t); ok {
		return f.([]field)
	}
	all := collect(t, nil, map[reflect.Type]bool{})
	var fields []field
	for i, f := range all {
		dominant := true
		for j, g := range all {
			if i != j && f.name == g.name && !f.before(&g) {
				dominant = false
			}
		}
		if dominant {
			fields = append(fields, f)
		}
	}
	slices.SortFunc(fields, func(a, b field) int { return slices.Compare(a.index, b.index) })
	structs.Store(t, fields)
	return fields
}

// before reports whether f counts, and not g, which has the same name.
func (f *field) before(g *field) bool {
	if c := cmp.Compare(len(f.index), len(g.index)); c != 0 {
		return c < 0
	}
	return f.tagged && !g.tagged
}

// collect returns the fields of t and of the structs embedded in it. The types in
// seen embed it.
func collect(t reflect.Type, index []int, seen map[reflect.Type]bool) []field {
	if seen[t] {
		return nil
	}
	seen[t] = true
	defer delete(seen, t)
	var fields []field
	for i := range t.NumField() {
		sf := t.Field(i)
		inner := sf.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		embedded := sf.Anonymous && inner.Kind() == reflect.Struct
		if !sf.IsExported() && (!embedded || sf.Type.Kind() == reflect.Pointer) {
			continue // what a pointer leads to could not be set
		}
		tag := sf.Tag.Get("json")
		if tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		at := append(slices.Clone(index), i)
		if embedded && name == "" {
			fields = append(fields, collect(inner, at, seen)...)
			continue
		}
		if !sf.IsExported() {
			continue
		}
		f := field{name: cmp.Or(name, sf.Name), index: at, typ: sf.Type, tagged: name != ""}
		for option := range strings.SplitSeq(options, ",") {
			switch option {
			case "omitempty":
				f.omitEmpty = true
			case "omitzero":
				f.omitZero = true
			case "string":
				f.quoted = isScalar(inner.Kind())
			}
		}
		fields = append(fields, f)
	}
	return fields
}

func isScalar(k reflect.Kind) bool {
	return reflect.Bool <= k && k <= reflect.Float64 || k == reflect.String
}

// isEmpty reports whether v is left out by omitempty.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	}
	return v.Kind() != reflect.Struct && v.IsZero()
}

// isZero reports whether v is left out by omitzero.
func isZero(v reflect.Value) bool {
	if z, ok := v.Interface().(interface{ IsZero() bool }); ok {
		return v.Kind() == reflect.Pointer && v.IsNil() || z.IsZero()
	}
	return v.IsZero()
}
