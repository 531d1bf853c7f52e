package conn_test

import (
	"bytes"
	"runtime"
	"testing"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/mask"
)

// TestManyFragmentsMemory: a long message in short fragments is not copied once
// for each of them.
func TestManyFragmentsMemory(t *testing.T) {
	const (
		size    = 4 << 20
		ceiling = 16 * size // octets allocated, by tests beside this one as well
	)
	payload := bytes.Repeat([]byte("fragment"), size/8)
	wire, err := frame.AppendMessage(nil, frame.Header{Opcode: frame.OpBinary}, payload, 1024, new(mask.Keys))
	if err != nil {
		t.Fatal(err)
	}
	a, b := conntest.Pipe(0)
	defer a.Close()
	c := conn.New(b, frame.Server, conn.Handshake{}, &conn.Options{MaxMessageSize: size})
	defer c.CloseNow()
	go a.Write(wire)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, p, err := c.ReadMessage(t.Context())
	runtime.ReadMemStats(&after)
	if err != nil || !bytes.Equal(p, payload) {
		t.Fatalf("ReadMessage = %d octets, %v; want those that were sent", len(p), err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > ceiling {
		t.Errorf("a message of %d octets took %d octets of memory, want at most %d", size, n, ceiling)
	}
}
