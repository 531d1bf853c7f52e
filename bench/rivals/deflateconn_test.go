package rivals_test

import (
	"fmt"
	"testing"

	coder "github.com/coder/websocket"
	gobwas "github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
	gorilla "github.com/gorilla/websocket"
	nbio "github.com/lesismal/nbio/nbhttp/websocket"
	"github.com/lxzan/gws"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/mask"
)

// A deflateServer is a library that compresses: a server's side of a connection.
type deflateServer struct {
	lib      string
	takeover bool // whether it can
	open     func(tb testing.TB, s *stream, takeover bool) messageConn
}

var deflateServers = []deflateServer{
	{"ours", true, openOurs},
	{"gorilla", false, openGorilla},
	{"coder", true, openCoder},
	{"gobwas", false, openGobwas},
	{"gws", true, openGWS},
	{"nbio", false, openNbio},
}

// offer is what the client offers.
func offer(takeover bool) string {
	if takeover {
		return "permessage-deflate"
	}
	return "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
}

func openOurs(tb testing.TB, s *stream, takeover bool) messageConn {
	c := conn.New(s, frame.Server, conn.Handshake{Deflate: &deflate.Params{
		ServerNoContextTakeover: !takeover, ClientNoContextTakeover: !takeover, ServerMaxWindowBits: 15, ClientMaxWindowBits: 15,
	}}, &conn.Options{PingInterval: conn.NoLimit, Compression: &conn.Compression{MinSize: conn.NoLimit}})
	return oursConn(tb, c, frame.OpText)
}

func openGorilla(tb testing.TB, s *stream, takeover bool) messageConn {
	u := gorilla.Upgrader{EnableCompression: true}
	w, r := upgrade(tb, s, offer(takeover))
	c, err := u.Upgrade(w, r, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return gorillaConn(c, gorilla.TextMessage)
}

func openCoder(tb testing.TB, s *stream, takeover bool) messageConn {
	mode := coder.CompressionNoContextTakeover
	if takeover {
		mode = coder.CompressionContextTakeover
	}
	w, r := upgrade(tb, s, offer(takeover))
	c, err := coder.Accept(w, r, &coder.AcceptOptions{CompressionMode: mode, CompressionThreshold: 1})
	if err != nil {
		tb.Fatal(err)
	}
	return coderConn(tb, c, coder.MessageText)
}

// openGobwas does what the documentation of that library shows. It leaves reuse
// to its users.
func openGobwas(tb testing.TB, s *stream, takeover bool) messageConn {
	extension := wsflate.Extension{Parameters: wsflate.DefaultParameters}
	u := gobwas.HTTPUpgrader{Negotiate: extension.Negotiate}
	w, r := upgrade(tb, s, offer(takeover))
	if _, _, _, err := u.Upgrade(r, w); err != nil {
		tb.Fatal(err)
	}
	return messageConn{
		func(message []byte) error {
			f, err := wsflate.CompressFrame(gobwas.NewTextFrame(message))
			if err != nil {
				return err
			}
			return gobwas.WriteFrame(s, f)
		},
		func(got func([]byte) bool) error {
			for {
				f, err := gobwas.ReadFrame(s)
				if err != nil {
					return err
				}
				f = gobwas.UnmaskFrameInPlace(f)
				if f, err = wsflate.DecompressFrame(f); err != nil || !got(f.Payload) {
					return err
				}
			}
		},
	}
}

// A gwsHandler gives messages to got, and closes the connection when that
// returns false.
type gwsHandler struct {
	gws.BuiltinEventHandler
	got func([]byte) bool
	s   *stream
}

func (h *gwsHandler) OnMessage(_ *gws.Conn, m *gws.Message) {
	if !h.got(m.Bytes()) {
		h.s.Close()
	}
	m.Close()
}

func openGWS(tb testing.TB, s *stream, takeover bool) messageConn {
	h := &gwsHandler{s: s}
	u := gws.NewUpgrader(h, &gws.ServerOption{PermessageDeflate: gws.PermessageDeflate{
		Enabled: true, ServerContextTakeover: takeover, ClientContextTakeover: takeover,
		ServerMaxWindowBits: 15, ClientMaxWindowBits: 15, Threshold: 1,
	}})
	w, r := upgrade(tb, s, offer(takeover))
	c, err := u.Upgrade(w, r)
	if err != nil {
		tb.Fatal(err)
	}
	return gwsConn(c, h, gws.OpcodeText)
}

func openNbio(tb testing.TB, s *stream, takeover bool) messageConn {
	return nbioConn(tb, s, offer(takeover), nbio.TextMessage)
}

// wire returns frames of a client with the payloads.
func wire(tb testing.TB, payloads [][]byte) (wire []byte) {
	for i, payload := range payloads {
		h := frame.Header{Flags: frame.FIN | frame.RSV1 | frame.MASK, Opcode: frame.OpText, Key: mask.Key(0x01020304 * i)}
		var err error
		if wire, err = frame.AppendFrame(wire, h, payload); err != nil {
			tb.Fatal(err)
		}
	}
	return wire
}

// TestDeflateServers: what the benchmarks measure is right.
func TestDeflateServers(t *testing.T) {
	messages := corpora[0].messages(1 << 12)
	for _, takeover := range []bool{false, true} {
		octets := wire(t, payloads(t, messages, takeover))
		for _, l := range deflateServers {
			if takeover && !l.takeover {
				continue
			}
			t.Run(fmt.Sprintf("takeover=%t/lib=%s", takeover, l.lib), func(t *testing.T) {
				s := &stream{}
				c := l.open(t, s, takeover)
				s.written = 0
				for _, message := range messages {
					if err := c.write(message); err != nil {
						t.Fatal(err)
					}
				}
				if all := len(messages) << 12; s.written == 0 || s.written > all/2 {
					t.Errorf("%d octets are written as %d", all, s.written)
				}
				s = &stream{wire: octets}
				i := 0
				if err := l.open(t, s, takeover).read(func(message []byte) bool {
					if string(message) != string(messages[i%len(messages)]) {
						t.Errorf("message %d is read as another", i)
						return false
					}
					i++
					return i < 2*len(messages)
				}); err != nil || i != 2*len(messages) {
					t.Errorf("%d messages are read, %v; want %d", i, err, 2*len(messages))
				}
			})
		}
	}
}

// BenchmarkDeflateWrite measures a server that writes JSON through each library.
// The metric ratio is of octets on the wire to octets of messages.
func BenchmarkDeflateWrite(b *testing.B) {
	for _, n := range sizes {
		messages := corpora[0].messages(n)
		for _, takeover := range []bool{false, true} {
			for _, l := range deflateServers {
				if takeover && !l.takeover {
					continue
				}
				b.Run(fmt.Sprintf("data=json/size=%d/takeover=%t/lib=%s", n, takeover, l.lib), func(b *testing.B) {
					s := &stream{}
					c := l.open(b, s, takeover)
					s.written = 0
					for _, message := range messages {
						if err := c.write(message); err != nil {
							b.Fatal(err)
						}
					}
					written := s.written
					b.ReportAllocs()
					p, i := newPace(n), 0
					for b.Loop() {
						if err := c.write(messages[i]); err != nil {
							b.Fatal(err)
						}
						if i++; i == len(messages) {
							i = 0
						}
						p.done()
					}
					p.report(b)
					b.ReportMetric(float64(written)/float64(n*len(messages)), "ratio")
				})
			}
		}
	}
}

// BenchmarkDeflateRead measures a server that reads JSON through each library,
// compressed by compress/flate at level 6.
func BenchmarkDeflateRead(b *testing.B) {
	for _, n := range sizes {
		messages := corpora[0].messages(n)
		for _, takeover := range []bool{false, true} {
			octets := wire(b, payloads(b, messages, takeover))
			for _, l := range deflateServers {
				if takeover && !l.takeover {
					continue
				}
				b.Run(fmt.Sprintf("data=json/size=%d/takeover=%t/lib=%s", n, takeover, l.lib), func(b *testing.B) {
					s := &stream{wire: octets}
					c := l.open(b, s, takeover)
					b.ReportAllocs()
					p := newPace(n)
					more := true // some give what they have read even after Close
					err := c.read(func(message []byte) bool {
						if len(message) != n {
							b.Error(len(message))
							return false
						}
						p.done()
						more = more && b.Loop()
						return more
					})
					if err != nil {
						b.Fatal(err)
					}
					p.report(b)
				})
			}
		}
	}
}
