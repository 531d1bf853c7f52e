//go:build linux && !386 && !s390x

package conn

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// A crowd is clients of one listener that come soon one after the other. Package net
// accepts the first two; those who follow become descriptors at once, with one system
// call each of which the runtime is not told. To accept, wait for and close a socket
// is half of the work then.
type crowd struct {
	server   *Server
	listener *net.TCPListener
	local    *net.Addr // of all sockets; nil if they differ
	last     time.Time // when a client came last
	likened  bool      // whether its sockets are like those of package net
}

// newCrowd returns that of a listener, or nil if there is none to it.
func (s *Server) newCrowd(l net.Listener) *crowd {
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return nil
	}
	c := &crowd{server: s, listener: tcp}
	if a, ok := l.Addr().(*net.TCPAddr); ok && !a.IP.IsUnspecified() && len(a.IP) > 0 {
		c.local = new(l.Addr())
	}
	return c
}

// follow accepts the clients that come after nc, as long as there is a crowd. It ends
// with ctx, and a lull after the listener was closed.
func (c *crowd) follow(ctx context.Context, all *arrivals, nc net.Conn) {
	if c == nil {
		return
	}
	before := c.last
	c.last = time.Now()
	if c.last.Sub(before) >= lull || !c.liken(nc) || c.server.poller.hold() != nil {
		return
	}
	defer c.server.poller.release()
	f, err := c.listener.File() // which can be waited for
	if err != nil {
		return
	}
	defer f.Close()
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	defer context.AfterFunc(ctx, func() { f.SetReadDeadline(past) })()
	for goesOn := true; goesOn && ctx.Err() == nil; {
		goesOn = false
		f.SetReadDeadline(time.Now().Add(lull))
		if ctx.Err() != nil {
			return
		}
		raw.Read(func(fd uintptr) bool {
			some, over := c.take(all, fd)
			goesOn = (goesOn || some) && !over
			return over
		})
	}
}

// take accepts those who wait. It reports whether there were some, and whether package
// net has to see to what follows: the listener was closed, or there is an error.
func (c *crowd) take(all *arrivals, fd uintptr) (some, over bool) {
	raw, err := c.listener.SyscallConn()
	if err != nil || raw.Control(func(uintptr) {}) != nil {
		return false, true
	}
	for {
		n, remote, err := sysAccept(fd)
		switch err {
		case nil:
			some = true
			c.admit(all, n, remote)
		case errWouldBlock:
			c.last = time.Now()
			return some, false
		case syscall.ECONNABORTED:
		default:
			return some, true
		}
	}
}

// admit serves a client whose socket was accepted.
func (c *crowd) admit(all *arrivals, fd int32, remote netip.AddrPort) {
	p := &c.server.poller
	d := &descriptor{fd: fd, address: remote.Addr(), port: remote.Port(), local: c.local}
	d.poller = p
	if d.local == nil {
		p.localize(d, localAddr(int(fd)))
	}
	if p.handle != nil {
		d.turn.Store(during) // there is no Conn that could be visited
	}
	if err := p.add(d); err != nil {
		c.server.logger().Warn("websocket accept failed", "error", err)
		d.Close()
		return
	}
	go c.server.accept(all, d)
}

// The options of sockets that package net sets.
var netOptions = [...]struct{ level, name int }{
	{syscall.IPPROTO_TCP, syscall.TCP_NODELAY},
	{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE},
	{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE},
	{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL},
	{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT},
}

// liken gives the socket that listens the options of nc, which package net has
// accepted: those that are accepted here have them, too, then.
func (c *crowd) liken(nc net.Conn) bool {
	if c.likened {
		return true
	}
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return false
	}
	from, err := tcp.SyscallConn()
	if err != nil {
		return false
	}
	to, err := c.listener.SyscallConn()
	if err != nil {
		return false
	}
	from.Control(func(from uintptr) {
		to.Control(func(to uintptr) { c.likened = copyOptions(int(to), int(from)) })
	})
	return c.likened
}

// copyOptions gives a socket the netOptions of another one, and reports whether it has
// them.
func copyOptions(to, from int) bool {
	for _, o := range netOptions {
		value, err := syscall.GetsockoptInt(from, o.level, o.name)
		if err != nil || syscall.SetsockoptInt(to, o.level, o.name, value) != nil {
			return false
		}
	}
	return true
}

// sysAccept accepts a client of a socket that does not block. The error is
// errWouldBlock if there is none.
func sysAccept(fd uintptr) (int32, netip.AddrPort, error) {
	for {
		var from syscall.RawSockaddrAny
		size := uint32(syscall.SizeofSockaddrAny)
		n, _, errno := syscall.RawSyscall6(syscall.SYS_ACCEPT4, fd, uintptr(unsafe.Pointer(&from)),
			uintptr(unsafe.Pointer(&size)), syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0, 0)
		switch errno {
		case 0:
			return int32(n), addrPort(&from), nil
		case syscall.EAGAIN:
			return 0, netip.AddrPort{}, errWouldBlock
		case syscall.EINTR:
		default:
			return 0, netip.AddrPort{}, errno
		}
	}
}

// addrPort returns a TCP address of the kernel's.
func addrPort(from *syscall.RawSockaddrAny) netip.AddrPort {
	switch from.Addr.Family {
	case syscall.AF_INET:
		a := (*syscall.RawSockaddrInet4)(unsafe.Pointer(from))
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), hostOrder(&a.Port))
	case syscall.AF_INET6:
		a := (*syscall.RawSockaddrInet6)(unsafe.Pointer(from))
		return netip.AddrPortFrom(zoned(a.Addr, a.Scope_id), hostOrder(&a.Port))
	}
	return netip.AddrPort{}
}

// zoned returns an IPv6 address in a zone, or the IPv4 address that it stands for.
func zoned(octets [16]byte, zone uint32) netip.Addr {
	a := netip.AddrFrom16(octets).Unmap()
	if zone == 0 {
		return a
	}
	if i, err := net.InterfaceByIndex(int(zone)); err == nil {
		return a.WithZone(i.Name)
	}
	return a.WithZone(strconv.FormatUint(uint64(zone), 10))
}

// hostOrder returns a port that the kernel has in the order of the network.
func hostOrder(port *uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(port))
	return uint16(b[0])<<8 | uint16(b[1])
}

// localAddr returns the address of a TCP socket on this side.
func localAddr(fd int) net.Addr {
	name, err := syscall.Getsockname(fd)
	if err != nil {
		return nil
	}
	switch a := name.(type) {
	case *syscall.SockaddrInet4:
		return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)))
	case *syscall.SockaddrInet6:
		return net.TCPAddrFromAddrPort(netip.AddrPortFrom(zoned(a.Addr, a.ZoneId), uint16(a.Port)))
	}
	return nil
}
