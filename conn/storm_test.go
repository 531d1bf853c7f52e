package conn_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
)

// stormSeed returns the seed of the random tests: another one each time, or that
// of STORM_SEED to run one again.
func stormSeed(t *testing.T) uint64 {
	seed := rand.Uint64()
	if s := os.Getenv("STORM_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("STORM_SEED=%d", seed)
	return seed
}

// padding is what numbered messages end with.
var padding = filler(1 << 20)

// numbered returns message number seq of a writer, of size octets and more.
func numbered(writer, seq, size int) []byte {
	p := make([]byte, 8, 8+size)
	binary.BigEndian.PutUint32(p, uint32(writer))
	binary.BigEndian.PutUint32(p[4:], uint32(seq))
	return append(p, padding[:size]...)
}

// stormHandshakes are what connections of the random tests have agreed on.
var stormHandshakes = []conn.Handshake{
	{},
	{Deflate: &deflate.Params{ServerMaxWindowBits: 12, ClientMaxWindowBits: 15}}, // with context takeover
	{Deflate: &deflate.Params{ServerNoContextTakeover: true, ClientNoContextTakeover: true, ServerMaxWindowBits: 15, ClientMaxWindowBits: 9}},
}

// An arrivals checks what arrives of numbered messages.
type arrivals struct {
	next  map[int]int // the lowest number that may come next from a writer
	count map[int]int
	seen  map[[2]int]bool
}

func newArrivals() *arrivals {
	return &arrivals{map[int]int{}, map[int]int{}, map[[2]int]bool{}}
}

// check checks that a message is whole and comes after those before it.
func (a *arrivals) check(t *testing.T, p []byte) {
	if len(p) < 8 || !bytes.Equal(p[8:], padding[:len(p)-8]) {
		t.Errorf("a torn message of %d octets: %s", len(p), short(p))
		return
	}
	writer, seq := int(binary.BigEndian.Uint32(p)), int(binary.BigEndian.Uint32(p[4:]))
	if seq < a.next[writer] {
		t.Errorf("message %d of writer %d came after %d", seq, writer, a.next[writer]-1)
	}
	a.next[writer] = seq + 1
	a.count[writer]++
	a.seen[[2]int{writer, seq}] = true
}

// randomSize returns 0 to 1 MiB with what numbered adds, mostly little.
func randomSize(r *rand.Rand) int {
	return min(int(1<<20>>r.IntN(21))-r.IntN(2), 1<<20-8)
}

// runStorm writes to one side from 64 goroutines, with pings and broadcasts, and
// closes it in the middle. Everything that was reported as written arrives, whole
// and in the order of its writer, and nothing else does.
func runStorm(t *testing.T, r *rand.Rand, from, to *conn.Conn) {
	const writers, each, shared = 64, 5, 1000
	var hub conn.Hub
	hub.Slow = conn.SlowDropNewest
	hub.Add(from)
	ctx := context.Background()
	fromReader := receive(from)
	var written [writers]int
	var all sync.WaitGroup
	for w := range written {
		r := rand.New(rand.NewPCG(r.Uint64(), 0))
		all.Go(func() {
			for seq := range each {
				p := numbered(w, seq, randomSize(r))
				var err error
				switch r.IntN(8) {
				case 0:
					err = writeInPieces(ctx, from, p, r)
				case 1:
					m, _ := conn.Prepare(frame.OpBinary, p)
					err = from.WritePrepared(ctx, m)
				case 2:
					from.Ping(ctx)
					fallthrough
				default:
					err = from.WriteMessage(ctx, frame.OpBinary, p)
				}
				if err != nil {
					if !errors.Is(err, net.ErrClosed) {
						t.Errorf("writer %d: %v", w, err)
					}
					return
				}
				written[w]++
			}
		})
	}
	broadcast := 0
	all.Go(func() {
		for seq := range 100 {
			m, _ := conn.Prepare(frame.OpBinary, numbered(shared, seq, 100))
			broadcast += hub.Broadcast(m, nil).Taken
			runtime.Gosched()
		}
	})
	var closed atomic.Pointer[error]
	after := r.IntN(writers * each * 3 / 2)
	a := newArrivals()
	for n := 0; ; n++ {
		if n == after {
			go func() { closed.Store(new(from.Close(4000, "enough"))) }()
		}
		_, p, err := to.ReadMessage(ctx)
		if err != nil {
			checkEnd(t, err, conn.Peer, 4000, "enough", nil)
			break
		}
		a.check(t, p)
		if n+1 == writers*each && after > n { // there may be no more
			after = n + 1
		}
	}
	all.Wait()
	<-fromReader
	for w, n := range written {
		if a.count[w] != n {
			t.Errorf("writer %d: %d messages were written, %d arrived", w, n, a.count[w])
		}
	}
	if a.count[shared] > broadcast {
		t.Errorf("%d broadcasts were taken, %d arrived", broadcast, a.count[shared])
	}
}

// writeInPieces writes a message with a MessageWriter.
func writeInPieces(ctx context.Context, c *conn.Conn, p []byte, r *rand.Rand) error {
	w, err := c.NextWriter(frame.OpBinary)
	if err != nil {
		return err
	}
	for len(p) > 0 {
		n := 1 + r.IntN(len(p))
		if _, err := w.Write(ctx, p[:n]); err != nil {
			return err
		}
		p = p[n:]
		if r.IntN(2) == 0 {
			if err := w.Flush(ctx); err != nil {
				return err
			}
		}
	}
	return w.Close(ctx)
}

// TestStorm: P1, on a socket and in memory, in both roles.
func TestStorm(t *testing.T) {
	seed := stormSeed(t)
	for _, role := range []frame.Role{frame.Server, frame.Client} {
		t.Run("TCP/"+role.String(), func(t *testing.T) {
			before := runtime.NumGoroutine()
			for i := range stormHandshakes {
				a, b := tcpPair(t)
				x, y := mixed(i, a, b)
				h := stormHandshakes[i]
				runStorm(t, rand.New(rand.NewPCG(seed, uint64(i))), newConn(t, x, role, h, nil), newConn(t, y, role^frame.Client, h, nil))
			}
			waitForGoroutines(t, before)
		})
		t.Run("pipe/"+role.String(), func(t *testing.T) {
			for i := range stormHandshakes {
				synctest.Test(t, func(t *testing.T) {
					a, b := conntest.Pipe(10 << 10)
					h := stormHandshakes[i]
					runStorm(t, rand.New(rand.NewPCG(seed, uint64(i))), newConn(t, a, role, h, nil), newConn(t, b, role^frame.Client, h, nil))
				})
			}
		})
	}
}

// waitForGoroutines waits until there are no more goroutines than before.
func waitForGoroutines(t *testing.T, before int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			t.Errorf("%d goroutines are left over", runtime.NumGoroutine()-before)
			return
		}
		runtime.Gosched()
	}
}

// runChaos has both sides write, ping, cancel, broadcast and close at random. The
// pauses are made by pause.
func runChaos(t *testing.T, seed, round uint64, a, b io.ReadWriteCloser, pause func(r *rand.Rand)) {
	r := rand.New(rand.NewPCG(seed, round))
	queue := 1 + r.IntN(5)
	var ends [2]atomic.Int32
	var sides [2]*conn.Conn
	for i, rwc := range []io.ReadWriteCloser{a, b} {
		sides[i] = conn.New(rwc, frame.Role(i), stormHandshakes[round%3], &conn.Options{
			MaxQueuedFrames: queue,
			Hooks:           &conn.Hooks{OnClose: func(*conn.Conn, *conn.CloseError) { ends[i].Add(1) }},
		})
	}
	var all sync.WaitGroup
	start := func(f func(r *rand.Rand)) {
		r := rand.New(rand.NewPCG(r.Uint64(), 0))
		all.Go(func() {
			pause(r)
			f(r)
		})
	}
	for i, c := range sides {
		var mu sync.Mutex
		unwritten := map[[2]int]bool{} // messages whose error says that they were not sent
		arrived := newArrivals()
		for w := range 3 {
			start(func(r *rand.Rand) {
				for seq := range 6 {
					ctx, cancel := context.WithCancelCause(context.Background())
					if r.IntN(2) == 0 {
						if r.IntN(2) == 0 {
							cancel(errWhy)
						} else {
							r := rand.New(rand.NewPCG(r.Uint64(), 0))
							all.Go(func() { pause(r); cancel(errWhy) })
						}
					}
					err := c.WriteMessage(ctx, frame.OpBinary, numbered(w, seq, r.IntN(3000)))
					if _, ended := errors.AsType[*conn.CloseError](err); err != nil && !ended && !errors.Is(err, conn.ErrStillSent) {
						if !errors.Is(err, errWhy) && !errors.Is(err, net.ErrClosed) {
							t.Errorf("WriteMessage = %v", err)
						}
						mu.Lock()
						unwritten[[2]int{w, seq}] = true
						mu.Unlock()
					}
					cancel(nil)
					pause(r)
				}
			})
		}
		start(func(r *rand.Rand) {
			ctx, cancel := context.WithCancel(context.Background())
			all.Go(func() { pause(r); cancel() })
			c.Ping(ctx)
		})
		start(func(r *rand.Rand) {
			pause(r)
			switch r.IntN(3) {
			case 0:
				c.CloseNow()
			default:
				c.Close(frame.CloseNormalClosure, "done")
			}
		})
		all.Go(func() {
			other := sides[1-i]
			for {
				_, p, err := other.ReadMessage(context.Background())
				if err != nil {
					break
				}
				arrived.check(t, p)
			}
			// Nothing but the end of the connection ends it: no message is broken.
			if e, ok := errors.AsType[*conn.CloseError](other.Err()); ok && (e.Code == frame.CloseProtocolError || e.Code == frame.CloseInvalidFramePayloadData) {
				t.Errorf("the connection failed: %v", e)
			}
			<-c.Done()
			mu.Lock()
			defer mu.Unlock()
			for m := range arrived.seen {
				if unwritten[m] {
					t.Errorf("message %v arrived although its write was canceled", m)
				}
			}
		})
	}
	all.Wait()
	for i, c := range sides {
		<-c.Done()
		if n := ends[i].Load(); n != 1 || c.State() != conn.StateClosed {
			t.Errorf("OnClose was called %d times, state %v", n, c.State())
		}
		if err := c.WriteMessage(context.Background(), frame.OpText, nil); err != c.Err() || err == nil {
			t.Errorf("WriteMessage after the end = %v, want %v", err, c.Err())
		}
	}
}

// TestChaos: P2, thousands of schedules in memory and hundreds on a socket.
// Nothing hangs, which in a bubble is a failure, and nothing is left.
func TestChaos(t *testing.T) {
	seed := stormSeed(t)
	t.Run("pipe", func(t *testing.T) {
		for round := range uint64(2000) {
			synctest.Test(t, func(t *testing.T) {
				a, b := conntest.Pipe(1 << (4 + round%10))
				runChaos(t, seed, round, a, b, func(r *rand.Rand) {
					if n := r.IntN(5); n > 0 {
						time.Sleep(time.Duration(n) * time.Millisecond)
					}
				})
			})
			if t.Failed() {
				t.Fatalf("in round %d", round)
			}
		}
	})
	t.Run("TCP", func(t *testing.T) {
		before := runtime.NumGoroutine()
		for round := range uint64(300) {
			a, b := tcpPair(t)
			a.SetWriteBuffer(4096)
			x, y := mixed(int(round), a, b)
			runChaos(t, seed, round, x, y, func(r *rand.Rand) {
				for range r.IntN(20) {
					runtime.Gosched()
				}
			})
			if t.Failed() {
				t.Fatalf("in round %d", round)
			}
		}
		waitForGoroutines(t, before)
	})
}
