package rivals_test

import (
	"testing"
	"time"
)

// A pace measures the fastest of many short runs of a benchmark, which is what an
// operation costs on a machine that has other work now and then: the mean says
// more about that work.
type pace struct {
	run   int // operations in a run
	n     int // of them done
	start time.Time
	least time.Duration // of a run
}

// newPace returns a pace for operations on messages of size octets.
func newPace(size int) *pace { return &pace{run: max(32<<10/(size+512), 1)} }

// done is called after each operation.
func (p *pace) done() {
	if p.n--; p.n > 0 {
		return
	}
	now := time.Now()
	if took := now.Sub(p.start); !p.start.IsZero() && (p.least == 0 || took < p.least) {
		p.least = took
	}
	p.n, p.start = p.run, now
}

// report makes the fastest run the benchmark's time, if there was one.
func (p *pace) report(b *testing.B) {
	if p.least > 0 {
		b.ReportMetric(float64(p.least.Nanoseconds())/float64(p.run), "ns/op")
	}
}
