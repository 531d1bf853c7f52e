package engineio_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.org/rfc6455/handshake"
	"example.org/rfc6455/socketio/engineio"
)

// inUse returns the octets of live heap and of stacks, and the goroutines.
func inUse() (heap, stacks int64, goroutines int) {
	var m runtime.MemStats
	for range 3 { // pools keep what they hold for two cycles
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc), int64(m.StackInuse), runtime.NumGoroutine()
}

// TestIdleMemory: what a session takes while nothing happens, and that nothing is
// left of it afterwards.
func TestIdleMemory(t *testing.T) {
	const sessions = 500
	// The fields that a browser sends.
	header := http.Header{
		"User-Agent":      {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36"},
		"Accept-Encoding": {"gzip, deflate, br, zstd"},
		"Accept-Language": {"en-US,en;q=0.9"},
		"Cookie":          {"session=" + strings.Repeat("c", 100)},
	}
	offer, err := handshake.AppendRequest(nil, &handshake.Offer{
		Target: "/engine.io/?EIO=4&transport=websocket", Host: "example.com", Key: handshake.NewKey(), Extra: handshake.Lines(header),
	})
	if err != nil {
		t.Fatal(err)
	}
	var get strings.Builder
	fmt.Fprint(&get, "GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n")
	header.Write(&get)
	fmt.Fprint(&get, "\r\n")

	tests := []struct {
		name       string
		request    string
		keep       bool  // whether the connection stays
		ceiling    int64 // of which stacks may be 8 KiB under the race detector
		goroutines int   // of each session
	}{
		{"websocket", string(offer), true, 16 << 10, 1},
		{"polling", get.String(), false, 4 << 10, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			server := &engineio.Server{Handler: func(*engineio.Session) engineio.Receiver { return receiver{} }}
			front := &http.Server{Handler: server}
			go front.Serve(l)
			dial := func() net.Conn {
				nc, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				io.WriteString(nc, tt.request)
				if !tt.keep {
					io.ReadAll(nc)
					nc.Close()
					return nc
				}
				r := bufio.NewReaderSize(nc, 1<<10)
				for { // the head of the response, then the handshake of the session
					line, err := r.ReadString('\n')
					if err != nil {
						t.Fatal(err)
					}
					if line == "\r\n" {
						break
					}
				}
				if _, err := r.ReadString('}'); err != nil {
					t.Fatal(err)
				}
				return nc
			}
			dial().Close() // what is set up once is set up
			heap, stacks, goroutines := inUse()
			peers := make([]net.Conn, sessions)
			for i := range peers {
				peers[i] = dial()
			}
			waitFor(t, func() bool { return server.Len() >= sessions })
			time.Sleep(50 * time.Millisecond) // for the goroutines of net/http
			heap2, stacks2, goroutines2 := inUse()
			each, stack := (heap2-heap)/sessions, (stacks2-stacks)/sessions
			t.Logf("an idle session takes %d octets of heap and %d of stack", each, stack)
			if each+stack > tt.ceiling {
				t.Errorf("an idle session takes %d octets, want %d at most", each+stack, tt.ceiling)
			}
			if n := goroutines2 - goroutines; n > tt.goroutines*sessions+10 {
				t.Errorf("%d sessions take %d goroutines, want %d each", sessions, n, tt.goroutines)
			}
			for _, p := range peers {
				p.Close()
			}
			for s := range server.All() {
				if !tt.keep {
					s.Close("")
				}
			}
			ctx, cancel := contextWithTimeout(t)
			defer cancel()
			server.Shutdown(ctx)
			front.Close()
			waitFor(t, func() bool { return runtime.NumGoroutine() <= goroutines })
		})
	}
}
