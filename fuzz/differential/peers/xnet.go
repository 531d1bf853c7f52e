package peers

import (
	"net/http"

	"golang.org/x/net/websocket"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/differential/script"
)

var xnetHTTP = serveHTTP(func(w http.ResponseWriter, req *http.Request, r *run) {
	s := websocket.Server{Handler: func(c *websocket.Conn) { r.guard(func() { readXNet(r, c) }) }}
	s.ServeHTTP(w, req)
})

func xnetClient(r *run) {
	config, err := websocket.NewConfig("ws://server.example.com/chat", "http://server.example.com")
	if err != nil {
		return
	}
	if c, err := websocket.NewClient(config, r.tape); err == nil {
		r.accepted = true
		readXNet(r, c)
	}
}

func readXNet(r *run, c *websocket.Conn) {
	if c.IsClientConn() {
		defer c.Close() // for a server it is done without a Close frame
	}
	c.MaxPayloadBytes = script.Limit
	codec := websocket.Codec{Unmarshal: func(p []byte, op byte, _ any) error {
		r.message(frame.Opcode(op), p)
		return nil
	}}
	for codec.Receive(c, nil) == nil {
	}
}
