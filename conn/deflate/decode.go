package deflate

import "encoding/binary"

// The loop over literals and matches exists twice. fast runs while a whole
// token cannot exhaust input or room, with everything in registers; token takes
// one token with every check, near the ends.

const (
	// fastInput octets of input fill the bit buffer.
	fastInput = 8
	// fastRoom is the most one round of the fast loop writes: three literals
	// and a match, rounded up to the octets copied at a time.
	fastRoom  = 3 + maxMatch + 2*copyChunk
	copyChunk = 16
)

func (d *Decompressor) codes(r *input, w *output) (bool, error) {
	for {
		if err := d.fast(r, w); err != nil {
			return false, err
		}
		for {
			if d.phase != inCodes {
				return true, nil
			}
			if len(r.buf)-r.n >= fastInput && min(len(w.buf), w.max)-w.n >= fastRoom {
				break
			}
			d.fill(r)
			if more, err := d.token(w); !more || err != nil {
				return false, err
			}
		}
	}
}

// token decodes a literal, a match or the end of the block. It reports false
// when the bits at hand do not suffice, which it then leaves alone.
func (d *Decompressor) token(w *output) (bool, error) {
	b, n := d.bits, d.nbits
	left := n // where the code starts
	e := d.lit[b&(1<<litPrimary-1)]
	if e&entrySecond != 0 {
		b >>= litPrimary
		n -= min(n, litPrimary)
		e = d.lit[e>>16+uint32(b)&(1<<(e>>8&15)-1)]
	}
	used := uint(e & 0xff)
	switch {
	case e&entrySpecial != 0 && e&entryEnd == 0:
		return unassigned(left)
	case used > n:
		return false, nil
	case e&entryEnd != 0:
		d.bits, d.nbits = b>>used, n-used
		d.endBlock()
		return true, nil
	case e&entryLiteral != 0:
		d.bits, d.nbits = b>>used, n-used
		return true, w.octet(byte(e >> 16))
	}
	length := int(e>>16) + int(b&(1<<used-1)>>(e>>8&15))
	b >>= used
	n -= used

	left = n
	e = d.dist[b&(1<<distPrimary-1)]
	if e&entrySecond != 0 {
		b >>= distPrimary
		n -= min(n, distPrimary)
		e = d.dist[e>>16+uint32(b)&(1<<(e>>8&15)-1)]
	}
	used = uint(e & 0xff)
	switch {
	case e&entrySpecial != 0:
		return unassigned(left)
	case used > n:
		return false, nil
	}
	distance := int(e>>16) + int(b&(1<<used-1)>>(e>>8&15))
	d.bits, d.nbits = b>>used, n-used
	return true, w.match(&d.window, length, distance)
}

// unassigned refuses a bit pattern that is no code, unless some of the n bits
// it was taken from are yet to come.
func unassigned(n uint) (bool, error) {
	if n < maxBits {
		return false, nil
	}
	return false, ErrSymbol
}

// fast decodes until the block ends or too little input or room is left.
func (d *Decompressor) fast(r *input, w *output) error {
	src, p := r.buf, r.n
	out, o := w.buf[:min(len(w.buf), w.max)], w.n
	lit, dist := d.lit, d.dist
	b, n := d.bits, d.nbits
	base, reach := w.base, d.window.size
	var err error

	for len(src)-p >= fastInput && len(out)-o >= fastRoom {
		b |= binary.LittleEndian.Uint64(src[p:]) << (n & 63)
		p += int((63 - n) >> 3)
		n |= 56

		e := lit[b&(1<<litPrimary-1)]
		if e&entryLiteral != 0 {
			out[o] = byte(e >> 16)
			o++
			b >>= e & 63
			n -= uint(e & 63)
			e = lit[b&(1<<litPrimary-1)]
			if e&entryLiteral != 0 {
				out[o] = byte(e >> 16)
				o++
				b >>= e & 63
				n -= uint(e & 63)
				e = lit[b&(1<<litPrimary-1)]
				if e&entryLiteral != 0 {
					out[o] = byte(e >> 16)
					o++
					b >>= e & 63
					n -= uint(e & 63)
					continue
				}
			}
		}
		// Two literals took at most 20 bits, so 36 are left: enough for a
		// length (20), but only with 28 more for a distance.
		wasB, wasN := b, n
		if e&entrySpecial != 0 {
			if e&entrySecond != 0 {
				b >>= litPrimary
				n -= litPrimary
				e = lit[e>>16+uint32(b)&(1<<(e>>8&15)-1)]
				if e&entryLiteral != 0 {
					out[o] = byte(e >> 16)
					o++
					b >>= e & 63
					n -= uint(e & 63)
					continue
				}
			}
			if e&entryEnd != 0 {
				b >>= e & 63
				n -= uint(e & 63)
				d.phase = atHeader
				break
			}
			if e&entrySpecial != 0 {
				err = ErrSymbol
				break
			}
		}
		length := int(e>>16) + int(b&(1<<(e&63)-1)>>(e>>8&15))
		b >>= e & 63
		n -= uint(e & 63)
		if n < 28 {
			if len(src)-p < fastInput {
				b, n = wasB, wasN
				break
			}
			b |= binary.LittleEndian.Uint64(src[p:]) << (n & 63)
			p += int((63 - n) >> 3)
			n |= 56
		}
		e = dist[b&(1<<distPrimary-1)]
		if e&entrySpecial != 0 {
			if e&entrySecond != 0 {
				b >>= distPrimary
				n -= distPrimary
				e = dist[e>>16+uint32(b)&(1<<(e>>8&15)-1)]
			}
			if e&entrySpecial != 0 {
				err = ErrSymbol
				break
			}
		}
		distance := int(e>>16) + int(b&(1<<(e&63)-1)>>(e>>8&15))
		b >>= e & 63
		n -= uint(e & 63)

		from := o - distance
		if from < base || distance > reach {
			w.n = o
			if err = w.match(&d.window, length, distance); err != nil {
				break
			}
			o = w.n
			continue
		}
		end := o + length
		switch {
		case distance >= copyChunk:
			// Most matches are shorter than two chunks.
			*(*[copyChunk]byte)(out[o:]) = *(*[copyChunk]byte)(out[from:])
			*(*[copyChunk]byte)(out[o+copyChunk:]) = *(*[copyChunk]byte)(out[from+copyChunk:])
			for i := 2 * copyChunk; i < length; i += copyChunk {
				*(*[copyChunk]byte)(out[o+i:]) = *(*[copyChunk]byte)(out[from+i:])
			}
			o = end
		case distance == 1:
			c := out[from]
			for p := out[o:end]; len(p) > 0; p = p[1:] {
				p[0] = c
			}
			o = end
		default:
			for ; o < end; o++ {
				out[o] = out[from]
				from++
			}
		}
	}
	r.n, w.n = p, o
	d.bits, d.nbits = b&(1<<n-1), n
	if err == nil && d.phase == atHeader {
		d.endBlock()
	}
	return err
}
