package conn

const (
	// smallInbox is the size of a buffer that waits for octets to come.
	smallInbox = 4 << 10
	// largeInbox is the size of one that octets are known to be there for.
	largeInbox = 64 << 10
)

// An inbox is the buffer between a transport and a protocol. It holds a buffer
// only while it holds octets or waits without knowing whether there are any. As
// a protocol takes payloads as they come, at most a part of a header is left in
// it when more is read.
type inbox struct {
	buf  []byte // of getBuffer, all of its capacity; or nil
	r, w int    // 0 <= r <= w <= len(buf): buf[r:w] came and was not taken

	least int // the size of buffers to begin with
	want  int // the size of the next one
}

// bytes returns what came and was not taken.
func (i *inbox) bytes() []byte { return i.buf[i.r:i.w] }

// room returns the space for more.
func (i *inbox) room() []byte {
	if len(i.buf) < i.want {
		i.replace(i.want)
	} else {
		i.r, i.w = 0, copy(i.buf, i.bytes())
	}
	return i.buf[i.w:]
}

// filled notes that n octets came into the space of room. A buffer that was
// filled to its end calls for a larger one.
func (i *inbox) filled(n int) {
	i.want = i.least
	if i.w += n; i.w == len(i.buf) {
		i.want = largeInbox
	}
}

// rest gives up what space it can before a wait.
func (i *inbox) rest() {
	switch {
	case i.r == i.w:
		i.release()
	case len(i.buf) > smallInbox:
		i.replace(smallInbox)
	}
}

// release puts the buffer back.
func (i *inbox) release() {
	putBuffer(i.buf)
	i.buf, i.r, i.w = nil, 0, 0
}

// detach moves what it holds into another buffer and leaves the old one to those
// who were handed parts of it.
func (i *inbox) detach() {
	b := getBuffer(max(i.want, i.w-i.r))
	b = b[:cap(b)]
	i.buf, i.r, i.w = b, 0, copy(b, i.bytes())
}

// replace moves what it holds into a buffer of size octets.
func (i *inbox) replace(size int) {
	b := getBuffer(size)
	b = b[:cap(b)]
	n := copy(b, i.bytes())
	putBuffer(i.buf)
	i.buf, i.r, i.w = b, 0, n
}
