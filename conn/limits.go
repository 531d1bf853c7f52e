package conn

import (
	"math"
	"time"
)

const (
	// freeFragments is how many fragments a message may have whatever its
	// size, and how many empty ones in all.
	freeFragments = 1024
	// fragmentSize is the size in octets from which fragments are as many as a
	// peer likes: a message of MaxMessageSize may come in pieces of it.
	fragmentSize = 64
	// controlBurst is for how many seconds' worth of MaxControlRate may come
	// at once.
	controlBurst = 5
)

// limits counts what a peer sends against what it may.
type limits struct {
	maxSize int64 // of a message, in octets

	compressed bool // whether the message is

	size      int64 // of the message on the wire so far, with the frame that was announced
	fragments int64 // of the message
	empty     int64 // of them, without payload
}

// fragment charges a data frame whose header announces length octets; begin
// says that it begins a message. The error is ErrMessageTooBig or
// ErrTooManyFragments.
func (l *limits) fragment(begin bool, length int64) error {
	if begin {
		l.size, l.fragments, l.empty = 0, 0, 0
	}
	if length > l.maxWire()-l.size {
		return ErrMessageTooBig
	}
	l.size += length
	l.fragments++
	if length == 0 {
		l.empty++
	}
	if l.empty > freeFragments || l.fragments-freeFragments > l.maxSize/fragmentSize {
		return ErrTooManyFragments
	}
	return nil
}

// maxWire returns how long the message may be on the wire. A compressed one may
// be as long as deflating makes what cannot be compressed; to how much it
// inflates is charged where that is done.
func (l *limits) maxWire() int64 {
	if more := l.maxSize/8 + 1<<10; l.compressed && l.maxSize <= math.MaxInt64-more {
		return l.maxSize + more
	}
	return l.maxSize
}

// A rate is how many control frames come in a second.
type rate struct {
	until time.Duration // when after Conn.opened all that have come are forgotten, one after the other
}

// count charges a control frame that came at now, of which there may be most in a
// second. The error is ErrTooManyControlFrames.
func (r *rate) count(now time.Duration, most int) error {
	if most == math.MaxInt32 {
		return nil
	}
	r.until = max(r.until, now) + time.Second/time.Duration(most)
	if r.until-now > controlBurst*time.Second {
		return ErrTooManyControlFrames
	}
	return nil
}
