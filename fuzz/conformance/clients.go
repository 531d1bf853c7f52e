package conformance

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

// A ClientTester is a server that tests the clients which connect to it. They
// ask for one case after the other, and echo messages in each: see the package
// documentation for the paths. Any number of clients may do so at once, each
// under a name of its own.
//
// The zero value runs all cases. The fields must be set before Serve is called.
// The methods may be called concurrently.
type ClientTester struct {
	// Options configures the run. Nil means the defaults.
	Options *Options

	// OnUpdate is called when a client asks for the reports to be written, with
	// those of all clients so far. Calls do not overlap. An error is told to the
	// client. Nil does nothing.
	OnUpdate func(reports []*Report) error

	once    sync.Once
	options Options
	cases   []*Case
	ctx     context.Context // ends with Stop
	cancel  context.CancelCauseFunc

	update sync.Mutex // held while OnUpdate runs
	tell   sync.Mutex // held while OnResult runs

	mu        sync.Mutex // guards what follows
	agents    []*agent   // in the order in which they came
	changed   chan struct{}
	listeners []net.Listener
	running   sync.WaitGroup
}

// An agent is a client under test.
type agent struct {
	name    string
	began   time.Time
	ended   time.Time
	results map[*Case]*Result
	keys    map[string]bool // every Sec-WebSocket-Key it has used
}

// errStopped is why cases end when the tester is stopped.
var errStopped = errors.New("conformance: stopped")

func (t *ClientTester) init() {
	t.once.Do(func() {
		t.options = t.Options.withDefaults()
		t.cases = Select(Cases(frame.Client), t.options.Run)
		t.ctx, t.cancel = context.WithCancelCause(context.Background())
		t.changed = make(chan struct{})
	})
}

// Cases returns the cases that clients can ask for, in the order of their
// numbers, which count from 1. The caller must not modify them.
func (t *ClientTester) Cases() []*Case {
	t.init()
	return t.cases
}

// Serve accepts clients from l until Stop is called or l fails, and waits for
// the cases being run. It closes l. The error is ErrNoCase or that of l, or nil
// after Stop.
func (t *ClientTester) Serve(l net.Listener) error {
	t.init()
	defer l.Close()
	if len(t.cases) == 0 {
		return ErrNoCase
	}
	stop := context.AfterFunc(t.ctx, func() { l.Close() })
	defer stop()
	defer t.running.Wait()
	for {
		nc, err := l.Accept()
		switch {
		case t.ctx.Err() != nil:
			if err == nil {
				nc.Close()
			}
			return nil
		case err != nil:
			return err
		}
		t.running.Go(func() { t.serve(nc) })
	}
}

// Stop ends Serve. Cases being run have no result.
func (t *ClientTester) Stop() {
	t.init()
	t.cancel(errStopped)
}

// Reports returns the reports of all clients so far, in the order in which they
// came. Cases that a client has not asked for are missing.
func (t *ClientTester) Reports() []*Report {
	t.init()
	t.mu.Lock()
	defer t.mu.Unlock()
	var reports []*Report
	for _, a := range t.agents {
		reports = append(reports, t.report(a))
	}
	return reports
}

// report returns the report of an agent. It needs mu.
func (t *ClientTester) report(a *agent) *Report {
	r := &Report{Agent: a.name, Role: frame.Client, Began: a.began, Ended: a.ended}
	for _, c := range t.cases {
		if result := a.results[c]; result != nil {
			r.Results = append(r.Results, *result)
		}
	}
	return r
}

// find returns the client called name, or nil. It needs mu.
func (t *ClientTester) find(name string) *agent {
	i := slices.IndexFunc(t.agents, func(a *agent) bool { return a.name == name })
	if i < 0 {
		return nil
	}
	return t.agents[i]
}

// agent returns the client called name, which may be new. It needs mu.
func (t *ClientTester) agent(name string) *agent {
	if a := t.find(name); a != nil {
		return a
	}
	now := time.Now()
	a := &agent{name: name, began: now, ended: now, results: map[*Case]*Result{}, keys: map[string]bool{}}
	t.agents = append(t.agents, a)
	return a
}

// serve serves one connection.
func (t *ClientTester) serve(nc net.Conn) {
	defer nc.Close()
	stop := context.AfterFunc(t.ctx, func() { nc.Close() })
	defer stop()
	var p handshake.Parser
	nc.SetDeadline(time.Now().Add(10 * t.options.Timeout))
	var b []byte
	buf := make([]byte, 4<<10)
	for {
		n, err := nc.Read(buf)
		if n == 0 && err != nil {
			return
		}
		b = append(b, buf[:n]...)
		r, n, err := p.ParseRequest(b)
		if err != nil {
			refuse(nc, 400, err.Error())
			return
		}
		if n > 0 {
			nc.SetDeadline(time.Time{})
			t.route(&call{nc: nc, request: r, head: b[:n], early: b[n:]})
			return
		}
	}
}

// runCase runs a case on the connection of a call.
func (t *ClientTester) runCase(c *call, test *Case, name string) {
	s := newSession(t.ctx, test, frame.Server, &t.options)
	s.nc, s.request, s.early = c.nc, c.request, c.early
	s.invalid = c.request.Validate()
	s.log.add(Received, c.head, int64(len(c.head)), "request")

	t.mu.Lock()
	a := t.agent(name)
	key := c.request.Key()
	s.keyUsed = a.keys[key]
	a.keys[key] = true
	t.mu.Unlock()

	s.run()
	if t.ctx.Err() != nil {
		return
	}
	result := s.result()
	t.mu.Lock()
	a.results[test] = &result
	a.ended = time.Now()
	close(t.changed)
	t.changed = make(chan struct{})
	report := t.report(a)
	t.mu.Unlock()

	if t.options.OnResult != nil {
		t.tell.Lock()
		defer t.tell.Unlock()
		t.options.OnResult(report, &result)
	}
}

// awaitResult waits for the result of a case. It returns nil if the tester is
// stopped before.
func (t *ClientTester) awaitResult(test *Case, name string) *Result {
	for {
		var result *Result
		t.mu.Lock()
		if a := t.find(name); a != nil {
			result = a.results[test]
		}
		changed := t.changed
		t.mu.Unlock()
		if result != nil {
			return result
		}
		select {
		case <-changed:
		case <-t.ctx.Done():
			return nil
		}
	}
}
