//go:build !386

package conn

import "syscall"

// The system calls to receive and send, and their flags.
const (
	trapReceive = syscall.SYS_RECVFROM
	trapSend    = syscall.SYS_SENDTO
	flags       = syscall.MSG_NOSIGNAL
)
