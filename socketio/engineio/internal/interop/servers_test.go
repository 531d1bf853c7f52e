package interop_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"example.org/rfc6455/socketio/engineio"
)

// A collector passes messages on.
type collector struct {
	messages chan string
	ended    chan string
}

func (c collector) Message(_ *engineio.Session, binary bool, data []byte) {
	if binary {
		c.messages <- "binary #" + string(data)
		return
	}
	c.messages <- "text " + string(data)
}

func (c collector) Closed(_ *engineio.Session, reason engineio.CloseReason, _ error) {
	c.ended <- string(reason)
}

func (c collector) want(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-c.messages:
		if got != want {
			t.Fatalf("received %.200q, want %.200q", got, want)
		}
	case end := <-c.ended:
		t.Fatalf("the session ended by %s, want %.200q", end, want)
	case <-time.After(patience):
		t.Fatalf("received nothing, want %.200q", want)
	}
}

func TestServers(t *testing.T) {
	t.Parallel()
	both := []engineio.Transport{engineio.Polling, engineio.WebSocket}
	setups := []struct {
		name string
		dial engineio.DialOptions
		ends engineio.Transport
	}{
		{"upgrade", engineio.DialOptions{}, engineio.WebSocket},
		{"polling", engineio.DialOptions{Transports: both[:1]}, engineio.Polling},
		{"websocket", engineio.DialOptions{Transports: both[1:]}, engineio.WebSocket},
		{"no upgrade", engineio.DialOptions{NoUpgrade: true}, engineio.Polling},
	}
	servers := []struct {
		version int
		eio3    bool
	}{{6, false}, {6, true}, {3, true}}
	for _, server := range servers {
		t.Run(fmt.Sprintf("engine.io %d, revision 3 %t", server.version, server.eio3), func(t *testing.T) {
			t.Parallel()
			a := startNode(t)
			for _, setup := range setups {
				t.Run(setup.name, func(t *testing.T) {
					a.t = t
					for _, end := range []string{"client", "server"} {
						a.do(command{Do: "listen", Version: server.version,
							Options: map[string]any{"allowEIO3": true, "pingInterval": 200, "pingTimeout": 10000}})
						port := a.next().Port
						c := collector{make(chan string, 4096), make(chan string, 1)}
						setup.dial.EIO3 = server.eio3
						setup.dial.Handler = func(*engineio.Session) engineio.Receiver { return c }
						s, err := engineio.Dial(context.Background(), fmt.Sprintf("http://127.0.0.1:%d", port), &setup.dial)
						if err != nil {
							t.Fatal(err)
						}
						a.want("open " + string(s.Transport()))
						round := func() {
							for i, text := range texts {
								octets := []byte{0, 0x1e, 0xff, byte(i)}
								if err := s.Send(engineio.NewPacket(false, []byte(text)), engineio.NewPacket(true, octets)); err != nil {
									t.Fatal(err)
								}
							}
							for i, text := range texts {
								want := []string{"text " + text, "binary #\x00\x1e\xff" + string([]byte{byte(i)})}
								for _, w := range want {
									c.want(t, w)
								}
								a.want(want...)
							}
						}
						round()
						if end == "server" {
							time.Sleep(500 * time.Millisecond) // a heartbeat
						}
						round()
						if got := s.Transport(); got != setup.ends {
							t.Errorf("the transport is %s, want %s", got, setup.ends)
						}
						if end == "server" {
							a.do(command{Do: "close"})
							wantEnd(t, c.ended, "transport close")
							a.want("close forced close")
							continue
						}
						s.Close("")
						wantEnd(t, c.ended, "forced close")
						a.want("close transport close")
					}
				})
			}
		})
	}
}
