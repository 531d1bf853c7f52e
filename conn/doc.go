// Package conn is a WebSocket connection (RFC 6455), for servers and clients.
//
// # Accepting and dialing
//
// A [Server] runs a handler for each connection, as an http.Handler or on a
// listener of its own. [Accept] is its one step inside any other handler of
// net/http, [AcceptConn] on a bare connection. [Dial] connects to a server, and
// [Redial] keeps a connection up. [New] takes any stream on which another
// handshake was done.
//
// # Reading
//
// One goroutine reads, in a loop that ends with the connection:
//
//	for m, err := range c.Messages(ctx) {
//		if err != nil {
//			return err
//		}
//		…
//	}
//
// Control frames are handled inside the methods that read: a connection that is
// not read neither answers pings nor notices its end. [Conn.Discard] reads
// where no messages are expected. [Conn.ReadMessage] returns a slice that is
// valid until the next read, [Conn.AppendMessage] fills one of the caller's,
// [Conn.NextReader] streams.
//
// # Writing
//
// Any goroutine writes, at any time. [Conn.WriteMessage] returns when the
// transport has taken the message, or when that will be so in a millisecond at
// most: answers to messages that came at once share a system call.
// [Conn.NextWriter] streams one in fragments, [Prepare] encodes one for many
// connections. [Conn.Post] sends without waiting for the peer, and a [Hub] does so
// to many.
//
// # Compression
//
// With Options.Compression both roles agree on permessage-deflate (RFC 7692) if
// the peer does, too. Messages are then compressed where that makes them shorter,
// and limits count what they inflate to. [Conn.WriteUncompressed] is for messages
// that mix secrets with what others chose.
//
// # Ending
//
// [Conn.Close] does the closing handshake, [Conn.CloseNow] does not. However a
// connection ends, all methods return the same [*CloseError] from then on,
// which says who ended it, with which code, and why. It matches net.ErrClosed.
// The last frame is delivered: the transport is closed only after the peer had
// the time to read it.
//
// # Contexts
//
// A context ends an operation, not the connection: while it waits for a frame
// to come, or for its turn to write one, the error is the cause of the context
// and the connection goes on. Only in the middle of a frame there is no way
// back, and the error says so.
//
// # Limits
//
// The defaults of [Options] are safe against a hostile peer: messages of 1 MiB,
// a bounded number of fragments and control frames, time limits for everything
// that is waited for, a heartbeat on servers, and the pages of the same origin
// only. A [MemoryBudget] limits what the messages of all connections take together.
// Where there is a limit on what a peer sends, going beyond it fails the
// connection with the code that says so.
package conn
