package bench

import (
	"io"
	"net"
	"time"
)

// An endless stream reads the same octets again and again, and takes whatever is
// written.
type endless struct {
	octets []byte
	at     int
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		k := copy(p[n:], e.octets[e.at:])
		n += k
		e.at = (e.at + k) % len(e.octets)
	}
	return n, nil
}

func (*endless) Write(p []byte) (int, error)      { return len(p), nil }
func (*endless) Close() error                     { return nil }
func (*endless) LocalAddr() net.Addr              { return nil }
func (*endless) RemoteAddr() net.Addr             { return nil }
func (*endless) SetDeadline(time.Time) error      { return nil }
func (*endless) SetReadDeadline(time.Time) error  { return nil }
func (*endless) SetWriteDeadline(time.Time) error { return nil }

// A once reads its octets and then the end, and keeps nothing of what is written.
type once struct{ endless }

func (o *once) Read(p []byte) (int, error) {
	if o.at == len(o.octets) {
		return 0, io.EOF
	}
	n := copy(p, o.octets[o.at:])
	o.at += n
	return n, nil
}
