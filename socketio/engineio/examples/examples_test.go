package examples_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"example.org/rfc6455/socketio/engineio"
	"example.org/rfc6455/socketio/engineio/examples"
)

// A receiver passes messages on.
type receiver chan string

func (r receiver) Message(_ *engineio.Session, _ bool, data []byte) { r <- string(data) }

func (r receiver) Closed(_ *engineio.Session, reason engineio.CloseReason, _ error) {
	r <- "closed: " + string(reason)
}

// TestRouters: a session works in each router, by each transport.
func TestRouters(t *testing.T) {
	routers := map[string]http.Handler{"chi": examples.Chi(), "gin": examples.Gin(), "echo": examples.Echo()}
	for name, router := range routers {
		server := httptest.NewServer(router)
		defer server.Close()
		for _, transport := range []engineio.Transport{engineio.Polling, engineio.WebSocket} {
			t.Run(name+"/"+string(transport), func(t *testing.T) {
				r := make(receiver, 16)
				s, err := engineio.Dial(context.Background(), server.URL, &engineio.DialOptions{
					Transports: []engineio.Transport{transport},
					Handler:    func(*engineio.Session) engineio.Receiver { return r },
				})
				if err != nil {
					t.Fatal(err)
				}
				s.Send(engineio.NewPacket(false, []byte("hello")))
				want := func(want string) {
					t.Helper()
					select {
					case got := <-r:
						if got != want {
							t.Errorf("received %q, want %q", got, want)
						}
					case <-time.After(time.Minute):
						t.Fatalf("received nothing, want %q", want)
					}
				}
				want("hello")
				s.Close("")
				want("closed: forced close")
			})
		}
	}
}

// TestUpgrades: a session moves to a WebSocket behind the middleware.
func TestUpgrades(t *testing.T) {
	for name, router := range map[string]http.Handler{"chi": examples.Chi(), "gin": examples.Gin(), "echo": examples.Echo()} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(router)
			defer server.Close()
			s, err := engineio.Dial(context.Background(), server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(time.Minute); s.Transport() != engineio.WebSocket; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("the session does not move")
				}
			}
			s.Close("")
		})
	}
}
