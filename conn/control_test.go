package conn_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// expectPing reads the next frame, which has to be a ping, and returns its
// payload.
func (p *peer) expectPing() []byte {
	p.t.Helper()
	h, payload, err := p.next()
	if err != nil || h.Opcode != frame.OpPing {
		p.t.Fatalf("peer received %v, %v; want a ping", h.Opcode, err)
	}
	return payload
}

// pong answers a ping.
func (p *peer) pong(payload []byte) {
	p.t.Helper()
	p.sendFrame(frame.FIN, frame.OpPong, payload)
}

// pinging is the result of a Ping on another goroutine.
type pinging struct {
	rtt time.Duration
	err error
}

func pingIt(c *conn.Conn, ctx context.Context) <-chan pinging {
	ch := make(chan pinging, 1)
	go func() {
		rtt, err := c.Ping(ctx)
		ch <- pinging{rtt, err}
	}()
	return ch
}

func TestPing(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		var rtts []time.Duration
		c, p := open(t, role, &conn.Options{Hooks: &conn.Hooks{
			OnPong: func(_ *conn.Conn, rtt time.Duration) { rtts = append(rtts, rtt) },
		}})
		r := receive(c)
		first := pingIt(c, t.Context())
		one := p.expectPing()
		time.Sleep(time.Second)
		second := pingIt(c, t.Context())
		two := p.expectPing()
		if bytes.Equal(one, two) {
			t.Errorf("two pings with payload %x", one)
		}
		p.pong(nil)                                        // of nothing
		p.pong([]byte("\xff\xff\xff\xff\xff\xff\xff\xff")) // of no ping
		p.pong(append(one, 0))
		time.Sleep(time.Second)
		p.pong(two) // overtakes
		if got := <-second; got != (pinging{rtt: time.Second}) {
			t.Errorf("second Ping = %+v, want 1s", got)
		}
		time.Sleep(time.Second)
		p.pong(one)
		if got := <-first; got != (pinging{rtt: 3 * time.Second}) {
			t.Errorf("first Ping = %+v, want 3s", got)
		}
		p.pong(one) // again
		p.closes(frame.CloseNormalClosure, "")
		<-r
		if diff := cmp.Diff([]time.Duration{time.Second, 3 * time.Second}, rtts); diff != "" {
			t.Errorf("OnPong mismatch (-want +got):\n%s", diff)
		}
	})
}

// A pong is seen only by a reader; without one the error says so.
func TestPingNoReader(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errTest)
		defer cancel()
		ping := pingIt(c, ctx)
		p.pong(p.expectPing())
		if got := <-ping; !errors.Is(got.err, conn.ErrNoReader) || !errors.Is(got.err, errTest) {
			t.Errorf("Ping without a reader = %+v, want ErrNoReader and the cause", got)
		}

		r := receive(c)
		ctx, cancel = context.WithTimeoutCause(t.Context(), time.Second, errTest)
		defer cancel()
		ping = pingIt(c, ctx)
		p.expectPing()
		if got := <-ping; errors.Is(got.err, conn.ErrNoReader) || !errors.Is(got.err, errTest) {
			t.Errorf("Ping without a pong = %+v, want the cause alone", got)
		}

		ping = pingIt(c, t.Context())
		p.expectPing()
		p.closes(frame.CloseGoingAway, "")
		if got := <-ping; got.err != c.Err() || !errors.Is(got.err, net.ErrClosed) {
			t.Errorf("Ping at the end = %+v, want %v", got, c.Err())
		}
		<-r
	})
}

// While the write side is blocked only the newest pong is kept (Section 5.5.3).
func TestPongBlocked(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openPipe(t, role, conn.Handshake{}, nil, 64)
		receive(c)
		long := make([]byte, 1000)
		go c.WriteMessage(t.Context(), frame.OpBinary, long)
		time.Sleep(time.Second)
		for i := range 100 {
			p.sendFrame(frame.FIN, frame.OpPing, []byte{byte(i)})
			synctest.Wait()
		}
		if s := c.Stats(); s.QueuedFrames != 2 {
			t.Errorf("Stats = %+v, want the message and one pong queued", s)
		}
		p.expectFrame(frame.FIN, frame.OpBinary, long)
		p.expect("8a01:63")
		p.send("8901:64")
		p.expect("8a01:64")
		p.expectNothing()
	})
}

// Pings that come faster than they can be answered do not pile up.
func TestPongFlood(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openPipe(t, role, conn.Handshake{}, &conn.Options{MaxControlRate: conn.NoLimit}, 1<<10)
		receive(c)
		payload := bytes.Repeat([]byte{0xfe}, 117)
		for i := range 50_000 { // 6 MiB
			p.sendFrame(frame.FIN, frame.OpPing, binary.BigEndian.AppendUint64(payload, uint64(i)))
		}
		synctest.Wait()
		// Of those being written and of those behind them there are 64 at most.
		if s := c.Stats(); s.QueuedOctets > 2*64*(frame.MaxHeaderSize+125) {
			t.Errorf("%d octets wait for a peer that does not read", s.QueuedOctets)
		}
		last := uint64(0)
		for last != 49_999 {
			h, got, err := p.next()
			if err != nil || h.Opcode != frame.OpPong || len(got) != 125 || !bytes.Equal(got[:117], payload) {
				t.Fatalf("peer received %v %x, %v; want a pong", h.Opcode, got, err)
			}
			n := binary.BigEndian.Uint64(got[117:])
			if n < last {
				t.Fatalf("pong %d behind pong %d", n, last)
			}
			last = n
		}
	})
}

// The heartbeat of a server by default, and of a client that wants one: a ping 25
// seconds after the handshake, and the end 20 seconds after a ping without an
// answer.
func TestHeartbeat(t *testing.T) {
	type event struct {
		at   time.Duration
		send string // by the peer; "pong" answers the last ping
	}
	second := time.Second
	tests := []struct {
		name    string
		options conn.Options
		events  []event
		pings   []time.Duration // when pings come
		end     time.Duration   // when the connection has ended
	}{
		{name: "no answer", pings: []time.Duration{25 * second}, end: 45 * second},
		{name: "answers at once", events: []event{{25 * second, "pong"}, {50 * second, "pong"}},
			pings: []time.Duration{25 * second, 50 * second, 75 * second}, end: 95 * second},
		{name: "answer in time", events: []event{{44 * second, "pong"}},
			pings: []time.Duration{25 * second, 50 * second}, end: 70 * second},
		{name: "answer late", events: []event{{46 * second, "pong"}}, pings: []time.Duration{25 * second}, end: 45 * second},
		{name: "any octet is an answer", events: []event{{30 * second, "8105:48656c6c6f"}, {51 * second, "8a00:"}},
			pings: []time.Duration{25 * second, 50 * second, 75 * second}, end: 95 * second},
		{name: "octets before the ping are none", events: []event{{24 * second, "8105:48656c6c6f"}},
			pings: []time.Duration{25 * second}, end: 45 * second},
		{name: "own times", options: conn.Options{PingInterval: 10 * second, PongTimeout: 3 * second}, events: []event{{11 * second, "pong"}},
			pings: []time.Duration{10 * second, 20 * second}, end: 23 * second},
		{name: "more patience than interval", options: conn.Options{PingInterval: 10 * second, PongTimeout: 15 * second},
			events: []event{{24 * second, "pong"}, {26 * second, "8100:"}},
			pings:  []time.Duration{10 * second, 20 * second, 30 * second, 40 * second}, end: 45 * second},
		{name: "an octet answers the pings before it alone", options: conn.Options{PingInterval: 10 * second, PongTimeout: 35 * second},
			events: []event{{35 * second, "8100:"}},
			pings:  []time.Duration{10 * second, 20 * second, 30 * second, 40 * second, 50 * second, 60 * second, 70 * second}, end: 75 * second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				if role == frame.Client && tt.options.PingInterval == 0 {
					tt.options.PingInterval = 25 * second
				}
				c, p := open(t, role, &tt.options)
				r := receive(c)
				start := time.Now()
				var last []byte
				for _, e := range tt.events {
					time.AfterFunc(e.at, func() {
						synctest.Wait() // pings of the same instant come first
						if e.send == "pong" {
							p.Write(encode(t, p.role, frame.FIN, frame.OpPong, last))
						} else {
							p.Write(wire(t, p.role, e.send))
						}
					})
				}
				var pings []time.Duration
				for {
					h, payload, err := p.next()
					if err != nil {
						break
					}
					if h.Opcode == frame.OpPing {
						pings = append(pings, time.Since(start))
						last = payload
					}
				}
				if diff := cmp.Diff(tt.pings, pings); diff != "" {
					t.Errorf("pings mismatch (-want +got):\n%s", diff)
				}
				got := <-r
				checkEnd(t, got.err, conn.Network, frame.CloseAbnormalClosure, "", conn.ErrPongTimeout)
				if got.took != tt.end {
					t.Errorf("ended after %v, want %v", got.took, tt.end)
				}
				time.Sleep(time.Minute) // for what the peer would still have sent
			})
		})
	}
}

// Without a heartbeat, as a client is by default, nothing is sent and silence is
// no end.
func TestHeartbeatOff(t *testing.T) {
	tests := map[string]struct {
		role    frame.Role
		options *conn.Options
	}{
		"client by default": {role: frame.Client},
		"client":            {role: frame.Client, options: &conn.Options{PingInterval: conn.NoLimit}},
		"server":            {role: frame.Server, options: &conn.Options{PingInterval: conn.NoLimit}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, p := open(t, tt.role, tt.options)
				r := receive(c)
				time.Sleep(12 * time.Hour)
				p.expectNothing()
				p.closes(frame.CloseNormalClosure, "")
				<-r
			})
		})
	}
}

// With PongTimeout off a server pings, and silence is no end.
func TestHeartbeatNoTimeout(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, &conn.Options{PingInterval: time.Minute, PongTimeout: conn.NoLimit})
		r := receive(c)
		start := time.Now()
		for i := range 100 {
			p.expectPing()
			if at := time.Since(start); at != time.Duration(i+1)*time.Minute {
				t.Fatalf("ping %d after %v", i, at)
			}
		}
		p.closes(frame.CloseNormalClosure, "")
		<-r
	})
}

// A peer is not taken for dead while nobody reads, whether it answers or not.
// The log says that nobody reads.
func TestHeartbeatDeaf(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		for _, answers := range []bool{true, false} {
			var log bytes.Buffer
			c, p := open(t, role, &conn.Options{
				PingInterval: 25 * time.Second,
				Logger:       slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})),
			})
			ping := p.expectPing()
			if answers {
				p.pong(ping)
			}
			time.Sleep(10*time.Minute + time.Second)
			synctest.Wait()
			if c.Err() != nil {
				t.Fatalf("ended with %v while nobody read", c.Err())
			}
			if log.Len() == 0 {
				t.Error("nothing in the log")
			}
			start := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, _, err := c.ReadMessage(ctx)
			if took := time.Since(start); answers {
				p.expectPing()
			} else if !errors.Is(err, conn.ErrPongTimeout) || took > 40*time.Second {
				t.Errorf("ReadMessage = %v after %v, want ErrPongTimeout within twice the time", err, took)
			}
		}
	})
}

// A handler that takes longer than the heartbeat allows, again and again, is no
// dead peer.
func TestHeartbeatSlowHandler(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openPipe(t, role, conn.Handshake{}, &conn.Options{PingInterval: 25 * time.Second}, 1<<20)
		go func() {
			for {
				h, payload, err := p.next()
				if err != nil {
					return
				}
				if h.Opcode == frame.OpPing {
					p.Write(encode(t, p.role, frame.FIN, frame.OpPong, payload))
				}
			}
		}()
		for range 100 {
			p.sendText("work")
		}
		for range 100 {
			checkRead(t, c, frame.OpText, "work")
			time.Sleep(50 * time.Second)
		}
		c.CloseNow()
		synctest.Wait()
	})
}

// The heartbeat ends with the connection being closed.
func TestHeartbeatClosing(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, &conn.Options{PingInterval: 25 * time.Second, CloseTimeout: time.Hour})
		time.Sleep(24 * time.Second)
		end := closeIt(c, frame.CloseNormalClosure, "")
		p.expectClose(frame.CloseNormalClosure, "")
		time.Sleep(10 * time.Minute)
		p.expectNothing()
		p.sendClose(frame.CloseNormalClosure, "")
		p.hangsUp()
		checkClosing(t, <-end, nil, 10*time.Minute)
	})
}
