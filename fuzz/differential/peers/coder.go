package peers

import (
	"context"
	"net"
	"net/http"

	"github.com/coder/websocket"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/differential/script"
)

var coderHTTP = serveHTTP(func(w http.ResponseWriter, req *http.Request, r *run) {
	if c, err := websocket.Accept(w, req, nil); err == nil {
		readCoder(r, c)
	}
})

func coderClient(r *run) {
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return r.tape, nil },
	}
	defer transport.CloseIdleConnections()
	c, _, err := websocket.Dial(context.Background(), "ws://server.example.com/chat", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport},
	})
	if err == nil {
		r.accepted = true
		readCoder(r, c)
	}
}

func readCoder(r *run, c *websocket.Conn) {
	defer c.CloseNow()
	c.SetReadLimit(script.Limit)
	for {
		typ, p, err := c.Read(context.Background())
		if err != nil {
			return
		}
		op := frame.OpBinary
		if typ == websocket.MessageText {
			op = frame.OpText
		}
		r.message(op, p)
	}
}
