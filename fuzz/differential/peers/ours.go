package peers

import (
	"context"
	"net/http"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/fuzz/differential/script"
)

var oursOptions = conn.Options{MaxMessageSize: script.Limit, PingInterval: conn.NoLimit}

var oursHTTP = serveHTTP(func(w http.ResponseWriter, req *http.Request, r *run) {
	if c, err := conn.Accept(w, req, &conn.AcceptOptions{Options: oursOptions}); err == nil {
		readOurs(r, c)
	}
})

func oursServer(r *run) {
	if c, err := conn.AcceptConn(context.Background(), r.tape, &conn.AcceptOptions{Options: oursOptions}); err == nil {
		readOurs(r, c)
	}
}

func oursClient(r *run) {
	if c, err := conn.DialConn(context.Background(), r.tape, "ws://server.example.com/chat", &conn.DialOptions{Options: oursOptions}); err == nil {
		r.accepted = true
		readOurs(r, c)
	}
}

func readOurs(r *run, c *conn.Conn) {
	defer c.CloseNow()
	for {
		op, p, err := c.ReadMessage(context.Background())
		if err != nil {
			<-c.Done()
			return
		}
		r.message(op, p)
	}
}
