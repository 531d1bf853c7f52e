package main

import (
	"io"
	"net"
	"net/http"

	"github.com/gorilla/websocket"
)

// gorilla uses ReadMessage, gorilla:reader reads into a buffer of its own.
func init() {
	accept := func(l net.Listener, handle func(*websocket.Conn)) error {
		upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
		return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := upgrader.Upgrade(w, r, nil)
			if err != nil {
				return
			}
			defer c.Close()
			handle(c)
		}))
	}
	broadcast := func(l net.Listener) error {
		var all set[*websocket.Conn]
		return accept(l, func(c *websocket.Conn) {
			all.add(c)
			defer all.remove(c)
			for {
				op, p, err := c.ReadMessage()
				if err != nil {
					return
				}
				m, err := websocket.NewPreparedMessage(op, p)
				if err != nil {
					return
				}
				all.each(func(c *websocket.Conn) { c.WritePreparedMessage(m) })
			}
		})
	}
	libraries["gorilla"] = library{
		echo: func(l net.Listener) error {
			return accept(l, func(c *websocket.Conn) {
				for {
					op, p, err := c.ReadMessage()
					if err != nil || c.WriteMessage(op, p) != nil {
						return
					}
				}
			})
		},
		broadcast: broadcast,
	}
	libraries["gorilla:reader"] = library{
		echo: func(l net.Listener) error {
			return accept(l, func(c *websocket.Conn) {
				var buf []byte
				for {
					op, r, err := c.NextReader()
					if err != nil {
						return
					}
					if buf, err = appendAll(buf[:0], r); err != nil {
						return
					}
					if c.WriteMessage(op, buf) != nil {
						return
					}
				}
			})
		},
	}
}

// appendAll reads r to its end.
func appendAll(dst []byte, r io.Reader) ([]byte, error) {
	for {
		if len(dst) == cap(dst) {
			dst = append(dst, make([]byte, max(512, len(dst)))...)[:len(dst)]
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}
