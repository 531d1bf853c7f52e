package engineio_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"example.org/rfc6455/socketio/engineio"
)

// BenchmarkEcho: a message to the server and back, over loopback TCP, both sides of it.
func BenchmarkEcho(b *testing.B) {
	for _, transport := range bothTransports {
		for _, size := range []int{16, 16 << 10} {
			b.Run(fmt.Sprintf("transport=%s/size=%d", transport, size), func(b *testing.B) {
				server := httptest.NewServer(&engineio.Server{Handler: func(*engineio.Session) engineio.Receiver { return echoReceiver{} }})
				defer server.Close()
				answers := make(chan int)
				s, err := engineio.Dial(context.Background(), server.URL, &engineio.DialOptions{
					Transports: []engineio.Transport{transport},
					Handler: func(*engineio.Session) engineio.Receiver {
						return receiver{message: func(_ *engineio.Session, _ bool, data []byte) { answers <- len(data) }}
					},
				})
				if err != nil {
					b.Fatal(err)
				}
				message := []byte(strings.Repeat("x", size))
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					s.Send(engineio.NewPacket(false, message))
					if n := <-answers; n != size {
						b.Fatalf("%d octets come back, want %d", n, size)
					}
				}
				s.Close("")
			})
		}
	}
}

// BenchmarkSend: one packet to a session on a WebSocket whose peer reads.
func BenchmarkSend(b *testing.B) {
	sessions := make(chan *engineio.Session, 1)
	server := httptest.NewServer(&engineio.Server{
		Options: &engineio.Options{MaxQueuedPackets: engineio.NoLimit, MaxQueuedSize: engineio.NoLimit},
		Handler: func(s *engineio.Session) engineio.Receiver {
			sessions <- s
			return echoReceiver{}
		},
	})
	defer server.Close()
	s, err := engineio.Dial(context.Background(), server.URL, &engineio.DialOptions{Transports: bothTransports[1:]})
	if err != nil {
		b.Fatal(err)
	}
	peer := <-sessions
	p := text(strings.Repeat("x", 200))
	b.ReportAllocs()
	for b.Loop() {
		if err := peer.Send(p); err != nil {
			b.Fatal(err)
		}
	}
	s.Close("")
}
