package conn

import (
	"math"
	"slices"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/mask"
)

// gatherSize is up to how many octets frames are copied together for one write; a
// longer payload is written from where it lies.
const gatherSize = 64 << 10

// A batch is a sequence of frames. Those that were encoded for it lie in buf,
// one after the other; those that are shared lie where they are.
type batch struct {
	buf    []byte // of getBuffer, or nil
	gaps   int    // octets of buf that belonged to frames that were dropped
	items  []item
	off    int    // octets of items[0] that have left, 0 <= off < items[0].len()
	size   int    // octets of all items that have not left
	frames int    // of which the items are
	begun  uint64 // the number of the frame of which a part has left; 0 for none
}

// An item is a frame or a part of one.
type item struct {
	id         uint64
	start, end int    // in batch.buf, if shared is nil
	shared     []byte // not modified by anybody until it has left
	pooled     bool   // whether shared is of getBuffer, to be put back

	// Of the last item of a frame:

	opcode  frame.Opcode // of the frame's message
	fin     bool
	payload int  // octets of the frame's payload
	posted  bool // whether it is a message that nobody waits for
	tell    bool // whether somebody is to be told when it has left

	compressed bool   // whether the frame's message is
	deflated   int    // octets to which the payload was compressed
	context    uint64 // deflater.context, if that was used; 0 otherwise
	bound      bool   // whether it continues a compressed message, and cannot be taken back
}

func (i *item) len() int {
	if i.shared != nil {
		return len(i.shared)
	}
	return i.end - i.start
}

func (b *batch) octets(i *item) []byte {
	if i.shared != nil {
		return i.shared
	}
	return b.buf[i.start:i.end]
}

// adopt makes the batch one of a single frame, which lies in buf.
func (b *batch) adopt(buf []byte, i item) {
	putBuffer(b.buf)
	i.start, i.end = 0, len(buf)
	b.buf, b.items = buf, b.items[:0]
	b.frames = 1
	b.push(i)
}

// last returns the last item.
func (b *batch) last() *item { return &b.items[len(b.items)-1] }

func (b *batch) push(i item) {
	b.items = append(b.items, i)
	b.size += i.len()
}

// share adds a frame that lies where others write it from, too.
func (b *batch) share(i item) {
	b.frames++
	b.push(i)
}

// add encodes a frame, of which i becomes the last item. A payload too long to be
// gathered is masked into a buffer of its own, or stays where it is if it is not
// to be masked. One that is pooled is the batch's from now on.
func (b *batch) add(h frame.Header, payload []byte, i item) {
	b.frames++
	i.opcode, i.fin = h.Opcode, h.Flags.Has(frame.FIN)
	if i.compressed {
		i.deflated = len(payload)
	}
	start := len(b.buf)
	if len(payload) <= gatherSize {
		b.buf = growBuffer(b.buf, frame.MaxHeaderSize+len(payload), math.MaxInt)
		b.buf, _ = frame.AppendFrame(b.buf, h, payload) // h is ours, and legal
		if i.pooled {
			putBuffer(payload)
			i.pooled = false
		}
		i.start, i.end = start, len(b.buf)
		b.push(i)
		return
	}
	h.Length = int64(len(payload))
	b.buf = growBuffer(b.buf, frame.MaxHeaderSize, math.MaxInt)
	b.buf, _ = h.AppendBinary(b.buf)
	b.push(item{id: i.id, start: start, end: len(b.buf)})
	i.shared = payload
	switch {
	case !h.Flags.Has(frame.MASK):
	case i.pooled:
		mask.Apply(payload, h.Key)
	default:
		i.shared, i.pooled = getBuffer(len(payload))[:len(payload)], true
		mask.Copy(i.shared, payload, h.Key)
	}
	b.push(i)
}

// chunk returns what to write next: as many frames as lie side by side, or
// copies of as many as fit in scratch, or a long one as it lies. The scratch
// buffer, of size octets, is taken when first needed.
func (b *batch) chunk(scratch *[]byte, size int) []byte {
	if len(b.items) == 0 {
		return nil
	}
	run, n := b.octets(&b.items[0])[b.off:], 1
	if first := b.items[0]; first.shared == nil {
		end := first.end
		for ; n < len(b.items) && b.items[n].shared == nil && b.items[n].start == end; n++ {
			end = b.items[n].end
		}
		run = b.buf[first.start+b.off : end]
	}
	if n == len(b.items) || len(run) >= size/4 {
		return run
	}
	if *scratch == nil {
		*scratch = getBuffer(size)
	}
	gathered := append((*scratch)[:0], run...)
	for i := range b.items[n:] {
		p := b.octets(&b.items[n+i])
		gathered = append(gathered, p[:min(size-len(gathered), len(p))]...)
		if len(gathered) == size {
			break
		}
	}
	return gathered
}

// advance notes that n octets have left and returns the number of the last frame
// that is thereby complete, or zero. It calls departs with the last item of each.
func (b *batch) advance(n int, departs func(*item)) (id uint64) {
	b.size -= n
	b.off += n
	done := 0
	for ; done < len(b.items) && b.off >= b.items[done].len(); done++ {
		i := &b.items[done]
		b.off -= i.len()
		if b.begun = i.id; done+1 == len(b.items) || b.items[done+1].id != i.id {
			id, b.begun = i.id, 0
			b.frames--
			departs(i)
		}
		if i.pooled {
			putBuffer(i.shared)
		}
	}
	b.items = slices.Delete(b.items, 0, done)
	if b.off > 0 {
		b.begun = b.items[0].id
	}
	return id
}

// drop takes a frame back. The verdict is dropped, torn or left.
func (b *batch) drop(id uint64) verdict {
	if id == b.begun {
		return torn
	}
	before := len(b.items)
	b.items = slices.DeleteFunc(b.items, func(i item) bool {
		if i.id != id {
			return false
		}
		b.size -= i.len()
		if i.pooled {
			putBuffer(i.shared)
		}
		b.gaps += i.end - i.start
		return true
	})
	if len(b.items) == before {
		return left
	}
	b.frames--
	if b.gaps > len(b.buf)/2 {
		b.compact()
	}
	return dropped
}

// compact closes the gaps in buf. Otherwise frames that take the place of others
// would make it grow for as long as the peer is slow.
func (b *batch) compact() {
	n := 0
	for j := range b.items {
		i := &b.items[j]
		if i.shared != nil {
			continue
		}
		start := n
		n += copy(b.buf[n:], b.buf[i.start:i.end])
		i.start, i.end = start, n
	}
	b.buf, b.gaps = b.buf[:n], 0
}

// has reports whether b holds a frame, or a part of it.
func (b *batch) has(id uint64) bool {
	return slices.ContainsFunc(b.items, func(i item) bool { return i.id == id })
}
