//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// raiseFileLimit allows as many connections as the system lets a process have.
func raiseFileLimit() {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
		limit.Cur = limit.Max
		syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	}
}

// processTime is the processor time that a process has used, user and system,
// threads that ended included.
func processTime(pid int) (time.Duration, error) {
	if pid == 0 {
		return 0, nil
	}
	// The clock of another process has a number made from its id
	// (clock_getcpuclockid).
	clock := uintptr(^pid<<3 | 2)
	var t syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
		return 0, fmt.Errorf("clock of process %d: %w", pid, errno)
	}
	return time.Duration(t.Nano()), nil
}

// settledMemory is what a process has resident after it was told, by SIGUSR2, to
// collect its garbage and to give back what it does not need.
func settledMemory(pid int) (int, error) {
	if err := syscall.Kill(pid, syscall.SIGUSR2); err != nil {
		return 0, err
	}
	time.Sleep(500 * time.Millisecond)
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0, fmt.Errorf("statm of process %d: %q", pid, text)
	}
	pages, err := strconv.Atoi(string(fields[1]))
	return pages * os.Getpagesize(), err
}
