package conn

import (
	"net"
	"net/http"
	"sync"
)

// pollers are those of the servers of net/http whose handlers call [Accept], as
// long as there are connections. Each has one of its own, so that servers have
// nothing in common.
var pollers struct {
	mu sync.Mutex
	of map[*http.Server]*poller
}

// pollerOf returns that of the server which received r over nc, or nil if there is
// none or it could not do anything with nc.
func pollerOf(r *http.Request, nc net.Conn) *poller {
	s, ok := r.Context().Value(http.ServerContextKey).(*http.Server)
	if !ok || socketOf(nc) == nil {
		return nil
	}
	pollers.mu.Lock()
	defer pollers.mu.Unlock()
	p := pollers.of[s]
	if p == nil {
		p = &poller{server: s}
		if pollers.of == nil {
			pollers.of = map[*http.Server]*poller{}
		}
		pollers.of[s] = p
	}
	return p
}

// forget lets go of a poller, which may get connections nevertheless.
func forget(p *poller) {
	pollers.mu.Lock()
	defer pollers.mu.Unlock()
	if pollers.of[p.server] == p {
		delete(pollers.of, p.server)
	}
}
