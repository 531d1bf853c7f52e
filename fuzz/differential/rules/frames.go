package rules

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"unicode/utf8"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/differential/script"
)

// A reader reads the stream of a script after the opening handshake.
type reader struct {
	*Prediction
	script  *script.Script
	habits  Habits
	dropped int // octets before those that are read

	open      bool // whether a message was begun and is still to end
	opcode    frame.Opcode
	message   []byte
	fragments []int        // their lengths
	orphan    bool         // whether it was begun by a continuation
	last      frame.Opcode // of the message that was begun last

	// over is whether the connection has ended, and messages are delivered all
	// the same.
	over bool
}

// stream reads all there is. It ends with the first mistake that is seen, with a
// Close frame or with the octets.
func (r *reader) stream(b []byte) {
	offset := 0
	for offset < len(b) && r.header(b[offset:], offset) {
		f, n := script.ParseFrame(b[offset:])
		if n == 0 {
			break
		}
		if f.Length > math.MaxInt64 && r.has(SignIgnored) {
			f.Length &= math.MaxInt64
			f.Payload = f.Payload[:min(uint64(len(f.Payload)), f.Length)]
			n = f.HeaderSize() + len(f.Payload)
		}
		end := offset + n
		whole := uint64(len(f.Payload)) == f.Length || r.has(CutDelivered)
		if !whole {
			if !r.cut(&f, end) {
				return
			}
			break
		}
		if !r.judge(AtPayload, &f, &f, end) || !r.frame(&f, b[:end]) && !r.lingers(&b, end) {
			return
		}
		offset = end
	}
	if r.Close == 0 && r.Stray == "" && !r.over {
		r.end(b[offset:])
	}
}

// frame takes a frame that is there as a whole, and reports whether reading goes
// on. The octets end with it.
func (r *reader) frame(f *script.Frame, octets []byte) bool {
	end := len(octets)
	if r.control(f) {
		return r.answer(f, end)
	}
	if f.Masked && r.script.Role == frame.Client && r.has(NotUnmasked) {
		f.Payload = bytes.Clone(octets[end-len(f.Payload):])
	}
	return r.data(f, end-len(f.Payload), true)
}

// cut takes a frame of which the end is missing, and reports whether the end of the
// stream is still to be noticed.
func (r *reader) cut(f *script.Frame, end int) bool {
	op := frame.Opcode(f.Opcode)
	switch {
	case !r.control(f):
		return r.data(f, end-len(f.Payload), false)
	case op == frame.OpPing && (r.has(CutAnswered) || r.open && len(f.Payload) > 0 && r.has(CutAnsweredInside)):
		r.answer(f, end)
	case op == frame.OpClose && r.open && len(f.Payload) == 0 && r.has(PartBeforeClose):
		r.deliver()
	}
	return true
}

// control reports whether f is a control frame.
func (r *reader) control(f *script.Frame) bool {
	return frame.Opcode(f.Opcode).IsControl() && (f.Opcode <= byte(frame.OpPong) || !r.has(ReservedData))
}

// header judges the header at the start of b, or what there is of one, and reports
// whether reading goes on.
func (r *reader) header(b []byte, offset int) bool {
	if len(b) < 2 {
		return true
	}
	var least, most [14]byte
	for i := range most {
		most[i] = 0xff
	}
	shape, _ := script.ParseFrame(append(b[:2:2], least[:]...))
	length, size := 2+shape.Size, shape.HeaderSize()
	for k := 2; k <= min(size, len(b)); k++ {
		copy(least[:], b[:k])
		copy(most[:], b[:k])
		lo, _ := script.ParseFrame(least[:])
		hi, _ := script.ParseFrame(most[:])
		if lo.Length > math.MaxInt64 && r.has(SignIgnored) {
			lo.Length &= math.MaxInt64
			hi.Length &= math.MaxInt64
		}
		for stage := AtOctet; stage <= AtHeader; stage++ {
			switch {
			case stage == AtFlags && k != 2, stage == AtLength && k != length, stage == AtHeader && k != size:
				continue
			}
			if !r.judge(stage, &lo, &hi, offset+k) {
				return false
			}
		}
	}
	return true
}

// judge applies the rules for headers that the implementation looks at in a stage,
// and reports whether none is broken. The length is that of lo at least and that of
// hi at most.
func (r *reader) judge(stage Stage, lo, hi *script.Frame, at int) bool {
	op := frame.Opcode(lo.Opcode)
	control := r.control(lo) || op.IsReserved() && r.has(ReservedControl)
	long := hi.Size == 2 && hi.Length < 126 || hi.Size == 8 && hi.Length < 1<<16
	negative := lo.Length > math.MaxInt64
	tooBig := !negative && lo.Length > script.Limit
	sum := lo.Length + uint64(len(r.message))
	for _, rule := range []struct {
		id     ID
		stage  Stage
		broken bool
	}{
		{Limit, AtHeader, tooBig && r.has(LimitFirst)},
		{LimitSum, AtHeader, !tooBig && !negative && sum > script.Limit && r.has(LimitControl)},
		{LengthMinimal, AtOctet, !control && long},
		{ControlMinimal, AtOctet, control && long},
		{LengthSign, AtOctet, negative},
		{ReservedBits, AtHeader, lo.RSV != 0},
		{ReservedOpcode, AtHeader, op.IsReserved()},
		{Masking, AtHeader, lo.Masked != (r.script.Role == frame.Server)},
		{ControlFragmented, AtHeader, control && !lo.FIN},
		{ControlLength, AtHeader, control && lo.Size > 0 && (stage == AtFlags || lo.Length > 125) && !(negative && r.has(LengthSigned))},
		{ClosePayload, AtMessage, op == frame.OpClose && lo.Size == 0 && lo.Length == 1},
		{Continuation, AtHeader, op == frame.OpContinuation && !r.open},
		{NewMessage, AtHeader, (op == frame.OpText || op == frame.OpBinary) && r.open},
		{LimitOverflow, AtHeader, !control && r.open && !negative && sum > math.MaxInt64 && r.has(LimitOverflow)},
		{Limit, AtHeader, !control && tooBig},
		{LimitSum, AtHeader, !control && r.open && !tooBig && !negative && sum > script.Limit},
	} {
		if !rule.broken || cmp.Or(r.habits[rule.id].Stage, rule.stage) != stage {
			continue
		}
		if h, _ := r.habit(rule.id); !h.Accept {
			return r.fail(rule.id, at)
		}
	}
	return true
}

// fail ends the connection because of a broken rule, which shows with the octet
// before at. It returns false.
func (r *reader) fail(rule ID, at int) bool {
	code := Code(rule)
	if h, ok := r.habit(rule); ok {
		code = h.Code
	}
	switch {
	case r.over:
	case r.script.Role == frame.Client && slices.Contains(r.habits[NotMasked].Rules, rule) && r.has(NotMasked):
		r.Stray = script.StrayMask
	case rule == Masking && r.has(ClosesTwice):
		r.Stray = script.StrayClose
		fallthrough
	default:
		r.Close, r.At = code, at
	}
	r.over = true
	return false
}

// lingers reports whether messages after the end of the connection are still
// delivered, and cuts b where those end: with the read that the end at an offset
// was in.
func (r *reader) lingers(b *[]byte, at int) bool {
	h, ok := r.habit(AfterClose)
	if !ok {
		return false
	}
	read := 0
	pieces := append([][]byte{r.script.Stream[r.dropped:r.script.Early]}, r.script.Pieces(r.script.Stream[r.script.Early:])...)
	for _, p := range pieces {
		for len(p) > 0 && read < at {
			n := min(len(p), h.Read)
			p = p[n:]
			read += n
		}
	}
	*b = (*b)[:min(read, len(*b))]
	return true
}

// answer handles a control frame.
func (r *reader) answer(f *script.Frame, end int) bool {
	switch frame.Opcode(f.Opcode) {
	case frame.OpPing: // Section 5.5.2
		p := f.Payload[:min(len(f.Payload), frame.MaxControlPayload)]
		if len(p) > 0 && r.has(EmptyPong) {
			p = nil
		}
		if !r.over {
			r.Pongs = append(r.Pongs, string(p))
		}
	case frame.OpClose:
		return r.close(f.Payload, end)
	}
	return true
}

// close answers a Close frame (Section 5.5.1) and ends the connection.
func (r *reader) close(p []byte, end int) bool {
	accepts := func(rule ID) bool {
		h, _ := r.habit(rule)
		return h.Accept
	}
	if len(p) == 1 {
		if !accepts(ClosePayload) {
			return r.fail(ClosePayload, end)
		}
		p = nil
	}
	code := frame.CloseNoStatusReceived
	if len(p) > 0 {
		code = frame.CloseCode(binary.BigEndian.Uint16(p))
		reason := utf8.Valid(p[2:])
		switch {
		case !reason && r.has(ReasonFirst):
			return r.fail(CloseReason, end)
		case r.matches(CodeRefused, code):
			return r.fail(CodeRefused, end)
		case !mayBeSent(code) && !r.matches(CodeAccepted, code) && !accepts(CloseCode): // Section 7.4
			return r.fail(CloseCode, end)
		case !reason && !accepts(CloseReason): // Section 5.5.1
			return r.fail(CloseReason, end)
		case !reason && r.has(ReasonEchoed):
			r.Stray = script.StrayReason
		}
	}
	if h, ok := r.habit(CloseAnswer); ok {
		code = h.Answer(code)
	}
	if !r.over {
		r.Close, r.At = code, end
	}
	r.over = true
	return false
}

// mayBeSent says which codes a Close frame may have: those of Section 7.4.1 that
// are not reserved, those registered since, and those of Section 7.4.2 for
// libraries and applications.
func mayBeSent(code frame.CloseCode) bool {
	return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006 || code >= 3000 && code <= 4999
}

// data takes the payload of a data frame, or as much of it as there is.
func (r *reader) data(f *script.Frame, start int, whole bool) bool {
	op := frame.Opcode(f.Opcode)
	if op == frame.OpText || op == frame.OpBinary {
		r.last = op
	}
	if r.has(FragmentsDelivered) {
		if op == frame.OpContinuation {
			op = r.last
		}
		r.Messages = append(r.Messages, script.Message{Opcode: op, Payload: string(f.Payload)})
		return true
	}
	if op != frame.OpContinuation || !r.open {
		r.opcode, r.message, r.fragments = op, nil, nil
		r.orphan = op == frame.OpContinuation
	}
	before := len(r.message)
	r.message = append(r.message, f.Payload...)
	if len(r.message) > script.Limit && r.has(LimitArrived) {
		return r.fail(LimitArrived, start)
	}
	r.open = !f.FIN
	if whole {
		r.fragments = append(r.fragments, len(f.Payload))
	}
	end := whole && f.FIN
	if end {
		defer func() { r.message = nil }()
	}
	if r.opcode == frame.OpText && !r.text(start, before, end, whole) {
		return false
	}
	switch {
	case !end:
	case len(r.message) == 0 && r.has(EmptyLost):
	case r.orphan:
		return r.fail(Continuation, start)
	default:
		r.deliver()
	}
	return true
}

func (r *reader) deliver() {
	r.Messages = append(r.Messages, script.Message{Opcode: r.opcode, Payload: string(r.message)})
}

// text judges the UTF-8 of the message so far (Section 8.1).
func (r *reader) text(start, before int, end, whole bool) bool {
	at := invalidAt(r.message, end)
	if at < 0 {
		return true
	}
	h, _ := r.habit(UTF8)
	if h.Accept || h.Stage == AtPayload && !whole || h.Stage == AtMessage && !end {
		return true
	}
	return r.fail(UTF8, start+max(0, at-before))
}

// invalidAt returns how many octets of p it takes to see that it is not the start
// of a text, or not a whole one if end is true; -1 if it is.
func invalidAt(p []byte, end bool) int {
	for i := 0; i < len(p); {
		c, n := utf8.DecodeRune(p[i:])
		if c != utf8.RuneError || n != 1 {
			i += n
			continue
		}
		for k := i + 1; k <= len(p); k++ {
			if !startsCharacter(p[i:k]) {
				return k
			}
		}
		if end {
			return len(p)
		}
		return -1
	}
	return -1
}

// startsCharacter reports whether octets can be completed to a character.
func startsCharacter(p []byte) bool {
	for _, next := range [][]byte{nil, {0x80}, {0x90}, {0xa0}} {
		b := slices.Concat(p, next)
		for range utf8.UTFMax {
			if c, n := utf8.DecodeRune(b); (c != utf8.RuneError || bytes.HasPrefix(b, []byte("\uFFFD"))) && n >= len(p) {
				return true
			}
			b = append(b, 0x80)
		}
	}
	return false
}
