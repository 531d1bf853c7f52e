package conformance

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// maxShown is how many octets of an entry a page shows.
const maxShown = 1 << 10

// String writes the entry on a line, with all the octets it has.
func (e Entry) String() string {
	s := fmt.Sprintf("%9s ms  %-8s  %s", milliseconds(e.At), e.Direction, e.What)
	if shown := e.show(len(e.Octets)); shown != "" {
		s += "  " + shown
	}
	return s
}

// show writes at most limit octets: text as it is, anything else in hex.
func (e Entry) show(limit int) string {
	b := e.Octets[:min(len(e.Octets), limit)]
	if len(b) == 0 {
		return ""
	}
	var s string
	if isText(b) {
		s = fmt.Sprintf("%q", b)
	} else {
		s = hexOctets(b)
	}
	if more := e.Size - int64(len(b)); more > 0 {
		s += fmt.Sprintf(" … %d more", more)
	}
	return s
}

// isText reports whether b is the text of a head.
func isText(b []byte) bool {
	for _, c := range b {
		if (c < ' ' || c > '~') && c != '\r' && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}

// hexOctets writes octets in hex, with a space after each.
func hexOctets(b []byte) string {
	var s strings.Builder
	for i := range b {
		if i > 0 {
			s.WriteByte(' ')
		}
		s.WriteString(hex.EncodeToString(b[i : i+1]))
	}
	return s.String()
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f", float64(d)/float64(time.Millisecond))
}
