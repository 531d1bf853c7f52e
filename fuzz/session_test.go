package fuzz_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/internal/reference"
)

// FuzzServerSession: whatever a client and the application of a server do, in any
// order and with any fault of the network, what the application receives is a
// beginning of what the client has sent, what leaves are whole legal frames up to
// where the connection was cut off, with each message that was reported as sent, and
// the connection ends in time with an error that agrees with what has happened.
func FuzzServerSession(f *testing.F) { fuzzSession(f, true) }

// FuzzClientSession is [FuzzServerSession] with a client in the middle.
func FuzzClientSession(f *testing.F) { fuzzSession(f, false) }

// The steps of a session.
const (
	stepFrame    = iota // the peer sends a frame
	stepOctets          // the peer sends any octets
	stepWrite           // the application writes a message
	stepStream          // ... in fragments
	stepPost            // ... without waiting
	stepPing            // the application pings
	stepClose           // the application closes
	stepCloseNow        // ... without a closing handshake
	stepSleep           // time passes
	stepPeerEnds        // the peer ends its octets
	stepPeerCuts        // the peer cuts the connection off
	steps
)

func fuzzSession(f *testing.F, server bool) {
	legal := []byte{ // pairs of frames and messages, and a closing handshake
		stepFrame, 1, 5, 'H', 'e', 'l', 'l', 'o', stepWrite, 3, 0, stepFrame, 9, 2, 'h', 'i', stepPing, 0, stepStream, 9, 3, 0,
		stepFrame, 4, 1, 'a', stepFrame, 3, 1, 'b', stepPost, 50, stepSleep, 40, stepFrame, 8, 2, 3, 0xe8,
	}
	for _, faults := range [][]byte{nil, {1, 0, 0, 1, 0, 0}, {0, 3, 20, 0, 2, 30}, {0, 4, 9, 7, 4, 60}, {2, 5, 4, 3, 6, 5}, {0, 1, 8, 0, 1, 8}} {
		for options := range uint8(4) {
			f.Add(append(bytes.Clone(legal), stepFrame, 1, 0), faults, options)
			f.Add(append(bytes.Clone(legal[:24]), stepClose, 0, stepSleep, 200), faults, options)
			f.Add(append(bytes.Clone(legal[:30]), stepPeerEnds, stepWrite, 100, 0), faults, options)
			f.Add(append(bytes.Clone(legal[:11]), stepPeerCuts, stepWrite, 100, 0), faults, options)
			f.Add(append(bytes.Clone(legal[:16]), stepCloseNow, stepSleep, 1), faults, options)
			f.Add([]byte{stepOctets, 3, 0x83, 0x80, 0, stepWrite, 1, 1, stepClose, 3}, faults, options)
			f.Add([]byte{stepFrame, 1, 1, 0xff, stepWrite, 1, 1}, faults, options)
			f.Add(append(bytes.Clone(legal), stepFrame, 1, 0), append(append([]byte{0, 0, 0, 0, 0, 0}, faults...), 2, 1, 3, 1, 2, 3, 9, 1), options)
			f.Add([]byte{stepStream, 200, 1, 1, stepStream, 100, 0, 2, stepPost, 3, stepSleep, 255, stepSleep, 255}, faults, options)
		}
	}
	fuzz(f, func(t *testing.T, script, faults []byte, options uint8) {
		if len(script) > 1<<9 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			s := newSession(t, server, faults, options)
			s.run(script)
			s.check()
		})
	})
}

// A session is a connection with an application on one side and a peer, played
// octet by octet, on the other.
type session struct {
	t       *testing.T
	r       reference.Receiver
	c       *conn.Conn
	peer    *conntest.End
	faulty  bool
	pending sync.WaitGroup

	calls    chan func() // of the application that writes
	readDone chan struct{}
	got      received
	sent     []byte // by the peer

	mu       sync.Mutex
	arrived  []byte   // at the peer
	reported []string // messages that were reported as sent
	closed   int      // the code that the application closed with; zero if it has not
	gone     bool     // whether it has cut the connection off
}

// flow makes the faults of one direction of the next three octets.
func flow(s *source) conntest.Flow {
	f := conntest.Flow{Split: s.next(8), Then: conntest.Action(s.next(int(conntest.Interrupt) + 1))}
	f.After = int64(s.next(256))
	return f
}

func newSession(t *testing.T, server bool, faults []byte, options uint8) *session {
	s := &session{
		t:        t,
		r:        reference.Receiver{Server: server, Deflate: options&1 != 0, MaxMessage: 1 << 12},
		calls:    make(chan func(), 1<<10),
		readDone: make(chan struct{}),
	}
	local, peer := conntest.Pipe(1 + 1024*int(options>>2&1) + 64*int(options>>3&3))
	s.peer = peer
	from := source(faults)
	injected := conntest.Faults{Read: flow(&from), Write: flow(&from)}
	s.faulty = injected.Read.Then != conntest.Nothing || injected.Write.Then != conntest.Nothing
	s.c = connect(conntest.Inject(local, injected), s.r, nil, &conn.Options{
		MaxMessageSize: int64(s.r.MaxMessage), PingInterval: 20 * time.Second, Compression: &conn.Compression{MinSize: conn.NoLimit},
	})
	s.pending.Go(func() {
		s.got = readAll(t, s.c, from) // in ways that are chosen by what is left
		close(s.readDone)
	})
	s.pending.Go(func() {
		for call := range s.calls {
			call()
		}
	})
	s.pending.Go(func() {
		b := make([]byte, 512)
		for {
			n, err := peer.Read(b)
			s.mu.Lock()
			s.arrived = append(s.arrived, b[:n]...)
			s.mu.Unlock()
			if err != nil {
				return
			}
			if options&2 != 0 {
				time.Sleep(time.Millisecond)
			}
		}
	})
	return s
}

// run takes the steps of a script, each when nothing is left to be done of those
// before it, and ends the session.
func (s *session) run(script []byte) {
	from := source(script)
	for serial := 0; len(from) > 0; serial++ {
		s.step(from.next(steps), &from, serial)
		synctest.Wait()
	}
	close(s.calls)
	// A peer that has nothing more to say and reads on. A ping that is waited for
	// ends with its context, a write and a closing handshake with their timeouts.
	s.peer.CloseWrite()
	select {
	case <-s.readDone:
	case <-time.After(3 * time.Minute):
		s.t.Errorf("the connection goes on after the end of its peer: %v", s.c.Err())
		s.c.CloseNow()
	}
	s.pending.Wait()
	s.peer.Close()
	synctest.Wait()
}

func (s *session) send(octets []byte) {
	// The peer gives up what the connection does not take.
	s.peer.SetWriteDeadline(time.Now().Add(time.Second))
	n, _ := s.peer.Write(octets)
	s.sent = append(s.sent, octets[:n]...)
}

func (s *session) step(step int, from *source, serial int) {
	ctx := context.Background()
	switch step {
	case stepFrame:
		first := [...]byte{0x80, 0x81, 0x82, 0x80, 0x01, 0x00, 0x02, 0x8a, 0x88, 0x89, 0xc1, 0x41}[from.next(12)]
		s.send(encode(s.r, first, from.take(from.next(130))))
	case stepOctets:
		s.send(from.take(from.next(20)))
	case stepWrite, stepPost:
		message := strings.Repeat("é", from.next(256)) + string(rune(0x4e00+serial))
		if step == stepPost {
			m, err := conn.Prepare(frame.OpText, []byte(message))
			if err != nil {
				s.t.Error(err)
			}
			s.call(func() { s.c.Post(m) })
			return
		}
		limit := from.next(4)
		s.call(func() {
			ctx, cancel := context.WithTimeout(ctx, time.Duration(1+9*limit)*time.Second)
			defer cancel()
			s.report(s.c.WriteMessage(ctx, frame.OpText, []byte(message)), message)
		})
	case stepStream:
		size, parts, flush := from.next(256), 1+from.next(4), from.next(2) == 1
		s.call(func() {
			w, err := s.c.NextWriter(frame.OpText)
			var message strings.Builder
			for range parts {
				if err == nil {
					part := strings.Repeat("ж", size) + string(rune(0x4e00+serial))
					_, err = w.Write(ctx, []byte(part))
					message.WriteString(part)
				}
				if err == nil && flush {
					err = w.Flush(ctx)
				}
			}
			if err == nil {
				err = w.Close(ctx)
			}
			s.report(err, message.String())
		})
	case stepPing:
		wait := time.Duration(1+from.next(4)) * time.Second
		s.call(func() {
			ctx, cancel := context.WithTimeout(ctx, wait)
			defer cancel()
			s.c.Ping(ctx)
		})
	case stepClose:
		code := [...]frame.CloseCode{1000, 1005, 3000, 1001, 1006}[from.next(5)]
		s.call(func() {
			err := s.c.Close(code, "bye")
			if (code == 1006 || code == 1005) && s.c.Err() == nil {
				if !errors.Is(err, frame.ErrCloseCode) {
					s.t.Errorf("Close(%v) = %v", code, err)
				}
				return
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.closed == 0 {
				s.closed = int(code)
			}
			if s.c.Err() == nil {
				s.t.Errorf("Close(%v) = %v, and the connection goes on", code, err)
			}
		})
	case stepCloseNow:
		s.gone = true
		s.faulty = true // what the peer has not read may be lost
		s.c.CloseNow()
	case stepSleep:
		time.Sleep(time.Duration(1+from.next(256)) * 250 * time.Millisecond)
	case stepPeerEnds:
		s.peer.CloseWrite()
	case stepPeerCuts:
		s.faulty = true
		s.peer.Reset()
	}
}

// call has the application's writer do something, after all else.
func (s *session) call(f func()) { s.calls <- f }

func (s *session) report(err error, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.reported = append(s.reported, message)
	}
}

// check looks at what has come of the session.
func (s *session) check() {
	t := s.t
	end, ok := errors.AsType[*conn.CloseError](s.got.end)
	if !ok || s.c.Err() != s.got.end || s.c.State() != conn.StateClosed {
		t.Fatalf("ended with %v, %v; state %v", s.got.end, s.c.Err(), s.c.State())
	}
	if _, err := s.c.Ping(context.Background()); err != s.got.end {
		t.Errorf("Ping after the end = %#v; want %#v", err, s.got.end)
	}

	want := s.r.Receive(s.sent)
	s.got.complete(want.Messages)
	if n := len(s.got.messages); n > len(want.Messages) || !slices.Equal(s.got.messages, want.Messages[:n]) {
		t.Fatalf("received %+v; %+v was sent", s.got.messages, want.Messages)
	}
	code, clean := s.checkArrived(end, want)

	_, ofFrame := errors.AsType[*frame.Error](end.Err)
	switch {
	case end.By == conn.Peer && (want.End.How != reference.Closed || int(end.Code) != want.End.Code || end.Reason != want.End.Reason),
		ofFrame && !want.End.Open && (want.End.How != reference.Failed || !slices.Contains(want.End.Codes, int(end.Code))),
		end.By == conn.Local && end.Err == nil && (want.End.How != reference.Closed || int(end.Code) != want.End.Code),
		end.By == conn.Local && errors.Is(end.Err, conn.ErrCloseNow) && !s.gone,
		end.By == conn.Network && end.Code != frame.CloseAbnormalClosure:
		t.Errorf("ended with %v; %+v was sent", end, want.End)
	case end.Err == nil && (!clean || code == 0) && !s.faulty:
		t.Errorf("ended with %v, but %x arrived", end, s.arrived)
	}
}

// checkArrived checks the octets that have come to the peer. It returns the code of
// the Close frame among them, zero if there is none, and whether the last frame is
// whole.
func (s *session) checkArrived(end *conn.CloseError, want reference.Outcome) (code int, clean bool) {
	t := s.t
	receiver := reference.Receiver{Server: !s.r.Server, Deflate: s.r.Deflate, MaxMessage: 1 << 20}
	frames, broken, at := receiver.Frames(s.arrived)
	clean = at == len(s.arrived) && (len(frames) == 0 || frames[len(frames)-1].IsWhole())
	if broken != "" {
		t.Fatalf("%x arrived: %q at %d", s.arrived, broken, at)
	}
	var pongs []string
	for i, f := range frames {
		if code != 0 {
			t.Fatalf("%x arrived: a frame behind a Close frame", s.arrived)
		}
		// Three random keys are the same once in 2^64 times.
		if i > 1 && f.Masked && f.Key == frames[i-1].Key && f.Key == frames[i-2].Key {
			t.Fatalf("three frames have the key %x", f.Key)
		}
		switch f.Opcode {
		case 8:
			var failure int
			if code, _, failure = reference.Close(f.Payload); failure != 0 && f.IsWhole() {
				t.Fatalf("the Close payload %x arrived", f.Payload)
			}
		case 10:
			if f.IsWhole() {
				pongs = append(pongs, string(f.Payload))
			}
		}
	}
	pings := want.Pings
	for _, p := range pongs {
		i := slices.Index(pings, p)
		if i < 0 {
			t.Fatalf("pongs %q answer the pings %q", pongs, want.Pings)
		}
		pings = pings[i+1:]
	}
	o := receiver.Receive(s.arrived)
	if o.End.How == reference.Failed {
		t.Fatalf("%x arrived, which is wrong: %+v", s.arrived, o.End)
	}
	rest := o.Messages
	for _, m := range s.reported {
		i := slices.Index(rest, reference.Message{Text: true, Payload: m})
		if i < 0 {
			if end.Err != nil || s.faulty {
				break // it had left, and was lost on the way
			}
			t.Fatalf("a message of %d octets was reported as sent, and did not arrive in order", len(m))
		}
		rest = rest[i+1:]
	}
	for i, m := range o.Messages {
		if !m.Text || !utf8.ValidString(m.Payload) || slices.Contains(o.Messages[:i], m) {
			t.Fatalf("message %d that arrived is no text, or arrived before", i)
		}
	}
	return code, clean
}

// FuzzPipe: faults that lose nothing deliver the same octets in the same order,
// whatever the sizes of reads and writes.
func FuzzPipe(f *testing.F) {
	f.Add([]byte("hello, world"), uint8(5), uint8(3), uint8(1), uint8(4), uint8(0), uint8(7))
	f.Add([]byte("hello, world"), uint8(1), uint8(100), uint8(0), uint8(20), uint8(12), uint8(0))
	fuzz(f, func(t *testing.T, stream []byte, write, read, split, gather, cut, after uint8) {
		if len(stream) > conntest.DefaultBuffer {
			return // it is written before it is read
		}
		faults := conntest.Flow{
			Split: int(split), SplitAt: []int64{int64(cut), int64(after)}, Gather: int(gather), After: int64(after), Then: conntest.Interrupt,
		}
		a, b := conntest.Pipe(0)
		from := conntest.Inject(a, conntest.Faults{Write: faults})
		to := conntest.Inject(b, conntest.Faults{Read: faults})
		interrupted := func(err error) bool {
			e, ok := errors.AsType[interface {
				error
				Temporary() bool
			}](err)
			return ok && e.Temporary()
		}
		for rest := stream; len(rest) > 0; {
			n, err := from.Write(rest[:min(len(rest), int(write)+1)])
			if err != nil && !interrupted(err) {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		err := from.CloseWrite()
		if interrupted(err) {
			err = from.CloseWrite()
		}
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		p := make([]byte, int(read)+1)
		for err != io.EOF {
			var n int
			n, err = to.Read(p)
			got = append(got, p[:n]...)
			if err != nil && err != io.EOF && !interrupted(err) {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, stream) {
			t.Fatalf("%+v: sent %q, received %q", faults, stream, got)
		}
		if _, n := from.Passed(); n != int64(len(stream)) {
			t.Fatalf("%+v: counted %d octets written of %d", faults, n, len(stream))
		}
	})
}
