//go:build linux

package main

import (
	"fmt"
	"io"
	"syscall"
	"time"
)

// broadcast has one connection send messages that the server sends to all, and
// counts them as they arrive. A burst is several, one after the other, that slow
// receivers may get in one piece. The server has a tenth of a second between
// bursts.
func broadcast(j *job) (result, error) {
	clients, err := connectAll(j)
	if err != nil {
		return result{}, err
	}
	p, err := newPoller()
	if err != nil {
		return result{}, err
	}
	for i, c := range clients {
		if err := p.add(c.fd, i, syscall.EPOLLIN); err != nil {
			return result{}, err
		}
	}
	wire := announcement(j)
	var burst []byte
	for range j.burst {
		burst = append(burst, wire...)
	}
	one := len(wire) - 4 // a server does not mask
	want := j.conns * j.burst * one

	buf := make([]byte, 1<<20)
	round := func() error {
		if _, err := syscall.Write(clients[0].fd, burst); err != nil {
			return err
		}
		for got := 0; got < want; {
			events, err := p.wait()
			if err != nil {
				return fmt.Errorf("%d of %d octets came: %w", got, want, err)
			}
			for _, e := range events {
				n, err := syscall.Read(clients[e.Fd].fd, buf)
				if err != nil {
					return err
				}
				if n == 0 {
					return io.ErrUnexpectedEOF
				}
				if got += n; got > want {
					return fmt.Errorf("%d octets too many came", got-want)
				}
			}
		}
		return nil
	}

	// The last connection has been accepted, but the server may still be adding it.
	time.Sleep(j.warm)
	var r result
	var times []time.Duration
	var cpu time.Duration
	start := time.Now()
	for warm := true; time.Since(start) < j.time || len(times) == 0; warm = false {
		if !warm {
			time.Sleep(100 * time.Millisecond)
		}
		before, err := processTime(j.pid)
		if err != nil {
			return result{}, err
		}
		began := time.Now()
		if err := round(); err != nil {
			return result{}, err
		}
		took := time.Since(began)
		time.Sleep(20 * time.Millisecond) // what the server does after the last octet
		after, err := processTime(j.pid)
		if err != nil {
			return result{}, err
		}
		if warm {
			start = time.Now()
			continue
		}
		cpu += after - before
		r.Count += j.conns * j.burst
		times = append(times, took)
	}
	r.cost(cpu)
	r.latency(times)
	return r, nil
}
