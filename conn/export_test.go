package conn

// ScribblePools overwrites the buffers that nobody may hold any longer.
func ScribblePools() {
	for _, size := range []int{4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20} {
		var buffers [4][]byte
		for i := range buffers {
			b := getBuffer(size)
			b = b[:cap(b)]
			for j := range b {
				b[j] = 0xee
			}
			buffers[i] = b
		}
		for _, b := range buffers {
			putBuffer(b)
		}
	}
}
