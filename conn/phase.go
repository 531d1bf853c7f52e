package conn

import "strconv"

// A State is where a connection stands (RFC 6455, Sections 4.1, 7.1.2 to
// 7.1.4).
type State uint8

const (
	// StateConnecting is before the opening handshake is done; a Conn that a
	// function of this package returned has left it.
	StateConnecting State = iota
	// StateOpen is when messages can be read and written.
	StateOpen
	// StateClosing is from the first Close frame, sent or received, or from the
	// failure of the connection, to the end of TCP.
	StateClosing
	// StateClosed is when the transport has been closed.
	StateClosed
)

func (s State) String() string {
	switch s {
	case StateConnecting:
		return "connecting"
	case StateOpen:
		return "open"
	case StateClosing:
		return "closing"
	case StateClosed:
		return "closed"
	}
	return "State(" + strconv.Itoa(int(s)) + ")"
}

// A phase is where a connection stands in the closing handshake of Section 7.
type phase uint8

const (
	phaseOpen     phase = iota // no Close frame yet
	phaseSent                  // ours is on its way, the peer's is awaited
	phaseReceived              // the peer's came first, ours is on its way
	phaseBoth                  // the closing handshake is done
	phaseFailed                // the connection was failed (Section 7.1.7)
	phaseOver                  // the transport is closed
	phases
)

// A turn moves a connection to another phase.
type turn uint8

const (
	turnSend    turn = iota // this side sends its Close frame
	turnReceive             // the peer's Close frame has come
	turnFail                // the peer broke a rule or a limit
	turnEnd                 // the transport is closed
	turns
)

// transitions is the whole of Section 7's state: the phase after each turn.
var transitions = [phases][turns]phase{
	phaseOpen:     {turnSend: phaseSent, turnReceive: phaseReceived, turnFail: phaseFailed, turnEnd: phaseOver},
	phaseSent:     {turnSend: phaseSent, turnReceive: phaseBoth, turnFail: phaseFailed, turnEnd: phaseOver},
	phaseReceived: {turnSend: phaseBoth, turnReceive: phaseReceived, turnFail: phaseReceived, turnEnd: phaseOver},
	phaseBoth:     {turnSend: phaseBoth, turnReceive: phaseBoth, turnFail: phaseBoth, turnEnd: phaseOver},
	phaseFailed:   {turnSend: phaseFailed, turnReceive: phaseFailed, turnFail: phaseFailed, turnEnd: phaseOver},
	phaseOver:     {turnSend: phaseOver, turnReceive: phaseOver, turnFail: phaseOver, turnEnd: phaseOver},
}

// state returns the phase as users know it.
func (p phase) state() State {
	switch p {
	case phaseOpen:
		return StateOpen
	case phaseOver:
		return StateClosed
	}
	return StateClosing
}
