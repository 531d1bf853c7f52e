package socketio_test

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"testing"

	"example.org/rfc6455/handshake"
	"example.org/rfc6455/socketio"
)

// TestIdleMemory measures what an idle client with two handlers takes on the server,
// from the socket of the system up.
func TestIdleMemory(t *testing.T) {
	const clients = 500
	const ceiling = 10 << 10 // it takes half of that, and 7 KiB under the race detector
	server := &socketio.Server{Logger: slog.New(slog.DiscardHandler)}
	server.OnConnect(func(s *socketio.Socket) {
		s.On("chat message", func(text string) { server.Emit("chat message", text) })
		s.OnDisconnect(func(socketio.Reason, error) {})
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	front := &http.Server{Handler: server}
	defer front.Close()
	go front.Serve(l)
	request, err := handshake.AppendRequest(nil, &handshake.Offer{
		Target: "/socket.io/?EIO=4&transport=websocket", Host: "example.com", Key: handshake.NewKey(),
	})
	if err != nil {
		t.Fatal(err)
	}
	join := func() net.Conn {
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		nc.Write(request)
		r := bufio.NewReader(nc)
		if _, err := r.ReadString('}'); err != nil { // the session
			t.Fatal(err)
		}
		io.WriteString(nc, "\x81\x82\x00\x00\x00\x0040")
		if _, err := r.ReadString('}'); err != nil { // the socket
			t.Fatal(err)
		}
		return nc
	}
	inUse := func() (octets int64, goroutines int) {
		var m runtime.MemStats
		for range 3 { // pools keep what they hold for two cycles
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc + m.StackInuse), runtime.NumGoroutine()
	}
	join().Close() // what is set up once is set up
	before, goroutines := inUse()
	var all []net.Conn
	for range clients {
		all = append(all, join())
	}
	after, now := inUse()
	each := (after - before) / clients
	t.Logf("an idle client takes %d octets", each)
	if each > ceiling {
		t.Errorf("an idle client takes %d octets, want %d at most", each, ceiling)
	}
	if n := now - goroutines; n > clients+20 {
		t.Errorf("%d clients take %d goroutines, want one each", clients, n)
	}
	for _, c := range all {
		c.Close()
	}
}
