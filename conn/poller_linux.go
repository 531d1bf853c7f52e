package conn

import (
	"net"
	"os"
	"sync"
	"syscall"
)

// canPoll is whether the system has what pollers need.
const canPoll = true

// A poller has visits begin when there are events of their descriptors. While it
// has any it is an epoll and one goroutine. The zero value is ready.
type poller struct {
	mu    sync.Mutex
	epoll *epoll // nil while there are no visits
	slots []slot // by descriptor
	used  int    // how many slots are
}

// A slot is a place for a descriptor, which the next one with the same number takes.
type slot struct {
	visits *visits // nil if nobody is told
	taken  int32   // how often it was: events of those before are not of this one
}

const (
	// endEvents tell of the end of the peer's octets.
	endEvents = syscall.EPOLLRDHUP | syscall.EPOLLHUP | syscall.EPOLLERR
	// edgeTriggered is EPOLLET, which package syscall has as a negative number.
	edgeTriggered = 1 << 31
)

// add has v be due at the events of its descriptor from now on.
func (p *poller) add(v *visits) error {
	d := v.descriptor
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := d.use(); err != nil {
		return err
	}
	defer d.done()
	if p.epoll == nil {
		e, err := newEpoll()
		if err != nil {
			return err
		}
		p.epoll = e
		go p.run(e)
	}
	for len(p.slots) <= d.fd {
		p.slots = append(p.slots, slot{})
	}
	s := &p.slots[d.fd]
	s.taken++
	s.visits = v
	p.used++
	e := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | edgeTriggered, Fd: int32(d.fd), Pad: s.taken}
	if err := syscall.EpollCtl(p.epoll.fd, syscall.EPOLL_CTL_ADD, d.fd, &e); err != nil {
		p.free(s)
		return os.NewSyscallError("epoll_ctl", err)
	}
	return nil
}

// remove ends what add began, if it did. The descriptor must be in use.
func (p *poller) remove(v *visits) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fd := v.descriptor.fd
	if fd >= len(p.slots) || p.slots[fd].visits != v {
		return
	}
	syscall.EpollCtl(p.epoll.fd, syscall.EPOLL_CTL_DEL, fd, nil) // a duplicate would keep it there
	p.free(&p.slots[fd])
}

// free gives back a slot, and ends the goroutine with the last one. It needs mu.
func (p *poller) free(s *slot) {
	s.visits = nil
	if p.used--; p.used == 0 {
		p.epoll.file.Close()
		p.epoll = nil
	}
}

// run tells of the events of e until it is closed.
func (p *poller) run(e *epoll) {
	for e.raw.Read(e.look) == nil && e.err == nil {
		p.mu.Lock()
		for i := range e.events[:e.n] {
			p.tell(&e.events[i])
		}
		p.mu.Unlock()
	}
}

// tell has the visits begin that an event is for. It needs mu.
func (p *poller) tell(e *syscall.EpollEvent) {
	s := &p.slots[e.Fd]
	if s.visits == nil || s.taken != e.Pad {
		return
	}
	if e.Events&endEvents != 0 {
		s.visits.descriptor.hung.Store(true)
	}
	s.visits.due()
}

// An epoll is one of the kernel's. It is waited for as other files are: without a
// thread.
type epoll struct {
	fd   int
	file *os.File        // of fd
	raw  syscall.RawConn // of file

	events [256]syscall.EpollEvent
	n      int   // how many events there are
	err    error // why there are none
}

func newEpoll() (*epoll, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	syscall.SetNonblock(fd, true) // which says to package os that it can be waited for
	e := &epoll{fd: fd, file: os.NewFile(uintptr(fd), "epoll")}
	if e.raw, err = e.file.SyscallConn(); err != nil {
		e.file.Close()
		return nil, err
	}
	return e, nil
}

// look takes the events there are, or asks for a wait.
func (e *epoll) look(uintptr) bool {
	e.n, e.err = sysEpollWait(e.fd, e.events[:])
	return e.n > 0 || e.err != nil
}

// pollable returns nc as a descriptor with visits by p, or nil if it has none.
func (p *poller) pollable(nc net.Conn, handle func(*Conn, Message)) *descriptor {
	d := detach(nc)
	if d != nil {
		d.visits = &visits{descriptor: d, poller: p, handle: handle}
	}
	return d
}
