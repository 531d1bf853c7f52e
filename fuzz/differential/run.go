package main

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"example.org/rfc6455/fuzz/differential/peers"
	"example.org/rfc6455/fuzz/differential/script"
)

// A run plays scripts to implementations and counts what comes of them.
type run struct {
	peers  []*peers.Peer // the first is ours
	seed   uint64
	count  uint64 // of scripts; 0 is no limit
	share  uint64
	played atomic.Uint64
	took   time.Duration

	mu       sync.Mutex
	tallies  map[*peers.Peer]*tally
	findings []finding
	err      error
}

// A tally counts what an implementation did.
type tally struct {
	played  uint64
	differs uint64 // from ours
	classes map[class]uint64
	crashes map[string]uint64
}

// A finding is an outcome that nothing explains.
type finding struct {
	peer   *peers.Peer
	script *script.Script // reduced
	got    *script.Outcome
	want   *script.Outcome
}

// maxFindings ends a run: who has that many mends them before looking for more.
const maxFindings = 20

func newRun(all []*peers.Peer, seed, count, share uint64) *run {
	r := &run{peers: all, seed: seed, count: count, share: max(1, share), tallies: make(map[*peers.Peer]*tally)}
	for _, p := range all {
		r.tallies[p] = &tally{classes: make(map[class]uint64), crashes: make(map[string]uint64)}
	}
	return r
}

// scriptAt returns a script of the run. It is the same whoever asks, and when.
func (r *run) scriptAt(i uint64) *script.Script {
	return script.Generate(rand.New(rand.NewPCG(r.seed, i)))
}

// play plays the scripts until there are no more or ctx ends.
func (r *run) play(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	start := time.Now()
	var next atomic.Uint64
	var workers sync.WaitGroup
	// Most of them wait for other processes.
	for range 16 * runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for ctx.Err() == nil {
				i := next.Add(1) - 1
				if r.count != 0 && i >= r.count {
					return
				}
				if !r.playOne(i) {
					cancel()
				}
			}
		})
	}
	workers.Wait()
	r.took = time.Since(start)
}

// playOne plays a script to every implementation and reports whether to go on.
func (r *run) playOne(i uint64) bool {
	s := r.scriptAt(i)
	var ours *script.Outcome
	for _, p := range r.peers {
		if !p.Plays(s) || p.Process() && i%r.share != 0 {
			continue
		}
		o, err := p.Play(s)
		if err != nil {
			r.mu.Lock()
			r.err = err
			r.mu.Unlock()
			return false
		}
		if p == peers.Ours {
			ours = o
		}
		v := judge(p, s, o, ours)
		if !r.add(p, o, v) && !r.find(finding{peer: p, script: s, got: o, want: v.want}) {
			return false
		}
	}
	r.played.Add(1)
	return true
}

// add counts an outcome and reports whether it is explained.
func (r *run) add(p *peers.Peer, o *script.Outcome, v verdict) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.tallies[p]
	t.played++
	if len(v.classes) > 0 {
		t.differs++
	}
	for _, c := range v.classes {
		t.classes[c]++
	}
	if o.Crash != "" {
		t.crashes[kindOfCrash(o.Crash)]++
	}
	return v.explained
}

// find keeps a finding, with its script reduced, and reports whether to look for
// more.
func (r *run) find(f finding) bool {
	shows := func(s *script.Script) bool {
		if !f.peer.Plays(s) {
			return false
		}
		ours, err := peers.Ours.Play(s)
		if err != nil {
			return false
		}
		o, err := f.peer.Play(s)
		if err != nil {
			return false
		}
		v := judge(f.peer, s, o, ours)
		if !v.explained {
			f.script, f.got, f.want = s, o, v.want
		}
		return !v.explained
	}
	f.script.Minimize(shows)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.ContainsFunc(r.findings, func(g finding) bool { return g.peer == f.peer && g.script.Equal(f.script) }) {
		r.findings = append(r.findings, f)
	}
	return len(r.findings) < maxFindings
}

// failed reports whether the run found anything, or could not go on.
func (r *run) failed() bool { return r.err != nil || len(r.findings) > 0 }
