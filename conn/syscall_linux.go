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

// sysRead reads from a descriptor that does not block.
//
// It and what it calls do not ask for more stack: a connection's goroutine, which
// is deep in its first 2 KiB here, would double it otherwise.
//
//go:nosplit
func sysRead(fd uintptr, p []byte) (int, error) {
	if len(p) > maxRaw {
		return ignoringEINTR(syscall.Read, fd, p)
	}
	return transfer(syscall.SYS_READ, fd, p)
}

// sysWrite writes to a descriptor that does not block.
//
//go:nosplit
func sysWrite(fd uintptr, p []byte) (int, error) {
	if len(p) > maxRaw {
		return ignoringEINTR(syscall.Write, fd, p)
	}
	return transfer(syscall.SYS_WRITE, fd, p)
}

//go:nosplit
func transfer(trap, fd uintptr, p []byte) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall(trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
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
