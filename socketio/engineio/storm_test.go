package engineio_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/rfc6455/socketio/engineio"
)

// TestShortHeartbeats: with a heartbeat of 300 and 200 milliseconds no session that
// lives is given up, although hundreds of them share the machine with the tests of
// other packages; and nothing is left when they end.
func TestShortHeartbeats(t *testing.T) {
	const sessions = 200
	before := runtime.NumGoroutine()
	var ended atomic.Pointer[string]
	closed := func(side string) func(*engineio.Session, engineio.CloseReason, error) {
		return func(s *engineio.Session, reason engineio.CloseReason, err error) {
			if reason == engineio.PingTimeout {
				ended.CompareAndSwap(nil, new(fmt.Sprintf("%s of %s %v: %s", side, s.Transport(), s.Protocol(), reason)))
			}
		}
	}
	server := &engineio.Server{
		Options: &engineio.Options{PingInterval: 300 * time.Millisecond, PingTimeout: 200 * time.Millisecond, EIO3: true},
		Handler: func(*engineio.Session) engineio.Receiver { return receiver{closed: closed("server")} },
	}
	front := httptest.NewServer(server)
	var clients sync.WaitGroup
	for i := range sessions {
		clients.Go(func() {
			v := variants[i%len(variants)]
			v.dial.Handler = func(*engineio.Session) engineio.Receiver { return receiver{closed: closed("client")} }
			s, err := engineio.Dial(context.Background(), front.URL, &v.dial)
			if err != nil {
				t.Error(err)
				return
			}
			select {
			case <-time.After(3 * time.Second):
				s.Close("")
			case <-s.Context().Done():
			}
		})
	}
	clients.Wait()
	if e := ended.Load(); e != nil {
		t.Errorf("a session ended although both sides were there: %s", *e)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	server.Shutdown(ctx)
	front.Close()
	waitFor(t, func() bool { return runtime.NumGoroutine() <= before })
}
