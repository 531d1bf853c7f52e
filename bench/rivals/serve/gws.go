package main

import (
	"net"
	"net/http"

	"github.com/lxzan/gws"
)

type gwsHandler struct {
	gws.BuiltinEventHandler
	all *set[*gws.Conn] // nil for an echo
}

func (h *gwsHandler) OnOpen(c *gws.Conn) {
	if h.all != nil {
		h.all.add(c)
	}
}

func (h *gwsHandler) OnClose(c *gws.Conn, err error) {
	if h.all != nil {
		h.all.remove(c)
	}
}

func (h *gwsHandler) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	if h.all == nil {
		c.WriteMessage(m.Opcode, m.Bytes())
		return
	}
	b := gws.NewBroadcaster(m.Opcode, m.Bytes())
	defer b.Close()
	h.all.each(func(c *gws.Conn) { b.Broadcast(c) })
}

func init() {
	serve := func(l net.Listener, h *gwsHandler) error {
		upgrader := gws.NewUpgrader(h, &gws.ServerOption{})
		return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := upgrader.Upgrade(w, r)
			if err != nil {
				return
			}
			go c.ReadLoop()
		}))
	}
	libraries["gws"] = library{
		echo:      func(l net.Listener) error { return serve(l, &gwsHandler{}) },
		broadcast: func(l net.Listener) error { return serve(l, &gwsHandler{all: new(set[*gws.Conn])}) },
	}
}
