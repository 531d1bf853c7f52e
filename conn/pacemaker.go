package conn

import (
	"container/heap"
	"sync"
	"time"
)

// A pacemaker has the heartbeats of connections look after their peers when it is
// time. It is one timer for all of them, because a timer for each would take as
// much memory as a third of an idle connection. The zero value is ready.
type pacemaker struct {
	mu      sync.Mutex
	started time.Time   // when the first connection came
	timer   *time.Timer // set to when the first of pulses is due, or before; nil before started
	pulses  pulses
}

// set has c.pulse called after a time, and not when that was to happen until now.
func (p *pacemaker) set(c *Conn, after time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer == nil {
		p.started = time.Now()
		p.timer = time.AfterFunc(after, p.fire)
	}
	p.take(c)
	heap.Push(&p.pulses, pulse{time.Since(p.started) + after, c})
	if p.pulses[0].conn == c {
		p.timer.Reset(after)
	}
}

// remove has c.pulse called no more.
func (p *pacemaker) remove(c *Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.take(c)
	if len(p.pulses) == 0 {
		p.timer.Stop()
	}
}

// take takes c out of the pulses, if it is there. It needs mu.
func (p *pacemaker) take(c *Conn) {
	if slot := c.heartbeat.slot; slot > 0 {
		heap.Remove(&p.pulses, int(slot-1))
	}
}

// fire calls those whose time has come, each on a goroutine of its own.
func (p *pacemaker) fire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Since(p.started)
	for len(p.pulses) > 0 && p.pulses[0].at <= now {
		go heap.Pop(&p.pulses).(pulse).conn.pulse()
	}
	if len(p.pulses) > 0 {
		p.timer.Reset(p.pulses[0].at - now)
	}
}

// A pulse is when a heartbeat has something to do.
type pulse struct {
	at   time.Duration // after pacemaker.started
	conn *Conn
}

// Pulses are a heap, the next first. Each connection knows its place.
type pulses []pulse

func (p pulses) Len() int           { return len(p) }
func (p pulses) Less(i, j int) bool { return p[i].at < p[j].at }

func (p pulses) Swap(i, j int) {
	p[i], p[j] = p[j], p[i]
	p[i].conn.heartbeat.slot, p[j].conn.heartbeat.slot = int32(i+1), int32(j+1)
}

// Push implements [heap.Interface].
func (p *pulses) Push(x any) {
	*p = append(*p, x.(pulse))
	x.(pulse).conn.heartbeat.slot = int32(len(*p))
}

// Pop implements [heap.Interface].
func (p *pulses) Pop() any {
	last := len(*p) - 1
	x := (*p)[last]
	(*p)[last] = pulse{}
	*p = (*p)[:last]
	x.conn.heartbeat.slot = 0
	return x
}
