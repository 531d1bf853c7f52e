package conn

import (
	"time"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

// A Direction tells received from sent.
type Direction uint8

const (
	Received Direction = iota
	Sent
)

func (d Direction) String() string {
	if d == Sent {
		return "sent"
	}
	return "received"
}

// Hooks are functions called as a connection lives, for metrics and tracing. A
// nil function costs nothing. They run on the goroutine that caused them, which
// waits for them: they must be quick, must not call methods of the Conn other
// than those that report about it, and may run concurrently with each other.
type Hooks struct {
	// OnOpen is called once, before the Conn is handed out.
	OnOpen func(c *Conn)
	// OnMessage is called for each message that was read to its end or written
	// as a whole, with the octets of its payload: by those who wait for that, or
	// for a message that was posted by whoever writes its last octet.
	OnMessage func(c *Conn, d Direction, op frame.Opcode, octets int64)
	// OnPong is called for each ping of [Conn.Ping] that is answered, and of the
	// heartbeat that is before the next, with its round-trip time.
	OnPong func(c *Conn, rtt time.Duration)
	// OnClose is called exactly once, when the connection has ended and before
	// Conn.Done is closed, with the error that every later call returns.
	OnClose func(c *Conn, err *CloseError)
	// OnRefuse is called for each handshake that a server refused.
	OnRefuse func(r Refusal)
}

// A Refusal is an opening handshake that a server refused.
type Refusal struct {
	// Request is what the client asked for, or nil if that could not be parsed.
	// It is valid until the hook returns.
	Request *handshake.Request
	// Remote is the address that the request came from.
	Remote string
	// Status is the HTTP status of the answer.
	Status int
	// Err is why it was refused: what [Accept] returns.
	Err error
}
