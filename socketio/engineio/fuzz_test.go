package engineio_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/socketio/engineio"
)

// FuzzServer: whatever a client does with a session, in whatever order, the receiver
// is told of the end once and of no message after it, what was sent arrives at most
// once, and nothing is left when the server is shut down.
//
// Each octet of the script is a step: its low four bits say which, the others choose.
func FuzzServer(f *testing.F) {
	for _, script := range []string{
		"\x00\x01\x02\x01\x08",                 // polls and messages
		"\x05\x06\x16\x07\x17\x06\x02\x05",     // an upgrade
		"\x02\x03\x13\x23\x33\x43",             // bodies that are none
		"\x01\x01\x00",                         // two polls
		"\x05\x15\x06\x09\x16\x0a\x02",         // an upgrade with the end in it
		"\x0b\x0b\x01\x0b\x0c\x01",             // time passes
		"\x02\x12\x22\x01\x05\x06\x04\x16\x02", // a poll that is dropped while the session moves
	} {
		f.Add(script, false)
		f.Add(script, true)
	}
	f.Fuzz(func(t *testing.T, script string, revision3 bool) {
		if len(script) > 40 {
			return
		}
		synctest.Test(t, func(t *testing.T) { runScript(t, script, revision3) })
	})
}

// bodies are what is posted, in both revisions.
var bodies = [2][]string{
	{"4a", "4a\x1e4b", "b!", "", "1", "3", "2", "5", "4a\x1e1\x1e4b", "x"},
	{"2:4a", "2:4a2:4b", "4:b4!!", "", "1:1", "1:2", "1:3", "1:5", "2:4a1:12:4b", "9:x"},
}

// frames are what is sent over a WebSocket.
var frames = []string{"2probe", "5", "4a", "2", "3", "1", "", "6", "4b", "x"}

func runScript(t *testing.T, script string, revision3 bool) {
	sent := 0
	var ended, busy, after, released atomic.Int32
	r := receiver{
		message: func(s *engineio.Session, _ bool, data []byte) {
			if n := busy.Add(1); n > 1+released.Load() {
				t.Error("two messages at once")
			}
			defer busy.Add(-1)
			if ended.Load() > 0 && after.Add(1) > 1 {
				t.Errorf("message %q after the end", data)
			}
			if string(data) == "b" {
				time.Sleep(time.Second)
			}
		},
		closed: func(*engineio.Session, engineio.CloseReason, error) { ended.Add(1) },
	}
	w := serve(t, &engineio.Options{EIO3: true, MaxQueuedPackets: 8}, func(*engineio.Session) engineio.Receiver { return r })
	base, own := "EIO=4", bodies[0]
	if revision3 {
		base, own = "EIO=3", bodies[1]
	}
	c := w.poller(base)
	ctx, drop := context.WithCancel(context.Background())
	defer func() { drop() }()
	var sockets []*socket
	var mu sync.Mutex
	seen := map[int]bool{} // the numbers that arrived
	arrived := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		var n int
		for part := range strings.FieldsFuncSeq(text, func(c rune) bool { return c == 0x1e || c == ':' }) {
			if _, err := fmt.Sscanf(part, "4n%d.", &n); err == nil {
				if seen[n] || n >= sent {
					t.Errorf("%d arrives, of %d, and %v before", n, sent, seen)
				}
				seen[n] = true
			}
		}
	}
	for _, step := range []byte(script) {
		choice := int(step >> 4)
		switch step & 15 {
		case 0, 1:
			ctx := ctx
			go func() { arrived(c.requestContext(ctx, "GET", c.base, "").body) }()
		case 2:
			mu.Lock()
			n := sent
			sent++
			mu.Unlock()
			c.session.Send(text(fmt.Sprintf("n%d.", n)))
		case 3:
			go c.request("POST", c.base, own[choice%len(own)])
		case 4:
			drop()
			ctx, drop = context.WithCancel(context.Background())
		case 5:
			a := c.webSocketOrNot()
			if a == nil {
				continue
			}
			sockets = append(sockets, a)
			go func() {
				for {
					_, p, err := a.ReadMessage(context.Background())
					if err != nil {
						return
					}
					arrived(string(p))
				}
			}()
		case 6, 7:
			if n := len(sockets); n > 0 {
				sockets[n-1].WriteMessage(context.Background(), frame.OpText, []byte(frames[choice%len(frames)]))
			}
		case 8:
			time.Sleep(time.Duration(choice) * 50 * time.Millisecond)
		case 9:
			c.session.Close("")
		case 10:
			if n := len(sockets); n > 0 {
				sockets[n-1].CloseNow()
			}
		case 11:
			time.Sleep(time.Duration(choice+1) * 5 * time.Second)
		case 12:
			released.Add(1)
			c.session.Release()
		default:
			c.session.Writable()
			c.session.Stats()
		}
		if choice%2 == 0 {
			synctest.Wait()
		}
	}
	stop, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	w.server.Shutdown(stop)
	drop()
	time.Sleep(time.Minute)
	if n := ended.Load(); n != 1 {
		t.Errorf("the receiver was told of the end %d times", n)
	}
	if n := w.server.Len(); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}
