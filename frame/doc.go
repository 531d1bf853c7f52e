// Package frame encodes and decodes the frames of RFC 6455, Section 5.
//
// The package is sans-I/O: its functions work on byte slices, hold no
// reference to a connection and start no goroutine. Package conn supplies the
// network, the timers and the masking keys.
//
// # Decoding
//
// A [Decoder] takes octets as they come and gives headers and pieces of
// payload, unmasked in place, with every rule of Section 5 applied. Its parts
// are there for callers with a loop of their own: [ParseHeader] decodes one
// header and reports how many octets it took, [Header.Validate] checks what a
// header may say on its own, [Sequence.Next] what it may say after the frames
// before it. Text is checked by a [UTF8], which can unmask it in the same pass,
// and a Close frame's payload by [ParseClose]. How long a message may become is
// for the caller to limit, from [Header.Length], which no function here trusts.
//
// On amd64 processors with AVX2, and on arm64, text is checked in assembly; the
// build tag purego leaves it to Go.
//
// # Encoding
//
// [AppendFrame] encodes a frame, [AppendMessage] a message in fragments,
// [AppendClose] the payload of a Close frame, [Transform] a frame on its way
// through a proxy. [Header.AppendBinary] encodes a header alone.
//
// # Errors
//
// Every violation by the peer is an [*Error] carrying the close code to answer
// with. Running out of input is not an error. What the caller asks to encode
// and cannot be encoded is [ErrHeader] or [ErrPayload], which carry none.
//
// # Concurrency
//
// Functions may be called concurrently on different slices. A [Decoder], a
// [Sequence] and a [UTF8] serve one goroutine at a time.
package frame
