package handshake_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"example.org/rfc6455/handshake"
	"github.com/google/go-cmp/cmp"
)

func TestFields(t *testing.T) {
	r := parseRequest(t, "GET / HTTP/1.1\r\nX: 1\r\nx: 2\r\nY: 3\r\n\r\n")
	f := r.Header.(*handshake.Fields)
	if f.Len() != 3 {
		t.Errorf("Len() = %d, want 3", f.Len())
	}
	adjacent := f.Values("x")
	if diff := cmp.Diff([]string{"1", "2"}, append(adjacent, "4")[:2]); diff != "" {
		t.Errorf("Values mismatch (-want +got):\n%s", diff)
	}
	if got := f.Values("y"); len(got) != 1 || got[0] != "3" {
		t.Errorf("Values(y) = %q after appending to another result", got)
	}
	if allocs := testing.AllocsPerRun(100, func() { f.Values("X"); f.Values("absent") }); allocs != 0 {
		t.Errorf("Values allocates %v times, want 0", allocs)
	}
}

func TestFieldsEmpty(t *testing.T) {
	for _, f := range []*handshake.Fields{nil, {}} {
		if f.Len() != 0 || f.Values("X") != nil {
			t.Errorf("%v has fields", f)
		}
		for name := range f.All() {
			t.Errorf("%v yields %q", f, name)
		}
	}
}

func TestFieldsMany(t *testing.T) {
	r := parseRequest(t, "GET / HTTP/1.1\r\n"+strings.Repeat("X: y\r\n", 30)+"Z: z\r\n\r\n")
	if got := r.Header.Values("X"); len(got) != 30 || got[29] != "y" {
		t.Errorf("Values(X) = %q, want 30", got)
	}
	if got := r.Header.Values("Z"); len(got) != 1 || got[0] != "z" {
		t.Errorf("Values(Z) = %q, want z", got)
	}
}

// TestFieldsKnown: the fields that the package itself asks for are found in either
// case, among others of the same length and however many there are.
func TestFieldsKnown(t *testing.T) {
	names := []string{
		"Connection", "Content-Length", "Host", "Origin", "Transfer-Encoding", "Upgrade", "Sec-WebSocket-Accept",
		"Sec-WebSocket-Extensions", "Sec-WebSocket-Key", "Sec-WebSocket-Protocol", "Sec-WebSocket-Version",
	}
	for _, lines := range []int{0, 1, 20, 251, 252, 253, 254, 255, 256, 300} {
		for _, spell := range []func(string) string{strings.ToLower, strings.ToUpper, http.CanonicalHeaderKey} {
			var head strings.Builder
			head.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
			for i := range lines {
				name := names[i%len(names)]
				at := i % len(name) // one octet is another
				head.WriteString(name[:at] + "~" + name[at+1:] + ": no\r\n")
			}
			for _, name := range names {
				head.WriteString(spell(name) + ": " + name + "\r\n")
			}
			head.WriteString(strings.Repeat("x", 100) + ": no\r\n\r\n")
			p := handshake.Parser{Limits: handshake.Limits{MaxSize: -1, MaxFields: -1}}
			r, n, err := p.ParseResponse([]byte(head.String()))
			if n == 0 || err != nil {
				t.Fatal(n, err)
			}
			// What an accessor finds is known, what Values finds is searched for.
			if got := r.Subprotocol(); got != "Sec-WebSocket-Protocol" {
				t.Errorf("behind %d lines, %s: Subprotocol() = %q", lines, spell("Spelt"), got)
			}
			for _, name := range names {
				if got := r.Header.Values(name); len(got) != 1 || got[0] != name {
					t.Errorf("behind %d lines: Values(%s) = %q", lines, name, got)
				}
			}
		}
	}
}

// TestFieldsNil: a nil *Fields in a Header has no fields.
func TestFieldsNil(t *testing.T) {
	r := handshake.Request{Header: (*handshake.Fields)(nil)}
	if got := r.Key(); got != "" {
		t.Errorf("Key() = %q without fields", got)
	}
}

// AppendFields takes what a request takes as extra fields.
func TestAppendFields(t *testing.T) {
	const before = "CONNECT example.com:443 HTTP/1.1\r\n"
	tests := []struct {
		name   string
		fields map[string][]string
		want   string
		field  string // at fault
	}{
		{name: "none"},
		{name: "some", fields: http.Header{"B": {"1", ""}, "A": {"a b"}}, want: "A: a b\r\nB: 1\r\nB: \r\n"},
		{name: "own field", fields: http.Header{"A": {"1"}, "Host": {"example.org"}}, field: "Host"},
		{name: "content", fields: http.Header{"content-length": {"0"}}, field: "content-length"},
		{name: "another line", fields: http.Header{"A": {"1\r\nB: 2"}}, field: "A"},
		{name: "no token", fields: http.Header{"A b": {"1"}}, field: "A b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := handshake.AppendFields([]byte(before), handshake.Lines(tt.fields))
			if string(got) != before+tt.want {
				t.Errorf("AppendFields = %q, want %q behind the request line", got, tt.want)
			}
			if tt.field == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if e, ok := errors.AsType[*handshake.Error](err); !ok || !errors.Is(err, handshake.ErrField) || e.Field() != tt.field {
				t.Errorf("error = %v, want ErrField for %q", err, tt.field)
			}
		})
	}
	if got, err := handshake.AppendFields(nil, nil); len(got) > 0 || err != nil {
		t.Errorf("AppendFields of nothing = %q, %v", got, err)
	}
}

func TestLines(t *testing.T) {
	h := http.Header{"B": {"1", "2"}, "A": {"3"}, "C": nil}
	var got []line
	for name, value := range handshake.Lines(h) {
		got = append(got, line{name, value})
	}
	if diff := cmp.Diff([]line{{"A", "3"}, {"B", "1"}, {"B", "2"}}, got); diff != "" {
		t.Errorf("Lines mismatch (-want +got):\n%s", diff)
	}
	for range handshake.Lines(h) {
		break // an iterator that is stopped
	}
}
