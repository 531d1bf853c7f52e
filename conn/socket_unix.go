//go:build unix

package conn

import (
	"io"
	"net"
	"os"
	"syscall"
)

// newSocket returns rw as a socket, or nil if it is none.
func newSocket(rw io.ReadWriter) socket {
	switch rw := rw.(type) {
	case *descriptor:
		return rw
	case net.Conn:
		if raw := socketOf(rw); raw != nil {
			s := &netSocket{raw: raw}
			s.readFD, s.writeFD = s.tryRead, s.tryWrite
			return s
		}
	}
	return nil
}

// socketOf returns the socket of a plain connection, or nil if it is another one.
func socketOf(nc net.Conn) syscall.RawConn {
	switch nc := nc.(type) {
	case *net.TCPConn, *net.UnixConn:
		if raw, err := nc.(syscall.Conn).SyscallConn(); err == nil {
			return raw
		}
	}
	return nil
}

// A netSocket is the socket of a connection of package net.
type netSocket struct {
	raw syscall.RawConn

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

// read obeys the read deadline.
//
// The buffer is taken here and not where the wait ends, which would be deeper in
// the stack than a goroutine's first 2 KiB allow.
func (s *netSocket) read(in *inbox) (int, error) {
	s.in = in
	for {
		s.room = in.room()
		if err := s.raw.Read(s.readFD); err != nil {
			return 0, err
		}
		if s.room != nil {
			return result(s.readN, s.readErr)
		}
		// readable now
	}
}

// tryRead reads without waiting, or asks for a wait without a buffer.
func (s *netSocket) tryRead(fd uintptr) bool {
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

func (s *netSocket) write(p []byte) (int, error) {
	s.out = p
	err := s.raw.Write(s.writeFD)
	s.out = nil
	switch {
	case isTimeout(err):
		return 0, nil // an old deadline
	case err != nil:
		return 0, err
	}
	return taken(s.writeN, s.writeErr)
}

func (s *netSocket) tryWrite(fd uintptr) bool {
	s.writeN, s.writeErr = sysWrite(fd, s.out)
	return true
}

// result is what a read returns after a system call that has ended with n and err.
func result(n int, err error) (int, error) {
	switch {
	case err != nil:
		return 0, os.NewSyscallError("read", err)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// taken is what a write returns after a system call that has ended with n and err.
func taken(n int, err error) (int, error) {
	switch err {
	case nil:
		return n, nil
	case errWouldBlock:
		return 0, nil
	}
	return 0, os.NewSyscallError("write", err)
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
