package conn

import (
	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
)

// A form says what may become of a message.
type form uint8

const (
	compressible form = iota // it is compressed if permessage-deflate is in use
	uncompressed
)

// A deflater compresses the data frames of an outbox, in the order of the frames.
// A nil *deflater compresses nothing.
type deflater struct {
	codec    *deflate.Compressor
	alone    deflation // of messages without context
	takeover deflate.ContextTakeover
	minSize  int

	sent     compressedCounters
	received compressedCounters // the reader's
	shared   sharedCompressed   // of received

	open bool // whether a message was begun of which more fragments follow

	// context is the number of the context: of frames with the same the later
	// refer to the earlier ones. It is never 0.
	context uint64
}

// newDeflater begins compressing.
func newDeflater(windowBits int, takeover deflate.ContextTakeover, o *Compression) *deflater {
	d := &deflater{alone: deflation{windowBits, o.Level}, takeover: takeover, minSize: o.MinSize, context: 1}
	if d.alone.level != deflate.Fast {
		d.alone.level = deflate.Good
	}
	limit(&d.minSize, minCompressed, 0)
	d.codec, _ = deflate.NewCompressor(windowBits, takeover, o.Level)
	return d
}

// restart makes what follows refer to nothing before it.
func (d *deflater) restart() {
	if d != nil {
		d.codec.Release()
		d.open = false
		d.context++
	}
}

// wants reports whether a message of size octets may become shorter.
func (d *deflater) wants(size int) bool { return d != nil && size >= d.minSize }

// deflate compresses the payload p of a frame, of which i is going to be the last
// item. A message of which this is the only frame is left as it is if that is as
// good.
func (d *deflater) deflate(h *frame.Header, p *[]byte, i *item) {
	first, last := h.Opcode != frame.OpContinuation, h.Flags.Has(frame.FIN)
	whole := first && last
	if d == nil || whole && len(*p) < d.minSize || !first && !d.open {
		return
	}
	buf, ok := getDeflated(len(*p)), true
	if whole {
		buf, ok = d.codec.Append(buf, *p)
	} else {
		buf = d.codec.AppendPiece(buf, *p, last)
		d.open = !last
	}
	if !ok {
		putBuffer(buf)
		return
	}
	if first {
		h.Flags |= frame.RSV1
	}
	*p = buf
	i.pooled, i.compressed, i.bound = true, true, !first
	if !whole || d.takeover == deflate.Takeover {
		i.context = d.context
	}
}

// prepared returns the form of m to send.
func (d *deflater) prepared(m *Prepared) encoding {
	if d == nil || m.form == uncompressed || len(m.payload()) < d.minSize {
		return encoding{wire: m.wire}
	}
	e := m.deflate(d.alone)
	if e.compressed && d.takeover == deflate.Takeover {
		// The peer's window has the message now, ours has not.
		d.restart()
	}
	return e
}

// getDeflated returns a buffer with room for n octets however badly they can be
// compressed.
func getDeflated(n int) []byte { return getBuffer(n + n/8 + 64) }
