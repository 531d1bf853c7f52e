package main

import (
	"net"
	"net/http"

	"github.com/coder/websocket"
)

func init() {
	accept := func(l net.Listener, handle func(*http.Request, *websocket.Conn)) error {
		return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
			if err != nil {
				return
			}
			defer c.CloseNow()
			c.SetReadLimit(-1)
			handle(r, c)
		}))
	}
	libraries["coder"] = library{
		echo: func(l net.Listener) error {
			return accept(l, func(r *http.Request, c *websocket.Conn) {
				for {
					op, p, err := c.Read(r.Context())
					if err != nil || c.Write(r.Context(), op, p) != nil {
						return
					}
				}
			})
		},
		broadcast: func(l net.Listener) error {
			var all set[*websocket.Conn]
			return accept(l, func(r *http.Request, c *websocket.Conn) {
				all.add(c)
				defer all.remove(c)
				for {
					op, p, err := c.Read(r.Context())
					if err != nil {
						return
					}
					all.each(func(c *websocket.Conn) { c.Write(r.Context(), op, p) })
				}
			})
		},
	}
}
