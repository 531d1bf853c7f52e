//go:build linux

package conn_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

// An eventServer is an event-driven server on a socket, whose connections a test
// can look at.
type eventServer struct {
	*conn.Server
	addr   net.Addr
	opened chan *conn.Conn
	ended  chan error // of each connection
}

// serveEvents starts an event-driven server. A nil handler echoes.
func serveEvents(t *testing.T, network string, o conn.Options, handler func(*conn.Conn, conn.Message)) *eventServer {
	t.Helper()
	return serveMessages(t, network, true, o, handler)
}

// serveMessages is serveEvents for a server that may also have goroutines.
func serveMessages(t *testing.T, network string, events bool, o conn.Options, handler func(*conn.Conn, conn.Message)) *eventServer {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "s")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	if handler == nil {
		handler = func(c *conn.Conn, m conn.Message) { c.WriteMessage(c.Context(), m.Opcode, m.Payload) }
	}
	s := &eventServer{addr: l.Addr(), opened: make(chan *conn.Conn, 1000), ended: make(chan error, 1000)}
	if o.Hooks == nil {
		o.Hooks = &conn.Hooks{}
	}
	o.Hooks.OnOpen = func(c *conn.Conn) { s.opened <- c }
	o.Hooks.OnClose = func(c *conn.Conn, err *conn.CloseError) { s.ended <- err }
	s.Server = &conn.Server{OnMessage: handler, EventDriven: events, Options: &conn.AcceptOptions{Options: o}}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Shutdown(t.Context()) // which cuts off what is left, as the context has ended
		if err := <-served; err != http.ErrServerClosed {
			t.Errorf("Serve = %v", err)
		}
	})
	return s
}

// connect opens a connection to the server with the octets of a frame or more right
// behind the request.
func (s *eventServer) connect(t *testing.T, early ...byte) net.Conn {
	t.Helper()
	nc, err := net.Dial(s.addr.Network(), s.addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	request, err := handshake.AppendRequest(nil, &handshake.Offer{Target: "/", Host: "example.com", Key: handshake.NewKey()})
	if err != nil {
		t.Fatal(err)
	}
	nc.Write(append(request, early...))
	readHead(t, nc)
	nc.SetDeadline(time.Now().Add(time.Minute)) // of a test that hangs
	return nc
}

// dial is connect with a connection at this end.
func (s *eventServer) dial(t *testing.T) *conn.Conn {
	t.Helper()
	return newConn(t, s.connect(t), frame.Client, conn.Handshake{}, &conn.Options{MaxMessageSize: 1 << 24})
}

// checkEnded checks how the next connection ends.
func (s *eventServer) checkEnded(t *testing.T, by conn.Party, code frame.CloseCode, cause error) {
	t.Helper()
	checkEnd(t, <-s.ended, by, code, "", cause)
}

// Messages of any size are answered in their order, over TCP and Unix sockets,
// while others come on many connections.
func TestEventsEcho(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			s := serveEvents(t, network, conn.Options{MaxMessageSize: 1 << 24}, nil)
			var clients sync.WaitGroup
			for range 8 {
				c := s.dial(t)
				clients.Go(func() {
					sizes := []int{0, 1, 125, 126, 65535, 65536, 1 << 20, 3}
					sent := make(chan error, 1)
					go func() {
						for _, n := range sizes {
							if err := c.WriteMessage(t.Context(), frame.OpBinary, filler(n)); err != nil {
								sent <- err
								return
							}
						}
						sent <- nil
					}()
					for _, n := range sizes {
						if _, p, err := c.ReadMessage(t.Context()); err != nil || !bytes.Equal(p, filler(n)) {
							t.Errorf("the answer to %d octets is %d, %v", n, len(p), err)
							return
						}
					}
					if err := <-sent; err != nil {
						t.Error(err)
					}
					if err := c.Close(frame.CloseNormalClosure, ""); err != nil {
						t.Errorf("Close = %v", err)
					}
				})
			}
			clients.Wait()
			for range 8 {
				s.checkEnded(t, conn.Peer, frame.CloseNormalClosure, nil)
			}
		})
	}
}

// Frames in any pieces, with pauses between them in which the connection has no
// goroutine.
func TestEventsPieces(t *testing.T) {
	s := serveEvents(t, "tcp", conn.Options{}, nil)
	sent := encode(t, frame.Client, 0, frame.OpText, []byte("hel"))
	sent = append(sent, encode(t, frame.Client, frame.FIN, frame.OpPing, []byte("ping"))...)
	sent = append(sent, encode(t, frame.Client, frame.FIN, frame.OpContinuation, []byte("lo"))...)
	sent = append(sent, encode(t, frame.Client, frame.FIN, frame.OpBinary, filler(40_000))...)
	var want []byte
	want = append(want, encode(t, frame.Server, frame.FIN, frame.OpPong, []byte("ping"))...)
	want = append(want, encode(t, frame.Server, frame.FIN, frame.OpText, []byte("hello"))...)
	want = append(want, encode(t, frame.Server, frame.FIN, frame.OpBinary, filler(40_000))...)
	for _, size := range []int{1, 7, 1000, 17_000, len(sent)} {
		nc := s.connect(t)
		go func() {
			for rest := sent; len(rest) > 0; {
				n := min(size, len(rest))
				if n < 1000 && len(rest) < 39_000 {
					n = min(1000, len(rest)) // enough of that
				}
				nc.Write(rest[:n])
				rest = rest[n:]
				time.Sleep(100 * time.Microsecond)
			}
		}()
		expectOctets(t, nc, want)
	}
}

// What came with the request is answered, and so is a message with which the end
// of the peer's octets came, which no event of its own tells of.
func TestEventsEarlyAndLast(t *testing.T) {
	s := serveEvents(t, "tcp", conn.Options{}, nil)
	hello := encode(t, frame.Client, frame.FIN, frame.OpText, []byte("hello"))
	answer := encode(t, frame.Server, frame.FIN, frame.OpText, []byte("hello"))
	for range 100 {
		nc := s.connect(t, hello...)
		expectOctets(t, nc, answer)
		nc.Write(hello)
		nc.(*net.TCPConn).CloseWrite()
		expectOctets(t, nc, answer)
		if n, err := nc.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Fatalf("after the end of our octets came %d, %v", n, err)
		}
		s.checkEnded(t, conn.Network, frame.CloseAbnormalClosure, io.ErrUnexpectedEOF)
	}
	nc := s.connect(t)
	nc.(*net.TCPConn).SetLinger(0)
	nc.Close()
	s.checkEnded(t, conn.Network, frame.CloseAbnormalClosure, syscall.ECONNRESET)
}

// The counters and the hook tell of all that came, whatever way it took.
func TestEventsStats(t *testing.T) {
	for _, hooked := range []bool{false, true} {
		t.Run(fmt.Sprintf("hook=%t", hooked), func(t *testing.T) {
			var told atomic.Int64 // octets of messages that came
			var hooks conn.Hooks
			if hooked {
				hooks.OnMessage = func(c *conn.Conn, d conn.Direction, op frame.Opcode, size int64) {
					if d == conn.Received {
						told.Add(size)
					}
				}
			}
			s := serveEvents(t, "tcp", conn.Options{Hooks: &hooks}, nil)
			nc := s.connect(t)
			c := <-s.opened
			var want conn.Traffic
			for i, frames := range [][]byte{
				encode(t, frame.Client, frame.FIN, frame.OpText, []byte("hello")),
				encode(t, frame.Client, frame.FIN, frame.OpPing, []byte("ping")),
				encode(t, frame.Client, frame.FIN, frame.OpBinary, filler(200)),
				append(encode(t, frame.Client, 0, frame.OpText, []byte("hel")), encode(t, frame.Client, frame.FIN, frame.OpContinuation, []byte("lo"))...),
				encode(t, frame.Client, frame.FIN, frame.OpBinary, filler(100_000)),
				encode(t, frame.Client, frame.FIN, frame.OpText, nil),
			} {
				nc.Write(frames)
				answer := [][]byte{
					encode(t, frame.Server, frame.FIN, frame.OpText, []byte("hello")),
					encode(t, frame.Server, frame.FIN, frame.OpPong, []byte("ping")),
					encode(t, frame.Server, frame.FIN, frame.OpBinary, filler(200)),
					encode(t, frame.Server, frame.FIN, frame.OpText, []byte("hello")),
					encode(t, frame.Server, frame.FIN, frame.OpBinary, filler(100_000)),
					encode(t, frame.Server, frame.FIN, frame.OpText, nil),
				}[i]
				expectOctets(t, nc, answer)
				want.Octets += uint64(len(frames))
				if i == 1 {
					want.Control++
				} else {
					want.Messages++
					want.Payload += uint64([]int{5, 0, 200, 5, 100_000, 0}[i])
				}
			}
			got := c.Stats().Received
			for deadline := time.Now().Add(10 * time.Second); got != want && time.Now().Before(deadline); got = c.Stats().Received {
				time.Sleep(time.Millisecond) // until the last visit has ended
			}
			if got != want {
				t.Errorf("Stats().Received = %+v, want %+v", got, want)
			}
			if hooked && told.Load() != int64(want.Payload) {
				t.Errorf("the hook was told of %d octets, want %d", told.Load(), want.Payload)
			}
		})
	}
}

// An idle connection has no goroutine, and when all have ended the server has none.
func TestEventsGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	settle := func(want int) {
		t.Helper()
		n := runtime.NumGoroutine()
		for deadline := time.Now().Add(10 * time.Second); n > want && time.Now().Before(deadline); n = runtime.NumGoroutine() {
			time.Sleep(time.Millisecond)
		}
		if n > want {
			t.Errorf("there are %d goroutines, want %d", n, want)
		}
	}
	s := serveEvents(t, "tcp", conn.Options{}, nil)
	const conns = 200
	peers := make([]net.Conn, conns)
	hello := encode(t, frame.Client, frame.FIN, frame.OpText, []byte("hello"))
	for round := range 2 {
		for i := range peers {
			peers[i] = s.connect(t)
			peers[i].Write(hello)
			expectOctets(t, peers[i], encode(t, frame.Server, frame.FIN, frame.OpText, []byte("hello")))
			peers[i].Write(hello[:3+round]) // the rest never comes
		}
		settle(before + 2 + 1) // Serve, with the one that waits for it, and the poller
		for i, p := range peers {
			if i%2 == 0 {
				p.Close()
			} else {
				(<-s.opened).CloseNow()
			}
		}
		for _, p := range peers {
			p.Close()
		}
		for range peers {
			<-s.ended
		}
		for len(s.opened) > 0 {
			<-s.opened
		}
		settle(before + 2)
	}
}

// The server closes, wherever it is called from.
func TestEventsClose(t *testing.T) {
	inHandler := make(chan error, 1)
	s := serveEvents(t, "tcp", conn.Options{CloseTimeout: 10 * time.Second}, func(c *conn.Conn, m conn.Message) {
		switch string(m.Payload) {
		case "close":
			inHandler <- c.Close(frame.CloseGoingAway, "bye")
		case "panic":
			panic("a handler's")
		case "read":
			_, p, err := c.ReadMessage(c.Context())
			if err == nil {
				err = c.WriteMessage(c.Context(), frame.OpText, append([]byte("read "), p...))
			}
			inHandler <- err
		}
	})
	expectClosed := func(c *conn.Conn, code frame.CloseCode) {
		t.Helper()
		_, _, err := c.ReadMessage(t.Context())
		if end, ok := errors.AsType[*conn.CloseError](err); !ok || end.Code != code || end.By != conn.Peer {
			t.Errorf("the client's error is %v, want code %d of the peer", err, code)
		}
	}
	send := func(c *conn.Conn, text string) {
		t.Helper()
		if err := c.WriteMessage(t.Context(), frame.OpText, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}

	c := s.dial(t)
	send(c, "close")
	expectClosed(c, frame.CloseGoingAway)
	if err := <-inHandler; err != nil {
		t.Errorf("Close in the handler = %v", err)
	}
	s.checkEnded(t, conn.Local, frame.CloseGoingAway, nil)
	<-s.opened

	c = s.dial(t)
	send(c, "panic")
	expectClosed(c, frame.CloseInternalError)
	<-s.ended
	<-s.opened

	c = s.dial(t)
	send(c, "read")
	time.Sleep(time.Millisecond)
	send(c, "what comes")
	checkRead(t, c, frame.OpText, "read what comes")
	if err := <-inHandler; err != nil {
		t.Error(err)
	}
	idle := <-s.opened
	closed := closeIt(idle, frame.CloseServiceRestart, "")
	expectClosed(c, frame.CloseServiceRestart)
	if got := <-closed; got.err != nil {
		t.Errorf("Close of an idle connection = %v", got.err)
	}
	<-s.ended

	c = s.dial(t)
	(<-s.opened).CloseNow()
	if _, _, err := c.ReadMessage(t.Context()); err == nil {
		t.Error("the connection goes on after CloseNow")
	}
	<-s.ended
}

// A message that comes when the server has closed is passed over, also if the reader
// has waited for one since before that.
func TestEventsMessageAfterClose(t *testing.T) {
	for _, events := range []bool{true, false} {
		t.Run(fmt.Sprintf("events=%t", events), func(t *testing.T) {
			s := serveMessages(t, "tcp", events, conn.Options{CloseTimeout: 10 * time.Second}, func(c *conn.Conn, m conn.Message) {
				if string(m.Payload) == "late" {
					t.Error("a message came after Close")
				}
				c.WriteMessage(c.Context(), m.Opcode, m.Payload)
			})
			nc := s.connect(t)
			nc.Write(encode(t, frame.Client, frame.FIN, frame.OpText, []byte("hello")))
			expectOctets(t, nc, encode(t, frame.Server, frame.FIN, frame.OpText, []byte("hello")))
			time.Sleep(10 * time.Millisecond) // most likely the reader waits then
			closed := closeIt(<-s.opened, frame.CloseGoingAway, "")
			expectOctets(t, nc, []byte{0x88, 2, 0x03, 0xe9})
			nc.Write(encode(t, frame.Client, frame.FIN, frame.OpText, []byte("late")))
			nc.Write(encode(t, frame.Client, frame.FIN, frame.OpClose, []byte{0x03, 0xe9}))
			if got := <-closed; got.err != nil {
				t.Errorf("Close = %v", got.err)
			}
		})
	}
}

// Shutdown closes connections that are idle.
func TestEventsShutdown(t *testing.T) {
	s := serveEvents(t, "tcp", conn.Options{CloseTimeout: 10 * time.Second}, nil)
	var clients sync.WaitGroup
	for range 50 {
		c := s.dial(t)
		if err := c.WriteMessage(t.Context(), frame.OpText, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		checkRead(t, c, frame.OpText, "hello")
		clients.Go(func() {
			if _, _, err := c.ReadMessage(t.Context()); err == nil {
				t.Error("a message came")
			}
		})
	}
	result, err := s.Shutdown(t.Context())
	if result.Clean != 50 || err != nil {
		t.Errorf("Shutdown = %+v, %v; want 50 clean ends", result, err)
	}
	clients.Wait()
}

// Limits hold for connections without a goroutine.
func TestEventsLimits(t *testing.T) {
	t.Run("stall", func(t *testing.T) {
		s := serveEvents(t, "tcp", conn.Options{StallTimeout: 50 * time.Millisecond}, nil)
		hello := encode(t, frame.Client, frame.FIN, frame.OpText, []byte("hello"))
		for n := 1; n < len(hello); n++ {
			nc := s.connect(t)
			nc.Write(append(hello[:len(hello):len(hello)], hello[:n]...)) // the first is answered
			expectOctets(t, nc, append(encode(t, frame.Server, frame.FIN, frame.OpText, []byte("hello")), 0x88, 2, 0x03, 0xf0))
			nc.Close()
			s.checkEnded(t, conn.Local, frame.ClosePolicyViolation, conn.ErrStalled)
		}
	})
	t.Run("whole message", func(t *testing.T) {
		s := serveEvents(t, "tcp", conn.Options{StallTimeout: conn.NoLimit, MessageTimeout: 100 * time.Millisecond}, nil)
		nc := s.connect(t)
		go func() {
			for _, b := range encode(t, frame.Client, frame.FIN, frame.OpText, filler(100)) {
				if _, err := nc.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
			nc.Close()
		}()
		s.checkEnded(t, conn.Local, frame.ClosePolicyViolation, conn.ErrStalled)
	})
	t.Run("size", func(t *testing.T) {
		s := serveEvents(t, "tcp", conn.Options{MaxMessageSize: 10}, nil)
		nc := s.connect(t)
		nc.Write(encode(t, frame.Client, frame.FIN, frame.OpText, filler(11))[:6])
		expectOctets(t, nc, []byte{0x88, 2, 0x03, 0xf1})
		nc.Close()
		s.checkEnded(t, conn.Local, frame.CloseMessageTooBig, conn.ErrMessageTooBig)
	})
	t.Run("heartbeat", func(t *testing.T) {
		s := serveEvents(t, "tcp", conn.Options{PingInterval: 20 * time.Millisecond, PongTimeout: 500 * time.Millisecond}, nil)
		healthy, silent := s.dial(t), s.connect(t)
		beat := time.Now()
		go healthy.Discard(t.Context())
		go io.Copy(io.Discard, silent)
		s.checkEnded(t, conn.Network, frame.CloseAbnormalClosure, conn.ErrPongTimeout)
		if took := time.Since(beat); took < 500*time.Millisecond {
			t.Errorf("the silent connection ended after %v", took)
		}
		if healthy.State() != conn.StateOpen {
			t.Error("the healthy connection ended, too")
		}
	})
	t.Run("memory", func(t *testing.T) {
		s := serveEvents(t, "tcp", conn.Options{MemoryBudget: &conn.MemoryBudget{Limit: 300 << 10}}, nil)
		stalled := s.connect(t)
		part := encode(t, frame.Client, frame.FIN, frame.OpBinary, filler(200<<10))
		stalled.Write(part[:150<<10])
		time.Sleep(1100 * time.Millisecond)
		c := s.dial(t)
		if err := c.WriteMessage(t.Context(), frame.OpBinary, filler(200<<10)); err != nil {
			t.Fatal(err)
		}
		checkRead(t, c, frame.OpBinary, string(filler(200<<10)))
		expectOctets(t, stalled, []byte{0x88, 2, 0x03, 0xf5})
		stalled.Close()
		s.checkEnded(t, conn.Local, frame.CloseTryAgainLater, conn.ErrMemoryBudget)
	})
}

// Handlers that wait hold up nobody else, however many do and on however few
// processors, and not even one whose goroutine ends does.
func TestEventsBlockedHandlers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, procs := range []int{1, 4} {
		runtime.GOMAXPROCS(procs)
		const conns = 100
		var inside atomic.Int32
		all := make(chan struct{}) // closed when that many are inside
		s := serveEvents(t, "tcp", conn.Options{}, func(c *conn.Conn, m conn.Message) {
			switch string(m.Payload) {
			case "wait":
				if inside.Add(1) == conns {
					close(all)
				}
				<-all
			case "exit":
				runtime.Goexit()
			}
			c.WriteMessage(c.Context(), m.Opcode, m.Payload)
		})
		peers := make([]net.Conn, conns)
		for i := range peers {
			peers[i] = s.connect(t)
		}
		leavers := []net.Conn{s.connect(t), s.connect(t)}
		write := func(nc net.Conn, text string) {
			nc.Write(encode(t, frame.Client, frame.FIN, frame.OpText, []byte(text)))
		}
		for _, text := range []string{"wait", "hello"} {
			for i, nc := range peers {
				write(nc, text)
				if i == conns/2 && len(leavers) > 0 {
					write(leavers[0], "exit")
					leavers = leavers[1:]
				}
			}
			for _, nc := range peers {
				expectOctets(t, nc, encode(t, frame.Server, frame.FIN, frame.OpText, []byte(text)))
			}
		}
	}
}

// While a handler has not returned its connection is not read, however much the
// peer sends, and others go on.
func TestEventsBackPressure(t *testing.T) {
	release := make(chan struct{})
	var running atomic.Int32
	s := serveEvents(t, "tcp", conn.Options{}, func(c *conn.Conn, m conn.Message) {
		if string(m.Payload) == "wait" {
			if running.Add(1) != 1 {
				t.Error("two handlers of one connection run at once")
			}
			<-release
			running.Add(-1)
		}
		c.WriteMessage(c.Context(), m.Opcode, m.Payload)
	})
	slow, quick := s.dial(t), s.dial(t)
	slow.WriteMessage(t.Context(), frame.OpText, []byte("wait"))
	const most = 300
	var sent atomic.Int32
	done := make(chan error, 1)
	go func() {
		for range most {
			if err := slow.WriteMessage(t.Context(), frame.OpBinary, filler(100_000)); err != nil {
				done <- err
				return
			}
			sent.Add(1)
		}
		done <- nil
	}()
	for last := int32(-1); last != sent.Load(); time.Sleep(200 * time.Millisecond) {
		last = sent.Load() // until the buffers of the sockets are full
	}
	if sent.Load() == most {
		t.Errorf("%d messages were taken from the peer of a handler that waits", most)
	}
	quick.WriteMessage(t.Context(), frame.OpText, []byte("quick"))
	checkRead(t, quick, frame.OpText, "quick")
	close(release)
	checkRead(t, slow, frame.OpText, "wait")
	for range most {
		checkRead(t, slow, frame.OpBinary, string(filler(100_000)))
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A peer that does not read holds up its own handler only until it does.
func TestEventsSlowReader(t *testing.T) {
	s := serveEvents(t, "tcp", conn.Options{WriteTimeout: 10 * time.Second}, func(c *conn.Conn, m conn.Message) {
		for range 100 {
			if c.WriteMessage(c.Context(), frame.OpBinary, filler(200_000)) != nil {
				return
			}
		}
	})
	c := s.dial(t)
	c.WriteMessage(t.Context(), frame.OpText, nil)
	time.Sleep(50 * time.Millisecond)
	for range 100 {
		checkRead(t, c, frame.OpBinary, string(filler(200_000)))
	}

	s = serveEvents(t, "tcp", conn.Options{WriteTimeout: 100 * time.Millisecond}, func(c *conn.Conn, m conn.Message) {
		for c.WriteMessage(c.Context(), frame.OpBinary, filler(200_000)) == nil {
		}
	})
	s.dial(t).WriteMessage(t.Context(), frame.OpText, nil)
	s.checkEnded(t, conn.Network, frame.CloseAbnormalClosure, conn.ErrWriteTimeout)
}

// A broadcast reaches connections that are idle.
func TestEventsBroadcast(t *testing.T) {
	s := serveEvents(t, "tcp", conn.Options{}, nil)
	clients := make([]*conn.Conn, 20)
	for i := range clients {
		clients[i] = s.dial(t)
		<-s.opened
	}
	for s.Hub().Len() < len(clients) {
		time.Sleep(time.Millisecond)
	}
	if d := s.Hub().Broadcast(prepare(t, "to all"), nil); d.Taken != len(clients) {
		t.Errorf("the broadcast was %+v", d)
	}
	for _, c := range clients {
		checkRead(t, c, frame.OpText, "to all")
	}
}

// Through net/http it is the same, and where there is no plain socket, or a
// Handler, there are goroutines.
func TestEventsElsewhere(t *testing.T) {
	echo := func(c *conn.Conn, m conn.Message) { c.WriteMessage(c.Context(), m.Opcode, m.Payload) }
	check := func(t *testing.T, l net.Listener, dial func(ctx context.Context, network, addr string) (net.Conn, error), config *tls.Config, scheme string) {
		t.Helper()
		c, err := conn.Dial(t.Context(), scheme+"://"+l.Addr().String()+"/", &conn.DialOptions{NetDial: dial, TLS: config})
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"hello", "again"} {
			if err := c.WriteMessage(t.Context(), frame.OpText, []byte(text)); err != nil {
				t.Fatal(err)
			}
			checkRead(t, c, frame.OpText, text)
		}
		if err := c.Close(frame.CloseNormalClosure, ""); err != nil {
			t.Errorf("Close = %v", err)
		}
	}
	listen := func(t *testing.T) net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	}
	t.Run("net/http", func(t *testing.T) {
		l := listen(t)
		go http.Serve(l, &conn.Server{OnMessage: echo, EventDriven: true})
		check(t, l, nil, nil, "ws")
	})
	t.Run("goroutines", func(t *testing.T) {
		l := listen(t)
		go (&conn.Server{OnMessage: echo}).Serve(l)
		check(t, l, nil, nil, "ws")
	})
	t.Run("memory", func(t *testing.T) {
		l := conntest.Listen()
		t.Cleanup(func() { l.Close() })
		go (&conn.Server{OnMessage: echo, EventDriven: true}).Serve(l)
		check(t, l, l.Dial, nil, "ws")
	})
	t.Run("Handler", func(t *testing.T) {
		var log lockedBuffer
		l := listen(t)
		s := &conn.Server{EventDriven: true, Handler: func(c *conn.Conn) {
			for m, err := range c.Messages(c.Context()) {
				if err != nil {
					return
				}
				echo(c, m)
			}
		}, Options: &conn.AcceptOptions{Options: conn.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}}}
		go s.Serve(l)
		check(t, l, nil, nil, "ws")
		if n := strings.Count(log.String(), "not event-driven"); n != 1 {
			t.Errorf("the log says %d times that the server is not event-driven:\n%s", n, log.String())
		}
	})
}

// Whatever happens at once, each connection ends once and nobody waits for ever.
func TestEventsStorm(t *testing.T) {
	s := serveEvents(t, "tcp", conn.Options{CloseTimeout: time.Second}, func(c *conn.Conn, m conn.Message) {
		c.WriteMessage(c.Context(), m.Opcode, m.Payload)
		if len(m.Payload) == 77 {
			go c.Close(frame.CloseNormalClosure, "")
		}
	})
	const conns = 60
	var clients sync.WaitGroup
	for i := range conns {
		nc := s.connect(t)
		clients.Go(func() {
			defer nc.Close()
			go io.Copy(io.Discard, nc)
			for k := range 100 {
				if _, err := nc.Write(encode(t, frame.Client, frame.FIN, frame.OpBinary, filler((i*k)%99))); err != nil {
					return
				}
			}
			if i%3 == 0 {
				nc.Write(encode(t, frame.Client, frame.FIN, frame.OpClose, nil))
				time.Sleep(time.Millisecond)
			}
		})
		if i%4 == 0 {
			c := <-s.opened
			clients.Go(func() {
				time.Sleep(time.Duration(i) * 50 * time.Microsecond)
				if i%8 == 0 {
					c.CloseNow()
				} else {
					c.Close(frame.CloseGoingAway, fmt.Sprint(i))
				}
			})
		}
	}
	clients.Wait()
	for range conns {
		<-s.ended
	}
}
