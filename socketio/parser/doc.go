// Package parser encodes and decodes the packets of Socket.IO, revisions 5 and 4
// of its protocol, which are alike in this.
//
// The package is sans-I/O: a packet becomes messages of Engine.IO and back. A
// [Packet] is an event, an acknowledgement, or a step of joining and leaving a
// namespace. Its payload is JSON; whatever is binary in it is an attachment, for
// which the JSON has a placeholder.
//
// # Encoding
//
// [Packet.SetArgs] takes Go values, finds each []byte in them and makes it an
// attachment. A [Parser] turns the packet into messages: [JSON], the default, or
// [Msgpack].
//
// # Decoding
//
// A [Decoder] takes the messages of one peer and gives out packets. They are
// checked as a whole in one pass, before anything is decoded: against the rules
// of the protocol and against [Limits]. The payload stays where it was received.
// [Packet.Values] gives out its values, and [Value.Decode] stores one of them in a
// variable of the type that the application wants, attachments in []byte.
//
// # Errors
//
// Every error is a [*PacketError] with its [Reason], which [errors.Is] finds.
package parser
