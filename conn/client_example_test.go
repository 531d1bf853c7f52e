package conn_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

func ExampleDial() {
	server := httptest.NewServer(&conn.Server{Handler: func(c *conn.Conn) {
		for m, err := range c.Messages(c.Context()) {
			if err != nil || c.WriteMessage(c.Context(), m.Opcode, m.Payload) != nil {
				return
			}
		}
	}})
	defer server.Close()

	ctx := context.Background()
	c, err := conn.Dial(ctx, server.URL+"/echo", nil) // or ws://…, or wss://…
	if err != nil {
		log.Fatal(err)
	}
	defer c.CloseNow()
	if err := c.WriteMessage(ctx, frame.OpText, []byte("hello")); err != nil {
		log.Fatal(err)
	}
	op, p, err := c.ReadMessage(ctx)
	fmt.Printf("%v %s %v\n", op, p, err)
	fmt.Println(c.Close(frame.CloseNormalClosure, "bye"))
	// Output:
	// text hello <nil>
	// <nil>
}

func ExampleRedial() {
	server := httptest.NewServer(&conn.Server{Handler: func(c *conn.Conn) {
		c.WriteMessage(c.Context(), frame.OpText, []byte("hello"))
		c.Discard(c.Context())
	}})
	defer server.Close()

	ctx, cancel := context.WithCancel(context.Background())
	err := conn.Redial(ctx, server.URL, nil, func(c *conn.Conn) {
		for m, err := range c.Messages(ctx) {
			fmt.Printf("%s %v\n", m.Payload, err)
			cancel() // enough for an example
			return
		}
	})
	fmt.Println(err)
	// Output:
	// hello <nil>
	// context canceled
}
