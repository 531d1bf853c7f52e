package engineio

import (
	"testing"
	"time"

	"example.org/rfc6455/socketio/engineio/codec"
)

// TestHeartbeatStates: what is due at which time, step by step, for the side that
// pings and the side that waits for pings.
func TestHeartbeatStates(t *testing.T) {
	const interval, timeout = 300 * time.Millisecond, 200 * time.Millisecond
	type step struct {
		after    time.Duration // since the start
		received codec.Type    // unless it is Open
		deaf     bool
		woken    bool
		want     duty // if nothing was received
		due      time.Duration
	}
	tests := []struct {
		name  string
		pings bool
		steps []step
	}{
		{"silence", true, []step{
			{after: 299 * time.Millisecond, want: nothing, due: 300 * time.Millisecond},
			{after: 300 * time.Millisecond, want: ping, due: 500 * time.Millisecond},
			{after: 499 * time.Millisecond, want: nothing, due: 500 * time.Millisecond},
			{after: 500 * time.Millisecond, want: bury, due: 500 * time.Millisecond},
		}},
		{"silence of who has to ping", false, []step{
			{after: 499 * time.Millisecond, want: nothing, due: 500 * time.Millisecond},
			{after: 500 * time.Millisecond, want: bury, due: 500 * time.Millisecond},
		}},
		{"a little late", true, []step{
			{after: 310 * time.Millisecond, want: ping, due: 500 * time.Millisecond},
			{after: 510 * time.Millisecond, want: bury, due: 500 * time.Millisecond},
		}},
		{"late", true, []step{
			{after: 310 * time.Millisecond, want: ping, due: 500 * time.Millisecond},
			{after: 520 * time.Millisecond, want: nothing, due: 720 * time.Millisecond},
		}},
		{"a reader that waits", true, []step{
			{after: 300 * time.Millisecond, want: ping, due: 500 * time.Millisecond},
			{after: 500 * time.Millisecond, woken: true, want: nothing, due: 512500 * time.Microsecond},
			{after: 512500 * time.Microsecond, woken: true, want: bury, due: 512500 * time.Microsecond},
		}},
		{"a ping that was late", true, []step{
			{after: 400 * time.Millisecond, want: ping, due: 600 * time.Millisecond},
		}},
		{"a process that was stopped", true, []step{
			{after: 300 * time.Millisecond, want: ping, due: 500 * time.Millisecond},
			{after: time.Hour, want: nothing, due: time.Hour + timeout},
			{after: time.Hour + timeout, want: nothing, due: time.Hour + 2*timeout},
			{after: time.Hour + 2*timeout, want: bury, due: time.Hour + 2*timeout},
		}},
		{"a receiver that is busy", true, []step{
			{after: 300 * time.Millisecond, want: ping, due: 500 * time.Millisecond},
			{after: 500 * time.Millisecond, deaf: true, want: nothing, due: 700 * time.Millisecond},
			{after: 700 * time.Millisecond, deaf: true, want: nothing, due: 900 * time.Millisecond},
			{after: 900 * time.Millisecond, want: nothing, due: 1100 * time.Millisecond},
			{after: 1100 * time.Millisecond, want: bury, due: 1100 * time.Millisecond},
		}},
		{"a sign of life", true, []step{
			{after: 300 * time.Millisecond, want: ping, due: 500 * time.Millisecond},
			{after: 400 * time.Millisecond, received: codec.Message, due: 500 * time.Millisecond},
			{after: 500 * time.Millisecond, want: nothing, due: 700 * time.Millisecond},
			{after: 600 * time.Millisecond, received: codec.Message, due: 700 * time.Millisecond},
			{after: 700 * time.Millisecond, want: bury, due: 700 * time.Millisecond},
		}},
		{"pongs that nobody asked for", true, []step{
			{after: 100 * time.Millisecond, received: codec.Pong, due: 300 * time.Millisecond},
			{after: 300 * time.Millisecond, want: ping, due: 500 * time.Millisecond},
			{after: 500 * time.Millisecond, want: bury, due: 500 * time.Millisecond},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			h := heartbeat{interval: interval, timeout: timeout, pings: tt.pings}
			h.start(start)
			for i, s := range tt.steps {
				if s.received != codec.Open {
					h.received(s.received)
				} else if got := h.expired(start.Add(s.after), s.deaf, s.woken); got != s.want {
					t.Fatalf("step %d: duty %d, want %d", i, got, s.want)
				}
				if got := h.due.Sub(start); got != s.due {
					t.Fatalf("step %d: due after %v, want %v", i, got, s.due)
				}
			}
		})
	}
}

func TestQueue(t *testing.T) {
	a, b, c := NewPacket(false, []byte("a")), NewPacket(true, make([]byte, 300)), NewPacket(false, []byte("c"))
	var q queue
	if !q.push([]*Packet{b, b}, 1, 100) {
		t.Error("an empty queue takes everything")
	}
	if q.push([]*Packet{a}, 2, NoLimit) || q.push([]*Packet{a}, 100, 2*316+16) {
		t.Error("a full queue takes something")
	}
	if !q.push([]*Packet{a}, 3, 2*316+17) {
		t.Error("a queue does not take what just fits")
	}
	q.add(c)
	for i, want := range [][]*Packet{{b}, {b, a}, {c}, {}} {
		got := q.takeSome(416 + 17 + 16)
		if i == 0 {
			q.putBack(got)
			got = q.takeSome(1) // one is taken in any case
		}
		if len(got) != len(want) {
			t.Fatalf("take %d returns %d packets, want %d", i, len(got), len(want))
		}
		for j := range want {
			if got[j] != want[j] {
				t.Errorf("take %d, packet %d is another one", i, j)
			}
		}
	}
	if q.octets != 0 || q.packets != nil {
		t.Errorf("an empty queue counts %d octets, %v", q.octets, q.packets)
	}
	q.push([]*Packet{a, c}, 9, 999)
	if got := q.takeSome(0); len(got) != 2 {
		t.Errorf("without a limit %d packets are taken, want 2", len(got))
	}
}
