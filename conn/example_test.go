package conn_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

// An echo server: the handler of a connection, served by net/http.
func Example() {
	echo := &conn.Server{Handler: func(c *conn.Conn) {
		ctx := c.Context()
		for m, err := range c.Messages(ctx) {
			if err != nil || c.WriteMessage(ctx, m.Opcode, m.Payload) != nil {
				return
			}
		}
	}}
	server := httptest.NewServer(echo)
	defer server.Close()

	ctx := context.Background()
	c, err := conn.Dial(ctx, server.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseNow()
	c.WriteMessage(ctx, frame.OpText, []byte("hello"))
	op, p, err := c.ReadMessage(ctx)
	fmt.Printf("%v %s %v\n", op, p, err)
	fmt.Println(c.Close(frame.CloseNormalClosure, ""))
	// Output:
	// text hello <nil>
	// <nil>
}

// A handler of one's own accepts connections from pages of another origin, of
// users it knows.
func ExampleAccept() {
	options := &conn.AcceptOptions{
		Origins:      []string{"https://app.example.com"},
		Subprotocols: []string{"chat.v2", "chat.v1"},
		OnRequest: func(r *handshake.Request) (conn.Answer, error) {
			tokens := r.Header.Values("X-Token")
			if len(tokens) != 1 {
				return conn.Answer{}, &conn.RefusedError{Status: http.StatusUnauthorized}
			}
			return conn.Answer{Data: "user of " + tokens[0]}, nil
		},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /chat/{room}", func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Accept(w, r, options)
		if err != nil {
			return // the request was answered
		}
		defer c.CloseNow()
		welcome := fmt.Sprintf("%v in %s, speaking %s", c.Data(), r.PathValue("room"), c.Subprotocol())
		c.WriteMessage(c.Context(), frame.OpText, []byte(welcome))
		c.Close(frame.CloseNormalClosure, "")
	})
	server := httptest.NewServer(mux)
	defer server.Close()

	ctx := context.Background()
	_, err := conn.Dial(ctx, server.URL+"/chat/lobby", nil)
	fmt.Println(err)
	c, err := conn.Dial(ctx, server.URL+"/chat/lobby", &conn.DialOptions{
		Subprotocols: []string{"chat.v1"},
		Header:       http.Header{"X-Token": {"4711"}, "Origin": {"https://app.example.com"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseNow()
	_, p, _ := c.ReadMessage(ctx)
	fmt.Printf("%s\n", p)
	// Output:
	// conn: handshake refused: 401 Unauthorized: "Unauthorized"
	// user of 4711 in lobby, speaking chat.v1
}

// A connection of one's own, without net/http.
func ExampleAcceptConn() {
	a, b := conntest.Pipe(0) // or of a net.Listener
	go func() {
		c, err := conn.AcceptConn(context.Background(), a, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		c.WriteMessage(c.Context(), frame.OpText, []byte("you asked for "+c.Target()))
	}()

	ctx := context.Background()
	c, err := conn.DialConn(ctx, b, "ws://example.com/news?since=5", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseNow()
	_, p, _ := c.ReadMessage(ctx)
	fmt.Printf("%s\n", p)
	// Output: you asked for /news?since=5
}

// A server without net/http, that ends in an orderly way: what was written
// arrives, then each client is told with 1001.
func ExampleServer_Shutdown() {
	server := &conn.Server{Handler: func(c *conn.Conn) {
		c.WriteMessage(c.Context(), frame.OpText, []byte("welcome"))
		c.Discard(c.Context())
	}}
	l := conntest.Listen() // or net.Listen("tcp", ":8080")
	served := make(chan error)
	go func() { served <- server.Serve(l) }()

	ctx := context.Background()
	c, err := conn.Dial(ctx, "ws://example.com/", &conn.DialOptions{NetDial: l.Dial})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseNow()
	_, p, _ := c.ReadMessage(ctx)
	fmt.Printf("%s\n", p)
	told := make(chan error)
	go func() {
		_, _, err := c.ReadMessage(ctx)
		told <- err
	}()

	// The program is told to stop.
	grace, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	result, err := server.Shutdown(grace)
	fmt.Println(<-told)
	fmt.Println(result.Clean, "ended cleanly,", result.Frames, "messages were lost,", err)
	fmt.Println(<-served)
	// Output:
	// welcome
	// conn: closed by peer: 1001 going away
	// 1 ended cleanly, 0 messages were lost, <nil>
	// http: Server closed
}

// A server for very many connections, most of which are idle: none of those has a
// goroutine.
func ExampleServer_eventDriven() {
	server := &conn.Server{
		EventDriven: true,
		OnMessage: func(c *conn.Conn, m conn.Message) {
			c.WriteMessage(c.Context(), m.Opcode, append([]byte("you said "), m.Payload...))
		},
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	go server.Serve(l)

	ctx := context.Background()
	defer server.Shutdown(ctx)
	c, err := conn.Dial(ctx, "ws://"+l.Addr().String()+"/", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	c.WriteMessage(ctx, frame.OpText, []byte("hello"))
	_, p, err := c.ReadMessage(ctx)
	fmt.Printf("%s, %v\n", p, err)
	fmt.Println(c.Close(frame.CloseNormalClosure, ""))
	// Output:
	// you said hello, <nil>
	// <nil>
}

// The connections of an http.Server are closed when that is shut down.
func ExampleHub_Shutdown() {
	chat := &conn.Server{Handler: func(c *conn.Conn) {
		c.WriteMessage(c.Context(), frame.OpText, []byte("welcome"))
		c.Discard(c.Context())
	}}
	mux := http.NewServeMux()
	mux.Handle("GET /chat", chat)
	server := &http.Server{Handler: mux}
	closed := make(chan struct{})
	server.RegisterOnShutdown(func() {
		defer close(closed)
		result, err := chat.Hub().Shutdown(context.Background())
		fmt.Println(result.Clean, "ended cleanly,", err)
	})
	l := conntest.Listen()
	go server.Serve(l)

	ctx := context.Background()
	c, err := conn.Dial(ctx, "ws://example.com/chat", &conn.DialOptions{NetDial: l.Dial})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseNow()
	c.ReadMessage(ctx)
	go c.Discard(ctx)
	server.Shutdown(ctx)
	<-closed // Shutdown of net/http does not wait for it
	// Output: 1 ended cleanly, <nil>
}

// A chat: what one says goes to all in the room, and nobody who is slow holds up
// the others.
func ExampleHub() {
	rooms := map[string]*conn.Hub{"/lobby": {}, "/garden": {Slow: conn.SlowDropOldest}}
	server := &conn.Server{Handler: func(c *conn.Conn) {
		room := rooms[c.Target()]
		if room == nil {
			c.Close(frame.ClosePolicyViolation, "no such room")
			return
		}
		room.Add(c) // until it ends
		for m, err := range c.Messages(c.Context()) {
			if err != nil {
				return
			}
			p, err := conn.Prepare(m.Opcode, m.Payload) // encoded once
			if err != nil {
				return
			}
			room.Broadcast(p, nil)
		}
	}}
	l := conntest.Listen()
	go server.Serve(l)
	defer server.Shutdown(context.Background())

	ctx := context.Background()
	enter := func(room string) *conn.Conn {
		c, err := conn.Dial(ctx, "ws://example.com"+room, &conn.DialOptions{NetDial: l.Dial})
		if err != nil {
			panic(err)
		}
		return c
	}
	ann := enter("/lobby")
	defer ann.CloseNow()
	ann.WriteMessage(ctx, frame.OpText, []byte("ann: anybody here?"))
	_, p, _ := ann.ReadMessage(ctx)
	fmt.Printf("ann reads %q\n", p)

	bob := enter("/lobby")
	defer bob.CloseNow()
	bob.WriteMessage(ctx, frame.OpText, []byte("bob: I am"))
	for _, c := range []*conn.Conn{ann, bob} {
		_, p, _ := c.ReadMessage(ctx)
		fmt.Printf("both read %q\n", p)
	}
	fmt.Println(rooms["/lobby"].Len(), rooms["/garden"].Len())
	// Output:
	// ann reads "ann: anybody here?"
	// both read "bob: I am"
	// both read "bob: I am"
	// 2 0
}

// A message that is encoded once and sent to some of many connections.
func ExampleHub_Broadcast() {
	var hub conn.Hub
	var clients []*conn.Conn
	for range 3 {
		client, server := conntest.Pair(nil, nil)
		defer client.CloseNow()
		defer server.CloseNow()
		hub.Add(server)
		clients = append(clients, client)
	}
	news, err := conn.Prepare(frame.OpText, []byte("news"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%+v\n", hub.Broadcast(news, nil))
	for _, c := range clients {
		_, p, _ := c.ReadMessage(context.Background())
		fmt.Printf("%s\n", p)
	}
	// Output:
	// {Taken:3 Closed:0 Dropped:0 Ended:0}
	// news
	// news
	// news
}

// A feed goes out without anybody waiting for the client, which is left behind
// if it does not keep up.
func ExampleConn_Post() {
	client, server := conntest.Pair(nil, nil)
	defer client.CloseNow()
	defer server.CloseNow()

	head, _ := conn.Prepare(frame.OpText, []byte("gold"))
	price, _ := conn.Prepare(frame.OpText, []byte("4084"))
	if err := server.Post(head, price); errors.Is(err, conn.ErrQueueFull) {
		server.Close(frame.ClosePolicyViolation, "too slow")
	}

	for range 2 {
		_, p, _ := client.ReadMessage(context.Background())
		fmt.Printf("%s\n", p)
	}
	// Output:
	// gold
	// 4084
}

// A message of any length passes through without being held in memory.
func ExampleConn_NextReader() {
	ctx := context.Background()
	client, server := conntest.Pair(nil, &conn.Options{MaxMessageSize: conn.NoLimit})
	defer client.CloseNow()
	defer server.CloseNow()

	go func() {
		w, err := client.NextWriter(frame.OpBinary)
		if err != nil {
			return
		}
		for range 3000 {
			if _, err := io.WriteString(w.With(ctx), "0123456789abcdef"); err != nil {
				return
			}
		}
		w.Close(ctx)
	}()

	r, err := server.NextReader(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	n, err := io.Copy(io.Discard, r.With(ctx))
	fmt.Println(r.Opcode(), n, err)
	// Output: binary 48000 <nil>
}

// A message in pieces, such as an answer that takes long to make. Pings and
// pongs go between them.
func ExampleConn_NextWriter() {
	ctx := context.Background()
	client, server := conntest.Pair(nil, nil)
	defer client.CloseNow()
	defer server.CloseNow()

	w, err := server.NextWriter(frame.OpText)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, word := range strings.SplitAfter("one two three", " ") {
		w.Write(ctx, []byte(word))
		w.Flush(ctx) // as a fragment of its own
	}
	if err := w.Close(ctx); err != nil {
		fmt.Println(err)
		return
	}
	_, p, err := client.ReadMessage(ctx)
	fmt.Printf("%s %v\n", p, err)
	// Output: one two three <nil>
}

// Messages as values.
func ExampleConn_ReadJSON() {
	type point struct{ X, Y int }
	ctx := context.Background()
	client, server := conntest.Pair(nil, nil)
	defer client.CloseNow()
	defer server.CloseNow()

	client.WriteJSON(ctx, point{3, 4})
	var p point
	err := server.ReadJSON(ctx, &p)
	fmt.Println(p, err)

	// What is no such value does not end the connection.
	client.WriteMessage(ctx, frame.OpText, []byte(`{"X": "three"}`))
	err = server.ReadJSON(ctx, &p)
	_, wrongType := errors.AsType[*json.UnmarshalTypeError](err)
	fmt.Println(wrongType, server.State())
	// Output:
	// {3 4} <nil>
	// true open
}

// A stream of JSON values in one message, decoded as they come.
func ExampleMessageReader_With() {
	ctx := context.Background()
	client, server := conntest.Pair(nil, nil)
	defer client.CloseNow()
	defer server.CloseNow()
	client.WriteMessage(ctx, frame.OpText, []byte(`{"n":1} {"n":2} {"n":3}`))

	r, err := server.NextReader(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for d := json.NewDecoder(r.With(ctx)); ; {
		var v struct{ N int }
		if err := d.Decode(&v); err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(v.N)
	}
	// Output:
	// 1
	// 2
	// 3
	// EOF
}

// A message that is kept.
func ExampleConn_AppendMessage() {
	ctx := context.Background()
	client, server := conntest.Pair(nil, nil)
	defer client.CloseNow()
	defer server.CloseNow()
	for _, s := range []string{"one ", "after ", "the other"} {
		client.WriteMessage(ctx, frame.OpText, []byte(s))
	}

	var all []byte
	for range 3 {
		var err error
		if _, all, err = server.AppendMessage(ctx, all); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Printf("%s\n", all)
	// Output: one after the other
}

// Whether the peer is there, and how far away. The connection is being read
// meanwhile, as control frames are handled there.
func ExampleConn_Ping() {
	client, server := conntest.Pair(nil, nil)
	defer client.CloseNow()
	defer server.CloseNow()
	go client.Discard(context.Background())
	go server.Discard(context.Background())

	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	rtt, err := client.Ping(ctx)
	fmt.Println(rtt < 5*time.Second, err)
	// Output: true <nil>
}

// How a connection ended.
func ExampleCloseError() {
	ctx := context.Background()
	client, server := conntest.Pair(nil, nil)
	defer client.CloseNow()
	go server.Close(4001, "session expired")

	_, _, err := client.ReadMessage(ctx)
	if end, ok := errors.AsType[*conn.CloseError](err); ok {
		fmt.Println(end.By, end.Code, end.Reason, end.Normal())
	}
	// Output: peer 4001 session expired false
}
