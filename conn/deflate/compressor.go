package deflate

import "sync"

// A Level trades time for size. The zero value is [Fast].
type Level int

const (
	// Fast takes the first match it finds.
	Fast Level = iota
	// Good looks at two candidates, and for a longer match around the end of the
	// one it found: a few per cent smaller, less than twice the time.
	Good
)

// String returns "fast" or "good".
func (l Level) String() string {
	if l == Fast {
		return "fast"
	}
	return "good"
}

// With context takeover a message of at least growFrom octets may grow by
// mayGrow, the fixed code's header and end, for the sake of later ones, as long as
// all messages together have grown by no more than mostGrowth.
const (
	growFrom   = 16
	mayGrow    = 2
	mostGrowth = 16
)

// How many positions the table of a connection with context takeover has room
// for, and that of a matcher from a pool, which can be generous.
const (
	keptPositions   = 1 << 13
	pooledPositions = 1 << 15
)

// A Compressor compresses the messages of one direction of one connection, in
// the order they are sent. It must not be used concurrently.
type Compressor struct {
	level      Level
	takeover   ContextTakeover
	windowBits int
	growth     int      // left of mostGrowth; what shrinks makes up for what grows
	open       bool     // a message in pieces has begun and not ended
	m          *matcher // nil while nothing is kept
}

// NewCompressor returns a Compressor whose references reach back at most
// 2^windowBits octets, into earlier messages only with [Takeover]. A level that
// is not [Fast] is [Good]. The error is [ErrWindowBits].
//
// It takes no memory before the first message.
func NewCompressor(windowBits int, takeover ContextTakeover, level Level) (*Compressor, error) {
	if err := checkWindowBits(windowBits); err != nil {
		return nil, err
	}
	if level != Fast {
		level = Good
	}
	return &Compressor{level: level, takeover: takeover, windowBits: windowBits, growth: mostGrowth}, nil
}

// Append compresses the message that parts are when put together and appends
// the payload to send to dst; dst may be nil. The octets 00 00 FF FF at the end
// are already removed (RFC 7692, Section 7.2.1).
//
// It reports false, and returns dst as it was, when the payload would not be
// shorter than the message. The message is then to be sent uncompressed, and
// later messages do not refer to it. With [Takeover] the payload may be up to 2
// octets longer than a message of 16 or more: that is what text costs in which
// nothing repeats, and short messages that are like one another can refer to the
// first only if it was compressed. At no time are all payloads together more than
// 16 octets longer than the messages. Append also reports false in the middle of
// a message begun with [Compressor.AppendPiece].
//
// Append retains neither dst nor parts, which must not overlap. It may use all
// of the capacity of dst as working space, and makes no larger slice when there
// is room for 9/8 of the message and 64 octets more.
func (c *Compressor) Append(dst []byte, parts ...[]byte) (payload []byte, ok bool) {
	if c.open {
		return dst, false
	}
	total := 0
	for _, p := range parts {
		total += len(p)
	}
	s := scratchPool.Get().(*scratch)
	s.w = bitWriter{buf: dst}
	c.begin(total)
	if c.takeover == NoTakeover && len(parts) == 1 {
		c.m.compressAlone(s, parts[0])
	} else {
		c.m.compress(s, total, parts...)
	}
	payload = s.finish()
	grown := len(payload) - len(dst) - total
	ok = grown < 0 || grown <= min(mayGrow, c.growth) && total >= growFrom && c.takeover == Takeover
	if ok {
		c.growth = min(c.growth-grown, mostGrowth)
		c.m.commit()
	} else {
		c.m.rollback()
		payload = dst
	}
	scratchPool.Put(s)
	c.end()
	return payload, ok
}

// AppendPiece compresses p, the next piece of a message that is not at hand as
// a whole, and appends what is to be sent of it to dst; dst may be nil. The
// results put together are the payload of the message, and the peer can inflate
// p as soon as it has them so far. last says that the message ends with p, which
// may be empty.
//
// A piece is compressed even when that makes it longer, by at most 1/8 and 16
// octets. AppendPiece retains neither dst nor p, which must not overlap. It may
// use all of the capacity of dst as working space.
func (c *Compressor) AppendPiece(dst, p []byte, last bool) []byte {
	s := scratchPool.Get().(*scratch)
	s.w = bitWriter{buf: dst}
	if !c.open {
		c.begin(unknownTotal)
	}
	c.m.compress(s, len(p), p)
	dst = s.finish()
	c.m.commit()
	scratchPool.Put(s)
	c.open = !last
	if last {
		c.end()
		return dst
	}
	return append(dst, 0x00, 0x00, 0xff, 0xff)
}

// begin makes sure of a matcher for a message of total octets.
func (c *Compressor) begin(total int) {
	switch {
	case c.takeover == NoTakeover:
		c.m = matcherPools[c.level].Get().(*matcher)
		c.m.reset(1<<c.windowBits, total)
	case c.m == nil:
		c.m = newMatcher(c.windowBits, c.level, min(1<<c.windowBits, keptPositions))
		c.m.reset(1<<c.windowBits, total)
	}
}

// end gives up what the next message has no use for.
func (c *Compressor) end() {
	if c.takeover == NoTakeover && c.m != nil {
		matcherPools[c.level].Put(c.m)
		c.m = nil
	}
}

// Memory returns the octets that c holds on the heap beside itself. With
// [Takeover] that grows with what was compressed, to 64 KiB at 15 window bits, 48
// KiB at 14, and 4 times the window below; a quarter to a half of it is a table
// that is there from the first message on. With [NoTakeover] it is none but in
// the middle of a message in pieces.
func (c *Compressor) Memory() int {
	if c.m == nil {
		return 0
	}
	return c.m.memory()
}

// Release gives up the memory that c holds. It is called when the connection is
// closed; afterwards c begins a message with an empty window.
func (c *Compressor) Release() {
	c.end()
	c.m, c.open = nil, false
}

// matcherPools holds matchers for messages without context takeover, by level.
var matcherPools = [...]sync.Pool{
	Fast: {New: func() any { return newMatcher(MaxWindowBits, Fast, pooledPositions) }},
	Good: {New: func() any { return newMatcher(MaxWindowBits, Good, pooledPositions) }},
}
