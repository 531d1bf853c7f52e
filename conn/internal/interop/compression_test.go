package interop_test

import (
	"fmt"
	"strings"
	"testing"

	"example.org/rfc6455/conn"
	codec "example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
)

// letters is a text of n octets with repetitions near and far.
func letters(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, `{"id":%d,"name":"sensor %d","value":%d.%d}`, i, i%7, i*i%1000, i%10)
	}
	return b.String()[:n]
}

// wantExchange sends messages both ways. Ours have to be compressed, and theirs if
// the peer does that at all.
func wantExchange(t *testing.T, p pair, compresses bool) {
	t.Helper()
	texts := []string{letters(300), letters(300), letters(50_000), "", letters(2000), letters(300)}
	for _, text := range texts {
		write(t, p.ours, frame.OpText, text)
		p.theirs.want(t, event{Event: "text", Text: text})
		p.theirs.do(t, command{Do: "text", Text: text})
		wantMessage(t, p.ours, frame.OpText, text)
	}
	if s := p.ours.Stats(); s.Sent.Compressed == 0 || s.Received.Compressed == 0 && compresses {
		t.Errorf("%d messages were sent and %d received compressed, of %d", s.Sent.Compressed, s.Received.Compressed, len(texts))
	}
}

// takeover says the opposite of no_context_takeover.
func takeover(no bool) codec.ContextTakeover { return codec.ContextTakeover(!no) }

// TestDeflateWS agrees with ws on every two window sizes, with every combination of
// context takeover for each, which the one or the other side asks for.
func TestDeflateWS(t *testing.T) { testDeflate(t, startNodeWS, 8) }

// TestDeflatePython does so with Python's websockets, whose zlib does not compress
// with 8 window bits.
func TestDeflatePython(t *testing.T) { testDeflate(t, startPython, 9) }

// testDeflate tries all parameters with a peer that compresses with windows of
// least bits or more.
func testDeflate(t *testing.T, start func(*testing.T) *actor, least int) {
	for _, role := range []frame.Role{frame.Server, frame.Client} {
		t.Run(role.String(), func(t *testing.T) {
			t.Parallel()
			theirs := start(t)
			for ours := 8; ours <= 15; ours++ {
				for peers := least; peers <= 15; peers++ {
					want := deflate{
						ServerNoContextTakeover: (ours+peers)&1 != 0, ClientNoContextTakeover: (ours+peers)&2 != 0,
						ServerMaxWindowBits: ours, ClientMaxWindowBits: peers,
					}
					if role == frame.Client {
						want.ServerMaxWindowBits, want.ClientMaxWindowBits = peers, ours
					}
					for _, asks := range []string{"we ask", "they ask"} {
						t.Run(fmt.Sprintf("%s/%+v", asks, want), func(t *testing.T) {
							c := &conn.Compression{MinSize: conn.NoLimit, Config: codec.Config{
								ServerContextTakeover: codec.Takeover, ClientContextTakeover: codec.Takeover,
							}}
							d := &deflate{}
							if asks == "they ask" {
								*d = want
							} else {
								c.ServerContextTakeover, c.ClientContextTakeover = takeover(want.ServerNoContextTakeover), takeover(want.ClientNoContextTakeover)
								c.ServerMaxWindowBits, c.ClientMaxWindowBits = want.ServerMaxWindowBits, want.ClientMaxWindowBits
							}
							p := openDeflate(t, role, theirs, c, d)
							wantAgreed(t, p.ours, want.ServerMaxWindowBits, want.ClientMaxWindowBits)
							wantExchange(t, p, true)
						})
					}
				}
			}
		})
	}
}

// wantAgreed compares the window bits that were agreed on; 15 need not be said.
func wantAgreed(t *testing.T, c *conn.Conn, server, client int) {
	t.Helper()
	extensions := c.Extensions()
	if len(extensions) != 1 {
		t.Fatalf("agreed on %v; want permessage-deflate", extensions)
	}
	got := map[string]string{"server_max_window_bits": "15", "client_max_window_bits": "15"}
	for _, p := range extensions[0].Params {
		got[p.Name] = p.Value
	}
	for name, want := range map[string]int{"server_max_window_bits": server, "client_max_window_bits": client} {
		if got[name] != fmt.Sprint(want) {
			t.Errorf("agreed on %v; want %s=%d", extensions, name, want)
		}
	}
}

// openDeflate opens a connection that compresses.
func openDeflate(t *testing.T, role frame.Role, theirs *actor, c *conn.Compression, d *deflate) pair {
	t.Helper()
	p := pair{theirs: theirs}
	theirs.begin()
	if role == frame.Server {
		s := serve(t, conn.AcceptOptions{Options: conn.Options{Compression: c}})
		theirs.do(t, command{Do: "connect", URL: s.url("ws", "/"), Deflate: d})
		p.ours = s.next(t)
	} else {
		theirs.do(t, command{Do: "listen", Deflate: d})
		listening := theirs.next(t)
		if listening.Event != "listening" {
			t.Fatalf("the peer says %v", listening)
		}
		p.ours = dial(t, fmt.Sprintf("ws://127.0.0.1:%d/", listening.Port), &conn.DialOptions{Options: conn.Options{Compression: c}})
	}
	theirs.want(t, event{Event: "open"})
	if len(p.ours.Extensions()) != 1 {
		t.Fatalf("agreed on %v", p.ours.Extensions())
	}
	return p
}

// wantsDeflate are the options of a server that compresses all that it can.
func wantsDeflate() conn.AcceptOptions {
	return conn.AcceptOptions{Options: conn.Options{Compression: &conn.Compression{
		MinSize: conn.NoLimit,
		Config:  codec.Config{ServerContextTakeover: codec.Takeover, ClientContextTakeover: codec.Takeover},
	}}}
}

// runDeflated runs the scenarios with a client that offers compression by itself.
func runDeflated(t *testing.T, o *opener, can ability, compresses bool) {
	p := o.open(t)
	if len(p.ours.Extensions()) != 1 {
		t.Fatalf("agreed on %v", p.ours.Extensions())
	}
	wantExchange(t, p, compresses)
	p.ours.CloseNow()
	runScenarios(t, o, can)
}

// TestDeflatePeers runs the scenarios with clients as they are by default.
func TestDeflatePeers(t *testing.T) {
	for _, p := range []peer{
		{"ws client", frame.Server, startNodeWS, ping | seePing | fragment | anyCode | noCode | raw | terminate | seeStatus},
		{"python client", frame.Server, startPython, ping | fragment | anyCode | raw | terminate | seeStatus},
		{"node client", frame.Server, startNode, noCode},
	} {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			runDeflated(t, &opener{role: p.role, theirs: p.start(t), scheme: "ws", server: serve(t, wantsDeflate())}, p.can,
				p.name != "node client") // inflates only
		})
	}
}

// TestDeflateChromium runs the scenarios with a browser, and agrees with it on
// each window size.
func TestDeflateChromium(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	s := serveHTTP(t, wantsDeflate())
	theirs := b.open(t, s.url("http", "/page")).actor()
	runDeflated(t, &opener{role: frame.Server, theirs: theirs, server: s, scheme: "ws"}, noCode, true)
	for server := 8; server <= 15; server++ {
		for client := 8; client <= 15; client++ {
			t.Run(fmt.Sprintf("%d and %d window bits", server, client), func(t *testing.T) {
				o := wantsDeflate()
				o.Compression.ServerMaxWindowBits, o.Compression.ClientMaxWindowBits = server, client
				o.Origins = []string{"http://" + s.addr}
				small := serve(t, o)
				theirs.begin()
				theirs.do(t, command{Do: "connect", URL: small.url("ws", "/")})
				p := pair{small.next(t), theirs}
				theirs.want(t, event{Event: "open"})
				wantAgreed(t, p.ours, server, client)
				wantExchange(t, p, true)
			})
		}
	}
}
