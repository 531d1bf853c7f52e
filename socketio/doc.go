// Package socketio is a Socket.IO server for the official clients, in browsers and
// elsewhere, unchanged; and a client for such servers.
//
// # Serving
//
// A [Server] is an http.Handler:
//
//	var io socketio.Server
//	io.OnConnect(func(s *socketio.Socket) {
//		s.On("chat message", func(text string) { io.Emit("chat message", text) })
//	})
//	http.Handle("/socket.io/", &io)
//
// # Events
//
// A handler is an ordinary function, whose parameters are the arguments of the event:
// see [Socket.On]. JSON is decoded straight into them, and a []byte receives octets,
// wherever it is. Results, or an [Ack], answer the event.
//
// [Socket.Emit] sends an event, [Socket.Call] waits for the answer.
//
// # Rooms and broadcasts
//
// A [Broadcast] is a choice of sockets, by their rooms: server.To("room").Emit(…),
// socket.Broadcast().Emit(…). It is encoded once, and waits for nobody.
//
// # Namespaces
//
// [Server.Of] divides a server into namespaces, [Server.OfRegexp] and [Server.OfFunc]
// let clients create them. [Namespace.Use] decides who may join.
//
// # Order and back-pressure
//
// The handlers of a client run one after the other in the order in which its events
// came, on the goroutine that received them. While one runs the client is not read.
// Nothing is queued without a bound: neither what comes, nor what is sent.
//
// # Connecting
//
// [NewClient] returns a client of a namespace; register its handlers, then
// [Client.Connect] it. It comes back when its connection is lost.
//
// # Errors
//
// What a client does wrong ends its session or is told to it, and never ends the
// program: see [Server.OnFault], [Socket.OnError] and [FaultError].
package socketio
