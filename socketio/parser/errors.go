package parser

import "strconv"

// A Reason says which rule a packet breaks. It is an error, so that
// errors.Is(err, parser.ErrDepth) finds it in a [*PacketError].
type Reason uint8

// The rules of packets. Limits are those of [Limits].
const (
	// ErrPacketType is a missing or unknown type of packet, or one of another
	// kind of message.
	ErrPacketType Reason = iota + 1
	// ErrNamespace is a namespace that is too long or cannot be written.
	ErrNamespace
	// ErrAckID is an id that is not written in as few digits as it needs, is
	// beyond [MaxID], or belongs to a packet that cannot have one.
	ErrAckID
	// ErrAttachmentCount is a number of attachments that is missing, zero, or
	// not written in as few digits as it needs.
	ErrAttachmentCount
	// ErrTooManyAttachments is more attachments than Limits.MaxAttachments.
	ErrTooManyAttachments
	// ErrPayload is a payload that is missing, or of another kind than the type
	// of the packet wants.
	ErrPayload
	// ErrEventName is the name of an event that is neither a string nor a
	// number, is empty, or is longer than Limits.MaxEventName.
	ErrEventName
	// ErrReservedEvent is the name of an event that only a library may use.
	ErrReservedEvent
	// ErrJSON is a payload that is not JSON in UTF-8.
	ErrJSON
	// ErrMsgpack is a message that is not MessagePack, or uses more of it than
	// packets do.
	ErrMsgpack
	// ErrDepth is a payload nested more deeply than Limits.MaxDepth.
	ErrDepth
	// ErrTooManyElements is a payload of more values than Limits.MaxElements.
	ErrTooManyElements
	// ErrPlaceholder is a placeholder that stands for no attachment or one that
	// another stands for, or an attachment that none stands for.
	ErrPlaceholder
	// ErrExpectedAttachment is a text message where an attachment must come.
	ErrExpectedAttachment
	// ErrUnexpectedAttachment is a binary message where none is awaited.
	ErrUnexpectedAttachment
	// ErrTooBig is a packet of more octets than Limits.MaxSize.
	ErrTooBig
	// ErrArgument is an argument that cannot be encoded, or not be decoded into
	// the type that is wanted.
	ErrArgument
)

var reasons = [...]string{
	ErrPacketType:           "packet-type",
	ErrNamespace:            "namespace",
	ErrAckID:                "ack-id",
	ErrAttachmentCount:      "attachment-count",
	ErrTooManyAttachments:   "too-many-attachments",
	ErrPayload:              "payload",
	ErrEventName:            "event-name",
	ErrReservedEvent:        "reserved-event",
	ErrJSON:                 "json",
	ErrMsgpack:              "msgpack",
	ErrDepth:                "depth",
	ErrTooManyElements:      "too-many-elements",
	ErrPlaceholder:          "placeholder",
	ErrExpectedAttachment:   "expected-attachment",
	ErrUnexpectedAttachment: "unexpected-attachment",
	ErrTooBig:               "too-big",
	ErrArgument:             "argument",
}

// String returns a word for machines, such as "too-many-attachments". It does
// not change from one version to the next.
func (r Reason) String() string {
	if int(r) < len(reasons) && r > 0 {
		return reasons[r]
	}
	return "Reason(" + strconv.Itoa(int(r)) + ")"
}

func (r Reason) Error() string { return "parser: " + r.String() }

// A PacketError says what is wrong with a packet, or with one of its arguments.
type PacketError struct {
	// Reason is the rule. [errors.Is] finds it.
	Reason Reason
	// Offset is how many octets of the message come before the one that broke
	// the rule.
	Offset int
	// Err is the error of the JSON package or of a type's own method, for
	// ErrArgument, and else nil.
	Err error
}

func (e *PacketError) Error() string {
	s := "parser: " + e.Reason.String() + " at octet " + strconv.Itoa(e.Offset)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns Reason and Err.
func (e *PacketError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Reason}
	}
	return []error{e.Reason, e.Err}
}

// fail returns the error for a rule that is broken at an octet.
func fail(r Reason, offset int) error { return &PacketError{Reason: r, Offset: offset} }

// failArgument returns the error for an argument; it keeps a *PacketError.
func failArgument(err error) error {
	if e, ok := err.(*PacketError); ok {
		return e
	}
	return &PacketError{Reason: ErrArgument, Err: err}
}
