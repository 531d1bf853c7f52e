package frame

import "example.org/rfc6455/mask"

// A Decoder turns octets from one peer into headers and pieces of payload, and
// applies every rule of RFC 6455, Section 5: it parses as [ParseHeader] does
// and passes each header to [Header.Validate] and [Sequence.Next].
//
// The zero value decodes what a server receives, without extensions. Set the
// fields before the first call of Next.
//
// A Decoder does not limit lengths, look into payloads or stop after a Close
// frame; its caller does. It holds no slice between calls.
type Decoder struct {
	// Role is the side that receives: a Server requires masked frames, a Client
	// forbids them (Section 5.1).
	Role Role

	// Extensions holds the reserved bits that the negotiated extensions define,
	// as for [Header.Validate].
	Extensions Flags

	// TolerateNonMinimal accepts data frames whose length is encoded in more
	// octets than it needs. Section 5.2 forbids them, and as two encodings of
	// one frame they help to smuggle past a proxy; some old peers send them.
	TolerateNonMinimal bool

	seq    Sequence
	header Header // of the current frame
	offset int64  // octets of its payload that were returned; 0 <= offset <= header.Length
	err    error  // for ever; between frames only
}

// A Piece is a part of a frame: its first or only one, or more of its payload.
type Piece struct {
	Header  Header // of the frame, as received
	Payload []byte // this part of the payload, unmasked; empty only in a first piece
	Offset  int64  // of Payload in the frame's payload, in octets

	first bool
}

// First reports whether p is the first piece of its frame. The next may have
// the same Offset, as the first may come without payload.
func (p *Piece) First() bool { return p.first }

// Last reports whether p ends its frame.
func (p *Piece) Last() bool { return p.Offset+int64(len(p.Payload)) == p.Header.Length }

// Next decodes the next piece from b into p and takes n octets from the start of
// b. As with [bufio.SplitFunc], n == 0 and a nil error ask for a longer b; with
// [MaxHeaderSize] octets there is always a piece, and within a payload with one.
// With n == 0 there is nothing in p.
//
// The first piece of a frame has as much of the payload as b holds, perhaps
// none, so that a limit can act on the header alone. However the octets are cut
// into calls, the frames, their payloads and the error are the same.
//
// Next modifies b in place: the payload in b[:n] is unmasked. The piece's
// Payload is a part of b[:n], valid as long as that is; an append to it does not
// write into b. Next does not retain p.
//
// The error is one of those of [ParseHeader], [Header.Validate] and
// [Sequence.Next], with n == 0 at the start of the offending frame. Every later
// call returns it again.
func (d *Decoder) Next(b []byte, p *Piece) (n int, err error) {
	h, offset := d.header, d.offset
	first := offset == h.Length
	if first {
		h, n, err = ParseHeader(b)
		if n == 0 || err != nil || d.err != nil {
			if err = d.headerError(b, err); n == 0 || err != nil {
				*p = Piece{}
				return 0, err
			}
		}
		if err = h.Validate(d.Role, d.Extensions); err == nil {
			err = d.seq.Next(h)
		}
		if err != nil {
			*p = Piece{}
			d.err = err
			return 0, err
		}
		d.header, offset = h, 0
	}
	payload := b[n:len(b):len(b)]
	if rest := h.Length - offset; int64(len(payload)) > rest {
		payload = payload[:rest:rest]
	}
	if h.Flags.Has(MASK) {
		mask.Apply(payload, h.Key.Rotate(int(offset&3)))
	}
	d.offset = offset + int64(len(payload))
	p.Header, p.Payload, p.Offset, p.first = h, payload, offset, first
	return n + len(payload), nil
}

// headerError remembers and returns the error that ends decoding, if any: an
// earlier one, or err, which is what ParseHeader said of b.
func (d *Decoder) headerError(b []byte, err error) error {
	tolerated := d.TolerateNonMinimal && err == ErrLengthNotMinimal && !Opcode(b[0]&maxOpcode).IsControl()
	if d.err == nil && !tolerated {
		d.err = err
	}
	return d.err
}

// Remaining returns how many octets of the current frame's payload are still to
// come. It is zero between frames.
func (d *Decoder) Remaining() int64 { return d.header.Length - d.offset }

// Opcode returns the opcode of the message to which the last data frame
// belongs, as [Sequence.Opcode] does: what a continuation frame continues.
func (d *Decoder) Opcode() Opcode { return d.seq.Opcode() }

// Open reports whether a message was begun whose last fragment's header is
// still to come.
func (d *Decoder) Open() bool { return d.seq.Open() }
