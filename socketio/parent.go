package socketio

import (
	"context"
	"regexp"
	"slices"
	"time"
)

// A ParentNamespace stands for the namespaces that clients create by joining them:
// see [Server.OfRegexp] and [Server.OfFunc]. What is registered with it holds for
// the namespaces created from then on, and what is sent to it goes to all of them.
type ParentNamespace struct {
	server *Server
	match  func(ctx context.Context, name string, auth Value) bool
	re     *regexp.Regexp // or nil

	use       hooks[func(context.Context, *Socket) error]
	onConnect hooks[func(*Socket)]
}

// Use adds middleware: see [Namespace.Use].
func (p *ParentNamespace) Use(f func(ctx context.Context, s *Socket) error) { p.use.add(f, false) }

// OnConnect has f called for each client that has joined: see [Namespace.OnConnect].
func (p *ParentNamespace) OnConnect(f func(*Socket)) { p.onConnect.add(f, false) }

// copyTo has a new child do what the parent was told.
func (p *ParentNamespace) copyTo(ns *Namespace) {
	for _, f := range p.use.load() {
		ns.use.add(*f, false)
	}
	for _, f := range p.onConnect.load() {
		ns.onConnect.add(*f, false)
	}
}

// Children returns the namespaces there are now.
func (p *ParentNamespace) Children() []*Namespace {
	var children []*Namespace
	for ns := range p.server.Namespaces() {
		if ns.parent == p {
			children = append(children, ns)
		}
	}
	slices.SortFunc(children, func(a, b *Namespace) int {
		if a.name < b.name {
			return -1
		}
		return 1
	})
	return children
}

func (p *ParentNamespace) all() Broadcast { return Broadcast{spaces: p.Children} }

// To returns the sockets of all children in any of the rooms.
func (p *ParentNamespace) To(rooms ...string) Broadcast { return p.all().To(rooms...) }

// In is [ParentNamespace.To].
func (p *ParentNamespace) In(rooms ...string) Broadcast { return p.To(rooms...) }

// Except returns the sockets of all children that are in none of the rooms.
func (p *ParentNamespace) Except(rooms ...string) Broadcast { return p.all().Except(rooms...) }

// Local returns the sockets of all children on this server.
func (p *ParentNamespace) Local() Broadcast { return p.all().Local() }

// Volatile returns the sockets of all children: see [Broadcast.Volatile].
func (p *ParentNamespace) Volatile() Broadcast { return p.all().Volatile() }

// Compress returns the sockets of all children: see [Broadcast.Compress].
func (p *ParentNamespace) Compress(on bool) Broadcast { return p.all().Compress(on) }

// Timeout returns the sockets of all children: see [Broadcast.Timeout].
func (p *ParentNamespace) Timeout(d time.Duration) Broadcast { return p.all().Timeout(d) }

// Emit sends an event to the sockets of all children: see [Broadcast.Emit].
func (p *ParentNamespace) Emit(event string, args ...any) error { return p.all().Emit(event, args...) }

// Send is Emit of the event message.
func (p *ParentNamespace) Send(args ...any) error { return p.all().Send(args...) }
