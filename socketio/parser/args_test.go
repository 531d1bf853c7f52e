package parser_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/socketio/parser"
)

type inner struct {
	Octets []byte `json:"octets"`
	Hidden string `json:"-"`
	lower  int
}

// Embedded is a struct that others embed.
type Embedded struct {
	Promoted string
	Shadowed string
	Tagged   int `json:"tagged"`
	Blob     []byte
}

// Pointed is embedded by pointer.
type Pointed struct {
	Deep any `json:"deep"`
}

type unexported struct {
	Reached int `json:"reached"`
	Twice   int
}

type rival struct{ Twice int }

type outer struct {
	inner
	Embedded
	*Pointed
	unexported
	rival
	Named    `json:"named"`
	ignored  any
	Shadowed string
	Dash     int            `json:"-,"`
	Quoted   int            `json:"quoted,string"`
	QuotedP  *int           `json:"quotedP,string"`
	Empty    []byte         `json:"empty,omitempty"`
	EmptyMap map[string]any `json:"emptyMap,omitempty"`
	EmptyP   *inner         `json:"emptyP,omitempty"`
	Full     inner          `json:"full"`
	Zero     time.Time      `json:"zero,omitzero"`
	ZeroP    *time.Time     `json:"zeroP,omitzero"`
	ZeroAny  int            `json:"zeroAny,omitzero"`
	When     time.Time      `json:"when,omitzero"`
}

// Named is embedded under a name.
type Named struct{ X any }

type pointerMarshaler struct{ B []byte }

func (*pointerMarshaler) MarshalJSON() ([]byte, error) { return []byte(`"by pointer"`), nil }

type failing struct{ B []byte }

func (failing) MarshalText() ([]byte, error) { return nil, errors.New("no text") }

type textKey struct{ n int }

func (k textKey) MarshalText() ([]byte, error) {
	if k.n < 0 {
		return nil, errors.New("negative")
	}
	return fmt.Appendf(nil, "k%d", k.n), nil
}

func (k *textKey) UnmarshalText(b []byte) error {
	_, err := fmt.Sscanf(string(b), "k%d", &k.n)
	return err
}

type namedBlob []byte

type oddOctet byte

func (oddOctet) MarshalText() ([]byte, error) { return []byte("odd"), nil }

type node struct {
	Blob []byte `json:"blob"`
	Next *node  `json:"next"`
}

type tree struct {
	Kids []tree
	N    int
}

// Self embeds itself.
type Self struct {
	*Self
	B          []byte
	unexported `json:"dropped"`
}

const blob0, blob1, blob2 = `{"_placeholder":true,"num":0}`, `{"_placeholder":true,"num":1}`, `{"_placeholder":true,"num":2}`

// TestSetArgs: Go values become JSON as encoding/json has it, with each []byte
// an attachment.
func TestSetArgs(t *testing.T) {
	b0, b1, b2 := []byte{0}, []byte{1, 1}, []byte{2}
	when := time.Date(2020, 1, 2, 3, 4, 5, 6e6, time.UTC)
	loop := &node{}
	loop.Next = loop
	seven := 7
	tests := []struct {
		name string
		args []any
		want string
		att  [][]byte
		err  error
	}{
		{name: "none", want: `[]`},
		{name: "basic", args: []any{nil, "a", true, false, 1, int64(-2), uint8(3), 1.5, float32(0.25)},
			want: `[null,"a",true,false,1,-2,3,1.5,0.25]`},
		{name: "strings", args: []any{"\"\\\n\r\t\x00\x1f</é\u2028\xff😀"},
			want: `["\"\\\n\r\t\u0000\u001f</é` + "\u2028\ufffd" + `😀"]`},
		{name: "raw", args: []any{json.RawMessage(` {"a" : [1]} `), json.RawMessage(nil)}, want: `[{"a" : [1]},null]`},
		{name: "bad raw", args: []any{json.RawMessage(`{`)}, err: parser.ErrJSON},
		{name: "no HTML escapes", args: []any{map[string]string{"<&>": "<&>"}}, want: `[{"<&>":"<&>"}]`},
		{name: "blob", args: []any{b0, []byte{}, []byte(nil), namedBlob{9}},
			want: `[` + blob0 + `,` + blob1 + `,null,` + blob2 + `]`, att: [][]byte{b0, {}, {9}}},
		{name: "array of octets, octets that are text", args: []any{[2]byte{1, 2}, []oddOctet{1}}, want: `[[1,2],["odd"]]`},
		{name: "marshalers", args: []any{when, netip.MustParseAddr("::1"), &when},
			want: `["2020-01-02T03:04:05.006Z","::1","2020-01-02T03:04:05.006Z"]`},
		{name: "map in order of keys", args: []any{map[string]any{"z": b0, "a": b1, "m": []any{1, b2, nil}}},
			want: `[{"a":` + blob0 + `,"m":[1,` + blob1 + `,null],"z":` + blob2 + `}]`, att: [][]byte{b1, b2, b0}},
		{name: "map keys", args: []any{map[textKey][]byte{{2}: b0, {1}: b1}, map[int][]byte{10: b0}, map[uint8]any{3: nil}},
			want: `[{"k1":` + blob0 + `,"k2":` + blob1 + `},{"10":` + blob2 + `},{"3":null}]`, att: [][]byte{b1, b0, b0}},
		{name: "nil containers", args: []any{map[string]any(nil), []any(nil), (*inner)(nil), (*[]byte)(nil), []*inner{nil}},
			want: `[null,null,null,null,[null]]`},
		{name: "arrays and pointers", args: []any{[2][]byte{b0, b1}, &b2, []any{}},
			want: `[[` + blob0 + `,` + blob1 + `],` + blob2 + `,[]]`, att: [][]byte{b0, b1, b2}},
		{name: "plain struct", args: []any{rival{3}}, want: `[{"Twice":3}]`},
		{name: "struct", args: []any{outer{
			inner: inner{Octets: b0, Hidden: "x", lower: 1}, Embedded: Embedded{Promoted: "p", Shadowed: "no", Tagged: 4},
			unexported: unexported{Reached: 5}, Named: Named{b1}, ignored: 1, Shadowed: "yes", Dash: 6, Quoted: 8, QuotedP: &seven, When: when,
		}}, want: `[{"octets":` + blob0 + `,"Promoted":"p","tagged":4,"Blob":null,"reached":5,"named":{"X":` + blob1 +
			`},"Shadowed":"yes","-":6,"quoted":"8","quotedP":"7","full":{"octets":null},"when":"2020-01-02T03:04:05.006Z"}]`,
			att: [][]byte{b0, b1}},
		{name: "struct with what was left out", args: []any{&outer{
			Pointed: &Pointed{b0}, Empty: b1, EmptyMap: map[string]any{"a": 1}, EmptyP: &inner{}, ZeroP: &when, ZeroAny: 2,
		}}, want: `[{"octets":null,"Promoted":"","tagged":0,"Blob":null,"deep":` + blob0 + `,"reached":0,"named":{"X":null},"Shadowed":"","-":0,` +
			`"quoted":"0","quotedP":null,"empty":` + blob1 + `,"emptyMap":{"a":1},"emptyP":{"octets":null},"full":{"octets":null},` +
			`"zeroP":"2020-01-02T03:04:05.006Z","zeroAny":2}]`, att: [][]byte{b0, b1}},
		{name: "marshaler by pointer", args: []any{&struct{ M pointerMarshaler }{}, struct{ M *pointerMarshaler }{&pointerMarshaler{}}, struct{ M pointerMarshaler }{}},
			want: `[{"M":"by pointer"},{"M":"by pointer"},{"M":{"B":null}}]`},
		{name: "list", args: []any{&node{Blob: b0, Next: &node{Blob: b1}}},
			want: `[{"blob":` + blob0 + `,"next":{"blob":` + blob1 + `,"next":null}}]`, att: [][]byte{b0, b1}},
		{name: "values", args: []any{parser.Value{}, &parser.Value{}, []any{parser.Value{}}}, want: `[null,null,[null]]`},
		{name: "recursive types", args: []any{tree{Kids: []tree{{N: 1}}}, Self{B: b0}},
			want: `[{"Kids":[{"Kids":null,"N":1}],"N":0},{"B":` + blob0 + `}]`, att: [][]byte{b0}},
		{name: "endless", args: []any{loop}, err: parser.ErrDepth},
		{name: "no JSON", args: []any{make(chan int)}, err: parser.ErrArgument},
		{name: "no JSON inside", args: []any{[]any{func() {}}}, err: parser.ErrArgument},
		{name: "no JSON in a struct", args: []any{Named{func() {}}}, err: parser.ErrArgument},
		{name: "no JSON in a map", args: []any{map[string]any{"a": math.NaN()}}, err: parser.ErrArgument},
		{name: "bad key", args: []any{map[float64]any{1: 1}}, err: parser.ErrArgument},
		{name: "failing key", args: []any{map[textKey]any{{-1}: 1}}, err: parser.ErrArgument},
		{name: "failing text", args: []any{[]any{failing{}}}, err: parser.ErrArgument},
		{name: "bad quoted", args: []any{struct {
			F float64 `json:",string"`
			B []byte
		}{F: math.Inf(1)}}, err: parser.ErrArgument},
		{name: "foreign placeholder", args: []any{b0, json.RawMessage(blob0)}, err: parser.ErrPlaceholder},
		{name: "foreign placeholder beyond", args: []any{b0, json.RawMessage(blob1)}, err: parser.ErrPlaceholder},
		{name: "foreign placeholder alone", args: []any{json.RawMessage(blob1)}, want: `[` + blob1 + `]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := parser.Packet{Type: parser.Ack}
			err := p.SetArgs(tt.args...)
			checkAppendArgs(t, &p, err, tt.args)
			if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Fatalf("SetArgs: %v, want %v", err, tt.err)
			}
			if string(p.Data()) != tt.want {
				t.Errorf("the payload is\n     %s\nwant %s", p.Data(), tt.want)
			}
			if diff := cmp.Diff(tt.att, p.Attachments()); diff != "" {
				t.Errorf("attachments (-want +got):\n%s", diff)
			}
		})
	}
}

// checkAppendArgs checks that AppendArgs does what SetArgs, which returned failed, and
// AppendText do for the packet.
func checkAppendArgs(t *testing.T, p *parser.Packet, failed error, args []any) {
	t.Helper()
	empty := parser.Packet{Type: p.Type, HasID: p.HasID, ID: p.ID, Namespace: p.Namespace}
	const before = "before "
	want, wantErr := []byte(before), failed
	var attachments [][]byte
	if failed == nil {
		attachments = p.Attachments()
		want, wantErr = p.AppendText(want)
	}
	got, att, err := empty.AppendArgs(append(make([]byte, 0, 100), before...), args...)
	if fmt.Sprint(err) != fmt.Sprint(wantErr) {
		t.Errorf("AppendArgs: %v, want %v", err, wantErr)
	}
	if string(got) != string(want) {
		t.Errorf("AppendArgs gave\n     %s\nwant %s", got, want)
	}
	if diff := cmp.Diff(attachments, att); diff != "" {
		t.Errorf("attachments of AppendArgs (-want +got):\n%s", diff)
	}
	if empty.Data() != nil || empty.Attachments() != nil {
		t.Errorf("AppendArgs set the payload to %s", empty.Data())
	}
}

// TestAppendArgsHead: what comes before the arguments is checked and written.
func TestAppendArgsHead(t *testing.T) {
	for _, p := range []parser.Packet{
		{Type: parser.Ack, HasID: true, ID: 12, Namespace: "/a"},
		{Type: parser.Ack, Namespace: "/"},
		{Type: parser.Event, HasID: true, ID: parser.MaxID},
	} {
		for _, args := range [][]any{{"e", 1}, {"e", []byte{1}, "x", []byte{2}}} {
			err := p.SetArgs(args...)
			checkAppendArgs(t, &p, err, args)
		}
	}
	for _, p := range []parser.Packet{{Type: 9}, {Type: parser.Ack, HasID: true, ID: parser.MaxID + 1}, {Type: parser.Ack, Namespace: "a"}} {
		want := p.Check()
		if text, _, err := p.AppendArgs(nil, 1); fmt.Sprint(err) != fmt.Sprint(want) || want == nil || text != nil {
			t.Errorf("AppendArgs = %q, %v; want %v", text, err, want)
		}
	}
}

// TestSetArgsLikeJSON: without a []byte the result is that of encoding/json,
// whichever way is taken.
func TestSetArgsLikeJSON(t *testing.T) {
	for _, v := range []any{
		outer{Shadowed: "s", Quoted: 3}, &outer{Pointed: &Pointed{"d"}, When: time.Unix(1, 0)},
		map[string]any{"b": []any{1, "x", nil, 2.5}, "a": map[int]any{2: nil, 10: 1}}, []any{struct{}{}, [0]any{}},
	} {
		p := parser.Packet{Type: parser.Ack}
		if err := p.SetArgs(v); err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal([]any{v})
		if err != nil {
			t.Fatal(err)
		}
		if string(p.Data()) != string(want) {
			t.Errorf("SetArgs(%#v) gave\n     %s\nwant %s", v, p.Data(), want)
		}
	}
}

// TestSetArgsKind: the arguments must be those of the type.
func TestSetArgsKind(t *testing.T) {
	tests := []struct {
		typ  parser.Type
		args []any
		err  error
	}{
		{parser.Event, []any{"x"}, nil},
		{parser.Event, []any{strings.Repeat("x", 1000), 1}, nil},
		{parser.Event, nil, parser.ErrEventName},
		{parser.Event, []any{""}, parser.ErrEventName},
		{parser.Event, []any{nil}, parser.ErrEventName},
		{parser.Event, []any{[]byte("x")}, parser.ErrEventName},
		{parser.Event, []any{"disconnecting"}, parser.ErrReservedEvent},
		{parser.Event, []any{"newListener"}, parser.ErrReservedEvent},
		{parser.Connect, []any{1}, parser.ErrPayload},
		{parser.ConnectError, []any{[]byte{1}}, parser.ErrPayload},
		{parser.Disconnect, []any{}, parser.ErrPayload},
	}
	for _, tt := range tests {
		p := parser.Packet{Type: tt.typ}
		err := p.SetArgs(tt.args...)
		checkAppendArgs(t, &p, err, tt.args)
		if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
			t.Errorf("%v.SetArgs(%.20v) = %v, want %v", tt.typ, tt.args, err, tt.err)
		}
	}
}

// TestSetPayload: packets about a connection have one value.
func TestSetPayload(t *testing.T) {
	tests := []struct {
		typ  parser.Type
		v    any
		want string
		err  error
	}{
		{typ: parser.Connect, v: map[string]any{"sid": "<a>"}, want: `{"sid":"<a>"}`},
		{typ: parser.ConnectError, v: "text", want: `"text"`},
		{typ: parser.ConnectError, v: []byte{1}, want: `"AQ=="`},
		{typ: parser.Connect, v: 1, err: parser.ErrPayload},
		{typ: parser.Disconnect, v: nil, err: parser.ErrPayload},
		{typ: parser.Connect, v: func() {}, err: parser.ErrArgument},
	}
	for _, tt := range tests {
		p := parser.Packet{Type: tt.typ}
		err := p.SetPayload(tt.v)
		if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) || string(p.Data()) != tt.want {
			t.Errorf("%v.SetPayload(%v) = %v, payload %s; want %v, %s", tt.typ, tt.v, err, p.Data(), tt.err, tt.want)
		}
	}
}
