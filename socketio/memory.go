package socketio

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"example.org/rfc6455/socketio/parser"
)

// A MemoryAdapter is the [Adapter] of a single server. Adapters of a cluster embed
// it: all of its methods are about the sockets of this server.
type MemoryAdapter struct {
	ns *Namespace

	order sync.Mutex // held while an event gets its offset and is sent; before mu

	mu      sync.RWMutex
	members map[string]*member
	all     crowd             // of all members
	rooms   map[string]*crowd // but for the rooms that are a socket's own
	changes []RoomChange      // for the observer, once mu is released
	log     recoveryLog       // nothing in it without Server.Recovery
}

// A member is a socket in its rooms.
type member struct {
	socket *Socket
	at     int     // its place in all
	own    bool    // whether it is in the room of its own id
	rooms  []place // the others
}

// A place is where a member is in a room.
type place struct {
	room *crowd
	at   int
}

// A crowd is the members of a room. They are in the order in which they joined, but for
// those that took the place of one that left: what belongs to sockets that came one
// after the other mostly lies side by side, in the system, too, and a broadcast is
// faster in that order.
type crowd struct {
	name    string
	members []*member
	sockets []*Socket // of members, each at the same index
}

// add adds m and returns its place.
func (c *crowd) add(m *member) (at int) {
	c.members, c.sockets = append(c.members, m), append(c.sockets, m.socket)
	return len(c.members) - 1
}

// remove removes the member at that index, and returns the one that takes its place, or
// nil if it was the last one.
func (c *crowd) remove(at int) (moved *member) {
	last := len(c.members) - 1
	if at < last {
		moved = c.members[last]
		c.members[at], c.sockets[at] = moved, c.sockets[last]
	}
	c.members[last], c.sockets[last] = nil, nil
	c.members, c.sockets = c.members[:last], c.sockets[:last]
	if cap(c.members) > 64 && last < cap(c.members)/4 { // most are gone
		c.members, c.sockets = slices.Clone(c.members), slices.Clone(c.sockets)
	}
	return moved
}

// A RoomEvent says what happened to a room of this server.
type RoomEvent string

// What happens to rooms, in the words of Node's adapters.
const (
	RoomCreated RoomEvent = "create-room"
	RoomJoined  RoomEvent = "join-room"
	RoomLeft    RoomEvent = "leave-room"
	RoomDeleted RoomEvent = "delete-room"
)

// A RoomChange is an event of a room. Rooms that are a socket's own have none.
type RoomChange struct {
	Event RoomEvent
	// Room is which, and ID the socket that joined or left it.
	Room, ID string
}

// change notes an event for the observer, if there is one. It needs mu.
func (a *MemoryAdapter) change(e RoomEvent, room, id string) {
	if a.ns.server.OnRoom != nil {
		a.changes = append(a.changes, RoomChange{e, room, id})
	}
}

// unlock releases mu and tells the observer what has changed.
func (a *MemoryAdapter) unlock() {
	changes := a.changes
	a.changes = nil
	a.mu.Unlock()
	for _, c := range changes {
		if err := recovered(func() error { a.ns.server.OnRoom(a.ns, c); return nil }); err != nil {
			a.ns.server.log().Error("socketio: hook for a room", "error", err)
		}
	}
}

// NewMemoryAdapter returns an adapter for a namespace.
func NewMemoryAdapter(ns *Namespace) *MemoryAdapter {
	return &MemoryAdapter{ns: ns, members: map[string]*member{}, rooms: map[string]*crowd{}}
}

// Join implements [Adapter]. The error is [ErrDisconnected] for a socket that is
// not connected to this server, and [ErrTooManyRooms].
func (a *MemoryAdapter) Join(id string, rooms ...string) error {
	s := a.ns.socket(id)
	if s == nil {
		return ErrDisconnected
	}
	a.mu.Lock()
	defer a.unlock()
	return a.join(s, rooms)
}

// join needs mu.
func (a *MemoryAdapter) join(s *Socket, rooms []string) error {
	if s.gone() { // it may have left already
		return ErrDisconnected
	}
	m := a.members[s.id]
	if m == nil {
		m = &member{socket: s}
		m.at = a.all.add(m)
		a.members[s.id] = m
	}
	limit := a.ns.server.maxRooms()
	for _, room := range rooms {
		if room == s.id {
			m.own = true
			continue
		}
		if m.find(room) >= 0 {
			continue
		}
		if len(m.rooms) >= limit {
			return ErrTooManyRooms
		}
		in := a.rooms[room]
		if in == nil {
			in = &crowd{name: room}
			a.rooms[room] = in
			a.change(RoomCreated, room, "")
		}
		m.rooms = append(m.rooms, place{in, in.add(m)})
		a.change(RoomJoined, room, s.id)
	}
	return nil
}

// Leave implements [Adapter]. It returns nil.
func (a *MemoryAdapter) Leave(id string, rooms ...string) error {
	a.mu.Lock()
	defer a.unlock()
	m := a.members[id]
	if m == nil {
		return nil
	}
	for _, room := range rooms {
		if room == id {
			m.own = false
		} else if i := m.find(room); i >= 0 {
			p := m.rooms[i]
			m.rooms = slices.Delete(m.rooms, i, i+1)
			a.leave(m, p)
		}
	}
	return nil
}

// leave takes m out of a room that it no longer has in its list. It needs mu.
func (a *MemoryAdapter) leave(m *member, p place) {
	room := p.room.name
	if moved := p.room.remove(p.at); moved != nil {
		moved.rooms[moved.find(room)].at = p.at
	}
	a.change(RoomLeft, room, m.socket.id)
	if len(p.room.members) == 0 {
		delete(a.rooms, room)
		a.change(RoomDeleted, room, "")
	}
}

// LeaveAll implements [Adapter]. It returns nil.
func (a *MemoryAdapter) LeaveAll(id string) error {
	a.mu.Lock()
	defer a.unlock()
	m := a.members[id]
	if m == nil {
		return nil
	}
	delete(a.members, id)
	if moved := a.all.remove(m.at); moved != nil {
		moved.at = m.at
	}
	for _, p := range m.rooms {
		a.leave(m, p)
	}
	return nil
}

// Rooms implements [Adapter].
func (a *MemoryAdapter) Rooms(id string) []string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	m := a.members[id]
	if m == nil {
		return nil
	}
	return m.all()
}

func (m *member) all() []string {
	all := make([]string, 0, len(m.rooms)+1)
	if m.own {
		all = append(all, m.socket.id)
	}
	for _, p := range m.rooms {
		all = append(all, p.room.name)
	}
	return all
}

// find returns where a room is among those of m, or -1.
func (m *member) find(room string) int {
	return slices.IndexFunc(m.rooms, func(p place) bool { return p.room.name == room })
}

// in reports whether m is in one of the rooms.
func (m *member) in(rooms []string) bool {
	for _, room := range rooms {
		if room == m.socket.id && m.own || m.find(room) >= 0 {
			return true
		}
	}
	return false
}

// Members implements [Adapter].
func (a *MemoryAdapter) Members(rooms ...string) []string {
	var ids []string
	for _, s := range a.sockets(Target{Rooms: rooms}) {
		ids = append(ids, s.id)
	}
	return ids
}

// sockets returns the sockets of t.
func (a *MemoryAdapter) sockets(t Target) []*Socket {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.find(t)
}

// find needs mu.
func (a *MemoryAdapter) find(t Target) []*Socket {
	if len(t.Rooms) == 0 {
		return a.all.without(nil, t.Except)
	}
	if len(t.Rooms) == 1 {
		return a.room(nil, t.Rooms[0], t.Except)
	}
	var found []*Socket
	seen := map[*Socket]struct{}{}
	for _, room := range t.Rooms {
		for _, s := range a.room(nil, room, t.Except) {
			if _, twice := seen[s]; !twice {
				seen[s] = struct{}{}
				found = append(found, s)
			}
		}
	}
	return found
}

// room appends the sockets in a room that are in none of except. It needs mu.
func (a *MemoryAdapter) room(dst []*Socket, room string, except []string) []*Socket {
	if m := a.members[room]; m != nil && m.own && !m.in(except) { // who is not in the crowd
		dst = append(dst, m.socket)
	}
	if c := a.rooms[room]; c != nil {
		dst = c.without(dst, except)
	}
	return dst
}

// without appends the sockets of c that are in none of the rooms.
func (c *crowd) without(dst []*Socket, rooms []string) []*Socket {
	if len(rooms) == 0 {
		return append(dst, c.sockets...)
	}
	dst = slices.Grow(dst, len(c.members))
	for _, m := range c.members {
		if !m.in(rooms) {
			dst = append(dst, m.socket)
		}
	}
	return dst
}

// Broadcast implements [Adapter]. The error is that of encoding the packet.
func (a *MemoryAdapter) Broadcast(p *parser.Packet, t Target) error {
	r := a.ns.server.Recovery
	if r == nil || t.Volatile || p.Type != parser.Event || p.HasID {
		return a.Deliver(p, t)
	}
	if err := p.Check(); err != nil {
		return err
	}
	logged := p.Clone()
	// Clients tell by the offset of the last event what they have got: events must be
	// sent in the order of their offsets.
	a.order.Lock()
	a.mu.Lock()
	logged.AppendArg(a.log.append(&logged, t, r))
	sockets := a.find(t)
	a.mu.Unlock()
	err := a.transmit(&logged, t, sockets)
	a.order.Unlock()
	notify(sockets, &logged)
	return err
}

// Deliver sends a packet to this server's sockets of t. It is Broadcast without
// [Server.Recovery], for adapters that keep events and their offsets elsewhere.
func (a *MemoryAdapter) Deliver(p *parser.Packet, t Target) error {
	sockets := a.sockets(t)
	err := a.transmit(p, t, sockets)
	notify(sockets, p)
	return err
}

func (a *MemoryAdapter) transmit(p *parser.Packet, t Target, sockets []*Socket) error {
	wire, err := a.ns.server.encode(p, t.Uncompressed)
	if err != nil {
		return err
	}
	for _, s := range sockets {
		s.transmit(wire, t.Volatile)
	}
	return nil
}

func notify(sockets []*Socket, p *parser.Packet) {
	for _, s := range sockets {
		s.notify(p)
	}
}

// BroadcastCall implements [Adapter]. When sockets were disconnected before they
// answered, and all others have, the error is [ErrDisconnected].
func (a *MemoryAdapter) BroadcastCall(ctx context.Context, p *parser.Packet, t Target, answer func(Value)) error {
	type result struct {
		value Value
		err   error
	}
	results := make(chan result, 1)
	done := make(chan struct{})
	defer close(done)
	n, cancel, err := a.startCall(p, t, func(args []Value, err error) {
		select {
		case results <- result{first(args), err}:
		case <-done:
		}
	})
	if err != nil {
		return err
	}
	defer cancel()
	var lost error
	for ; n > 0; n-- {
		select {
		case r := <-results:
			if r.err != nil {
				lost = r.err
			} else {
				answer(r.value)
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return lost
}

// StartCall sends an event to the sockets of t and returns how many they are. Of
// each, answer is called with the first argument of its acknowledgement, on any
// goroutine, until cancel is called. It is what an adapter of a cluster does for
// another server. The error is that of encoding the packet.
func (a *MemoryAdapter) StartCall(p *parser.Packet, t Target, answer func(Value)) (n int, cancel func(), err error) {
	return a.startCall(p, t, func(args []Value, err error) {
		if err == nil {
			answer(first(args))
		}
	})
}

// startCall calls done once for each socket.
func (a *MemoryAdapter) startCall(p *parser.Packet, t Target, done func(args []Value, err error)) (n int, cancel func(), err error) {
	q := *p
	q.HasID, q.ID = true, a.ns.nextID()
	wire, err := a.ns.server.encode(&q, t.Uncompressed)
	if err != nil {
		return 0, nil, err
	}
	var asked []*Socket
	for _, s := range a.sockets(t) {
		if s.await(q.ID, done, 0) == nil {
			asked = append(asked, s)
			s.transmit(wire, t.Volatile)
			s.notify(&q)
			s.session.turns.letOn() // one of its handlers may wait for it
		}
	}
	return len(asked), func() {
		for _, s := range asked {
			s.forget(q.ID)
		}
	}, nil
}

// first returns the first argument of an acknowledgement.
func first(args []Value) Value {
	if len(args) == 0 {
		return Value{}
	}
	return args[0]
}

// FetchSockets implements [Adapter].
func (a *MemoryAdapter) FetchSockets(_ context.Context, t Target) ([]SocketInfo, error) {
	var infos []SocketInfo
	for _, s := range a.sockets(t) {
		info, err := s.info()
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	return infos, nil
}

// JoinAll implements [Adapter]. The error is that of the first socket that did not
// join all of the rooms.
func (a *MemoryAdapter) JoinAll(t Target, rooms ...string) error {
	var failed error
	for _, s := range a.sockets(t) {
		if err := a.ns.adapter.Join(s.id, rooms...); err != nil && failed == nil && err != ErrDisconnected {
			failed = err
		}
	}
	return failed
}

// LeaveRooms implements [Adapter]. It returns nil.
func (a *MemoryAdapter) LeaveRooms(t Target, rooms ...string) error {
	for _, s := range a.sockets(t) {
		a.ns.adapter.Leave(s.id, rooms...)
	}
	return nil
}

// DisconnectAll implements [Adapter]. It returns nil.
func (a *MemoryAdapter) DisconnectAll(t Target, closeSession bool) error {
	for _, s := range a.sockets(t) {
		s.Disconnect(closeSession)
	}
	return nil
}

// ServerSideEmit implements [Adapter]: there is no other server.
func (a *MemoryAdapter) ServerSideEmit(...any) error { return nil }

// ServerSideCall implements [Adapter]: there is no other server to answer.
func (a *MemoryAdapter) ServerSideCall(context.Context, func(Value), ...any) error { return nil }

// Servers implements [Adapter]. It returns 1.
func (a *MemoryAdapter) Servers(context.Context) (int, error) { return 1, nil }

// Close implements [Adapter]. It returns nil.
func (a *MemoryAdapter) Close() error { return nil }

// Persist implements [Adapter]. It returns nil.
func (a *MemoryAdapter) Persist(s *StoredSocket) error {
	a.mu.Lock()
	defer a.unlock()
	a.log.persist(s, a.ns.server.Recovery)
	return nil
}

// Restore implements [Adapter].
func (a *MemoryAdapter) Restore(_ context.Context, pid, offset string, admit func(*StoredSocket) bool) (*StoredSocket, error) {
	a.mu.Lock()
	defer a.unlock()
	s := a.log.find(pid, offset)
	if s == nil || !admit(s) {
		return nil, nil
	}
	a.log.remove(pid)
	socket := a.ns.socket(s.ID)
	if socket == nil {
		return nil, nil
	}
	a.join(socket, append([]string{s.ID}, s.Rooms...))
	return s, nil
}

// A recoveryLog keeps the last events of a namespace, and the sockets that may come
// back for them. What is too old falls out of it when something is put in.
type recoveryLog struct {
	events  []loggedEvent // in the order of seq, without gaps
	size    int           // octets in events
	seq     uint64        // of the last event
	run     string        // tells the offsets of this log from those of another
	sockets map[string]keptSocket
	order   []string // the keys of sockets, the oldest first
}

type loggedEvent struct {
	packet *parser.Packet
	target Target
	at     time.Time
}

type keptSocket struct {
	socket *StoredSocket
	until  time.Time
}

// append adds an event and returns its offset, which the packet will have as its
// last argument.
func (l *recoveryLog) append(p *parser.Packet, t Target, r *Recovery) string {
	now := time.Now()
	if l.run == "" {
		l.run = newID()[:8]
	}
	l.seq++
	l.events = append(l.events, loggedEvent{p, t, now})
	l.size += octets(p)
	drop := 0
	for len(l.events)-drop > r.maxEvents() || l.size > r.maxOctets() || now.Sub(l.events[drop].at) > r.maxDisconnection() {
		l.size -= octets(l.events[drop].packet)
		l.events[drop] = loggedEvent{}
		if drop++; drop == len(l.events) {
			break
		}
	}
	l.events = l.events[drop:]
	return l.run + "." + strconv.FormatUint(l.seq, 36)
}

// octets is how much of a packet is kept.
func octets(p *parser.Packet) int {
	n := len(p.Data())
	for _, a := range p.Attachments() {
		n += len(a)
	}
	return n
}

// persist keeps a socket.
func (l *recoveryLog) persist(s *StoredSocket, r *Recovery) {
	now := time.Now()
	if l.sockets == nil {
		l.sockets = map[string]keptSocket{}
	}
	for len(l.order) > 0 && (len(l.order) >= r.maxSockets() || !now.Before(l.sockets[l.order[0]].until)) {
		l.remove(l.order[0])
	}
	l.order = append(l.order, s.PID)
	l.sockets[s.PID] = keptSocket{s, now.Add(r.maxDisconnection())}
}

// remove forgets a socket.
func (l *recoveryLog) remove(pid string) {
	delete(l.sockets, pid)
	if i := slices.Index(l.order, pid); i >= 0 {
		l.order = slices.Delete(l.order, i, i+1)
	}
}

// find returns a socket with what it missed.
func (l *recoveryLog) find(pid, offset string) *StoredSocket {
	kept, ok := l.sockets[pid]
	run, digits, _ := strings.Cut(offset, ".")
	seq, err := strconv.ParseUint(digits, 36, 64)
	oldest := l.seq - uint64(len(l.events)) // the event before the first one
	if !ok || err != nil || run != l.run || seq < oldest || seq > l.seq || !time.Now().Before(kept.until) {
		return nil
	}
	s := *kept.socket
	rooms := append(slices.Clone(s.Rooms), s.ID)
	meets := func(room string) bool { return slices.Contains(rooms, room) }
	for _, e := range l.events[seq-oldest:] {
		if (len(e.target.Rooms) == 0 || slices.ContainsFunc(e.target.Rooms, meets)) &&
			!slices.ContainsFunc(e.target.Except, meets) {
			s.Missed = append(s.Missed, e.packet)
		}
	}
	return &s
}
