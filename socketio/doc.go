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
// # Coming from version 2
//
// What older tutorials use has these names here:
//
//   - io.clients(f), io.in(room).clients(f): [Server.ClientIDs], [Broadcast.ClientIDs]
//   - namespace.connected: [Namespace.Sockets], [Namespace.Socket]
//   - io.origins(list): engineio.Options.Origins, which are those of the page itself
//     unless others are allowed
//   - socket.client, socket.conn: [Socket.Sockets], [Socket.Session]
//   - socket.rooms: [Socket.Rooms]; join and leave return errors instead of calling
//     a function
//   - io.set, engine.generateId: fields of [Server] and of engineio.Options
//   - the flags json and binary: nothing, since arguments say it themselves
//
// Clients of version 2 need engineio.Options.EIO3. They are told of an error of
// middleware in their event error, and their ids are those that they expect: of the
// session, behind the name of the namespace unless that is the main one.
//
// Servers of version 2 waited 5 seconds for an answer to a ping, took messages of up
// to 100 MB, compressed them and set a cookie: see PingTimeout, MaxPayload,
// Compression and Cookie of engineio.Options for what is the default now.
//
// # Errors
//
// What a client does wrong ends its session or is told to it, and never ends the
// program: see [Server.OnFault], [Socket.OnError] and [FaultError].
package socketio
