package conn_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
)

// mixed returns a and b with one of them, in turn, as a [conn.Server] reads it.
func mixed(turn int, a, b net.Conn) (x, y io.ReadWriteCloser) {
	if turn%2 == 0 {
		return conn.Polled(a), b
	}
	return a, conn.Polled(b)
}

// A peer that goes on sending after it has broken a rule can send all of it, and
// reads why the connection has failed.
func TestFailedPeerGoesOn(t *testing.T) {
	for i := range 20 {
		a, b := tcpPair(t)
		var x io.ReadWriteCloser = a
		if i%2 == 0 {
			x = conn.Polled(a)
		}
		c := newConn(t, x, frame.Server, conn.Handshake{}, &conn.Options{MaxMessageSize: 1000})
		ended := make(chan error, 1)
		go func() { _, _, err := c.ReadMessage(t.Context()); ended <- err }()
		wire := encode(t, frame.Client, frame.FIN, frame.OpBinary, filler(1<<20))
		for rest := wire; len(rest) > 0; {
			n := min(len(rest), 200<<10)
			if _, err := b.Write(rest[:n]); err != nil {
				t.Fatalf("round %d: %v", i, err)
			}
			rest = rest[n:]
			time.Sleep(time.Millisecond)
		}
		b.CloseWrite()
		got, err := io.ReadAll(b)
		if want := encode(t, frame.Server, frame.FIN, frame.OpClose, []byte("\x03\xf1")); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("round %d: the peer reads %x, %v; want %x", i, got, err, want)
		}
		checkEnd(t, <-ended, conn.Local, frame.CloseMessageTooBig, "", conn.ErrMessageTooBig)
	}
}

// tcpPair returns the ends of a TCP connection.
func tcpPair(t testing.TB) (a, b *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialed, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return dialed.(*net.TCPConn), accepted.(*net.TCPConn)
}

// TestLastMessageArrives: a message followed at once by Close, with octets of the
// peer unread on our side, always reaches a slow reader, and so does the code.
func TestLastMessageArrives(t *testing.T) {
	const rounds = 1000
	unread, last := filler(20<<10), filler(40<<10)
	for _, closer := range []frame.Role{frame.Server, frame.Client} {
		t.Run(closer.String(), func(t *testing.T) {
			for i := range rounds {
				a, b := tcpPair(t)
				x, y := mixed(i, a, b)
				ours := conn.New(x, closer, conn.Handshake{}, nil)
				peer := conn.New(y, closer^frame.Client, conn.Handshake{}, nil)
				if err := peer.WriteMessage(t.Context(), frame.OpBinary, unread); err != nil {
					t.Fatal(err)
				}
				closed := make(chan error, 1)
				go func() {
					err := ours.WriteMessage(t.Context(), frame.OpBinary, last)
					closed <- errors.Join(err, ours.Close(4000, "that was all"))
				}()
				got, err := readSlowly(t.Context(), peer)
				if err != nil || !bytes.Equal(got, last) {
					t.Fatalf("round %d: the last message came as %s, %v", i, short(got), err)
				}
				_, _, err = peer.ReadMessage(t.Context())
				checkEnd(t, err, conn.Peer, 4000, "that was all", nil)
				if err := <-closed; err != nil {
					t.Errorf("round %d: closing side: %v", i, err)
				}
				if t.Failed() {
					t.Fatalf("in round %d", i)
				}
			}
		})
	}
}

// readSlowly reads a message in small pieces, and lets others run between them.
func readSlowly(ctx context.Context, c *conn.Conn) (message []byte, err error) {
	r, err := c.NextReader(ctx)
	if err != nil {
		return nil, err
	}
	var piece [1000]byte
	for {
		n, err := r.Read(ctx, piece[:])
		message = append(message, piece[:n]...)
		if err == io.EOF {
			return message, nil
		}
		if err != nil {
			return message, err
		}
		runtime.Gosched()
	}
}

// TestBothCloseAtOnce: each side learns the code of the other, and neither sees
// a failure.
func TestBothCloseAtOnce(t *testing.T) {
	for i := range 1000 {
		synctest.Test(t, func(t *testing.T) {
			client, server := conntest.Pair(nil, nil)
			clientErr, serverErr := make(chan error, 1), make(chan error, 1)
			if i%2 == 0 { // with readers, and without
				receive(client)
				receive(server)
			}
			go func() { clientErr <- client.Close(4001, "client") }()
			go func() { serverErr <- server.Close(4002, "server") }()
			if err := errors.Join(<-clientErr, <-serverErr); err != nil {
				t.Fatalf("Close = %v", err)
			}
			// One may have been told before it could begin itself.
			c, _ := errors.AsType[*conn.CloseError](client.Err())
			s, _ := errors.AsType[*conn.CloseError](server.Err())
			switch {
			case c.By == conn.Local && s.By == conn.Local:
				checkEnd(t, c, conn.Local, 4002, "server", nil)
				checkEnd(t, s, conn.Local, 4001, "client", nil)
			case c.By == conn.Local:
				checkEnd(t, c, conn.Local, 4001, "", nil)
				checkEnd(t, s, conn.Peer, 4001, "client", nil)
			default:
				checkEnd(t, c, conn.Peer, 4002, "server", nil)
				checkEnd(t, s, conn.Local, 4002, "", nil)
			}
		})
		if t.Failed() {
			t.Fatalf("in round %d", i)
		}
	}
}

// TestHalfCloseWhileWeSend: a peer that ends its octets without a Close frame
// still gets those that were on their way to it.
func TestHalfCloseWhileWeSend(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openPipe(t, role, conn.Handshake{}, nil, 4096)
		reader := receive(c)
		w := startWriting(t, c, filler(100<<10))
		p.CloseWrite()
		if !w.blocked() {
			t.Fatal("a write to a full pipe returned")
		}
		p.expectFrame(frame.FIN, frame.OpBinary, filler(100<<10))
		if err := w.returned(t); err != nil {
			t.Errorf("WriteMessage = %v", err)
		}
		p.expectEOF()
		checkEnd(t, (<-reader).err, conn.Network, frame.CloseAbnormalClosure, "", io.ErrUnexpectedEOF)
	})
}

// TestCloseAfterHalfClose: a peer that ends its octets without a Close frame
// cannot make Close look like a closing handshake.
func TestCloseAfterHalfClose(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openPipe(t, role, conn.Handshake{}, nil, 4096)
		reader := receive(c)
		w := startWriting(t, c, filler(100<<10))
		p.CloseWrite()
		synctest.Wait()
		closed := make(chan error, 1)
		go func() { closed <- c.Close(frame.CloseNormalClosure, "") }()
		synctest.Wait()
		p.expectFrame(frame.FIN, frame.OpBinary, filler(100<<10))
		p.expectClose(frame.CloseNormalClosure, "")
		if err := w.returned(t); err != nil {
			t.Errorf("WriteMessage = %v", err)
		}
		checkEnd(t, <-closed, conn.Local, frame.CloseAbnormalClosure, "", io.ErrUnexpectedEOF)
		checkEnd(t, (<-reader).err, conn.Local, frame.CloseAbnormalClosure, "", io.ErrUnexpectedEOF)
	})
}

// TestResetAnywhere: wherever in the stream of the peer a reset comes, what was
// handed out is a prefix of what was sent, and the connection ends once.
func TestResetAnywhere(t *testing.T) {
	sent := []string{"text one", "text ", "text " + strings.Repeat("3", 200), "text four"}
	for _, role := range []frame.Role{frame.Server, frame.Client} {
		var stream []byte
		for _, m := range sent {
			stream = append(stream, encode(t, role^frame.Client, frame.FIN, frame.OpText, []byte(m[5:]))...)
		}
		for cut := range len(stream) + 1 {
			synctest.Test(t, func(t *testing.T) {
				a, b := conntest.Pipe(0)
				nc := conntest.Inject(a, conntest.Faults{
					Read: conntest.Flow{Split: 1 + cut%7, After: int64(cut), Then: conntest.Reset},
				})
				var ends atomic.Int32
				c := newConn(t, nc, role, conn.Handshake{}, &conn.Options{Hooks: &conn.Hooks{
					OnClose: func(*conn.Conn, *conn.CloseError) { ends.Add(1) },
				}})
				b.Write(stream)
				got := <-receive(c)
				if n := len(got.messages); n > len(sent) || !slices.Equal(got.messages, sent[:n]) {
					t.Errorf("cut at %d: received %q", cut, got.messages)
				}
				checkEnd(t, got.err, conn.Network, frame.CloseAbnormalClosure, "", syscall.ECONNRESET)
				err := c.Close(frame.CloseNormalClosure, "")
				checkEnd(t, err, conn.Network, frame.CloseAbnormalClosure, "", syscall.ECONNRESET)
				synctest.Wait()
				if n := ends.Load(); n != 1 {
					t.Errorf("cut at %d: OnClose was called %d times", cut, n)
				}
			})
		}
	}
}

// TestWriteFaultAnywhere: wherever in our stream a write fails, the peer gets a
// prefix of it, each octet once, and messages reported as written are in it.
func TestWriteFaultAnywhere(t *testing.T) {
	messages := []string{"one", "", strings.Repeat("3", 300), "four"}
	var stream []byte
	for _, m := range messages {
		stream = append(stream, encode(t, frame.Server, frame.FIN, frame.OpText, []byte(m))...)
	}
	for _, fault := range []conntest.Action{conntest.Interrupt, conntest.Fail, conntest.Truncate, conntest.Reset} {
		t.Run(fault.String(), func(t *testing.T) {
			for cut := range len(stream) {
				synctest.Test(t, func(t *testing.T) {
					a, b := conntest.Pipe(0)
					nc := conntest.Inject(a, conntest.Faults{
						Write: conntest.Flow{Split: 1 + cut%7, After: int64(cut), Then: fault},
					})
					var ends atomic.Int32
					c := newConn(t, nc, frame.Server, conn.Handshake{}, &conn.Options{Hooks: &conn.Hooks{
						OnClose: func(*conn.Conn, *conn.CloseError) { ends.Add(1) },
					}})
					written := 0 // octets of frames that were reported as written
					var err error
					for _, m := range messages {
						if err = c.WriteMessage(t.Context(), frame.OpText, []byte(m)); err != nil {
							break
						}
						written += len(encode(t, frame.Server, frame.FIN, frame.OpText, []byte(m)))
					}
					end, ok := errors.AsType[*conn.CloseError](err)
					if !ok || end.By != conn.Network || end.Err == nil {
						t.Errorf("cut at %d: WriteMessage = %v, want the error of the transport", cut, err)
					}
					if written > cut {
						t.Errorf("cut at %d: frames of %d octets were reported as written", cut, written)
					}
					if err := c.WriteMessage(t.Context(), frame.OpText, nil); !errors.Is(err, net.ErrClosed) {
						t.Errorf("cut at %d: the next write = %v, want net.ErrClosed", cut, err)
					}
					c.CloseNow()
					got, _ := io.ReadAll(b)
					if fault == conntest.Reset { // which destroys what was not read
						got = stream[:cut]
					}
					if !bytes.Equal(got, stream[:cut]) {
						t.Errorf("cut at %d: the peer received\n%x, want\n%x", cut, got, stream[:cut])
					}
					synctest.Wait()
					if n := ends.Load(); n != 1 {
						t.Errorf("cut at %d: OnClose was called %d times", cut, n)
					}
				})
			}
		})
	}
}

// TestCloseInsideMessage: the Close frame comes between two fragments, and the
// message cannot go on.
func TestCloseInsideMessage(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		w, err := c.NextWriter(frame.OpText)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(t.Context(), []byte("begun"))
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		closed := make(chan error, 1)
		go func() { closed <- c.Close(frame.CloseGoingAway, "") }()
		synctest.Wait()
		if _, err := w.Write(t.Context(), filler(40<<10)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Write after Close = %v, want net.ErrClosed", err)
		}
		if err := w.Close(t.Context()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Close of the writer after Close = %v, want net.ErrClosed", err)
		}
		p.expectFrame(0, frame.OpText, []byte("begun"))
		p.expectClose(frame.CloseGoingAway, "")
		p.sendClose(frame.CloseGoingAway, "")
		p.hangsUp()
		if err := <-closed; err != nil {
			t.Errorf("Close = %v", err)
		}
	})
}

// TestSlowReader: a peer that takes less than 1 KiB in Options.WriteTimeout ends
// the connection, one that takes more does not.
func TestSlowReader(t *testing.T) {
	tests := []struct {
		name  string
		size  int // octets the peer reads at once
		every time.Duration
		reads int           // how often; zero means always
		ends  time.Duration // when the connection ends, or a sixteenth of WriteTimeout later; zero if the message is delivered
	}{
		// The pipe takes 4 KiB at once.
		{name: "never", ends: 10 * time.Second},
		{name: "an octet a second", size: 1, every: time.Second, ends: 10 * time.Second},
		{name: "1000 octets in 9 seconds", size: 1000, every: 9 * time.Second, ends: 10 * time.Second},
		{name: "a KiB, and then nothing", size: 1 << 10, every: 9 * time.Second, reads: 1, ends: 19 * time.Second},
		{name: "1 KiB in 9 seconds", size: 1 << 10, every: 9 * time.Second},
		{name: "2 KiB in 8 seconds", size: 2 << 10, every: 8 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				c, p := openPipe(t, role, conn.Handshake{}, &conn.Options{PingInterval: conn.NoLimit}, 4096)
				const size = 20 << 10
				w := startWriting(t, c, filler(size))
				done := make(chan struct{})
				defer close(done)
				go func() {
					for i := 0; tt.every > 0 && (tt.reads == 0 || i < tt.reads); i++ {
						select {
						case <-time.After(tt.every):
						case <-done:
							return
						}
						p.Read(make([]byte, tt.size))
					}
				}()
				start := time.Now()
				err := <-w.err
				if tt.ends == 0 && err == nil {
					return
				}
				checkEnd(t, err, conn.Network, frame.CloseAbnormalClosure, "", conn.ErrWriteTimeout)
				if d := time.Since(start); d < tt.ends || d > tt.ends+10*time.Second/16 {
					t.Errorf("the connection ended after %v, want %v or a little later", d, tt.ends)
				}
			})
		})
	}
}

// TestVanishedPeer: when the network swallows everything in both directions, the
// heartbeat finds out in 45 seconds.
func TestVanishedPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := conntest.Pipe(0)
		vanished := conntest.Flow{Then: conntest.Drop}
		nc := conntest.Inject(a, conntest.Faults{Read: vanished, Write: vanished})
		c := newConn(t, nc, frame.Server, conn.Handshake{}, nil)
		got := <-receive(c)
		checkEnd(t, got.err, conn.Network, frame.CloseAbnormalClosure, "", conn.ErrPongTimeout)
		if got.took != 45*time.Second {
			t.Errorf("found out after %v, want 45s", got.took)
		}
	})
}

// TestDeafHandler: a handler that does not read holds up its peer, and nobody
// else: what is sent to it stays in the transport.
func TestDeafHandler(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		const buffer = 4096
		c, p := openPipe(t, role, conn.Handshake{}, &conn.Options{PongTimeout: time.Second, PingInterval: time.Second}, buffer)
		sent := 0
		for {
			p.SetWriteDeadline(time.Now().Add(time.Hour))
			n, err := p.Write(encode(t, p.role, frame.FIN, frame.OpBinary, filler(100)))
			sent += n
			if isTimeout(err) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if sent != buffer {
			t.Errorf("a connection that is not read took %d octets, want %d", sent, buffer)
		}
		if c.Err() != nil {
			t.Errorf("the heartbeat took a slow handler for a dead peer: %v", c.Err())
		}
	})
}
