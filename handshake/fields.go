package handshake

import (
	"iter"
	"maps"
	"slices"
)

// Fields is the [Header] that a [Parser] yields: the fields of a head in the order
// and spelling of the wire. Nil and the zero value have none.
type Fields struct {
	names, values []string // of equal length
}

// Len returns the number of field lines.
func (f *Fields) Len() int {
	if f == nil {
		return 0
	}
	return len(f.names)
}

// Values returns the values of the lines called name, in order; names are compared
// without case. It allocates only if other lines stand between them. The result
// must not be modified, and is valid as long as f is.
func (f *Fields) Values(name string) []string {
	n := f.Len()
	i := f.next(0, name)
	if i == n {
		return nil
	}
	j := i + 1
	for j < n && equalFold(f.names[j], name) {
		j++
	}
	list := f.values[i:j:j]
	for j = f.next(j, name); j < n; j = f.next(j+1, name) {
		list = append(list, f.values[j])
	}
	return list
}

// next returns the index of the first line called name from i on, or f.Len().
func (f *Fields) next(i int, name string) int {
	for n := f.Len(); i < n; i++ {
		if equalFold(f.names[i], name) {
			break
		}
	}
	return i
}

// All yields the name and value of every line, in order.
func (f *Fields) All() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for i := range f.Len() {
			if !yield(f.names[i], f.values[i]) {
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
