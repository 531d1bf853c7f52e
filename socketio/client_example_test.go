package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"time"

	"example.org/rfc6455/socketio"
)

// A client of two namespaces on one connection: it sends events and gets them, and
// asks and is asked.
func ExampleClient() {
	var io socketio.Server
	io.OnConnect(func(s *socketio.Socket) {
		s.On("greet", func(name string) { s.Emit("greeting", "hello, "+name) })
	})
	io.Of("/sums").OnConnect(func(s *socketio.Socket) {
		s.On("add", func(a, b int) int { return a + b })
	})
	server := httptest.NewServer(&io)
	defer server.Close()
	defer io.Shutdown(context.Background())

	c, err := socketio.NewClient(server.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Manager().Close()
	greetings := make(chan string)
	c.On("greeting", func(text string) { greetings <- text })
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := c.Connect(ctx); err != nil {
		fmt.Println(err)
		return
	}
	c.Emit("greet", "world")
	fmt.Println(<-greetings)

	sums, _ := c.Of("/sums")
	if err := sums.Connect(ctx); err != nil {
		fmt.Println(err)
		return
	}
	sum, err := sums.Call(ctx, "add", 20, 22)
	fmt.Println(sum, err)
	// Output:
	// hello, world
	// 42 <nil>
}

// A server that refuses a client says why.
func ExampleClient_Connect() {
	var io socketio.Server
	io.Use(func(_ context.Context, s *socketio.Socket) error {
		var auth struct{ Token string }
		if s.Handshake().Auth.Decode(&auth); auth.Token != "secret" {
			return &socketio.Error{Message: "not authorized", Data: "ask for a token"}
		}
		return nil
	})
	server := httptest.NewServer(&io)
	defer server.Close()
	defer io.Shutdown(context.Background())

	for _, token := range []string{"guess", "secret"} {
		c, err := socketio.NewClient(server.URL, &socketio.ClientOptions{Auth: map[string]string{"token": token}})
		if err != nil {
			fmt.Println(err)
			return
		}
		defer c.Manager().Close()
		err = c.Connect(context.Background())
		if refused, ok := errors.AsType[*socketio.Error](err); ok {
			fmt.Println(refused.Message+":", refused.Data)
		}
		fmt.Println("connected:", c.Connected())
	}
	// Output:
	// not authorized: ask for a token
	// connected: false
	// connected: true
}
