//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"syscall"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
	"example.org/rfc6455/mask"
)

// A client is one connection.
type client struct {
	fd    int
	early []byte // came together with the end of the handshake
}

// sockaddr is the address of the server in the form of the system calls.
func sockaddr(addr string) (*syscall.SockaddrInet4, error) {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	if !ap.Addr().Is4() {
		return nil, errors.New("want an IPv4 address")
	}
	return &syscall.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().As4()}, nil
}

// connect opens a connection and, unless the server is a raw one, upgrades it.
func connect(j *job) (*client, error) {
	sa, err := sockaddr(j.addr)
	if err != nil {
		return nil, err
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	if err := syscall.Connect(fd, sa); err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	c := &client{fd: fd}
	if !j.raw {
		if err := c.upgrade(j); err != nil {
			return nil, err
		}
	}
	if j.socketIO {
		if err := c.join(); err != nil {
			return nil, err
		}
	}
	return c, syscall.SetNonblock(fd, true)
}

// key is the one of RFC 6455, Section 1.3.
const key = "dGhlIHNhbXBsZSBub25jZQ=="

// request is the head of an opening handshake with a fixed key.
func request(j *job) []byte {
	b := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n", j.path, j.addr)
	if j.head == "browser" {
		b = fmt.Appendf(b, "Pragma: no-cache\r\nCache-Control: no-cache\r\n"+
			"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n"+
			"Origin: http://%s\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\n"+
			"Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n"+
			"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n", j.addr)
	}
	return append(b, "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "+key+"\r\n"+
		"Sec-WebSocket-Version: 13\r\n\r\n"...)
}

// accepted reports whether b has the whole response, and what follows it.
func accepted(b []byte) (rest []byte, whole bool, err error) {
	head, rest, whole := bytes.Cut(b, []byte("\r\n\r\n"))
	if !whole {
		return nil, false, nil
	}
	want := handshake.AppendAccept(nil, key)
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) || !bytes.Contains(head, want) {
		return nil, true, fmt.Errorf("not upgraded: %q", head)
	}
	return rest, true, nil
}

func (c *client) upgrade(j *job) error {
	if _, err := syscall.Write(c.fd, request(j)); err != nil {
		return err
	}
	var b []byte
	chunk := make([]byte, 4096)
	for {
		n, err := syscall.Read(c.fd, chunk)
		if err != nil {
			return err
		}
		if n == 0 {
			return io.ErrUnexpectedEOF
		}
		b = append(b, chunk[:n]...)
		rest, whole, err := accepted(b)
		if whole {
			c.early = rest
			return err
		}
	}
}

// join waits for the session of Engine.IO and joins the main namespace of Socket.IO.
func (c *client) join() error {
	if _, err := syscall.Write(c.fd, text("40")); err != nil {
		return err
	}
	chunk := make([]byte, 4096)
	for packets := 0; packets < 2; {
		h, size, err := frame.ParseHeader(c.early)
		if err != nil {
			return err
		}
		if end := size + int(h.Length); size > 0 && len(c.early) >= end {
			if p := c.early[size:end]; !bytes.HasPrefix(p, []byte([]string{"0{", "40{"}[packets])) {
				return fmt.Errorf("not joined: %q", p)
			}
			c.early = c.early[end:]
			packets++
			continue
		}
		n, err := syscall.Read(c.fd, chunk)
		if err != nil {
			return err
		}
		if n == 0 {
			return io.ErrUnexpectedEOF
		}
		c.early = append(c.early, chunk[:n]...)
	}
	return nil
}

// text is a frame with text as a client sends it.
func text(payload string) []byte {
	return frameOf(frame.OpText, []byte(payload))
}

func frameOf(op frame.Opcode, payload []byte) []byte {
	wire, err := frame.AppendFrame(nil, frame.Header{Flags: frame.FIN | frame.MASK, Opcode: op, Key: mask.NewKey()}, payload)
	if err != nil {
		panic(err)
	}
	return wire
}

// connectAll opens the connections of a job.
func connectAll(j *job) ([]*client, error) {
	clients := make([]*client, j.conns)
	for i := range clients {
		c, err := connect(j)
		if err != nil {
			return nil, fmt.Errorf("connection %d: %w", i, err)
		}
		clients[i] = c
	}
	return clients, nil
}

// message is a frame as a client sends it, and the payload of what answers it.
func message(j *job) (wire, answer []byte) {
	payload := bytes.Repeat([]byte("WebSocket echo. "), j.size/16+1)[:j.size]
	if j.socketIO {
		return text(fmt.Sprintf(`420["echo",%q]`, payload)), fmt.Appendf(nil, `430[%q]`, payload)
	}
	return frameOf(frame.OpBinary, payload), payload
}

// announcement is message for a server that sends it to all as it is.
func announcement(j *job) []byte {
	wire, payload := message(j)
	if j.socketIO {
		return text(fmt.Sprintf(`42["say",%s]`, payload[len("430["):len(payload)-1]))
	}
	return wire
}

// patience is how long, in seconds, a poller waits: longer than what a server has
// between two heartbeats.
const patience = 15

// A poller waits for sockets.
type poller struct {
	fd     int
	events [512]syscall.EpollEvent
}

func newPoller() (*poller, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	return &poller{fd: fd}, err
}

// add watches fd for what events names; wait returns it as i.
func (p *poller) add(fd, i int, events uint32) error {
	return syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: events, Fd: int32(i)})
}

func (p *poller) change(fd, i int, events uint32) error {
	return syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_MOD, fd, &syscall.EpollEvent{Events: events, Fd: int32(i)})
}

func (p *poller) wait() ([]syscall.EpollEvent, error) {
	for {
		n, err := syscall.EpollWait(p.fd, p.events[:], 1000*patience)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return nil, err
		case n == 0:
			return nil, fmt.Errorf("nothing came for %d seconds", patience)
		default:
			return p.events[:n], nil
		}
	}
}
