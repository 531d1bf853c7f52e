package socketio

import (
	"cmp"
	"math"
	"time"
)

// A Recovery has clients that lost their connection come back to the state that
// their socket had: its id, its rooms and its data, and the events they missed.
//
// A client can come back when the connection was lost, not when either side left
// the namespace, and when it had got an event before. What is sent as volatile or
// with an acknowledgement is not sent again. The zero value is the defaults.
type Recovery struct {
	// MaxDisconnection is how long a client may stay away. Zero means 2 minutes.
	MaxDisconnection time.Duration

	// RunMiddleware runs the middleware of the namespace for clients that come
	// back, too. Who checks credentials there should set it: otherwise they are
	// not checked again.
	RunMiddleware bool

	// MaxEvents and MaxOctets limit the events that are kept for a namespace.
	// Clients that missed others begin anew. Zero means 10,000 and 16 MiB.
	MaxEvents, MaxOctets int

	// MaxSockets limits the sockets that are kept for a namespace. Zero means
	// 10,000.
	MaxSockets int
}

func (r *Recovery) maxDisconnection() time.Duration {
	return limit(r.MaxDisconnection, 2*time.Minute, math.MaxInt64)
}
func (r *Recovery) maxEvents() int  { return limit(r.MaxEvents, 10_000, math.MaxInt) }
func (r *Recovery) maxOctets() int  { return limit(r.MaxOctets, 16<<20, math.MaxInt) }
func (r *Recovery) maxSockets() int { return limit(r.MaxSockets, 10_000, math.MaxInt) }

// limit returns a limit: standard for zero, off for a negative one.
func limit[T int | time.Duration](v, standard, off T) T {
	if v < 0 {
		return off
	}
	return cmp.Or(v, standard)
}
