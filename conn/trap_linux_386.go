package conn

import "syscall"

// Package syscall has no calls for sockets here. Those for files take no flags.
const (
	trapReceive = syscall.SYS_READ
	trapSend    = syscall.SYS_WRITE
	flags       = 0
)
