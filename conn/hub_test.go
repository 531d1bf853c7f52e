package conn_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
)

// prepare is conn.Prepare of a text.
func prepare(t testing.TB, s string) *conn.Prepared {
	t.Helper()
	m, err := conn.Prepare(frame.OpText, []byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// checkMembers compares the members of a hub with what is wanted, in any order.
func checkMembers(t *testing.T, h *conn.Hub, want ...*conn.Conn) {
	t.Helper()
	got := slices.Collect(h.All())
	if len(got) != len(want) || h.Len() != len(want) {
		t.Errorf("the hub has %d members, Len %d; want %d", len(got), h.Len(), len(want))
	}
	for _, c := range want {
		if !slices.Contains(got, c) {
			t.Errorf("%v is not in the hub", c)
		}
	}
}

// TestHubMembers: connections are in a hub until they are taken out or end.
func TestHubMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h, other conn.Hub
		checkMembers(t, &h)
		a, _ := open(t, frame.Server, nil)
		b, _ := open(t, frame.Server, nil)
		c, _ := open(t, frame.Client, nil)
		for _, m := range []*conn.Conn{a, b, c, b} {
			h.Add(m)
		}
		other.Add(b)
		checkMembers(t, &h, a, b, c)
		h.Remove(a)
		h.Remove(a)
		checkMembers(t, &h, b, c)
		b.CloseNow()
		<-b.Done()
		checkMembers(t, &h, c)
		checkMembers(t, &other)
		h.Add(b) // it has ended
		checkMembers(t, &h, c)
		h.Add(a)
		checkMembers(t, &h, a, c)
	})
}

// TestHubAllSnapshot: who comes and goes meanwhile does not disturb a walk.
func TestHubAllSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h conn.Hub
		var members []*conn.Conn
		for range 5 {
			c, _ := open(t, frame.Server, nil)
			members = append(members, c)
			h.Add(c)
		}
		var seen []*conn.Conn
		for c := range h.All() {
			seen = append(seen, c)
			h.Remove(c)
			h.Add(members[0])
		}
		if !slices.Equal(seen, members) {
			t.Errorf("saw %d members, want each of %d once", len(seen), len(members))
		}
		for range h.All() {
			break
		}
	})
}

// TestBroadcast: each member that is asked for gets the message, in both roles.
func TestBroadcast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h conn.Hub
		a, ap := open(t, frame.Server, nil)
		b, bp := open(t, frame.Client, nil)
		c, cp := open(t, frame.Server, nil)
		for _, m := range []*conn.Conn{a, b, c} {
			h.Add(m)
		}
		d := h.Broadcast(prepare(t, "hello"), func(m *conn.Conn) bool { return m != c })
		if diff := cmp.Diff(conn.Delivery{Taken: 2}, d); diff != "" {
			t.Errorf("Delivery (-want +got):\n%s", diff)
		}
		for i := range 5 {
			h.Broadcast(prepare(t, fmt.Sprint(i)), nil)
		}
		ap.expectText("hello")
		bp.expectText("hello")
		for _, p := range []*peer{ap, bp, cp} {
			for i := range 5 {
				p.expectText(fmt.Sprint(i))
			}
		}
	})
}

// TestBroadcastSlow: a member that does not read is treated by the policy, and
// does not hold up the others or the broadcaster.
func TestBroadcastSlow(t *testing.T) {
	const queue = 10 // messages that wait
	tests := []struct {
		policy conn.SlowPolicy
		want   conn.Delivery // of 20 messages
		came   []int         // those that the slow one reads in the end, after those that filled the pipe
		closes bool
	}{
		{policy: conn.SlowClose, want: conn.Delivery{Taken: 20 + queue, Closed: 1, Ended: 9}, closes: true},
		{policy: conn.SlowDropNewest, want: conn.Delivery{Taken: 20 + queue, Dropped: 10}, came: []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{policy: conn.SlowDropOldest, want: conn.Delivery{Taken: 20 + 20, Dropped: 10}, came: []int{0, 11, 12, 13, 14, 15, 16, 17, 18, 19}},
	}
	for _, tt := range tests {
		t.Run(tt.policy.String(), func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				h := conn.Hub{Slow: tt.policy}
				o := &conn.Options{MaxQueuedFrames: queue, WriteTimeout: conn.NoLimit, PingInterval: conn.NoLimit}
				slow, slowPeer := openPipe(t, role, conn.Handshake{}, o, 100)
				fast, fastPeer := open(t, role, o)
				h.Add(slow)
				h.Add(fast)
				filling := string(filler(100 - 2 - 4*int(role)))
				slow.WriteMessage(t.Context(), frame.OpText, []byte(filling)) // the pipe is full
				start := time.Now()
				var d conn.Delivery
				for i := range 20 {
					one := h.Broadcast(prepare(t, fmt.Sprint(i)), nil)
					if one.Taken+one.Closed+one.Ended > 2 {
						t.Errorf("Delivery for 2 members: %+v", one)
					}
					d.Taken += one.Taken
					d.Closed += one.Closed
					d.Dropped += one.Dropped
					d.Ended += one.Ended
					fastPeer.expectText(fmt.Sprint(i))
					synctest.Wait()
				}
				if diff := cmp.Diff(tt.want, d); diff != "" {
					t.Errorf("Delivery (-want +got):\n%s", diff)
				}
				if took := time.Since(start); took != 0 {
					t.Errorf("the broadcasts took %v", took)
				}
				slowPeer.expectText(filling)
				if tt.closes {
					slowPeer.expectText("0") // was on its way
					slowPeer.expectClose(frame.ClosePolicyViolation, "")
					slowPeer.sendClose(frame.ClosePolicyViolation, "")
					_, _, err := slow.ReadMessage(t.Context())
					checkEnd(t, err, conn.Local, frame.ClosePolicyViolation, "", conn.ErrSlowConsumer)
					return
				}
				for _, i := range tt.came {
					slowPeer.expectText(fmt.Sprint(i))
				}
				slowPeer.expectNothing()
			})
		})
	}
}

// TestSlowCloseNeedsNoReader: a slow member whose handler does not read either is
// gone after Options.CloseTimeout.
func TestSlowCloseNeedsNoReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h conn.Hub
		c, _ := openPipe(t, frame.Server, conn.Handshake{}, &conn.Options{MaxQueuedFrames: 1}, 10)
		h.Add(c)
		start := time.Now()
		for range 3 {
			h.Broadcast(prepare(t, string(filler(100))), nil)
		}
		<-c.Done()
		checkEnd(t, c.Err(), conn.Local, frame.ClosePolicyViolation, "", conn.ErrSlowConsumer)
		if d := time.Since(start); d != 5*time.Second {
			t.Errorf("it ended after %v, want 5s", d)
		}
		checkMembers(t, &h)
	})
}

// TestBroadcastInsideMessage: broadcasts wait for the end of a message in
// fragments, in their order, and for nothing else.
func TestBroadcastInsideMessage(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		var h conn.Hub
		c, p := open(t, role, nil)
		h.Add(c)
		w, err := c.NextWriter(frame.OpBinary)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(t.Context(), []byte("one"))
		h.Broadcast(prepare(t, "before"), nil)
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			if d := h.Broadcast(prepare(t, fmt.Sprint(i)), nil); d.Taken != 1 {
				t.Errorf("Delivery = %+v, want 1 taken", d)
			}
		}
		direct := startWriting(t, c, []byte("direct"))
		p.expectText("before")
		p.expectFrame(0, frame.OpBinary, []byte("one"))
		p.expectNothing()
		w.Write(t.Context(), []byte("two"))
		if err := w.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.expectFrame(frame.FIN, frame.OpContinuation, []byte("two"))
		for i := range 3 {
			p.expectText(fmt.Sprint(i))
		}
		p.expectFrame(frame.FIN, frame.OpBinary, []byte("direct"))
		if err := direct.returned(t); err != nil {
			t.Errorf("WriteMessage = %v", err)
		}
	})
}

// TestHubShutdown: what was queued arrives before the 1001.
func TestHubShutdown(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		var h conn.Hub
		const members = 5
		var peers []*peer
		for range members {
			c, p := openPipe(t, role, conn.Handshake{}, nil, 100)
			h.Add(c)
			receive(c)
			peers = append(peers, p)
		}
		for i := range 20 {
			h.Broadcast(prepare(t, fmt.Sprint(i, " ", string(filler(30)))), nil)
		}
		for _, p := range peers {
			go func() {
				time.Sleep(time.Second)
				for i := range 20 {
					p.expectText(fmt.Sprint(i, " ", string(filler(30))))
				}
				p.expectClose(frame.CloseGoingAway, "")
				p.sendClose(frame.CloseGoingAway, "")
				if p.role == frame.Client {
					p.expectEOF()
				}
				p.Close()
			}()
		}
		got, err := h.Shutdown(t.Context())
		if diff := cmp.Diff(conn.Shutdown{Clean: members}, got); diff != "" || err != nil {
			t.Errorf("Shutdown = %v (-want +got):\n%s", err, diff)
		}
		checkMembers(t, &h)
		synctest.Wait()
	})
}

// TestHubShutdownReports: what peers did not take is counted, and CloseTimeout is
// the limit.
func TestHubShutdownReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h conn.Hub
		for _, buffer := range []int{10, 1000} {
			c, _ := openPipe(t, frame.Server, conn.Handshake{}, nil, buffer)
			h.Add(c)
		}
		h.Broadcast(prepare(t, string(filler(100))), nil)
		h.Broadcast(prepare(t, string(filler(100))), nil)
		synctest.Wait()
		start := time.Now()
		got, err := h.Shutdown(t.Context())
		// Of 204 octets of messages and 4 of a Close frame 10 left.
		if diff := cmp.Diff(conn.Shutdown{Cut: 2, Frames: 3, Octets: 198}, got); diff != "" || err != nil {
			t.Errorf("Shutdown = %v (-want +got):\n%s", err, diff)
		}
		if d := time.Since(start); d != 5*time.Second {
			t.Errorf("Shutdown took %v, want 5s", d)
		}
	})
}

// TestHubShutdownDeaf: peers that close first, and then do not read what is queued
// for them, are cut.
func TestHubShutdownDeaf(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		var h conn.Hub
		c, p := openPipe(t, role, conn.Handshake{}, nil, 10)
		h.Add(c)
		receive(c)
		h.Broadcast(prepare(t, string(filler(100))), nil)
		p.sendClose(frame.CloseNormalClosure, "")
		synctest.Wait()
		got, err := h.Shutdown(t.Context())
		if got.Cut != 1 || got.Clean != 0 || got.Frames != 2 || err != nil {
			t.Errorf("Shutdown = %+v, %v; want 1 cut with 2 frames", got, err)
		}
		checkEnd(t, c.Err(), conn.Peer, frame.CloseNormalClosure, "", conn.ErrCloseTimeout)
	})
}

// TestHubShutdownContext: when the context ends, everybody is cut off.
func TestHubShutdownContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h conn.Hub
		for range 3 {
			c, _ := open(t, frame.Server, nil)
			h.Add(c)
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errWhy)
		defer cancel()
		start := time.Now()
		got, err := h.Shutdown(ctx)
		if !errors.Is(err, errWhy) || got.Cut != 3 || time.Since(start) != time.Second {
			t.Errorf("Shutdown = %+v, %v after %v; want 3 cut and the cause after 1s", got, err, time.Since(start))
		}
	})
}

// TestHubShutdownHandshake: a connection whose handshake is being answered is
// waited for as long as the context allows, and closed like the others.
func TestHubShutdownHandshake(t *testing.T) {
	// begin leaves a handshake in the middle of its response.
	begin := func(t *testing.T, h *conn.Hub) (*peer, <-chan *conn.Conn) {
		end, p := newPeer(t, frame.Server, 10)
		accepted := make(chan *conn.Conn, 1)
		go func() {
			c, _ := conn.AcceptConn(t.Context(), end, &conn.AcceptOptions{Hub: h})
			if c != nil {
				c.Discard(t.Context())
			}
			accepted <- c
		}()
		p.write([]byte(upgradeRequest))
		synctest.Wait()
		return p, accepted
	}
	t.Run("waited for", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var h conn.Hub
			p, accepted := begin(t, &h)
			time.AfterFunc(time.Second, func() {
				readHead(t, p)
				p.expectClose(frame.CloseGoingAway, "")
				p.sendClose(frame.CloseGoingAway, "")
				p.expectEOF()
				p.Close()
			})
			start := time.Now()
			got, err := h.Shutdown(t.Context())
			if diff := cmp.Diff(conn.Shutdown{Clean: 1}, got); diff != "" || err != nil || time.Since(start) != time.Second {
				t.Errorf("Shutdown = %v after %v (-want +got):\n%s", err, time.Since(start), diff)
			}
			<-accepted
			checkMembers(t, &h)
		})
	})
	t.Run("given up", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var h conn.Hub
			p, accepted := begin(t, &h)
			time.AfterFunc(time.Second, func() { p.Reset() })
			if got, err := h.Shutdown(t.Context()); got != (conn.Shutdown{}) || err != nil {
				t.Errorf("Shutdown = %+v, %v; want nothing to close", got, err)
			}
			<-accepted
		})
	})
	t.Run("too slow", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var h conn.Hub
			p, accepted := begin(t, &h)
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errWhy)
			defer cancel()
			if got, err := h.Shutdown(ctx); got != (conn.Shutdown{}) || !errors.Is(err, errWhy) {
				t.Errorf("Shutdown = %+v, %v; want the cause", got, err)
			}
			readHead(t, p)
			p.expectClose(frame.CloseGoingAway, "")
			p.sendClose(frame.CloseGoingAway, "")
			p.expectEOF()
			p.Close()
			checkEnd(t, (<-accepted).Err(), conn.Local, frame.CloseGoingAway, "", nil)
		})
	})
}

// slowClose is a transport whose Close takes a second.
type slowClose struct{ net.Conn }

func (c slowClose) Close() error {
	time.Sleep(time.Second)
	return c.Conn.Close()
}

// TestHubShutdownAtOnce: those that are cut off do not wait for each other.
func TestHubShutdownAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h conn.Hub
		for range 10 {
			end, _ := newPeer(t, frame.Client, 0)
			h.Add(newConn(t, slowClose{end}, frame.Server, conn.Handshake{}, nil))
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errWhy)
		defer cancel()
		start := time.Now()
		got, err := h.Shutdown(ctx)
		if !errors.Is(err, errWhy) || got.Cut != 10 || time.Since(start) != 2*time.Second {
			t.Errorf("Shutdown = %+v, %v after %v; want 10 cut and the cause after 2s", got, err, time.Since(start))
		}
	})
}

// TestHubAfterShutdown: whoever comes late is closed with 1001.
func TestHubAfterShutdown(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		var h conn.Hub
		h.Shutdown(t.Context())
		c, p := open(t, role, nil)
		h.Add(c)
		checkMembers(t, &h)
		p.expectClose(frame.CloseGoingAway, "")
		p.sendClose(frame.CloseGoingAway, "")
		_, _, err := c.ReadMessage(t.Context())
		checkEnd(t, err, conn.Local, frame.CloseGoingAway, "", nil)
	})
}

// dialHub does a handshake with a server that puts connections into a hub, from
// a remote address, and returns the status.
func dialHub(t *testing.T, o *conn.AcceptOptions, remote string) (*conn.Conn, *peer, string) {
	t.Helper()
	end, p := newPeer(t, frame.Server, 0)
	accepted := make(chan *conn.Conn, 1)
	go func() {
		c, _ := conn.AcceptConn(t.Context(), addressed{end, remote}, o)
		accepted <- c
	}()
	p.write([]byte(upgradeRequest))
	return <-accepted, p, readHead(t, p)
}

// TestHubLimits: a place that is not there is a 503, and a connection that ends
// gives its place back.
func TestHubLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &conn.Hub{MaxConns: 3, MaxConnsPerHost: 2}
		var refused []int
		o := &conn.AcceptOptions{Hub: h, Options: conn.Options{Hooks: &conn.Hooks{
			OnRefuse: func(r conn.Refusal) { refused = append(refused, r.Status) },
			OnOpen:   func(c *conn.Conn) { h.Add(c) }, // it is in already, or will be
		}}}
		const one, two = "192.0.2.7:1", "[2001:db8::1]:2"
		for round := range 3 {
			var conns []*conn.Conn
			for _, step := range []struct {
				remote string
				ok     bool
			}{{one, true}, {one, true}, {one, false}, {two, true}, {two, false}} {
				c, _, head := dialHub(t, o, step.remote)
				if (c != nil) != step.ok {
					t.Fatalf("round %d: from %s: accepted = %v, want %v", round, step.remote, c != nil, step.ok)
				}
				if c != nil {
					conns = append(conns, c)
				} else if field(head, "Retry-After") != "5" || field(head, "Connection") != "close" {
					t.Errorf("refused with\n%s", head)
				}
			}
			if want := []int{http.StatusServiceUnavailable, http.StatusServiceUnavailable}; !slices.Equal(refused, want) {
				t.Errorf("OnRefuse saw %v, want %v", refused, want)
			}
			refused = nil
			for _, c := range conns {
				c.CloseNow()
				<-c.Done()
			}
			checkMembers(t, h)
		}
		h.Shutdown(t.Context())
		if c, _, _ := dialHub(t, o, one); c != nil {
			t.Error("accepted after Shutdown")
		}
	})
}

// TestHubPlaceOfFailedHandshake: a handshake that breaks off keeps no place.
func TestHubPlaceOfFailedHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &conn.Hub{MaxConns: 1, MaxConnsPerHost: 1}
		o := &conn.AcceptOptions{Hub: h}
		end, p := newPeer(t, frame.Server, 0)
		broken := conntest.Inject(end, conntest.Faults{Write: conntest.Flow{After: 10, Then: conntest.Fail}})
		p.write([]byte(upgradeRequest))
		if c, err := conn.AcceptConn(t.Context(), broken, o); err == nil {
			t.Fatal("accepted", c)
		}
		if c, _, head := dialHub(t, o, "192.0.2.1:9"); c == nil {
			t.Errorf("refused with\n%s", head)
		} else {
			c.CloseNow()
		}
	})
}

// TestHubConcurrently: members come, go and end while others broadcast and shut
// down.
func TestHubConcurrently(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			var h, other conn.Hub
			var all sync.WaitGroup
			m := prepare(t, "hello")
			for range 8 {
				client, server := conntest.Pair(nil, nil)
				all.Go(func() { client.Discard(t.Context()) })
				all.Go(func() { server.Discard(t.Context()) })
				all.Go(func() {
					h.Add(server)
					other.Add(server)
					h.Broadcast(m, nil)
					h.Remove(server)
					h.Add(server)
					h.Len()
				})
				all.Go(func() {
					for range 5 {
						h.Broadcast(m, nil)
					}
					client.Close(frame.CloseNormalClosure, "")
				})
			}
			all.Go(func() { h.Shutdown(t.Context()) })
			all.Wait()
			h.Shutdown(t.Context())
			checkMembers(t, &h)
			checkMembers(t, &other)
		})
	}
}

func TestSlowPolicyString(t *testing.T) {
	for p, want := range map[conn.SlowPolicy]string{
		conn.SlowClose: "close", conn.SlowDropNewest: "drop newest", conn.SlowDropOldest: "drop oldest", 99: "SlowPolicy(?)",
	} {
		if got := p.String(); got != want {
			t.Errorf("SlowPolicy(%d) = %q, want %q", p, got, want)
		}
	}
}
