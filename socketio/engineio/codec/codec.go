// Package codec encodes and decodes the packets of Engine.IO, revisions 3 and 4,
// and the payloads that carry several of them over HTTP.
//
// The package is sans-I/O: its functions work on byte slices and hold no state.
// Each side of a session uses the same ones.
//
// # Packets
//
// A packet is a [Type] and data, which is text, or octets if it is binary; only
// messages are. As a WebSocket message it is encoded by [AppendText] or
// [AppendBinary], and decoded by [ParseText] or [ParseBinary].
//
// # Payloads
//
// The body of a polling request or response holds packets. In revision 4 it is
// text, whose packets stand between separators; in revision 3 it is text with a
// length before each packet, or binary. See [AppendPayload], [AppendBinaryPayload],
// [ParsePayload] and [ParseBinaryPayload]. Pages that cannot make cross-origin
// requests in revision 3 wrap payloads with [AppendJSONP] and [ParseJSONP].
//
// # Strictness
//
// Only what an encoder may write is decoded: a length without leading zeros, base64
// with its padding, text that is UTF-8. Encoding what was decoded returns the same
// octets.
package codec

import "strconv"

// A Revision is a version of the Engine.IO protocol.
type Revision int

// The revisions that are spoken today: 4 by Socket.IO 3 and later, 3 by Socket.IO 2.
const (
	V3 Revision = 3
	V4 Revision = 4
)

func (r Revision) String() string { return "Engine.IO " + strconv.Itoa(int(r)) }

// A Type says what a packet is for.
type Type uint8

// The types of packets. Their digit on the wire is '0' + Type.
const (
	Open    Type = iota // the server's first packet, with a handshake in JSON
	Close               // ends the session
	Ping                // of the heartbeat; with the data "probe" it asks whether a transport works
	Pong                // answers Ping
	Message             // carries data of the application
	Upgrade             // from the client: the new transport is in use from now on
	Noop                // answers a poll for which there is nothing else
)

func (t Type) String() string {
	switch t {
	case Open:
		return "open"
	case Close:
		return "close"
	case Ping:
		return "ping"
	case Pong:
		return "pong"
	case Message:
		return "message"
	case Upgrade:
		return "upgrade"
	case Noop:
		return "noop"
	}
	return "Type(" + strconv.Itoa(int(t)) + ")"
}

// A Packet is what a session sends and receives.
type Packet struct {
	Type Type

	// Binary says that Data is octets. It is text otherwise, valid UTF-8. Only a
	// Message is binary.
	Binary bool

	Data []byte
}
