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
// number of sessions can share. What asks for a WebSocket under another path is
// answered by whoever serves that: a refusal, not silence.
//
// The http.Server should limit the time for the head of a request, as
// [http.Server].ReadHeaderTimeout does. Its ReadTimeout and WriteTimeout do not end
// a poll that is held.
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
// # Polling
//
// HTTP does not tell a server whether a response has arrived. What was written in
// answer to a poll counts as sent; what could not be written is queued again, and is
// sent if the client moves to a WebSocket all the same. Otherwise a poll that is given
// up ends the session, as it does with Node's server, and [Session.Stats] counts what
// is left. Two polls at a time end it, too, and so do two requests with packets.
//
// # Ending
//
// However a session ends, its Receiver is told exactly once, with one of the
// reasons that Node's server gives. [Session.Context] ends at the same time.
//
// # Limits
//
// What a client can make a server hold is bounded: a request or message of
// Options.MaxPayload, with at most Options.MaxPackets packets; what is queued for it;
// a request head of 16 KiB, which a session keeps; Options.MaxSessions sessions. An
// idle session takes some kilobytes, and one goroutine if it is on a WebSocket.
package engineio
