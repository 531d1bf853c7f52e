//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"example.org/rfc6455/frame"
)

// A stream is the progress of one connection through its batches.
type stream struct {
	*client
	answer  int    // octets that a batch is answered with
	want    int    // those that have yet to come
	unsent  []byte // of the batch
	blocked bool   // whether the poller says when there is room for it
	began   time.Time
}

// echo sends batches of messages, on each connection the next as soon as all of
// the last one came back. Every octet of the first answer of each connection is
// compared, later ones are counted.
func echo(j *job) (result, error) {
	clients, err := connectAll(j)
	if err != nil {
		return result{}, err
	}
	wire, payload := message(j)
	batch := bytes.Repeat(wire, j.pipeline)
	p, err := newPoller()
	if err != nil {
		return result{}, err
	}
	streams := make([]stream, len(clients))
	buf := make([]byte, 1<<20)
	for i, c := range clients {
		streams[i].client = c
		if err := streams[i].verify(j, batch, payload, buf); err != nil {
			return result{}, fmt.Errorf("connection %d: %w", i, err)
		}
		if err := p.add(c.fd, i, syscall.EPOLLIN); err != nil {
			return result{}, err
		}
	}
	for i := range streams {
		if err := streams[i].next(p, i, batch); err != nil {
			return result{}, err
		}
	}

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
			s := &streams[e.Fd]
			if len(s.unsent) > 0 {
				if err := s.send(p, int(e.Fd)); err != nil {
					return result{}, err
				}
			}
			n, err := syscall.Read(s.fd, buf)
			switch {
			case err == syscall.EAGAIN:
				continue
			case err != nil:
				return result{}, err
			case n == 0:
				return result{}, io.ErrUnexpectedEOF
			}
			if s.want -= n; s.want > 0 {
				continue
			}
			if s.want < 0 {
				return result{}, fmt.Errorf("%d octets too many came back", -s.want)
			}
			span.add(j.pipeline, now.Sub(s.began))
			if err := s.next(p, int(e.Fd), batch); err != nil {
				return result{}, err
			}
		}
	}
}

// verify does one round and compares the payloads that come back. It learns how
// many octets the server needs for them: some fragment long messages.
func (s *stream) verify(j *job, batch, payload, buf []byte) error {
	want := bytes.Repeat(payload, j.pipeline)
	if j.raw {
		want = batch
	}
	deadline := time.Now().Add(10 * time.Second)
	got, unparsed := []byte(nil), append([]byte(nil), s.early...)
	for {
		for len(unparsed) > 0 {
			n := len(unparsed)
			if j.raw {
				got = append(got, unparsed...)
			} else {
				h, size, err := frame.ParseHeader(unparsed)
				if err != nil {
					return err
				}
				if size == 0 || int64(len(unparsed)-size) < h.Length {
					break
				}
				n = size + int(h.Length)
				got = append(got, unparsed[size:n]...)
			}
			s.answer += n
			unparsed = unparsed[n:]
		}
		if len(got) >= len(want) {
			break
		}
		if len(batch) > 0 {
			n, err := syscall.Write(s.fd, batch)
			if err != nil && err != syscall.EAGAIN {
				return err
			}
			batch = batch[max(n, 0):]
		}
		n, err := syscall.Read(s.fd, buf)
		switch {
		case err == syscall.EAGAIN:
			if time.Now().After(deadline) {
				return fmt.Errorf("%d of %d octets came back", len(got), len(want))
			}
			time.Sleep(20 * time.Microsecond)
		case err != nil:
			return err
		case n == 0:
			return io.ErrUnexpectedEOF
		default:
			unparsed = append(unparsed, buf[:n]...)
		}
	}
	if len(unparsed) > 0 || !bytes.Equal(got, want) {
		return errors.New("what came back is not what was sent")
	}
	return nil
}

// next begins the next batch.
func (s *stream) next(p *poller, i int, batch []byte) error {
	s.want, s.unsent, s.began = s.answer, batch, time.Now()
	return s.send(p, i)
}

// send writes what the socket takes, and has the poller say when there is room for
// the rest.
func (s *stream) send(p *poller, i int) error {
	n, err := syscall.Write(s.fd, s.unsent)
	if err != nil && err != syscall.EAGAIN {
		return err
	}
	s.unsent = s.unsent[max(n, 0):]
	blocked := len(s.unsent) > 0
	if blocked == s.blocked {
		return nil
	}
	s.blocked = blocked
	events := uint32(syscall.EPOLLIN)
	if blocked {
		events |= syscall.EPOLLOUT
	}
	return p.change(s.fd, i, events)
}
