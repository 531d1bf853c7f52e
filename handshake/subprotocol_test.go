package handshake_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"example.org/rfc6455/handshake"
	"github.com/google/go-cmp/cmp"
)

func TestSubprotocol(t *testing.T) {
	tests := []struct {
		name               string
		preferred, offered []string
		want               string
	}{
		{name: "the server's preference", preferred: []string{"b", "a"}, offered: []string{"a", "b"}, want: "b"},
		{name: "the only common one", preferred: []string{"x", "a"}, offered: []string{"b", "a"}, want: "a"},
		{name: "none in common", preferred: []string{"a"}, offered: []string{"b"}},
		{name: "compared exactly", preferred: []string{"CHAT"}, offered: []string{"chat"}},
		{name: "none offered", preferred: []string{"a"}},
		{name: "none preferred", offered: []string{"a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := handshake.Subprotocol(tt.preferred, tt.offered); got != tt.want {
				t.Errorf("Subprotocol(%q, %q) = %q, want %q", tt.preferred, tt.offered, got, tt.want)
			}
		})
	}
}

// numbered returns n different tokens joined by commas.
func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ",p%d", i)
	}
	return b.String()[1:]
}

func TestRequestSubprotocols(t *testing.T) {
	tests := []struct {
		name  string
		lines []string
		want  []string // nil is ErrSubprotocol
	}{
		{name: "RFC 6455 1.2", lines: []string{"chat, superchat"}, want: []string{"chat", "superchat"}},
		{name: "no spaces", lines: []string{"a,b"}, want: []string{"a", "b"}},
		{name: "lines joined", lines: []string{"a", "b , c"}, want: []string{"a", "b", "c"}},
		{name: "names differ in case", lines: []string{"a, A"}, want: []string{"a", "A"}},
		{name: "IANA names", lines: []string{"v10.stomp, graphql-transport-ws, soap, wamp.2.json"},
			want: []string{"v10.stomp", "graphql-transport-ws", "soap", "wamp.2.json"}},
		{name: "empty first", lines: []string{", a"}, want: []string{"a"}},
		{name: "empty item", lines: []string{"a,,b"}, want: []string{"a", "b"}},
		{name: "empty last", lines: []string{"a,"}, want: []string{"a"}},
		{name: "empty line", lines: []string{"a", ""}, want: []string{"a"}},
		{name: "4096 items", lines: []string{numbered(4096)}, want: strings.Split(numbered(4096), ",")},

		{name: "separator", lines: []string{"a/b"}},
		{name: "quoted", lines: []string{`"a"`}},
		{name: "space within", lines: []string{"a b"}},
		{name: "empty", lines: []string{""}},
		{name: "empty items only", lines: []string{" ,", "\t"}},
		{name: "duplicate", lines: []string{"a, b, a"}},
		{name: "duplicate over lines", lines: []string{"a", "a"}},
		{name: "duplicate of the first of many", lines: []string{numbered(4096) + ",p0"}},
		{name: "duplicate of the sixteenth of many", lines: []string{numbered(16) + ",p16,p15"}},
		{name: "duplicate of the seventeenth of many", lines: []string{numbered(17) + ",p16"}},
		{name: "duplicate of the last of many", lines: []string{numbered(4096) + ",p4095"}},
		{name: "bad token among many", lines: []string{numbered(4096), "=", numbered(4096)}},
		{name: "control octet", lines: []string{"a\x7f"}},
		{name: "beyond ASCII", lines: []string{"\u00e9"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := validRequest()
			r.Header.(http.Header)["Sec-Websocket-Protocol"] = tt.lines
			got, err := r.Subprotocols()
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Subprotocols() mismatch (-want +got):\n%s", diff)
			}
			var want error
			if tt.want == nil {
				want = handshake.ErrSubprotocol
			}
			if !errors.Is(err, want) {
				t.Errorf("Subprotocols() = _, %v; want %v", err, want)
			}
			if err := r.Validate(); !errors.Is(err, want) {
				t.Errorf("Validate() = %v, want %v", err, want)
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		if got, err := validRequest().Subprotocols(); got != nil || err != nil {
			t.Errorf("Subprotocols() = %q, %v; want nothing", got, err)
		}
	})
}

// FuzzRequestSubprotocols: the names joined are the list but for white space, no two
// are the same, and Validate agrees.
func FuzzRequestSubprotocols(f *testing.F) {
	for _, s := range []string{"chat, superchat", "a,b,a", ",", "a,", " a\t,\tb ", numbered(40), numbered(40) + ",p3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := validRequest()
		r.Header.(http.Header)["Sec-Websocket-Protocol"] = []string{s}
		names, err := r.Subprotocols()
		if valid := r.Validate(); !errors.Is(valid, err) {
			t.Fatalf("%q: Subprotocols says %v, Validate %v", s, err, valid)
		}
		if err != nil {
			if err != handshake.ErrSubprotocol || names != nil {
				t.Fatalf("Subprotocols() of %q = %q, %v", s, names, err)
			}
			return
		}
		seen := make(map[string]bool)
		i := 0
		for item := range strings.SplitSeq(s, ",") {
			want := strings.Trim(item, " \t")
			if want == "" {
				continue
			}
			if names[i] != want || seen[want] {
				t.Fatalf("Subprotocols() of %q = %q: item %d is wrong or repeated", s, names, i)
			}
			seen[want] = true
			i++
		}
		if i != len(names) {
			t.Fatalf("Subprotocols() of %q = %q: too many", s, names)
		}
	})
}
