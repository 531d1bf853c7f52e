package reference

// A Receiver is the endpoint whose view is asked for.
type Receiver struct {
	// Server says that the receiver is the server, whose peer has to mask
	// (Section 5.1).
	Server bool

	// Deflate says that permessage-deflate is in use, which defines RSV1 (RFC
	// 7692, Section 6) and lets a message refer to those before it.
	Deflate bool

	// NonMinimal says that data frames may have a length in more octets than
	// needed, which Section 5.2 forbids.
	NonMinimal bool

	// MaxMessage is the most octets that a message may have.
	MaxMessage int
}

// A Rule is one that a frame can break on the grounds of its header.
type Rule string

// The rules of a header, in the order in which they are looked at.
const (
	LengthOverflow         Rule = "length of more than 63 bits"          // Section 5.2
	LengthNotMinimal       Rule = "length in more octets than needed"    // Section 5.2
	ReservedBits           Rule = "reserved bit"                         // Section 5.2
	ReservedOpcode         Rule = "reserved opcode"                      // Section 5.2
	ControlFragmented      Rule = "fragmented control frame"             // Section 5.5
	ControlTooLong         Rule = "long control frame"                   // Section 5.5
	MaskForbidden          Rule = "masked frame from a server"           // Section 5.1
	MaskRequired           Rule = "frame from a client that is unmasked" // Section 5.1
	UnexpectedContinuation Rule = "continuation of nothing"              // Section 5.4
	ExpectedContinuation   Rule = "new message inside an unfinished one" // Section 5.4
)

// A Frame is a frame as it stands in Section 5.2, its payload unmasked.
type Frame struct {
	FIN, RSV1, RSV2, RSV3 bool
	Opcode                int
	Masked                bool
	Key                   [4]byte
	Length                uint64
	Payload               []byte // the part of it that has come
	Start                 int    // where the frame begins
}

// IsControl reports whether f is a control frame (Section 5.5).
func (f *Frame) IsControl() bool { return f.Opcode >= 8 }

// IsWhole reports whether all of the payload has come.
func (f *Frame) IsWhole() bool { return uint64(len(f.Payload)) == f.Length }

// Frames returns the frames that octets are, up to the first that breaks a
// rule: which one is broken is "" if there is none, and at is where that frame
// begins. Octets that are less than a header come to nothing.
func (r Receiver) Frames(octets []byte) (frames []Frame, broken Rule, at int) {
	inMessage := false // Section 5.4
	for at < len(octets) {
		f, size, broken := Header(octets[at:])
		if broken == LengthNotMinimal && r.NonMinimal && !f.IsControl() {
			broken = ""
		}
		if broken == "" && size > 0 {
			broken = r.Judge(&f, inMessage)
		}
		if broken != "" {
			return frames, broken, at
		}
		if size == 0 {
			break
		}
		f.Start = at
		at += size
		for i := 0; uint64(i) < f.Length && at < len(octets); i++ {
			c := octets[at]
			if f.Masked {
				c ^= f.Key[i%4] // Section 5.3
			}
			f.Payload = append(f.Payload, c)
			at++
		}
		if !f.IsControl() {
			inMessage = !f.FIN
		}
		frames = append(frames, f)
	}
	return frames, "", at
}

// Header reads the header at the start of b, which has size octets, or zero if
// not all of it is there (Section 5.2). What is wrong with the length shows as
// soon as no further octet could mend it; with LengthNotMinimal the rest of f
// and size are as if nothing was.
func Header(b []byte) (f Frame, size int, broken Rule) {
	if len(b) < 2 {
		return f, 0, ""
	}
	bit := func(octet byte, n int) bool { return octet>>(7-n)&1 == 1 }
	f.FIN, f.RSV1, f.RSV2, f.RSV3 = bit(b[0], 0), bit(b[0], 1), bit(b[0], 2), bit(b[0], 3)
	f.Opcode = int(b[0]) % 16
	f.Masked = bit(b[1], 0)
	f.Length = uint64(b[1] % 128)
	more, least := 0, uint64(0) // octets of the extended length, and from when on they are needed
	switch f.Length {
	case 126:
		more, least = 2, 126
	case 127:
		more, least = 8, 65536
	}
	size = 2 + more
	known := b[2:min(size, len(b))]
	if more > 0 {
		f.Length = 0
		for _, c := range known {
			f.Length = f.Length*256 + uint64(c)
		}
		most := f.Length // that it can still become
		for range more - len(known) {
			most = most*256 + 255
		}
		switch {
		case more == 8 && len(known) > 0 && known[0] >= 128:
			return f, 0, LengthOverflow
		case most < least:
			broken = LengthNotMinimal
		}
	}
	if f.Masked {
		size += 4
	}
	if len(b) < size {
		return f, 0, broken
	}
	if f.Masked {
		f.Key = [4]byte(b[size-4:])
	}
	return f, size, broken
}

// Judge returns the first rule that the header of f breaks, or "". inMessage says that
// a message lacks its last fragment.
func (r Receiver) Judge(f *Frame, inMessage bool) Rule {
	switch {
	case f.RSV2, f.RSV3, f.RSV1 && !r.Deflate:
		return ReservedBits
	case f.RSV1 && f.Opcode != 1 && f.Opcode != 2:
		return ReservedBits // RFC 7692, Section 6: on the first frame of a message only
	case f.Opcode >= 3 && f.Opcode <= 7, f.Opcode >= 11:
		return ReservedOpcode
	case f.IsControl() && !f.FIN:
		return ControlFragmented
	case f.IsControl() && f.Length > 125:
		return ControlTooLong
	case f.Masked && !r.Server:
		return MaskForbidden
	case !f.Masked && r.Server:
		return MaskRequired
	case f.Opcode == 0 && !inMessage:
		return UnexpectedContinuation
	case f.Opcode >= 1 && f.Opcode <= 2 && inMessage:
		return ExpectedContinuation
	}
	return ""
}
