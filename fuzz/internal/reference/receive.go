package reference

// A Message is a whole message (Section 5.4).
type Message struct {
	Text    bool
	Payload string
}

// An Outcome is what octets come to.
type Outcome struct {
	Messages []Message
	Pings    []string // the payloads to be answered, in order (Section 5.5.2)
	End      End
}

// An End is how a connection ends whose peer sends no more octets.
type End struct {
	How Ending

	// Code and Reason are those of the peer's Close frame.
	Code   int
	Reason string

	// Codes are those with which the connection may be failed: of several
	// mistakes in one compressed frame any may be seen first.
	Codes []int

	// Open says that the mistake is in compressed octets of which more were to
	// follow. An inflater may wait for these before it notices, so that what
	// comes behind the mistake may still be seen.
	Open bool
}

// An Ending is one of the ways of Section 7.
type Ending string

const (
	Lost   Ending = "lost"   // without a Close frame (Section 7.1.5)
	Closed Ending = "closed" // by the peer's Close frame (Section 5.5.1)
	Failed Ending = "failed" // because the peer broke a rule (Section 7.1.7)
)

// Fragments that a message may have beyond one for each 64 octets of
// MaxMessage, and empty ones. The RFC leaves such limits to the receiver
// (Section 10.4).
const freeFragments = 1024

// maxWindow is the largest window of RFC 7692, Section 7.1.2.
const maxWindow = 1 << 15

// A message is one that is being received.
type message struct {
	text, deflated   bool
	wire             []byte // as it came
	announced        uint64 // octets of it, with the frame at hand
	fragments, empty int
}

// Receive returns what the receiver makes of octets.
func (r Receiver) Receive(octets []byte) (o Outcome) {
	frames, broken, _ := r.Frames(octets)
	var m message
	var window []byte
	for i := range frames {
		f := &frames[i]
		if f.IsControl() {
			if !f.IsWhole() {
				break
			}
			switch f.Opcode {
			case 8:
				code, reason, failure := Close(f.Payload)
				if failure != 0 {
					o.End = failed(failure)
				} else {
					o.End = End{How: Closed, Code: code, Reason: reason}
				}
				return o
			case 9:
				o.Pings = append(o.Pings, string(f.Payload))
			}
			continue
		}
		if f.Opcode != 0 {
			m = message{text: f.Opcode == 1, deflated: f.RSV1}
		}
		if code := r.charge(&m, f); code != 0 {
			o.End = failed(code)
			return o
		}
		m.wire = append(m.wire, f.Payload...)
		last := f.FIN && f.IsWhole()
		payload, codes, open := r.read(&m, window, last)
		if len(codes) > 0 {
			o.End = End{How: Failed, Codes: codes, Open: open}
			return o
		}
		if last {
			o.Messages = append(o.Messages, Message{m.text, string(payload)})
			if m.deflated {
				window = append(window, payload...)
			}
		}
	}
	if broken != "" {
		o.End = failed(1002)
	} else {
		o.End = End{How: Lost}
	}
	return o
}

func failed(code int) End { return End{How: Failed, Codes: []int{code}} }

// charge counts the frame f of m, as soon as its header is there. The code is
// zero if it is within the limits.
func (r Receiver) charge(m *message, f *Frame) int {
	most := uint64(r.MaxMessage)
	if m.deflated {
		// What cannot be compressed becomes longer.
		most += most/8 + 1024
	}
	if f.Length > most-m.announced {
		return 1009
	}
	m.announced += f.Length
	m.fragments++
	if f.Length == 0 {
		m.empty++
	}
	if m.empty > freeFragments || m.fragments > freeFragments+r.MaxMessage/64 {
		return 1008
	}
	return 0
}

// read returns what has come of the message, or the codes with which to fail the
// connection (Section 8.1; RFC 7692, Section 7.2.2), and whether that may be
// noticed later.
func (r Receiver) read(m *message, window []byte, last bool) (payload []byte, codes []int, open bool) {
	payload = m.wire
	if m.deflated {
		var p Progress
		payload, p = Inflate(maxWindow, window, m.wire)
		if p == Bad || last && p == More {
			codes = append(codes, 1007)
			open = !last
		}
		if len(payload) > r.MaxMessage {
			codes = append(codes, 1009)
		}
	}
	if m.text {
		if good, complete := Text(payload); good < len(payload) || last && !complete {
			codes = append(codes, 1007)
		}
	}
	return payload, codes, open
}
