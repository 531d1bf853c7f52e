package handshake

import (
	"iter"
	"maps"
	"slices"
)

// Fields is the [Header] that a [Parser] yields: the fields of a head in the order
// and spelling of the wire. Nil and the zero value have none.
type Fields struct {
	head   string
	spans  []span   // where the lines are in head
	values []string // theirs; as many

	// Which lines the package will ask for, by 1 more than their index: 0 if there
	// is none, several if there are more or the index is high.
	at [numKnown]uint8
}

const several = 255

// set makes f the fields that are at spans in head, with values for its values.
func (f *Fields) set(head string, spans []span, values []string) {
	f.head, f.spans, f.values = head, spans, values // one by one, which is faster than all of them
	clear(f.at[:])
	for i, s := range spans {
		value := head[s.colon+1 : s.end]
		if len(value) > 1 && value[0] == ' ' && !isSpace(value[1]) && !isSpace(value[len(value)-1]) {
			value = value[1:] // as nearly everybody writes it
		} else {
			value = trimSpace(value)
		}
		values[i] = value
		if k := knownField(head[s.line:s.colon]); k < numKnown {
			if f.at[k] != 0 || i >= several-1 {
				i = several - 1
			}
			f.at[k] = uint8(i + 1)
		}
	}
}

// name returns the name of line i.
func (f *Fields) name(i int) string { return f.head[f.spans[i].line:f.spans[i].colon] }

// Len returns the number of field lines.
func (f *Fields) Len() int {
	if f == nil {
		return 0
	}
	return len(f.values)
}

// Values returns the values of the lines called name, in order; names are compared
// without case. It allocates only if other lines stand between them. The result
// must not be modified, and is valid as long as f is.
func (f *Fields) Values(name string) []string {
	i, j := 0, 0 // the lines i to j-1 are called name, and none of those before
	for k := range f.Len() {
		switch {
		case !equalFold(f.name(k), name):
		case j == 0:
			i, j = k, k+1
		case j == k:
			j++
		default:
			return f.scattered(name)
		}
	}
	if j == 0 {
		return nil
	}
	return f.values[i:j:j]
}

// scattered is Values for lines that are not adjacent.
func (f *Fields) scattered(name string) (list []string) {
	for i, value := range f.values {
		if equalFold(f.name(i), name) {
			list = append(list, value)
		}
	}
	return list
}

// All yields the name and value of every line, in order.
func (f *Fields) All() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for i := range f.Len() {
			if !yield(f.name(i), f.values[i]) {
				return
			}
		}
	}
}

// Lines yields the names and values of h, which may be an http.Header of net/http,
// as this package takes extra fields. Names come in alphabetical order.
func Lines(h map[string][]string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for _, name := range slices.Sorted(maps.Keys(h)) {
			for _, value := range h[name] {
				if !yield(name, value) {
					return
				}
			}
		}
	}
}

// AppendFields appends the lines of fields, which may be nil, for a request other
// than an opening handshake, such as the CONNECT to a proxy. The result is appended
// to dst; dst may be nil.
//
// The error is [ErrField] for a field that [AppendRequest] does not take as an extra
// one; it names the field. dst is then returned as it was.
func AppendFields(dst []byte, fields iter.Seq2[string, string]) ([]byte, error) {
	b, err := appendFields(dst, fields, reserved)
	if err != nil {
		return dst, err
	}
	return b, nil
}

// appendFields appends a line for every pair of extra, which may be nil, and
// returns [ErrField] for the first that is reserved or would not survive.
func appendFields(b []byte, extra iter.Seq2[string, string], reserved func(name string) bool) ([]byte, error) {
	if extra == nil {
		return b, nil
	}
	return appendPairs(b, extra, reserved)
}

// appendPairs is apart from [appendFields] because what the body of its loop
// captures is moved to the heap.
func appendPairs(b []byte, extra iter.Seq2[string, string], reserved func(name string) bool) ([]byte, error) {
	for name, value := range extra {
		switch {
		case !isToken(name):
			return nil, fieldError(name, "name not a token")
		case reserved(name):
			return nil, fieldError(name, "field belongs to the handshake")
		case value != "" && !all(value, valueChar):
			return nil, fieldError(name, "control octet in the value")
		}
		b = append(append(append(append(b, name...), ": "...), value...), "\r\n"...)
	}
	return b, nil
}
