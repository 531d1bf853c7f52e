package engineio_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/socketio/engineio"
)

// revisions are the ways a server's heartbeat goes: it pings in revision 4 only.
var revisions = []string{"EIO=4", "EIO=3"}

// glance is how much longer a WebSocket is read before its peer counts as dead.
const glance = 100 * time.Millisecond

// TestSilence: a peer that sends nothing is given up after interval and timeout,
// whatever it is connected by.
func TestSilence(t *testing.T) {
	for _, revision := range revisions {
		pings := revision == "EIO=4"
		inBubble(t, "polling/"+revision, func(t *testing.T) {
			w := serve(t, &engineio.Options{EIO3: true}, nil)
			start := time.Now()
			c := w.poller(revision)
			get := c.begin("GET", c.base, "")
			if pings {
				(<-get).want(t, 200, "2")
				if took := time.Since(start); took != 25*time.Second {
					t.Errorf("the ping came after %v", took)
				}
				get = c.begin("GET", c.base, "")
				(<-get).want(t, 200, "1")
			} else {
				(<-get).want(t, 200, "1:1")
			}
			if took := time.Since(start); took != 45*time.Second {
				t.Errorf("the end came after %v", took)
			}
			if got := w.log.take(); got != "closed: ping timeout" {
				t.Errorf("the receiver saw %q", got)
			}
		})
		inBubble(t, "websocket/"+revision, func(t *testing.T) {
			w := serve(t, &engineio.Options{EIO3: true}, nil)
			start := time.Now()
			s, _ := w.open(revision)
			if pings {
				s.want("2")
			}
			s.want("end 1006")
			if took := time.Since(start); took != 45*time.Second+glance {
				t.Errorf("the end came after %v", took)
			}
			if got := w.log.take(); got != "closed: ping timeout" {
				t.Errorf("the receiver saw %q", got)
			}
		})
		inBubble(t, "upgrade keeps the deadline/"+revision, func(t *testing.T) {
			w := serve(t, &engineio.Options{EIO3: true}, nil)
			start := time.Now()
			c := w.poller(revision)
			time.Sleep(30 * time.Second) // with a ping that waits to be polled
			s := c.upgrade()
			s.send("2probe")
			s.want("3probe")
			s.send("5")
			if pings {
				s.want("2")
			}
			s.want("end 1006")
			if took := time.Since(start); took != 45*time.Second+glance {
				t.Errorf("the end came after %v", took)
			}
		})
	}
}

// TestHeartbeat: a peer that does its part lives.
func TestHeartbeat(t *testing.T) {
	inBubble(t, "revision 4", func(t *testing.T) {
		w := serve(t, nil, nil)
		s, _ := w.open("EIO=4")
		last := time.Now()
		for range 10 {
			s.want("2")
			if took := time.Since(last); took != 25*time.Second {
				t.Errorf("the ping came after %v", took)
			}
			time.Sleep(20*time.Second - 1)
			s.send("3")
			last = time.Now()
		}
		s.send("3") // early
		s.want("2")
		if got := w.log.take(); got != "" {
			t.Errorf("the receiver saw %q", got)
		}
	})
	inBubble(t, "revision 3", func(t *testing.T) {
		w := serve(t, &engineio.Options{EIO3: true}, nil)
		s, _ := w.open("EIO=3")
		for range 10 {
			time.Sleep(45*time.Second - 1)
			s.send("2with data")
			s.want("3")
		}
		if got := w.log.take(); got != "" {
			t.Errorf("the receiver saw %q", got)
		}
	})
	inBubble(t, "polling", func(t *testing.T) {
		w := serve(t, nil, nil)
		c := w.poller("EIO=4")
		for range 10 {
			c.get().want(t, 200, "2")
			c.post("3").want(t, 200, "ok")
		}
		if got := w.log.take(); got != "" {
			t.Errorf("the receiver saw %q", got)
		}
	})
}

// TestSignOfLife: who sends something else instead of the pong has a second chance,
// and no third.
func TestSignOfLife(t *testing.T) {
	inBubble(t, "message", func(t *testing.T) {
		w := serve(t, nil, nil)
		start := time.Now()
		s, _ := w.open("EIO=4")
		s.want("2")
		for range 3 {
			s.send("4a")
			s.want("4a")
			time.Sleep(9 * time.Second)
		}
		s.send("4b")
		s.want("4b", "end 1006")
		if took := time.Since(start); took != 65*time.Second+glance {
			t.Errorf("the end came after %v", took)
		}
	})
	inBubble(t, "part of a message", func(t *testing.T) {
		w := serve(t, nil, nil)
		start := time.Now()
		s, _ := w.open("EIO=4")
		s.want("2")
		message, err := s.NextWriter(1)
		if err != nil {
			t.Fatal(err)
		}
		message.Write(t.Context(), []byte("4long"))
		message.Flush(t.Context())
		time.Sleep(15 * time.Second)
		message.Write(t.Context(), []byte(" message"))
		message.Flush(t.Context())
		time.Sleep(15 * time.Second)
		if err := message.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.send("3")
		s.want("4long message", "2")
		if took := time.Since(start); took != 80*time.Second {
			t.Errorf("the next ping came after %v", took)
		}
	})
}

// TestSlowReceiver: while nothing is read, nobody is judged.
func TestSlowReceiver(t *testing.T) {
	slow := func(*engineio.Session) engineio.Receiver {
		return receiver{message: func(s *engineio.Session, _ bool, data []byte) {
			if string(data) == "slow" {
				time.Sleep(5 * time.Minute)
			}
			s.Send(engineio.NewPacket(false, data))
		}}
	}
	for _, revision := range revisions {
		inBubble(t, "websocket/"+revision, func(t *testing.T) {
			w := serve(t, &engineio.Options{EIO3: true}, slow)
			s, _ := w.open(revision)
			s.send("4slow")
			s.send("4after")
			ended := make(chan string)
			go func() { // answers pings, as a client does
				for {
					switch m := s.next(); m {
					case "2":
						s.send("3")
					case "4slow", "3":
					default:
						ended <- m
						return
					}
				}
			}()
			if revision == "EIO=3" {
				time.Sleep(time.Minute)
				s.send("2")
			}
			if m := <-ended; m != "4after" {
				t.Errorf("received %q", m)
			}
		})
		inBubble(t, "polling/"+revision, func(t *testing.T) {
			w := serve(t, &engineio.Options{EIO3: true}, slow)
			c := w.poller(revision)
			body := "4slow"
			if revision == "EIO=3" {
				body = "5:4slow"
			}
			c.post(body).want(t, 200, "ok") // after five minutes
			if a := c.get(); a.status != 200 || !strings.Contains(a.body, body) {
				t.Errorf("answer %d %q", a.status, a.body)
			}
		})
	}
}

// TestWrongDirection: a ping of the side that has to answer pings ends the session,
// and so does a pong of the other.
func TestWrongDirection(t *testing.T) {
	for revision, packet := range map[string]string{"EIO=4": "2", "EIO=3": "3"} {
		inBubble(t, revision, func(t *testing.T) {
			w := serve(t, &engineio.Options{EIO3: true}, nil)
			s, _ := w.open(revision)
			s.send(packet)
			s.want("end 1005")
			if got := w.log.take(); got != "closed: transport error" {
				t.Errorf("the receiver saw %q", got)
			}
		})
	}
}

// TestDeadServer: the client notices, in both revisions.
func TestDeadServer(t *testing.T) {
	for _, v := range variants {
		inBubble(t, v.name, func(t *testing.T) {
			w := serve(t, &engineio.Options{EIO3: true}, nil)
			// A server whose receiver is busy answers nothing.
			w.server.Handler = func(s *engineio.Session) engineio.Receiver {
				w.sessions <- s
				return receiver{message: func(*engineio.Session, bool, []byte) { time.Sleep(time.Hour) }}
			}
			start := time.Now()
			s, log := w.connect(v.dial)
			peer := <-w.sessions
			time.Sleep(time.Second)
			s.Send(text("sleep"))
			time.Sleep(2 * time.Minute)
			got := log.take()
			if v.dial.EIO3 || v.ends == engineio.Polling {
				if !strings.HasPrefix(got, "closed: ") {
					t.Errorf("after %v the client saw %q", time.Since(start), got)
				}
			}
			s.Close("")
			peer.Close("")
			time.Sleep(2 * time.Hour)
			synctest.Wait()
		})
	}
}

// TestHeartbeats: each of many sessions has its ping in time, whatever became of the
// others, and those that answer go on.
func TestHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const sessions, apart = 300, 50 * time.Millisecond
		const interval, timeout = 25 * time.Second, 20 * time.Second
		w := serve(t, nil, nil)
		var wg sync.WaitGroup
		defer wg.Wait()
		for i := range sessions {
			s, session := w.open("EIO=4")
			begun := time.Now()
			wg.Go(func() {
				if i%3 == 0 { // goes away before its first ping
					time.Sleep(time.Duration(i) * apart / 2)
					session.Close("")
					s.next()
					return
				}
				expect := func(want string, after time.Duration) {
					if got := s.next(); got != want || time.Since(begun) != after {
						t.Errorf("session %d received %q after %v, want %q after %v", i, got, time.Since(begun), want, after)
					}
				}
				expect("2", interval)
				if i%3 == 1 {
					expect("end 1006", interval+timeout+glance)
					return
				}
				late := time.Duration(i) * time.Millisecond
				time.Sleep(late)
				s.send("3")
				expect("2", 2*interval+late)
				s.CloseNow()
			})
			time.Sleep(apart)
		}
	})
}
