package deflate

import "math"

// NoLimit, as the limit of [Decompressor.Append], turns it off.
const NoLimit = -1

// A message may hold this many octets, and this many times what it inflates to,
// before it is refused with ErrNoOutput. An honest compressor that flushes after
// every octet needs less than twelve octets for each.
const (
	freeInput     = 1 << 10
	inputPerOctet = 16
)

// A Decompressor inflates the messages of one direction of one connection, in
// the order they were sent. It must not be used concurrently.
type Decompressor struct {
	takeover ContextTakeover
	window   history
	err      error // of the message that could not be inflated

	// Where the message stands between two calls of Append.
	phase  phase
	final  bool     // the block at hand has BFINAL set
	bits   uint64   // octets taken from the input but not decoded, first bit lowest
	nbits  uint     // how many bits those are, 0 to 63
	stored int      // octets to come of a stored block
	code   *dynamic // working memory for dynamic blocks, nil until one is met
	lit    *litTable
	dist   *distTable
	in     int64 // octets of the message taken into bits or past it
	out    int64 // octets of the message produced by earlier calls
}

// NewDecompressor returns a Decompressor for messages whose references reach
// back at most 2^windowBits octets, into earlier messages only with [Takeover].
// The error is [ErrWindowBits].
//
// A larger window and Takeover are always safe to use, whatever was agreed on;
// they cost memory and tolerate peers that break their promise.
func NewDecompressor(windowBits int, takeover ContextTakeover) (*Decompressor, error) {
	if err := checkWindowBits(windowBits); err != nil {
		return nil, err
	}
	return &Decompressor{takeover: takeover, window: history{size: 1 << windowBits}}, nil
}

// Append inflates src, the next octets of the compressed payload of a message,
// and appends what they yield to dst; dst may be nil. Any division of a message
// into calls yields the same. last says that the message ends with src; the four
// octets 00 00 FF FF that the sender removed (RFC 7692, Section 7.2.2) are not
// part of src, though a message that still has them is accepted. So are blocks
// with BFINAL set, anywhere: the next block follows at the next octet, in the
// same window.
//
// limit is the most octets that the whole message may inflate to; it is checked
// before an octet is produced. [NoLimit], or any negative number, means none.
//
// Append retains neither dst nor src, which must not overlap. It may use all of
// the capacity of dst as working space, and makes a larger slice when that is
// not enough, never with room for more than limit.
//
// The error is one of the Err values of [Error]. With an error the result still
// ends with what was inflated before the fault. The message cannot be continued,
// nor, with a window lost, any other: every further call returns the same error.
func (d *Decompressor) Append(dst, src []byte, last bool, limit int64) ([]byte, error) {
	if d.err != nil {
		return dst, d.err
	}
	w := output{buf: dst[:cap(dst)], base: len(dst), n: len(dst), max: math.MaxInt, step: 4 * len(src)}
	if left := max(limit-d.out, 0); limit >= 0 && left < int64(math.MaxInt-len(dst)) {
		w.max = len(dst) + int(left)
	}
	r := input{buf: src}
	d.in += int64(len(src))
	d.err = d.inflate(&r, &w)
	if d.err == nil && last && !d.atEnd() {
		d.err = ErrTruncated
	}
	if d.err != nil {
		d.Release()
		return w.buf[:w.n], d.err
	}
	d.out += int64(w.n - w.base)
	if !last && d.takeover == NoTakeover {
		d.window.borrow()
	}
	if !last || d.takeover == Takeover {
		d.window.add(w.buf[w.base:w.n])
	} else {
		d.window.drop()
	}
	if last {
		d.endMessage()
	}
	return w.buf[:w.n], nil
}

// atEnd reports whether a message may end where d stands: between two blocks
// with nothing left over, or before the LEN of a stored block, for which the
// octets that the sender removed supply that LEN and its complement.
func (d *Decompressor) atEnd() bool {
	return d.nbits == 0 && (d.phase == atHeader || d.phase == atStoredLength)
}

// endMessage forgets the message but not the window.
func (d *Decompressor) endMessage() {
	if d.code != nil {
		dynamicPool.Put(d.code)
	}
	d.code, d.lit, d.dist = nil, nil, nil
	d.phase, d.final, d.bits, d.nbits, d.stored, d.in, d.out = atHeader, false, 0, 0, 0, 0, 0
}

// Memory returns the octets that d holds on the heap beside itself: with
// [Takeover] its window, in the middle of a message its tables too.
func (d *Decompressor) Memory() int {
	n := d.window.memory()
	if d.code != nil {
		n += dynamicSize
	}
	return n
}

// Release gives up the memory that d holds. It is called when the connection
// is closed; afterwards d begins a message with an empty window, unless it has
// reported an error, which it still does.
func (d *Decompressor) Release() {
	d.endMessage()
	d.window.drop()
}
