package codec

// An Error is what is wrong with octets that were to be decoded. Only the Err values
// below are returned: match one with [errors.Is].
type Error struct{ text string }

func (e *Error) Error() string { return "engineio: " + e.text }

var (
	// ErrType is a packet without a type, or with one that does not exist.
	ErrType = &Error{"packet without a valid type"}
	// ErrBase64 is a binary packet in text that is not canonical base64 with its
	// padding (RFC 4648, Sections 3.5 and 4).
	ErrBase64 = &Error{"binary packet is not canonical base64"}
	// ErrUTF8 is text that is not UTF-8.
	ErrUTF8 = &Error{"text is not UTF-8"}
	// ErrLength is, in revision 3, a length that is not canonical, or that no
	// packet of this length follows.
	ErrLength = &Error{"packet without a valid length"}
	// ErrEmpty is a payload without octets.
	ErrEmpty = &Error{"empty payload"}
	// ErrTooManyPackets is a payload with more packets than are accepted.
	ErrTooManyPackets = &Error{"too many packets in a payload"}
	// ErrJSONP is the body of a JSONP request that is not a form with a payload.
	ErrJSONP = &Error{"not a form with a payload"}
)
