package conn_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

// inUse returns the octets of live heap and of stacks.
func inUse() (heap, stacks int64) {
	var m runtime.MemStats
	for range 3 { // pools keep what they hold for two cycles
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc), int64(m.StackInuse)
}

// idleFactor is how many times as much memory all takes in this build.
var idleFactor int64 = 2

// checkIdle checks that an idle connection takes no more than so many octets of heap
// and stack. Where a machine has much to do it may interrupt many goroutines deep in
// their stacks, which grow then: so it may take three attempts.
func checkIdle(t *testing.T, ceiling int64, serve func(l net.Listener, ended chan<- error)) {
	ceiling *= idleFactor
	takes := ceiling + 1
	for attempts := 3; attempts > 0 && takes > ceiling; attempts-- {
		takes = measureIdle(t, serve)
	}
	if conn.CanPoll && takes > ceiling {
		t.Errorf("an idle connection takes %d octets, want %d at most", takes, ceiling)
	}
}

// measureIdle has idle connections made, each of which has echoed a message, and
// returns how many octets of heap and stack it takes while the next is awaited,
// including those of its other end.
func measureIdle(t *testing.T, serve func(l net.Listener, ended chan<- error)) (takes int64) {
	const conns = 500
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, conns)
	go serve(l, ended)
	request, err := handshake.AppendRequest(nil, &handshake.Offer{
		Target: "/a/path?and=query",
		Host:   "example.com",
		Key:    handshake.NewKey(),
		Extra:  handshake.Lines(http.Header{"Cookie": {strings.Repeat("c", 7000)}}),
	})
	if err != nil {
		t.Fatal(err)
	}
	message := encode(t, frame.Client, frame.FIN, frame.OpBinary, filler(125))
	dial := func() net.Conn {
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		nc.Write(request)
		readHead(t, nc)
		nc.Write(message)
		if _, err := io.ReadFull(nc, make([]byte, 2+125)); err != nil {
			t.Fatal(err)
		}
		return nc
	}
	defer dial().Close() // what is set up once is set up
	heap, stacks := inUse()
	peers := make([]net.Conn, conns)
	for i := range peers {
		peers[i] = dial()
	}
	heap2, stacks2 := inUse()
	each, stack := (heap2-heap)/conns, (stacks2-stacks)/conns
	t.Logf("an idle connection takes %d octets of heap and %d of stack", each, stack)
	for _, p := range peers {
		p.Close()
	}
	for range peers {
		<-ended
	}
	l.Close()
	return each + stack
}

// What idle connections take when they are served in each of the ways there are.
// The other end takes some 300 octets of heap.
func TestIdleMemory(t *testing.T) {
	echo := func(ended chan<- error) func(*conn.Conn) {
		return func(c *conn.Conn) {
			for {
				op, p, err := c.ReadMessage(context.Background())
				if err == nil {
					err = c.WriteMessage(context.Background(), op, p)
				}
				if err != nil {
					ended <- err
					return
				}
			}
		}
	}
	t.Run("Server", func(t *testing.T) {
		checkIdle(t, 4500, func(l net.Listener, ended chan<- error) {
			s := &conn.Server{Handler: echo(ended)}
			s.Serve(l)
		})
	})
	t.Run("Server over net-http", func(t *testing.T) {
		checkIdle(t, 5000, func(l net.Listener, ended chan<- error) {
			http.Serve(l, &conn.Server{Handler: echo(ended)})
		})
	})
	t.Run("Accept", func(t *testing.T) {
		checkIdle(t, 5000, func(l net.Listener, ended chan<- error) {
			http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if c, err := conn.Accept(w, r, nil); err == nil {
					go echo(ended)(c)
				}
			}))
		})
	})
	t.Run("event-driven", func(t *testing.T) {
		checkIdle(t, 1600, func(l net.Listener, ended chan<- error) {
			s := &conn.Server{
				EventDriven: true,
				OnMessage:   func(c *conn.Conn, m conn.Message) { c.WriteMessage(context.Background(), m.Opcode, m.Payload) },
				Options: &conn.AcceptOptions{Options: conn.Options{Hooks: &conn.Hooks{
					OnClose: func(_ *conn.Conn, err *conn.CloseError) { ended <- err },
				}}},
			}
			s.Serve(l)
		})
	})
}

// checkMemory checks the memory that do leaves in use.
func checkMemory(t *testing.T, ceiling int64, do func()) {
	t.Helper()
	before, _ := inUse()
	do()
	after, _ := inUse()
	t.Logf("%d octets of heap", after-before)
	if after-before > ceiling {
		t.Errorf("%d octets of heap are in use, want %d at most", after-before, ceiling)
	}
}

// TestAnnouncedLengthTakesNoMemory: whatever a header says, memory follows what
// has arrived.
func TestAnnouncedLengthTakesNoMemory(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, &conn.Options{MaxMessageSize: conn.NoLimit, StallTimeout: conn.NoLimit, PingInterval: conn.NoLimit})
		receive(c)
		synctest.Wait()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		before := m.TotalAlloc
		h := frame.Header{Flags: frame.FIN, Opcode: frame.OpBinary, Length: 1 << 40}
		if p.role == frame.Client {
			h.Flags |= frame.MASK
		}
		b, err := h.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		p.write(append(b, make([]byte, 100)...))
		synctest.Wait()
		runtime.ReadMemStats(&m)
		if n := m.TotalAlloc - before; n > 128<<10 {
			t.Errorf("100 octets of a message of 2^40 took %d octets", n)
		}
	})
}

// TestUnfinishedMessageMemory: an unfinished message takes no more than its limit,
// a read buffer and the pipe, in however many fragments it comes.
func TestUnfinishedMessageMemory(t *testing.T) {
	const limit = 1 << 20
	for _, size := range []int{limit - 1, 64 << 10, 100} {
		bothRoles(t, func(t *testing.T, role frame.Role) {
			c, p := openPipe(t, role, conn.Handshake{}, nil, 4096)
			payload := make([]byte, size)
			checkMemory(t, limit+96<<10, func() {
				receive(c)
				op := frame.OpBinary
				for sent := size; sent < limit; sent += size {
					p.sendFrame(0, op, payload)
					op = frame.OpContinuation
				}
				synctest.Wait()
			})
		})
	}
}

// TestPingFloodMemory: pongs for a peer that hardly reads take no memory.
func TestPingFloodMemory(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openPipe(t, role, conn.Handshake{}, &conn.Options{PingInterval: conn.NoLimit}, 4096)
		big := startWriting(t, c, filler(1<<20))
		checkMemory(t, 256<<10, func() {
			receive(c)
			ping := encode(t, p.role, frame.FIN, frame.OpPing, filler(125))
			for second := range 40 {
				if second%8 == 0 {
					io.ReadFull(p.End, make([]byte, 1100))
				}
				for range 900 {
					p.write(ping)
				}
				time.Sleep(time.Second)
			}
		})
		if !big.blocked() {
			t.Fatal("the write to a full pipe returned")
		}
		if err := c.Err(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestSlowReaderMemory: what is broadcast to a connection that does not take it is
// held up to the limit, in buffers that grow by four.
func TestSlowReaderMemory(t *testing.T) {
	for _, policy := range []conn.SlowPolicy{conn.SlowDropNewest, conn.SlowDropOldest} {
		t.Run(policy.String(), func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				const size, queue = 1000, 100 << 10
				hub := conn.Hub{Slow: policy}
				a, b := conntest.Pipe(4096)
				c := newConn(t, a, role, conn.Handshake{}, &conn.Options{
					MaxQueuedSize: queue, WriteTimeout: conn.NoLimit, PingInterval: conn.NoLimit,
				})
				hub.Add(c)
				checkMemory(t, 10*queue, func() {
					for range 5000 {
						m, err := conn.Prepare(frame.OpBinary, make([]byte, size))
						if err != nil {
							t.Fatal(err)
						}
						hub.Broadcast(m, nil)
					}
				})
				if s := c.Stats(); s.QueuedOctets > queue {
					t.Errorf("%d octets are queued, want %d at most", s.QueuedOctets, queue)
				}
				b.Reset()
			})
		})
	}
}
