package engineio_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"example.org/rfc6455/socketio/engineio"
)

// TestShortHeartbeats: with a heartbeat of 300 and 200 milliseconds a server gives up
// no session that lives, although hundreds of them and their clients share the machine
// with the tests of other packages; and nothing is left when they end.
func TestShortHeartbeats(t *testing.T) {
	const sessions = 200
	before := runtime.NumGoroutine()
	var mu sync.Mutex
	gaveUp := map[string]map[string]string{"server": {}, "client": {}} // side, id, transport
	closed := func(side string) func(*engineio.Session, engineio.CloseReason, error) {
		return func(s *engineio.Session, reason engineio.CloseReason, err error) {
			if reason == engineio.PingTimeout {
				mu.Lock()
				defer mu.Unlock()
				gaveUp[side][s.ID()] = fmt.Sprintf("%s, %v", s.Transport(), s.Protocol())
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
			case <-time.After(2 * time.Second):
				s.Close("")
			case <-s.Context().Done():
			}
		})
	}
	clients.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	server.Shutdown(ctx)
	front.Close()
	mu.Lock()
	defer mu.Unlock()
	for id, how := range gaveUp["server"] {
		// A client alone does not see how busy the process is, and may have been first.
		if gaveUp["client"][id] == "" {
			t.Errorf("the server gave up a session that lives: %s", how)
		}
	}
	waitFor(t, func() bool { return runtime.NumGoroutine() <= before })
}
