package engineio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/socketio/engineio"
)

// TestOrder: messages come one at a time, and what is read waits for them.
func TestOrder(t *testing.T) {
	for _, v := range variants {
		inBubble(t, v.name, func(t *testing.T) {
			log, running := new(journal), 0
			w := serve(t, &engineio.Options{EIO3: true}, func(*engineio.Session) engineio.Receiver {
				return receiver{message: func(_ *engineio.Session, _ bool, data []byte) {
					if running++; running != 1 {
						t.Errorf("%d calls of Message at once", running)
					}
					time.Sleep(10 * time.Millisecond)
					running--
					log.add("%s", data)
				}}
			})
			s, _ := w.connect(v.dial)
			var want []string
			for i := range 50 {
				s.Send(text(fmt.Sprint(i)))
				want = append(want, fmt.Sprint(i))
				if i%7 == 0 {
					time.Sleep(5 * time.Millisecond)
				}
			}
			time.Sleep(time.Second)
			if got := log.take(); got != strings.Join(want, "; ") {
				t.Errorf("the receiver saw %s", got)
			}
			s.Close("")
			synctest.Wait()
		})
	}
}

// TestRelease: a Message that waits for what comes later gets it.
func TestRelease(t *testing.T) {
	for _, v := range variants {
		inBubble(t, v.name, func(t *testing.T) {
			w := serve(t, &engineio.Options{EIO3: true}, func(*engineio.Session) engineio.Receiver {
				answer := make(chan string)
				return receiver{message: func(s *engineio.Session, _ bool, data []byte) {
					if question, ok := strings.CutPrefix(string(data), "ask "); ok {
						s.Send(text("what is " + question + "?"))
						s.Release()
						s.Send(text(question + " is " + <-answer))
						return
					}
					answer <- string(data)
				}}
			})
			log := new(journal)
			v.dial.NetDial = w.listener.Dial
			v.dial.Handler = func(*engineio.Session) engineio.Receiver {
				return receiver{message: func(s *engineio.Session, _ bool, data []byte) {
					log.add("%s", data)
					if strings.HasSuffix(string(data), "?") {
						s.Send(text("answer"))
					}
				}}
			}
			s, err := engineio.Dial(context.Background(), "ws://example.com", &v.dial)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			s.Send(text("ask a"), text("ask b"))
			time.Sleep(time.Second)
			got := log.take()
			for _, want := range []string{"what is a?", "a is answer", "what is b?", "b is answer"} {
				if !strings.Contains(got, want) {
					t.Errorf("received %q, want %q in it", got, want)
				}
			}
			s.Release() // without a call in progress
			s.Close("")
			synctest.Wait()
		})
	}
}

// TestReleaseThenEnd: a call that was released may end after the session.
func TestReleaseThenEnd(t *testing.T) {
	for _, v := range variants {
		inBubble(t, v.name, func(t *testing.T) {
			log := new(journal)
			w := serve(t, &engineio.Options{EIO3: true}, func(*engineio.Session) engineio.Receiver {
				return receiver{
					message: func(s *engineio.Session, _ bool, data []byte) {
						s.Release()
						<-s.Context().Done()
						time.Sleep(time.Second)
						log.add("%s ends: %v, %t", data, s.Context().Err(), errors.Is(context.Cause(s.Context()), net.ErrClosed))
					},
					closed: func(_ *engineio.Session, reason engineio.CloseReason, _ error) { log.add("closed: %s", reason) },
				}
			})
			s, _ := w.connect(v.dial)
			s.Send(text("a"))
			time.Sleep(time.Second)
			s.Close("")
			time.Sleep(2 * time.Second)
			if got := log.take(); got != "closed: transport close; a ends: context canceled, true" {
				t.Errorf("the receiver saw %q", got)
			}
			if err := (<-w.sessions).Context().Err(); err == nil {
				t.Error("a context that is asked for after the end is not canceled")
			}
		})
	}
}

// TestPanics: a panic of the application ends its session, and is logged.
func TestPanics(t *testing.T) {
	for _, v := range variants {
		inBubble(t, v.name, func(t *testing.T) {
			var logged strings.Builder
			log := new(journal)
			options := &engineio.Options{EIO3: true, Logger: slog.New(slog.NewTextHandler(&logged, nil))}
			w := serve(t, options, func(*engineio.Session) engineio.Receiver {
				return receiver{
					message: func(*engineio.Session, bool, []byte) { panic("oh") },
					closed: func(_ *engineio.Session, reason engineio.CloseReason, err error) {
						log.add("closed: %s, %t", reason, err != nil)
						panic("again")
					},
				}
			})
			s, clientLog := w.connect(v.dial)
			time.Sleep(time.Second)
			s.Send(text("a"), text("b"))
			time.Sleep(time.Second)
			if got := log.take(); got != "closed: forced close, true" {
				t.Errorf("the receiver saw %q", got)
			}
			if got := clientLog.take(); !strings.HasPrefix(got, "closed: transport ") {
				t.Errorf("the client saw %q", got)
			}
			if !strings.Contains(logged.String(), "panic=oh") || !strings.Contains(logged.String(), "panic=again") {
				t.Errorf("logged: %s", &logged)
			}
		})
	}
}

// TestBadHandlers: handlers that panic, return nothing, or close.
func TestBadHandlers(t *testing.T) {
	log := new(journal)
	handlers := map[string]func(*engineio.Session) engineio.Receiver{
		"panic":   func(*engineio.Session) engineio.Receiver { panic("oh") },
		"nothing": func(*engineio.Session) engineio.Receiver { return nil },
		"close": func(s *engineio.Session) engineio.Receiver {
			s.Send(text("bye"))
			s.Close("")
			return collector{log}
		},
	}
	for name, handler := range handlers {
		for _, v := range variants[:3] {
			inBubble(t, name+"/"+v.name, func(t *testing.T) {
				w := serve(t, nil, nil)
				w.server.Handler = handler
				_, clientLog := w.connect(v.dial)
				time.Sleep(time.Second)
				want := "closed: transport close"
				if name == "close" {
					want = "bye; " + want
					if got := log.take(); got != "closed: forced close" {
						t.Errorf("the receiver saw %q", got)
					}
				}
				if got := clientLog.take(); got != want {
					t.Errorf("the client saw %q, want %q", got, want)
				}
				if n := w.server.Len(); n != 0 {
					t.Errorf("%d sessions are left", n)
				}
			})
			inBubble(t, name+" of a client/"+v.name, func(t *testing.T) {
				w := serve(t, nil, nil)
				v.dial.NetDial = w.listener.Dial
				v.dial.Handler = handler
				if _, err := engineio.Dial(context.Background(), "http://example.com", &v.dial); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				log.take()
				got, want := w.log.take(), "closed: transport close"
				if name == "close" {
					want = "bye; " + want
				}
				if got = strings.ReplaceAll(got, "Send: "+engineio.ErrClosed.Error()+"; ", ""); got != want {
					t.Errorf("the server saw %q, want %q", got, want)
				}
			})
		}
	}
}

// TestHandlerSends: what a handler sends follows the handshake.
func TestHandlerSends(t *testing.T) {
	for _, v := range variants {
		inBubble(t, v.name, func(t *testing.T) {
			hello := func(log *journal) func(s *engineio.Session) engineio.Receiver {
				return func(s *engineio.Session) engineio.Receiver {
					if err := s.Send(text("hello"), octets("\x01")); err != nil {
						t.Error(err)
					}
					return collector{log}
				}
			}
			w := serve(t, &engineio.Options{EIO3: true}, nil)
			serverLog, clientLog := new(journal), new(journal)
			w.server.Handler = hello(serverLog)
			v.dial.NetDial = w.listener.Dial
			v.dial.Handler = hello(clientLog)
			s, err := engineio.Dial(context.Background(), "http://example.com", &v.dial)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			if a, b := serverLog.take(), clientLog.take(); a != "hello; #01" || b != a {
				t.Errorf("the server received %q, the client %q", a, b)
			}
			s.Close("")
			synctest.Wait()
		})
	}
}

// TestBase64 is for clients that take no octets.
func TestBase64(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, &engineio.Options{EIO3: true}, nil)
		s, _ := w.open("EIO=4&b64=1")
		s.send("bAQIDBA==")
		s.want("bAQIDBA==")
		s, _ = w.open("EIO=3&b64=1")
		s.send("b4AQIDBA==")
		s.want("b4AQIDBA==")
		s, _ = w.open("EIO=3")
		s.send("b4AQIDBA==")
		s.want("#0401020304")
	})
}

// TestBrokenMessages end a session on a WebSocket.
func TestBrokenMessages(t *testing.T) {
	tests := []struct {
		name, base, text, octets string
		end, reason              string
	}{
		{"no packet", "EIO=4", "", "", "end 1005", "parse error"},
		{"no type", "EIO=4", "hello", "", "end 1005", "parse error"},
		{"bad base64", "EIO=4", "b!", "", "end 1005", "parse error"},
		{"handshake", "EIO=4", "0", "", "end 1005", "parse error"},
		{"upgrade", "EIO=4", "5", "", "end 1005", "parse error"},
		{"octets of another type", "EIO=3", "", "\x02a", "end 1005", "parse error"},
		{"close", "EIO=4", "1", "", "end 1005", "transport close"},
		{"too long", "EIO=4", "4" + strings.Repeat("a", 1000), "", "end 1009", "transport error"},
	}
	for _, tt := range tests {
		inBubble(t, tt.name, func(t *testing.T) {
			w := serve(t, &engineio.Options{EIO3: true, MaxPayload: 1000}, nil)
			s, _ := w.open(tt.base)
			if tt.octets != "" {
				s.WriteMessage(t.Context(), frame.OpBinary, []byte(tt.octets))
			} else {
				s.send(tt.text)
			}
			s.want(tt.end)
			if got := w.log.take(); got != "closed: "+tt.reason {
				t.Errorf("the receiver saw %q, want %q", got, tt.reason)
			}
		})
	}
}

// TestEnds: the reason of each way a WebSocket ends.
func TestEnds(t *testing.T) {
	tests := []struct {
		name   string
		do     func(s *socket)
		reason string
	}{
		{"closed", func(s *socket) { s.Close(frame.CloseNormalClosure, "") }, "transport close"},
		{"closed without a code", func(s *socket) { s.Close(frame.CloseNoStatusReceived, "") }, "transport close"},
		{"closed with an error", func(s *socket) { s.Close(4000, "oh") }, "transport close"},
		{"cut", func(s *socket) { s.CloseNow() }, "transport close"},
	}
	for _, tt := range tests {
		inBubble(t, tt.name, func(t *testing.T) {
			w := serve(t, nil, nil)
			s, _ := w.open("EIO=4")
			tt.do(s)
			if got := w.log.take(); got != "closed: "+tt.reason {
				t.Errorf("the receiver saw %q, want %q", got, tt.reason)
			}
			if n := w.server.Len(); n != 0 {
				t.Errorf("%d sessions are left", n)
			}
		})
	}
}

// TestShutdown ends everything, and nothing begins after it.
func TestShutdown(t *testing.T) {
	inBubble(t, "in time", func(t *testing.T) {
		w := serve(t, nil, nil)
		c := w.poller("EIO=4")
		get := c.begin("GET", c.base, "")
		s, session := w.open("EIO=4")
		session.Send(text("last"))
		done := make(chan error)
		go func() { done <- w.server.Shutdown(context.Background()) }()
		(<-get).want(t, 200, "1")
		s.want("4last", "end 1005")
		if err := <-done; err != nil {
			t.Errorf("Shutdown = %v", err)
		}
		w.request("GET", "EIO=4&transport=polling", "").want(t, 503, `{"code":3,"message":"Service unavailable"}`)
		if err := w.server.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown again = %v", err)
		}
	})
	inBubble(t, "out of time", func(t *testing.T) {
		w := serve(t, nil, nil)
		c := w.poller("EIO=4")
		w.open("EIO=4") // which is not read any more
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := w.server.Shutdown(ctx); err != context.DeadlineExceeded {
			t.Errorf("Shutdown = %v", err)
		}
		c.get().want(t, 400, `{"code":1,"message":"Session ID unknown"}`)
		if n := w.server.Len(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
}

// TestShutdownDuringHandler: a session whose handler returns too late is cut off.
func TestShutdownDuringHandler(t *testing.T) {
	for _, transport := range bothTransports {
		inBubble(t, string(transport), func(t *testing.T) {
			w, log := serve(t, nil, nil), new(journal)
			entered, leave := make(chan bool), make(chan bool)
			w.server.Handler = func(*engineio.Session) engineio.Receiver {
				close(entered)
				<-leave
				return collector{log}
			}
			dialed := make(chan error)
			go func() {
				s, err := engineio.Dial(context.Background(), "http://example.com", &engineio.DialOptions{
					NetDial: w.listener.Dial, NoUpgrade: true, Transports: []engineio.Transport{transport},
				})
				if err == nil {
					<-s.Context().Done()
				}
				dialed <- err
			}()
			<-entered
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			w.server.Shutdown(ctx)
			close(leave)
			<-dialed
			if got := log.take(); got != "closed: forced close" {
				t.Errorf("the receiver saw %q", got)
			}
			if n := w.server.Len(); n != 0 {
				t.Errorf("%d sessions are left", n)
			}
		})
	}
}

// TestSharedPacket: one packet for many sessions, whatever they are connected by.
func TestSharedPacket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, &engineio.Options{EIO3: true}, nil)
		data := []byte("\x01\x02")
		p, q := engineio.NewPacket(true, data), text("€")
		data[0] = 9 // it is ours again
		var logs []*journal
		for range 2 {
			for _, v := range variants {
				_, log := w.connect(v.dial)
				logs = append(logs, log)
			}
		}
		time.Sleep(time.Second)
		for s := range w.server.All() {
			if err := s.Send(p, q); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(time.Second)
		for i, log := range logs {
			if got := log.take(); got != "#0102; €" {
				t.Errorf("client %d received %q", i, got)
			}
		}
	})
}

// TestTexts are what logs show.
func TestTexts(t *testing.T) {
	got := fmt.Sprint(engineio.UnknownSession, ", ", engineio.ErrorCode(9), ", ", &engineio.RefusedError{Status: 403, Code: engineio.Forbidden})
	const want = "Session ID unknown, ErrorCode(9), engineio: refused with status 403: Forbidden"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !errors.Is(engineio.ErrClosed, net.ErrClosed) {
		t.Error("ErrClosed does not match net.ErrClosed")
	}
}

// TestWebSocketCompression: what is worth it is compressed, unless it was opted out.
func TestWebSocketCompression(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, &engineio.Options{Compression: &conn.Compression{}}, nil)
		w.dial.Compression = &conn.Compression{}
		s, session := w.open("EIO=4")
		long := strings.Repeat("compress me ", 100)
		session.Send(text(long), engineio.NewUncompressedPacket(false, []byte(long)), text("short"))
		s.want("4"+long, "4"+long, "4short")
		go s.next() // the reader counts when it waits
		synctest.Wait()
		if got := s.Stats().Received.Compressed; got != 1 {
			t.Errorf("%d messages were compressed, want 1", got)
		}
	})
}

// TestEndWhileWaiting: a request whose packets wait for those of an earlier one, when
// the session ends.
func TestEndWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, more := new(journal), make(chan bool)
		w := serve(t, nil, func(*engineio.Session) engineio.Receiver {
			return receiver{message: func(s *engineio.Session, _ bool, data []byte) {
				log.add("%s", data)
				if string(data) == "a" {
					s.Release()
				}
				<-more
			}}
		})
		c := w.poller("EIO=4")
		c.post("4a\x1e4b").want(t, 200, "ok")
		post := c.begin("POST", c.base, "4c")
		c.session.Close("")
		(<-post).want(t, 400, `{"code":1,"message":"Session ID unknown"}`)
		close(more)
		if got := log.take(); got != "a; b" {
			t.Errorf("the receiver saw %q", got)
		}
	})
}

// TestMoveWhileWaiting: a request whose body comes when the session has moved is
// refused.
func TestMoveWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, nil, nil)
		c := w.poller("EIO=4")
		body, rest := io.Pipe()
		answered := make(chan int)
		go func() {
			r, _ := http.NewRequest("POST", "http://example.com/?"+c.base, body)
			response, err := w.http.Do(r)
			if err != nil {
				t.Error(err)
				close(answered)
				return
			}
			response.Body.Close()
			answered <- response.StatusCode
		}()
		io.WriteString(rest, "4a")
		s := c.upgrade()
		s.send("2probe")
		s.want("3probe")
		s.send("5")
		synctest.Wait()
		rest.Close()
		if status := <-answered; status != 400 {
			t.Errorf("status %d, want 400", status)
		}
		s.send("4b")
		s.want("4b")
		if got := w.log.take(); got != "b" {
			t.Errorf("the receiver saw %q", got)
		}
	})
}

// TestNoLimits: everything that can be switched off.
func TestNoLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const off = engineio.NoLimit
		w := serve(t, &engineio.Options{UpgradeTimeout: off, BodyTimeout: off, WriteTimeout: off, CloseTimeout: off, MaxPayload: off, MaxPackets: off,
			MaxQueuedSize: off, MaxQueuedPackets: off, MaxSessions: off, MaxSessionsPerHost: off, CompressionMinSize: off,
			AllowRequest: func(*http.Request) error { return nil }}, nil)
		o := engineio.DialOptions{Timeout: off, RequestTimeout: off, UpgradeTimeout: off, MaxPayload: off, MaxPackets: off, MaxQueuedSize: off, MaxQueuedPackets: off}
		s, log := w.connect(o)
		long := strings.Repeat("x", 3<<20)
		for range 3 {
			if err := s.Send(text(long)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		if got := log.take(); got != long+"; "+long+"; "+long {
			t.Errorf("received %d octets", len(got))
		}
		if got := s.Stats(); got != (engineio.Stats{}) {
			t.Errorf("Stats = %+v", got)
		}
		s.Close("")
		time.Sleep(time.Second)
	})
}

// TestSendText: texts without a packet arrive in order with the others, over
// either transport and after the move from one to the other.
func TestSendText(t *testing.T) {
	for _, v := range variants {
		inBubble(t, v.name, func(t *testing.T) {
			w := serve(t, &engineio.Options{EIO3: true, InsecureAnyOrigin: true}, nil)
			log := new(journal)
			v.dial.NetDial = w.listener.Dial
			v.dial.Handler = func(*engineio.Session) engineio.Receiver {
				return receiver{message: func(_ *engineio.Session, binary bool, data []byte) {
					log.add("%v %.5s of %d", binary, data, len(data))
				}}
			}
			if _, err := engineio.Dial(context.Background(), "ws://example.com", &v.dial); err != nil {
				t.Fatal(err)
			}
			peer := <-w.sessions
			var want []string
			for i := range 20 {
				if err := peer.SendText(appends("\xff")); err != frame.ErrInvalidUTF8 {
					t.Errorf("SendText = %v, want ErrInvalidUTF8", err)
				}
				failed := errors.New("failed")
				if err := peer.SendText(func([]byte) ([]byte, error) { return nil, failed }); err != failed {
					t.Errorf("SendText = %v, want that of its function", err)
				}
				data := fmt.Sprint(i, strings.Repeat(" ", i*10_000))
				if err := errors.Join(peer.SendText(appends(data)), peer.Send(octets("o")), peer.Send(text("packet"))); err != nil {
					t.Fatal(err)
				}
				want = append(want, fmt.Sprintf("false %.5s of %d; true o of 1; false packe of 6", data, len(data)))
				time.Sleep(time.Duration(i) * time.Millisecond)
			}
			time.Sleep(time.Second)
			if diff := cmp.Diff(strings.Join(want, "; "), log.take()); diff != "" {
				t.Errorf("messages mismatch (-want +got):\n%s", diff)
			}
			peer.Close("")
			synctest.Wait()
			if err := peer.SendText(appends("late")); err != engineio.ErrClosed {
				t.Errorf("SendText = %v, want ErrClosed", err)
			}
		})
	}
}

// appends returns a function for SendText.
func appends(text string) func([]byte) ([]byte, error) {
	return func(dst []byte) ([]byte, error) { return append(dst, text...), nil }
}
