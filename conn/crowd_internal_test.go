//go:build linux && !386 && !s390x

package conn

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const crowdRequest = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

// hello is a frame with text as a client sends it, and its echo.
const hello, helloEcho = "\x81\x85\x00\x00\x00\x00hello", "\x81\x05hello"

// A crowded server has a crowd at its listener.
type crowded struct {
	*Server
	l      net.Listener
	opened chan *Conn
	served chan error
}

// serveCrowd starts one that echoes.
func serveCrowd(t *testing.T, config net.ListenConfig, network, address string, events bool, o Options) *crowded {
	t.Helper()
	l, err := config.Listen(t.Context(), network, address)
	if err != nil {
		t.Skipf("no %s sockets here: %v", network, err)
	}
	s := &crowded{l: l, opened: make(chan *Conn, 1000), served: make(chan error, 1)}
	o.Hooks = &Hooks{OnOpen: func(c *Conn) { s.opened <- c }}
	s.Server = &Server{
		Options:     &AcceptOptions{Options: o},
		EventDriven: events,
		OnMessage:   func(c *Conn, m Message) { c.WriteMessage(c.Context(), m.Opcode, m.Payload) },
	}
	go func() { s.served <- s.Serve(l) }()
	t.Cleanup(func() {
		now, cancel := context.WithCancel(context.Background())
		cancel()
		s.Shutdown(now)
		l.Close()
		<-s.served
	})
	for range 100 {
		if c, _ := s.upgrade(t, 1); s.inCrowd(c) {
			return s
		}
	}
	t.Skip("the machine is too busy for a crowd")
	return nil
}

// inCrowd reports whether c was accepted in a crowd, whose address comes from the
// listener if it has one itself. Otherwise one cannot tell.
func (s *crowded) inCrowd(c *Conn) bool {
	s.poller.mu.Lock()
	defer s.poller.mu.Unlock()
	return c.t.stream.(*descriptor).local != s.poller.local || s.l.Addr().(*net.TCPAddr).IP.IsUnspecified()
}

// dial connects.
func (s *crowded) dial(t *testing.T) net.Conn {
	t.Helper()
	nc, err := net.Dial(s.l.Addr().Network(), s.l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	nc.SetDeadline(time.Now().Add(time.Minute))
	t.Cleanup(func() { nc.Close() })
	return nc
}

// upgrade connects and does the handshake, with a request in pieces of so many octets,
// and a message with it.
func (s *crowded) upgrade(t *testing.T, pieces int) (*Conn, net.Conn) {
	t.Helper()
	nc := s.dial(t)
	for sent := crowdRequest + hello; sent != ""; {
		n := min(pieces, len(sent))
		io.WriteString(nc, sent[:n])
		sent = sent[n:]
	}
	checkUpgraded(t, nc)
	checkEcho(t, nc)
	for {
		if c := <-s.opened; c.RemoteAddr().String() == nc.LocalAddr().String() {
			return c, nc
		}
	}
}

func checkUpgraded(t *testing.T, nc net.Conn) {
	t.Helper()
	var head strings.Builder
	for b := make([]byte, 1); !strings.HasSuffix(head.String(), "\r\n\r\n"); head.Write(b) {
		if _, err := io.ReadFull(nc, b); err != nil {
			t.Fatalf("after %q: %v", head.String(), err)
		}
	}
	if !strings.HasPrefix(head.String(), "HTTP/1.1 101 ") {
		t.Fatalf("response %q", head.String())
	}
}

func checkEcho(t *testing.T, nc net.Conn) {
	t.Helper()
	echo := make([]byte, len(helloEcho))
	if _, err := io.ReadFull(nc, echo); err != nil || string(echo) != helloEcho {
		t.Fatalf("received %q, %v; want an echo", echo, err)
	}
}

// inBothModes runs a test with a goroutine for each connection, and event-driven.
func inBothModes(t *testing.T, test func(t *testing.T, events bool)) {
	t.Run("goroutines", func(t *testing.T) { test(t, false) })
	t.Run("events", func(t *testing.T) { test(t, true) })
}

// TestCrowd: clients of a crowd are served as others are, whatever comes when.
func TestCrowd(t *testing.T) {
	inBothModes(t, func(t *testing.T, events bool) {
		s := serveCrowd(t, net.ListenConfig{}, "tcp4", "127.0.0.1:0", events, Options{})
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				nc := s.dial(t)
				for _, part := range [][]string{
					{crowdRequest}, {crowdRequest + hello}, {crowdRequest[:9], crowdRequest[9:], hello}, {crowdRequest + hello[:4], hello[4:]},
				}[i%4] {
					io.WriteString(nc, part)
				}
				checkUpgraded(t, nc)
				if i%4 == 0 {
					io.WriteString(nc, hello)
				}
				checkEcho(t, nc)
				for range 3 {
					io.WriteString(nc, hello+hello)
					checkEcho(t, nc)
					checkEcho(t, nc)
				}
				io.WriteString(nc, "\x88\x80\x00\x00\x00\x00")
				if end, err := io.ReadAll(nc); string(end) != "\x88\x00" || err != nil {
					t.Errorf("received %q, %v; want an empty Close frame and the end", end, err)
				}
			})
		}
		all.Wait()
	})
}

// TestCrowdSockets: the sockets of a crowd have the addresses and options of others.
func TestCrowdSockets(t *testing.T) {
	tests := []struct {
		name, network, address string
		config                 net.ListenConfig
	}{
		{name: "IPv4", network: "tcp4", address: "127.0.0.1:0"},
		{name: "IPv6", network: "tcp6", address: "[::1]:0"},
		{name: "any", network: "tcp", address: ":0"},
		{name: "no keep-alive", network: "tcp4", address: "127.0.0.1:0", config: net.ListenConfig{KeepAlive: -1}},
		{name: "keep-alive", network: "tcp4", address: "127.0.0.1:0", config: net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: 77 * time.Second, Interval: 33 * time.Second, Count: 5,
		}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serveCrowd(t, tt.config, tt.network, tt.address, false, Options{})
			c, nc := s.upgrade(t, 1000)
			if got, want := c.RemoteAddr().String(), nc.LocalAddr().String(); got != want {
				t.Errorf("RemoteAddr = %s, want %s", got, want)
			}
			if got, want := c.LocalAddr().String(), nc.RemoteAddr().String(); got != want {
				t.Errorf("LocalAddr = %s, want %s", got, want)
			}
			if !s.inCrowd(c) {
				t.Skip("the machine is too busy for a crowd")
			}
			like := acceptByNet(t, tt.config)
			for _, o := range netOptions {
				var want int
				like.Control(func(fd uintptr) { want, _ = syscall.GetsockoptInt(int(fd), o.level, o.name) })
				got, err := syscall.GetsockoptInt(int(c.t.stream.(*descriptor).fd), o.level, o.name)
				if got != want || err != nil {
					t.Errorf("option %d of level %d is %d, %v; want %d", o.name, o.level, got, err, want)
				}
			}
		})
	}
}

// acceptByNet returns a socket that package net has accepted.
func acceptByNet(t *testing.T, config net.ListenConfig) syscall.RawConn {
	t.Helper()
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	other, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	raw, err := nc.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestCrowdEnd: a crowd ends with the server at once, and soon with the listener.
// Handshakes in progress end, too.
func TestCrowdEnd(t *testing.T) {
	tests := []struct {
		name string
		end  func(s *crowded)
		err  error
	}{
		{"shut down", func(s *crowded) {
			now, cancel := context.WithCancel(context.Background())
			cancel()
			s.Shutdown(now)
		}, http.ErrServerClosed},
		{"closed", func(s *crowded) { s.l.Close() }, net.ErrClosed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBothModes(t, func(t *testing.T, events bool) {
				s := serveCrowd(t, net.ListenConfig{}, "tcp4", "127.0.0.1:0", events, Options{})
				silent := s.dial(t)
				half := s.dial(t)
				io.WriteString(half, crowdRequest[:50])
				s.upgrade(t, 1000) // behind them
				tt.end(s)
				err := <-s.served
				s.served <- err
				if !errors.Is(err, tt.err) {
					t.Errorf("Serve = %v, want %v", err, tt.err)
				}
				for _, nc := range []net.Conn{silent, half} {
					if n, err := io.Copy(io.Discard, nc); n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
						t.Errorf("a client in its handshake got %d octets, %v; want the end", n, err)
					}
				}
			})
		})
	}
}

// TestCrowdRefused: one of a crowd that is refused learns why.
func TestCrowdRefused(t *testing.T) {
	inBothModes(t, func(t *testing.T, events bool) {
		s := serveCrowd(t, net.ListenConfig{}, "tcp4", "127.0.0.1:0", events, Options{})
		nc := s.dial(t)
		io.WriteString(nc, "GET / HTTP/1.1\r\nHost: server.example.com\r\n\r\n"+strings.Repeat("x", 100))
		answer, err := io.ReadAll(nc)
		if !strings.HasPrefix(string(answer), "HTTP/1.1 426 ") || err != nil {
			t.Errorf("answer %q, %v", answer, err)
		}
	})
}

// TestCrowdReset: a client that is gone before the answer, or right after it, does no
// harm.
func TestCrowdReset(t *testing.T) {
	inBothModes(t, func(t *testing.T, events bool) {
		s := serveCrowd(t, net.ListenConfig{}, "tcp4", "127.0.0.1:0", events, Options{})
		for i := range 100 {
			nc := s.dial(t)
			io.WriteString(nc, crowdRequest[:min(len(crowdRequest), i*len(crowdRequest)/50)])
			if i%3 == 0 {
				nc.(*net.TCPConn).SetLinger(0)
			}
			nc.Close()
		}
		s.upgrade(t, 1000)
	})
}
