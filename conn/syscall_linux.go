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
func sysRead(fd uintptr, p []byte) (int, error) {
	if len(p) > maxRaw {
		return syscall.Read(int(fd), p)
	}
	return transfer(syscall.SYS_READ, fd, p)
}

// sysWrite writes to a descriptor that does not block.
func sysWrite(fd uintptr, p []byte) (int, error) {
	if len(p) > maxRaw {
		return syscall.Write(int(fd), p)
	}
	return transfer(syscall.SYS_WRITE, fd, p)
}

func transfer(trap, fd uintptr, p []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
