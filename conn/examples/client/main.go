package main

import (
	"context"
	"fmt"

	"example.org/rfc6455/conn"
)

func main() {
	conn.Redial(context.Background(), "ws://127.0.0.1:8080/time", nil, func(c *conn.Conn) {
		for m, err := range c.Messages(c.Context()) {
			fmt.Println(string(m.Payload), err)
		}
	})
}
