// Package conntest helps to test code on WebSocket connections without a
// network: a connection in memory, and connections that misbehave on demand.
//
// [Pipe] returns the two ends of a buffered octet stream that keeps the habits
// of TCP: writes succeed before the peer reads, a direction can be closed by
// itself, and a reset destroys what has not been read. [net.Pipe] has none of
// these, and hides the mistakes that depend on them.
//
// [Inject] adds faults to any connection, a [Pipe] or a real one. A [Faults]
// value says which, one [Flow] for each direction, so that a table of them reads
// as a list of mishaps:
//
//	{"one octet at a time", conntest.Faults{Read: conntest.Flow{Split: 1}}},
//	{"cut inside the header", conntest.Faults{Read: conntest.Flow{After: 1, Then: conntest.Truncate}}},
//	{"peer stops reading", conntest.Faults{Write: conntest.Flow{After: 4096, Then: conntest.Stall}}},
//
// Faults that follow one another in the same direction take an Inject each, one
// around the other.
//
// [Pair] returns a client and a server that are connected by a Pipe. A
// [Listener] joins a server and the clients that dial it, opening handshake and
// all.
//
// # Time
//
// Everything in this package blocks in a way that [testing/synctest] can see,
// and takes its timers from the bubble it is called in. Inside a bubble a
// deadline an hour away is a test of microseconds, at the exact time, and a test
// whose goroutines wait for each other fails instead of hanging. Make the pipe
// inside the bubble:
//
//	func TestStalledPeer(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			a, _ := conntest.Pipe(0)
//			c := conntest.Inject(a, conntest.Faults{Write: conntest.Flow{After: 5, Then: conntest.Stall}})
//			c.SetWriteDeadline(time.Now().Add(time.Hour))
//			start := time.Now()
//			n, err := c.Write([]byte("hello, world"))
//			if n != 5 || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Hour {
//				t.Errorf("Write = %d, %v after %v", n, err, time.Since(start))
//			}
//		})
//	}
package conntest
