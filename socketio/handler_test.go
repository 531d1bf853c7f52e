package socketio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/socketio"
	"example.org/rfc6455/socketio/parser"
)

type user struct {
	Name   string `json:"name"`
	Avatar []byte `json:"avatar"`
}

// TestHandlers: an event reaches functions of every kind, and is answered by them.
func TestHandlers(t *testing.T) {
	const noAnswer = ""
	tests := []struct {
		name string
		fn   any
		args string // after the name; ; separates octets that follow
		want string // the answer's arguments, or noAnswer
		log  string
	}{
		{"nothing", func() {}, ``, noAnswer, ""},
		{"string", func(s string) {}, `,"a"`, noAnswer, ""},
		{"string with a result", func(s string) string { return s + "!" }, `,"a"`, `["a!"]`, ""},
		{"more arguments than parameters", func(a int) int { return a }, `,1,2,3`, `[1]`, ""},
		{"fewer arguments than parameters", func(a int, b string, c *user) bool { return a == 1 && b == "" && c == nil }, `,1`, `[true]`, ""},
		{"null", func(a *int, b string, c []byte, d any) bool { return a == nil && b == "" && c == nil && d == nil }, `,null,null,null,null`, `[true]`, ""},
		{"struct and octets", func(u user, b []byte) (string, []byte) { return u.Name + string(u.Avatar), b },
			`,{"name":"x","avatar":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0};#01;#4142`, `["xAB",{"_placeholder":true,"num":0}] #01`, ""},
		{"ack", func(n int, ack socketio.Ack) { ack(n, "b") }, `,7`, `[7,"b"]`, ""},
		{"plain function as ack", func(n int, ack func(...any) error) { ack() }, `,7`, `[]`, ""},
		{"ack before more arguments", func(ack socketio.Ack, rest ...any) { ack(rest...) }, `,7,"b"`, `[7,"b"]`, ""},
		{"ack twice", func(ack socketio.Ack) {
			ack(1)
			if err := ack(2); err != nil && !errors.Is(err, socketio.ErrAnswered) {
				panic(err)
			}
		}, ``, `[1]`, ""},
		{"ack that cannot be encoded", func(ack socketio.Ack) {
			if err := ack(func() {}); err != nil && !errors.Is(err, parser.ErrArgument) {
				panic(err)
			}
			ack("then this")
		}, ``, `["then this"]`, ""},
		{"context", func(ctx context.Context, n int) error { return ctx.Err() }, `,1`, `[]`, ""},
		{"variadic", func(first string, rest ...int) int { return len(first) + len(rest) }, `,"ab",1,2,3`, `[5]`, ""},
		{"variadic without more", func(rest ...any) []any { return rest }, ``, `[[]]`, ""},
		{"values", func(v socketio.Value, rest ...socketio.Value) (any, any) { return v, rest }, `,{"a":[1]},2,"x"`, `[{"a":[1]},[2,"x"]]`, ""},
		{"raw", func(m json.RawMessage) json.RawMessage { return m }, `,{"a": 1}`, `[{"a": 1}]`, ""},
		{"error", func() (int, error) { return 1, errors.New("secret") }, ``, `[{"error":"internal error"}]`, `event "e": secret`},
		{"error for the client", func() error { return fmt.Errorf("x: %w", &socketio.Error{Message: "no", Data: []byte{1}}) }, ``,
			`[{"error":"no","data":{"_placeholder":true,"num":0}}] #01`, `event "e": x: socketio: no`},
		{"results that cannot be encoded", func() func() { return nil }, ``, `[{"error":"internal error"}]`, `event "e": parser: argument at octet 0: json: unsupported type: func()`},
		{"panic", func() { panic("oh") }, ``, `[{"error":"internal error"}]`, `event "e": panic: oh`},
		{"panic in a method of an argument", func(p panicky) {}, `,1`, `[{"error":"internal error"}]`, `event "e": panic: no`},
		{"wrong argument", func(a, b int) {}, `,1,"x"`, `[{"error":"invalid arguments"}]`, `event "e": argument 1: *`},
		{"wrong string", func(s string) {}, `,{}`, `[{"error":"invalid arguments"}]`, `event "e": argument 0: *`},
		{"wrong variadic", func(s ...int) {}, `,1,{}`, `[{"error":"invalid arguments"}]`, `event "e": argument 1: *`},
		{"answered before the panic", func(ack socketio.Ack) { ack(1); panic("late") }, ``, `[1]`, `event "e": panic: late`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
				w.io.OnConnect(func(s *socketio.Socket) {
					if l := s.On("e", tt.fn); l.Err() != nil {
						t.Error(l.Err())
					}
					s.On("after", func() int { return 1 })
					s.OnError(func(err error) { w.log.add("%s", strings.TrimPrefix(err.Error(), "socketio: ")) })
				})
				c, _ := w.join()
				parts := strings.Split(tt.args, ";")
				kind := "42"
				if len(parts) > 1 {
					kind = fmt.Sprintf("45%d-", len(parts)-1)
				}
				for _, id := range []string{"", "5"} { // without and with an answer
					c.send(kind + id + `["e"` + parts[0] + `]`)
					c.send(parts[1:]...)
				}
				c.send(`426["after"]`)
				if tt.want != noAnswer {
					data, octets, _ := strings.Cut(tt.want, " #")
					kind := "435"
					if octets != "" {
						kind = "461-5"
					}
					c.expect(kind + data)
					if octets != "" {
						c.expect("#" + octets)
					}
				}
				c.expect(`436[1]`)
				got := w.log.take()
				want := tt.log
				if prefix, ok := strings.CutSuffix(want, "*"); ok {
					if n := strings.Count(got, prefix); n != 2 {
						t.Errorf("errors: %s; want two of %s", got, want)
					}
				} else if want != "" && tt.name != "results that cannot be encoded" {
					want += "; " + want
					if got != want {
						t.Errorf("errors: %s; want %s", got, want)
					}
				} else if got != want {
					t.Errorf("errors: %s; want %s", got, want)
				}
			})
		})
	}
}

// panicky panics when it is decoded.
type panicky struct{}

func (*panicky) UnmarshalJSON([]byte) error { panic("no") }

// TestBadListeners: what cannot be a handler is refused when it is registered, and
// nothing else happens.
func TestBadListeners(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		var nilFunc func()
		w.io.OnConnect(func(s *socketio.Socket) {
			tests := []struct {
				event string
				fn    any
				err   error
			}{
				{"e", nil, socketio.ErrHandler},
				{"e", nilFunc, socketio.ErrHandler},
				{"e", "text", socketio.ErrHandler},
				{"e", func(chan int) {}, socketio.ErrHandler},
				{"e", func(int, *[]map[string]func()) {}, socketio.ErrHandler},
				{"e", func(...complex128) {}, socketio.ErrHandler},
				{"e", func(fmt.Stringer) {}, socketio.ErrHandler},
				{"e", func(error, string) {}, socketio.ErrHandler},
				{"e", func(socketio.Ack) int { return 1 }, socketio.ErrHandler},
				{"e", func(socketio.Ack, int) {}, socketio.ErrHandler},
				{"", func() {}, parser.ErrEventName},
				{"disconnect", func() {}, parser.ErrReservedEvent},
				{"e", func(tree) {}, nil},
				{"e", func(nested) {}, nil},
			}
			for _, tt := range tests {
				for _, l := range []*socketio.Listener{s.On(tt.event, tt.fn), s.Once(tt.event, tt.fn), w.io.OnServerSide(tt.event, tt.fn)} {
					if !errors.Is(l.Err(), tt.err) || (l.Err() == nil) != (tt.err == nil) {
						t.Errorf("On(%q, %T): %v, want %v", tt.event, tt.fn, l.Err(), tt.err)
					}
					l.Off()
				}
			}
			if err := s.EmitAck("e", 1); !errors.Is(err, socketio.ErrHandler) {
				t.Errorf("EmitAck: %v", err)
			}
		})
		c, _ := w.join()
		c.send(`421["e"]`)
		c.quiet()
	})
}

// nested is a list of itself.
type nested []nested

// tree is a type that has itself in it.
type tree struct{ Kids []tree }

// TestListeners: listeners are called in order, once if asked to, and not after they
// were removed.
func TestListeners(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		w.io.OnConnect(func(s *socketio.Socket) {
			add := func(name string) func() { return func() { w.log.add("%s", name) } }
			s.On("e", add("first"))
			s.Once("e", add("once"))
			second := s.On("e", add("second"))
			s.On("other", add("other"))
			s.On("off", func() { second.Off(); second.Off() })
			s.On("all off", func() { s.Off("e"); s.Off("nothing") })
			s.On("leave", func() { s.Disconnect(false) })
			s.On("leave", add("after the end"))
			off := s.OnAny(func(e *socketio.Event) { w.log.add("any %s %v", e.Name, e.Args) })
			s.PrependAny(func(e *socketio.Event) { w.log.add("front") })
			s.On("no any", func() { off() })
		})
		c, _ := w.join()
		for _, step := range []struct{ event, want string }{
			{`"e",1`, "front; any e [1]; first; once; second"},
			{`"e"`, "front; any e []; first; second"},
			{`"off"`, "front; any off []"},
			{`"e"`, "front; any e []; first"},
			{`"nobody",{}`, "front; any nobody [{}]"},
			{`"no any"`, "front; any no any []"},
			{`"all off"`, "front"},
			{`"e"`, "front"},
			{`"other"`, "front; other"},
			{`12`, "front"},
			{`"leave"`, "front"},
			{`"other"`, ""},
		} {
			c.send(`42[` + step.event + `]`)
			if got := w.log.take(); got != step.want {
				t.Errorf("%s: %s; want %s", step.event, got, step.want)
			}
		}
		c.expect("41")
	})
}

// TestUse: middleware of a socket changes events and stops them.
func TestUse(t *testing.T) {
	bubble(t, &socketio.Server{}, func(t *testing.T, w *world) {
		w.io.OnConnect(func(s *socketio.Socket) {
			off := s.Use(func(e *socketio.Event) error {
				switch e.Name {
				case "secret":
					return &socketio.Error{Message: "not authorized"}
				case "broken":
					return errors.New("database down")
				case "panic":
					panic("no")
				case "old":
					e.Name, e.Args = "new", append(e.Args, e.Args...)
				}
				return nil
			})
			s.On("secret", func() { t.Error("the event was not stopped") })
			s.On("new", func(a, b int) int { return a + b })
			s.On("off", func() string { off(); return "off" })
			s.OnError(func(err error) {
				e, ok := errors.AsType[*socketio.HandlerError](err)
				w.log.add("%t %s", ok, e.Event)
				panic("in the error handler")
			})
		})
		c, _ := w.join()
		c.send(`421["secret"]`, `422["broken"]`, `423["panic"]`, `424["old",4]`, `42["secret"]`, `425["off"]`, `426["new",1,2]`)
		c.expect(`431[{"error":"not authorized"}]`, `432[{"error":"internal error"}]`, `433[{"error":"internal error"}]`, `434[8]`, `435["off"]`, `436[3]`)
		w.check("true secret; true broken; true panic; true secret")
	})
}

// TestErrors: errors say what they are.
func TestErrors(t *testing.T) {
	cause := errors.New("cause")
	for _, tt := range []struct {
		err   error
		is    error
		wants string
	}{
		{&socketio.HandlerError{Event: "e", Err: cause}, cause, "cause"},
		{&socketio.ArgumentError{Index: 3, Err: cause}, cause, "argument 3"},
		{&socketio.PanicError{Value: "v"}, nil, "panic: v"},
		{&socketio.FaultError{Fault: socketio.SlowConsumer, Err: cause}, cause, "slow-consumer"},
		{&socketio.Error{Message: "text"}, nil, "text"},
	} {
		if !strings.Contains(tt.err.Error(), tt.wants) || tt.is != nil && !errors.Is(tt.err, tt.is) {
			t.Errorf("%T says %q, and wants %q; it matches %v: %t", tt.err, tt.err, tt.wants, tt.is, errors.Is(tt.err, tt.is))
		}
	}
	if diff := cmp.Diff([]string{"close", "drop", "SlowPolicy(?)"}, []string{socketio.SlowClose.String(), socketio.SlowDrop.String(), socketio.SlowPolicy(9).String()}); diff != "" {
		t.Errorf("policies (-want +got):\n%s", diff)
	}
}
