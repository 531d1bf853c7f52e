package engineio_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/socketio/engineio"
)

func TestUpgrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var moved atomic.Pointer[engineio.Session]
		w := serve(t, &engineio.Options{OnUpgrade: moved.Store}, nil)
		c := w.poller("EIO=4")
		get := c.begin("GET", c.base, "")
		s := c.upgrade()
		s.send("2probe")
		s.want("3probe")
		(<-get).want(t, 200, "6")
		c.post("4a").want(t, 200, "ok")
		s.send("5")
		s.want("4a")
		synctest.Wait()
		if got := moved.Load(); got != c.session || got.Transport() != engineio.WebSocket {
			t.Errorf("OnUpgrade was called with %p, want %p", got, c.session)
		}
		s.send("4b")
		s.want("4b")
		const badRequest = `{"code":3,"message":"Bad request"}`
		c.get().want(t, 400, badRequest)
		c.post("4c").want(t, 400, badRequest)
		c.upgrade().want("end 1005")
		s.send("4d")
		s.want("4d")
		s.Close(1000, "")
		if got, want := w.log.take(), "a; b; d; closed: transport close"; got != want {
			t.Errorf("the receiver saw %q, want %q", got, want)
		}
	})
}

// TestPollsWhileProbed are held just long enough for the answer to the probe.
func TestPollsWhileProbed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serve(t, nil, nil).poller("EIO=4")
		s := c.upgrade()
		s.send("2probe")
		s.want("3probe")
		start := time.Now()
		c.get().want(t, 200, "6")
		if took := time.Since(start); took != 100*time.Millisecond {
			t.Errorf("the poll was held for %v", took)
		}
		get := c.begin("GET", c.base, "")
		c.session.Send(text("a"))
		(<-get).want(t, 200, "4a")
		get = c.begin("GET", c.base, "")
		s.send("5")
		(<-get).want(t, 400, `{"code":3,"message":"Bad request"}`)
	})
}

// TestPollOvertakesMove: a poll that was sent after the move is refused although it
// is there first; one that was sent before is answered.
func TestPollOvertakesMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serve(t, nil, nil).poller("EIO=4")
		s := c.upgrade()
		get := c.begin("GET", c.base, "")
		s.send("2probe")
		s.send("5")
		s.want("3probe")
		(<-get).want(t, 400, `{"code":3,"message":"Bad request"}`)
		s.send("4a")
		s.want("4a")
	})
	synctest.Test(t, func(t *testing.T) {
		c := serve(t, nil, nil).poller("EIO=4")
		s := c.upgrade()
		get := c.begin("GET", c.base, "")
		start := time.Now()
		s.send("2probe")
		s.want("3probe")
		(<-get).want(t, 200, "6")
		if took := time.Since(start); took != 20*time.Millisecond {
			t.Errorf("the poll was held for %v", took)
		}
	})
}

// TestUpgradeFails: the session goes on polling, and can be upgraded again.
func TestUpgradeFails(t *testing.T) {
	tests := []struct {
		name string
		do   func(t *testing.T, s *socket)
	}{
		{"no probe", func(t *testing.T, s *socket) { s.send("5"); s.want("end 1005") }},
		{"message first", func(t *testing.T, s *socket) { s.send("4a"); s.want("end 1005") }},
		{"ping without a probe", func(t *testing.T, s *socket) { s.send("2"); s.want("end 1005") }},
		{"octets first", func(t *testing.T, s *socket) {
			s.WriteMessage(context.Background(), frame.OpBinary, []byte("2probe"))
			s.want("end 1005")
		}},
		{"no packet", func(t *testing.T, s *socket) { s.send("x"); s.want("end 1005") }},
		{"two probes", func(t *testing.T, s *socket) { s.send("2probe"); s.send("2probe"); s.want("3probe", "end 1005") }},
		{"message after the probe", func(t *testing.T, s *socket) { s.send("2probe"); s.send("4a"); s.want("3probe", "end 1005") }},
		{"end after the probe", func(t *testing.T, s *socket) { s.send("2probe"); s.want("3probe"); s.CloseNow() }},
		{"close after the probe", func(t *testing.T, s *socket) { s.send("2probe"); s.want("3probe"); s.Close(1000, "") }},
		{"nothing", func(t *testing.T, s *socket) {
			start := time.Now()
			s.want("end 1005")
			if took := time.Since(start); took != 10*time.Second {
				t.Errorf("the upgrade ended after %v", took)
			}
		}},
		{"nothing after the probe", func(t *testing.T, s *socket) {
			start := time.Now()
			s.send("2probe")
			s.want("3probe", "end 1005")
			if took := time.Since(start); took != 10*time.Second {
				t.Errorf("the upgrade ended after %v", took)
			}
		}},
	}
	for _, tt := range tests {
		inBubble(t, tt.name, func(t *testing.T) {
			w := serve(t, nil, nil)
			c := w.poller("EIO=4")
			tt.do(t, c.upgrade())
			synctest.Wait()
			c.post("4a").want(t, 200, "ok")
			c.get().want(t, 200, "4a")
			s := c.upgrade()
			s.send("2probe")
			s.want("3probe")
			s.send("5")
			c.session.Send(text("b"))
			s.want("4b")
			if got := w.log.take(); got != "a" {
				t.Errorf("the receiver saw %q", got)
			}
		})
	}
}

// TestUpgradeWithoutLimit waits.
func TestUpgradeWithoutLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serve(t, &engineio.Options{UpgradeTimeout: engineio.NoLimit, PingInterval: time.Hour}, nil).poller("EIO=4")
		s := c.upgrade()
		time.Sleep(time.Minute)
		s.send("2probe")
		s.want("3probe")
		time.Sleep(time.Minute)
		s.send("5")
		c.session.Send(text("a"))
		s.want("4a")
	})
}

// TestTwoUpgrades: the second WebSocket is closed at once.
func TestTwoUpgrades(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serve(t, nil, nil).poller("EIO=4")
		s := c.upgrade()
		c.upgrade().want("end 1005")
		s.send("2probe")
		c.upgrade().want("end 1005")
		s.want("3probe")
		s.send("5")
		c.session.Send(text("a"))
		s.want("4a")
	})
}

// TestEndsDuringUpgrade: nothing is left of it.
func TestEndsDuringUpgrade(t *testing.T) {
	begin := func(t *testing.T) (*world, *client, *socket) {
		w := serve(t, nil, nil)
		c := w.poller("EIO=4")
		s := c.upgrade()
		s.send("2probe")
		s.want("3probe")
		return w, c, s
	}
	inBubble(t, "by the server, then the client moves", func(t *testing.T) {
		w, c, s := begin(t)
		c.session.Send(text("last"))
		c.session.Close("")
		if got := w.log.take(); got != "closed: forced close" {
			t.Errorf("the receiver saw %q", got)
		}
		s.send("5")
		s.want("4last", "end 1005")
		synctest.Wait()
		if n := w.server.Len(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
	inBubble(t, "by the server, then the upgrade fails", func(t *testing.T) {
		w, c, s := begin(t)
		c.session.Send(text("last"))
		c.session.Close("")
		get := c.begin("GET", c.base, "")
		(<-get).want(t, 200, "4last")
		get = c.begin("GET", c.base, "")
		s.CloseNow()
		(<-get).want(t, 200, "1")
		synctest.Wait()
		if n := w.server.Len(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
	inBubble(t, "by the client", func(t *testing.T) {
		w, c, s := begin(t)
		c.post("1").want(t, 200, "ok")
		s.want("end 1005")
		if got := w.log.take(); got != "closed: transport close" {
			t.Errorf("the receiver saw %q", got)
		}
	})
	inBubble(t, "by two polls", func(t *testing.T) {
		_, c, s := begin(t)
		first := c.begin("GET", c.base, "")
		c.get().want(t, 400, "")
		(<-first).want(t, 200, "1")
		s.want("end 1005")
	})
	inBubble(t, "by the server's end", func(t *testing.T) {
		w, _, s := begin(t)
		done := make(chan error)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		go func() { done <- w.server.Shutdown(ctx) }()
		s.want("end 1005")
		if err := <-done; err != context.DeadlineExceeded {
			t.Errorf("Shutdown = %v", err)
		}
	})
	inBubble(t, "by a dropped poll it does not", func(t *testing.T) {
		w, c, s := begin(t)
		ctx, cancel := context.WithCancel(context.Background())
		go c.requestContext(ctx, "GET", c.base, "")
		synctest.Wait()
		cancel()
		synctest.Wait()
		c.session.Send(text("a"))
		s.send("5")
		s.want("4a")
		if got := w.log.take(); got != "" {
			t.Errorf("the receiver saw %q", got)
		}
	})
}

// TestMoveFollowsRequests: what comes over the WebSocket is received after what
// requests have brought, even if their Message calls were released.
func TestMoveFollowsRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, second := new(journal), make(chan bool)
		w := serve(t, nil, func(*engineio.Session) engineio.Receiver {
			return receiver{message: func(s *engineio.Session, _ bool, data []byte) {
				m := string(data)
				switch m {
				case "a":
					s.Release()
					log.add("released")
					<-second
				case "b":
					<-second
				}
				log.add("%s", m)
			}}
		})
		c := w.poller("EIO=4")
		c.post("4a\x1e4b\x1e4c").want(t, 200, "ok") // answered because of Release
		post := c.begin("POST", c.base, "4d")       // waits for b and c
		s := c.upgrade()
		s.send("2probe")
		s.want("3probe")
		s.send("5")
		s.send("4e")
		c.session.Send(text("x")) // the other direction does not wait
		s.want("4x")
		if got := log.take(); got != "released" {
			t.Errorf("before, the receiver saw %q", got)
		}
		close(second)
		synctest.Wait()
		// The end of a is not in the order of the others.
		if got := strings.ReplaceAll("; "+log.take(), "; a", ""); got != "; b; c; d; e" {
			t.Errorf("the receiver saw %q", got)
		}
		<-post
	})
}

var races = flag.Int("races", 1000, "how many sessions TestUpgradeRaces moves")

// TestUpgradeRaces: whatever the order in which things happen while a session moves,
// each message arrives once and in order, in both directions.
func TestUpgradeRaces(t *testing.T) {
	const messages, atOnce = 30, 100
	t.Logf("%d sessions are moved, with %d messages each way", *races/atOnce*atOnce, messages)
	for range *races / atOnce {
		synctest.Test(t, func(t *testing.T) {
			w := serve(t, &engineio.Options{EIO3: true}, func(s *engineio.Session) engineio.Receiver { return new(sequence) })
			var all sync.WaitGroup
			for i := range atOnce {
				all.Go(func() {
					received := new(sequence)
					s, err := engineio.Dial(context.Background(), "http://example.com", &engineio.DialOptions{
						EIO3:    i%2 == 1,
						NetDial: w.listener.slow,
						Handler: func(*engineio.Session) engineio.Receiver { return received },
					})
					if err != nil {
						t.Error(err)
						return
					}
					peer := w.server.Session(s.ID())
					var senders sync.WaitGroup
					for _, from := range []*engineio.Session{s, peer} {
						senders.Go(func() {
							for n := range messages {
								if err := from.Send(text(fmt.Sprint(n))); err != nil {
									t.Errorf("Send %d: %v", n, err)
								}
								time.Sleep(rand.N(2 * time.Millisecond))
							}
						})
					}
					senders.Wait()
					time.Sleep(time.Second)
					if got := peer.Transport(); got != engineio.WebSocket || s.Transport() != got {
						t.Errorf("the session is on %s and %s", s.Transport(), got)
					}
					sent := peerReceiver(peer)
					if received.err != "" || received.next != messages || sent.err != "" || sent.next != messages {
						t.Errorf("the client received %d, %s; the server %d, %s", received.next, received.err, sent.next, sent.err)
					}
					s.Close("")
				})
			}
			all.Wait()
			time.Sleep(5 * time.Second)
			if n := w.server.Len(); n != 0 {
				t.Errorf("%d sessions are left", n)
			}
		})
	}
}

// receivers finds the receiver of a server's session.
var receivers sync.Map

func peerReceiver(s *engineio.Session) *sequence {
	r, _ := receivers.LoadAndDelete(s)
	if r == nil {
		return new(sequence)
	}
	return r.(*sequence)
}

// A sequence receives the numbers from zero on.
type sequence struct {
	next int
	err  string
}

func (q *sequence) Message(s *engineio.Session, binary bool, data []byte) {
	if s.Request() != nil {
		receivers.Store(s, q)
	}
	if string(data) != fmt.Sprint(q.next) && q.err == "" {
		q.err = fmt.Sprintf("message %d is %q", q.next, data)
	}
	q.next++
}

func (q *sequence) Closed(*engineio.Session, engineio.CloseReason, error) {}
