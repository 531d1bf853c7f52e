package socketio

import (
	"context"
	"encoding/json"
	"time"

	"example.org/rfc6455/socketio/parser"
)

// An Adapter knows which sockets of a namespace are in which rooms, and brings
// broadcasts to them. [MemoryAdapter] is the one of a single server. That of a
// cluster embeds one for its own clients, and tells the other servers of what it
// is asked for.
//
// Its methods are called concurrently.
type Adapter interface {
	// Join puts a socket of this server into rooms, one after the other, and
	// Leave takes it out of them. A socket's first room is its own id. LeaveAll
	// forgets it.
	Join(id string, rooms ...string) error
	Leave(id string, rooms ...string) error
	LeaveAll(id string) error

	// Rooms returns the rooms of a socket of this server, and Members the ids of
	// this server's sockets in any of the rooms; no rooms mean all sockets.
	Rooms(id string) []string
	Members(rooms ...string) []string

	// Broadcast sends an event to the sockets of t. It waits for none of them.
	// The packet does not change any more.
	Broadcast(p *parser.Packet, t Target) error

	// BroadcastCall sends an event to the sockets of t, with an id of its own, and
	// calls answer for the first argument of each acknowledgement, one call after
	// the other. It returns when all have answered; with the cause of ctx when
	// that ends before. The value is valid until answer returns.
	BroadcastCall(ctx context.Context, p *parser.Packet, t Target, answer func(Value)) error

	// FetchSockets describes the sockets of t.
	FetchSockets(ctx context.Context, t Target) ([]SocketInfo, error)

	// JoinAll, LeaveRooms and DisconnectAll do to all sockets of t what
	// Socket.Join, Socket.Leave and Socket.Disconnect do to one.
	JoinAll(t Target, rooms ...string) error
	LeaveRooms(t Target, rooms ...string) error
	DisconnectAll(t Target, closeSession bool) error

	// ServerSideEmit sends an event, with its name first, to the other servers of
	// the cluster, and ServerSideCall waits for the answers as BroadcastCall does.
	ServerSideEmit(args ...any) error
	ServerSideCall(ctx context.Context, answer func(Value), args ...any) error

	// Servers returns how many servers there are, this one included.
	Servers(ctx context.Context) (int, error)

	// Persist keeps the state of a socket that was disconnected, and Restore
	// gives it back once, with the events that it missed after the one with the
	// offset, and puts the socket into its rooms: an event is either missed or
	// broadcast to it from then on. Before, it calls admit, which registers the
	// socket with the namespace, or says that it is not for this client. A state
	// that is not kept, or of which events are missing, is nil.
	Persist(s *StoredSocket) error
	Restore(ctx context.Context, pid, offset string, admit func(*StoredSocket) bool) (*StoredSocket, error)

	// Close ends the adapter.
	Close() error
}

// A Target says which sockets of a namespace something is for.
type Target struct {
	// Rooms are those of which a socket must be in one; none mean all sockets.
	Rooms []string
	// Except are those of which it must be in none.
	Except []string
	// Local leaves the other servers of a cluster alone.
	Local bool
	// Volatile skips sockets that cannot be sent to at once.
	Volatile bool
	// Uncompressed does not compress the packet.
	Uncompressed bool
	// Timeout limits the wait for acknowledgements; 0 is no limit.
	Timeout time.Duration
}

// A SocketInfo describes a socket of any server of a cluster.
type SocketInfo struct {
	ID        string          `json:"id"`
	Handshake Handshake       `json:"handshake"`
	Rooms     []string        `json:"rooms"`
	Data      json.RawMessage `json:"data"`
}

// A StoredSocket is what is kept of a socket that may come back.
type StoredSocket struct {
	// ID is the socket's, and PID the secret that brings it back.
	ID, PID string
	// Rooms and Data are the socket's.
	Rooms []string
	Data  any
	// Principal is who the client was, by engineio.Options.Principal.
	Principal string
	// Missed is what Restore found that the client has not got: events of this
	// namespace, in their order, with their offsets.
	Missed []*parser.Packet
}
