//go:build !race

package conn_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
)

// The race detector has pools forget at random, and memory of its own.

// Once warm, a message there and back costs no memory.
func TestCompressedAllocs(t *testing.T) {
	for _, role := range []frame.Role{frame.Server, frame.Client} {
		for _, agreed := range []*deflate.Params{alone, together} {
			for _, n := range []int{200, 20_000, 300_000} {
				t.Run(fmt.Sprintf("%v/%v/%d octets", role, agreed.ServerNoContextTakeover, n), func(t *testing.T) {
					sender, receiver := newStretch(role, agreed, 0)
					defer sender.CloseNow()
					defer receiver.CloseNow()
					ctx, p := context.Background(), []byte(lines(n))
					run := func() {
						if err := sender.WriteMessage(ctx, frame.OpBinary, p); err != nil {
							t.Fatal(err)
						}
						if _, got, err := receiver.ReadMessage(ctx); len(got) != len(p) || err != nil {
							t.Fatalf("ReadMessage = %d octets, %v", len(got), err)
						}
					}
					for range 20 {
						run()
					}
					// Less than one: a collection may empty the pools.
					if n := testing.AllocsPerRun(100, run); n >= 1 {
						t.Errorf("a message there allocates %v times", n)
					}
				})
			}
		}
	}
}

// heap returns how many octets are in use.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// What compression holds for an idle connection that has sent and received much.
func TestCompressedMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 1,000 connections")
	}
	const conns = 1000
	tests := []struct {
		bits     int
		takeover bool
		most     int64 // octets for each
	}{
		{15, true, 100 << 10},
		{12, true, 24 << 10},
		{10, true, 8 << 10},
		{15, false, 512},
	}
	p := []byte(lines(140_000))
	grow := func(agreed *deflate.Params) int64 {
		before := heap()
		waits, closed := make(chan struct{}, conns), make(chan struct{})
		var reading sync.WaitGroup
		for range conns {
			s := &stretch{waits: waits, closed: closed}
			o := &conn.Options{PingInterval: conn.NoLimit, Compression: compressAll}
			c := conn.New(s, frame.Server, conn.Handshake{Deflate: agreed}, o)
			if err := c.WriteMessage(context.Background(), frame.OpBinary, p); err != nil {
				t.Fatal(err)
			}
			s.Buffer = bytes.Buffer{}
			s.Write(encode(t, frame.Client, frame.FIN, frame.OpBinary, p[:1]))
			if agreed != nil {
				s.Buffer = bytes.Buffer{}
				s.Write(encode(t, frame.Client, frame.FIN|frame.RSV1, frame.OpBinary, packWithin(t, p, agreed)))
			}
			if _, _, err := c.ReadMessage(context.Background()); err != nil {
				t.Fatal(err)
			}
			s.Buffer = bytes.Buffer{}
			reading.Go(func() { c.ReadMessage(context.Background()) })
			<-waits
		}
		after := heap()
		close(closed)
		reading.Wait()
		return after - before
	}
	plain := grow(nil)
	for _, tt := range tests {
		each := (grow(&deflate.Params{
			ServerNoContextTakeover: !tt.takeover, ClientNoContextTakeover: !tt.takeover,
			ServerMaxWindowBits: tt.bits, ClientMaxWindowBits: tt.bits,
		}) - plain) / conns
		t.Logf("%d bits, takeover = %v: %d octets for each connection", tt.bits, tt.takeover, each)
		if each > tt.most {
			t.Errorf("%d bits, takeover = %v: %d octets for each connection, want at most %d", tt.bits, tt.takeover, each, tt.most)
		}
	}
}

// packWithin compresses a message within what was agreed on.
func packWithin(t *testing.T, p []byte, agreed *deflate.Params) []byte {
	t.Helper()
	c, err := deflate.NewCompressor(agreed.ClientMaxWindowBits, deflate.NoTakeover, deflate.Fast)
	if err != nil {
		t.Fatal(err)
	}
	return c.AppendPiece(nil, p, true)
}
