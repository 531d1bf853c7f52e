package conn

import "bytes"

// ScribblePools overwrites the buffers that nobody may hold any longer.
func ScribblePools() {
	scribble := bytes.Repeat([]byte{0xee}, 1<<20)
	for _, size := range []int{4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20} {
		var buffers [4][]byte
		for i := range buffers {
			buffers[i] = getBuffer(size)
			copy(buffers[i][:size], scribble)
		}
		for _, b := range buffers {
			putBuffer(b)
		}
	}
}

// Holding reports whether c holds messages back.
func Holding(c *Conn) bool {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return c.out.gathering.holds
}

// Watching reports whether c has a timer or a buffer because of what it wrote.
func Watching(c *Conn) bool {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return c.out.watch.runs || c.out.watch.spare != nil
}

// CanPoll is whether servers read plain sockets from an epoll of their own here.
const CanPoll = canPoll
