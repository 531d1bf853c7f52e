package conn

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestPulses: whatever is added and removed, the first is the next, and each
// connection knows its place.
func TestPulses(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var p pulses
	want := map[*Conn]time.Duration{}
	for step := range 10_000 {
		if grow := step/1000%2 == 0; len(p) == 0 || grow && random.IntN(3) > 0 {
			x := pulse{time.Duration(random.IntN(100)), new(Conn)}
			p.add(x)
			want[x.conn] = x.at
		} else {
			c := p[random.IntN(len(p))].conn
			p.remove(int(c.heartbeat.slot) - 1)
			if delete(want, c); c.heartbeat.slot != 0 {
				t.Fatalf("slot = %d after it was removed", c.heartbeat.slot)
			}
		}
		if len(p) != len(want) {
			t.Fatalf("%d pulses, want %d", len(p), len(want))
		}
		for i, x := range p {
			if at, ok := want[x.conn]; !ok || at != x.at || int(x.conn.heartbeat.slot) != i+1 {
				t.Fatalf("at index %d is %v in slot %d; want %v, %v", i, x.at, x.conn.heartbeat.slot, at, ok)
			}
			if i > 0 && x.at < p[(i-1)/2].at {
				t.Fatalf("index %d is before the one above", i)
			}
		}
	}
}
