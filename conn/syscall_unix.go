//go:build unix && !linux

package conn

import "syscall"

// sysRead reads from a descriptor that does not block.
func sysRead(fd uintptr, p []byte) (int, error) {
	return ignoringEINTR(syscall.Read, fd, p)
}

// sysWrite writes to a descriptor that does not block.
func sysWrite(fd uintptr, p []byte) (int, error) {
	return ignoringEINTR(syscall.Write, fd, p)
}
