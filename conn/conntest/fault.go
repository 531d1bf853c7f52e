package conntest

import (
	"strconv"
	"time"
)

// Faults describes how a connection made by [Inject] misbehaves. The zero value
// is a connection without faults.
type Faults struct {
	Read  Flow // the octets from the peer, on their way to Read
	Write Flow // the octets given to Write, on their way to the peer
}

// A Flow describes the faults of one direction of a connection. The fields may
// be combined: an octet is held back by Gather, then cut by Split and SplitAt,
// then delayed by PerOctet. The zero value is a flow without faults.
//
// Offsets count the octets that have passed since [Inject], the first octet
// being at offset 0.
type Flow struct {
	// Split is the most octets that one Read returns, or that one Write of the
	// wrapped connection is given; a longer Write is split into several. Zero
	// or less means no limit; 1 hands over one octet at a time.
	Split int

	// SplitAt lists further offsets, in any order, at which the stream is cut:
	// the octets before and after one of them are never in the same Read, or
	// in the same Write of the wrapped connection.
	SplitAt []int64

	// Gather hands octets over only when so many have come together, and then
	// at once. Zero or one hands them over as they come.
	//
	// Read waits until Gather octets have arrived, or the peer's last ones
	// before [io.EOF], and returns them; if its slice is too short for them,
	// so do the following Reads without further waiting. What has arrived when
	// a deadline passes counts for the next Read.
	//
	// Write keeps a copy of its octets and reports success until Gather have
	// come together, which are then written as one with any in excess of it.
	// CloseWrite and Close write what is kept first, and wait for it as a Write
	// does; the write deadline applies. They leave it out while a Write is
	// under way, and when nothing can reach the peer any more. If kept octets
	// meet an error, those not written are kept for the next Write.
	Gather int

	// PerOctet is the time that each octet takes, counted from when Read or
	// Write turns to it: Read returns one octet after that time, and a Write of
	// n octets takes n times as long, with every octet in a Write of its own.
	// A deadline interrupts the wait; the time already waited counts for the
	// next call. Zero or less means no delay.
	PerOctet time.Duration

	// After is the offset at which Then happens: so many octets pass
	// unharmed, and the octet at offset After does not. Less than zero means
	// zero.
	After int64

	// Then is what happens after After octets. Zero is [Nothing].
	Then Action
}

// An Action is what happens to a [Flow] at the offset After. Reset and Truncate
// happen when the last octet before it has passed, and within [Inject] if there
// is none; the others show in the first Read or Write that goes beyond it. A
// Write that reaches the offset exactly has succeeded, one that goes beyond it
// returns how many octets were before it, with the error.
type Action uint8

const (
	// Nothing leaves the flow alone.
	Nothing Action = iota

	// Stall stops the flow, as of a peer that no longer reads or sends: Read
	// and Write block until their deadline passes, which fails them with
	// [os.ErrDeadlineExceeded], or Close. CloseWrite succeeds without reaching
	// the peer; Close closes the wrapped connection.
	Stall

	// Drop loses all further octets, as of a network that has forgotten the
	// connection. Write reports success. Read takes the octets off the wrapped
	// connection without returning any, and blocks like a stalled one; the
	// peer's end of stream and reset are lost too. CloseWrite succeeds without
	// reaching the peer; Close closes the wrapped connection.
	Drop

	// Truncate ends the stream; the other direction is not affected. Read
	// returns [io.EOF], whatever the peer still sends. For writing it is a
	// half-close: CloseWrite is called on the wrapped connection, or Close if
	// it has no CloseWrite, so that the peer finds the end of the stream there,
	// and Write fails with [syscall.EPIPE]. A later CloseWrite does nothing.
	Truncate

	// Reset resets the connection in both directions. The peer sees a reset: of
	// the wrapped connection, Reset is called; failing that, SetLinger(0) and
	// Close, as for a [net.TCPConn]; failing that, Close. As of any reset, the
	// octets before may not reach it. Here Read, Write and CloseWrite fail with
	// [syscall.ECONNRESET], blocked ones too; deadlines can still be set, and
	// Close succeeds.
	Reset

	// Fail makes Read or Write fail with [syscall.EIO] for ever.
	Fail

	// Interrupt makes Read or Write fail once with [syscall.EINTR], an error
	// whose Temporary method returns true. After that the flow goes on; octets
	// are neither lost nor repeated.
	Interrupt
)

var actionNames = [...]string{
	Nothing:   "nothing",
	Stall:     "stall",
	Drop:      "drop",
	Truncate:  "truncate",
	Reset:     "reset",
	Fail:      "fail",
	Interrupt: "interrupt",
}

// String returns the name of a in lower case, or Action(n) for an unknown one.
func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return "Action(" + strconv.Itoa(int(a)) + ")"
}

// due reports whether Then applies to the octet at the offset passed.
func (f *Flow) due(passed int64) bool {
	return f.Then != Nothing && passed >= f.After
}

// piece returns how many of n octets at the offset passed may move together.
// Then is not due.
func (f *Flow) piece(n int, passed int64) int {
	if f.Split > 0 {
		n = min(n, f.Split)
	}
	if f.PerOctet > 0 {
		n = min(n, 1)
	}
	m := f.untilThen(int64(n), passed)
	for _, at := range f.SplitAt {
		if at > passed {
			m = min(m, at-passed)
		}
	}
	return int(m)
}

// untilThen returns n, or how many octets there are before Then if these are
// fewer.
func (f *Flow) untilThen(n, passed int64) int64 {
	if f.Then == Nothing {
		return n
	}
	return min(n, f.After-passed)
}
