//go:build linux

package main

import "fmt"

// idle opens connections, has one message echoed on each, and leaves them alone:
// what the server's memory grew by is what they hold.
func idle(j *job) (result, error) {
	before, err := settledMemory(j.pid)
	if err != nil {
		return result{}, err
	}
	clients, err := connectAll(j)
	if err != nil {
		return result{}, err
	}
	wire, payload := message(j)
	buf := make([]byte, 1<<16)
	j.pipeline = 1
	for i, c := range clients {
		s := stream{client: c}
		if err := s.verify(j, wire, payload, buf); err != nil {
			return result{}, fmt.Errorf("connection %d: %w", i, err)
		}
	}
	after, err := settledMemory(j.pid)
	if err != nil {
		return result{}, err
	}
	return result{Count: len(clients), Bytes: float64(after-before) / float64(len(clients))}, nil
}
