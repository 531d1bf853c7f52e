// Package mutate makes inputs for fuzz targets out of others. It does not look at what
// an input reaches, which is what go test -fuzz is for; so it takes some hundred
// nanoseconds for one.
package mutate

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"reflect"
	"slices"
)

// A Mutator makes inputs. All follow from its seed and its corpus.
type Mutator struct {
	rand   *rand.Rand
	corpus []input         // the shortest first, at least one
	pieces [][]byte        // all octets and text of the corpus
	values []reflect.Value // of the input that Next returns
	left   int             // how many changes are left before another one is taken
	texts  [][]byte        // what the strings among them are made of
	spare  []byte          // room for what insert inserts
	any    []byte          // ... and for octets without a source
}

type input struct {
	values []any
	size   int
}

// New returns a Mutator that starts from the inputs of a corpus, all of the same types:
// those that [testing.F.Fuzz] takes, but for floating-point numbers. There is at least
// one input. New retains the values.
func New(seed uint64, corpus [][]any) *Mutator {
	m := &Mutator{rand: rand.New(rand.NewPCG(seed, 0))}
	for _, values := range corpus {
		in := input{values: values}
		for _, v := range values {
			p, _ := v.([]byte)
			if s, ok := v.(string); ok {
				p = []byte(s)
			}
			in.size += len(p)
			if len(p) > 0 {
				m.pieces = append(m.pieces, p)
			}
		}
		m.corpus = append(m.corpus, in)
	}
	slices.SortStableFunc(m.corpus, func(a, b input) int { return cmp.Compare(a.size, b.size) })
	for _, v := range corpus[0] {
		m.values = append(m.values, reflect.New(reflect.TypeOf(v)).Elem())
	}
	m.texts = make([][]byte, len(m.values))
	return m
}

// Next returns the next input: one of the corpus with a change, or the last one with one
// change more. Its values are valid until the next call.
func (m *Mutator) Next() []reflect.Value {
	if m.left == 0 {
		m.restart()
	}
	m.left--
	m.change(m.rand.IntN(len(m.values)))
	for i, v := range m.values {
		switch v.Kind() {
		case reflect.Slice:
			v.SetBytes(m.texts[i][:len(m.texts[i]):len(m.texts[i])])
		case reflect.String:
			v.SetString(string(m.texts[i]))
		}
	}
	return m.values
}

// restart takes an input of the corpus to be changed a few times.
func (m *Mutator) restart() {
	m.left = 1 + m.rand.IntN(8)
	n := len(m.corpus)
	i := min(m.rand.IntN(n), m.rand.IntN(n), m.rand.IntN(n)) // short ones are soon done
	for i, v := range m.corpus[i].values {
		switch v := v.(type) {
		case []byte:
			m.texts[i] = append(m.texts[i][:0], v...)
		case string:
			m.texts[i] = append(m.texts[i][:0], v...)
		default:
			m.values[i].Set(reflect.ValueOf(v))
		}
	}
}

// change changes the value i.
func (m *Mutator) change(i int) {
	switch v := m.values[i]; v.Kind() {
	case reflect.Slice, reflect.String:
		m.texts[i] = m.octets(m.texts[i])
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(m.number(v.Int()))
	default:
		v.SetUint(uint64(m.number(int64(v.Uint()))))
	}
}

// number returns a number that has to do with n, or is at an edge, or is any.
func (m *Mutator) number(n int64) int64 {
	switch m.rand.IntN(6) {
	case 0:
		return n + 1
	case 1:
		return n - 1
	case 2:
		return n ^ 1<<m.rand.IntN(64)
	case 3:
		return int64(m.rand.IntN(300))
	case 4:
		return 1<<m.rand.IntN(64) - int64(m.rand.IntN(3))
	}
	return int64(m.rand.Uint64())
}

// most is how long octets may become.
const most = 1 << 12

// octets changes p.
func (m *Mutator) octets(p []byte) []byte {
	if len(p) == 0 {
		return append(p, m.piece()...)
	}
	at := m.rand.IntN(len(p))
	switch m.rand.IntN(12) {
	case 0:
		p[at] = byte(m.rand.Uint32())
	case 1:
		p[at] ^= 1 << m.rand.IntN(8)
	case 2:
		p[at] += byte(1 - 2*m.rand.IntN(2))
	case 3:
		p[at] = p[m.rand.IntN(len(p))]
	case 4: // a number at an edge, with the most significant octet first
		n := m.number(int64(len(p)))
		for i := 1<<m.rand.IntN(4) - 1; i >= 0 && at < len(p); i-- {
			p[at] = byte(n >> (8 * i))
			at++
		}
	case 5:
		return slices.Delete(p, at, min(at+1+m.rand.IntN(4), len(p)))
	case 6:
		i, j := m.words(p)
		return slices.Delete(p, i, j)
	case 7:
		return p[:at]
	case 8: // a run of the same octet
		return m.insert(p, at, nil, 1+m.rand.IntN(1<<m.rand.IntN(9)))
	case 9: // what stands elsewhere, once more
		i, j := m.words(p)
		return m.insert(p, at, p[i:j], 0)
	case 10:
		i, _ := m.words(p)
		return m.insert(p, i, m.piece(), 0)
	default: // words of another input in place of some
		i, j := m.words(p)
		return m.insert(slices.Delete(p, i, j), i, m.piece(), 0)
	}
	return p
}

// insert puts q into p, and n octets as there are at that place.
func (m *Mutator) insert(p []byte, at int, q []byte, n int) []byte {
	if len(p)+len(q)+n > most {
		return p
	}
	m.spare = append(m.spare[:0], q...)
	for range n {
		m.spare = append(m.spare, p[at])
	}
	return slices.Insert(p, at, m.spare...)
}

// piece returns words of the corpus, or any octets.
func (m *Mutator) piece() []byte {
	if len(m.pieces) == 0 || m.rand.IntN(16) == 0 {
		m.any = binary.BigEndian.AppendUint64(m.any[:0], m.rand.Uint64())
		return m.any[:1+m.rand.IntN(8)]
	}
	p := m.pieces[m.rand.IntN(len(m.pieces))]
	i, j := m.words(p)
	return p[i:j]
}

// words returns where some words of p begin and end.
func (m *Mutator) words(p []byte) (i, j int) {
	i = m.rand.IntN(len(p))
	for i > 0 && kindOf(p[i-1]) == kindOf(p[i]) {
		i--
	}
	j = i
	for n := 1 + bits.TrailingZeros8(uint8(m.rand.Uint32())|1<<4); n > 0 && j < len(p); n-- {
		for k := kindOf(p[j]); j < len(p) && kindOf(p[j]) == k; j++ {
		}
	}
	return i, j
}

// kindOf tells apart what words are made of and what stands between them.
func kindOf(c byte) byte {
	switch {
	case '0' <= c && c <= '9', 'a' <= c|0x20 && c|0x20 <= 'z', c == '-', c == '.':
		return 'a'
	case c == ' ', c == '\t':
		return ' '
	case c == '\r', c == '\n':
		return '\n'
	case c >= 0x80:
		return 0x80
	}
	return c
}
