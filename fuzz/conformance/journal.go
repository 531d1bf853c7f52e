package conformance

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"example.org/rfc6455/frame"
)

// Unless every octet is wanted, a wire log has this much; of a heavy case, of
// which there are many, heavyPart of the entries.
const (
	maxFirst  = 120     // entries from the beginning
	maxLast   = 80      // entries before the end
	heavyPart = 8       // as the divisor
	maxOctets = 96      // of an entry
	maxHead   = 4 << 10 // octets of a request or a response
)

// A Direction says whose octets an Entry is about.
type Direction string

const (
	Sent     Direction = "sent"     // by the tester
	Received Direction = "received" // from the peer
	Noted    Direction = "note"     // neither; What tells what happened
)

// An Entry is a line of the wire log of a case.
type Entry struct {
	At        time.Duration // since the case began
	Direction Direction
	What      string
	Octets    []byte // as on the wire; the beginning, if fewer than Size
	Size      int64  // in octets
}

// A journal is a wire log in the making. Any goroutine may write to it.
type journal struct {
	began time.Time
	every bool // keep every octet
	heavy bool // keep fewer entries

	mu      sync.Mutex
	entries []Entry
	last    []Entry // after maxFirst entries
	omitted int     // between the two
}

// add notes octets that went over the wire, of which there were size.
func (j *journal) add(d Direction, octets []byte, size int64, format string, args ...any) {
	if len(octets) > maxOctets && !j.every {
		limit := maxOctets
		if isText(octets[:limit]) { // no frame begins with text
			limit = min(len(octets), maxHead)
		}
		octets = octets[:limit]
	}
	e := Entry{
		At:        time.Since(j.began),
		Direction: d,
		What:      fmt.Sprintf(format, args...),
		Octets:    slices.Clone(octets),
		Size:      size,
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	first, last := maxFirst, maxLast
	if j.heavy {
		first, last = maxFirst/heavyPart, maxLast/heavyPart
	}
	if j.every || len(j.entries) < first {
		j.entries = append(j.entries, e)
		return
	}
	if len(j.last) == last {
		j.last = slices.Delete(j.last, 0, 1)
		j.omitted++
	}
	j.last = append(j.last, e)
}

func (j *journal) note(format string, args ...any) { j.add(Noted, nil, 0, format, args...) }

// keep returns how many octets of an entry are worth collecting.
func (j *journal) keep(size int64) int64 {
	if j.every {
		return size
	}
	return min(size, maxOctets)
}

// finish returns the entries.
func (j *journal) finish() []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.omitted > 0 {
		j.entries = append(j.entries, Entry{
			At:        j.last[0].At,
			Direction: Noted,
			What:      fmt.Sprintf("%d entries are left out here", j.omitted),
		})
	}
	return append(j.entries, j.last...)
}

// describe says what a frame is.
func describe(flags frame.Flags, op frame.Opcode, length uint64) string {
	s := op.String()
	if flags != 0 {
		s += " " + flags.String()
	}
	return fmt.Sprintf("%s, %d octets", s, length)
}
