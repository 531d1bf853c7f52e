package script

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"example.org/rfc6455/frame"
)

// An Outcome is what an implementation made of a script.
type Outcome struct {
	// Status is that of the response a server sent, and 101 for a client that
	// went on after the response it got. Zero means none.
	Status int

	// Messages are those that the application received, in their order.
	Messages []Message

	// Pongs are the payloads of the pongs sent, in their order.
	Pongs []string

	// Close is the code of the Close frame sent: CloseNoStatusReceived for an
	// empty one, zero for none.
	Close frame.CloseCode

	// Stray says what else was sent that no peer should see; empty means nothing.
	Stray string

	// At is how many octets of the stream were taken when the Close frame was
	// sent; -1 if none was sent, or nobody knows.
	At int

	// Crash says how the implementation panicked or hung; empty means that it
	// did not.
	Crash string
}

// Some of what Stray may be.
const (
	StrayMask   = "a frame masked as the other role masks"
	StrayReason = "a reason that is not UTF-8"
	StrayClose  = "close after Close"
)

// A Message is one that an application received.
type Message struct {
	Opcode  frame.Opcode
	Payload string
}

// A Field is one of the things in which outcomes differ.
type Field uint8

// The fields of an [Outcome].
const (
	Status Field = 1 << iota
	Messages
	Pongs
	Close
	Stray
	At
	Crash
)

// Diff returns the fields in which o and p differ. At counts only if it is known
// of both.
func (o *Outcome) Diff(p *Outcome) Field {
	var f Field
	if o.Status != p.Status {
		f |= Status
	}
	if !slices.Equal(o.Messages, p.Messages) {
		f |= Messages
	}
	if !slices.Equal(o.Pongs, p.Pongs) {
		f |= Pongs
	}
	if o.Close != p.Close {
		f |= Close
	}
	if o.Stray != p.Stray {
		f |= Stray
	}
	if o.At != p.At && o.At >= 0 && p.At >= 0 {
		f |= At
	}
	if o.Crash != p.Crash {
		f |= Crash
	}
	return f
}

// String describes the outcome on one line, long payloads by their length.
func (o *Outcome) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "status %d", o.Status)
	for _, m := range o.Messages {
		fmt.Fprintf(&b, ", %v %s", m.Opcode, short(m.Payload))
	}
	for _, p := range o.Pongs {
		fmt.Fprintf(&b, ", pong sent %s", short(p))
	}
	if o.Close != 0 {
		fmt.Fprintf(&b, ", close sent %d", uint16(o.Close))
		if o.At >= 0 {
			fmt.Fprintf(&b, " after %d octets", o.At)
		}
	}
	if o.Stray != "" {
		fmt.Fprintf(&b, ", sent %s", o.Stray)
	}
	if o.Crash != "" {
		fmt.Fprintf(&b, ", crashed: %s", o.Crash)
	}
	return b.String()
}

func short(p string) string {
	if len(p) > 40 {
		return fmt.Sprintf("%x… (%d octets)", p[:16], len(p))
	}
	return fmt.Sprintf("%q", p)
}

// Sent adds to an outcome what an implementation of a role sent after the opening
// handshake. at returns how many octets of the script's stream had been taken when
// the octet of b at an offset was sent; nil means that nobody knows.
func (o *Outcome) Sent(role frame.Role, b []byte, at func(offset int) int) {
	o.At = -1
	for offset := 0; offset < len(b) && o.Stray == ""; {
		f, n := ParseFrame(b[offset:])
		op := frame.Opcode(f.Opcode)
		switch {
		case n == 0 || uint64(len(f.Payload)) < f.Length:
			o.Stray = "half a frame"
		case f.Masked != (role == frame.Client):
			o.Stray = StrayMask
		case !f.FIN || f.RSV != 0 || !f.Minimal():
			o.Stray = "a header that is not canonical"
		case o.Close != 0:
			o.Stray = op.String() + " after Close"
		case op == frame.OpPong:
			o.Pongs = append(o.Pongs, string(f.Payload))
		case op == frame.OpClose && len(f.Payload) == 0:
			o.Close = frame.CloseNoStatusReceived
		case op == frame.OpClose && len(f.Payload) > 1:
			o.Close = frame.CloseCode(binary.BigEndian.Uint16(f.Payload))
			if !utf8.Valid(f.Payload[2:]) {
				o.Stray = StrayReason
			}
		default:
			o.Stray = op.String()
		}
		if op == frame.OpClose && at != nil && o.At < 0 {
			o.At = at(offset)
		}
		offset += n
	}
}
