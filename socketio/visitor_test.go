package socketio_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
)

// A visitor is a client of an example: it sends messages and prints what comes.
type visitor struct{ conn *conn.Conn }

// visit opens a session in memory.
func visit(h http.Handler) *visitor {
	l := conntest.Listen()
	go http.Serve(l, h)
	c, err := conn.Dial(context.Background(), "ws://server/socket.io/?EIO=4&transport=websocket", &conn.DialOptions{NetDial: l.Dial})
	if err != nil {
		panic(err)
	}
	v := &visitor{c}
	v.receive()
	return v
}

func (v *visitor) send(messages ...string) {
	for _, m := range messages {
		if err := v.conn.WriteMessage(context.Background(), frame.OpText, []byte(m)); err != nil {
			fmt.Println(err)
		}
	}
}

func (v *visitor) receive() string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, p, err := v.conn.ReadMessage(ctx)
	if err != nil {
		return "closed"
	}
	return string(p)
}

var ids = regexp.MustCompile(`("[sp]id"):"[^"]*"`)

// print prints the next message, without its random ids.
func (v *visitor) print() { fmt.Println(ids.ReplaceAllString(v.receive(), `$1:"…"`)) }

// flush waits until the server has done what it was sent.
func (v *visitor) flush() {
	v.send(`40/flush,`)
	for !strings.HasPrefix(v.receive(), `44/flush,`) {
	}
}
