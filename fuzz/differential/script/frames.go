package script

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"

	"example.org/rfc6455/frame"
)

// Generate makes up a script. Two of three are a usual opening handshake and
// frames, of which most have one mistake; the others are an unusual opening
// handshake and one message.
func Generate(src Source) *Script {
	g := generator{Source: src}
	s := new(Script)
	if g.oneIn(2) {
		s.Role = frame.Client
	}
	g.role = s.Role
	if g.oneIn(3) {
		s.Head = g.head()
		g.data(true)
	} else {
		g.frames()
	}
	s.Stream = g.stream
	s.Sizes = g.sizes()
	if g.oneIn(6) {
		s.Early = g.IntN(min(len(s.Stream), 500) + 1)
	}
	return s
}

type generator struct {
	Source
	role   frame.Role // of the implementation
	stream []byte

	open bool // whether a message was begun and is still to end
	text bool // whether it is text
	part []byte
	size int // octets of it so far
}

// oneIn returns true once in n times; a source that has run out chooses false.
func (g *generator) oneIn(n int) bool { return g.IntN(n) == n-1 }

// one returns one of the values.
func one[T any](g *generator, values ...T) T { return values[g.IntN(len(values))] }

// sizes are the pieces in which everything is written.
func (g *generator) sizes() []int {
	switch g.IntN(4) {
	case 0:
		return nil
	case 1:
		// One octet at a time, unless that takes too long.
		return []int{max(1, len(g.stream)/1000)}
	}
	sizes := make([]int, 1+g.IntN(4))
	for i := range sizes {
		sizes[i] = max(1+g.IntN(1+g.IntN(20)), len(g.stream)/1000)
	}
	return sizes
}

// frames makes up a stream: legal frames, as a rule with one mistake among them.
func (g *generator) frames() {
	n := 1 + g.IntN(7)
	wrong := -1
	if !g.oneIn(4) {
		wrong = g.IntN(n)
	}
	for i := range n {
		if i == wrong {
			g.mistake()
		} else {
			g.legal()
		}
	}
	// Half of the streams end with a closing handshake, others in the middle of
	// anything.
	switch g.IntN(4) {
	case 0:
		g.stream = g.stream[:len(g.stream)-g.IntN(len(g.stream)+1)]
	case 1, 2:
		g.frame(Frame{FIN: true, Opcode: byte(frame.OpClose), Payload: g.closePayload()})
	}
}

// frame appends a frame; what its header tells of mask and length is filled in.
func (g *generator) frame(f Frame) {
	f.Masked = g.role == frame.Server
	f.Length = uint64(len(f.Payload))
	f.Size = minimalSize(f.Length)
	g.raw(f)
}

// raw appends a frame as it is, save for the key.
func (g *generator) raw(f Frame) {
	if f.Masked {
		binary.BigEndian.PutUint32(f.Key[:], one[uint32](g, 0x37fa213d, 0, 0xffffffff, 0x00000080, 0x80808080))
	}
	g.stream = f.Append(g.stream)
}

// legal appends a frame that is legal after those before it, and is no Close.
func (g *generator) legal() {
	switch g.IntN(6) {
	case 0:
		g.frame(Frame{FIN: true, Opcode: byte(frame.OpPing), Payload: g.control()})
	case 1:
		g.frame(Frame{FIN: true, Opcode: byte(frame.OpPong), Payload: g.control()})
	default:
		g.data(!g.oneIn(2))
	}
}

// data appends a data frame, the last one of its message if fin is true.
func (g *generator) data(fin bool) {
	f := Frame{FIN: fin, Opcode: byte(frame.OpContinuation)}
	if !g.open {
		g.text = !g.oneIn(2)
		g.part = nil
		g.size = 0
		f.Opcode = byte(frame.OpBinary)
		if g.text {
			f.Opcode = byte(frame.OpText)
		}
	}
	f.Payload = g.payload(fin)
	g.size += len(f.Payload)
	g.open = !fin
	g.frame(f)
}

// payload is that of a data frame. That of text may be cut anywhere: what is left
// is the start of the next one.
func (g *generator) payload(fin bool) []byte {
	n := g.length()
	if !g.text {
		p := make([]byte, n)
		fill := byte(g.IntN(256))
		for i := range p {
			p[i] = fill + byte(i)
		}
		return p
	}
	p := g.part
	for len(p) < n {
		p = append(p, one(g, "a", "\x00", "~", "é", "\u0080", "߿", "ࠀ", "€", "\ud7ff", "\ue000", "\uffff", "\U00010000", "😀", "\U0010ffff", "Hello ")...)
		if n > 256 {
			p = append(p, strings.Repeat("€uro ", n/7)...)
		}
	}
	g.part = nil
	if n > 256 {
		return trim(p[:n])
	}
	if fin {
		return p
	}
	cut := max(0, len(p)-g.IntN(4))
	g.part = slices.Clone(p[cut:])
	return p[:cut]
}

// trim cuts what is left of a character at the end.
func trim(p []byte) []byte {
	for i := len(p) - 1; i >= 0; i-- {
		if utf8.RuneStart(p[i]) {
			if !utf8.FullRune(p[i:]) {
				return p[:i]
			}
			break
		}
	}
	return p
}

// length is that of a data frame.
func (g *generator) length() int {
	switch {
	case !g.oneIn(8):
		return g.IntN(12)
	case !g.oneIn(12):
		return one(g, 125, 126, 127, 128, 1000)
	}
	return max(0, one(g, 1<<16-1, 1<<16, Limit-1, Limit)-g.size)
}

// control is the payload of a ping or a pong, which need not be UTF-8.
func (g *generator) control() []byte {
	p := make([]byte, one(g, 0, 1, 4, 13, 124, 125))
	for i := range p {
		p[i] = byte(g.IntN(256))
	}
	return p
}

// closePayload is that of a legal Close frame.
func (g *generator) closePayload() []byte {
	if g.oneIn(5) {
		return nil
	}
	p := binary.BigEndian.AppendUint16(nil, one[uint16](g,
		1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999))
	switch g.IntN(4) {
	case 0:
		p = append(p, "bye"...)
	case 1:
		p = append(p, "Größe €"...)
	case 2:
		for len(p) < frame.MaxControlPayload {
			p = append(p, 'x')
		}
	}
	return p
}
