package socketio_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/socketio"
)

// front serves a server over loopback TCP and returns what joins a client.
func front(b *testing.B, server *socketio.Server) (join func() *conn.Conn) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server.Logger = slog.New(slog.DiscardHandler)
	h := &http.Server{Handler: server}
	go h.Serve(l)
	b.Cleanup(func() {
		server.Shutdown(context.Background())
		h.Close()
	})
	return func() *conn.Conn {
		c, err := conn.Dial(context.Background(), "ws://"+l.Addr().String()+"/socket.io/?EIO=4&transport=websocket", nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { c.CloseNow() })
		c.ReadMessage(context.Background())
		c.WriteMessage(context.Background(), frame.OpText, []byte("40"))
		c.ReadMessage(context.Background())
		return c
	}
}

// BenchmarkEventAck: an event of three members, whose handler answers with it, over
// loopback TCP. The client is part of it.
func BenchmarkEventAck(b *testing.B) {
	type message struct {
		User string `json:"user"`
		Text string `json:"text"`
		N    int    `json:"n"`
	}
	event := []byte(`420["echo",{"user":"someone","text":"hello, world","n":1}]`)
	for _, clients := range []int{1, 64} {
		for _, pipelined := range []int{1, 16} {
			b.Run(fmt.Sprintf("clients=%d/pipelined=%d", clients, pipelined), func(b *testing.B) {
				server := &socketio.Server{}
				server.OnConnect(func(s *socketio.Socket) {
					s.On("echo", func(m message) message { return m })
				})
				join := front(b, server)
				var all []*conn.Conn
				for range clients {
					all = append(all, join())
				}
				b.ReportAllocs()
				b.ResetTimer()
				var done sync.WaitGroup
				for i, c := range all {
					n := b.N / clients
					if i < b.N%clients {
						n++
					}
					done.Go(func() {
						ctx := context.Background()
						for n > 0 {
							burst := min(n, pipelined)
							n -= burst
							for range burst {
								c.WriteMessage(ctx, frame.OpText, event)
							}
							for range burst {
								if _, p, err := c.ReadMessage(ctx); err != nil || p[1] != '3' {
									b.Errorf("%s, %v", p, err)
									return
								}
							}
						}
					})
				}
				done.Wait()
			})
		}
	}
}

// BenchmarkBroadcast: an event of some 220 octets to a room, until every client has
// it.
func BenchmarkBroadcast(b *testing.B) {
	for _, clients := range []int{100, 1000} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			server := &socketio.Server{}
			var joined, round sync.WaitGroup
			joined.Add(clients)
			server.OnConnect(func(s *socketio.Socket) {
				s.Join("room")
				joined.Done()
			})
			join := front(b, server)
			for range clients {
				c := join()
				go func() {
					for {
						_, p, err := c.ReadMessage(context.Background())
						if err != nil {
							return
						}
						if p[0] == '4' {
							round.Done()
						}
					}
				}()
			}
			joined.Wait()
			text := fmt.Sprintf("%0200d", 1)
			b.ReportAllocs()
			for b.Loop() {
				round.Add(clients)
				if err := server.To("room").Emit("event", text); err != nil {
					b.Fatal(err)
				}
				round.Wait()
			}
		})
	}
}
