package conn

import "sync"

// Buffers come in sizes that grow by four, from what waits for a first frame
// to the default message.
var (
	pool4K   = sync.Pool{New: func() any { return new([4 << 10]byte) }}
	pool16K  = sync.Pool{New: func() any { return new([16 << 10]byte) }}
	pool64K  = sync.Pool{New: func() any { return new([64 << 10]byte) }}
	pool256K = sync.Pool{New: func() any { return new([256 << 10]byte) }}
	pool1M   = sync.Pool{New: func() any { return new([1 << 20]byte) }}
)

// getBuffer returns an empty buffer with room for at least n octets. Its
// contents are arbitrary.
func getBuffer(n int) []byte {
	switch {
	case n <= 4<<10:
		return pool4K.Get().(*[4 << 10]byte)[:0]
	case n <= 16<<10:
		return pool16K.Get().(*[16 << 10]byte)[:0]
	case n <= 64<<10:
		return pool64K.Get().(*[64 << 10]byte)[:0]
	case n <= 256<<10:
		return pool256K.Get().(*[256 << 10]byte)[:0]
	case n <= 1<<20:
		return pool1M.Get().(*[1 << 20]byte)[:0]
	}
	return make([]byte, 0, n)
}

// putBuffer takes back a buffer of getBuffer, of which nobody may hold a part
// any longer. A nil b and one of another size are left to the collector.
func putBuffer(b []byte) {
	switch b = b[:cap(b)]; len(b) {
	case 4 << 10:
		pool4K.Put((*[4 << 10]byte)(b))
	case 16 << 10:
		pool16K.Put((*[16 << 10]byte)(b))
	case 64 << 10:
		pool64K.Put((*[64 << 10]byte)(b))
	case 256 << 10:
		pool256K.Put((*[256 << 10]byte)(b))
	case 1 << 20:
		pool1M.Put((*[1 << 20]byte)(b))
	}
}

// growBuffer returns b, which is of getBuffer, in a buffer with room for n
// octets more. It grows in proportion to what b holds, but not beyond most.
func growBuffer(b []byte, n, most int) []byte {
	if cap(b)-len(b) >= n {
		return b // this much can be inlined
	}
	return moveBuffer(b, n, most)
}

// moveBuffer is growBuffer where there is not enough room.
func moveBuffer(b []byte, n, most int) []byte {
	grown := append(getBuffer(max(len(b)+n, min(2*cap(b), most))), b...)
	putBuffer(b)
	return grown
}
