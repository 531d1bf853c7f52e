package engineio

// A Packet is a message to be sent: encoded once, in each form that is needed, and
// shared by any number of sessions. It does not change, and any number of
// goroutines may use it.
type Packet struct{}

// NewPacket returns a message, of text or of octets. It does not retain data.
//
// Text must be valid UTF-8: otherwise [Session.Send] returns
// [frame.ErrInvalidUTF8].
func NewPacket(binary bool, data []byte) *Packet { return &Packet{} }

// NewUncompressedPacket is [NewPacket] for a message that is not compressed
// although others are, as a mixture of secrets and of what others chose should not
// be. A polling response with such a message in it is not compressed.
func NewUncompressedPacket(binary bool, data []byte) *Packet { return &Packet{} }
