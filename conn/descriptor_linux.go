package conn

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// A descriptor is a TCP or Unix socket in an epoll of ours. It takes a fraction of
// the memory of a [net.Conn], and knows when there is nothing to read, where a
// net.Conn would have to ask the kernel before each wait. Where the epoll does not
// take it, it becomes a net.Conn for what has to wait.
type descriptor struct {
	visits
	users atomic.Int32 // how many system calls use fd, with closedBit and freedBit
	fd    int32
	hung  atomic.Bool // whether an event told of the end of the peer's octets

	port    uint16     // of the peer, and its address; of a TCP socket
	address netip.Addr // the zero value for other sockets
	local   *net.Addr  // that of others, too

	park atomic.Pointer[park] // where a reader waits for events; nil before the first wait
	slow atomic.Pointer[slow] // nil before the first wait to write
}

// A slow is what a descriptor has for a peer that does not read.
type slow struct {
	park              // where the writer waits for events
	asked atomic.Bool // whether there are events for it

	patient net.Conn // over a duplicate of the descriptor, if that is not polled; nil otherwise
}

func newSlow(patient net.Conn) *slow {
	s := &slow{patient: patient}
	s.cond.L = &s.mu
	return s
}

const (
	closedBit = 1 << 29 // set in descriptor.users by Close: nobody else may use fd
	freedBit  = 1 << 30 // set when fd has been closed
)

// detach takes the socket of a plain connection, which it closes. It returns nil
// if nc is another one, or the process has no more descriptors.
func detach(nc net.Conn) *descriptor {
	raw := socketOf(nc)
	if raw == nil {
		return nil
	}
	d := &descriptor{fd: -1}
	err := raw.Control(func(fd uintptr) { d.fd = duplicate(fd) })
	if err != nil || d.fd < 0 {
		return nil
	}
	d.local = new(nc.LocalAddr())
	if addr, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		remote := addr.AddrPort()
		d.address, d.port = remote.Addr(), remote.Port()
	}
	nc.Close()
	return d
}

// duplicate returns another descriptor for what fd is one for, or -1.
func duplicate(fd uintptr) int32 {
	n, _, errno := syscall.RawSyscall(syscall.SYS_FCNTL, fd, syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return -1
	}
	return int32(n)
}

// use allows a system call with fd, which done ends.
func (d *descriptor) use() error {
	if d.users.Add(1)&closedBit != 0 {
		d.done()
		return net.ErrClosed
	}
	return nil
}

// done ends what use began. The last one to use a descriptor after Close frees it.
func (d *descriptor) done() {
	if d.users.Add(-1) == closedBit && d.users.CompareAndSwap(closedBit, closedBit|freedBit) {
		sysClose(d.fd)
	}
}

// Close closes the socket. Those who read or write get an error.
func (d *descriptor) Close() error {
	if d.use() != nil {
		return net.ErrClosed
	}
	defer d.done()
	for {
		n := d.users.Load()
		if n&closedBit != 0 {
			return net.ErrClosed
		}
		if d.users.CompareAndSwap(n, n|closedBit) {
			break
		}
	}
	d.poller.remove(d)
	if p := d.park.Load(); p != nil {
		p.close()
	}
	if s := d.slow.Load(); s != nil {
		s.close()
		if s.patient != nil {
			s.patient.Close()
		}
	}
	return nil
}

// CloseWrite ends the octets of this side.
func (d *descriptor) CloseWrite() error {
	if err := d.use(); err != nil {
		return err
	}
	defer d.done()
	return syscall.Shutdown(int(d.fd), syscall.SHUT_WR)
}

// waits returns a connection over the same socket that can wait, for a descriptor
// that is not polled; nil if it is meanwhile.
func (d *descriptor) waits() (net.Conn, error) {
	if s := d.slow.Load(); s != nil {
		return s.patient, nil
	}
	if err := d.use(); err != nil {
		return nil, err
	}
	fd := duplicate(uintptr(d.fd))
	d.done()
	if fd < 0 {
		return nil, syscall.EMFILE
	}
	f := os.NewFile(uintptr(fd), "")
	defer f.Close()
	nc, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	s := newSlow(nc)
	if !d.slow.CompareAndSwap(nil, s) {
		nc.Close()
		return d.slow.Load().patient, nil
	}
	if d.users.Load()&closedBit != 0 {
		nc.Close() // Close may have looked before
	}
	return nc, nil
}

// polled reports whether the poller tells of events.
func (d *descriptor) polled() bool { return d.turn.Load() != unpolled }

// Read reads into p, and waits if there is nothing to read, unless a visit reads.
func (d *descriptor) Read(p []byte) (int, error) {
	for {
		if d.conn == nil { // in the handshake, which takes now what has come
			d.turn.CompareAndSwap(again, during)
		}
		n, err := d.try(p)
		if err != errWouldBlock || d.lazy {
			return n, err
		}
		if !d.polled() {
			nc, err := d.waits()
			if err != nil {
				return 0, err
			}
			if nc != nil {
				return nc.Read(p)
			}
			continue
		}
		d.await()
	}
}

// read is Read with errWouldBlock instead of a wait, if the poller tells when that
// would end. The caller has to await that then.
func (d *descriptor) read(in *inbox) (n int, err error) {
	if !d.polled() && !d.lazy {
		return d.Read(in.room())
	}
	if !d.drained {
		n, err = d.try(in.room())
	} else if err = d.late(); err == nil {
		err = errWouldBlock
	}
	if err == errWouldBlock {
		in.rest()
	}
	return n, err
}

// try is look, unless the deadline has passed for one who could have waited, or it
// is known that there is nothing.
func (d *descriptor) try(p []byte) (int, error) {
	if err := d.late(); err != nil {
		return 0, err
	}
	if d.drained {
		return 0, errWouldBlock
	}
	return d.look(p)
}

// late returns os.ErrDeadlineExceeded if the read deadline has passed, which is not
// for visits.
func (d *descriptor) late() error {
	if p := d.park.Load(); p != nil && !d.lazy && p.late.Load() {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// await waits until there may be something to read, the read deadline has passed or
// the descriptor was closed.
func (d *descriptor) await() {
	d.parking().wait()
	d.drained = false
}

// parking returns the park, which it makes if there is none.
func (d *descriptor) parking() *park {
	if p := d.park.Load(); p != nil {
		return p
	}
	p := &park{ready: true} // an event may have come that it has not seen
	p.cond.L = &p.mu
	if d.park.CompareAndSwap(nil, p) {
		return p
	}
	return d.park.Load()
}

// leavePark gives up the park, in which nobody waits: visits need none.
func (d *descriptor) leavePark() { d.park.Store(nil) }

// signal tells the reader who waits of an event.
func (d *descriptor) signal() {
	if p := d.park.Load(); p != nil {
		p.signal()
	}
}

// look reads what there is. The error is errWouldBlock if that is nothing.
func (d *descriptor) look(p []byte) (int, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	n, err := rawRead(uintptr(d.fd), p, d.rawLimit())
	d.done()
	if err == errWouldBlock {
		d.drained = true
		return 0, err
	}
	d.drained = n < len(p) && !d.hung.Load()
	return result(n, err)
}

func (d *descriptor) write(p []byte) (int, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	n, err := rawWrite(uintptr(d.fd), p, d.rawLimit())
	d.done()
	return taken(n, err)
}

// rawLimit returns up to how many octets are transferred without the runtime being
// told.
func (d *descriptor) rawLimit() int {
	if d.poller.handle != nil {
		return maxVisit
	}
	return maxRaw
}

// Write writes p, and waits for the peer to take it.
func (d *descriptor) Write(p []byte) (n int, err error) {
	for !d.waitsForEvents() {
		nc, err := d.waits()
		if err != nil {
			return 0, err
		}
		if nc != nil {
			return nc.Write(p)
		}
	}
	for {
		s := d.slow.Load()
		if s != nil && s.late.Load() {
			return n, os.ErrDeadlineExceeded
		}
		m, err := d.write(p[n:])
		if n += m; err != nil || n == len(p) {
			return n, err
		}
		if m > 0 {
			continue // to find out that there is no room
		}
		if s = d.slowly(); !s.asked.Load() {
			if err := d.poller.tellOfRoom(d); err != nil {
				return n, err
			}
			s.asked.Store(true)
		}
		s.wait()
	}
}

// waitsForEvents reports whether a writer waits for events, not as a [net.Conn].
func (d *descriptor) waitsForEvents() bool {
	s := d.slow.Load()
	return d.polled() && (s == nil || s.patient == nil)
}

// slowly returns what there is for a slow peer, which it makes if there is nothing,
// for a descriptor that is polled.
func (d *descriptor) slowly() *slow {
	if s := d.slow.Load(); s != nil {
		return s
	}
	s := newSlow(nil)
	if d.slow.CompareAndSwap(nil, s) {
		return s
	}
	return d.slow.Load()
}

// SetDeadline sets both deadlines.
func (d *descriptor) SetDeadline(t time.Time) error {
	return errors.Join(d.SetReadDeadline(t), d.SetWriteDeadline(t))
}

// SetReadDeadline sets the deadline of those who wait. One that has passed is a
// reason for a visit, too.
func (d *descriptor) SetReadDeadline(t time.Time) error {
	if !d.polled() {
		if done, err := d.setDeadline(t, net.Conn.SetReadDeadline); done {
			return err
		}
	}
	if p := d.park.Load(); p != nil || !t.IsZero() {
		d.parking().limit(t)
	}
	if t.Equal(past) {
		d.due()
	}
	return nil
}

// SetWriteDeadline sets the deadline of those who wait.
func (d *descriptor) SetWriteDeadline(t time.Time) error {
	if !d.waitsForEvents() {
		if done, err := d.setDeadline(t, net.Conn.SetWriteDeadline); done {
			return err
		}
	}
	if s := d.slow.Load(); s != nil || !t.IsZero() {
		d.slowly().limit(t)
	}
	return nil
}

// setDeadline sets a deadline of what waits returns, if that is not nil.
func (d *descriptor) setDeadline(t time.Time, set func(net.Conn, time.Time) error) (done bool, err error) {
	if d.slow.Load() == nil && t.IsZero() {
		return true, nil
	}
	nc, err := d.waits()
	if err != nil {
		return true, err
	}
	if nc == nil {
		return false, nil
	}
	return true, set(nc, t)
}

// LocalAddr returns the address of this side.
func (d *descriptor) LocalAddr() net.Addr { return *d.local }

// RemoteAddr returns the address of the peer.
func (d *descriptor) RemoteAddr() net.Addr {
	if !d.address.IsValid() {
		return &net.UnixAddr{Net: "unix"}
	}
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(d.address, d.port))
}
