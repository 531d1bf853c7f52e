package parser_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/socketio/parser"
)

// TestLimits: each limit holds for what is just beyond it, with both parsers.
func TestLimits(t *testing.T) {
	nested := func(n int) string { return `2["a",` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `]` }
	long := strings.Repeat("n", 256)
	tests := []struct {
		name   string
		limits *parser.Limits
		text   string
		blob   int // octets of one attachment, -1 for none
		err    error
	}{
		{"depth", nil, nested(64), -1, nil},
		{"depth beyond", nil, nested(65), -1, parser.ErrDepth},
		{"depth far beyond", nil, nested(100_000), -1, parser.ErrDepth},
		{"own depth", &parser.Limits{MaxDepth: 2}, `2["a",{}]`, -1, nil},
		{"own depth beyond", &parser.Limits{MaxDepth: 2}, `2["a",{"b":{}}]`, -1, parser.ErrDepth},
		{"elements", nil, `2["a"` + strings.Repeat(",0", 65_534) + `]`, -1, nil},
		{"elements beyond", nil, `2["a"` + strings.Repeat(",0", 65_535) + `]`, -1, parser.ErrTooManyElements},
		{"namespace", nil, `2/` + long[1:] + `,["a"]`, -1, nil},
		{"namespace beyond", nil, `2/` + long + `,["a"]`, -1, parser.ErrNamespace},
		{"namespace with a query", nil, `0/` + long[1:] + `?` + strings.Repeat("q", 2047) + `,`, -1, nil},
		{"namespace with a query beyond", nil, `0/` + long[1:] + `?` + strings.Repeat("q", 2048) + `,`, -1, parser.ErrNamespace},
		{"event name", nil, `2["` + long + `"]`, -1, nil},
		{"event name beyond", nil, `2["` + long + `n"]`, -1, parser.ErrEventName},
		{"event name that is a long number", nil, `2[1` + strings.Repeat("0", 256) + `]`, -1, parser.ErrEventName},
		{"size", &parser.Limits{MaxSize: 10}, `2["abcde"]`, -1, nil},
		{"size beyond", &parser.Limits{MaxSize: 10}, `2["abcdef"]`, -1, parser.ErrTooBig},
		{"size of attachments", &parser.Limits{MaxSize: 100}, `51-["a",` + blob0 + `]`, 62, nil},
		{"size of attachments beyond", &parser.Limits{MaxSize: 100}, `51-["a",` + blob0 + `]`, 63, parser.ErrTooBig},
		{"no attachments", &parser.Limits{MaxAttachments: -1}, `51-["a",` + blob0 + `]`, 1, parser.ErrTooManyAttachments},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			messages := []parser.Message{{Data: []byte(tt.text)}}
			if tt.blob >= 0 {
				messages = append(messages, parser.Message{Binary: true, Data: make([]byte, tt.blob)})
			}
			p, ok, err := decode(parser.JSON, tt.limits, messages)
			if !errors.Is(err, tt.err) || ok != (tt.err == nil) {
				t.Fatalf("Decode = %t, %v; want %v", ok, err, tt.err)
			}
			if tt.err != nil {
				return
			}
			packed, err := parser.Msgpack.Encode(nil, &p)
			if err != nil {
				t.Fatal(err)
			}
			again, ok, err := decode(parser.Msgpack, nil, packed)
			if err != nil || !ok || describe(&again) != describe(&p) {
				t.Errorf("through MessagePack: %.80s, %v", describe(&again), err)
			}
		})
	}
}

// TestMsgpackLimits: the limits hold for MessagePack, too.
func TestMsgpackLimits(t *testing.T) {
	build := func(args ...any) []byte {
		p := parser.Packet{Type: parser.Event}
		if err := p.SetArgs(args...); err != nil {
			t.Fatal(err)
		}
		m, err := parser.Msgpack.Encode(nil, &p)
		if err != nil {
			t.Fatal(err)
		}
		return m[0].Data
	}
	one := []byte{1}
	var many []any
	for range 70_000 {
		many = append(many, 1)
	}
	members := map[string]any{}
	for i := range 20 {
		members[strings.Repeat("k", i+20)] = strings.Repeat("v", 300*i)
	}
	tests := []struct {
		name   string
		limits parser.Limits
		data   []byte
		err    error
	}{
		{"size", parser.Limits{MaxSize: 10}, build("a"), parser.ErrTooBig},
		{"attachments", parser.Limits{}, build("a", one, one, one, one, one, one, one, one, one, one), nil},
		{"attachments beyond", parser.Limits{}, build("a", one, one, one, one, one, one, one, one, one, one, one), parser.ErrTooManyAttachments},
		{"depth in lists", parser.Limits{MaxDepth: 2}, build("a", []any{[]any{}}), parser.ErrDepth},
		{"depth in maps", parser.Limits{MaxDepth: 2}, build("a", map[string]any{"x": map[string]any{}}), parser.ErrDepth},
		{"elements", parser.Limits{MaxElements: 3}, build("a", 1, 2), parser.ErrTooManyElements},
		{"many elements", parser.Limits{}, build("a", many), parser.ErrTooManyElements},
		{"as many as that", parser.Limits{MaxElements: 100_000}, build("a", many), nil},
		{"event name", parser.Limits{MaxEventName: 3}, build("abcd"), parser.ErrEventName},
		{"long things", parser.Limits{}, build("a", members, bytes.Repeat(one, 300), bytes.Repeat(one, 70_000), strings.Repeat("s", 70_000), nil), nil},
		{"placeholder in disguise", parser.Limits{}, build("a", json.RawMessage(blob1)), nil},
		{"placeholder in disguise beside an attachment", parser.Limits{}, bytes.Replace(build("a", one, map[string]any{"_placeholdes": true, "num": 0}), []byte("_placeholdes"), []byte("_placeholder"), 1), parser.ErrPlaceholder},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, ok, err := decode(parser.Msgpack, &tt.limits, []parser.Message{{Binary: true, Data: tt.data}})
			if !errors.Is(err, tt.err) || ok != (tt.err == nil) {
				t.Fatalf("Decode = %t, %v; want %v", ok, err, tt.err)
			}
			if again, err := parser.Msgpack.Encode(nil, &p); tt.err == nil && (err != nil || !bytes.Equal(again[0].Data, tt.data)) {
				t.Errorf("it encodes to %.100x, %v", again[0].Data, err)
			}
		})
	}
}

// TestMsgpackDates: years that have more digits, and dates that JavaScript does
// not know.
func TestMsgpackDates(t *testing.T) {
	head := []byte("\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa1a")
	tests := []struct{ ext, want string }{
		{"\xd7\x00\x00\x00\xe6\x77\xd2\x1f\xdc\x00", `"+010000-01-01T00:00:00.000Z"`},
		{"\xd7\x00\xff\xff\x1f\xb4\x62\x97\x14\x00", `"-005845-01-26T11:05:31.904Z"`},
		{"\xd7\x00\x7f\xff\xff\xff\xff\xff\xff\xff", `null`},
		{"\xc7\x0c\xff\x00\x00\x00\x00\x80\x00\x00\x00\x00\x00\x00\x00", `null`},
		{"\xd7\x00\xff\xff\xff\xff\xff\xff\xff\xff", `"1969-12-31T23:59:59.999Z"`},
		{"\xd7\x00\xff\xff\xff\xff\xff\xff\xfc\x18", `"1969-12-31T23:59:59.000Z"`},
	}
	for _, tt := range tests {
		p, _, err := decode(parser.Msgpack, nil, []parser.Message{{Binary: true, Data: append(head, tt.ext...)}})
		if got := string(p.Data()); err != nil || got != `["a",`+tt.want+`]` {
			t.Errorf("%x is %s, %v; want %s", tt.ext, got, err, tt.want)
		}
	}
}

// TestMsgpackNumbers: numbers that are not in the range of the integers.
func TestMsgpackNumbers(t *testing.T) {
	p := parser.Packet{Type: parser.Ack}
	if err := p.SetArgs(json.RawMessage(`[-0,1e2,123456789012345678901234567890]`)); err != nil {
		t.Fatal(err)
	}
	m, err := parser.Msgpack.Encode(nil, &p)
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := decode(parser.Msgpack, nil, m)
	if want := `[[0,100,1.2345678901234568e+29]]`; err != nil || string(again.Data()) != want {
		t.Errorf("through MessagePack: %s, %v; want %s", again.Data(), err, want)
	}
}

// TestSetData: what SetData takes is checked as what comes from a peer.
func TestSetData(t *testing.T) {
	one := [][]byte{{1}}
	tests := []struct {
		typ         parser.Type
		data        string
		attachments [][]byte
		limits      *parser.Limits
		err         error
	}{
		{parser.Event, `["a",` + blob0 + `]`, one, nil, nil},
		{parser.Event, `["a"]`, one, nil, parser.ErrPlaceholder},
		{parser.Event, ``, one, nil, parser.ErrPlaceholder},
		{parser.Ack, ``, one, nil, parser.ErrPlaceholder},
		{parser.Connect, `{"a":` + blob0 + `}`, one, nil, parser.ErrPayload},
		{parser.Event, `["a",` + blob0 + `]`, make([][]byte, 11), nil, parser.ErrTooManyAttachments},
		{parser.Event, `["a",` + blob0 + `]`, one, &parser.Limits{MaxSize: 35}, parser.ErrTooBig},
		{parser.Connect, ``, nil, nil, nil},
		{parser.Disconnect, ``, nil, nil, nil},
		{parser.ConnectError, `[0]`, nil, nil, nil},
		{parser.ConnectError, `0`, nil, nil, parser.ErrPayload},
		{parser.ConnectError, `-1`, nil, nil, parser.ErrPayload},
		{parser.ConnectError, `null`, nil, nil, parser.ErrPayload},
		{parser.Event, `["a"`, nil, nil, parser.ErrJSON},
	}
	for _, tt := range tests {
		p := parser.Packet{Type: tt.typ}
		if err := p.SetData([]byte(tt.data), tt.attachments, tt.limits); !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
			t.Errorf("%v.SetData(%s, %x) = %v, want %v", tt.typ, tt.data, tt.attachments, err, tt.err)
		}
	}
}

// TestEncodeMisuse: a packet that no peer would accept is not written.
func TestEncodeMisuse(t *testing.T) {
	event := parser.Packet{Type: parser.Event}
	if err := event.SetArgs("a", []byte{1}); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(p *parser.Packet)
		err    error
	}{
		{"as it is", func(*parser.Packet) {}, nil},
		{"type", func(p *parser.Packet) { p.Type = 5 }, parser.ErrPacketType},
		{"type of another payload", func(p *parser.Packet) { p.Type = parser.Connect }, parser.ErrPayload},
		{"nothing set", func(p *parser.Packet) { *p = parser.Packet{Type: parser.Event} }, parser.ErrPayload},
		{"an ack as an event", func(p *parser.Packet) { p.Type = parser.Ack; p.SetArgs(1); p.Type = parser.Connect }, parser.ErrPayload},
		{"namespace without a slash", func(p *parser.Packet) { p.Namespace = "a" }, parser.ErrNamespace},
		{"namespace with a comma", func(p *parser.Packet) { p.Namespace = "/a,b" }, parser.ErrNamespace},
		{"namespace that is no text", func(p *parser.Packet) { p.Namespace = "/\xff" }, parser.ErrNamespace},
		{"namespace with a control character", func(p *parser.Packet) { p.Namespace = "/\n" }, parser.ErrNamespace},
		{"id", func(p *parser.Packet) { p.HasID, p.ID = true, 1<<53 }, parser.ErrAckID},
		{"id of a connect", func(p *parser.Packet) { *p = parser.Packet{HasID: true} }, parser.ErrAckID},
	}
	for _, tt := range tests {
		p := event
		tt.change(&p)
		for _, codec := range []parser.Parser{parser.JSON, parser.Msgpack} {
			got, err := codec.Encode([]parser.Message{{}}, &p)
			if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) || err != nil && len(got) != 1 {
				t.Errorf("%s: %d messages, %v; want %v", tt.name, len(got), err, tt.err)
			}
		}
	}
}

// TestValues: the values of a payload, without the name of an event.
func TestValues(t *testing.T) {
	tests := []struct {
		text, event string
		want        []string
	}{
		{`0{"a": 1}`, "", []string{`{"a": 1}`}},
		{`4 "x" `, "", []string{`"x"`}},
		{`2 [ "n" ,1, [2,"]"] , {"a":{"}":[]}}, "\"," ,true]`, "n", []string{`1`, `[2,"]"]`, `{"a":{"}":[]}}`, `"\","`, `true`}},
		{`2["n\u0061"]`, "na", nil},
		{`2[ 12.5]`, "12.5", nil},
		{`3[ ]`, "", nil},
		{`3[1]`, "", []string{`1`}},
		{`3`, "", nil},
	}
	for _, tt := range tests {
		p, _, err := parser.JSON.NewDecoder(nil).Decode(false, []byte(tt.text))
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		var got []string
		for _, v := range p.Values(nil) {
			got = append(got, v.String())
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || p.EventName() != tt.event {
			t.Errorf("%s: event %q, want %q; values (-want +got):\n%s", tt.text, p.EventName(), tt.event, diff)
		}
	}
	unset := parser.Packet{Type: parser.Event}
	if unset.EventName() != "" || unset.Values(nil) != nil {
		t.Error("an event without a payload has a name or values")
	}
}

// TestAppendArg: a string is added to a list of arguments, and the packet it was
// copied from stays as it was.
func TestAppendArg(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{`2["a"]`, `["a","o\\"]`},
		{`2[ "a" ] `, `[ "a","o\\"]`},
		{`3[ ]`, `["o\\"]`},
		{`3`, ``},
		{`0{}`, `{}`},
		{`1`, ``},
	} {
		p, _, err := parser.JSON.NewDecoder(nil).Decode(false, []byte(tt.text))
		if err != nil {
			t.Fatal(err)
		}
		q := p
		q.AppendArg(`o\`)
		if string(q.Data()) != tt.want || string(p.Data()) != tt.text[1:] {
			t.Errorf("%s becomes %s, want %s; it was %s before", tt.text, q.Data(), tt.want, p.Data())
		}
	}
}

// TestDecoderPending: a decoder waits for attachments and for nothing else, and
// after an error it does not wait any longer.
func TestDecoderPending(t *testing.T) {
	const text = `51-["a",` + blob0 + `]`
	for _, next := range []parser.Message{{Data: []byte("1")}, {Binary: true, Data: make([]byte, 1_000_000)}, {Binary: true}} {
		d := parser.JSON.NewDecoder(nil)
		if _, ok, err := d.Decode(false, []byte(text)); ok || err != nil || !d.Pending() {
			t.Fatalf("the text: %t, %v, Pending %t", ok, err, d.Pending())
		}
		d.Decode(next.Binary, next.Data)
		if d.Pending() {
			t.Errorf("after %t of %d octets the decoder still waits", next.Binary, len(next.Data))
		}
	}
	if parser.Msgpack.NewDecoder(nil).Pending() {
		t.Error("MessagePack has nothing to wait for")
	}
}

// TestReasons: every reason has a word of its own.
func TestReasons(t *testing.T) {
	seen := map[string]bool{}
	for r := parser.ErrPacketType; r <= parser.ErrArgument; r++ {
		if s := r.String(); s == "" || strings.Contains(s, "(") || seen[s] {
			t.Errorf("Reason %d is called %q", uint8(r), s)
		} else {
			seen[s] = true
		}
	}
	for _, r := range []parser.Reason{0, parser.ErrArgument + 1} {
		if s := r.String(); !strings.HasPrefix(s, "Reason(") {
			t.Errorf("Reason %d is called %q", uint8(r), s)
		}
	}
	if got := parser.ErrDepth.Error(); got != "parser: depth" {
		t.Errorf("ErrDepth says %q", got)
	}
	cause := errors.New("cause")
	err := error(&parser.PacketError{Reason: parser.ErrArgument, Offset: 3, Err: cause})
	if !errors.Is(err, parser.ErrArgument) || !errors.Is(err, cause) || !strings.Contains(err.Error(), "cause") {
		t.Errorf("%v does not match its reason and its cause", err)
	}
}

// TestTypes: the names are those of the protocol.
func TestTypes(t *testing.T) {
	want := []string{"CONNECT", "DISCONNECT", "EVENT", "ACK", "CONNECT_ERROR", "Type(5)"}
	for i, name := range want {
		if got := parser.Type(i).String(); got != name {
			t.Errorf("Type %d is %s, want %s", i, got, name)
		}
	}
}

// TestFilledLimits: limits that are all given are those in use.
func TestFilledLimits(t *testing.T) {
	limits := (&parser.Limits{MaxElements: 3}).WithDefaults()
	d := parser.JSON.NewDecoder(&limits)
	if _, ok, err := d.Decode(false, []byte(`2["a",1]`)); !ok || err != nil {
		t.Errorf("3 values: %v, %v", ok, err)
	}
	if _, _, err := d.Decode(false, []byte(`2["a",1,2]`)); !errors.Is(err, parser.ErrTooManyElements) {
		t.Errorf("4 values: %v, want ErrTooManyElements", err)
	}
}
