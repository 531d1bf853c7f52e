package socketio

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"iter"
	"log/slog"
	"math"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"example.org/rfc6455/socketio/engineio"
	"example.org/rfc6455/socketio/parser"
)

// A SlowPolicy says what happens to a packet for a client for which
// engineio.Options.MaxQueuedSize or MaxQueuedPackets is used up. Volatile events
// are dropped long before.
type SlowPolicy uint8

const (
	// SlowClose closes the session, with the reason [ForcedServerClose].
	SlowClose SlowPolicy = iota
	// SlowDrop drops the packet.
	SlowDrop
)

func (p SlowPolicy) String() string {
	switch p {
	case SlowClose:
		return "close"
	case SlowDrop:
		return "drop"
	}
	return "SlowPolicy(?)"
}

// NoLimit, as a limit or a timeout in [Server], turns it off; so does any other
// negative value.
const NoLimit = -1

// A Server is a Socket.IO server for the official clients of all versions from 2 on:
// revision 5 of the protocol, and revision 4 where Engine allows it. It is an
// [http.Handler], for the path /socket.io/ as clients expect.
//
// Its methods without a namespace are about the main one, which is "/".
//
// The zero value is a server with the defaults, which are safe against a hostile
// client. The fields must be set before it is used. Its methods may be called from
// any goroutine. A Server must not be copied.
type Server struct {
	// Engine configures the sessions underneath: the heartbeat, origins and CORS,
	// transports, limits, compression and revision 3 for clients of version 2. Nil
	// means the defaults.
	Engine *engineio.Options

	// Parser is how packets are written; clients must use the same. Nil means
	// [parser.JSON].
	Parser parser.Parser

	// Limits bounds what a packet may hold. Nil means the defaults.
	Limits *parser.Limits

	// ConnectTimeout limits the wait for a client to join its first namespace, and
	// the time that middleware may take. Zero means 45 seconds.
	ConnectTimeout time.Duration

	// AttachmentTimeout limits the wait for the attachments of a packet. Zero means
	// 30 seconds.
	AttachmentTimeout time.Duration

	// MaxNamespaces limits the namespaces that a client may be in. Zero means 32.
	MaxNamespaces int

	// MaxDynamicNamespaces limits the namespaces that clients may have created, of
	// [Server.OfFunc] and [Server.OfRegexp]. Zero means 10,000.
	MaxDynamicNamespaces int

	// MaxRooms limits the rooms that a socket may be in, without its own. Zero
	// means 1,000.
	MaxRooms int

	// MaxPendingAcks limits the acknowledgements that are awaited from a socket.
	// Zero means 1,024.
	MaxPendingAcks int

	// MaxWaiting limits the packets of a client that wait for a handler that waits
	// for that client: see [Socket.Call]. Then the session is not read until there
	// is room again. Zero means 1,024. They are at most 1 MiB in any case.
	MaxWaiting int

	// Slow is for clients that take packets more slowly than they are sent.
	Slow SlowPolicy

	// Recovery has clients come back to the state of their socket after a short
	// disconnection. Nil means that they begin anew.
	Recovery *Recovery

	// CleanupEmptyNamespaces removes a namespace that a client has created when
	// the last client leaves it.
	CleanupEmptyNamespaces bool

	// Adapter makes the adapter of a namespace. Nil means [NewMemoryAdapter].
	Adapter func(*Namespace) Adapter

	// Files has the scripts for browsers that are served beside the sessions:
	// socket.io.js, socket.io.min.js, socket.io.esm.min.js and
	// socket.io.msgpack.min.js, and each with .map. They are read once; with
	// Engine.CORS pages of other origins may import them. Nil means not to serve any.
	Files fs.FS

	// OnNamespace is called for each namespace that is created, whether by [Server.Of]
	// or by a client, before a client can join it.
	OnNamespace func(*Namespace)

	// OnRoom is called for what happens to the rooms of this server, after it has
	// happened. It must not wait.
	OnRoom func(*Namespace, RoomChange)

	// OnFault is called when a client is cut off for what it did.
	OnFault func(*FaultError)

	// Logger gets a record for each error of a handler. Nil means [slog.Default].
	Logger *slog.Logger

	once   sync.Once
	limits parser.Limits // Limits with their defaults, of once
	engine engineio.Server
	files  files

	mu      sync.RWMutex
	spaces  map[string]*Namespace
	parents []*ParentNamespace
	dynamic int           // how many of spaces have a parent
	live    int           // sessions
	down    bool          // whether Shutdown was called
	ended   chan struct{} // closed when down and no session is live; nil until down
	settled bool          // whether ended is closed
}

func (s *Server) connectTimeout() time.Duration {
	return limit(s.ConnectTimeout, 45*time.Second, math.MaxInt64)
}

func (s *Server) attachmentTimeout() time.Duration {
	return limit(s.AttachmentTimeout, 30*time.Second, math.MaxInt64)
}

func (s *Server) maxNamespaces() int  { return limit(s.MaxNamespaces, 32, math.MaxInt) }
func (s *Server) maxDynamic() int     { return limit(s.MaxDynamicNamespaces, 10_000, math.MaxInt) }
func (s *Server) maxRooms() int       { return limit(s.MaxRooms, 1_000, math.MaxInt) }
func (s *Server) maxPendingAcks() int { return limit(s.MaxPendingAcks, 1_024, math.MaxInt) }
func (s *Server) maxWaiting() int     { return limit(s.MaxWaiting, 1_024, math.MaxInt) }

func (s *Server) parser() parser.Parser {
	if s.Parser == nil {
		return parser.JSON
	}
	return s.Parser
}

func (s *Server) log() *slog.Logger {
	if s.Logger == nil {
		return slog.Default()
	}
	return s.Logger
}

// Sessions returns the Engine.IO server underneath.
func (s *Server) Sessions() *engineio.Server {
	s.once.Do(func() {
		s.limits = s.Limits.WithDefaults()
		s.engine.Options = s.Engine
		s.engine.Handler = s.open
	})
	return &s.engine
}

// ServeHTTP answers a request of a session, or for one of Files.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	engine := s.Sessions()
	s.Of("/") // clients may join it whether the application uses it or not
	if s.Files != nil && s.files.serve(w, r, s.Files, s.Engine != nil && s.Engine.CORS != nil) {
		return
	}
	engine.ServeHTTP(w, r)
}

// Shutdown disconnects all sockets with the reason [ServerShuttingDown], closes the
// sessions after what was sent before, and refuses new ones. It returns when they
// have ended, or with the cause of ctx when that ends before; then what is left of
// them is cut off. The error may also be that of an adapter.
//
// Call it beside [http.Server.Shutdown], which does not know of WebSockets.
func (s *Server) Shutdown(ctx context.Context) error {
	engine := s.Sessions()
	s.mu.Lock()
	if s.ended == nil {
		s.ended = make(chan struct{})
	}
	ended := s.ended
	s.down = true
	s.settle()
	s.mu.Unlock()
	for ns := range s.Namespaces() {
		for _, socket := range ns.every() {
			socket.session.endAs(ServerShuttingDown)
		}
	}
	err := engine.Shutdown(ctx)
	select {
	case <-ended: // the handlers have been told
	case <-ctx.Done():
		err = errors.Join(err, context.Cause(ctx))
	}
	for ns := range s.Namespaces() {
		err = errors.Join(err, ns.adapter.Close())
	}
	return err
}

// Of returns the namespace of that name, which need not begin with a slash. If there
// is none it is created; and if its name is one for a parent namespace, it becomes
// a child of that. A name that cannot be used, with a comma or longer than
// parser.Limits.MaxNamespace, is one that no client can join.
func (s *Server) Of(name string) *Namespace {
	if !strings.HasPrefix(name, "/") {
		name = "/" + name
	}
	s.mu.RLock()
	ns := s.spaces[name]
	s.mu.RUnlock()
	if ns != nil {
		return ns
	}
	s.mu.RLock()
	parents := s.parents
	s.mu.RUnlock()
	for _, p := range parents {
		if p.re != nil && p.re.MatchString(name) {
			ns, _ := s.create(name, p, false)
			return ns
		}
	}
	ns, _ = s.create(name, nil, false)
	return ns
}

// OfRegexp returns a parent namespace: clients may join any namespace whose name
// matches re, which is created then.
func (s *Server) OfRegexp(re *regexp.Regexp) *ParentNamespace {
	p := s.ofFunc(func(_ context.Context, name string, _ Value) bool { return re.MatchString(name) })
	p.re = re
	return p
}

// OfFunc returns a parent namespace: clients may join any namespace that f allows,
// which is created then. It is asked with the auth of the client, and with a context
// that ends with the session.
func (s *Server) OfFunc(f func(ctx context.Context, name string, auth Value) bool) *ParentNamespace {
	return s.ofFunc(f)
}

func (s *Server) ofFunc(f func(context.Context, string, Value) bool) *ParentNamespace {
	p := &ParentNamespace{server: s, match: f}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parents = append(s.parents[:len(s.parents):len(s.parents)], p)
	return p
}

// Namespaces returns an iterator over the namespaces that there are when it begins.
func (s *Server) Namespaces() iter.Seq[*Namespace] {
	return func(yield func(*Namespace) bool) {
		s.mu.RLock()
		all := make([]*Namespace, 0, len(s.spaces))
		for _, ns := range s.spaces {
			all = append(all, ns)
		}
		s.mu.RUnlock()
		for _, ns := range all {
			if !yield(ns) {
				return
			}
		}
	}
}

// errInvalidNamespace is what a client is told that asks for a namespace that does
// not exist.
var errInvalidNamespace = &Error{Message: "Invalid namespace"}

// find returns the namespace that a client asks for.
func (s *Server) find(e *engineio.Session, name string, auth Value) (*Namespace, error) {
	s.mu.RLock()
	ns, parents, down := s.spaces[name], s.parents, s.down
	s.mu.RUnlock()
	switch {
	case down:
		return nil, ErrShutdown
	case ns != nil:
		return ns, nil
	}
	for _, p := range parents {
		allowed := false
		err := recovered(func() error {
			allowed = p.match(e.Context(), name, auth)
			return nil
		})
		if err != nil {
			return nil, err
		}
		if allowed {
			return s.create(name, p, true)
		}
	}
	return nil, errInvalidNamespace
}

// create returns a new namespace, or the one that there is already. For a client
// there is a limit.
func (s *Server) create(name string, parent *ParentNamespace, client bool) (*Namespace, error) {
	ns := &Namespace{server: s, name: name, parent: parent, sockets: map[string]*Socket{}}
	if s.Adapter != nil {
		ns.adapter = s.Adapter(ns)
	} else {
		ns.adapter = NewMemoryAdapter(ns)
	}
	if parent != nil {
		parent.copyTo(ns)
	}
	s.mu.Lock()
	old := s.spaces[name]
	full := client && s.dynamic >= s.maxDynamic()
	if old == nil && !full {
		if s.spaces == nil {
			s.spaces = map[string]*Namespace{}
		}
		s.spaces[name] = ns
		if parent != nil {
			s.dynamic++
		}
	}
	s.mu.Unlock()
	if old != nil || full {
		ns.adapter.Close()
		if full && old == nil {
			return nil, &Error{Message: "Too many namespaces"}
		}
		return old, nil
	}
	if s.OnNamespace != nil {
		s.OnNamespace(ns)
	}
	return ns, nil
}

// cleanup removes an empty namespace that a client has created.
func (s *Server) cleanup(ns *Namespace) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if len(ns.sockets) > 0 || ns.removed {
		return // somebody joined meanwhile, or it has been done
	}
	ns.removed = true
	delete(s.spaces, ns.name)
	s.dynamic--
	ns.adapter.Close()
}

// count counts a session that begins, or ends with -1.
func (s *Server) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live += n
	s.settle()
}

// settle closes ended if it is time to. It needs mu.
func (s *Server) settle() {
	if s.down && s.live == 0 && !s.settled {
		s.settled = true
		close(s.ended)
	}
}

// fault reports a client that is cut off.
func (s *Server) fault(e *FaultError) {
	if s.OnFault == nil {
		return
	}
	if err := recovered(func() error { s.OnFault(e); return nil }); err != nil {
		s.log().Error("socketio: hook for a fault", "error", err)
	}
}

// encode returns a packet as messages, for any number of clients.
func (s *Server) encode(p *parser.Packet, uncompressed bool) ([]*engineio.Packet, error) {
	return encode(s.parser(), p, uncompressed)
}

// isText reports whether a packet is one message of text.
func (s *Server) isText(p *parser.Packet) bool { return isText(s.parser(), p) }

func isText(as parser.Parser, p *parser.Packet) bool {
	return as == parser.JSON && len(p.Attachments()) == 0
}

// newPacket returns a message. It does not retain data.
func newPacket(binary bool, data []byte, uncompressed bool) *engineio.Packet {
	if uncompressed {
		return engineio.NewUncompressedPacket(binary, data)
	}
	return engineio.NewPacket(binary, data)
}

// encode returns a packet as the messages of a parser.
func encode(as parser.Parser, p *parser.Packet, uncompressed bool) ([]*engineio.Packet, error) {
	if isText(as, p) {
		// One text, which newPacket copies: most of them find room on the stack.
		text, err := p.AppendText(make([]byte, 0, 512))
		if err != nil {
			return nil, err
		}
		return []*engineio.Packet{newPacket(false, text, uncompressed)}, nil
	}
	q := *p // so that p need not be on the heap
	messages, err := as.Encode(make([]parser.Message, 0, 4), &q)
	if err != nil {
		return nil, err
	}
	wire := make([]*engineio.Packet, len(messages))
	for i, m := range messages {
		wire[i] = newPacket(m.Binary, m.Data, uncompressed)
	}
	return wire, nil
}

// newID returns 120 random bits as a text of 20 characters.
func newID() string {
	var b [15]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// makeValue returns a value that is valid.
func makeValue(v any) Value {
	b, _ := json.Marshal(v)
	value, _ := parser.MakeValue(b, nil, nil)
	return value
}

// host returns an address without its port.
func host(addr string) string {
	i := strings.LastIndexByte(addr, ':')
	if i < 0 || strings.HasSuffix(addr, "]") {
		return addr
	}
	return strings.Trim(addr[:i], "[]")
}

// Below is what the server does for its main namespace.

// OnConnect is [Namespace.OnConnect].
func (s *Server) OnConnect(f func(*Socket)) { s.Of("/").OnConnect(f) }

// Use is [Namespace.Use].
func (s *Server) Use(f func(ctx context.Context, s *Socket) error) { s.Of("/").Use(f) }

// Socket is [Namespace.Socket].
func (s *Server) Socket(id string) *Socket { return s.Of("/").Socket(id) }

// Sockets is [Namespace.Sockets].
func (s *Server) Sockets() iter.Seq[*Socket] { return s.Of("/").Sockets() }

// To is [Namespace.To].
func (s *Server) To(rooms ...string) Broadcast { return s.Of("/").To(rooms...) }

// In is [Namespace.In].
func (s *Server) In(rooms ...string) Broadcast { return s.Of("/").In(rooms...) }

// Except is [Namespace.Except].
func (s *Server) Except(rooms ...string) Broadcast { return s.Of("/").Except(rooms...) }

// Local is [Namespace.Local].
func (s *Server) Local() Broadcast { return s.Of("/").Local() }

// Volatile is [Namespace.Volatile].
func (s *Server) Volatile() Broadcast { return s.Of("/").Volatile() }

// Compress is [Namespace.Compress].
func (s *Server) Compress(on bool) Broadcast { return s.Of("/").Compress(on) }

// Timeout is [Namespace.Timeout].
func (s *Server) Timeout(d time.Duration) Broadcast { return s.Of("/").Timeout(d) }

// Emit is [Namespace.Emit].
func (s *Server) Emit(event string, args ...any) error { return s.Of("/").Emit(event, args...) }

// Send is [Namespace.Send].
func (s *Server) Send(args ...any) error { return s.Of("/").Send(args...) }

// Call is [Namespace.Call].
func (s *Server) Call(ctx context.Context, event string, args ...any) ([]Value, error) {
	return s.Of("/").Call(ctx, event, args...)
}

// FetchSockets is [Namespace.FetchSockets].
func (s *Server) FetchSockets(ctx context.Context) ([]*RemoteSocket, error) {
	return s.Of("/").FetchSockets(ctx)
}

// ClientIDs is [Namespace.ClientIDs].
func (s *Server) ClientIDs(ctx context.Context) ([]string, error) { return s.Of("/").ClientIDs(ctx) }

// SocketsJoin is [Namespace.SocketsJoin].
func (s *Server) SocketsJoin(rooms ...string) error { return s.Of("/").SocketsJoin(rooms...) }

// SocketsLeave is [Namespace.SocketsLeave].
func (s *Server) SocketsLeave(rooms ...string) error { return s.Of("/").SocketsLeave(rooms...) }

// DisconnectSockets is [Namespace.DisconnectSockets].
func (s *Server) DisconnectSockets(closeSession bool) error {
	return s.Of("/").DisconnectSockets(closeSession)
}

// OnServerSide is [Namespace.OnServerSide].
func (s *Server) OnServerSide(event string, fn any) *Listener {
	return s.Of("/").OnServerSide(event, fn)
}

// ServerSideEmit is [Namespace.ServerSideEmit].
func (s *Server) ServerSideEmit(event string, args ...any) error {
	return s.Of("/").ServerSideEmit(event, args...)
}

// ServerSideCall is [Namespace.ServerSideCall].
func (s *Server) ServerSideCall(ctx context.Context, event string, args ...any) ([]Value, error) {
	return s.Of("/").ServerSideCall(ctx, event, args...)
}
