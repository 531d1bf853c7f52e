//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"syscall"
)

// idle opens connections, has one message echoed on each, and leaves them alone, but
// for a heartbeat of Socket.IO: what the server's memory grew by is what they hold.
func idle(j *job) (result, error) {
	before, err := settledMemory(j.pid)
	if err != nil {
		return result{}, err
	}
	wire, payload := message(j)
	buf := make([]byte, 1<<16)
	j.pipeline = 1
	clients := make([]*client, j.conns)
	for i := range clients {
		c, err := connect(j)
		if err == nil {
			s := stream{client: c}
			err = s.verify(j, wire, payload, buf)
		}
		if err != nil {
			return result{}, fmt.Errorf("connection %d: %w", i, err)
		}
		clients[i] = c
	}
	if j.socketIO {
		if err := heartbeat(clients); err != nil {
			return result{}, err
		}
	}
	after, err := settledMemory(j.pid)
	if err != nil {
		return result{}, err
	}
	return result{Count: len(clients), Bytes: float64(after-before) / float64(len(clients))}, nil
}

// heartbeat answers one ping of Engine.IO on each connection.
func heartbeat(clients []*client) error {
	p, err := newPoller()
	if err != nil {
		return err
	}
	for i, c := range clients {
		if err := p.add(c.fd, i, syscall.EPOLLIN); err != nil {
			return err
		}
	}
	pong := text("3")
	buf := make([]byte, 64)
	for answered := 0; answered < len(clients); {
		events, err := p.wait()
		if err != nil {
			return fmt.Errorf("%d of %d pings came: %w", answered, len(clients), err)
		}
		for _, e := range events {
			n, err := syscall.Read(clients[e.Fd].fd, buf)
			if err == nil && n == 0 {
				err = io.ErrUnexpectedEOF
			}
			if err == nil && string(buf[:n]) != "\x81\x012" {
				err = errors.New("not a ping")
			}
			if err == nil {
				_, err = syscall.Write(clients[e.Fd].fd, pong)
			}
			if err != nil {
				return fmt.Errorf("ping %d: %w", answered, err)
			}
			answered++
		}
	}
	return nil
}
