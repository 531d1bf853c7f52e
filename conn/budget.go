package conn

import (
	"math"
	"runtime/debug"
	"sync"
	"time"
)

const (
	// freePartial is up to how many octets of a message cost nothing of a
	// MemoryBudget.
	freePartial = 64 << 10
	// minStall is for how long no octet has come of a message that is given up for
	// others.
	minStall = time.Second
	// defaultBudget is the standard limit where the runtime has none.
	defaultBudget = 512 << 20
)

// A MemoryBudget limits what the messages that many connections receive at the
// same time take together. Options.MaxMessageSize holds for each of them; that
// times the number of connections may be more than a process has.
//
// Messages of 64 KiB and less cost nothing of it. A connection whose message is
// longer and finds it used up is failed with 1013 (RFC 6455, Section 7.4, and the
// registry of IANA), unless others have waited for the next octet of theirs for a
// second: then the one that has for longest is. [MessageReader] holds no messages.
//
// The zero value is ready. Limit must be set before the budget is used. The
// methods may be called concurrently. A MemoryBudget must not be copied.
type MemoryBudget struct {
	// Limit is in octets. Zero means a quarter of the memory limit of the runtime
	// (GOMEMLIMIT), and 512 MiB if it has none; negative that there is no limit.
	Limit int64

	mu    sync.Mutex
	limit int64           // Limit with its default; zero before the first use
	used  int64           // sum of charges
	loans map[*Conn]int64 // octets of the message in each connection
}

// standardBudget is that of connections without one of their own.
var standardBudget MemoryBudget

// InUse returns how many octets are taken.
func (b *MemoryBudget) InUse() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// charge changes what the message in c takes to size octets. If that is too much
// others are given up for it, or it reports false. It reports false as well when
// the connection has ended.
func (b *MemoryBudget) charge(c *Conn, size int64) bool {
	b.mu.Lock()
	victims, ok := b.lend(c, size)
	b.mu.Unlock()
	for _, v := range victims {
		v.evict()
	}
	return ok
}

// lend is charge, which also returns whom it gives up. It needs mu.
func (b *MemoryBudget) lend(c *Conn, size int64) (victims []*Conn, ok bool) {
	if b.limit == 0 {
		b.limit = b.Limit
		limit(&b.limit, standardLimit(), math.MaxInt64)
		b.loans = map[*Conn]int64{}
	}
	if c.ended.Load() != nil {
		return nil, false
	}
	size -= b.loans[c]
	for size > b.limit-b.used {
		v := b.stalled(c)
		if v == nil {
			return victims, false
		}
		b.settle(v)
		victims = append(victims, v)
	}
	b.loans[c] += size
	b.used += size
	return victims, true
}

// standardLimit returns the limit of a budget that has none of its own.
func standardLimit() int64 {
	if most := debug.SetMemoryLimit(-1); most < math.MaxInt64 {
		return max(most/4, 1)
	}
	return defaultBudget
}

// stalled returns the connection, other than c, that has waited longest for the
// next octet of its message, or nil if none has for minStall. It needs mu.
func (b *MemoryBudget) stalled(c *Conn) (longest *Conn) {
	since := time.Now().Add(-minStall)
	for v := range b.loans {
		if at, ok := v.stalledSince(); ok && v != c && !at.After(since) {
			longest, since = v, at
		}
	}
	return longest
}

// release gives back what c has taken.
func (b *MemoryBudget) release(c *Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.settle(c)
}

// settle is release with mu held.
func (b *MemoryBudget) settle(c *Conn) {
	b.used -= b.loans[c]
	delete(b.loans, c)
}

// charge charges the message being read, if that has changed.
func (c *Conn) charge() error {
	if size := int64(cap(c.message)); size <= freePartial || size == c.charged {
		return nil
	}
	return c.chargeMore()
}

func (c *Conn) chargeMore() error {
	c.charged = int64(cap(c.message))
	if !c.options.MemoryBudget.charge(c, c.charged) {
		return c.fail(ErrMemoryBudget)
	}
	return nil
}

// dropMessage gives up the message that was read, or a part of one. The buffer is
// the caller's.
func (c *Conn) dropMessage() (buf []byte) {
	if c.charged > 0 {
		c.options.MemoryBudget.release(c)
		c.charged = 0
	}
	buf = c.message
	c.message, c.partial = nil, false
	return buf
}

// stallsAt notes that the reader waits for the next octet of a message since the
// time at; zero is the end of that.
func (c *Conn) stallsAt(at time.Time) {
	if c.charged == 0 {
		return
	}
	if at.IsZero() {
		c.stalls.Store(0)
	} else {
		c.stalls.Store(1 + int64(at.Sub(c.opened)))
	}
}

// stalledSince returns the time that stallsAt noted.
func (c *Conn) stalledSince() (at time.Time, ok bool) {
	d := c.stalls.Load()
	return c.opened.Add(time.Duration(d - 1)), d > 0
}

// evict has the reader give up its message.
func (c *Conn) evict() {
	c.evicted.Store(true)
	c.readInterrupt().poke()
}
