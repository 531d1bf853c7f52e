package fuzz_test

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	gocmp "github.com/google/go-cmp/cmp"

	"example.org/rfc6455/socketio/engineio/codec"
	"example.org/rfc6455/socketio/parser"
)

// mostPackets is how many packets the payloads of the targets may hold.
const mostPackets = 8

// engineText is a packet of Engine.IO in text, as its protocol has it. ok is false if
// it is none.
func engineText(r codec.Revision, s string) (p codec.Packet, ok bool) {
	if encoded, binary := strings.CutPrefix(s, "b"); binary {
		if r == codec.V3 {
			if encoded, ok = strings.CutPrefix(encoded, "4"); !ok {
				return p, false
			}
		}
		data, err := base64.StdEncoding.Strict().DecodeString(encoded)
		return codec.Packet{Type: codec.Message, Binary: true, Data: data}, err == nil && !strings.ContainsAny(encoded, "\r\n")
	}
	if s == "" || s[0] < '0' || s[0] > '6' {
		return p, false
	}
	return codec.Packet{Type: codec.Type(s[0] - '0'), Data: []byte(s[1:])}, true
}

// enginePayload is [engineText] for the text of a polling request.
func enginePayload(r codec.Revision, s string) (list []codec.Packet, ok bool) {
	if s == "" || !utf8.ValidString(s) {
		return nil, false
	}
	if r == codec.V4 {
		for part := range strings.SplitSeq(s, "\x1e") {
			p, ok := engineText(r, part)
			if !ok {
				return nil, false
			}
			list = append(list, p)
		}
		return list, len(list) <= mostPackets
	}
	if s == "0:" {
		return nil, true
	}
	// Lengths count what JavaScript counts.
	units := utf16.Encode([]rune(s))
	for len(units) > 0 {
		colon := slices.Index(units, ':')
		if colon < 1 || colon > 9 {
			return nil, false
		}
		digits := string(utf16.Decode(units[:colon]))
		n, err := strconv.Atoi(digits)
		units = units[colon+1:]
		if err != nil || n < 1 || strconv.Itoa(n) != digits || n > len(units) {
			return nil, false
		}
		text := string(utf16.Decode(units[:n]))
		if last := units[n-1]; last >= 0xd800 && last < 0xdc00 {
			return nil, false // half of a character
		}
		p, ok := engineText(r, text)
		if !ok {
			return nil, false
		}
		list, units = append(list, p), units[n:]
	}
	return list, len(list) <= mostPackets
}

// checkEngine compares packets, and expects a documented error if there are none.
func checkEngine(t *testing.T, wire []byte, want []codec.Packet, ok bool, got []codec.Packet, err error) {
	if e, documented := errors.AsType[*codec.Error](err); err != nil && (!documented || e.Error() == "") || (err == nil) != ok {
		t.Fatalf("%q: error %v; want packets: %t", wire, err, ok)
	}
	if err == nil && !slices.EqualFunc(want, got, func(a, b codec.Packet) bool {
		return a.Type == b.Type && a.Binary == b.Binary && bytes.Equal(a.Data, b.Data)
	}) {
		t.Fatalf("%q mismatch (-want +got):\n%s", wire, gocmp.Diff(want, got))
	}
}

// FuzzEnginePacket: a message of a WebSocket is the packet that the protocol of
// Engine.IO makes of it, in both revisions, and is encoded to the same octets.
func FuzzEnginePacket(f *testing.F) {
	for _, s := range []string{"", "4hello", "2probe", "3probe", "5", "6", "7", "b", "bAQI=", "bAQJ=", "b4AQI=", "bAQ\nI=", "0{}", "4é", "\x04\x01", "\x05", "1"} {
		f.Add([]byte(s))
	}
	fuzz(f, func(t *testing.T, wire []byte) {
		for _, r := range []codec.Revision{codec.V3, codec.V4} {
			if utf8.Valid(wire) {
				p, err := codec.ParseText(r, bytes.Clone(wire))
				want, ok := engineText(r, string(wire))
				checkEngine(t, wire, []codec.Packet{want}, ok, []codec.Packet{p}, err)
				if err == nil {
					if again := codec.AppendText([]byte("x"), r, p); string(again) != "x"+string(wire) {
						t.Fatalf("%q is encoded to %q", wire, again)
					}
				}
			}
			p, err := codec.ParseBinary(r, wire)
			data, ok := wire, true
			if r == codec.V3 {
				data, ok = bytes.CutPrefix(wire, []byte{4})
			}
			checkEngine(t, wire, []codec.Packet{{Type: codec.Message, Binary: true, Data: data}}, ok, []codec.Packet{p}, err)
			if err == nil {
				if again := codec.AppendBinary(nil, r, p); !bytes.Equal(again, wire) {
					t.Fatalf("%q is encoded to %q", wire, again)
				}
			}
		}
	})
}

// FuzzEnginePayload: the body of a polling request is the packets that the protocol of
// Engine.IO makes of it, in both revisions, and is encoded to the same octets.
func FuzzEnginePayload(f *testing.F) {
	for _, s := range []string{
		"", "4hello", "4a\x1e4b", "4a\x1ebAQI=\x1e2", "4a\x1e", "\x1e4a", "6:4hello", "6:4hello1:2", "0:", "1:", "2:4😀", "3:4😀", "3:4é2:4é", "10:b4AQIDBAUG", "01:2",
		"1:21:21:21:21:21:21:21:21:2", strings.Repeat("2\x1e", 7) + "2", strings.Repeat("2\x1e", 8) + "2", "4\xff", "999999999:4",
	} {
		f.Add([]byte(s))
	}
	fuzz(f, func(t *testing.T, wire []byte) {
		for _, r := range []codec.Revision{codec.V3, codec.V4} {
			got, err := codec.ParsePayload(r, bytes.Clone(wire), mostPackets)
			want, ok := enginePayload(r, string(wire))
			checkEngine(t, wire, want, ok, got, err)
			if err == nil {
				if again := codec.AppendPayload([]byte("x"), r, got...); string(again) != "x"+string(wire) {
					t.Fatalf("%q is encoded to %q", wire, again)
				}
			}
		}
	})
}

// FuzzEngineOctets is [FuzzEnginePayload] for the binary bodies of revision 3: packets
// with their kind and a length in octets of decimal digits before them.
func FuzzEngineOctets(f *testing.F) {
	for _, s := range []string{
		"", "\x00\x06\xff4hello", "\x01\x03\xff\x04\x01\x02", "\x00\x01\xff2\x00\x01\xff6", "\x00\x00\xff", "\x00\x00\x01\xff2", "\x02\x01\xff2",
		"\x00\x02\xffb4", "\x01\x01\x00\xff\x04\x01\x02\x03\x04\x05\x06\x07\x08\x09", "\x00\x02\xff4\xff", "\x01\x01\xff\x05", "\x00",
		strings.Repeat("\x00\x01\xff2", 9),
	} {
		f.Add([]byte(s))
	}
	fuzz(f, func(t *testing.T, wire []byte) {
		var want []codec.Packet
		ok := len(wire) > 0
		for rest := wire; ok && len(rest) > 0; {
			kind := rest[0]
			length, data, found := bytes.Cut(rest[1:], []byte{0xff})
			n := 0
			ok = found && len(length) >= 1 && len(length) <= 9 && length[0] != 0
			for _, d := range length {
				ok = ok && d < 10
				n = n*10 + int(d)%10
			}
			if ok = ok && n <= len(data); !ok {
				break
			}
			var p codec.Packet
			switch data, rest = data[:n], data[n:]; kind {
			case 0:
				if ok = utf8.Valid(data) && data[0] != 'b'; ok {
					p, ok = engineText(codec.V3, string(data))
				}
			case 1:
				p = codec.Packet{Type: codec.Message, Binary: true, Data: data[1:]}
				ok = data[0] == 4
			default:
				ok = false
			}
			want = append(want, p)
		}
		got, err := codec.ParseBinaryPayload(wire, mostPackets)
		checkEngine(t, wire, want, ok && len(want) <= mostPackets, got, err)
		if err == nil {
			if again := codec.AppendBinaryPayload([]byte("x"), got...); string(again) != "x"+string(wire) {
				t.Fatalf("%q is encoded to %q", wire, again)
			}
		}
	})
}

// decodePacket gives messages to a decoder.
func decodePacket(form parser.Parser, messages []parser.Message) (p parser.Packet, ok bool, err error) {
	d := form.NewDecoder(&parser.Limits{MaxSize: 1 << 24})
	for i, m := range messages {
		if p, ok, err = d.Decode(m.Binary, m.Data); err != nil || ok != (i == len(messages)-1) || d.Pending() == ok {
			return p, false, err
		}
	}
	return p, ok, nil
}

// meaning is what a packet says: its fields, and its values with the attachments in
// them.
func meaning(t *testing.T, p *parser.Packet) []any {
	all := []any{p.Type, cmp.Or(p.Namespace, "/"), p.HasID, p.ID, p.EventName()}
	if n, err := strconv.ParseFloat(p.EventName(), 64); err == nil && n == n {
		all[len(all)-1] = n // which there is more than one way to write
	}
	for _, v := range p.Values(nil) {
		var a any
		if err := v.Decode(&a); err != nil {
			t.Fatalf("value %s of %+v: %v", v, p, err)
		}
		all = append(all, a)
	}
	return all
}

// checkReason expects an error that package parser documents.
func checkReason(t *testing.T, err error) {
	if e, ok := errors.AsType[*parser.PacketError](err); !ok || e.Reason.String() == "" || e.Offset < 0 || !errors.Is(err, e.Reason) {
		t.Fatalf("error %v", err)
	}
}

// FuzzSocketPacket: a packet of Socket.IO that is accepted is JSON of the shape that
// its type has, with each attachment in one place, and says the same after it was
// written again, by both parsers. What is refused has a documented reason.
func FuzzSocketPacket(f *testing.F) {
	for _, s := range []string{
		"0", `0{"token":"1"}`, "0/admin,", "0/admin?x=1,{}", "1", "1/a", `2["hello",1]`, `213["x",{"a":[null,true,-0.5e3,"\u00e9\n"]}]`, `2/admin,456["x"]`,
		`3456[]`, "31", `4{"message":"no"}`, `51-["x",{"_placeholder":true,"num":0}]`, `52-/a,7["x",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]`,
		`61-3[{"_placeholder":true,"num":0}]`, `51-["x"]`, `51-["x",{"_placeholder":true,"num":1}]`, `511-["x"]`, `50-["x"]`, "2", "2[]", `2[""]`, `2["connect"]`,
		`2["x"`, `29007199254740993["x"]`, `2007["x"]`, `2["\ud800"]`, `2["x",` + strings.Repeat("[", 70), "7", "", `52-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`,
	} {
		f.Add([]byte(s), []byte{1, 2}, []byte(nil))
	}
	fuzz(f, func(t *testing.T, text, first, second []byte) {
		d := parser.JSON.NewDecoder(nil)
		p, ok, err := d.Decode(false, text)
		attachments := 0
		for err == nil && !ok {
			attachments++
			p, ok, err = d.Decode(true, [][]byte{first, second}[attachments%2])
		}
		if err != nil {
			checkReason(t, err)
			return
		}
		if len(p.Attachments()) != attachments || len(text) == 0 {
			t.Fatalf("%q has %d attachments of %d", text, len(p.Attachments()), attachments)
		}
		var data any
		if p.Data() != nil {
			err := json.Unmarshal(p.Data(), &data)
			if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
				return // a number beyond those of Go
			}
			if err != nil {
				t.Fatalf("%q: %v", p.Data(), err)
			}
		}
		checkShape(t, text, &p, data)
		want := meaning(t, &p)
		for _, form := range []parser.Parser{parser.JSON, parser.Msgpack} {
			messages, err := form.Encode(nil, &p)
			if err != nil {
				t.Fatalf("%q cannot be written: %v", text, err)
			}
			again, ok, err := decodePacket(form, messages)
			if err != nil || !ok {
				t.Fatalf("%q becomes %v: %v", text, messages, err)
			}
			if form == parser.JSON && p.Data() != nil && !bytes.Equal(again.Data(), p.Data()) {
				t.Fatalf("%q becomes %q", p.Data(), again.Data())
			}
			if form == parser.Msgpack && bytes.Contains(text, []byte("__proto__")) || hasLargeNumber(want) {
				continue // which MessagePack does not hold
			}
			if got := meaning(t, &again); !reflect.DeepEqual(got, want) {
				t.Fatalf("%q becomes %v, which says %v; want %v", text, messages, got, want)
			}
		}
	})
}

// hasLargeNumber reports whether a number in v is beyond what is exact in both forms.
func hasLargeNumber(v any) bool {
	switch v := v.(type) {
	case float64:
		return v > 1<<53 || v < -1<<53
	case []any:
		return slices.ContainsFunc(v, hasLargeNumber)
	case map[string]any:
		for _, e := range v {
			if hasLargeNumber(e) {
				return true
			}
		}
	}
	return false
}

// checkShape checks an accepted packet, whose payload is a, against its type.
func checkShape(t *testing.T, text []byte, p *parser.Packet, a any) {
	kind := p.Type
	if len(p.Attachments()) > 0 {
		kind += 3 // BINARY_EVENT and BINARY_ACK
	}
	if text[0] != '0'+byte(kind) {
		t.Fatalf("%q is a %v with %d attachments", text, p.Type, len(p.Attachments()))
	}
	if p.HasID && (p.Type != parser.Event && p.Type != parser.Ack || p.ID > parser.MaxID || !bytes.Contains(text, strconv.AppendUint(nil, p.ID, 10))) {
		t.Fatalf("%q is a %v with id %d", text, p.Type, p.ID)
	}
	if !bytes.Contains(text, []byte(p.Namespace)) || p.Namespace != "" && p.Namespace[0] != '/' {
		t.Fatalf("%q has the namespace %q", text, p.Namespace)
	}
	data := p.Data()
	if !bytes.HasSuffix(text, data) || data != nil && (!json.Valid(data) || !utf8.Valid(data)) {
		t.Fatalf("%q has the payload %q", text, data)
	}
	list, isList := a.([]any)
	_, isObject := a.(map[string]any)
	shape := true
	switch p.Type {
	case parser.Connect:
		shape = data == nil || isObject
	case parser.Disconnect:
		shape = data == nil
	case parser.Event:
		shape = isList && len(list) > 0
		if shape {
			switch name := list[0].(type) {
			case string:
				shape = name != "" && !parser.Reserved(name)
			case float64:
			default:
				shape = false
			}
		}
	case parser.Ack:
		shape = data == nil || isList
	}
	if !shape {
		t.Fatalf("%q is a %v", text, p.Type)
	}
	// Without attachments a placeholder is an object like others.
	if seen := make([]bool, len(p.Attachments())); len(seen) > 0 {
		count(t, a, seen)
		if slices.Contains(seen, false) {
			t.Fatalf("%q has an attachment that is nowhere", text)
		}
	}
}

// count finds the placeholders in v.
func count(t *testing.T, v any, seen []bool) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			count(t, e, seen)
		}
	case map[string]any:
		if num, ok := v["num"].(float64); ok && v["_placeholder"] == true {
			if i := int(num); num != float64(i) || i < 0 || i >= len(seen) || seen[i] {
				t.Fatalf("placeholder %v of %d attachments", num, len(seen))
			}
			seen[int(num)] = true
			return
		}
		for _, e := range v {
			count(t, e, seen)
		}
	}
}

// FuzzMsgpack: a packet in MessagePack that is accepted is written again in both
// forms, says the same in each, and is refused for a documented reason otherwise.
func FuzzMsgpack(f *testing.F) {
	for _, args := range [][]any{{"x"}, {"hello", 1, -5, 1.5, "é", nil, true}, {"x", []byte{1, 2}, map[string]any{"a": []byte{3}}}, {"x", []any{[]any{}}, 1e12}} {
		p := parser.Packet{Type: parser.Event, Namespace: "/a", HasID: true, ID: 7}
		if err := p.SetArgs(args...); err != nil {
			f.Fatal(err)
		}
		messages, err := parser.Msgpack.Encode(nil, &p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(messages[0].Data)
	}
	f.Add([]byte("\x83\xa4type\x00\xa3nsp\xa1/\xa4data\xc0"))
	f.Add([]byte("\xdf\xff\xff\xff\xff"))
	f.Add([]byte("\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa1x" + strings.Repeat("\x91", 60) + "\x90"))
	fuzz(f, func(t *testing.T, wire []byte) {
		p, ok, err := parser.Msgpack.NewDecoder(nil).Decode(true, wire)
		if err != nil {
			checkReason(t, err)
			return
		}
		if !ok || p.Data() != nil && !json.Valid(p.Data()) {
			t.Fatalf("%x: complete %t, payload %q", wire, ok, p.Data())
		}
		want := meaning(t, &p)
		for _, form := range []parser.Parser{parser.JSON, parser.Msgpack} {
			messages, err := form.Encode(nil, &p)
			if err != nil {
				t.Fatalf("%x cannot be written: %v", wire, err)
			}
			again, ok, err := decodePacket(form, messages)
			if err != nil || !ok {
				t.Fatalf("%x becomes %v: %v", wire, messages, err)
			}
			if got := meaning(t, &again); !reflect.DeepEqual(got, want) && !hasLargeNumber(want) {
				t.Fatalf("%x becomes %v, which says %v; want %v", wire, messages, got, want)
			}
		}
	})
}
