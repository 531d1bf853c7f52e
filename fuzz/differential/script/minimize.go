package script

import (
	"slices"
	"strings"
)

// maxTries limits how often Minimize asks: long scripts would take very long.
const maxTries = 3000

// Minimize returns a script that is about as simple as it gets while shows says that
// it still shows what s shows. It does not modify s.
func (s *Script) Minimize(shows func(*Script) bool) *Script {
	best := *s
	tries := 0
	try := func(change func(*Script)) bool {
		if tries++; tries > maxTries {
			return false
		}
		t := best
		change(&t)
		t.Early = min(t.Early, len(t.Stream))
		if t.Equal(&best) || !shows(&t) {
			return false
		}
		best = t
		return true
	}
	try(func(t *Script) { t.Head = "" })
	try(func(t *Script) { t.Early = 0 })
	try(func(t *Script) { t.Sizes = nil })
	try(func(t *Script) { t.Sizes = []int{1} })
	for again := true; again; {
		again = false
		lines := strings.SplitAfter(best.Head, "\r\n")
		for i := range lines {
			without := strings.Join(slices.Delete(slices.Clone(lines), i, i+1), "")
			if without != "" && strings.HasSuffix(without, "\r\n\r\n") && try(func(t *Script) { t.Head = without }) {
				again = true
				break
			}
		}
		// First whole frames, from the ends and from the middle, and their payloads.
		for offset := 0; offset < len(best.Stream); {
			f, n := ParseFrame(best.Stream[offset:])
			if n == 0 {
				break
			}
			end := offset + n
			switch {
			case try(cut(0, offset)), try(cut(0, end)):
				offset, again = 0, true
			case try(cut(end, len(best.Stream))), try(cut(offset, end)), try(shorten(offset, end, f)):
				again = true
			default:
				offset = end
			}
		}
		for size := len(best.Stream) / 2; size > 0; size /= 2 {
			for offset := 0; offset+size <= len(best.Stream); {
				if try(cut(offset, offset+size)) {
					again = true
				} else {
					offset += size
				}
			}
		}
	}
	return &best
}

// cut takes octets out of the stream.
func cut(from, to int) func(*Script) {
	return func(t *Script) { t.Stream = slices.Concat(t.Stream[:from], t.Stream[to:]) }
}

// shorten halves the payload of a frame.
func shorten(from, to int, f Frame) func(*Script) {
	return func(t *Script) {
		if f.Length != uint64(len(f.Payload)) || len(f.Payload) == 0 {
			return
		}
		f.Payload = f.Payload[:len(f.Payload)/2]
		f.Length = uint64(len(f.Payload))
		if f.Size > 0 {
			f.Size = max(2, minimalSize(f.Length))
		}
		t.Stream = slices.Concat(t.Stream[:from], f.Append(nil), t.Stream[to:])
	}
}
