package handshake_test

import (
	"errors"
	"strings"
	"testing"

	"example.org/rfc6455/handshake"
	"github.com/google/go-cmp/cmp"
)

// ext makes an extension of its name and the names and values of its parameters.
func ext(name string, params ...string) handshake.Extension {
	e := handshake.Extension{Name: name}
	for i := 0; i < len(params); i += 2 {
		e.Params = append(e.Params, handshake.Param{Name: params[i], Value: params[i+1]})
	}
	return e
}

func TestParseExtensions(t *testing.T) {
	type list = []handshake.Extension
	tests := []struct {
		name  string
		lines []string
		want  list // nil is ErrExtension
	}{
		{name: "RFC 6455 9.1 foo", lines: []string{"foo"}, want: list{ext("foo")}},
		{name: "RFC 6455 9.1 bar", lines: []string{"bar; baz=2"}, want: list{ext("bar", "baz", "2")}},
		{name: "RFC 6455 9.1 lines are one list", lines: []string{"foo", "bar; baz=2"},
			want: list{ext("foo"), ext("bar", "baz", "2")}},
		{name: "RFC 6455 9.1 deflate-stream", lines: []string{"deflate-stream", "mux; max-channels=4; flow-control, deflate-stream"},
			want: list{ext("deflate-stream"), ext("mux", "max-channels", "4", "flow-control", ""), ext("deflate-stream")}},
		{name: "RFC 6455 9.1 private", lines: []string{"private-extension"}, want: list{ext("private-extension")}},
		{name: "Chromium", lines: []string{"permessage-deflate; client_max_window_bits"},
			want: list{ext("permessage-deflate", "client_max_window_bits", "")}},
		{name: "no spaces", lines: []string{"permessage-deflate;server_no_context_takeover;client_no_context_takeover"},
			want: list{ext("permessage-deflate", "server_no_context_takeover", "", "client_no_context_takeover", "")}},
		{name: "old Safari", lines: []string{"x-webkit-deflate-frame"}, want: list{ext("x-webkit-deflate-frame")}},
		{name: "fallbacks", lines: []string{"permessage-deflate; server_max_window_bits=10,permessage-deflate"},
			want: list{ext("permessage-deflate", "server_max_window_bits", "10"), ext("permessage-deflate")}},
		{name: "quoted value", lines: []string{`a; b="10"`}, want: list{ext("a", "b", "10")}},
		{name: "escaped value", lines: []string{`a; b="\1\0x\yz";c`}, want: list{ext("a", "b", "10xyz", "c", "")}},
		{name: "escape after plain", lines: []string{`a; b="1\0"`}, want: list{ext("a", "b", "10")}},
		{name: "optional white space", lines: []string{" \ta\t;\tb \t = \t c\t,\td "}, want: list{ext("a", "b", "c"), ext("d")}},
		{name: "empty elements", lines: []string{",, a , ,b,", "", ","}, want: list{ext("a"), ext("b")}},
		{name: "repeated parameter is kept", lines: []string{"a; b=1; b=2"}, want: list{ext("a", "b", "1", "b", "2")}},
		{name: "case is kept", lines: []string{"Foo; BAR=Baz"}, want: list{ext("Foo", "BAR", "Baz")}},

		{name: "empty", lines: []string{""}},
		{name: "only commas", lines: []string{", ,", " "}},
		{name: "no name", lines: []string{"; a"}},
		{name: "no name before a value", lines: []string{"=a"}},
		{name: "name with a value", lines: []string{"a=b"}},
		{name: "no parameter", lines: []string{"a;"}},
		{name: "no parameter before the next", lines: []string{"a; ;b"}},
		{name: "no parameter before a comma", lines: []string{"a;,b"}},
		{name: "no value", lines: []string{"a; b="}},
		{name: "no value before the next", lines: []string{"a; b=; c"}},
		{name: "empty quoted value", lines: []string{`a; b=""`}},
		{name: "unterminated quote", lines: []string{`a; b="c`}},
		{name: "unterminated quote after an escape", lines: []string{`a; b="\c`}},
		{name: "quote ends with its escape", lines: []string{`a; b="c\`}},
		{name: "quote closed by an escaped quote", lines: []string{`a; b="c\"`}},
		{name: "quote of an octet not a token's", lines: []string{`a; b="c d"`}},
		{name: "escape of an octet not a token's", lines: []string{`a; b="c\,d"`}},
		{name: "quoted list", lines: []string{`a; b="c, d"`}},
		{name: "quote goes on in the next line", lines: []string{`a; b="c`, `d"`}},
		{name: "junk after a quote", lines: []string{`a; b="c"d`}},
		{name: "quoted name", lines: []string{`"a"`}},
		{name: "two names", lines: []string{"a b"}},
		{name: "slash", lines: []string{"a/b"}},
		{name: "malformed after well-formed", lines: []string{"a", "b;"}},
		{name: "beyond ASCII", lines: []string{"a\xe9"}},
		{name: "control octet", lines: []string{"a\x00"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := handshake.ParseExtensions(tt.lines)
			if tt.want == nil {
				if !errors.Is(err, handshake.ErrExtension) || got != nil {
					t.Fatalf("ParseExtensions(%q) = %v, %v; want nil, ErrExtension", tt.lines, got, err)
				}
				return
			}
			if err != nil {
				t.Fatalf("ParseExtensions(%q) = _, %v", tt.lines, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("ParseExtensions(%q) mismatch (-want +got):\n%s", tt.lines, diff)
			}
		})
	}
	if got, err := handshake.ParseExtensions(nil); got != nil || err != nil {
		t.Errorf("ParseExtensions(nil) = %v, %v; want nothing", got, err)
	}
}

func TestParseExtensionsMany(t *testing.T) {
	line := strings.Repeat("x; y=1,", 1000)
	got, err := handshake.ParseExtensions([]string{line + "last"})
	if err != nil || len(got) != handshake.MaxOffers {
		t.Errorf("ParseExtensions of 1001 offers = %d, %v; want %d", len(got), err, handshake.MaxOffers)
	}
	for _, e := range got {
		if diff := cmp.Diff(ext("x", "y", "1"), e); diff != "" {
			t.Errorf("mismatch (-want +got):\n%s", diff)
		}
	}
	if _, err := handshake.ParseExtensions([]string{line + "last;"}); !errors.Is(err, handshake.ErrExtension) {
		t.Errorf("ParseExtensions of 1000 offers and a malformed one = _, %v; want ErrExtension", err)
	}
}

// TestParseExtensionsOwnership checks that appending to the parameters of one
// extension leaves the next alone.
func TestParseExtensionsOwnership(t *testing.T) {
	got, err := handshake.ParseExtensions([]string{"a; b; c, d; e, f"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		got[i].Params = append(got[i].Params, handshake.Param{Name: "x"})
	}
	want := []handshake.Extension{ext("a", "b", "", "c", "", "x", ""), ext("d", "e", "", "x", ""), ext("f", "x", "")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mismatch (-want +got):\n%s", diff)
	}
}

// TestParseExtensionsHostile gives what would show quadratic time as minutes.
func TestParseExtensionsHostile(t *testing.T) {
	const size = 1 << 20
	tests := []struct {
		name, line string
		ok         bool
	}{
		{name: "escapes", line: `a; b="` + strings.Repeat(`\c`, size) + `"`, ok: true},
		{name: "escapes unterminated", line: `a; b="` + strings.Repeat(`\c`, size)},
		{name: "quotes", line: `a; b=` + strings.Repeat(`"`, size)},
		{name: "one token", line: strings.Repeat("a", size), ok: true},
		{name: "commas", line: strings.Repeat(",", size) + "a", ok: true},
		{name: "spaces", line: strings.Repeat(" ", size) + "a" + strings.Repeat(" ", size), ok: true},
		{name: "offers", line: strings.Repeat("a,", size), ok: true},
		{name: "parameters", line: "a" + strings.Repeat(";b", size), ok: true},
		{name: "quoted parameters", line: "a" + strings.Repeat(`;b="\c"`, size/8), ok: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := handshake.ParseExtensions([]string{tt.line}); (err == nil) != tt.ok {
				t.Errorf("ParseExtensions = _, %v; want ok = %v", err, tt.ok)
			}
		})
	}
}

func TestAppendExtensions(t *testing.T) {
	type list = []handshake.Extension
	tests := []struct {
		name string
		list list
		want string // "" is ErrField
	}{
		{name: "one", list: list{ext("a")}, want: "a"},
		{name: "all", list: list{ext("a", "b", "", "c", "1"), ext("d", "e", "f")}, want: "a; b; c=1, d; e=f"},
		{name: "no name", list: list{ext("")}},
		{name: "line in a name", list: list{ext("a\r\nb")}},
		{name: "no parameter name", list: list{ext("a", "", "b")}},
		{name: "line in a parameter", list: list{ext("a", "b\r\nc: d", "")}},
		{name: "line in a value", list: list{ext("a", "b", "c\r\nd: e")}},
		{name: "comma in a value", list: list{ext("a", "b", "c, d")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := handshake.AppendExtensions([]byte("x"), tt.list)
			if string(got) != "x"+tt.want || (err != nil) != (tt.want == "") {
				t.Errorf("AppendExtensions(x, %v) = %q, %v; want %q", tt.list, got, err, "x"+tt.want)
			}
			if err != nil && !errors.Is(err, handshake.ErrField) {
				t.Errorf("AppendExtensions(x, %v) = _, %v; want ErrField", tt.list, err)
			}
		})
	}
}

func TestNegotiate(t *testing.T) {
	offers, err := handshake.ParseExtensions([]string{"d; bad=1, other, d; n=1, d; n=2, e"})
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	got := handshake.Negotiate(offers, func(offer handshake.Extension) (handshake.Extension, bool) {
		line, err := handshake.AppendExtensions(nil, []handshake.Extension{offer})
		if err != nil {
			t.Error(err)
		}
		shown = append(shown, string(line))
		switch {
		case offer.Name == "e":
			return ext("e", "yes", ""), true
		case offer.Name == "d" && offer.Params[0].Name == "n":
			return offer, true
		}
		return handshake.Extension{}, false
	})
	want := []handshake.Extension{ext("d", "n", "1"), ext("e", "yes", "")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Negotiate mismatch (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"d; bad=1", "other", "d; n=1", "e"}, shown); diff != "" {
		t.Errorf("offers shown mismatch (-want +got):\n%s", diff)
	}
	if got := handshake.Negotiate(nil, nil); got != nil {
		t.Errorf("Negotiate(nil, nil) = %v, want nil", got)
	}
}

// FuzzParseExtensions: what is parsed, formatted and parsed again is the same, and
// cutting the list at a comma into lines, which only a quoted value could notice,
// makes no difference to a list without quotes.
func FuzzParseExtensions(f *testing.F) {
	for _, s := range []string{
		"permessage-deflate; client_max_window_bits",
		"permessage-deflate;server_no_context_takeover;client_no_context_takeover",
		`a; b="\1\0", c`, `a; b="`, ",,a,,", "a;;", "a=b", " \ta ; b = c\t,d ",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list, err := handshake.ParseExtensions([]string{s})
		if err != nil {
			if err != handshake.ErrExtension {
				t.Fatalf("ParseExtensions(%q) = _, %v", s, err)
			}
		} else {
			line, err := handshake.AppendExtensions(nil, list)
			if err != nil {
				t.Fatalf("%v parsed from %q cannot be sent: %v", list, s, err)
			}
			again, err := handshake.ParseExtensions([]string{string(line)})
			if diff := cmp.Diff(list, again); diff != "" || err != nil {
				t.Fatalf("%q became %q, %v (-want +got):\n%s", s, line, err, diff)
			}
			if len(line) > 2*len(s) {
				t.Fatalf("%d octets became %d", len(s), len(line))
			}
		}
		if strings.Contains(s, `"`) {
			return
		}
		cut, cutErr := handshake.ParseExtensions(strings.Split(s, ","))
		if diff := cmp.Diff(list, cut); diff != "" || (err == nil) != (cutErr == nil) {
			t.Fatalf("%q in lines: %v; in one: %v (-one +lines):\n%s", s, cutErr, err, diff)
		}
	})
}

func BenchmarkParseExtensions(b *testing.B) {
	lines := []string{"permessage-deflate; client_max_window_bits"}
	b.ReportAllocs()
	for b.Loop() {
		if list, err := handshake.ParseExtensions(lines); err != nil || len(list) != 1 {
			b.Fatal(list, err)
		}
	}
}
