package deflate

// output is the caller's slice while a call of Append extends it.
type output struct {
	buf  []byte
	base int // where this call's octets start
	n    int // where they end, base <= n <= len(buf), n <= max
	max  int // where they must end, as the limit has it
	step int // least growth
}

// smallOutput is the least capacity given to a slice that has to grow.
const smallOutput = 512

// reserve makes room for n octets. It must not go beyond max.
func (w *output) reserve(n int) {
	if n <= len(w.buf)-w.n {
		return
	}
	// Twice the room each time keeps copying linear, but room beyond the limit
	// would let a message hold more memory than it may.
	size := min(max(w.n+n, 2*len(w.buf), w.n+w.step, smallOutput), w.max)
	buf := make([]byte, size)
	copy(buf, w.buf[:w.n])
	w.buf = buf
}

// octet appends b.
func (w *output) octet(b byte) error {
	if w.n == w.max {
		return ErrTooLarge
	}
	w.reserve(1)
	w.buf[w.n] = b
	w.n++
	return nil
}

// octets appends p as far as the limit lets it and returns how far that was.
func (w *output) octets(p []byte) (int, error) {
	var err error
	if len(p) > w.max-w.n {
		p, err = p[:w.max-w.n], ErrTooLarge
	}
	w.reserve(len(p))
	w.n += copy(w.buf[w.n:], p)
	return len(p), err
}

// match appends length octets from distance back, the oldest of which may have
// been produced before this call.
func (w *output) match(h *history, length, distance int) error {
	made := w.n - w.base
	if distance > h.size || distance-made > len(h.buf) {
		return ErrDistance
	}
	var err error
	if length > w.max-w.n {
		length, err = w.max-w.n, ErrTooLarge
	}
	w.reserve(length)
	end := w.n + length
	if distance > made {
		w.n += h.copyTo(w.buf[w.n:end], distance-made)
	}
	// What the source and the copy share repeats, twice as much each time.
	for start := w.n - distance; w.n < end; {
		w.n += copy(w.buf[w.n:end], w.buf[start:w.n])
	}
	return err
}
