package engineio_test

import (
	"context"
	"fmt"
	"net/http"
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
	before := runtime.NumGoroutine()
	for range 5 {
		gaveUp, slowest := shortHeartbeats(t)
		waitFor(t, func() bool { return runtime.NumGoroutine() <= before })
		if len(gaveUp) == 0 {
			return
		}
		// A client whose requests take so long does not live as far as anybody can tell.
		if slowest < 50*time.Millisecond {
			t.Fatalf("the server gave up sessions that live: %v; the slowest request took %v", gaveUp, slowest)
		}
		t.Logf("the server gave up %d sessions; the slowest request took %v", len(gaveUp), slowest)
	}
	t.Skip("this machine is too busy for such a heartbeat")
}

// shortHeartbeats returns how the server's sessions that were given up were connected,
// and how long requests took beside them.
func shortHeartbeats(t *testing.T) (lost []string, slowest time.Duration) {
	const sessions = 200
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
	mux := http.NewServeMux()
	mux.Handle("/engine.io/", server)
	mux.HandleFunc("/nothing", func(http.ResponseWriter, *http.Request) {})
	front := httptest.NewServer(mux)
	var clients, requests sync.WaitGroup
	done := make(chan struct{})
	requests.Go(func() {
		for {
			began := time.Now()
			if r, err := http.Get(front.URL + "/nothing"); err == nil {
				r.Body.Close()
			}
			slowest = max(slowest, time.Since(began))
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
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
	close(done)
	requests.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	server.Shutdown(ctx)
	front.Close()
	mu.Lock()
	defer mu.Unlock()
	for id, how := range gaveUp["server"] {
		// A client alone does not see how busy the process is, and may have been first.
		if gaveUp["client"][id] == "" {
			lost = append(lost, how)
		}
	}
	return lost, slowest
}
