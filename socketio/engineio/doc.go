// Package engineio is Engine.IO, the layer below Socket.IO: a session of messages
// between a browser and a server that begins over HTTP polling wherever that
// passes, and moves to a WebSocket where that passes, too, with nothing lost, sent
// twice or out of order.
//
// It speaks revision 4 of the protocol and, where asked to, revision 3, as the
// npm packages engine.io and engine.io-client do; package codec has the octets.
// It can be used without Socket.IO.
//
// # Serving
//
// A [Server] is an [http.Handler] that can be mounted anywhere; clients look for
// it at /engine.io/. Its Handler is called for each session and returns the
// [Receiver] of its messages. [Session.Send] sends [Packet] values, which any
// number of sessions can share.
//
// # Dialing
//
// [Dial] is the client: it returns a [Session] like those of a server.
//
// # Receiving
//
// The messages of a session are received one at a time, in order. While a Receiver
// is busy with one, the session is not read: a slow application slows its peer
// down, and nothing piles up. What waits for the peer to answer must call
// [Session.Release] first.
//
// # Ending
//
// However a session ends, its Receiver is told exactly once, with one of the
// reasons that Node's server gives.
package engineio
