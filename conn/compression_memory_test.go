//go:build !race

package conn_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"
	"testing"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
)

// The race detector has pools forget at random, and memory of its own.

// Once warm, a message there and back costs no memory if it is whole, and as a
// stream no more than without compression.
func TestCompressedAllocs(t *testing.T) {
	ctx := context.Background()
	b := make([]byte, 4096)
	ways := []struct {
		name string
		send func(c *conn.Conn, p []byte) error
		read func(c *conn.Conn) (int, error)
	}{
		{"whole", func(c *conn.Conn, p []byte) error { return c.WriteMessage(ctx, frame.OpBinary, p) },
			func(c *conn.Conn) (int, error) {
				_, p, err := c.ReadMessage(ctx)
				return len(p), err
			}},
		{"stream", func(c *conn.Conn, p []byte) error {
			w, err := c.NextWriter(frame.OpBinary)
			if err != nil {
				return err
			}
			if _, err := w.Write(ctx, p); err != nil {
				return err
			}
			return w.Close(ctx)
		}, func(c *conn.Conn) (n int, err error) {
			r, err := c.NextReader(ctx)
			for err == nil {
				var more int
				more, err = r.Read(ctx, b)
				n += more
			}
			if err == io.EOF {
				err = nil
			}
			return n, err
		}},
	}
	allocs := func(t *testing.T, role frame.Role, agreed *deflate.Params, way int, n int) float64 {
		sender, receiver := newStretch(role, agreed, 0)
		defer sender.CloseNow()
		defer receiver.CloseNow()
		p := []byte(lines(n))
		run := func() {
			if err := ways[way].send(sender, p); err != nil {
				t.Fatal(err)
			}
			if got, err := ways[way].read(receiver); got != len(p) || err != nil {
				t.Fatalf("%d octets are read, %v", got, err)
			}
		}
		for range 20 {
			run()
		}
		return testing.AllocsPerRun(100, run)
	}
	for _, role := range []frame.Role{frame.Server, frame.Client} {
		for way := range ways {
			for _, n := range []int{200, 20_000, 300_000} {
				plain := 0.0
				if ways[way].name == "stream" {
					plain = allocs(t, role, nil, way, n)
				}
				for _, agreed := range []*deflate.Params{alone, together} {
					t.Run(fmt.Sprintf("%v/%v/%s/%d octets", role, agreed.ServerNoContextTakeover, ways[way].name, n), func(t *testing.T) {
						// Less than one more: a collection may empty the pools.
						if n := allocs(t, role, agreed, way, n); n >= plain+1 {
							t.Errorf("a message there allocates %v times; want %v", n, plain)
						}
					})
				}
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
		bits int
		most int64 // octets for each
	}{{15, 100 << 10}, {12, 24 << 10}, {10, 8 << 10}}
	p := []byte(lines(40_000))
	grow := func(agreed *deflate.Params) int64 {
		before := heap()
		waits, closed := make(chan struct{}, conns), make(chan struct{})
		var reading sync.WaitGroup
		for range conns {
			s := &stretch{waits: waits, closed: closed}
			o := &conn.Options{PingInterval: conn.NoLimit, Compression: compressAll}
			c := conn.New(s, frame.Server, conn.Handshake{Deflate: agreed}, o)
			// After a large one, small ones that fill what room there is.
			for _, n := range []int{len(p), 10_000, 10_000, 500} {
				if err := c.WriteMessage(context.Background(), frame.OpBinary, p[:n]); err != nil {
					t.Fatal(err)
				}
				s.Buffer.Reset()
			}
			large := encode(t, frame.Client, frame.FIN, frame.OpBinary, p)
			if agreed != nil {
				large = encode(t, frame.Client, frame.FIN|frame.RSV1, frame.OpBinary, packWithin(t, p, agreed))
			}
			// A small one at the end has all wait with a buffer of the same size.
			for _, wire := range [][]byte{large, encode(t, frame.Client, frame.FIN, frame.OpBinary, p[:1])} {
				s.Buffer = bytes.Buffer{}
				s.Write(wire)
				if _, _, err := c.ReadMessage(context.Background()); err != nil {
					t.Fatal(err)
				}
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
	plain, without := grow(nil), grow(alone)
	t.Logf("without takeover: %d octets for each connection", (without-plain)/conns)
	if each := (without - plain) / conns; each > 512 {
		t.Errorf("without takeover: %d octets for each connection, want nothing to speak of", each)
	}
	// The same with takeover, so that what else differs does not count.
	for _, tt := range tests {
		each := (grow(&deflate.Params{ServerMaxWindowBits: tt.bits, ClientMaxWindowBits: tt.bits}) - without) / conns
		t.Logf("%d bits: %d octets for each connection", tt.bits, each)
		if each > tt.most {
			t.Errorf("%d bits: %d octets for each connection, want at most %d", tt.bits, each, tt.most)
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
