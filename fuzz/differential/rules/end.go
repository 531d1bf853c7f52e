package rules

import (
	"io"
	"slices"

	"example.org/rfc6455/fuzz/differential/script"
)

// end handles the end of the stream. b is what is left of it from the last header
// on.
func (r *reader) end(b []byte) {
	if r.has(PartDelivered) && r.endsBetweenReads(b) {
		r.deliver()
	}
	if h, ok := r.habit(EndOfStream); ok {
		r.Close = h.Code
	}
}

// endsBetweenReads reports whether a library that asks for the octets of a message
// bit by bit finds the end of the stream where it asks for the next, rather than
// with some of what it asked for.
func (r *reader) endsBetweenReads(b []byte) bool {
	f, n := script.ParseFrame(b)
	switch {
	case n == 0 && len(b) < 2:
		return r.open
	case n == 0: // It asks for the length by itself, and for the key.
		shape, _ := script.ParseFrame(append(b[:2:2], make([]byte, 12)...))
		return r.open && (len(b) == 2 || len(b) == 2+shape.Size)
	case r.control(&f):
		return r.open && len(f.Payload) == 0
	}
	rest := &fragments{append(slices.Clone(r.fragments), len(f.Payload)), f.Length - uint64(len(f.Payload))}
	_, err := io.ReadAll(rest)
	return err == nil
}

// fragments is an [io.Reader] that reads the payloads of frames one by one, of the
// last of which octets are missing.
type fragments struct {
	lengths []int // what is left of them
	missing uint64
}

func (f *fragments) Read(p []byte) (int, error) {
	for len(f.lengths) > 1 && f.lengths[0] == 0 {
		f.lengths = f.lengths[1:]
	}
	n := min(len(p), f.lengths[0])
	f.lengths[0] -= n
	switch {
	case len(f.lengths) > 1 || n == len(p):
		return n, nil
	case n == 0:
		return 0, io.EOF
	case f.missing > 0:
		return 0, io.ErrUnexpectedEOF
	}
	return n, nil
}
