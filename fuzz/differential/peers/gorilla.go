package peers

import (
	"net/http"
	"net/url"

	"github.com/gorilla/websocket"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/differential/script"
)

var gorillaHTTP = serveHTTP(func(w http.ResponseWriter, req *http.Request, r *run) {
	if c, err := new(websocket.Upgrader).Upgrade(w, req, nil); err == nil {
		readGorilla(r, c)
	}
})

func gorillaClient(r *run) {
	u := &url.URL{Scheme: "ws", Host: "server.example.com", Path: "/chat"}
	if c, _, err := websocket.NewClient(r.tape, u, nil, 0, 0); err == nil {
		r.accepted = true
		readGorilla(r, c)
	}
}

func readGorilla(r *run, c *websocket.Conn) {
	defer c.Close()
	c.SetReadLimit(script.Limit)
	for {
		op, p, err := c.ReadMessage()
		if err != nil {
			return
		}
		r.message(frame.Opcode(op), p)
	}
}
