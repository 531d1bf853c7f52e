package parser_test

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/socketio/parser"
)

// A vector is a line of testdata/vectors.txt.
type vector struct {
	parser   parser.Parser
	name     string
	messages []parser.Message
	want     string
	same     bool // whether encoding restores the messages
}

// vectors reads testdata/vectors.txt.
func vectors(t testing.TB) []vector {
	t.Helper()
	f, err := os.Open("testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []vector
	for s := bufio.NewScanner(f); s.Scan(); {
		if s.Text() == "" || s.Text()[0] == '#' {
			continue
		}
		columns := strings.SplitN(s.Text(), " | ", 4)
		if len(columns) == 3 { // no message but an empty one
			columns = append(strings.SplitN(columns[0]+" | "+columns[1], " | ", 2), "", strings.TrimPrefix(columns[2], "| "))
		}
		v := vector{parser: parser.JSON, name: columns[0] + "/" + columns[1], want: columns[3]}
		if columns[0] == "msgpack" {
			v.parser = parser.Msgpack
		}
		messages, different := strings.CutPrefix(columns[2], "~")
		v.same = !different
		for m := range strings.SplitSeq(messages, " + ") {
			if h, ok := strings.CutPrefix(m, "#"); ok {
				b, err := hex.DecodeString(strings.ReplaceAll(h, " ", ""))
				if err != nil {
					t.Fatalf("%s: %v", v.name, err)
				}
				v.messages = append(v.messages, parser.Message{Binary: true, Data: b})
			} else {
				v.messages = append(v.messages, parser.Message{Data: []byte(m)})
			}
		}
		all = append(all, v)
	}
	return all
}

// decode feeds messages to a new decoder, of which it overwrites each, and
// returns the last packet.
func decode(p parser.Parser, l *parser.Limits, messages []parser.Message) (last parser.Packet, ok bool, err error) {
	d := p.NewDecoder(l)
	for i, m := range messages {
		data := append([]byte(nil), m.Data...)
		got, complete, err := d.Decode(m.Binary, data)
		if err != nil {
			return parser.Packet{}, false, err
		}
		if d.Pending() == complete {
			return parser.Packet{}, false, fmt.Errorf("message %d: complete and pending are both %t", i, complete)
		}
		if complete {
			last, ok = got.Clone(), true
		}
		for i := range data {
			data[i] = '!'
		}
	}
	return last, ok, nil
}

// describe is how the vectors write a packet.
func describe(p *parser.Packet) string {
	namespace, id := p.Namespace, "-"
	if namespace == "" {
		namespace = "/"
	}
	if p.HasID {
		id = fmt.Sprint(p.ID)
	}
	var s strings.Builder
	s.WriteString(fmt.Sprintf("%v %s %s", p.Type, namespace, id))
	if p.Data() != nil {
		s.WriteString(" " + string(p.Data()))
	}
	for _, a := range p.Attachments() {
		s.WriteString(fmt.Sprintf(" #%x", a))
	}
	return s.String()
}

// TestVectors: every packet of testdata decodes to what it says, and encodes to
// the same messages again.
func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.name, func(t *testing.T) {
			p, ok, err := decode(v.parser, nil, v.messages)
			got := describe(&p)
			if err != nil {
				e, is := errors.AsType[*parser.PacketError](err)
				if !is || !errors.Is(err, e.Reason) {
					t.Fatalf("the error %v is no *PacketError", err)
				}
				got = fmt.Sprintf("error %s %d", e.Reason.String(), e.Offset)
			}
			if got != v.want {
				t.Fatalf("Decode gave %s, %t, %v;\nwant        %s", got, ok, err, v.want)
			}
			if err != nil || !v.same {
				return
			}
			again, err := v.parser.Encode(nil, &p)
			if diff := cmp.Diff(v.messages, again); err != nil || diff != "" {
				t.Errorf("Encode: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}
