package rivals_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"

	coder "github.com/coder/websocket"
	gobwas "github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	gorilla "github.com/gorilla/websocket"
	nbio "github.com/lesismal/nbio/nbhttp/websocket"
	"github.com/lxzan/gws"
	xnet "golang.org/x/net/websocket"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
	"example.org/rfc6455/mask"
)

// A messageConn writes and reads messages in memory.
type messageConn struct {
	// write writes a message.
	write func(message []byte) error
	// read reads messages and gives each to got, until that returns false.
	read func(got func(message []byte) bool) error
}

// A messageLibrary opens connections in the roles that it has.
type messageLibrary struct {
	lib    string
	server func(tb testing.TB, s *stream) messageConn
	client func(tb testing.TB, s *answering) messageConn
}

var messageLibraries = []messageLibrary{
	{"ours", serveOurs, dialOurs},
	{"gorilla", serveGorilla, dialGorilla},
	{"gorilla:reader", serveGorillaReader, nil},
	{"coder", serveCoder, dialCoder},
	{"gobwas", serveGobwas, dialGobwas},
	{"gobwas:loop", serveGobwasLoop, dialGobwasLoop},
	{"gws", serveGWS, dialGWS},
	{"nbio", serveNbio, nil},
	{"xnet", serveXnet, dialXnet},
}

// An answering stream answers the opening handshake of a client that writes to it,
// and is a stream after that.
type answering struct {
	stream
	request  []byte
	response []byte
	answered chan struct{} // closed when there is the response
}

func (s *answering) Write(p []byte) (int, error) {
	select {
	case <-s.answered:
		return s.stream.Write(p)
	default:
	}
	s.request = append(s.request, p...)
	if bytes.HasSuffix(s.request, []byte("\r\n\r\n")) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(s.request)))
		if err != nil {
			return 0, err
		}
		s.response = fmt.Appendf(nil, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"+
			"Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", handshake.Accept(r.Header.Get("Sec-WebSocket-Key")))
		close(s.answered)
	}
	return len(p), nil
}

func (s *answering) Read(p []byte) (int, error) {
	<-s.answered
	if len(s.response) > 0 {
		n := copy(p, s.response)
		s.response = s.response[n:]
		return n, nil
	}
	return s.stream.Read(p)
}

const target = "ws://localhost/"

func oursConn(tb testing.TB, c *conn.Conn, op frame.Opcode) messageConn {
	tb.Cleanup(func() { c.CloseNow() })
	ctx := context.Background()
	return messageConn{
		func(message []byte) error { return c.WriteMessage(ctx, op, message) },
		func(got func([]byte) bool) error {
			for {
				_, message, err := c.ReadMessage(ctx)
				if err != nil || !got(message) {
					return err
				}
			}
		},
	}
}

func serveOurs(tb testing.TB, s *stream) messageConn {
	return oursConn(tb, conn.New(s, frame.Server, conn.Handshake{}, nil), frame.OpBinary)
}

func dialOurs(tb testing.TB, s *answering) messageConn {
	c, err := conn.DialConn(tb.Context(), s, target, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return oursConn(tb, c, frame.OpBinary)
}

func gorillaConn(c *gorilla.Conn, op int) messageConn {
	return messageConn{
		func(message []byte) error { return c.WriteMessage(op, message) },
		func(got func([]byte) bool) error {
			for {
				_, message, err := c.ReadMessage()
				if err != nil || !got(message) {
					return err
				}
			}
		},
	}
}

func acceptGorilla(tb testing.TB, s *stream) *gorilla.Conn {
	w, r := upgrade(tb, s, "")
	c, err := new(gorilla.Upgrader).Upgrade(w, r, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func serveGorilla(tb testing.TB, s *stream) messageConn {
	return gorillaConn(acceptGorilla(tb, s), gorilla.BinaryMessage)
}

// serveGorillaReader reads into a buffer of its own.
func serveGorillaReader(tb testing.TB, s *stream) messageConn {
	c := acceptGorilla(tb, s)
	prepared := gorillaConn(c, gorilla.BinaryMessage)
	prepared.read = func(got func([]byte) bool) error {
		var buf bytes.Buffer
		for {
			_, r, err := c.NextReader()
			if err != nil {
				return err
			}
			buf.Reset()
			if _, err := buf.ReadFrom(r); err != nil || !got(buf.Bytes()) {
				return err
			}
		}
	}
	return prepared
}

func dialGorilla(tb testing.TB, s *answering) messageConn {
	d := gorilla.Dialer{NetDialContext: func(context.Context, string, string) (net.Conn, error) { return s, nil }}
	c, _, err := d.Dial(target, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return gorillaConn(c, gorilla.BinaryMessage)
}

func coderConn(tb testing.TB, c *coder.Conn, op coder.MessageType) messageConn {
	tb.Cleanup(func() { c.CloseNow() })
	c.SetReadLimit(-1)
	ctx := context.Background()
	return messageConn{
		func(message []byte) error { return c.Write(ctx, op, message) },
		func(got func([]byte) bool) error {
			for {
				_, message, err := c.Read(ctx)
				if err != nil || !got(message) {
					return err
				}
			}
		},
	}
}

func serveCoder(tb testing.TB, s *stream) messageConn {
	w, r := upgrade(tb, s, "")
	c, err := coder.Accept(w, r, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return coderConn(tb, c, coder.MessageBinary)
}

func dialCoder(tb testing.TB, s *answering) messageConn {
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return s, nil }}
	c, _, err := coder.Dial(tb.Context(), target, &coder.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		tb.Fatal(err)
	}
	return coderConn(tb, c, coder.MessageBinary)
}

// serveGobwas and dialGobwas use the helpers that its documentation shows.
func serveGobwas(_ testing.TB, s *stream) messageConn {
	return messageConn{
		func(message []byte) error { return wsutil.WriteServerBinary(s, message) },
		func(got func([]byte) bool) error {
			for {
				message, err := wsutil.ReadClientBinary(s)
				if err != nil || !got(message) {
					return err
				}
			}
		},
	}
}

func dialGobwas(_ testing.TB, s *answering) messageConn {
	return messageConn{
		func(message []byte) error { return wsutil.WriteClientBinary(&s.stream, message) },
		func(got func([]byte) bool) error {
			for {
				message, err := wsutil.ReadServerBinary(&s.stream)
				if err != nil || !got(message) {
					return err
				}
			}
		},
	}
}

// gobwasLoop is what somebody in a hurry writes over the headers of that library,
// with one buffer each way and nothing that the RFC demands.
func gobwasLoop(s io.ReadWriter, client bool) messageConn {
	r, w := bufio.NewReader(s), bufio.NewWriter(s)
	in, out := make([]byte, gobwas.MaxHeaderSize), make([]byte, gobwas.MaxHeaderSize)
	var payload, masked []byte
	return messageConn{
		func(message []byte) error {
			h := gobwas.Header{Fin: true, OpCode: gobwas.OpBinary, Length: int64(len(message))}
			if client {
				h.Masked, h.Mask = true, gobwas.NewMask()
				masked = append(masked[:0], message...)
				gobwas.Cipher(masked, h.Mask, 0)
				message = masked
			}
			if err := gobwas.WriteHeaderBuffer(w, h, out); err != nil {
				return err
			}
			w.Write(message)
			return w.Flush()
		},
		func(got func([]byte) bool) error {
			for {
				h, err := gobwas.ReadHeaderBuffer(r, in)
				if err != nil {
					return err
				}
				if cap(payload) < int(h.Length) {
					payload = make([]byte, h.Length)
				}
				payload = payload[:h.Length]
				if _, err := io.ReadFull(r, payload); err != nil {
					return err
				}
				if h.Masked {
					gobwas.Cipher(payload, h.Mask, 0)
				}
				if !got(payload) {
					return nil
				}
			}
		},
	}
}

func serveGobwasLoop(_ testing.TB, s *stream) messageConn   { return gobwasLoop(s, false) }
func dialGobwasLoop(_ testing.TB, s *answering) messageConn { return gobwasLoop(&s.stream, true) }

func gwsConn(c *gws.Conn, h *gwsHandler, op gws.Opcode) messageConn {
	return messageConn{
		func(message []byte) error { return c.WriteMessage(op, message) },
		func(got func([]byte) bool) error {
			h.got = got
			c.ReadLoop()
			return nil
		},
	}
}

func serveGWS(tb testing.TB, s *stream) messageConn {
	h := &gwsHandler{s: s}
	w, r := upgrade(tb, s, "")
	c, err := gws.NewUpgrader(h, nil).Upgrade(w, r)
	if err != nil {
		tb.Fatal(err)
	}
	return gwsConn(c, h, gws.OpcodeBinary)
}

func dialGWS(tb testing.TB, s *answering) messageConn {
	h := &gwsHandler{s: &s.stream}
	c, _, err := gws.NewClientFromConn(h, &gws.ClientOption{Addr: target}, s)
	if err != nil {
		tb.Fatal(err)
	}
	return gwsConn(c, h, gws.OpcodeBinary)
}

func serveNbio(tb testing.TB, s *stream) messageConn {
	return nbioConn(tb, s, "", nbio.BinaryMessage)
}

// nbioConn opens a connection whose client offers extensions.
func nbioConn(tb testing.TB, s *stream, extensions string, op nbio.MessageType) messageConn {
	u := nbio.NewUpgrader()
	u.EnableCompression(extensions != "")
	u.BlockingModAsyncWrite = false
	u.BlockingModHandleRead = false
	var take func([]byte) bool
	u.OnMessage(func(_ *nbio.Conn, _ nbio.MessageType, message []byte) {
		if !take(message) {
			s.Close()
		}
	})
	w, r := upgrade(tb, s, extensions)
	c, err := u.Upgrade(w, r, nil)
	if err != nil {
		tb.Fatal(err)
	}
	c.EnableWriteCompression(extensions != "")
	return messageConn{
		func(message []byte) error { return c.WriteMessage(op, message) },
		func(got func([]byte) bool) error {
			take = got
			c.HandleRead(64 << 10)
			return nil
		},
	}
}

func xnetConn(c *xnet.Conn) messageConn {
	c.PayloadType = xnet.BinaryFrame
	c.MaxPayloadBytes = 64 << 20
	return messageConn{
		func(message []byte) error { return xnet.Message.Send(c, message) },
		func(got func([]byte) bool) error {
			for {
				var message []byte
				if err := xnet.Message.Receive(c, &message); err != nil || !got(message) {
					return err
				}
			}
		},
	}
}

func serveXnet(tb testing.TB, s *stream) messageConn {
	accepted, done := make(chan *xnet.Conn), make(chan struct{})
	tb.Cleanup(func() { close(done) })
	w, r := upgrade(tb, s, "")
	r.Header.Set("Origin", "http://localhost")
	go xnet.Server{Handler: func(c *xnet.Conn) {
		accepted <- c
		<-done
	}}.ServeHTTP(w, r)
	return xnetConn(<-accepted)
}

func dialXnet(tb testing.TB, s *answering) messageConn {
	location, _ := url.Parse(target)
	c, err := xnet.NewClient(&xnet.Config{Location: location, Origin: location, Version: 13}, s)
	if err != nil {
		tb.Fatal(err)
	}
	return xnetConn(c)
}

// conns opens a connection of l in each role that it has. What it reads are
// messages with the payload, as the peer sends them.
func (l *messageLibrary) conns(tb testing.TB, payload []byte) map[frame.Role]func() (messageConn, *stream) {
	frames := func(flags frame.Flags) []byte {
		var wire []byte
		for i := 0; i < 8 || len(wire) < 64<<10; i++ {
			h := frame.Header{Flags: frame.FIN | flags, Opcode: frame.OpBinary, Key: mask.Key(0x9e3779b9 * i)}
			if flags == 0 {
				h.Key = 0
			}
			var err error
			if wire, err = frame.AppendFrame(wire, h, payload); err != nil {
				tb.Fatal(err)
			}
		}
		return wire
	}
	all := map[frame.Role]func() (messageConn, *stream){}
	if l.server != nil {
		all[frame.Server] = func() (messageConn, *stream) {
			s := &stream{wire: frames(frame.MASK)}
			return l.server(tb, s), s
		}
	}
	if l.client != nil {
		all[frame.Client] = func() (messageConn, *stream) {
			s := &answering{stream: stream{wire: frames(0)}, answered: make(chan struct{})}
			return l.client(tb, s), &s.stream
		}
	}
	return all
}

var roles = []frame.Role{frame.Server, frame.Client}

// TestMessageLibraries: what the benchmarks measure is right.
func TestMessageLibraries(t *testing.T) {
	payload := corpora[0].messages(1 << 10)[0]
	for _, l := range messageLibraries {
		for role, open := range l.conns(t, payload) {
			t.Run(fmt.Sprintf("role=%v/lib=%s", role, l.lib), func(t *testing.T) {
				c, s := open()
				s.written = 0
				if err := c.write(payload); err != nil {
					t.Fatal(err)
				}
				want := len(payload) + 4
				if role == frame.Client {
					want += 4
				}
				if s.written != want {
					t.Errorf("%d octets are written, want %d", s.written, want)
				}
				n := 0
				if err := c.read(func(got []byte) bool {
					if !bytes.Equal(got, payload) {
						t.Error("another message is read")
					}
					n++
					return n < 20
				}); err != nil || n < 20 { // some give what they have read even after Close
					t.Errorf("%d messages are read, %v; want 20 or more", n, err)
				}
			})
		}
	}
}

var messageSizes = []int{16, 125, 1 << 10, 16 << 10, 1 << 20}

// BenchmarkWriteMessage measures one message written.
func BenchmarkWriteMessage(b *testing.B) {
	for _, role := range roles {
		for _, size := range messageSizes {
			payload := make([]byte, size)
			for _, l := range messageLibraries {
				open := l.conns(b, payload)[role]
				if open == nil {
					continue
				}
				b.Run(fmt.Sprintf("role=%v/size=%d/lib=%s", role, size, l.lib), func(b *testing.B) {
					c, _ := open()
					b.SetBytes(int64(size))
					b.ReportAllocs()
					for b.Loop() {
						if err := c.write(payload); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}

// BenchmarkReadMessage measures one message read from a stream that has more.
func BenchmarkReadMessage(b *testing.B) {
	for _, role := range roles {
		for _, size := range messageSizes {
			payload := make([]byte, size)
			for _, l := range messageLibraries {
				open := l.conns(b, payload)[role]
				if open == nil {
					continue
				}
				b.Run(fmt.Sprintf("role=%v/size=%d/lib=%s", role, size, l.lib), func(b *testing.B) {
					c, _ := open()
					b.SetBytes(int64(size))
					b.ReportAllocs()
					more := true // some give what they have read even after Close
					err := c.read(func(message []byte) bool {
						if len(message) != size {
							b.Error(len(message))
						}
						more = more && b.Loop()
						return more
					})
					if err != nil {
						b.Fatal(err)
					}
				})
			}
		}
	}
}
