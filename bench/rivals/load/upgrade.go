//go:build linux

package main

import (
	"io"
	"syscall"
	"time"
)

// upgrade connects, upgrades and resets, with as many connections under way at
// once as the job has.
func upgrade(j *job) (result, error) {
	sa, err := sockaddr(j.addr)
	if err != nil {
		return result{}, err
	}
	p, err := newPoller()
	if err != nil {
		return result{}, err
	}
	type opening struct {
		fd        int
		connected bool
		response  []byte
		began     time.Time
	}
	openings := make([]opening, j.conns)
	begin := func(i int) error {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		// Closing resets, so that no port waits for the end of a connection.
		if err := syscall.SetsockoptLinger(fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1}); err != nil {
			return err
		}
		openings[i] = opening{fd: fd, response: openings[i].response[:0], began: time.Now()}
		if err := syscall.Connect(fd, sa); err != nil && err != syscall.EINPROGRESS {
			return err
		}
		return p.add(fd, i, syscall.EPOLLOUT)
	}
	for i := range openings {
		if err := begin(i); err != nil {
			return result{}, err
		}
	}

	head := request(j)
	buf := make([]byte, 1<<16)
	span := newSpan(j)
	for {
		events, err := p.wait()
		if err != nil {
			return result{}, err
		}
		now := time.Now()
		if over, err := span.at(now); err != nil {
			return result{}, err
		} else if over {
			return span.result()
		}
		for _, e := range events {
			o := &openings[e.Fd]
			if !o.connected {
				o.connected = true
				if _, err := syscall.Write(o.fd, head); err != nil {
					return result{}, err
				}
				if err := p.change(o.fd, int(e.Fd), syscall.EPOLLIN); err != nil {
					return result{}, err
				}
				continue
			}
			n, err := syscall.Read(o.fd, buf)
			if err != nil {
				return result{}, err
			}
			if n == 0 {
				return result{}, io.ErrUnexpectedEOF
			}
			o.response = append(o.response, buf[:n]...)
			_, whole, err := accepted(o.response)
			if err != nil {
				return result{}, err
			}
			if !whole {
				continue
			}
			syscall.Close(o.fd)
			span.add(1, now.Sub(o.began))
			if err := begin(int(e.Fd)); err != nil {
				return result{}, err
			}
		}
	}
}
