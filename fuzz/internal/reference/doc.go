// Package reference is what RFC 6455 says a receiver has to make of octets, in
// the plainest form: whole inputs, one octet after the other, no streaming and
// no thought of speed. Tests compare the implementation with it, so it shares
// no code with it and is written from the sections that it cites.
//
// [Frames] is Section 5 up to the payloads of frames, [Receive] what an endpoint
// makes of them, its messages and its end included.
package reference
