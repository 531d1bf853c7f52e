package conn

import (
	"math"

	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
)

// inflateStep is how many compressed octets are inflated at once, and
// inflateRatio how much longer they are expected to become: there is room for
// that much in a buffer of a pool.
const (
	inflateStep  = 8 << 10
	inflateRatio = 8
)

// inflate appends to dst, which is of getBuffer, what the next octets of a
// compressed message yield, limit octets in all at most. The error is an
// [*Error].
func inflate(d *deflate.Decompressor, dst, src []byte, last bool, limit int64) ([]byte, error) {
	most := int(min(limit, math.MaxInt))
	for {
		step := src[:min(len(src), inflateStep)]
		src = src[len(step):]
		dst = growBuffer(dst, min(inflateRatio*len(step), max(most-len(dst), 0)), most)
		grown, err := d.Append(dst, step, last && len(src) == 0, limit)
		if cap(grown) != cap(dst) {
			putBuffer(dst)
		}
		dst = grown
		if err != nil {
			return dst, inflateError(err)
		}
		if len(src) == 0 {
			return dst, nil
		}
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
