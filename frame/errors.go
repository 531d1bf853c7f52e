package frame

import "errors"

// An Error reports that the peer broke a rule of RFC 6455. Only the Err values
// below are returned: match a rule with [errors.Is], read the close code with
// [errors.AsType].
type Error struct {
	code    CloseCode
	section string // of RFC 6455
	text    string
}

func (e *Error) Error() string {
	return "frame: " + e.text + " (RFC 6455, Section " + e.section + ")"
}

// CloseCode returns the code to send when failing the connection.
func (e *Error) CloseCode() CloseCode { return e.code }

// Rules for one header, of Sections 5.1, 5.2 and 5.5.
var (
	// ErrReservedBits is a reserved bit that no negotiated extension defines
	// for the frame.
	ErrReservedBits = &Error{CloseProtocolError, "5.2", "reserved bit set"}

	// ErrReservedOpcode is one of the opcodes 3 to 7 and 11 to 15.
	ErrReservedOpcode = &Error{CloseProtocolError, "5.2", "reserved opcode"}

	// ErrLengthNotMinimal is a payload length in more octets than it needs.
	ErrLengthNotMinimal = &Error{CloseProtocolError, "5.2", "payload length not minimally encoded"}

	// ErrLengthOverflow is a payload length with the most significant of its
	// 64 bits set.
	ErrLengthOverflow = &Error{CloseProtocolError, "5.2", "payload length over 63 bits"}

	// ErrMaskRequired is a frame from a client that is not masked.
	ErrMaskRequired = &Error{CloseProtocolError, "5.1", "frame from a client not masked"}

	// ErrMaskForbidden is a frame from a server that is masked.
	ErrMaskForbidden = &Error{CloseProtocolError, "5.1", "frame from a server masked"}

	// ErrControlTooLong is a control frame with more than [MaxControlPayload]
	// octets of payload.
	ErrControlTooLong = &Error{CloseProtocolError, "5.5", "control frame longer than 125 octets"}

	// ErrControlFragmented is a control frame without FIN.
	ErrControlFragmented = &Error{CloseProtocolError, "5.5", "control frame fragmented"}
)

// Rules between frames, of Section 5.4.
var (
	// ErrUnexpectedContinuation is a continuation frame when no message is open.
	ErrUnexpectedContinuation = &Error{CloseProtocolError, "5.4", "continuation without a message to continue"}

	// ErrExpectedContinuation is a text or binary frame inside a message.
	ErrExpectedContinuation = &Error{CloseProtocolError, "5.4", "new message inside an unfinished one"}
)

// Rules for payloads, of Sections 5.5.1, 7.4 and 8.1.
var (
	// ErrClosePayload is a Close frame with a payload of a single octet.
	ErrClosePayload = &Error{CloseProtocolError, "5.5.1", "Close payload of one octet"}

	// ErrCloseCode is a close code that must not stand in a Close frame.
	ErrCloseCode = &Error{CloseProtocolError, "7.4", "close code not allowed in a Close frame"}

	// ErrInvalidUTF8 is a text message or a close reason that is not UTF-8.
	ErrInvalidUTF8 = &Error{CloseInvalidFramePayloadData, "8.1", "text not valid UTF-8"}
)

// Mistakes of the caller when encoding. They are not of type [*Error], since
// they are nothing to tell the peer.
var (
	// ErrHeader is a header that cannot be encoded: a negative length, an opcode
	// above 15, a flag that is none; for [AppendMessage] also an opcode other
	// than [OpText] and [OpBinary].
	ErrHeader = errors.New("frame: header cannot be encoded")

	// ErrPayload is a payload longer than its header says.
	ErrPayload = errors.New("frame: payload longer than the header's length")
)
