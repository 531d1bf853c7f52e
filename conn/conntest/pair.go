package conntest

import (
	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// Pair returns the two sides of an open WebSocket connection over a [Pipe], for
// tests of code that is given a [*conn.Conn]. Nil options mean the defaults of
// package conn.
//
// There was no opening handshake: for one, or for a subprotocol, use a
// [Listener]. For faults between the two, give [conn.New] the ends of a Pipe,
// one of them in an [Inject].
//
// Both sides must be closed. A pair used in a synctest bubble must be made in
// it; its timeouts and its heartbeat then take no time.
func Pair(client, server *conn.Options) (c, s *conn.Conn) {
	a, b := Pipe(0)
	c = conn.New(a, frame.Client, conn.Handshake{}, client)
	s = conn.New(b, frame.Server, conn.Handshake{}, server)
	return c, s
}
