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
	raw    syscall.RawConn
	polled *descriptor // below raw; nil if that is another one

	// What the functions below work on, which are made once so that a call
	// allocates nothing. The fields before the blank line are the reader's, the
	// others the flusher's.
	in      *inbox
	room    []byte // of in, to read into; nil during a wait
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
	var raw syscall.RawConn
	var polled *descriptor
	switch rw := rw.(type) {
	case *net.TCPConn, *net.UnixConn:
		var err error
		if raw, err = rw.(syscall.Conn).SyscallConn(); err != nil {
			return nil
		}
	case *descriptor:
		raw, polled = rw.rawConn(), rw
	default:
		return nil
	}
	s := &socket{raw: raw, polled: polled, in: in}
	s.readFD, s.writeFD = s.tryRead, s.tryWrite
	return s
}

// read waits until there is something to read and reads it into the inbox,
// which rests meanwhile. It obeys the read deadline.
//
// The buffer is taken here and not where the wait ends, which would be deeper in
// the stack than a goroutine's first 2 KiB allow.
func (s *socket) read() (int, error) {
	for {
		s.room = s.in.room()
		err := s.raw.Read(s.readFD)
		if err == errWouldBlock {
			s.in.rest()
		}
		switch {
		case err != nil:
			return 0, err
		case s.room == nil:
			continue // readable now
		case s.readErr != nil:
			return 0, os.NewSyscallError("read", s.readErr)
		case s.readN == 0:
			return 0, io.EOF
		}
		if s.polled != nil {
			s.polled.has(s.readN, len(s.room))
		}
		return s.readN, nil
	}
}

// tryRead reads without waiting, or asks for a wait without a buffer.
func (s *socket) tryRead(fd uintptr) bool {
	if s.room == nil {
		return true
	}
	s.readN, s.readErr = sysRead(fd, s.room)
	if s.readErr != errWouldBlock {
		return true
	}
	s.room = nil
	s.in.rest()
	return false
}

// write writes as much of p as the kernel takes at once, perhaps nothing.
func (s *socket) write(p []byte) (int, error) {
	s.out = p
	err := s.raw.Write(s.writeFD)
	s.out = nil
	switch {
	case isTimeout(err):
		return 0, nil // an old deadline
	case err != nil:
		return 0, err
	case s.writeErr != nil && s.writeErr != errWouldBlock:
		return 0, os.NewSyscallError("write", s.writeErr)
	}
	return s.writeN, nil
}

func (s *socket) tryWrite(fd uintptr) bool {
	s.writeN, s.writeErr = sysWrite(fd, s.out)
	return true
}

// ignoringEINTR reads or writes, as call does, until no signal has come in between.
func ignoringEINTR(call func(int, []byte) (int, error), fd uintptr, p []byte) (int, error) {
	for {
		n, err := call(int(fd), p)
		if err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}
