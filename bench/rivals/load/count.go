//go:build linux

package main

import (
	"slices"
	"time"
)

// A span is the part of a job that counts: all but the warming up.
type span struct {
	j        *job
	start    time.Time
	counting bool
	cpu      time.Duration // of the server at the start
	count    int
	times    []time.Duration
}

func newSpan(j *job) *span {
	return &span{j: j, start: time.Now().Add(j.warm), times: make([]time.Duration, 0, 1<<20)}
}

// at tells the time, and reports whether the job is over.
func (s *span) at(now time.Time) (over bool, err error) {
	if !s.counting && now.After(s.start) {
		s.counting, s.start = true, now
		s.cpu, err = processTime(s.j.pid)
	}
	return s.counting && now.Sub(s.start) >= s.j.time, err
}

// add counts n operations that took so long together.
func (s *span) add(n int, took time.Duration) {
	if s.counting {
		s.count += n
		s.times = append(s.times, took)
	}
}

// result is what the span came to.
func (s *span) result() (result, error) {
	end, err := processTime(s.j.pid)
	if err != nil {
		return result{}, err
	}
	r := result{Count: s.count, Seconds: time.Since(s.start).Seconds()}
	r.cost(end - s.cpu)
	r.latency(s.times)
	return r, nil
}

// cost divides the server's time.
func (r *result) cost(cpu time.Duration) {
	if r.Count > 0 {
		r.CPU = float64(cpu.Nanoseconds()) / 1e3 / float64(r.Count)
	}
}

func (r *result) latency(times []time.Duration) {
	if len(times) == 0 {
		return
	}
	slices.Sort(times)
	r.P50 = float64(times[len(times)/2].Nanoseconds()) / 1e3
	r.P99 = float64(times[len(times)*99/100].Nanoseconds()) / 1e3
}
