package main

import (
	"log"
	"net/http"

	"example.org/rfc6455/conn"
)

func main() {
	http.Handle("/echo", &conn.Server{Handler: func(c *conn.Conn) {
		for m, err := range c.Messages(c.Context()) {
			if err != nil || c.WriteMessage(c.Context(), m.Opcode, m.Payload) != nil {
				return
			}
		}
	}})
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", nil))
}
