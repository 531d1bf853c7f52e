package socketio

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"example.org/rfc6455/socketio/engineio"
	"example.org/rfc6455/socketio/parser"
)

// A Namespace is a part of a server that clients join on its own, with its own
// sockets, rooms and events. Its methods may be called from any goroutine.
type Namespace struct {
	server  *Server
	name    string
	parent  *ParentNamespace // of which it is a child, or nil
	adapter Adapter
	ids     atomic.Uint64 // of acknowledgements

	use       hooks[func(context.Context, *Socket) error]
	onConnect hooks[func(*Socket)]
	side      listeners

	mu      sync.RWMutex
	sockets map[string]*Socket // those that are connecting, too
	removed bool               // whether the server has it no longer
}

// Name returns the name, which begins with a slash.
func (n *Namespace) Name() string { return n.name }

// Server returns the server.
func (n *Namespace) Server() *Server { return n.server }

// Adapter returns the adapter.
func (n *Namespace) Adapter() Adapter { return n.adapter }

// Use adds middleware: f is called for each client that wants to join, in the order
// in which they were added. An error refuses the client, who is told what it says
// if it is an [*Error]. The context ends with the session, and after
// [Server.ConnectTimeout]. What is sent to the socket arrives after it is connected.
func (n *Namespace) Use(f func(ctx context.Context, s *Socket) error) { n.use.add(f, false) }

// OnConnect has f called for each client that has joined, before its first event.
func (n *Namespace) OnConnect(f func(*Socket)) { n.onConnect.add(f, false) }

// Socket returns the connected socket of this server with an id, or nil.
func (n *Namespace) Socket(id string) *Socket {
	if s := n.socket(id); s != nil && s.Connected() {
		return s
	}
	return nil
}

func (n *Namespace) socket(id string) *Socket {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.sockets[id]
}

// Sockets returns an iterator over this server's sockets that are connected when it
// begins, in no particular order.
func (n *Namespace) Sockets() iter.Seq[*Socket] {
	return func(yield func(*Socket) bool) {
		for _, s := range n.every() {
			if s.Connected() && !yield(s) {
				return
			}
		}
	}
}

// every returns all sockets, whatever their state.
func (n *Namespace) every() []*Socket {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return slices.Collect(maps.Values(n.sockets))
}

// Len returns the number of this server's sockets.
func (n *Namespace) Len() int {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return len(n.sockets)
}

func (n *Namespace) nextID() uint64 { return n.ids.Add(1) - 1 }

// put adds a socket, unless the namespace was removed.
func (n *Namespace) put(s *Socket) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.removed {
		return false
	}
	n.sockets[s.id] = s
	return true
}

// forget takes a socket out of its rooms and out of the namespace.
func (n *Namespace) forget(s *Socket) {
	n.adapter.LeaveAll(s.id)
	n.mu.Lock()
	if n.sockets[s.id] == s {
		delete(n.sockets, s.id)
	}
	empty := len(n.sockets) == 0
	n.mu.Unlock()
	if empty && n.parent != nil && n.server.CleanupEmptyNamespaces {
		n.server.cleanup(n)
	}
}

// all returns all sockets of the namespace.
func (n *Namespace) all() Broadcast {
	return Broadcast{spaces: func() []*Namespace { return []*Namespace{n} }, single: true}
}

// To returns the sockets in any of the rooms.
func (n *Namespace) To(rooms ...string) Broadcast { return n.all().To(rooms...) }

// In is [Namespace.To].
func (n *Namespace) In(rooms ...string) Broadcast { return n.To(rooms...) }

// Except returns the sockets that are in none of the rooms.
func (n *Namespace) Except(rooms ...string) Broadcast { return n.all().Except(rooms...) }

// Local returns the sockets of this server.
func (n *Namespace) Local() Broadcast { return n.all().Local() }

// Volatile returns all sockets: see [Broadcast.Volatile].
func (n *Namespace) Volatile() Broadcast { return n.all().Volatile() }

// Compress returns all sockets: see [Broadcast.Compress].
func (n *Namespace) Compress(on bool) Broadcast { return n.all().Compress(on) }

// Timeout returns all sockets: see [Broadcast.Timeout].
func (n *Namespace) Timeout(d time.Duration) Broadcast { return n.all().Timeout(d) }

// Emit sends an event to all sockets: see [Broadcast.Emit].
func (n *Namespace) Emit(event string, args ...any) error { return n.all().Emit(event, args...) }

// Send is Emit of the event message.
func (n *Namespace) Send(args ...any) error { return n.all().Send(args...) }

// Call asks all sockets: see [Broadcast.Call].
func (n *Namespace) Call(ctx context.Context, event string, args ...any) ([]Value, error) {
	return n.all().Call(ctx, event, args...)
}

// FetchSockets describes all sockets of the cluster.
func (n *Namespace) FetchSockets(ctx context.Context) ([]*RemoteSocket, error) {
	return n.all().FetchSockets(ctx)
}

// ClientIDs returns the ids of all sockets of the cluster.
func (n *Namespace) ClientIDs(ctx context.Context) ([]string, error) { return n.all().ClientIDs(ctx) }

// SocketsJoin puts all sockets into rooms.
func (n *Namespace) SocketsJoin(rooms ...string) error { return n.all().SocketsJoin(rooms...) }

// SocketsLeave takes all sockets out of rooms.
func (n *Namespace) SocketsLeave(rooms ...string) error { return n.all().SocketsLeave(rooms...) }

// DisconnectSockets disconnects all sockets.
func (n *Namespace) DisconnectSockets(closeSession bool) error {
	return n.all().DisconnectSockets(closeSession)
}

// OnServerSide has fn called for an event of another server of the cluster. It is a
// function as [Socket.On] describes; its context is never canceled.
func (n *Namespace) OnServerSide(event string, fn any) *Listener {
	l := n.side.add(event, fn, false)
	if err := l.Err(); err != nil {
		n.server.log().Error("socketio: bad listener", "namespace", n.name, "event", event, "error", err)
	}
	return l
}

// ServerSideEmit sends an event to the other servers of the cluster. The error is
// that of encoding it, or of the adapter.
func (n *Namespace) ServerSideEmit(event string, args ...any) error {
	if _, err := newEvent(n.name, event, args); err != nil {
		return err
	}
	return n.adapter.ServerSideEmit(append([]any{event}, args...)...)
}

// ServerSideCall sends an event to the other servers of the cluster, and returns the
// first argument of what each answers. The error is that of ServerSideEmit, or the
// cause of ctx when that ends before all have answered.
func (n *Namespace) ServerSideCall(ctx context.Context, event string, args ...any) ([]Value, error) {
	if _, err := newEvent(n.name, event, args); err != nil {
		return nil, err
	}
	var values []Value
	err := n.adapter.ServerSideCall(ctx, func(v Value) { values = append(values, v.Clone()) }, append([]any{event}, args...)...)
	return values, err
}

// HandleServerSide calls what was registered with [Namespace.OnServerSide]. It is
// for adapters, which call it for an event of another server. The answer goes to
// reply, which is nil if none was asked for.
func (n *Namespace) HandleServerSide(event string, args []Value, reply func(args []any) error) {
	var a answer
	if reply != nil {
		a = answerBy(reply)
	}
	for _, l := range n.side.of(nil, []byte(event)) {
		if err := l.call(context.Background, args, &a, nil); err != nil {
			n.server.log().Error("socketio: event of a server not handled", "namespace", n.name, "event", event, "error", err)
			a.fail(err)
		}
	}
}

// admit lets a client in, or tells it why not, and reports whether it did: it does
// neither if the namespace was removed. It runs in the turn of the session.
func (n *Namespace) admit(c *session, auth Value) bool {
	s, missed := n.restore(c, auth)
	if s == nil {
		s = n.newSocket(c, auth, c.socketID(n.name))
		if n.server.Recovery != nil && c.revision() >= 4 {
			s.pid = newID()
		}
		if !n.put(s) {
			return false
		}
	}
	err := n.check(s)
	if err == nil && !c.add(s) {
		err = ErrDisconnected // the session has ended meanwhile
	}
	if err == nil {
		n.adapter.Join(s.id, s.id)
		err = s.welcome(missed)
	}
	if err != nil {
		s.end(ServerNamespaceDisconnect, nil)
		if errors.Is(err, ErrQueueFull) { // it missed more than can be sent at once
			c.fail(SlowConsumer, n.name, nil, engineio.ForcedClose)
		} else {
			c.refuse(n.name, err)
		}
		return true
	}
	for _, f := range n.onConnect.load() {
		s.protect("connection", func() error { (*f)(s); return nil })
	}
	return true
}

func (n *Namespace) newSocket(c *session, auth Value, id string) *Socket {
	s := &Socket{ns: n, session: c, engine: c.engine, id: id, issued: time.Now().UnixNano()}
	if !auth.IsNull() {
		s.auth = new(auth)
	}
	return s
}

// restore returns a socket with the state of the one that the client lost, together
// with what it missed, if it can come back; and else nil.
func (n *Namespace) restore(c *session, auth Value) (s *Socket, missed []*parser.Packet) {
	var lost struct {
		PID    string `json:"pid"`
		Offset string `json:"offset"`
	}
	if n.server.Recovery == nil || c.revision() < 4 || auth.Decode(&lost) != nil || lost.PID == "" || lost.Offset == "" {
		return nil, nil
	}
	stored, err := n.adapter.Restore(context.Background(), lost.PID, lost.Offset, func(kept *StoredSocket) bool {
		if kept.Principal != c.principal() || n.socket(kept.ID) != nil {
			return false
		}
		s = n.newSocket(c, auth, kept.ID)
		s.pid, s.data, s.recovered = kept.PID, kept.Data, true
		return n.put(s)
	})
	if err != nil {
		n.server.log().Error("socketio: socket not brought back", "namespace", n.name, "error", err)
	}
	if stored != nil && s != nil {
		return s, stored.Missed
	}
	if s != nil {
		s.end(ForcedClose, nil)
	}
	return nil, nil
}

// check runs the middleware.
func (n *Namespace) check(s *Socket) error {
	use := n.use.load()
	if len(use) == 0 || s.recovered && !n.server.Recovery.RunMiddleware {
		return nil
	}
	ctx, cancel := context.WithTimeout(s.engine.Context(), n.server.connectTimeout())
	defer cancel()
	for _, f := range use {
		if err := recovered(func() error { return (*f)(ctx, s) }); err != nil {
			return err
		}
		if s.gone() {
			return ErrDisconnected
		}
	}
	return nil
}

// welcome tells the client that it is connected, after what it missed and before
// what has been sent to it since.
func (s *Socket) welcome(missed []*parser.Packet) error {
	connect := &parser.Packet{Type: parser.Connect, Namespace: s.ns.name}
	if s.session.revision() >= 4 {
		connect.SetPayload(struct { // it can be encoded
			SID string `json:"sid"`
			PID string `json:"pid,omitempty"`
		}{s.id, s.pid})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone() {
		return ErrDisconnected
	}
	for _, p := range append(slices.Clip(missed), connect) {
		wire, err := s.ns.server.encode(p, false)
		if err == nil {
			err = s.session.post(wire)
		}
		if err != nil {
			return err
		}
	}
	s.state.Store(uint32(connected))
	held := s.held
	s.held = nil
	if held == nil {
		return nil
	}
	return s.session.post(*held)
}
