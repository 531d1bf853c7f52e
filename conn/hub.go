package conn

import (
	"sync"
)

// A Hub is a set of live connections. (stub)
type Hub struct {
	mu    sync.Mutex
	conns map[*Conn]struct{}
}

func (h *Hub) add(c *Conn)    {}
func (h *Hub) remove(c *Conn) {}
