package conn

import (
	"math"

	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
)

// Compressed octets are inflated inflateStep at a time into a buffer of a pool
// with room for inflateRatio times as many, or for as many as the message before
// had, if that is more but not maxExpected. Only where that is not enough the
// codec makes a buffer.
const (
	inflateStep  = 8 << 10
	inflateRatio = 8
	maxExpected  = 64 << 10
)

// An inflater inflates the messages that are received.
type inflater struct {
	codec    *deflate.Decompressor // nil unless permessage-deflate is in use
	size     int                   // of the message so far, maxExpected at most
	expected int                   // size of the message before
}

// append appends to dst, which is of getBuffer, what the next octets of a
// compressed message yield, limit octets in all at most. The error is an
// [*Error].
func (f *inflater) append(dst, src []byte, last bool, limit int64) ([]byte, error) {
	most := int(min(limit, math.MaxInt))
	start := len(dst)
	for {
		step := src[:min(len(src), inflateStep)]
		src = src[len(step):]
		room := 0
		if len(step) > 0 {
			room = max(inflateRatio*len(step), f.expected-f.size)
		}
		dst = growBuffer(dst, min(room, max(most-len(dst), 0)), most)
		grown, err := f.codec.Append(dst, step, last && len(src) == 0, limit)
		if cap(grown) != cap(dst) {
			putBuffer(dst)
		}
		dst = grown
		if err != nil {
			return dst, inflateError(err)
		}
		if len(src) == 0 {
			break
		}
	}
	f.size = min(f.size+len(dst)-start, maxExpected)
	if last {
		f.expected, f.size = f.size, 0
	}
	return dst, nil
}

// release gives up what the codec holds. Nothing can be inflated any more.
func (f *inflater) release() {
	if f.codec != nil {
		f.codec.Release()
	}
}

// inflateError returns the error of a message that cannot be inflated.
func inflateError(err error) error {
	switch err {
	case deflate.ErrTooLarge:
		return ErrMessageTooBig
	case deflate.ErrNoOutput:
		return &Error{frame.ClosePolicyViolation, "compressed message", err}
	}
	return &Error{frame.CloseInvalidFramePayloadData, "compressed message", err}
}
