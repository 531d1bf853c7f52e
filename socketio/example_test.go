package socketio_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"example.org/rfc6455/socketio"
	"example.org/rfc6455/socketio/engineio"
)

// The chat of the tutorial: what one says, all hear.
func Example() {
	var io socketio.Server
	io.OnConnect(func(s *socketio.Socket) {
		s.On("chat message", func(text string) { io.Emit("chat message", text) })
	})
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", &io)
	mux.Handle("/", http.FileServer(http.Dir("public")))
	// http.ListenAndServe(":3000", mux)

	a, b := visit(mux), visit(mux)
	a.send("40")
	a.print()
	b.send("40")
	b.print()
	a.send(`42["chat message","hello"]`)
	a.print()
	b.print()
	// Output:
	// 40{"sid":"…"}
	// 40{"sid":"…"}
	// 42["chat message","hello"]
	// 42["chat message","hello"]
}

// Sending and receiving: the server greets with news, the client answers with an
// event of its own.
func ExampleSocket_Emit() {
	var io socketio.Server
	io.OnConnect(func(s *socketio.Socket) {
		s.Emit("news", map[string]string{"hello": "world"})
		s.On("my other event", func(data map[string]string) { fmt.Println(data) })
	})

	c := visit(&io)
	c.send("40")
	c.print()
	c.print()
	c.send(`42["my other event",{"my":"data"}]`)
	c.flush()
	// Output:
	// 40{"sid":"…"}
	// 42["news",{"hello":"world"}]
	// map[my:data]
}

// Private messages: a name of each user, and a room of that name.
func ExampleSocket_To() {
	var io socketio.Server
	io.OnConnect(func(s *socketio.Socket) {
		s.On("set nickname", func(name string) { s.SetData(name); s.Join(name) })
		s.On("private message", func(to, text string) { s.To(to).Emit("private message", s.Data(), text) })
	})

	ann, bob := visit(&io), visit(&io)
	ann.send("40", `421["set nickname","ann"]`)
	ann.print()
	bob.send("40", `421["set nickname","bob"]`)
	bob.print()
	bob.flush()
	ann.send(`42["private message","bob","psst"]`)
	bob.print()
	// Output:
	// 40{"sid":"…"}
	// 40{"sid":"…"}
	// 42["private message","ann","psst"]
}

// Namespaces divide an application over one connection.
func ExampleServer_Of() {
	var io socketio.Server
	chat, news := io.Of("/chat"), io.Of("/news")
	chat.OnConnect(func(s *socketio.Socket) {
		s.Emit("a message", map[string]any{"that": "only", "/chat": "will get"})
		chat.Emit("a message", map[string]any{"everyone": "in", "/chat": "will get"})
	})
	news.OnConnect(func(s *socketio.Socket) { s.Emit("item", map[string]string{"news": "item"}) })

	c := visit(&io)
	c.send("40/chat,", "40/news,")
	for range 5 {
		c.print()
	}
	// Output:
	// 40/chat,{"sid":"…"}
	// 42/chat,["a message",{"/chat":"will get","that":"only"}]
	// 42/chat,["a message",{"/chat":"will get","everyone":"in"}]
	// 40/news,{"sid":"…"}
	// 42/news,["item",{"news":"item"}]
}

// Tweets that come too fast for a client are dropped.
func ExampleSocket_Volatile() {
	var io socketio.Server
	io.OnConnect(func(s *socketio.Socket) {
		tweets := time.NewTicker(time.Millisecond)
		go func() {
			defer tweets.Stop()
			for s.Connected() {
				<-tweets.C
				s.Volatile().Emit("bieber tweet", "baby")
			}
		}()
	})

	c := visit(&io)
	c.send("40")
	c.print()
	c.print()
	// Output:
	// 40{"sid":"…"}
	// 42["bieber tweet","baby"]
}

// Acknowledgements: the function's result is the answer.
func ExampleSocket_On() {
	var io socketio.Server
	io.OnConnect(func(s *socketio.Socket) {
		s.On("ferret", func(name, word string) string { return name + " says " + word })
		s.On("later", func(ack socketio.Ack) { time.AfterFunc(time.Millisecond, func() { ack("woot") }) })
		s.On("divide", func(ctx context.Context, a, b int) (int, error) {
			if b == 0 {
				return 0, &socketio.Error{Message: "division by zero"}
			}
			return a / b, nil
		})
	})

	c := visit(&io)
	c.send("40", `420["ferret","tobi","woot"]`)
	c.print()
	c.print()
	for _, event := range []string{`421["later"]`, `422["divide",6,3]`, `423["divide",1,0]`, `424["divide","x"]`} {
		c.send(event)
		c.print()
	}
	// Output:
	// 40{"sid":"…"}
	// 430["tobi says woot"]
	// 431["woot"]
	// 432[2]
	// 433[{"error":"division by zero"}]
	// 434[{"error":"invalid arguments"}]
}

// Asking a client, in one of its handlers.
func ExampleSocket_Call() {
	var io socketio.Server
	io.OnConnect(func(s *socketio.Socket) {
		s.On("order", func(ctx context.Context, dish string) (string, error) {
			answer, err := s.Timeout(10*time.Second).Call(ctx, "really?", dish)
			if err != nil {
				return "", err
			}
			var sure bool
			if err := answer.Decode(&sure); err != nil || !sure {
				return "nothing", err
			}
			return dish, nil
		})
	})

	c := visit(&io)
	c.send("40", `425["order","cake"]`)
	c.print()
	c.print()
	c.send(`430[true]`)
	c.print()
	// Output:
	// 40{"sid":"…"}
	// 420["really?","cake"]
	// 435["cake"]
}

// To everyone else.
func ExampleSocket_Broadcast() {
	var io socketio.Server
	io.OnConnect(func(s *socketio.Socket) { s.Broadcast().Emit("user connected") })

	a, b := visit(&io), visit(&io)
	a.send("40")
	a.print()
	b.send("40")
	a.print()
	// Output:
	// 40{"sid":"…"}
	// 42["user connected"]
}

// Rooms: joined by the server, left by themselves, and still there while a client is
// on its way out.
func ExampleSocket_OnDisconnecting() {
	var io socketio.Server
	io.OnConnect(func(s *socketio.Socket) {
		s.Join("some room")
		s.OnDisconnecting(func(reason socketio.Reason, _ error) {
			s.To(s.Rooms()...).Emit("user has left", reason)
		})
	})

	a, b := visit(&io), visit(&io)
	a.send("40")
	a.print()
	a.flush()
	b.send("40")
	b.print()
	b.send("41")
	a.print()
	// Output:
	// 40{"sid":"…"}
	// 40{"sid":"…"}
	// 42["user has left","client namespace disconnect"]
}

// Middleware decides who may connect.
func ExampleServer_Use() {
	var io socketio.Server
	io.Use(func(ctx context.Context, s *socketio.Socket) error {
		var auth struct{ Token string }
		if s.Handshake().Auth.Decode(&auth) != nil || auth.Token != "secret" {
			return &socketio.Error{Message: "not authorized", Data: map[string]string{"content": "Please retry later"}}
		}
		return nil
	})

	c := visit(&io)
	c.send("40", `40{"token":"secret"}`)
	c.print()
	c.print()
	// Output:
	// 44{"message":"not authorized","data":{"content":"Please retry later"}}
	// 40{"sid":"…"}
}

// Middleware of a socket sees its events.
func ExampleSocket_Use() {
	var io socketio.Server
	io.OnConnect(func(s *socketio.Socket) {
		s.Use(func(e *socketio.Event) error {
			if e.Name == "admin" {
				return &socketio.Error{Message: "unauthorized event"}
			}
			return nil
		})
		s.On("admin", func() { fmt.Println("never") })
	})

	c := visit(&io)
	c.send("40", `421["admin"]`)
	c.print()
	c.print()
	// Output:
	// 40{"sid":"…"}
	// 431[{"error":"unauthorized event"}]
}

// A broadcast that asks every client.
func ExampleBroadcast_Call() {
	var io socketio.Server
	c := visit(&io)
	c.send("40")
	c.print()

	answered := make(chan bool)
	go func() {
		answers, err := io.Timeout(10*time.Second).Call(context.Background(), "are you there?")
		fmt.Println(answers, err)
		close(answered)
	}()
	c.print()
	c.send(`430["yes"]`)
	<-answered
	// Output:
	// 40{"sid":"…"}
	// 420["are you there?"]
	// ["yes"] <nil>
}

// Clients of version 2, pages of another origin, and clients that come back.
func ExampleServer() {
	io := socketio.Server{
		Engine: &engineio.Options{
			EIO3:    true,
			Origins: []string{"https://app.example.com"},
			CORS:    &engineio.CORS{Credentials: true},
		},
		Recovery: &socketio.Recovery{},
		OnFault:  func(e *socketio.FaultError) { fmt.Println(e.Fault) },
	}
	defer io.Shutdown(context.Background())

	c := visit(&io)
	c.send("40")
	c.print()
	c.send(`42["connect"]`)
	c.print()
	// Output:
	// 40{"sid":"…","pid":"…"}
	// reserved-event
	// closed
}
