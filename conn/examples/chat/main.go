package main

import (
	"log"
	"net/http"

	"example.org/rfc6455/conn"
)

func main() {
	var chat conn.Server
	chat.Handler = func(c *conn.Conn) {
		for m, err := range c.Messages(c.Context()) {
			if err != nil {
				return
			}
			message, _ := conn.Prepare(m.Opcode, m.Payload)
			chat.Hub().Broadcast(message, nil)
		}
	}
	http.Handle("/chat", &chat)
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", nil))
}
