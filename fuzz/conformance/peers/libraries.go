package main

import (
	"context"
	"net/http"

	coder "github.com/coder/websocket"
	gorilla "github.com/gorilla/websocket"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/deflate"
)

// maxMessage is the longest message that a peer takes: the suite sends 16 MiB.
const maxMessage = 16 << 20

// own configures the server of this repository.
var own = conn.Options{
	MaxMessageSize: maxMessage,
	MaxControlRate: conn.NoLimit,
	Compression: &conn.Compression{Config: deflate.Config{
		ServerContextTakeover: deflate.Takeover, ClientContextTakeover: deflate.Takeover,
	}},
}

func echoOwn(c *conn.Conn) {
	for {
		op, p, err := c.ReadMessage(context.Background())
		if err != nil || c.WriteMessage(context.Background(), op, p) != nil {
			return
		}
	}
}

func echoGorilla(w http.ResponseWriter, r *http.Request) {
	upgrader := gorilla.Upgrader{EnableCompression: true, CheckOrigin: func(*http.Request) bool { return true }}
	if c, err := upgrader.Upgrade(w, r, nil); err == nil {
		loopGorilla(c)
	}
}

func runGorilla(ctx context.Context, url string) {
	dialer := gorilla.Dialer{EnableCompression: true}
	if c, _, err := dialer.DialContext(ctx, url, nil); err == nil {
		loopGorilla(c)
	}
}

func loopGorilla(c *gorilla.Conn) {
	defer c.Close()
	c.SetReadLimit(maxMessage)
	for {
		kind, p, err := c.ReadMessage()
		if err != nil || c.WriteMessage(kind, p) != nil {
			return
		}
	}
}

func echoCoder(w http.ResponseWriter, r *http.Request) {
	c, err := coder.Accept(w, r, &coder.AcceptOptions{InsecureSkipVerify: true, CompressionMode: coder.CompressionContextTakeover})
	if err == nil {
		loopCoder(r.Context(), c)
	}
}

func runCoder(ctx context.Context, url string) {
	c, _, err := coder.Dial(ctx, url, &coder.DialOptions{CompressionMode: coder.CompressionContextTakeover})
	if err == nil {
		loopCoder(ctx, c)
	}
}

func loopCoder(ctx context.Context, c *coder.Conn) {
	defer c.CloseNow()
	c.SetReadLimit(maxMessage)
	for {
		kind, p, err := c.Read(ctx)
		if err != nil || c.Write(ctx, kind, p) != nil {
			return
		}
	}
}
