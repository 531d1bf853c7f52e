package deflate

// The range of the two window parameters (RFC 7692, Section 7.1.2), as the
// base-2 logarithm of the window size in octets.
const (
	MinWindowBits = 8
	MaxWindowBits = 15
)

// A ContextTakeover says whether a message may refer to the messages before it
// (RFC 7692, Section 7.1.1). The zero value is [NoTakeover].
type ContextTakeover bool

const (
	NoTakeover ContextTakeover = false // each message is compressed on its own
	Takeover   ContextTakeover = true  // the window is kept from message to message
)

// String returns "takeover" or "no takeover".
func (c ContextTakeover) String() string {
	if c == Takeover {
		return "takeover"
	}
	return "no takeover"
}

func checkWindowBits(n int) error {
	if n < MinWindowBits || n > MaxWindowBits {
		return ErrWindowBits
	}
	return nil
}
