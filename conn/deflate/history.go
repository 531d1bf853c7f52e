package deflate

import "sync"

// windowPool holds windows for messages without context takeover.
var windowPool = sync.Pool{New: func() any { return new(largestWindow) }}

type largestWindow [1 << MaxWindowBits]byte

// history keeps the last octets of what was inflated, at most size of them. It
// starts without memory and grows with what it is given.
type history struct {
	buf  []byte         // ring of size octets once full; before that the octets in order
	next int            // where the oldest octet is, once full
	size int            // of the window in octets
	lent *largestWindow // what buf is a part of, when it is from windowPool
}

// borrow makes an empty h use memory from windowPool until drop.
func (h *history) borrow() {
	if h.lent == nil {
		h.lent = windowPool.Get().(*largestWindow)
		h.buf = h.lent[:0:h.size]
	}
}

// drop empties h and gives up its memory.
func (h *history) drop() {
	if h.lent != nil {
		windowPool.Put(h.lent)
	}
	*h = history{size: h.size}
}

// memory returns the octets h holds.
func (h *history) memory() int {
	if h.lent != nil {
		return len(h.lent)
	}
	return cap(h.buf)
}

// add appends p, which it does not retain.
func (h *history) add(p []byte) {
	if len(p) >= h.size {
		h.reserve(h.size)
		h.buf = append(h.buf[:0], p[len(p)-h.size:]...)
		h.next = 0
		return
	}
	if n := min(h.size-len(h.buf), len(p)); n > 0 {
		h.reserve(len(h.buf) + n)
		h.buf = append(h.buf, p[:n]...)
		p = p[n:]
	}
	for len(p) > 0 {
		n := copy(h.buf[h.next:], p)
		h.next = (h.next + n) & (h.size - 1)
		p = p[n:]
	}
}

// reserve makes the capacity of buf the least power of two that holds n, but
// no less than 256 octets.
func (h *history) reserve(n int) {
	c := max(cap(h.buf), 1<<MinWindowBits)
	for c < n {
		c *= 2
	}
	if c > cap(h.buf) {
		h.buf = append(make([]byte, 0, c), h.buf...)
	}
}

// copyTo fills p with the octets that start distance back from the end, as far
// as they go, and returns how many those were. 0 < distance <= len(h.buf).
func (h *history) copyTo(p []byte, distance int) int {
	p = p[:min(len(p), distance)]
	start := h.next - distance
	if start < 0 {
		start += len(h.buf)
	}
	n := copy(p, h.buf[start:])
	copy(p[n:], h.buf)
	return len(p)
}
