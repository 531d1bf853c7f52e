// Package deflate is the permessage-deflate extension of RFC 7692 on byte
// slices: the negotiation of its parameters, a compressor and a decompressor.
//
// The package does no I/O and knows nothing of frames. RSV1 on the first frame
// of a message says that the message is compressed (RFC 7692, Section 6); the
// payloads of its frames go to [Decompressor.Append] in order, and what
// [Compressor.Append] returns is the payload of a message to send, to be cut
// into frames at will.
//
// # Negotiation
//
// A server gives the extensions of the request to [Config.Accept] and answers
// with what it returns. A client sends [Config.Offer] and gives the extensions
// of the response to [Config.Confirm]. Both end up with the same [Params], which
// say for each direction how far back the compressor may reach and whether it
// may refer to earlier messages.
//
// # Memory
//
// With [NoTakeover] a codec holds nothing between messages; its working memory
// comes from a pool while a message is under way. With [Takeover] it keeps what
// later messages may refer to: at w window bits a decompressor at most 2^w
// octets, a compressor 4 times that but no more than 64 KiB, and both less while
// little was sent. See [Compressor.Memory] and [Decompressor.Memory].
//
// # Hostile data
//
// Whatever arrives, a decompressor appends no more than the limit it is given,
// counted after inflation, its own memory stays within its window and some
// 10 KiB of tables, and its work is bounded by the octets received: a message of
// blocks that yield nothing is refused.
//
// # Secrets
//
// Who chooses part of a message and sees how long it is on the wire learns about
// the rest of it, with takeover about the messages before it too. A message that
// mixes secrets with what others wrote is better sent uncompressed; that is any
// message's choice, and leaves the context as it is.
package deflate
