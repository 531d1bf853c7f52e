package socketio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"example.org/rfc6455/socketio/parser"
)

// An Event is an event on its way to its handlers, or to the peer.
type Event struct {
	// Name is the name.
	Name string
	// Args are the arguments.
	Args []Value
}

// A Listener is a function that was registered for an event.
type Listener struct {
	set   *listeners
	event string
	h     handler // its fn is an error if it cannot be one
	once  bool
	done  atomic.Bool // whether it was removed, or called once
}

// Err returns why the function cannot be a handler, which matches [ErrHandler],
// [parser.ErrReservedEvent] or [parser.ErrEventName]; or nil. It has been logged
// already.
func (l *Listener) Err() error {
	if l.set != nil {
		return nil
	}
	return l.h.fn.(error)
}

// Off removes the listener. It is not called any more once Off has returned,
// unless it is running.
func (l *Listener) Off() {
	l.done.Store(true)
	if l.set != nil {
		l.set.remove(func(o *Listener) bool { return o == l })
	}
}

// A list is one that is replaced instead of modified, so that who walks it is not
// disturbed. The zero value is empty.
type list[E any] struct {
	all atomic.Pointer[[]E]
}

func (l *list[E]) load() []E {
	if p := l.all.Load(); p != nil {
		return *p
	}
	return nil
}

// update replaces the list by what f makes of a copy, which may be called more than
// once.
func (l *list[E]) update(f func([]E) []E) {
	for {
		old := l.all.Load()
		var all []E
		if old != nil {
			all = *old
		}
		var now *[]E
		if all = f(append(make([]E, 0, len(all)+1), all...)); len(all) > 0 {
			now = &all
		}
		if l.all.CompareAndSwap(old, now) {
			return
		}
	}
}

// listeners are the functions that were registered for events.
type listeners struct{ list[*Listener] }

func (s *listeners) add(event string, fn any, once bool) *Listener {
	h, err := newHandler(fn)
	switch {
	case event == "":
		err = parser.ErrEventName
	case parser.Reserved(event):
		err = parser.ErrReservedEvent
	case err == nil && h.sig.err:
		err = fmt.Errorf("%w: %T: no event has an error as its first argument", ErrHandler, fn)
	}
	if err != nil {
		return &Listener{event: event, h: handler{fn: err}, once: once}
	}
	l := &Listener{set: s, event: event, h: h, once: once}
	s.update(func(all []*Listener) []*Listener { return append(all, l) })
	return l
}

func (s *listeners) remove(which func(*Listener) bool) {
	s.update(func(all []*Listener) []*Listener { return slices.DeleteFunc(all, which) })
}

// off removes the listeners of an event.
func (s *listeners) off(event string) {
	s.remove(func(l *Listener) bool {
		if l.event != event {
			return false
		}
		l.done.Store(true)
		return true
	})
}

// of appends the listeners of an event to dst.
func (s *listeners) of(dst []*Listener, event []byte) []*Listener {
	for _, l := range s.load() {
		if l.event == string(event) {
			dst = append(dst, l)
		}
	}
	return dst
}

// call calls the listener, unless it was removed: see handler.call.
func (l *Listener) call(ctx func() context.Context, values []Value, answer *answer, decoded func()) error {
	if l.once {
		if l.done.Swap(true) {
			return nil
		}
		l.Off()
	} else if l.done.Load() {
		return nil
	}
	return l.h.call(ctx, nil, values, answer, decoded)
}

// An asker is who gets the answer to an event.
type asker struct {
	socket *Socket                // that sent the event
	id     uint64                 // of the event
	reply  func(args []any) error // instead of socket
}

// answer sends an answer. It reports whether there can be no other one any more.
func (a *asker) answer(args []any) (final bool, err error) {
	if a.reply != nil {
		err = a.reply(slices.Clone(args)) // so that those of the other branch stay where they are
	} else {
		err = a.socket.acknowledge(a.id, args)
	}
	if err == nil {
		return true, nil
	}
	_, unsent := errors.AsType[*parser.PacketError](err)
	return !unsent, err // it can still be answered with something else
}

// An answer sends what an event was asked for, once. It is for the goroutine that
// calls the handlers; from the first Ack on that is given to one of them, all of them
// send through that. The zero value is that of an event that asked for nothing.
type answer struct {
	asker
	asked bool
	final bool       // whether it has been sent
	given *ackSender // nil as long as no handler has one
}

func answerBy(reply func(args []any) error) answer {
	return answer{asked: true, asker: asker{reply: reply}}
}

func (a *answer) send(args ...any) (err error) {
	switch {
	case !a.asked:
	case a.given != nil:
		return a.given.send(args...)
	case a.final:
		return ErrAnswered
	default:
		a.final, err = a.answer(args)
	}
	return err
}

// result is send for the results of a handler. That another one has answered already
// is no error.
func (a *answer) result(results ...any) error {
	if a == nil {
		return nil
	}
	if err := a.send(results...); err != ErrAnswered {
		return err
	}
	return nil
}

// ack returns a function for a handler.
func (a *answer) ack() Ack {
	if a == nil || !a.asked {
		return func(...any) error { return nil }
	}
	if a.given == nil {
		a.given = &ackSender{asker: a.asker}
		a.given.final.Store(a.final)
	}
	return a.given.send
}

// fail answers that there was an error, unless there was an answer.
func (a *answer) fail(err error) {
	if !a.asked {
		return
	}
	e := public(err)
	if _, ok := errors.AsType[*ArgumentError](err); ok {
		e = &Error{Message: "invalid arguments"}
	}
	a.send(failure{e.Message, e.Data})
}

// An ackSender sends an answer that any goroutine may give.
type ackSender struct {
	asker
	final atomic.Bool
}

func (a *ackSender) send(args ...any) error {
	if a.final.Swap(true) {
		return ErrAnswered
	}
	final, err := a.answer(args)
	if !final {
		a.final.Store(false)
	}
	return err
}

// failure is how an error answers an event.
type failure struct {
	Error string `json:"error"`
	Data  any    `json:"data,omitempty"`
}

// hooks are functions that are called in the order of their registration.
type hooks[F any] struct{ list[*F] }

// add registers f, at the front or at the end, and returns what removes it.
func (h *hooks[F]) add(f F, front bool) (off func()) {
	p := &f
	h.update(func(all []*F) []*F {
		if front {
			return slices.Insert(all, 0, p)
		}
		return append(all, p)
	})
	return func() {
		h.update(func(all []*F) []*F { return slices.DeleteFunc(all, func(q *F) bool { return q == p }) })
	}
}
