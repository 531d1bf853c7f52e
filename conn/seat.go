package conn

import "sync/atomic"

// A seat is for the one goroutine that may read. Its state also says whether the
// connection is being closed, so that one look tells a reader both.
type seat struct {
	state atomic.Uint32
}

// The bits of a seat's state.
const (
	seatTaken   = 1 << iota // somebody reads
	seatClosing             // phase has left phaseOpen
)

// take makes the caller the reader, unless another one is.
func (s *seat) take() bool {
	return s.state.CompareAndSwap(0, seatTaken) || s.state.CompareAndSwap(seatClosing, seatClosing|seatTaken)
}

// takeOpen is take, unless the connection is being closed.
func (s *seat) takeOpen() bool { return s.state.CompareAndSwap(0, seatTaken) }

// leave lets others read.
func (s *seat) leave() { s.state.And(^uint32(seatTaken)) }

// leaveOpen is leave, unless the connection is being closed.
func (s *seat) leaveOpen() bool { return s.state.CompareAndSwap(seatTaken, 0) }

// taken reports whether somebody reads.
func (s *seat) taken() bool { return s.state.Load()&seatTaken != 0 }

// close notes that the connection is being closed.
func (s *seat) close() { s.state.Or(seatClosing) }

// closing reports whether it is.
func (s *seat) closing() bool { return s.state.Load()&seatClosing != 0 }
