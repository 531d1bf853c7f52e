package engineio_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/socketio/engineio"
)

// A collector notes what comes.
type collector struct {
	log *journal
}

func (c collector) Message(s *engineio.Session, binary bool, data []byte) {
	if binary {
		c.log.add("#%x", data)
		return
	}
	c.log.add("%s", data)
}

func (c collector) Closed(s *engineio.Session, reason engineio.CloseReason, err error) {
	c.log.add("closed: %s", reason)
}

// connect dials the world's server and notes what comes in the journal.
func (w *world) connect(o engineio.DialOptions) (*engineio.Session, *journal) {
	w.t.Helper()
	log := new(journal)
	o.NetDial = w.listener.Dial
	o.Handler = func(*engineio.Session) engineio.Receiver { return collector{log} }
	s, err := engineio.Dial(context.Background(), "http://example.com", &o)
	if err != nil {
		w.t.Fatal(err)
	}
	return s, log
}

func text(s string) *engineio.Packet { return engineio.NewPacket(false, []byte(s)) }

func octets(s string) *engineio.Packet { return engineio.NewPacket(true, []byte(s)) }

var bothTransports = []engineio.Transport{engineio.Polling, engineio.WebSocket}

// variants are the ways to have a session.
var variants = []struct {
	name  string
	dial  engineio.DialOptions
	ends  engineio.Transport // what it uses in the end
	first engineio.Transport // what it begins with
}{
	{"polling", engineio.DialOptions{Transports: bothTransports[:1]}, engineio.Polling, engineio.Polling},
	{"websocket", engineio.DialOptions{Transports: bothTransports[1:]}, engineio.WebSocket, engineio.WebSocket},
	{"upgrade", engineio.DialOptions{}, engineio.WebSocket, engineio.Polling},
	{"polling 3", engineio.DialOptions{EIO3: true, Transports: bothTransports[:1]}, engineio.Polling, engineio.Polling},
	{"websocket 3", engineio.DialOptions{EIO3: true, Transports: bothTransports[1:]}, engineio.WebSocket, engineio.WebSocket},
	{"upgrade 3", engineio.DialOptions{EIO3: true}, engineio.WebSocket, engineio.Polling},
}

func TestDial(t *testing.T) {
	for _, v := range variants {
		inBubble(t, v.name, func(t *testing.T) {
			w := serve(t, &engineio.Options{EIO3: true}, nil)
			s, log := w.connect(v.dial)
			peer := <-w.sessions
			if s.ID() != peer.ID() || s.Protocol() != peer.Protocol() || s.RemoteAddr() != "example.com" || s.Request() != nil {
				t.Errorf("client %s %v %s %v, server %s %v", s.ID(), s.Protocol(), s.RemoteAddr(), s.Request(), peer.ID(), peer.Protocol())
			}
			if err := s.Send(text("a"), octets("\x01\x02"), text("ü")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			if got, want := log.take(), "a; #0102; ü"; got != want {
				t.Errorf("received %s, want %s", got, want)
			}
			if s.Transport() != v.ends || peer.Transport() != v.ends {
				t.Errorf("the transports are %s and %s, want %s", s.Transport(), peer.Transport(), v.ends)
			}
			time.Sleep(10 * time.Minute) // heartbeats
			s.Send(text("b"))
			time.Sleep(time.Second)
			w.log.take()
			if got := log.take(); got != "b" {
				t.Errorf("received %s, want b", got)
			}
			s.Close("")
			time.Sleep(time.Second)
			if got := log.take() + ", " + w.log.take(); got != "closed: forced close, closed: transport close" {
				t.Errorf("the ends: %s", got)
			}
			if err := s.Send(text("c")); err != engineio.ErrClosed {
				t.Errorf("Send after the end: %v", err)
			}
			time.Sleep(time.Minute)
			if n := w.server.Len(); n != 0 {
				t.Errorf("%d sessions are left", n)
			}
		})
	}
}

// TestServerCloses: the client is told, however it is connected.
func TestServerCloses(t *testing.T) {
	for _, v := range variants {
		inBubble(t, v.name, func(t *testing.T) {
			w := serve(t, &engineio.Options{EIO3: true}, nil)
			_, log := w.connect(v.dial)
			peer := <-w.sessions
			time.Sleep(time.Second)
			peer.Send(text("last"))
			peer.Close("")
			time.Sleep(time.Second)
			if got := log.take() + ", " + w.log.take(); got != "last; closed: transport close, closed: forced close" {
				t.Errorf("the ends: %s", got)
			}
		})
	}
}

// TestFlood: thousands of messages both ways arrive, in order, while the transport
// changes.
func TestFlood(t *testing.T) {
	const n = 1000
	for _, v := range variants {
		inBubble(t, v.name, func(t *testing.T) {
			w := serve(t, &engineio.Options{EIO3: true, MaxQueuedPackets: engineio.NoLimit}, nil)
			v.dial.MaxQueuedPackets = engineio.NoLimit
			s, log := w.connect(v.dial)
			for i := range n {
				if err := s.Send(text(fmt.Sprint(i))); err != nil {
					t.Fatal(err)
				}
				if i%50 == 0 {
					time.Sleep(time.Millisecond)
				}
			}
			time.Sleep(time.Second)
			want := new(journal)
			for i := range n {
				want.add("%d", i)
			}
			if got := log.take(); got != want.take() {
				t.Errorf("received %.200s…", got)
			}
			s.Close("")
			synctest.Wait()
		})
	}
}
