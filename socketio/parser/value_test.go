package parser_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/socketio/parser"
)

// value makes a value of JSON and attachments.
func value(t testing.TB, text string, attachments ...string) parser.Value {
	t.Helper()
	var octets [][]byte
	for _, a := range attachments {
		octets = append(octets, []byte(a))
	}
	v, err := parser.MakeValue([]byte(text), octets, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

type upper string

func (u *upper) UnmarshalJSON(b []byte) error {
	*u = upper("json:" + string(b))
	return nil
}

// TestDecode: values become what encoding/json makes of them, and attachments
// []byte wherever they are.
func TestDecode(t *testing.T) {
	type target = any
	tests := []struct {
		name string
		v    parser.Value
		dst  target // a pointer; what it points to at first
		want any    // what it points to
		err  bool
	}{
		{name: "string", v: value(t, ` "a" `), dst: new(string), want: "a"},
		{name: "escaped string", v: value(t, `"a\u0062\n"`), dst: new(string), want: "ab\n"},
		{name: "string from a number", v: value(t, `1`), dst: new(string), want: "", err: true},
		{name: "int", v: value(t, `-12`), dst: new(int), want: -12},
		{name: "int from a float", v: value(t, `1.5`), dst: new(int), want: 0, err: true},
		{name: "int beyond its range", v: value(t, `99999999999999999999`), dst: new(int), want: 0, err: true},
		{name: "raw", v: value(t, ` {"a" :1}`), dst: new(json.RawMessage), want: json.RawMessage(`{"a" :1}`)},
		{name: "any", v: value(t, `{"a":[1,"x",null]}`), dst: new(any), want: any(map[string]any{"a": []any{1.0, "x", nil}})},
		{name: "not sent", v: parser.Value{}, dst: new("old"), want: "old"},
		{name: "not sent, any", v: parser.Value{}, dst: new(any(1)), want: any(nil)},
		{name: "base64", v: value(t, `"AQI="`), dst: new([]byte), want: []byte{1, 2}},

		{name: "blob", v: value(t, blob0, "ab"), dst: new([]byte), want: []byte("ab")},
		{name: "blob in any", v: value(t, blob0, "ab"), dst: new(any), want: any([]byte("ab"))},
		{name: "blob as a string", v: value(t, blob0, "ab"), dst: new(string), want: "YWI="},
		{name: "blob by pointer", v: value(t, blob0, "ab"), dst: new(*namedBlob), want: new(namedBlob("ab"))},
		{name: "blob as a number", v: value(t, blob0, "ab"), dst: new(int), want: 0, err: true},
		{name: "blob in an interface with methods", v: value(t, blob0, "ab"), dst: new(error), want: error(nil), err: true},
		{name: "blob for an unmarshaler", v: value(t, blob0, "ab"), dst: new(upper), want: upper(`json:"YWI="`)},
		{name: "blob in raw", v: value(t, `{"x":`+blob0+`,"\"":"{"}`, "ab"), dst: new(json.RawMessage), want: json.RawMessage(`{"x":"YWI=","\"":"{"}`)},
		{name: "blobs in any", v: value(t, `[{"a":`+blob1+`,"b\n":[null,true,1,"`+`",{}]},`+blob0+`]`, "x", "y"), dst: new(any),
			want: any([]any{map[string]any{"a": []byte("y"), "b\n": []any{nil, true, 1.0, "", map[string]any{}}}, []byte("x")})},
		{name: "a huge number in any", v: value(t, `[`+blob0+`,1e999]`, "x"), dst: new(any), want: any(nil), err: true},
		{name: "a huge number in any, in an object", v: value(t, `[`+blob0+`,{"a":1e999}]`, "x"), dst: new(any), want: any(nil), err: true},
		{name: "slice", v: value(t, `[`+blob0+`,null,"AQ=="]`, "x"), dst: new([][]byte{{1}}), want: [][]byte{[]byte("x"), nil, {1}}},
		{name: "slice in a slice", v: value(t, `[[],[`+blob0+`]]`, "x"), dst: new([][][]byte), want: [][][]byte{{}, {[]byte("x")}}},
		{name: "array", v: value(t, `[`+blob0+`,1,2]`, "x"), dst: new([2]any{7, 7}), want: [2]any{[]byte("x"), 1.0}},
		{name: "short array", v: value(t, `[`+blob0+`]`, "x"), dst: new([2]any{7, 7}), want: [2]any{[]byte("x"), nil}},
		{name: "map", v: value(t, `{"a":`+blob0+`,"\u0062":null}`, "x"), dst: new(map[string][]byte{"c": nil}), want: map[string][]byte{"a": []byte("x"), "b": nil, "c": nil}},
		{name: "map of other keys", v: value(t, `{"k1":`+blob0+`}`, "x"), dst: new(map[textKey]any), want: map[textKey]any{{1}: []byte("x")}},
		{name: "map of int keys", v: value(t, `{"5":`+blob0+`}`, "x"), dst: new(map[int]any), want: map[int]any{5: []byte("x")}},
		{name: "map of bad keys", v: value(t, `{"x":`+blob0+`}`, "x"), dst: new(map[int]any), want: map[int]any{}, err: true},
		{name: "struct", dst: new(outer), v: value(t, `{"octets":`+blob0+`,"PROMOTED":"p","deep":{"x":`+blob1+`},"unknown":`+blob2+`,"reached":4,
			"quoted":"8","quotedP":"9","named":{"x":true},"full":{"octets":null},"when":"2020-01-02T03:04:05Z","Hidden":"h","Shadowed":"s","emptyP":{"octets":"AQ=="}}`, "a", "b", "c"),
			want: outer{inner: inner{Octets: []byte("a")}, Embedded: Embedded{Promoted: "p"}, Pointed: &Pointed{map[string]any{"x": []byte("b")}},
				unexported: unexported{Reached: 4}, Quoted: 8, QuotedP: new(9), Named: Named{true}, When: time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC),
				Shadowed: "s", EmptyP: &inner{Octets: []byte{1}}}},
		{name: "pointer and null", v: value(t, `{"blob":`+blob0+`,"next":{"next":null}}`, "x"), dst: new(&node{Blob: []byte("old")}), want: &node{Blob: []byte("x"), Next: &node{}}},
		{name: "Value", v: value(t, `{"X":[1,`+blob0+`]}`, "x"), dst: new(struct{ X parser.Value }), want: struct{ X parser.Value }{value(t, `[1,`+blob0+`]`, "x")}},
		{name: "Value without attachments", v: value(t, `{"X":[1]}`), dst: new(struct{ X parser.Value }), want: struct{ X parser.Value }{value(t, `[1]`)}},
		{name: "wrong kind", v: value(t, `[`+blob0+`,[]]`, "x"), dst: new([]node), want: []node{{}}, err: true},
		{name: "wrong kind in a map", v: value(t, `{"a":`+blob0+`}`, "x"), dst: new(map[string]int), want: map[string]int{}, err: true},
		{name: "wrong kind in an array", v: value(t, `[`+blob0+`]`, "x"), dst: new([1]int), want: [1]int{}, err: true},
		{name: "wrong kind in a struct", v: value(t, `{"next":`+blob0+`}`, "x"), dst: new(node), want: node{Next: &node{}}, err: true},
		{name: "quoted but no string", v: value(t, `[`+blob0+`,{"quoted":8}]`, "x"), dst: new([2]outer), want: [2]outer{}, err: true},
		{name: "quoted but no string, in a list", v: value(t, `{"quoted":8,"deep":`+blob0+`}`, "x"), dst: new(outer), want: outer{}, err: true},
		{name: "quoted nonsense", v: value(t, `{"quoted":"x","deep":`+blob0+`}`, "x"), dst: new(outer), want: outer{}, err: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.v.Decode(tt.dst)
			if (err != nil) != tt.err || err != nil && !errors.Is(err, parser.ErrArgument) {
				t.Errorf("Decode: %v, want an error: %t", err, tt.err)
			}
			got := reflect.ValueOf(tt.dst).Elem().Interface()
			if diff := cmp.Diff(tt.want, got, cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" && !tt.err {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestDecodeMisuse: a destination that cannot be stored in is an error.
func TestDecodeMisuse(t *testing.T) {
	for _, v := range []parser.Value{value(t, `1`), value(t, blob0, "x")} {
		for _, dst := range []any{nil, 1, (*node)(nil)} {
			if err := v.Decode(dst); !errors.Is(err, parser.ErrArgument) {
				t.Errorf("%v.Decode(%#v) = %v, want ErrArgument", v, dst, err)
			}
		}
	}
	var p *parser.Value
	if err := value(t, `1`).Decode(&p); err != nil || p.String() != "1" {
		t.Errorf("Decode into **Value: %v, %v", p, err)
	}
}

// TestValue: what can be done with a value that is not decoded.
func TestValue(t *testing.T) {
	v := value(t, ` [`+blob1+`,"a",`+blob0+`,{}] `, "x", "yy")
	if got, want := v.String(), `[`+blob1+`,"a",`+blob0+`,{}]`; got != want {
		t.Errorf("String() = %s, want %s", got, want)
	}
	if got, err := json.Marshal(v); err != nil || string(got) != `["eXk=","a","eA==",{}]` {
		t.Errorf("MarshalJSON() = %s, %v", got, err)
	}
	if v.IsNull() || !value(t, `null`).IsNull() || !(parser.Value{}).IsNull() {
		t.Error("IsNull is wrong")
	}
	if got := (parser.Value{}).String(); got != "null" {
		t.Errorf("the zero Value is %s", got)
	}
	if got, err := json.Marshal(parser.Value{}); err != nil || string(got) != `null` {
		t.Errorf("the zero Value encodes as %s, %v", got, err)
	}

	var same, plain parser.Value
	if err := v.Decode(&same); err != nil || same.String() != v.String() {
		t.Errorf("Decode into a Value: %v, %v", same, err)
	}
	plain = value(t, ` {"a": 1}`)
	relay := parser.Packet{Type: parser.Ack}
	if err := relay.SetArgs(plain); err != nil || string(relay.Data()) != `[{"a": 1}]` {
		t.Errorf("passed on without attachments: %s, %v", relay.Data(), err)
	}

	// Passed on, it is written as it came, whatever attachments were before it.
	p := parser.Packet{Type: parser.Event}
	if err := p.SetArgs("e", []byte("first"), v, []any{&v}); err != nil {
		t.Fatal(err)
	}
	const list = `[{"_placeholder":true,"num":`
	want := `["e",` + blob0 + `,` + list + `1},"a",{"_placeholder":true,"num":2},{}],[` + list + `3},"a",{"_placeholder":true,"num":4},{}]]]`
	if string(p.Data()) != want {
		t.Errorf("passed on:\n     %s\nwant %s", p.Data(), want)
	}
	if diff := cmp.Diff([]string{"first", "yy", "x", "yy", "x"}, texts(p.Attachments())); diff != "" {
		t.Errorf("attachments (-want +got):\n%s", diff)
	}
}

func texts(octets [][]byte) (s []string) {
	for _, b := range octets {
		s = append(s, string(b))
	}
	return s
}

// TestValueClone: a clone does not change with what it was made of.
func TestValueClone(t *testing.T) {
	data, attachment := []byte(`[`+blob0+`]`), []byte("x")
	v, err := parser.MakeValue(data, [][]byte{attachment}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := v.Clone()
	attachment[0] = '!'
	copy(data, "!!!!!!!!")
	var got [][]byte
	if err := c.Decode(&got); err != nil || cmp.Diff([]string{"x"}, texts(got)) != "" {
		t.Errorf("the clone is %q, %v", got, err)
	}
}

// TestMakeValue: only what is valid becomes a value.
func TestMakeValue(t *testing.T) {
	tests := []struct {
		text        string
		attachments int
		err         error
	}{
		{`1`, 0, nil},
		{``, 0, parser.ErrJSON},
		{`1 2`, 0, parser.ErrJSON},
		{"\"\xff\"", 0, parser.ErrJSON},
		{`1`, 1, parser.ErrPlaceholder},
		{blob1, 1, parser.ErrPlaceholder},
	}
	for _, tt := range tests {
		if _, err := parser.MakeValue([]byte(tt.text), make([][]byte, tt.attachments), nil); !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
			t.Errorf("MakeValue(%q, %d) = %v, want %v", tt.text, tt.attachments, err, tt.err)
		}
	}
}

// TestText: a value that is a string can be had without decoding it.
func TestText(t *testing.T) {
	tests := []struct {
		v    parser.Value
		want string
		ok   bool
	}{
		{value(t, ` "a" `), "a", true},
		{value(t, `"a\u0062\n"`), "ab\n", true},
		{value(t, `""`), "", true},
		{value(t, `1`), "", false},
		{value(t, `null`), "", false},
		{value(t, `["a"]`), "", false},
		{parser.Value{}, "", false},
	}
	for _, tt := range tests {
		if got, ok := tt.v.Text(); got != tt.want || ok != tt.ok {
			t.Errorf("Text of %s = %q, %v; want %q, %v", tt.v, got, ok, tt.want, tt.ok)
		}
	}
}
