package main

import (
	"net"
	"net/http"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/socketio"
	"example.org/rfc6455/socketio/engineio"
)

// heartbeat leaves the peers in peace for as long as a measurement takes: those of the
// load answer no pings.
var heartbeat = &conn.AcceptOptions{Options: conn.Options{PingInterval: time.Hour}}

// ours has a listener of its own, ours:http goes through net/http, ours:events is
// event-driven.
func init() {
	libraries["ours:events"] = library{
		echo: func(l net.Listener) error {
			s := conn.Server{Options: heartbeat, EventDriven: true, OnMessage: func(c *conn.Conn, m conn.Message) {
				c.WriteMessage(c.Context(), m.Opcode, m.Payload)
			}}
			return s.Serve(l)
		},
	}
	own := func(s *conn.Server, l net.Listener) error { return s.Serve(l) }
	overHTTP := func(s *conn.Server, l net.Listener) error { return http.Serve(l, s) }
	for name, serve := range map[string]func(*conn.Server, net.Listener) error{
		"ours": own, "ours:http": overHTTP,
	} {
		libraries[name] = library{
			echo: func(l net.Listener) error {
				return serve(&conn.Server{Options: heartbeat, Handler: func(c *conn.Conn) {
					for {
						op, p, err := c.ReadMessage(c.Context())
						if err != nil || c.WriteMessage(c.Context(), op, p) != nil {
							return
						}
					}
				}}, l)
			},
			broadcast: func(l net.Listener) error {
				s := conn.Server{Options: heartbeat}
				s.Handler = func(c *conn.Conn) {
					for {
						op, p, err := c.ReadMessage(c.Context())
						if err != nil {
							return
						}
						m, err := conn.Prepare(op, p)
						if err != nil {
							return
						}
						s.Hub().Broadcast(m, nil)
					}
				}
				return serve(&s, l)
			},
			socketIO: func(l net.Listener, ping time.Duration) error {
				io := &socketio.Server{Engine: &engineio.Options{PingInterval: ping}}
				io.OnConnect(func(s *socketio.Socket) {
					s.Join("room")
					s.On("echo", func(text string) string { return text })
					s.On("say", func(text string) { io.To("room").Emit("say", text) })
				})
				return http.Serve(l, io)
			},
		}
	}
}
