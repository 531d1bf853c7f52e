package main

import (
	"net"
	"net/http"

	"golang.org/x/net/websocket"
)

func init() {
	serve := func(l net.Listener, handle func(*websocket.Conn)) error {
		return http.Serve(l, websocket.Server{Handler: handle})
	}
	libraries["xnet"] = library{
		echo: func(l net.Listener) error {
			return serve(l, func(c *websocket.Conn) {
				c.PayloadType = websocket.BinaryFrame
				c.MaxPayloadBytes = 64 << 20
				for {
					var p []byte
					if websocket.Message.Receive(c, &p) != nil || websocket.Message.Send(c, p) != nil {
						return
					}
				}
			})
		},
		broadcast: func(l net.Listener) error {
			var all set[*websocket.Conn]
			return serve(l, func(c *websocket.Conn) {
				all.add(c)
				defer all.remove(c)
				for {
					var p []byte
					if websocket.Message.Receive(c, &p) != nil {
						return
					}
					all.each(func(c *websocket.Conn) { websocket.Message.Send(c, p) })
				}
			})
		},
	}
}
