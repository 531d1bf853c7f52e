package engineio

import (
	"context"
	"iter"
	"net/http"
)

// A Server runs a handler for each session. It is an [http.Handler] for every
// request of a session, whatever the path, which clients expect to be /engine.io/
// with its slash.
//
// The fields must be set before it is used. Its methods may be called concurrently.
// A Server must not be copied.
type Server struct {
	// Handler is called when a session begins, and returns the receiver of its
	// messages. It may send already. What it returns must not be nil.
	Handler func(s *Session) Receiver

	// Options configures the server and its sessions. Nil means the defaults.
	Options *Options
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {}

// Len returns the number of sessions.
func (s *Server) Len() int { return 0 }

// All returns an iterator over the sessions that there are when it begins, in no
// particular order.
func (s *Server) All() iter.Seq[*Session] { return nil }

// Session returns the session with an id, or nil.
func (s *Server) Session(id string) *Session { return nil }

// Shutdown closes all sessions with [ForcedClose] and refuses new ones. It returns
// when they have ended, or with the cause of ctx when that ends before; then what
// is left of them is cut off.
func (s *Server) Shutdown(ctx context.Context) error { return nil }
