package engineio

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"iter"
	"maps"
	"math"
	"net/http"
	"slices"
	"time"
)

// idSize is how many random octets there are in an id: 120 bits.
const idSize = 15

// newID returns the id of a new session.
func (s *Server) newID(r *http.Request) (string, error) {
	if s.options.NewID == nil {
		var b [idSize]byte
		rand.Read(b[:])
		return base64.RawURLEncoding.EncodeToString(b[:]), nil
	}
	const longest = 128
	id, err := s.options.NewID(r)
	if err == nil && (id == "" || len(id) > longest) {
		err = errors.New("engineio: Options.NewID returned an id that is empty or too long")
	}
	return id, err
}

// register gives a session that r asks for its id and finds it a place.
func (s *Server) register(session *Session, r *http.Request) (*refusal, error) {
	id, err := s.newID(r)
	if err != nil {
		return refuseID, err
	}
	session.id = id
	from := host(session.RemoteAddr())
	s.mu.Lock()
	defer s.mu.Unlock()
	o := &s.options
	switch {
	case s.closed:
		return refuseOverload, errShutdown
	case len(s.sessions) >= o.MaxSessions:
		return refuseOverload, errFull
	case s.hosts[from] >= o.MaxSessionsPerHost:
		return refuseOverload, errFull
	case s.sessions[id] != nil:
		return refuseID, errors.New("engineio: Options.NewID returned the id of another session")
	}
	s.sessions[id] = session
	if s.limitsHosts() {
		s.hosts[from]++
	}
	return nil, nil
}

var (
	errShutdown = errors.New("engineio: the server is shutting down")
	errFull     = errors.New("engineio: too many sessions")
)

func (s *Server) limitsHosts() bool { return s.options.MaxSessionsPerHost < math.MaxInt }

// forget gives up the place of a session. One that may still be polled is found for
// a moment.
func (s *Server) forget(session *Session) {
	if p, ok := session.link.(*polling); ok && p.late {
		time.AfterFunc(lateness, func() { s.remove(session) })
		return
	}
	s.remove(session)
}

func (s *Server) remove(session *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sessions[session.id] != session {
		return
	}
	delete(s.sessions, session.id)
	if s.limitsHosts() {
		from := host(session.RemoteAddr())
		if s.hosts[from]--; s.hosts[from] == 0 {
			delete(s.hosts, from)
		}
	}
	if s.closed && len(s.sessions) == 0 {
		close(s.drained)
	}
}

// Len returns the number of sessions.
func (s *Server) Len() int {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// All returns an iterator over the sessions that there are when it begins, in no
// particular order.
func (s *Server) All() iter.Seq[*Session] {
	return func(yield func(*Session) bool) {
		for _, session := range s.all() {
			if !yield(session) {
				return
			}
		}
	}
}

func (s *Server) all() []*Session {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.sessions))
}

// Session returns the session with an id, or nil.
func (s *Server) Session(id string) *Session {
	s.init()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[id]
}

// Shutdown closes all sessions with [ForcedClose] and refuses new ones. It returns
// when they have ended, or with the cause of ctx when that ends before; then what
// is left of them is cut off.
//
// [http.Server.Shutdown] waits for polls that are held, and does not know the
// WebSockets: call Shutdown before it, or by way of [http.Server.RegisterOnShutdown].
func (s *Server) Shutdown(ctx context.Context) error {
	s.init()
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		if len(s.sessions) == 0 {
			close(s.drained)
		}
	}
	s.mu.Unlock()
	sessions := s.all()
	for _, session := range sessions {
		session.Close(ForcedClose)
	}
	select {
	case <-s.drained:
	case <-ctx.Done():
	}
	for _, session := range sessions {
		session.cut(ctx)
	}
	return context.Cause(ctx)
}

// cut waits until the WebSocket of a session has ended. What is left when ctx ends is
// cut off.
func (s *Session) cut(ctx context.Context) {
	s.mu.Lock()
	if ctx.Err() != nil {
		s.failLocked(ForcedClose, context.Cause(ctx))
	}
	c := s.conn
	s.mu.Unlock()
	if c == nil {
		return
	}
	select {
	case <-c.Done():
	case <-ctx.Done():
		c.CloseNow()
	}
}
