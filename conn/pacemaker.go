package conn

import (
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
	p.pulses.add(pulse{time.Since(p.started) + after, c})
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
		p.pulses.remove(int(slot - 1))
	}
}

// fire calls those whose time has come, each on a goroutine of its own.
func (p *pacemaker) fire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Since(p.started)
	for len(p.pulses) > 0 && p.pulses[0].at <= now {
		c := p.pulses[0].conn
		p.pulses.remove(0)
		go c.pulse()
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

// Pulses are a heap, the next first. Each connection knows its place. It is not one of
// package heap because that allocates for what is added and removed.
type pulses []pulse

// add adds x.
func (p *pulses) add(x pulse) {
	*p = append(*p, x)
	p.rise(len(*p)-1, x)
}

// remove removes the pulse with index i.
func (p *pulses) remove(i int) {
	(*p)[i].conn.heartbeat.slot = 0
	end := len(*p) - 1
	last := (*p)[end]
	(*p)[end] = pulse{}
	*p = (*p)[:end]
	switch {
	case i == end:
	case i > 0 && last.at < (*p)[(i-1)/2].at:
		p.rise(i, last)
	default:
		p.sink(i, last)
	}
}

// rise puts x at index i, which is free, or above those that are later.
func (p pulses) rise(i int, x pulse) {
	for i > 0 && x.at < p[(i-1)/2].at {
		p.put(i, p[(i-1)/2])
		i = (i - 1) / 2
	}
	p.put(i, x)
}

// sink puts x at index i, which is free, or below those that are sooner.
func (p pulses) sink(i int, x pulse) {
	for {
		below := 2*i + 1
		if below+1 < len(p) && p[below+1].at < p[below].at {
			below++
		}
		if below >= len(p) || x.at <= p[below].at {
			break
		}
		p.put(i, p[below])
		i = below
	}
	p.put(i, x)
}

func (p pulses) put(i int, x pulse) {
	p[i] = x
	x.conn.heartbeat.slot = int32(i + 1)
}
