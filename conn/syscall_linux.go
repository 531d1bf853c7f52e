package conn

import (
	"syscall"
	"unsafe"
)

// maxRaw is up to how many octets a transfer goes without the runtime being told
// of the system call. That saves what entering and leaving one costs, and keeps
// the processor, which nobody else can have meanwhile: so it is for what does not
// wait and is soon done.
const maxRaw = 64 << 10

// maxVisit is maxRaw for connections with visits. When the processor is taken from a
// visit the next one begins, and that may go on until there are as many messages half
// read or written as there are connections, which no cache holds.
const maxVisit = 1 << 20

// sysRead reads from a socket that does not block.
//
// It and what it calls do not ask for more stack: a connection's goroutine, which
// is deep in its first 2 KiB here, would double it otherwise.
//
//go:nosplit
func sysRead(fd uintptr, p []byte) (int, error) { return rawRead(fd, p, maxRaw) }

// sysWrite writes to a socket that does not block.
//
//go:nosplit
func sysWrite(fd uintptr, p []byte) (int, error) { return rawWrite(fd, p, maxRaw) }

// rawRead is sysRead with another limit than maxRaw.
//
//go:nosplit
func rawRead(fd uintptr, p []byte, limit int) (int, error) {
	if len(p) > limit {
		return ignoringEINTR(syscall.Read, fd, p)
	}
	return transfer(trapReceive, fd, p)
}

// rawWrite is sysWrite with another limit than maxRaw.
//
//go:nosplit
func rawWrite(fd uintptr, p []byte, limit int) (int, error) {
	if len(p) > limit {
		return ignoringEINTR(syscall.Write, fd, p)
	}
	return transfer(trapSend, fd, p)
}

// transfer sends or receives. The calls for sockets take 3 to 5 % less time than
// those for any file.
//
//go:nosplit
func transfer(trap, fd uintptr, p []byte) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall6(trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), flags, 0, 0)
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EAGAIN:
			return 0, errWouldBlock
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}

// sysEpollWait takes the events that there are, without waiting for any. As it never
// waits the runtime is not told of it: that would have it look after its processors
// every few microseconds from then on, which costs more than the call.
func sysEpollWait(fd int, events []syscall.EpollEvent) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}

// sysClose closes a socket. That does not wait, as nobody has it linger.
func sysClose(fd int32) { syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(fd), 0, 0) }
