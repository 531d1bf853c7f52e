package conn

import (
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// canPoll is whether the system has what pollers need.
const canPoll = true

// A poller has visits begin when there are events of descriptors. While it has any, or
// is held, and for a lull after that, it is an epoll and one goroutine. The zero value
// is ready.
type poller struct {
	mu    sync.Mutex
	epoll *epoll // nil while it is not used
	slots []slot // by descriptor
	used  int    // how many slots are, and how often it is held

	unused *time.Timer // calls letGo when used has been zero for a lull; nil before the first time

	local  *net.Addr            // of the descriptor that came last
	handle func(*Conn, Message) // gets the messages; nil if a goroutine reads them
	server *http.Server         // whose it is; nil if it is a Server's

	pacemaker pacemaker // of connections that are in no hub
}

// A slot is a place for a descriptor, which the next one with the same number takes.
type slot struct {
	descriptor *descriptor // nil if nobody is told
	taken      int32       // how often it was: events of those before are not of this one
}

// lull is how long nobody comes when a rush is over.
const lull = 50 * time.Millisecond

const (
	// endEvents tell of the end of the peer's octets.
	endEvents = syscall.EPOLLRDHUP | syscall.EPOLLHUP | syscall.EPOLLERR
	// edgeTriggered is EPOLLET, which package syscall has as a negative number.
	edgeTriggered = 1 << 31
	// usualEvents are those of a descriptor as it comes.
	usualEvents = syscall.EPOLLIN | syscall.EPOLLRDHUP | edgeTriggered
)

// add has d be due at its events from now on; it may have missed one.
func (p *poller) add(d *descriptor) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := d.use(); err != nil {
		return err
	}
	defer d.done()
	if err := p.begin(); err != nil {
		return err
	}
	for len(p.slots) <= int(d.fd) {
		p.slots = append(p.slots, slot{})
	}
	s := &p.slots[d.fd]
	s.taken++
	s.descriptor = d
	e := syscall.EpollEvent{Events: usualEvents, Fd: d.fd, Pad: s.taken}
	if err := syscall.EpollCtl(p.epoll.fd, syscall.EPOLL_CTL_ADD, int(d.fd), &e); err != nil {
		s.descriptor = nil
		p.end()
		return os.NewSyscallError("epoll_ctl", err)
	}
	d.turn.CompareAndSwap(unpolled, between)
	return nil
}

// remove ends what add began, if it did. The descriptor must be in use.
func (p *poller) remove(d *descriptor) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fd := int(d.fd)
	if fd >= len(p.slots) || p.slots[fd].descriptor != d {
		return
	}
	if s := d.slow.Load(); s != nil && s.patient != nil { // the duplicate would keep it there
		syscall.EpollCtl(p.epoll.fd, syscall.EPOLL_CTL_DEL, fd, nil)
	}
	p.slots[fd].descriptor = nil
	p.end()
}

// tellOfRoom has d told, from now on, also when the peer has taken something.
func (p *poller) tellOfRoom(d *descriptor) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := d.use(); err != nil {
		return err
	}
	defer d.done()
	e := syscall.EpollEvent{Events: usualEvents | syscall.EPOLLOUT, Fd: d.fd, Pad: p.slots[d.fd].taken}
	return os.NewSyscallError("epoll_ctl", syscall.EpollCtl(p.epoll.fd, syscall.EPOLL_CTL_MOD, int(d.fd), &e))
}

// hold keeps the epoll although there may be no descriptors, until release is called.
func (p *poller) hold() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.begin()
}

func (p *poller) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end()
}

// begin begins a use of the epoll. It needs mu.
func (p *poller) begin() error {
	if p.epoll == nil {
		e, err := newEpoll()
		if err != nil {
			return err
		}
		p.epoll = e
		e.work = func() { p.work(e) }
		go e.work()
	}
	p.used++
	return nil
}

// end ends a use of the epoll, which is let go of a lull after the last one: another
// connection may come. It needs mu.
func (p *poller) end() {
	p.used--
	switch {
	case p.used > 0:
	case p.unused == nil:
		p.unused = time.AfterFunc(lull, p.letGo)
	default:
		p.unused.Reset(lull)
	}
}

// letGo ends the epoll and its goroutine, unless there is a use for it again.
func (p *poller) letGo() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.used > 0 || p.epoll == nil {
		return
	}
	p.epoll.file.Close()
	p.epoll = nil
	if p.server != nil {
		forget(p)
	}
}

// work has the visits begin that the events of e are for, one after the other, and
// waits for more events. When a visit begins there is another goroutine that is about
// to work, which goes on with the next one if the handler blocks. One that finds
// nothing to do ends.
func (p *poller) work(e *epoll) {
	var w desk
	defer w.clear()
	p.mu.Lock()
	e.relief = false
	for {
		d := p.next(e)
		if d == nil {
			if e.watched {
				break
			}
			e.watched = true
			p.mu.Unlock()
			w.clear()
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
			go e.work()
		}
		d.visit(&w, true)
		p.mu.Lock()
	}
	p.mu.Unlock()
}

// next takes events until one is for a descriptor of which a visit can begin, which is
// the caller's. It returns nil if there is none. It needs mu.
func (p *poller) next(e *epoll) *descriptor {
	for len(e.left) > 0 {
		event := &e.left[0]
		e.left = e.left[1:]
		s := &p.slots[event.Fd]
		d := s.descriptor
		if d == nil || s.taken != event.Pad {
			continue
		}
		if event.Events&endEvents != 0 {
			d.hung.Store(true)
		}
		if w := d.slow.Load(); w != nil {
			w.signal()
		}
		if d.claim() {
			return d
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
	work func()                // poller.work, alike

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

// pollable returns nc as a descriptor for p, or nil if it has none.
func (p *poller) pollable(nc net.Conn) *descriptor {
	if d, ok := nc.(*descriptor); ok {
		return d
	}
	d := detach(nc)
	if d == nil {
		return nil
	}
	d.poller = p
	p.localize(d, *d.local)
	return d
}

// localize gives d the address of this side, which many have in common.
func (p *poller) localize(d *descriptor, local net.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.local == nil || !sameAddr(*p.local, local) {
		p.local = new(local)
	}
	d.local = p.local
}

// sameAddr reports whether both are the address of the same socket.
func sameAddr(a, b net.Addr) bool {
	if a, ok := a.(*net.TCPAddr); ok {
		b, ok := b.(*net.TCPAddr)
		return ok && a.AddrPort() == b.AddrPort()
	}
	return a != nil && a.Network() == b.Network() && a.String() == b.String()
}
