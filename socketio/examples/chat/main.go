package main

import (
	"log"
	"net/http"

	"example.org/rfc6455/socketio"
)

func main() {
	io := &socketio.Server{}
	io.OnConnect(func(s *socketio.Socket) {
		s.On("chat message", func(msg string) { io.Emit("chat message", msg) })
		s.OnDisconnect(func(socketio.Reason, error) { io.Emit("user disconnected") })
	})
	http.Handle("/socket.io/", io)
	http.Handle("/", http.FileServer(http.Dir("public")))
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", nil))
}
