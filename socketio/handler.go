package socketio

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"example.org/rfc6455/socketio/parser"
)

// A Value is an argument that is not decoded yet: see [parser.Value].
type Value = parser.Value

// An Ack answers the event that a handler was called for. If the peer did not ask
// for an answer it does nothing.
//
// It may be called from any goroutine, and later than the handler returns. The
// error is [ErrAnswered] for a second call, ErrDisconnected, ErrQueueFull, or
// that of [parser.Packet.SetArgs].
type Ack func(args ...any) error

// A handler is a function with its arguments: see [Socket.On] for what it may be.
type handler struct {
	sig *signature
	fn  any
}

// A signature is what functions of one type take and return.
type signature struct {
	ctx      bool           // whether the first parameter is a context.Context
	err      bool           // whether the first one is an error
	ack      bool           // whether the last one, before more arguments, is an Ack
	in       []reflect.Type // of the arguments
	variadic reflect.Type   // of more arguments; nil if there cannot be more
	out      int            // how many results answer the event
	outErr   bool           // whether an error comes after them
	keeps    bool           // whether an argument refers to the packet
	problem  string         // why it is none, or empty
}

var (
	typeContext = reflect.TypeFor[context.Context]()
	typeError   = reflect.TypeFor[error]()
	typeValue   = reflect.TypeFor[Value]()
	typeAck     = reflect.TypeFor[Ack]()
	typeAckFunc = reflect.TypeFor[func(...any) error]()
)

// signatures caches what was found out about types.
var signatures sync.Map // reflect.Type to *signature

// newHandler checks a function.
func newHandler(fn any) (handler, error) {
	v := reflect.ValueOf(fn)
	if !v.IsValid() || v.Kind() != reflect.Func || v.IsNil() {
		return handler{}, fmt.Errorf("%w: %T is no function", ErrHandler, fn)
	}
	cached, ok := signatures.Load(v.Type())
	if !ok {
		cached, _ = signatures.LoadOrStore(v.Type(), newSignature(v.Type()))
	}
	sig := cached.(*signature)
	if sig.problem != "" {
		return handler{}, fmt.Errorf("%w: %T: %s", ErrHandler, fn, sig.problem)
	}
	return handler{sig, fn}, nil
}

func newSignature(t reflect.Type) *signature {
	s := &signature{}
	var in []reflect.Type
	for p := range t.Ins() {
		in = append(in, p)
	}
	if len(in) > 0 && (in[0] == typeContext || in[0] == typeError) {
		s.ctx, s.err = in[0] == typeContext, in[0] == typeError
		in = in[1:]
	}
	if t.IsVariadic() {
		s.variadic = in[len(in)-1].Elem()
		in = in[:len(in)-1]
	}
	if n := len(in); n > 0 && (in[n-1] == typeAck || in[n-1] == typeAckFunc) {
		s.ack = true
		in = in[:n-1]
	}
	s.in = in
	for i, p := range in {
		if what := undecodable(p, map[reflect.Type]bool{}); what != "" {
			s.problem = fmt.Sprintf("parameter %v: %s", in[i], what)
		}
	}
	if s.variadic != nil {
		if what := undecodable(s.variadic, map[reflect.Type]bool{}); what != "" {
			s.problem = fmt.Sprintf("parameter ...%v: %s", s.variadic, what)
		}
	}
	s.keeps = slices.Contains(in, typeValue) || s.variadic == typeValue
	s.out = t.NumOut()
	if s.out > 0 && t.Out(s.out-1) == typeError {
		s.out--
		s.outErr = true
	}
	if s.out > 0 && s.ack {
		s.problem = "both an Ack and results would answer the event"
	}
	return s
}

// undecodable says why no argument can be stored in a type, or nothing.
func undecodable(t reflect.Type, seen map[reflect.Type]bool) string {
	if seen[t] {
		return ""
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return "nothing can be decoded into " + t.String()
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return "nothing can be decoded into " + t.String()
		}
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return undecodable(t.Elem(), seen)
	}
	return "" // the fields of a struct may be left alone
}

// call decodes the arguments and calls the function. answer is where its results go,
// or nil. If decoded is not nil it is called when the values are of no more use, unless
// there is an error before.
func (h *handler) call(ctx func() context.Context, failed error, values []Value, answer *answer, decoded func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = newPanicError(v)
		}
	}()
	done := func() {
		if decoded != nil {
			decoded()
		}
	}
	switch f := h.fn.(type) { // the usual signatures need no reflection
	case func():
		done()
		f()
		return nil
	case func(string):
		s, err := decodeString(values)
		if err != nil {
			return err
		}
		done()
		f(s)
		return nil
	case func(string) string:
		s, err := decodeString(values)
		if err != nil {
			return err
		}
		done()
		return answer.result(f(s))
	case func(string, Ack):
		s, err := decodeString(values)
		if err != nil {
			return err
		}
		done()
		f(s, answer.ack())
		return nil
	}
	s, fn := h.sig, reflect.ValueOf(h.fn)
	in := make([]reflect.Value, 0, 8)
	if s.ctx {
		in = append(in, reflect.ValueOf(ctx()))
	}
	if s.err {
		e := reflect.New(typeError).Elem()
		if failed != nil {
			e.Set(reflect.ValueOf(failed))
		}
		in = append(in, e)
	}
	for i, t := range s.in {
		p := reflect.New(t)
		if err := decode(values, i, p.Interface()); err != nil {
			return err
		}
		in = append(in, p.Elem())
	}
	if s.ack {
		in = append(in, reflect.ValueOf(answer.ack()).Convert(fn.Type().In(len(in))))
	}
	if s.variadic != nil {
		for i := len(s.in); i < len(values); i++ {
			p := reflect.New(s.variadic)
			if err := decode(values, i, p.Interface()); err != nil {
				return err
			}
			in = append(in, p.Elem())
		}
	}
	done()
	out := fn.Call(in)
	if s.outErr {
		if e, _ := out[s.out].Interface().(error); e != nil {
			return e
		}
	}
	if s.out > 0 || s.outErr {
		results := make([]any, s.out)
		for i := range results {
			results[i] = out[i].Interface()
		}
		return answer.result(results...)
	}
	return nil
}

// decodeString returns the first argument, if there is one, as a string.
func decodeString(values []Value) (string, error) {
	if len(values) > 0 {
		if s, ok := values[0].Text(); ok {
			return s, nil
		}
	}
	var s string
	err := decode(values, 0, &s)
	return s, err
}

// decode stores an argument, if there is one.
func decode(values []Value, i int, dst any) error {
	if i >= len(values) {
		return nil
	}
	if err := values[i].Decode(dst); err != nil {
		return &ArgumentError{i, err}
	}
	return nil
}
