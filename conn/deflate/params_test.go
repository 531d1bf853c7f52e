package deflate_test

import (
	"errors"
	"testing"

	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/handshake"
	"github.com/google/go-cmp/cmp"
)

// field returns what the value of Sec-WebSocket-Extensions is for list.
func field(tb testing.TB, list ...handshake.Extension) string {
	tb.Helper()
	b, err := handshake.AppendExtensions(nil, list)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

// negotiate answers the lines of a request as a server does.
func negotiate(tb testing.TB, c deflate.Config, lines ...string) (answer string, agreed deflate.Params) {
	tb.Helper()
	offers, err := handshake.ParseExtensions(lines)
	if err != nil {
		tb.Fatal(err)
	}
	list := handshake.Negotiate(offers, func(offer handshake.Extension) (handshake.Extension, bool) {
		answer, params, ok := c.Accept(offer)
		agreed = params
		return answer, ok
	})
	return field(tb, list...), agreed
}

var keepAll = deflate.Config{ServerContextTakeover: deflate.Takeover, ClientContextTakeover: deflate.Takeover}

func TestConfigAccept(t *testing.T) {
	keep12 := deflate.Config{ServerContextTakeover: deflate.Takeover, ClientContextTakeover: deflate.Takeover, ServerMaxWindowBits: 12, ClientMaxWindowBits: 12}
	type params = deflate.Params
	tests := []struct {
		name   string
		config deflate.Config
		lines  []string
		answer string // "" is declined
		agreed params
	}{
		{"nothing offered", keepAll, nil, "", params{}},
		{"another extension", keepAll, []string{"x-webkit-deflate-frame"}, "", params{}},
		{"plain", keepAll, []string{"permessage-deflate"}, "permessage-deflate", params{false, false, 15, 15}},
		{"plain, zero Config", deflate.Config{}, []string{"permessage-deflate"},
			"permessage-deflate; server_no_context_takeover; client_no_context_takeover", params{true, true, 15, 15}},
		{"Chromium, zero Config", deflate.Config{}, []string{"permessage-deflate; client_max_window_bits"},
			"permessage-deflate; server_no_context_takeover; client_no_context_takeover", params{true, true, 15, 15}},
		{"Chromium, 12 bits", keep12, []string{"permessage-deflate; client_max_window_bits"},
			"permessage-deflate; server_max_window_bits=12; client_max_window_bits=12", params{false, false, 12, 12}},
		{"Firefox, 12 bits: messages of the client stand alone", keep12, []string{"permessage-deflate"},
			"permessage-deflate; client_no_context_takeover; server_max_window_bits=12", params{false, true, 12, 15}},
		{"no spaces", keepAll, []string{"permessage-deflate;server_no_context_takeover;client_no_context_takeover"},
			"permessage-deflate; server_no_context_takeover; client_no_context_takeover", params{true, true, 15, 15}},

		{"server_no_context_takeover", keepAll, []string{"permessage-deflate; server_no_context_takeover"},
			"permessage-deflate; server_no_context_takeover", params{true, false, 15, 15}},
		{"client_no_context_takeover", keepAll, []string{"permessage-deflate; client_no_context_takeover"},
			"permessage-deflate; client_no_context_takeover", params{false, true, 15, 15}},
		{"server_max_window_bits=8", keepAll, []string{"permessage-deflate; server_max_window_bits=8"},
			"permessage-deflate; server_max_window_bits=8", params{false, false, 8, 15}},
		{"server_max_window_bits=9", keepAll, []string{"permessage-deflate; server_max_window_bits=9"},
			"permessage-deflate; server_max_window_bits=9", params{false, false, 9, 15}},
		{"server_max_window_bits=15", keepAll, []string{"permessage-deflate; server_max_window_bits=15"},
			"permessage-deflate; server_max_window_bits=15", params{false, false, 15, 15}},
		{"server_max_window_bits quoted", keepAll, []string{`permessage-deflate; server_max_window_bits="10"`},
			"permessage-deflate; server_max_window_bits=10", params{false, false, 10, 15}},
		{"server_max_window_bits=15, 12 wanted", keep12, []string{"permessage-deflate; server_max_window_bits=15; client_max_window_bits=15"},
			"permessage-deflate; server_max_window_bits=12; client_max_window_bits=12", params{false, false, 12, 12}},
		{"client_max_window_bits=10", keepAll, []string{"permessage-deflate; client_max_window_bits=10"},
			"permessage-deflate; client_max_window_bits=10", params{false, false, 15, 10}},
		{"client_max_window_bits=8, 12 wanted", keep12, []string{"permessage-deflate; client_max_window_bits=8"},
			"permessage-deflate; server_max_window_bits=12; client_max_window_bits=8", params{false, false, 12, 8}},
		{"config out of range", deflate.Config{ServerContextTakeover: deflate.Takeover, ClientContextTakeover: deflate.Takeover, ServerMaxWindowBits: -3, ClientMaxWindowBits: 99},
			[]string{"permessage-deflate; client_max_window_bits"}, "permessage-deflate; server_max_window_bits=8", params{false, false, 8, 15}},

		{"7", keepAll, []string{"permessage-deflate; server_max_window_bits=7"}, "", params{}},
		{"16", keepAll, []string{"permessage-deflate; server_max_window_bits=16"}, "", params{}},
		{"08", keepAll, []string{"permessage-deflate; server_max_window_bits=08"}, "", params{}},
		{"abc", keepAll, []string{"permessage-deflate; server_max_window_bits=abc"}, "", params{}},
		{"quoted 010", keepAll, []string{`permessage-deflate; server_max_window_bits="010"`}, "", params{}},
		{"client 7", keepAll, []string{"permessage-deflate; client_max_window_bits=7"}, "", params{}},
		{"client 16", keepAll, []string{"permessage-deflate; client_max_window_bits=16"}, "", params{}},
		{"client +9", keepAll, []string{"permessage-deflate; client_max_window_bits=+9"}, "", params{}},
		{"server_max_window_bits without value", keepAll, []string{"permessage-deflate; server_max_window_bits"}, "", params{}},
		{"value on server_no_context_takeover", keepAll, []string{"permessage-deflate; server_no_context_takeover=10"}, "", params{}},
		{"value on client_no_context_takeover", keepAll, []string{"permessage-deflate; client_no_context_takeover=true"}, "", params{}},
		{"unknown parameter", keepAll, []string{"permessage-deflate; x"}, "", params{}},
		{"unknown parameter with value", keepAll, []string{"permessage-deflate; x=9"}, "", params{}},
		{"twice", keepAll, []string{"permessage-deflate; client_max_window_bits; client_max_window_bits"}, "", params{}},
		{"twice, different", keepAll, []string{"permessage-deflate; server_max_window_bits=9; server_max_window_bits=10"}, "", params{}},

		{"second offer after a bad one", keepAll, []string{"permessage-deflate; server_max_window_bits=7, permessage-deflate; server_max_window_bits=10, permessage-deflate"},
			"permessage-deflate; server_max_window_bits=10", params{false, false, 10, 15}},
		{"offers on several lines", keepAll, []string{"x; y=1", "permessage-deflate; nonsense", "permessage-deflate; client_no_context_takeover"},
			"permessage-deflate; client_no_context_takeover", params{false, true, 15, 15}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answer, agreed := negotiate(t, tt.config, tt.lines...)
			if answer != tt.answer {
				t.Errorf("answer %q; want %q", answer, tt.answer)
			}
			if diff := cmp.Diff(tt.agreed, agreed); diff != "" {
				t.Errorf("agreed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConfigOffer(t *testing.T) {
	for _, tt := range []struct {
		config deflate.Config
		want   string
	}{
		{deflate.Config{}, "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits"},
		{keepAll, "permessage-deflate; client_max_window_bits"},
		{deflate.Config{ServerContextTakeover: deflate.Takeover, ServerMaxWindowBits: 12, ClientMaxWindowBits: 8},
			"permessage-deflate; client_no_context_takeover; server_max_window_bits=12; client_max_window_bits=8"},
		{deflate.Config{ServerContextTakeover: deflate.Takeover, ClientContextTakeover: deflate.Takeover, ServerMaxWindowBits: 15, ClientMaxWindowBits: 15},
			"permessage-deflate; client_max_window_bits"},
	} {
		if got := field(t, tt.config.Offer()); got != tt.want {
			t.Errorf("%+v offers %q; want %q", tt.config, got, tt.want)
		}
	}
}

func TestConfigConfirm(t *testing.T) {
	keep12 := deflate.Config{ServerContextTakeover: deflate.Takeover, ClientContextTakeover: deflate.Takeover, ServerMaxWindowBits: 12, ClientMaxWindowBits: 12}
	type params = deflate.Params
	tests := []struct {
		name   string
		config deflate.Config
		answer string
		agreed params // the zero value where the error is ErrAnswer
	}{
		{"plain", keepAll, "permessage-deflate", params{false, false, 15, 15}},
		{"everything", keepAll, "permessage-deflate; client_max_window_bits=10; server_max_window_bits=9; client_no_context_takeover; server_no_context_takeover",
			params{true, true, 9, 10}},
		{"zero Config", deflate.Config{}, "permessage-deflate; server_no_context_takeover", params{true, true, 15, 15}},
		{"client_no_context_takeover not offered", keepAll, "permessage-deflate; client_no_context_takeover", params{false, true, 15, 15}},
		{"server_no_context_takeover not offered", keepAll, "permessage-deflate; server_no_context_takeover", params{true, false, 15, 15}},
		{"server_max_window_bits not offered", keepAll, "permessage-deflate; server_max_window_bits=8", params{false, false, 8, 15}},
		{"smaller windows than offered", keep12, "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9", params{false, false, 10, 9}},
		{"the windows offered", keep12, "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12", params{false, false, 12, 12}},
		{"no word of the client's window", keep12, "permessage-deflate; server_max_window_bits=12", params{false, false, 12, 12}},
		{"quoted", keepAll, `permessage-deflate; client_max_window_bits="11"`, params{false, false, 15, 11}},

		{"another extension", keepAll, "permessage-bzip2", params{}},
		{"server_no_context_takeover missing", deflate.Config{}, "permessage-deflate", params{}},
		{"server_max_window_bits missing", keep12, "permessage-deflate; client_max_window_bits=12", params{}},
		{"server_max_window_bits larger", keep12, "permessage-deflate; server_max_window_bits=13", params{}},
		{"client_max_window_bits larger", keep12, "permessage-deflate; server_max_window_bits=12; client_max_window_bits=13", params{}},
		{"client_max_window_bits without value", keepAll, "permessage-deflate; client_max_window_bits", params{}},
		{"server_max_window_bits without value", keepAll, "permessage-deflate; server_max_window_bits", params{}},
		{"7", keepAll, "permessage-deflate; client_max_window_bits=7", params{}},
		{"16", keepAll, "permessage-deflate; server_max_window_bits=16", params{}},
		{"08", keepAll, "permessage-deflate; server_max_window_bits=08", params{}},
		{"value on a flag", keepAll, "permessage-deflate; server_no_context_takeover=1", params{}},
		{"unknown parameter", keepAll, "permessage-deflate; x", params{}},
		{"twice", keepAll, "permessage-deflate; server_no_context_takeover; server_no_context_takeover", params{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list, err := handshake.ParseExtensions([]string{tt.answer})
			if err != nil || len(list) != 1 {
				t.Fatal(list, err)
			}
			var want error
			if tt.agreed == (params{}) {
				want = deflate.ErrAnswer
			}
			got, err := tt.config.Confirm(list[0])
			if !errors.Is(err, want) {
				t.Errorf("error %v; want %v", err, want)
			}
			if diff := cmp.Diff(tt.agreed, got); diff != "" {
				t.Errorf("agreed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConfigValidate(t *testing.T) {
	for bits := -1; bits <= 17; bits++ {
		var want error
		if bits != 0 && (bits < 8 || bits > 15) {
			want = deflate.ErrWindowBits
		}
		for _, c := range []deflate.Config{{ServerMaxWindowBits: bits}, {ClientMaxWindowBits: bits}} {
			if err := c.Validate(); !errors.Is(err, want) {
				t.Errorf("%+v: error %v; want %v", c, err, want)
			}
		}
	}
}

// configs yields one Config for every pair of windows and takeovers.
func configs(yield func(deflate.Config) bool) {
	for i := range 2 * 2 * 8 * 8 {
		if !yield(deflate.Config{
			ServerContextTakeover: i&1 != 0,
			ClientContextTakeover: i&2 != 0,
			ServerMaxWindowBits:   8 + i>>2&7,
			ClientMaxWindowBits:   8 + i>>5&7,
		}) {
			return
		}
	}
}

// Whatever the two sides want, they agree on the same, and neither keeps more
// than it wanted.
func TestConfigsAgree(t *testing.T) {
	for server := range configs {
		for client := range configs {
			answer, agreed, ok := server.Accept(client.Offer())
			if !ok {
				t.Fatalf("%+v declines %q", server, field(t, client.Offer()))
			}
			confirmed, err := client.Confirm(answer)
			if err != nil || confirmed != agreed {
				t.Fatalf("%q answers %q: the client has %+v, %v; the server %+v",
					field(t, answer), field(t, client.Offer()), confirmed, err, agreed)
			}
			want := deflate.Params{
				ServerNoContextTakeover: !bool(server.ServerContextTakeover && client.ServerContextTakeover),
				ClientNoContextTakeover: !bool(server.ClientContextTakeover && client.ClientContextTakeover),
				ServerMaxWindowBits:     min(server.ServerMaxWindowBits, client.ServerMaxWindowBits),
				ClientMaxWindowBits:     min(server.ClientMaxWindowBits, client.ClientMaxWindowBits),
			}
			if agreed != want {
				t.Fatalf("%+v with %+v: %+v; want %+v", server, client, agreed, want)
			}
		}
	}
}

func TestParamsDirections(t *testing.T) {
	p := deflate.Params{ServerNoContextTakeover: true, ServerMaxWindowBits: 9, ClientMaxWindowBits: 12}
	if bits, takeover := p.Server(); bits != 9 || takeover != deflate.NoTakeover {
		t.Errorf("Server() = %d, %v", bits, takeover)
	}
	if bits, takeover := p.Client(); bits != 12 || takeover != deflate.Takeover {
		t.Errorf("Client() = %d, %v", bits, takeover)
	}
}

// FuzzConfigAccept: what a server agrees to keeps within the offer and the
// Config, and its answer says so.
func FuzzConfigAccept(f *testing.F) {
	f.Add("permessage-deflate; client_max_window_bits", 15, 15, true, true)
	f.Add("permessage-deflate", 12, 9, false, true)
	f.Add(`permessage-deflate; server_max_window_bits="10"; client_no_context_takeover, permessage-deflate`, 0, 8, true, false)
	f.Add("permessage-deflate; server_max_window_bits=08", 9, 9, true, true)
	f.Fuzz(func(t *testing.T, line string, serverBits, clientBits int, server, client bool) {
		offers, err := handshake.ParseExtensions([]string{line})
		if err != nil {
			return
		}
		c := deflate.Config{ServerContextTakeover: deflate.ContextTakeover(server), ClientContextTakeover: deflate.ContextTakeover(client),
			ServerMaxWindowBits: serverBits, ClientMaxWindowBits: clientBits}
		if c.Validate() != nil {
			return
		}
		for _, offer := range offers {
			answer, agreed, ok := c.Accept(offer)
			if !ok {
				continue
			}
			// A client that offered the least it can get agrees with the server.
			offered := map[string]string{}
			for _, p := range offer.Params {
				offered[p.Name] = p.Value
			}
			answered := map[string]bool{}
			for _, p := range answer.Params {
				answered[p.Name] = true
			}
			_, mayLimit := offered["client_max_window_bits"]
			if answered["client_max_window_bits"] && !mayLimit {
				t.Errorf("%q: client_max_window_bits in the answer", line)
			}
			confirmed, err := keepAll.Confirm(answer)
			if err != nil || confirmed != agreed {
				t.Errorf("%q: the client has %+v, %v; the server %+v", line, confirmed, err, agreed)
			}
			if s := offered["server_max_window_bits"]; s != "" && (!answered["server_max_window_bits"] || len(s) == 1 && agreed.ServerMaxWindowBits > int(s[0]-'0')) {
				t.Errorf("%q: server window of %d bits", line, agreed.ServerMaxWindowBits)
			}
			if serverBits != 0 && agreed.ServerMaxWindowBits > serverBits || agreed.ServerMaxWindowBits < 8 {
				t.Errorf("%q: server window of %d bits; %d wanted", line, agreed.ServerMaxWindowBits, serverBits)
			}
			if clientBits != 0 && agreed.ClientMaxWindowBits > clientBits && !agreed.ClientNoContextTakeover {
				t.Errorf("%q: client window of %d bits is kept; %d wanted", line, agreed.ClientMaxWindowBits, clientBits)
			}
			if !server && !agreed.ServerNoContextTakeover || !client && !agreed.ClientNoContextTakeover {
				t.Errorf("%q: agreed on takeover: %+v", line, agreed)
			}
		}
	})
}
