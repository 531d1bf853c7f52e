package deflate

// An Error reports a message that cannot be inflated, a parameter that cannot
// be agreed on, or a codec that cannot be built. Only the Err values below are
// returned: match them with [errors.Is].
//
// A connection fails with close code 1009 on [ErrTooLarge], with 1008 on
// [ErrNoOutput] and with 1007 on any other error of a [Decompressor].
type Error struct {
	rfc, section string
	text         string
}

// Error returns the text of e for people, with the section it rests on.
func (e *Error) Error() string {
	return "deflate: " + e.text + " (RFC " + e.rfc + ", Section " + e.section + ")"
}

// Errors of [Decompressor.Append].
var (
	// ErrBlockType is a block of the reserved type 11.
	ErrBlockType = &Error{"1951", "3.2.3", "reserved block type"}
	// ErrStoredLength is a stored block whose LEN and NLEN are not complements.
	ErrStoredLength = &Error{"1951", "3.2.4", "stored length does not match its complement"}
	// ErrCodeLengths is a dynamic block whose code lengths are no Huffman code.
	ErrCodeLengths = &Error{"1951", "3.2.7", "code lengths are not a Huffman code"}
	// ErrSymbol is a bit pattern that no code stands for, or the code of a
	// symbol that never occurs.
	ErrSymbol = &Error{"1951", "3.2.5", "unassigned code"}
	// ErrDistance is a reference beyond the negotiated window, before the first
	// octet, or without context takeover into an earlier message.
	ErrDistance = &Error{"7692", "7.2.2", "reference beyond the window"}
	// ErrTruncated is a message that ends inside a block.
	ErrTruncated = &Error{"7692", "7.2.2", "message ends inside a block"}
	// ErrTooLarge is a message longer than its limit.
	ErrTooLarge = &Error{"7692", "8", "inflated message exceeds the limit"}
	// ErrNoOutput is a message with far more octets than it inflates to.
	ErrNoOutput = &Error{"7692", "8", "too many octets that inflate to nothing"}
)

// ErrWindowBits is a window size outside [MinWindowBits] to [MaxWindowBits]. It
// is returned by [NewCompressor] and [NewDecompressor].
var ErrWindowBits = &Error{"7692", "7.1.2", "window bits out of range"}

// ErrAnswer is a server's answer that does not fit the offer. It is returned by
// [Config.Confirm].
var ErrAnswer = &Error{"7692", "7.1", "answer does not fit the offer"}
