package engineio_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"example.org/rfc6455/socketio/engineio"
)

// echoReceiver sends messages back.
type echoReceiver struct{}

func (echoReceiver) Message(s *engineio.Session, binary bool, data []byte) {
	s.Send(engineio.NewPacket(binary, data))
}

func (echoReceiver) Closed(s *engineio.Session, reason engineio.CloseReason, err error) {}

// printer prints messages, and what it was told of the end.
type printer struct{ done chan bool }

func (p printer) Message(s *engineio.Session, binary bool, data []byte) {
	fmt.Printf("%s\n", data)
	s.Close("")
}

func (p printer) Closed(s *engineio.Session, reason engineio.CloseReason, err error) {
	close(p.done)
}

// An echo server and a client of it.
func Example() {
	mux := http.NewServeMux()
	mux.Handle("/engine.io/", &engineio.Server{
		Handler: func(s *engineio.Session) engineio.Receiver { return echoReceiver{} },
	})
	server := httptest.NewServer(mux)
	defer server.Close()

	p := printer{make(chan bool)}
	s, err := engineio.Dial(context.Background(), server.URL, &engineio.DialOptions{
		Handler: func(s *engineio.Session) engineio.Receiver { return p },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	s.Send(engineio.NewPacket(false, []byte("hello")))
	<-p.done
	// Output:
	// hello
}

// One packet is encoded once for all sessions.
func ExampleNewPacket() {
	server := &engineio.Server{Handler: func(s *engineio.Session) engineio.Receiver { return echoReceiver{} }}
	news := engineio.NewPacket(false, []byte("news for all"))
	for s := range server.All() {
		if !s.Writable() {
			continue // it is slow, and old news are none
		}
		s.Send(news)
	}
	// Output:
}

// Options for pages of another origin, behind a proxy that tells servers apart by a
// cookie, and for clients of Socket.IO 2.
func ExampleOptions() {
	server := &engineio.Server{
		Handler: func(s *engineio.Session) engineio.Receiver { return echoReceiver{} },
		Options: &engineio.Options{
			Origins: []string{"https://app.example.com"},
			CORS:    &engineio.CORS{Credentials: true},
			Cookie:  &http.Cookie{},
			EIO3:    true,
			AllowRequest: func(r *http.Request) error {
				if r.URL.Query().Get("token") == "" {
					return &engineio.RefusedError{Message: "a token is needed"}
				}
				return nil
			},
			OnConnectionError: func(e *engineio.ConnectionError) { fmt.Println(e.Context) },
		},
	}
	r := httptest.NewRequest("GET", "/engine.io/?EIO=4&transport=polling", nil)
	r.Header.Set("Origin", "https://app.example.com")
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Access-Control-Allow-Origin"))
	fmt.Println(w.Body)
	// Output:
	// FORBIDDEN
	// 403 https://app.example.com
	// {"code":4,"message":"a token is needed"}
}

// Middleware goes around the server, for WebSockets, too.
func ExampleServer_middleware() {
	logged := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Println(r.Method, r.URL.Query().Get("transport"))
			next.ServeHTTP(w, r)
		})
	}
	server := httptest.NewServer(logged(&engineio.Server{
		Handler: func(s *engineio.Session) engineio.Receiver { return echoReceiver{} },
	}))
	defer server.Close()
	s, err := engineio.Dial(context.Background(), server.URL, &engineio.DialOptions{
		Transports: []engineio.Transport{engineio.WebSocket},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Transport())
	// Output:
	// GET websocket
	// websocket
}

// asker is a receiver that asks the peer something, and waits for the answer, while it
// is called with a message.
type asker struct{ answers chan string }

func (a asker) Message(s *engineio.Session, binary bool, data []byte) {
	if string(data) != "start" {
		a.answers <- string(data)
		return
	}
	s.Send(engineio.NewPacket(false, []byte("how are you?")))
	s.Release() // otherwise the answer would not be read
	fmt.Println(<-a.answers)
	s.Close("")
}

func (a asker) Closed(s *engineio.Session, reason engineio.CloseReason, err error) {
	close(a.answers)
}

// A call of Message that waits for the peer has to release the session.
func ExampleSession_Release() {
	server := httptest.NewServer(&engineio.Server{
		Handler: func(s *engineio.Session) engineio.Receiver { return echoReceiver{} },
	})
	defer server.Close()
	a := asker{make(chan string)}
	s, err := engineio.Dial(context.Background(), server.URL, &engineio.DialOptions{
		Handler: func(s *engineio.Session) engineio.Receiver { return a },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	s.Send(engineio.NewPacket(false, []byte("start")))
	<-s.Context().Done()
	// Output:
	// how are you?
}
