package main

import (
	"net"
	"net/http"

	"github.com/lesismal/nbio/nbhttp"
	"github.com/lesismal/nbio/nbhttp/websocket"
)

// nbio is the event-driven engine of that library.
func init() {
	serve := func(l net.Listener, configure func(*websocket.Upgrader)) error {
		mux := http.NewServeMux()
		mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			u := websocket.NewUpgrader()
			u.CheckOrigin = func(*http.Request) bool { return true }
			configure(u)
			u.Upgrade(w, r, nil)
		})
		addr := l.Addr().String()
		l.Close()
		engine := nbhttp.NewEngine(nbhttp.Config{
			Network: "tcp", Addrs: []string{addr}, Handler: mux, ReadBufferSize: 64 << 10,
		})
		if err := engine.Start(); err != nil {
			return err
		}
		select {}
	}
	libraries["nbio"] = library{
		echo: func(l net.Listener) error {
			return serve(l, func(u *websocket.Upgrader) {
				u.OnMessage(func(c *websocket.Conn, op websocket.MessageType, p []byte) { c.WriteMessage(op, p) })
			})
		},
		broadcast: func(l net.Listener) error {
			var all set[*websocket.Conn]
			return serve(l, func(u *websocket.Upgrader) {
				u.OnOpen(all.add)
				u.OnClose(func(c *websocket.Conn, err error) { all.remove(c) })
				u.OnMessage(func(c *websocket.Conn, op websocket.MessageType, p []byte) {
					all.each(func(c *websocket.Conn) { c.WriteMessage(op, p) })
				})
			})
		},
	}
}
