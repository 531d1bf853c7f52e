//go:build unix

package conn

import (
	"io"
	"net"
	"os"
	"syscall"
)

// A socket reads and writes a plain TCP or Unix connection without waiting: it
// takes a buffer only once there is something to read, and finds out whether
// the kernel takes a write at once.
type socket struct {
	raw syscall.RawConn

	// What the functions below work on, which are made once so that a call
	// allocates nothing. The fields before the blank line are the reader's, the
	// others the flusher's.
	in      *inbox
	readN   int
	readErr error
	readFD  func(fd uintptr) bool

	out      []byte
	writeN   int
	writeErr error
	writeFD  func(fd uintptr) bool
}

// newSocket returns the socket of a plain connection that reads into in, or
// nil.
func newSocket(rw io.ReadWriter, in *inbox) *socket {
	switch rw.(type) {
	case *net.TCPConn, *net.UnixConn:
	default:
		return nil
	}
	raw, err := rw.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil
	}
	s := &socket{raw: raw, in: in}
	s.readFD, s.writeFD = s.tryRead, s.tryWrite
	return s
}

// read waits until there is something to read and reads it into the inbox,
// which rests meanwhile. It obeys the read deadline.
func (s *socket) read() (int, error) {
	if err := s.raw.Read(s.readFD); err != nil {
		return 0, err
	}
	return s.readN, s.readErr
}

func (s *socket) tryRead(fd uintptr) bool {
	n, err := ignoringEINTR(sysRead, fd, s.in.room())
	if err == syscall.EAGAIN {
		s.in.rest()
		return false
	}
	s.readN, s.readErr = n, nil
	switch {
	case err != nil:
		s.readErr = os.NewSyscallError("read", err)
	case n == 0:
		s.readErr = io.EOF
	}
	return true
}

// write writes as much of p as the kernel takes at once, perhaps nothing.
func (s *socket) write(p []byte) (int, error) {
	s.out = p
	err := s.raw.Write(s.writeFD)
	s.out = nil
	if isTimeout(err) {
		return 0, nil // an old deadline
	}
	if err != nil {
		return 0, err
	}
	return s.writeN, s.writeErr
}

func (s *socket) tryWrite(fd uintptr) bool {
	n, err := ignoringEINTR(sysWrite, fd, s.out)
	s.writeN, s.writeErr = n, nil
	if err != nil && err != syscall.EAGAIN {
		s.writeErr = os.NewSyscallError("write", err)
	}
	return true
}

func ignoringEINTR(call func(uintptr, []byte) (int, error), fd uintptr, b []byte) (int, error) {
	for {
		n, err := call(fd, b)
		if err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}
