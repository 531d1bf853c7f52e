package conn

import (
	"net"
	"os"
	"runtime"
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

	local net.Addr // of the descriptor that came last
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
		go p.work(e)
	}
	for len(p.slots) <= d.fd {
		p.slots = append(p.slots, slot{})
	}
	s := &p.slots[d.fd]
	s.taken++
	s.visits = v
	p.used++
	d.polled.Store(true)
	e := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | edgeTriggered, Fd: int32(d.fd), Pad: s.taken}
	if err := syscall.EpollCtl(p.epoll.fd, syscall.EPOLL_CTL_ADD, d.fd, &e); err != nil {
		d.polled.Store(false)
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

// work has the visits begin that the events of e are for, one after the other, and
// waits for more events. When a visit begins there is another goroutine that is about
// to work, which goes on with the next one if the handler blocks. One that finds
// nothing to do ends.
func (p *poller) work(e *epoll) {
	p.mu.Lock()
	e.relief = false
	for {
		v := p.next(e)
		if v == nil {
			if e.watched {
				break
			}
			e.watched = true
			p.mu.Unlock()
			ok := e.wait()
			p.mu.Lock()
			e.watched = false
			if !ok {
				break
			}
			e.left = e.events[:e.n]
			continue
		}
		relief := e.relief
		e.relief = true
		p.mu.Unlock()
		if !relief {
			go p.work(e)
		}
		v.visit()
		p.mu.Lock()
	}
	p.mu.Unlock()
}

// next takes events until one is for visits of which one can begin, which the caller
// has to do. It returns nil if there is none. It needs mu.
func (p *poller) next(e *epoll) *visits {
	for len(e.left) > 0 {
		event := &e.left[0]
		e.left = e.left[1:]
		s := &p.slots[event.Fd]
		if s.visits == nil || s.taken != event.Pad {
			continue
		}
		if event.Events&endEvents != 0 {
			s.visits.descriptor.hung.Store(true)
		}
		if s.visits.claim() {
			return s.visits
		}
	}
	return nil
}

// An epoll is one of the kernel's. It is waited for as other files are: without a
// thread.
type epoll struct {
	fd   int
	file *os.File              // of fd
	raw  syscall.RawConn       // of file
	take func(fd uintptr) bool // look, made once so that a call allocates nothing

	// Guarded by poller.mu.
	left    []syscall.EpollEvent // those of events that nobody has taken
	watched bool                 // whether somebody waits for events, or is about to
	relief  bool                 // whether somebody else is about to work

	// Of whoever waits.
	events [128]syscall.EpollEvent
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
	e.take = e.look
	if e.raw, err = e.file.SyscallConn(); err != nil {
		e.file.Close()
		return nil, err
	}
	return e, nil
}

// wait waits for events, until the file is closed.
func (e *epoll) wait() (ok bool) {
	runtime.Gosched() // for those who would never have a turn while there is always one
	return e.raw.Read(e.take) == nil && e.err == nil
}

// look takes the events there are, or asks for a wait.
func (e *epoll) look(uintptr) bool {
	e.n, e.err = sysEpollWait(e.fd, e.events[:])
	return e.n > 0 || e.err != nil
}

// pollable returns nc as a descriptor with visits by p, or nil if it has none.
//
// Without handle a goroutine reads it, and there are no visits.
func (p *poller) pollable(nc net.Conn, handle func(*Conn, Message)) *descriptor {
	d := detach(nc)
	if d == nil {
		return nil
	}
	d.visits = &visits{descriptor: d, poller: p, handle: handle}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !sameAddr(p.local, d.local) {
		p.local = d.local
	}
	d.local = p.local
	return d
}

// sameAddr reports whether both are the address of the same socket.
func sameAddr(a, b net.Addr) bool {
	if a, ok := a.(*net.TCPAddr); ok {
		b, ok := b.(*net.TCPAddr)
		return ok && a.AddrPort() == b.AddrPort()
	}
	return a != nil && a.Network() == b.Network() && a.String() == b.String()
}
