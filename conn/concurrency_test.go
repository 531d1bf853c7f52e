package conn_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
)

// errWhy is the cause that a test ends a context with.
var errWhy = errors.New("the test says so")

// writing is a WriteMessage on a goroutine of its own, with a context.
type writing struct {
	cancel func()
	err    chan error
}

// startWriting begins to write a binary message and waits until it is blocked or
// done.
func startWriting(t *testing.T, c *conn.Conn, p []byte) writing {
	ctx, cancel := context.WithCancelCause(t.Context())
	w := writing{func() { cancel(errWhy) }, make(chan error, 1)}
	go func() { w.err <- c.WriteMessage(ctx, frame.OpBinary, p) }()
	synctest.Wait()
	return w
}

// blocked reports whether the write has not returned.
func (w writing) blocked() bool {
	synctest.Wait()
	return len(w.err) == 0
}

// returned is the error of a write that has to have returned.
func (w writing) returned(t *testing.T) error {
	t.Helper()
	if w.blocked() {
		t.Fatal("WriteMessage is blocked")
	}
	return <-w.err
}

// filler returns size octets that are not all alike.
func filler(size int) []byte {
	return bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
}

// TestCanceledWriteMakesRoom: a message that is taken back lets those go on that
// waited for its place.
func TestCanceledWriteMakesRoom(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openPipe(t, role, conn.Handshake{}, &conn.Options{MaxQueuedFrames: 1, WriteTimeout: conn.NoLimit}, 200)
		full := startWriting(t, c, filler(200-4-4*int(role)))
		if err := full.returned(t); err != nil { // it fills the pipe
			t.Fatal(err)
		}
		first := startWriting(t, c, []byte("first"))
		second := startWriting(t, c, []byte("second"))
		if !first.blocked() || !second.blocked() {
			t.Fatal("a write to a full pipe returned")
		}
		first.cancel()
		if err := first.returned(t); !errors.Is(err, errWhy) {
			t.Errorf("canceled write = %v, want its cause", err)
		}
		p.expectFrame(frame.FIN, frame.OpBinary, filler(200-4-4*int(role)))
		if err := second.returned(t); err != nil {
			t.Errorf("write that waited for room = %v", err)
		}
		p.expectFrame(frame.FIN, frame.OpBinary, []byte("second"))
	})
}

// tlsPair returns the sides of a TLS connection over a pipe that holds buffer
// octets.
func tlsPair(t *testing.T, buffer int) (server, client *tls.Conn) {
	t.Helper()
	cert, config := certificate(t, "example.com", time.Hour, x509.NewCertPool())
	config.ServerName = "example.com"
	a, b := conntest.Pipe(buffer)
	server = tls.Server(a, &tls.Config{Certificates: []tls.Certificate{cert}})
	client = tls.Client(b, config)
	t.Cleanup(func() { a.Close(); b.Close() })
	go client.Handshake()
	if err := server.Handshake(); err != nil {
		t.Fatal(err)
	}
	return server, client
}

// A hiding is a connection inside that of an application.
type hiding struct {
	inner net.Conn
	net.Addr
}

func (h *hiding) Read(p []byte) (int, error)         { return h.inner.Read(p) }
func (h *hiding) Write(p []byte) (int, error)        { return h.inner.Write(p) }
func (h *hiding) Close() error                       { return h.inner.Close() }
func (h *hiding) LocalAddr() net.Addr                { return h.Addr }
func (h *hiding) RemoteAddr() net.Addr               { return h.Addr }
func (h *hiding) SetDeadline(t time.Time) error      { return h.inner.SetDeadline(t) }
func (h *hiding) SetReadDeadline(t time.Time) error  { return h.inner.SetReadDeadline(t) }
func (h *hiding) SetWriteDeadline(t time.Time) error { return h.inner.SetWriteDeadline(t) }

// overWrappedTLS runs a test with TLS connections as applications wrap them.
func overWrappedTLS(t *testing.T, test func(t *testing.T, wrap func(*tls.Conn) net.Conn)) {
	for name, wrap := range map[string]func(*tls.Conn) net.Conn{
		"bare":      func(c *tls.Conn) net.Conn { return c },
		"embedded":  func(c *tls.Conn) net.Conn { return struct{ *tls.Conn }{c} },
		"interface": func(c *tls.Conn) net.Conn { return &struct{ net.Conn }{c} },
		"twice":     func(c *tls.Conn) net.Conn { return struct{ net.Conn }{&hiding{inner: c}} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, wrap) })
		})
	}
}

// TestWaiterCanceledOverTLS: a TLS record that was cut off cannot be continued,
// so a canceled message does not disturb the one that is being written.
func TestWaiterCanceledOverTLS(t *testing.T) {
	overWrappedTLS(t, func(t *testing.T, wrap func(*tls.Conn) net.Conn) {
		server, client := tlsPair(t, 4096)
		c := newConn(t, wrap(server), frame.Server, conn.Handshake{}, nil)

		// The second and the third are written together, after the first.
		first := startWriting(t, c, filler(4096))
		second := startWriting(t, c, filler(12<<10))
		third := startWriting(t, c, []byte("third"))
		fourth := startWriting(t, c, []byte("fourth"))
		peer := conn.New(client, frame.Client, conn.Handshake{}, nil)
		defer peer.CloseNow()
		checkRead(t, peer, frame.OpBinary, string(filler(4096)))
		if err := first.returned(t); err != nil {
			t.Fatal(err)
		}
		if !second.blocked() {
			t.Fatal("a write to a full pipe returned")
		}
		third.cancel()
		synctest.Wait()
		var came []string
		go func() {
			for m := range peer.Messages(t.Context()) {
				came = append(came, string(m.Payload))
			}
		}()
		for _, w := range []writing{second, fourth} {
			if err := w.returned(t); err != nil {
				t.Errorf("write beside a canceled one = %v", err)
			}
		}
		// TLS may have had it already. Then it arrives and is no error.
		err := third.returned(t)
		if err != nil && !errors.Is(err, errWhy) {
			t.Errorf("canceled write = %v, want nil or its cause", err)
		}
		if arrived := slices.Contains(came, "third"); arrived != (err == nil) {
			t.Errorf("canceled write = %v; it arrived: %v", err, arrived)
		}
		if err := c.Err(); err != nil {
			t.Errorf("the connection ended: %v", err)
		}
	})
}

// TestFlusherCanceledOverTLS: a write that is canceled while the transport has
// it ends the connection, as a part of its record may have left.
func TestFlusherCanceledOverTLS(t *testing.T) {
	overWrappedTLS(t, func(t *testing.T, wrap func(*tls.Conn) net.Conn) {
		server, _ := tlsPair(t, 4096)
		c := newConn(t, wrap(server), frame.Server, conn.Handshake{}, nil)
		if err := startWriting(t, c, filler(3700)).returned(t); err != nil {
			t.Fatal(err)
		}
		w := startWriting(t, c, filler(500)) // one record that does not fit
		if !w.blocked() {
			t.Fatal("a write to a full pipe returned")
		}
		w.cancel()
		time.Sleep(5 * time.Second) // for the closing alert, if the wrapper leaves no way around it
		checkEnd(t, w.returned(t), conn.Local, frame.CloseAbnormalClosure, "", errWhy)
	})
}

// TestCloseNowOverTLS: no alert is waited for that the peer does not read.
func TestCloseNowOverTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, _ := tlsPair(t, 4096)
		c := newConn(t, struct{ *tls.Conn }{server}, frame.Server, conn.Handshake{}, nil)
		w := startWriting(t, c, filler(8<<10))
		start := time.Now()
		c.CloseNow()
		checkEnd(t, w.returned(t), conn.Local, frame.CloseAbnormalClosure, "", conn.ErrCloseNow)
		if d := time.Since(start); d != 0 {
			t.Errorf("CloseNow took %v", d)
		}
	})
}

// A scriptedStream writes as its script says, one function for each Write, and
// reads nothing.
type scriptedStream struct {
	script []func(p []byte) (int, error)
	past   chan struct{} // closed when the write deadline is first set to the past
	once   sync.Once
	closed chan struct{}
}

func (s *scriptedStream) Read([]byte) (int, error) {
	<-s.closed
	return 0, net.ErrClosed
}

func (s *scriptedStream) Write(p []byte) (int, error) {
	write := s.script[0]
	s.script = s.script[1:]
	return write(p)
}

// Close takes a while.
func (s *scriptedStream) Close() error {
	time.Sleep(time.Millisecond)
	close(s.closed)
	return nil
}

func (s *scriptedStream) SetReadDeadline(time.Time) error { return nil }

func (s *scriptedStream) SetWriteDeadline(t time.Time) error {
	if !t.IsZero() && t.Before(time.Now()) {
		s.once.Do(func() { close(s.past) })
	}
	return nil
}

// TestCanceledPayloadNotRetained: when a write is canceled in the middle of its
// frame, nobody looks at its payload after it has returned.
func TestCanceledPayloadNotRetained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scriptedStream{past: make(chan struct{}), closed: make(chan struct{})}
		release := make(chan struct{})
		var returned atomic.Bool
		s.script = []func(p []byte) (int, error){
			func(p []byte) (int, error) { <-release; return len(p), nil },
			func(p []byte) (int, error) { <-s.past; return 30 << 10, os.ErrDeadlineExceeded },
			func(p []byte) (int, error) {
				<-s.closed
				time.Sleep(time.Millisecond)
				if returned.Load() {
					t.Errorf("%d octets are being written whose write has returned", len(p))
				}
				return 0, net.ErrClosed
			},
		}
		c := newConn(t, s, frame.Server, conn.Handshake{}, &conn.Options{WriteTimeout: conn.NoLimit})

		// The frame of the canceled write leaves together with one before it,
		// whose goroutine writes both.
		first := startWriting(t, c, []byte("first"))
		second := startWriting(t, c, []byte("second"))
		third := startWriting(t, c, filler(200<<10))
		close(release)
		synctest.Wait()
		third.cancel()
		err := <-third.err
		returned.Store(true)
		checkEnd(t, err, conn.Local, frame.CloseAbnormalClosure, "", errWhy)
		for _, w := range []writing{first, second} {
			if err := <-w.err; err != nil {
				t.Errorf("write of a message that has left = %v", err)
			}
		}
		time.Sleep(time.Second)
	})
}

// TestWriteReturnsForItsContext: a write whose message has left, or whose context
// ends, is not held up by messages that nobody waits for.
func TestWriteReturnsForItsContext(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openPipe(t, role, conn.Handshake{}, &conn.Options{WriteTimeout: conn.NoLimit}, 100)
		broadcast, err := conn.Prepare(frame.OpBinary, filler(300))
		if err != nil {
			t.Fatal(err)
		}
		var hub conn.Hub
		hub.Add(c)
		w := startWriting(t, c, filler(150)) // the pipe takes the first part of it
		hub.Broadcast(broadcast, nil)
		p.expectFrame(frame.FIN, frame.OpBinary, filler(150))
		if err := w.returned(t); err != nil {
			t.Errorf("WriteMessage = %v", err)
		}
		p.expectFrame(frame.FIN, frame.OpBinary, filler(300))
	})
}

// A countingContext is a context that can be canceled and counts who waits for
// it.
type countingContext struct {
	context.Context
	registered atomic.Int32
}

// Value keeps package context from looking behind it.
func (c *countingContext) Value(any) any { return nil }

func (c *countingContext) AfterFunc(f func()) func() bool {
	c.registered.Add(1)
	stop := context.AfterFunc(c.Context, f)
	return func() bool {
		c.registered.Add(-1)
		return stop()
	}
}

// TestContextReleased: a context that outlives a connection does not hold it,
// even if the connection ended while its reader was at work.
func TestContextReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base, cancel := context.WithCancel(t.Context())
		defer cancel()
		ctx := &countingContext{Context: base}
		proceed := make(chan struct{})
		c, p := open(t, frame.Server, &conn.Options{Hooks: &conn.Hooks{
			OnPong: func(*conn.Conn, time.Duration) { <-proceed },
		}})
		read := make(chan error)
		go func() {
			_, _, err := c.ReadMessage(ctx)
			read <- err
		}()
		go c.Ping(ctx)
		_, ping, err := p.next()
		if err != nil {
			t.Fatal(err)
		}
		p.sendFrame(frame.FIN, frame.OpPong, ping)
		synctest.Wait()
		c.CloseNow()
		close(proceed)
		checkEnd(t, <-read, conn.Local, frame.CloseAbnormalClosure, "", conn.ErrCloseNow)
		synctest.Wait()
		if n := ctx.registered.Load(); n != 0 {
			t.Errorf("the context holds %d functions after the end of the connection", n)
		}
	})
}

// TestCloseFromHooks: a hook may close its connection.
func TestCloseFromHooks(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		var ends atomic.Int32
		c, p := open(t, role, &conn.Options{Hooks: &conn.Hooks{
			OnClose: func(c *conn.Conn, err *conn.CloseError) {
				ends.Add(1)
				if got := c.Close(frame.CloseNormalClosure, ""); got != nil {
					t.Errorf("Close in OnClose = %v", got)
				}
				c.CloseNow()
			},
			OnMessage: func(c *conn.Conn, _ conn.Direction, _ frame.Opcode, _ int64) {
				go c.Close(frame.CloseGoingAway, "")
			},
		}})
		reader := receive(c)
		p.sendText("hello")
		p.expectClose(frame.CloseGoingAway, "")
		p.sendClose(frame.CloseGoingAway, "")
		p.hangsUp()
		checkEnd(t, (<-reader).err, conn.Local, frame.CloseGoingAway, "", nil)
		<-c.Done()
		if n := ends.Load(); n != 1 {
			t.Errorf("OnClose was called %d times", n)
		}
	})
}

// TestPanicInOnClose: those who wait for the end are told of it all the same.
func TestPanicInOnClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := open(t, frame.Server, &conn.Options{Hooks: &conn.Hooks{
			OnClose: func(*conn.Conn, *conn.CloseError) { panic(errWhy) },
		}})
		func() {
			defer func() {
				if recover() != errWhy {
					t.Error("the panic was swallowed")
				}
			}()
			c.CloseNow()
		}()
		<-c.Done()
	})
}

// TestLongMessageGetsItsTurn: those who wait for room go in the order in which
// they came, so that short messages do not pass a long one for ever.
func TestLongMessageGetsItsTurn(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openPipe(t, role, conn.Handshake{}, &conn.Options{MaxQueuedSize: 1000, WriteTimeout: conn.NoLimit}, 100)
		sizes := []int{500, 400, 300, 2000, 10, 200, 20} // the first two find room
		var writes []writing
		for _, size := range sizes {
			writes = append(writes, startWriting(t, c, filler(size)))
		}
		canceled := startWriting(t, c, []byte("canceled"))
		writes = append(writes, startWriting(t, c, []byte("last")))
		canceled.cancel()
		if err := canceled.returned(t); !errors.Is(err, errWhy) {
			t.Errorf("canceled write = %v", err)
		}
		for _, size := range sizes {
			p.expectFrame(frame.FIN, frame.OpBinary, filler(size))
		}
		p.expectFrame(frame.FIN, frame.OpBinary, []byte("last"))
		for _, w := range writes {
			if err := w.returned(t); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestWriteCanceledOverTCP: with the buffers of a socket full, a message that is
// canceled before its first octet has left never arrives and hurts nobody, and one
// that is canceled in its middle ends the connection.
func TestWriteCanceledOverTCP(t *testing.T) {
	for _, others := range []int{0, 3} {
		for _, role := range []frame.Role{frame.Server, frame.Client} {
			a, b := tcpPair(t)
			a.SetWriteBuffer(16 << 10)
			x, y := mixed(others, a, b)
			c := newConn(t, x, role, conn.Handshake{}, nil)
			peer := newConn(t, y, role^frame.Client, conn.Handshake{}, &conn.Options{MaxMessageSize: conn.NoLimit})

			gone, cancel := context.WithCancelCause(t.Context())
			cancel(errWhy)
			if err := c.WriteMessage(gone, frame.OpBinary, numbered(0, 0, 0)); !errors.Is(err, errWhy) || c.Err() != nil {
				t.Fatalf("write with a context that has ended = %v; the connection: %v", err, c.Err())
			}

			ctx, cancel := context.WithCancelCause(t.Context())
			first := make(chan error, 1)
			go func() { first <- c.WriteMessage(ctx, frame.OpBinary, make([]byte, 32<<20)) }()
			waitUntilBlocked(c)
			var waiting []chan error
			for i := range others {
				err := make(chan error, 1)
				waiting = append(waiting, err)
				go func() { err <- c.WriteMessage(t.Context(), frame.OpBinary, numbered(2, i, 100)) }()
			}
			second := make(chan error, 1)
			ctx2, cancel2 := context.WithCancelCause(t.Context())
			go func() { second <- c.WriteMessage(ctx2, frame.OpBinary, numbered(3, 0, 100)) }()
			cancel2(errWhy)
			if err := <-second; !errors.Is(err, errWhy) || c.Err() != nil {
				t.Errorf("canceled while it waited: %v; the connection: %v", err, c.Err())
			}
			cancel(errWhy)
			checkEnd(t, <-first, conn.Local, frame.CloseAbnormalClosure, "", errWhy)
			for _, err := range waiting {
				checkEnd(t, <-err, conn.Local, frame.CloseAbnormalClosure, "", errWhy)
			}
			if got := <-receive(peer); len(got.messages) > 0 {
				t.Errorf("%d messages arrived", len(got.messages))
			}
		}
	}
}

// waitUntilBlocked waits until a write makes no progress.
func waitUntilBlocked(c *conn.Conn) {
	for calm, last := 0, uint64(0); calm < 1000; calm++ {
		s := c.Stats()
		if s.QueuedFrames == 0 || s.Sent.Octets != last {
			calm, last = 0, s.Sent.Octets
		}
		runtime.Gosched()
	}
}
