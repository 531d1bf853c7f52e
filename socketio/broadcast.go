package socketio

import (
	"context"
	"encoding/json"
	"slices"
	"time"
)

// A Broadcast is a choice of sockets of a namespace, on all servers of the cluster,
// and how to send to them. It is a value: its methods return another one and do
// not change it, so that it may be kept and used concurrently.
type Broadcast struct {
	spaces func() []*Namespace // of which the sockets are
	single bool                // whether there is one, and always the same
	target Target
}

// To returns the sockets that are in any of the rooms, besides those of earlier
// calls: each gets an event once, whatever rooms it is in.
func (b Broadcast) To(rooms ...string) Broadcast {
	b.target.Rooms = append(slices.Clip(b.target.Rooms), rooms...)
	return b
}

// In is [Broadcast.To].
func (b Broadcast) In(rooms ...string) Broadcast { return b.To(rooms...) }

// Except leaves out the sockets that are in any of the rooms.
func (b Broadcast) Except(rooms ...string) Broadcast {
	b.target.Except = append(slices.Clip(b.target.Except), rooms...)
	return b
}

// Local leaves out the other servers of the cluster.
func (b Broadcast) Local() Broadcast { b.target.Local = true; return b }

// Volatile drops events for sockets that they cannot be sent to at once.
func (b Broadcast) Volatile() Broadcast { b.target.Volatile = true; return b }

// Compress says whether events are compressed where sessions are.
func (b Broadcast) Compress(on bool) Broadcast { b.target.Uncompressed = !on; return b }

// Timeout limits the wait for acknowledgements of [Broadcast.Call].
func (b Broadcast) Timeout(d time.Duration) Broadcast { b.target.Timeout = d; return b }

// Emit sends an event to the sockets. It is encoded once, as
// [parser.Packet.SetArgs] does, and waits for none of them: what a client does not
// take at once is queued, and [Server.Slow] says what happens when that is too
// much. The arguments are not retained. Events of one goroutine arrive in order.
//
// The error is that of SetArgs or of the adapter.
func (b Broadcast) Emit(event string, args ...any) error {
	for _, ns := range b.spaces() {
		p, err := newEvent(ns.name, event, args)
		if err != nil {
			return err
		}
		if err := ns.adapter.Broadcast(p, b.target); err != nil {
			return err
		}
	}
	return nil
}

// Send is Emit of the event message.
func (b Broadcast) Send(args ...any) error { return b.Emit("message", args...) }

// Call sends an event that asks for acknowledgements, waits for them and returns
// the first argument of each, in the order in which they came.
//
// When some have not come the error is [ErrAckTimeout] after [Broadcast.Timeout],
// the cause of ctx when that ended, or [ErrDisconnected] when clients went away;
// the values are those that came all the same. Otherwise it is that of Emit, or
// [ErrUnsupported] for a [ParentNamespace].
//
// It may be called in a handler, as [Socket.Call] may.
func (b Broadcast) Call(ctx context.Context, event string, args ...any) ([]Value, error) {
	if !b.single {
		return nil, ErrUnsupported
	}
	ns := b.spaces()[0]
	p, err := newEvent(ns.name, event, args)
	if err != nil {
		return nil, err
	}
	if b.target.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, b.target.Timeout, ErrAckTimeout)
		defer cancel()
	}
	var values []Value
	err = ns.adapter.BroadcastCall(ctx, p, b.target, func(v Value) { values = append(values, v.Clone()) })
	return values, err
}

// FetchSockets describes the sockets. The error is that of the adapter, or
// [ErrUnsupported] for a [ParentNamespace].
func (b Broadcast) FetchSockets(ctx context.Context) ([]*RemoteSocket, error) {
	if !b.single {
		return nil, ErrUnsupported
	}
	ns := b.spaces()[0]
	infos, err := ns.adapter.FetchSockets(ctx, b.target)
	if err != nil {
		return nil, err
	}
	sockets := make([]*RemoteSocket, len(infos))
	for i, info := range infos {
		sockets[i] = &RemoteSocket{info, ns}
	}
	return sockets, nil
}

// ClientIDs returns the ids of the sockets. The error is that of FetchSockets.
func (b Broadcast) ClientIDs(ctx context.Context) ([]string, error) {
	sockets, err := b.FetchSockets(ctx)
	ids := make([]string, len(sockets))
	for i, s := range sockets {
		ids[i] = s.ID()
	}
	return ids, err
}

// SocketsJoin puts the sockets into rooms. The error is that of the adapter.
func (b Broadcast) SocketsJoin(rooms ...string) error {
	return b.each(func(a Adapter) error { return a.JoinAll(b.target, rooms...) })
}

// SocketsLeave takes the sockets out of rooms. The error is that of the adapter.
func (b Broadcast) SocketsLeave(rooms ...string) error {
	return b.each(func(a Adapter) error { return a.LeaveRooms(b.target, rooms...) })
}

// DisconnectSockets disconnects the sockets as [Socket.Disconnect] does. The error
// is that of the adapter.
func (b Broadcast) DisconnectSockets(closeSession bool) error {
	return b.each(func(a Adapter) error { return a.DisconnectAll(b.target, closeSession) })
}

func (b Broadcast) each(f func(Adapter) error) error {
	for _, ns := range b.spaces() {
		if err := f(ns.adapter); err != nil {
			return err
		}
	}
	return nil
}

// A RemoteSocket describes a socket of any server of the cluster, as it was when it
// was fetched.
type RemoteSocket struct {
	info SocketInfo
	ns   *Namespace
}

// ID returns the id of the socket.
func (r *RemoteSocket) ID() string { return r.info.ID }

// Handshake returns how the client connected.
func (r *RemoteSocket) Handshake() Handshake { return r.info.Handshake }

// Rooms returns the rooms that the socket was in. The caller must not modify them.
func (r *RemoteSocket) Rooms() []string { return r.info.Rooms }

// Data decodes what was kept with [Socket.SetData] into what dst points to. The
// error is that of [json.Unmarshal].
func (r *RemoteSocket) Data(dst any) error { return json.Unmarshal(r.info.Data, dst) }

// broadcast returns the socket as one to send to.
func (r *RemoteSocket) broadcast() Broadcast { return r.ns.To(r.info.ID) }

// Emit sends an event to the socket: see [Broadcast.Emit].
func (r *RemoteSocket) Emit(event string, args ...any) error {
	return r.broadcast().Emit(event, args...)
}

// Call sends an event that asks for an acknowledgement, and returns its first
// argument. The error is [ErrDisconnected] if the socket is gone, and else that of
// [Broadcast.Call].
func (r *RemoteSocket) Call(ctx context.Context, event string, args ...any) (Value, error) {
	values, err := r.broadcast().Call(ctx, event, args...)
	if err == nil && len(values) == 0 {
		err = ErrDisconnected
	}
	return first(values), err
}

// Join puts the socket into rooms. The error is that of the adapter.
func (r *RemoteSocket) Join(rooms ...string) error { return r.broadcast().SocketsJoin(rooms...) }

// Leave takes the socket out of rooms. The error is that of the adapter.
func (r *RemoteSocket) Leave(rooms ...string) error { return r.broadcast().SocketsLeave(rooms...) }

// Disconnect is [Socket.Disconnect]. The error is that of the adapter.
func (r *RemoteSocket) Disconnect(closeSession bool) error {
	return r.broadcast().DisconnectSockets(closeSession)
}
