package bench

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/socketio"
	"example.org/rfc6455/socketio/engineio"
	"example.org/rfc6455/socketio/engineio/codec"
	"example.org/rfc6455/socketio/parser"
)

// A chatter is the argument of an event.
type chatter struct {
	User string `json:"user"`
	Text string `json:"text"`
	N    int    `json:"n"`
}

const event = `2["echo",{"user":"someone","text":"hello, world","n":1}]`

// BenchmarkEnginePayload measures the body of a polling request with 16 events.
func BenchmarkEnginePayload(b *testing.B) {
	packets := make([]codec.Packet, 16)
	for i := range packets {
		packets[i] = codec.Packet{Type: codec.Message, Data: []byte(event)}
	}
	for _, revision := range []codec.Revision{codec.V4, codec.V3} {
		body := codec.AppendPayload(nil, revision, packets...)
		b.Run(fmt.Sprintf("append/revision=%d", revision), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			buf := make([]byte, 0, len(body))
			for b.Loop() {
				buf = codec.AppendPayload(buf[:0], revision, packets...)
			}
		})
		b.Run(fmt.Sprintf("parse/revision=%d", revision), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if ps, err := codec.ParsePayload(revision, body, len(packets)); err != nil || len(ps) != len(packets) {
					b.Fatal(len(ps), err)
				}
			}
		})
	}
}

// BenchmarkSocketPacket measures an event, from Go values to messages and back.
func BenchmarkSocketPacket(b *testing.B) {
	for _, p := range []struct {
		name   string
		parser parser.Parser
	}{{"json", parser.JSON}, {"msgpack", parser.Msgpack}} {
		encode := func(messages []parser.Message) ([]parser.Message, error) {
			e := parser.Packet{Type: parser.Event}
			if err := e.SetArgs("echo", chatter{"someone", "hello, world", 1}); err != nil {
				return nil, err
			}
			return p.parser.Encode(messages, &e)
		}
		b.Run("encode/parser="+p.name, func(b *testing.B) {
			b.ReportAllocs()
			var messages []parser.Message
			for b.Loop() {
				var err error
				if messages, err = encode(messages[:0]); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("decode/parser="+p.name, func(b *testing.B) {
			messages, err := encode(nil)
			if err != nil {
				b.Fatal(err)
			}
			d := p.parser.NewDecoder(nil)
			var values []parser.Value
			b.ReportAllocs()
			for b.Loop() {
				packet, _, err := d.Decode(messages[0].Binary, messages[0].Data)
				if err != nil {
					b.Fatal(err)
				}
				var c chatter
				values = packet.Values(values[:0])
				if err := values[0].Decode(&c); err != nil || c.N != 1 {
					b.Fatal(c, err)
				}
			}
		})
	}
}

// serveEcho serves events that are acknowledged with their argument, in memory.
func serveEcho(b *testing.B) *conntest.Listener {
	l := conntest.Listen()
	server := &socketio.Server{Logger: slog.New(slog.DiscardHandler)}
	server.OnConnect(func(s *socketio.Socket) { s.On("echo", func(c chatter) chatter { return c }) })
	front := &http.Server{Handler: server}
	go front.Serve(l)
	b.Cleanup(func() {
		server.Shutdown(context.Background())
		front.Close()
	})
	return l
}

// BenchmarkEventAck measures an event and its acknowledgement through a server in
// memory: from a peer that does no more than write and read frames, one at a time and
// 16 in flight, and from the client of this module.
func BenchmarkEventAck(b *testing.B) {
	for _, pipelined := range []int{1, 16} {
		b.Run(fmt.Sprintf("peer=frames/pipelined=%d", pipelined), func(b *testing.B) {
			l, ctx := serveEcho(b), context.Background()
			c, err := conn.Dial(ctx, "ws://server.example/socket.io/?EIO=4&transport=websocket", &conn.DialOptions{NetDial: l.Dial})
			if err != nil {
				b.Fatal(err)
			}
			defer c.CloseNow()
			c.WriteMessage(ctx, frame.OpText, []byte("40"))
			c.ReadMessage(ctx) // the session
			c.ReadMessage(ctx) // the socket
			message := []byte("420" + event[1:])
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if err := c.WriteMessage(ctx, frame.OpText, message); err != nil {
					b.Fatal(err)
				}
				if n < pipelined-1 {
					continue
				}
				if _, p, err := c.ReadMessage(ctx); err != nil || p[1] != '3' {
					b.Fatalf("%q, %v", p, err)
				}
			}
		})
	}
	for _, callers := range []int{1, 16} {
		b.Run(fmt.Sprintf("peer=client/callers=%d", callers), func(b *testing.B) {
			l, ctx := serveEcho(b), context.Background()
			c, err := socketio.NewClient("http://server.example", &socketio.ClientOptions{
				Engine: &engineio.DialOptions{Transports: []engineio.Transport{engineio.WebSocket}, NetDial: l.Dial},
			})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Manager().Close()
			if err := c.Connect(ctx); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			var all sync.WaitGroup
			for i := range callers {
				all.Go(func() {
					for range (b.N + i) / callers {
						if _, err := c.Call(ctx, "echo", chatter{"someone", "hello, world", 1}); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
		})
	}
}
